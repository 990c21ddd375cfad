use crate::{Api, CacheHint, CompressOptions, Engine, Outcome};

fn sent(api: Api, body: &str) -> (String, Vec<CacheHint>) {
    let options = CompressOptions::new().cache_hints(CacheHint::ALL.iter().copied()).tenant("t");
    match Engine::new().compress(api, body.as_bytes(), &options) {
        Outcome::Rewritten { body, report, .. } => (String::from_utf8(body).unwrap(), report.cache_hints),
        Outcome::Unchanged { report, .. } => (body.to_owned(), report.cache_hints),
    }
}

fn anthropic(more: &str) -> String {
    format!(
        r#"{{ {more} "model":"m","tools":[{{"name":"Bash"}}],"messages":[{{"role":"user","content":"hi"}}]}}"#
    )
}

#[test]
fn a_breakpoint_is_set_only_for_clients_that_set_none_and_conversations_that_go_on() {
    let (body, hints) = sent(Api::Anthropic, &anthropic(""));
    assert_eq!(hints, [CacheHint::Breakpoint]);
    assert!(body.starts_with(r#"{"cache_control":{"type":"ephemeral"},  "model""#), "{body}");
    for member in [
        r#""cache_control":{"type":"ephemeral","ttl":"1h"},"#,
        r#""system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"#,
        r#""cache_control" : null,"#,
        r#""anthropic_version":"bedrock-2023-05-31","#,
        r#""previous_message_id":"m","#,
    ] {
        assert_eq!(sent(Api::Anthropic, &anthropic(member)).1, [], "{member}");
    }
    // A text that quotes the name is no setting.
    assert_eq!(
        sent(Api::Anthropic, &anthropic(r#""system":"\"cache_control\": {}","#)).1,
        [CacheHint::Breakpoint]
    );
    let once = r#"{"model":"m","tools":[],"messages":[{"role":"user","content":"hi"}]}"#;
    assert_eq!(sent(Api::Anthropic, once).1, []);
    let twice =
        once.replace("}]}", r#"},{"role":"assistant","content":"a"},{"role":"user","content":"b"}]}"#);
    assert_eq!(sent(Api::Anthropic, &twice).1, [CacheHint::Breakpoint]);
}

#[test]
fn the_system_prompt_is_split_before_the_line_that_changes() {
    let rules = r#"- keep \"quotes\" and \\n as they are\n"#.repeat(200);
    for line in [
        "Today's date: 2026-11-30",
        "Current time is 10:15:30",
        "Date: Monday, November 30, 2026",
        "  <session_id>0199f0c2-7a1e-7c3d-9b2a-5d6e7f809102</session_id>",
        "now 30.11.2026",
        "timestamp=1796000000",
    ] {
        for system in [
            format!(r#""{rules}{line}\nGo on.""#),
            format!(r#"[{{"type":"text","text":"{rules}{line}\nGo on."}}]"#),
        ] {
            let (body, hints) = sent(Api::Anthropic, &anthropic(&format!("\"system\":{system},")));
            assert_eq!(hints, [CacheHint::Breakpoint, CacheHint::SystemSplit], "{line}");
            let split = format!(
                r#"\n","cache_control":{{"type":"ephemeral"}}}},{{"type":"text","text":"{line}\nGo on."}}],"#
            );
            assert!(body.contains(&split), "{line}: {body}");
        }
    }
}

#[test]
fn a_system_prompt_without_such_a_line_or_with_an_early_one_stays() {
    let rules =
        "- run tests before 10:00 in version 1.2.3 of 2024\\n- the current branch has 3 files\\n".repeat(90);
    for system in [
        format!("\"{rules}\""),
        format!("\"Today is 2026-11-30\\n{rules}\""),
        format!("\"{rules}Today is 2026-11-30\"").replace(&rules, &"x\\n".repeat(900)),
        format!(r#"[{{"type":"text","text":"a"}},{{"type":"text","text":"{rules}Today is 2026-11-30"}}]"#),
        format!(r#"[{{"type":"text","text":"{rules}Today is 2026-11-30","citations":null}}]"#),
        "17".to_owned(),
    ] {
        assert_eq!(
            sent(Api::Anthropic, &anthropic(&format!("\"system\":{system},"))).1,
            [CacheHint::Breakpoint]
        );
    }
}

#[test]
fn a_key_names_the_conversation_and_tells_nothing_of_it() {
    let chat = |more: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}{more}]}}"#);
    assert_eq!(sent(Api::OpenAiChat, &chat("")).1, [], "a single question");
    let answer = r#", {"role":"assistant","content":"a"}, {"role":"user","content":"b"}"#;
    let key = |api, body: &str| sent(api, body).0.split('"').nth(3).unwrap().to_owned();
    let first = key(Api::OpenAiChat, &chat(answer));
    assert!(first.starts_with("headroom-") && first.len() == 41, "{first}");
    assert_eq!(first, key(Api::OpenAiChat, &chat(&answer.repeat(2))));
    assert_ne!(first, key(Api::OpenAiChat, &chat(answer).replace("hi", "ho")));
    for member in
        [r#""prompt_cache_key":"mine","#, r#""previous_response_id":"r","#, r#""conversation":"c","#]
    {
        let body = format!(
            r#"{{{member}"model":"m","input":[{{"role":"user","content":"hi"}},{{"type":"function_call_output","call_id":"c","output":"o"}}]}}"#
        );
        assert_eq!(sent(Api::OpenAiResponses, &body).1, [], "{member}");
        let without = body.replace(member, "");
        assert_eq!(sent(Api::OpenAiResponses, &without).1, [CacheHint::PromptCacheKey]);
    }
    assert_eq!(
        sent(Api::OpenAiResponses, r#"{"input":"hi","tools":[{"type":"function","name":"f"}]}"#).1,
        []
    );
}
