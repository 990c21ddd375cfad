//! Nothing is lost without a marker, what a person typed is no tool output, and what is set aside is what the tool sent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "tests may"
)]

use headroom_core::{Api, CompressOptions, Engine, Hints, Outcome, Retrieval, TextOutcome, UnchangedReason};
use proptest::prelude::*;
use serde_json::{Value, json};

fn log(lines: usize) -> String {
    let line = |n: usize| {
        format!("2026-06-01T10:{:02}:{:02}Z INFO worker {} took job {n}\n", n / 60 % 60, n % 60, n % 7)
    };
    (0..lines).map(line).collect()
}

/// The last message after compression.
fn last_message(api: Api, body: &Value) -> Value {
    let outcome = Engine::new().compress(
        api,
        body.to_string().as_bytes(),
        &CompressOptions::new().retrieval(Retrieval::ServerTool),
    );
    let after = outcome.body().map_or_else(|| body.clone(), |body| serde_json::from_slice(body).unwrap());
    after["messages"].as_array().unwrap().last().unwrap().clone()
}

fn chat(said: &str, pasted: &str) -> Value {
    json!({"model": "gpt-4o", "messages": [
        {"role": "user", "content": "Help me with this."},
        {"role": "assistant", "content": said},
        {"role": "user", "content": pasted},
    ]})
}

const SHELL: &str = "I look at the files.\n\n```bash\nls -F\n```";
const FUNCTION: &str = "I look.\n<function=execute_bash>\n<parameter=command>ls</parameter>\n</function>";

/// What people paste, each in the frame of an agent, and how a model calls a tool of that agent.
fn pastes() -> Vec<(String, &'static str)> {
    let lines = "connection refused, retrying in a moment\n".repeat(400);
    vec![
        (format!("OBSERVATION:\n{lines}\nWhy is worker 3 slow?"), SHELL),
        (format!("<returncode>0</returncode>\n<output>\n{lines}</output>"), SHELL),
        (format!("{lines}(Current directory: /srv)\nbash-$"), SHELL),
        (format!("EXECUTION RESULT of [bash]:\n{lines}"), FUNCTION),
    ]
}

#[test]
fn what_is_pasted_in_a_chat_with_tools_stays() {
    let tool = json!([{"type": "function", "function": {"name": "Bash", "description": "x".repeat(3000),
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}}}}]);
    for (pasted, said) in pastes() {
        for api in [Api::OpenAiChat, Api::Anthropic] {
            let mut body = chat(said, &pasted);
            body["tools"] = tool.clone();
            assert_eq!(last_message(api, &body), body["messages"][2]);
        }
    }
}

#[test]
fn what_is_pasted_after_structured_calls_stays() {
    for (pasted, said) in pastes() {
        let body = json!({"model": "gpt-4o", "messages": [
            {"role": "user", "content": "Go."},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
                "function": {"name": "Bash", "arguments": "{\"command\":\"ls\"}"}}]},
            {"role": "tool", "tool_call_id": "1", "content": "a"},
            {"role": "assistant", "content": said},
            {"role": "user", "content": pasted},
        ]});
        assert_eq!(last_message(Api::OpenAiChat, &body), body["messages"][4]);
    }
}

#[test]
fn what_is_pasted_behind_words_or_another_message_stays() {
    for (pasted, said) in pastes() {
        for words in [
            "What do you see?",
            "This is how it looks:\n```python\nprint(1)\n```",
            "Try ```ls``` first.",
            "Either\n```bash\nls\n```\nor\n```bash\npwd\n```\nand tell me what you see.",
        ] {
            let body = chat(words, &pasted);
            assert_eq!(last_message(Api::OpenAiChat, &body), body["messages"][2], "{words}");
        }
        let mut body = chat(said, "Thanks, I ran it.");
        body["messages"].as_array_mut().unwrap().push(json!({"role": "user", "content": pasted}));
        assert_eq!(last_message(Api::OpenAiChat, &body), body["messages"][3]);
    }
}

#[test]
fn outputs_of_agents_that_write_their_commands_are_compressed() {
    for (pasted, said) in pastes() {
        for api in [Api::OpenAiChat, Api::Anthropic] {
            let shown = last_message(api, &chat(said, &pasted));
            assert!(shown["content"].as_str().unwrap().len() * 2 < pasted.len(), "{said}");
        }
        let mut parts = chat(said, "");
        let part = json!({"type": "text", "text": pasted});
        parts["messages"][2]["content"] = json!([part, part]);
        let shown = last_message(Api::Anthropic, &parts);
        assert!(shown["content"][0]["text"].as_str().unwrap().len() * 2 < pasted.len());
        assert_eq!(shown["content"][1]["text"], pasted, "only the first text answers the model");
    }
}

fn tool_body(text: &str) -> String {
    json!({"model": "gpt-4o", "messages": [
        {"role": "user", "content": "Look."},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
            "function": {"name": "Bash", "arguments": "{\"command\":\"make\"}"}}]},
        {"role": "tool", "tool_call_id": "1", "content": text},
    ]})
    .to_string()
}

#[test]
fn a_body_with_a_raw_control_character_is_not_json() {
    let body = tool_body(&"connection refused, worker retries\n".repeat(400));
    let engine = Engine::new();
    let options = CompressOptions::new();
    assert!(engine.compress(Api::OpenAiChat, body.as_bytes(), &options).body().is_some());
    for raw in ["\n", "\t", "\0", "\x1f", "\x08"] {
        for word in ["worker", "gpt"] {
            let broken = body.replacen(word, &format!("{word}{raw}"), 1);
            let outcome = engine.compress(Api::OpenAiChat, broken.as_bytes(), &options);
            assert!(
                matches!(outcome, Outcome::Unchanged { reason: UnchangedReason::NotJson, .. }),
                "{raw:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_serde_json_refuses_passes_untouched(
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(
            &["", "\n", "\0", "\"", "\\", "\\x", ",", ":", "]", "}", "[", "{", "0", "-", "nul", "\u{a0}", "'"][..]
        ),
        cut in 0..3_usize,
    ) {
        let mut broken = tool_body(&"connection refused\n".repeat(30));
        let at = at.index(broken.len());
        let end = (at + cut).min(broken.len());
        broken.replace_range(at..end, with);
        let outcome = Engine::new().compress(Api::OpenAiChat, broken.as_bytes(), &CompressOptions::new());
        if serde_json::from_str::<serde::de::IgnoredAny>(&broken).is_err() {
            prop_assert!(outcome.body().is_none(), "{}", broken);
        }
    }
}

fn compressed(text: &str, tool: &str, retrieval: Retrieval) -> TextOutcome {
    Engine::new()
        .compress_text(text, &Hints::new().tool(tool).options(CompressOptions::new().retrieval(retrieval)))
}

/// The ranges of lines that the markers of a text name.
fn ranges(text: &str) -> Vec<(usize, usize)> {
    let range = |marker: &str| {
        let (_, rest) = marker.split_once("lines ")?;
        let (first, rest) = rest.split_once('-')?;
        let last = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    text.split("[headroom:").skip(1).filter_map(range).collect()
}

/// Every line of the text is shown by its mark, or stands in the original where a marker says.
fn accounts_for(text: &str, mark: impl Fn(&str) -> String) {
    let found = compressed(text, "Bash", Retrieval::ServerTool);
    let shown = found.text.as_deref().expect("it gets shorter");
    assert!(!found.originals.is_empty(), "something is set aside:\n{shown}");
    for original in &found.originals {
        assert!(text.contains(original.content()), "what is kept is what the tool sent");
        assert!(shown.contains(&original.handle().to_string()));
    }
    let ranges = ranges(shown);
    let (mut hidden, mut seen) = (0, 0);
    for (number, line) in text.split('\n').enumerate().map(|(n, line)| (n + 1, line)) {
        let is_kept = ranges.iter().any(|(first, last)| (*first..=*last).contains(&number));
        let is_seen = shown.contains(&mark(line));
        assert!(is_kept || is_seen, "line {number} `{line}` is neither shown nor in {ranges:?}:\n{shown}");
        hidden += usize::from(is_kept);
        seen += usize::from(is_seen);
    }
    // The ranges are no wider than what is missing.
    assert!(hidden + seen <= text.split('\n').count() + ranges.len() * 3, "{ranges:?}\n{shown}");
}

#[test]
fn lines_of_coloured_output_are_those_of_the_original() {
    let line =
        |n: usize| format!("\x1b[36m10:{:02}\x1b[0m INFO worker {} took job no{n}.\n", n / 60 % 60, n % 7);
    let text: String = (0..900).map(line).collect();
    accounts_for(&text, |line| line.replace("\x1b[36m", "").replace("\x1b[0m", ""));
}

#[test]
fn lines_of_search_results_are_those_of_the_original() {
    let row =
        |n: usize| format!("src/harbour/dock{}.rs:{}:    let ship{n} = moor(berth);\n", n / 150, n % 150 + 1);
    let text: String = (0..900).map(row).collect();
    accounts_for(&text, |line| line.splitn(3, ':').nth(2).unwrap_or_default().to_owned());
}

#[test]
fn lines_of_listings_are_those_of_the_original() {
    let path = |n: usize| format!("./harbour/dock{}/ship_{n}_of_the_line.txt\n", n / 200);
    let text: String = (0..900).map(path).collect();
    accounts_for(&text, |line| line.rsplit('/').next().unwrap_or_default().to_owned());
}

#[test]
fn lines_of_tables_are_those_of_the_original() {
    let row = |n: usize| {
        let space = ["default", "kube-system", "monitoring"][n % 3];
        let name = format!("service-{n}-{:x}-{:x}", n * 7919, n * 31);
        format!("{space:<14} {name:<38} {:<7} {:<20} {:<16} {}d\n", "1/1", "Running", "0", n % 30 + 1)
    };
    let head = format!(
        "{:<14} {:<38} {:<7} {:<20} {:<16} {}\n",
        "NAMESPACE", "NAME", "READY", "STATUS", "RESTARTS", "AGE"
    );
    let text = head + &(0..400).map(row).collect::<String>();
    accounts_for(&text, |line| line.split_whitespace().nth(1).unwrap_or_default().to_owned());
}

#[test]
fn lines_around_json_are_those_of_the_original() {
    let rows: Vec<Value> =
        (0..300).map(|n| json!({"id": n, "name": format!("row {n}"), "state": "ready"})).collect();
    let rows = serde_json::to_string_pretty(&rows).unwrap();
    let text = format!("{}{rows}\n{}", log(500), log(400));
    let found = compressed(&text, "Bash", Retrieval::ServerTool);
    let shown = found.text.as_deref().unwrap();
    assert!(found.originals.iter().all(|original| text.contains(original.content())), "{shown}");
    assert!(found.originals.iter().any(|original| original.content() == text), "{shown}");
    assert!(ranges(shown).len() > 1, "{shown}");
    for (first, last) in ranges(shown) {
        let lines: Vec<&str> = text.split('\n').skip(first - 1).take(last + 1 - first).collect();
        assert_eq!(lines.len(), last + 1 - first);
        assert!(lines.iter().all(|line| line.starts_with("2026-06-01")), "{first}-{last}");
    }
}

#[test]
fn overwritten_frames_stand_behind_a_marker_where_they_can_be_fetched() {
    let crates = [
        "serde", "memchr", "regex", "tokio", "bytes", "futures", "hyper", "tower", "http", "log", "libc",
        "rand",
    ];
    let frame = |(n, name): (usize, &&str)| {
        let waiting = ["unicode-ident", "proc-macro2", "parking_lot", "socket2"][n % 4];
        format!(
            "\x1b[1m\x1b[36m    Building\x1b[0m [=====>     ] {n}/400: {name}, {waiting}, build-{}\r\x1b[K\
             \x1b[1m\x1b[32m   Compiling\x1b[0m {name} v1.{n}.{}\n",
            n * 31 % 17,
            n * 7 % 5
        )
    };
    let text: String = crates.iter().enumerate().map(frame).collect();
    let found = compressed(&text, "Bash", Retrieval::ServerTool);
    let shown = found.text.as_deref().unwrap();
    let marker = " lines 1-12 stored: 12 overwritten frames of progress displays; headroom_retrieve]\n";
    assert!(shown.contains(marker) && !shown.contains("Building"), "{shown}");
    assert!(crates.iter().all(|name| shown.contains(&format!("   Compiling {name} v1."))), "{shown}");
    assert!(!found.originals.is_empty() && found.originals.iter().all(|original| original.content() == text));
    let alone = compressed(&text, "Bash", Retrieval::Disabled);
    let shown = alone.text.as_deref().unwrap_or(&text);
    assert_eq!(shown.matches("    Building [=====>     ]").count(), 12, "{shown}");
    assert!(alone.originals.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn words_between_returns_are_shown_or_kept(
        lines in proptest::collection::vec("[a-z]{3,9}( [a-z0-9=:.]{1,8}){0,5}", 20..60),
        back in prop::sample::select(&["\r", "\r\x1b[K", "\r\n", "\x1b[2K\r", "\x1b[1G"][..]),
        retrieval in prop::sample::select(&[Retrieval::Disabled, Retrieval::ServerTool][..]),
    ) {
        let text = lines.join(back);
        let found = compressed(&text, "Bash", retrieval);
        let shown = found.text.as_deref().unwrap_or(&text);
        let kept = found.originals.iter().any(|original| original.content() == text);
        for line in &lines {
            prop_assert!(kept || shown.contains(line.as_str()), "`{}` is lost: {:?}", line, shown);
        }
    }
}
