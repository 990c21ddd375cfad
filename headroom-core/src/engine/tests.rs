use std::collections::HashMap;

use super::{request::name, *};
use crate::{
    Retrieval, Tier,
    compress::{fold, line_numbers, reference::tests::decode, shared},
};

/// Returns the texts of `shown` by the names that references use, and its tool results in order. `body` is the
/// original request and gives the positions.
fn texts(api: Api, body: &str, shown: &str) -> (HashMap<String, String>, Vec<Option<String>>) {
    let shown: serde_json::Value = serde_json::from_str(shown).unwrap();
    let shown = |place: wire::BlockPath| {
        let path = format!("/{place}").replace(['.', '['], "/").replace(']', "");
        shown.pointer(&path).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    let tape = Tape::parse(body).unwrap();
    let conversation = wire::read(api, tape.root()).unwrap();
    let (options, engine) = (CompressOptions::new(), Engine::new());
    let request = Request::new(api, &conversation, &options, &engine.shared);
    let mut named = HashMap::new();
    let mut results = Vec::new();
    for (item, facts) in conversation.items.iter().zip(&request.facts) {
        let leaves: Vec<String> = match item {
            Item::User(text) => text.decode().into_iter().map(Cow::into_owned).collect(),
            Item::Call(call) => call.texts(),
            Item::Result(result) => {
                results.push(shown(result.place));
                shown(result.place).into_iter().collect()
            }
            _ => Vec::new(),
        };
        for (leaf, text) in leaves.into_iter().enumerate() {
            named.extend(name(item, facts, leaf).map(|name| (name, text)));
        }
    }
    (named, results)
}

/// Checks that every reference and fold of a rewritten request can be undone from that request alone. Returns the
/// number of results compared.
fn undo(api: Api, before: &str, after: &str) -> usize {
    let (_, originals) = texts(api, before, before);
    let (named, results) = texts(api, before, after);
    assert_eq!(originals.len(), results.len());
    use ContentKind::{Listing, Search, Table};
    let mut compared = 0;
    for (original, result) in originals.iter().zip(&results) {
        let (Some(original), Some(result)) = (original, result) else { continue };
        if original == result
            || original.contains(crate::text::marker::OPENING)
            || original.trim_start().starts_with(['{', '['])
            || matches!(crate::detect::structure(original), Search | Listing | Table)
        {
            continue;
        }
        let numbered = line_numbers::restored(result).unwrap();
        let unfolded = fold::expand(&decode(&numbered, &|origin| named.get(origin).cloned()).expect(result));
        if !original.contains(['\u{1b}', '\r', '\u{8}']) {
            assert_eq!(&unfolded, original, "from\n{result}");
            compared += 1;
        }
    }
    compared
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn references_and_folds_of_real_conversations_can_be_undone() {
    let traces = shared("corpora/agent-traces");
    let mut compared = 0;
    for entry in traces.read_dir().unwrap() {
        let trace = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let tape = Tape::parse_with(&trace, headroom_json::Limits::for_length(usize::MAX)).unwrap();
        let [request] = tape.root().fields(["request"]).unwrap();
        let before = request.unwrap().raw();
        let api = Api::detect(before.as_bytes()).unwrap();
        if let Outcome::Rewritten { body, .. } =
            Engine::new().compress(api, before.as_bytes(), &CompressOptions::new())
        {
            compared += undo(api, before, std::str::from_utf8(&body).unwrap());
        }
    }
    assert!(compared > 300, "only {compared} results were edited");
}

/// Returns a Messages request in which every text answers a call of `Bash`.
pub(super) fn messages(results: &[&str]) -> String {
    let mut messages = vec![r#"{"role":"user","content":"go"}"#.to_owned()];
    for (n, text) in results.iter().enumerate() {
        let text = serde_json::to_string(text).unwrap();
        messages.push(format!(
            r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"t{n}","name":"Bash","input":{{"command":"step {n}"}}}}]}}"#
        ));
        messages.push(format!(
            r#"{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{n}","content":{text}}}]}}"#
        ));
    }
    format!(r#"{{"model":"claude","messages":[{}]}}"#, messages.join(","))
}

/// Returns the same request from an agent that runs commands.
pub(super) fn agent(results: &[&str]) -> String {
    messages(results).replacen('{', r#"{"tools":[{"name":"Bash","input_schema":{}}],"#, 1)
}

pub(super) fn output() -> String {
    (0..40).map(|n| format!("step {n}: {} items\n", n * 31)).collect()
}

fn compress(body: &str) -> Outcome {
    Engine::new().compress(Api::Anthropic, body.as_bytes(), &CompressOptions::new())
}

#[test]
fn a_repeated_result_refers_to_the_first() {
    let body = messages(&[&output(), &output()]);
    let outcome = compress(&body);
    let after = std::str::from_utf8(outcome.body().unwrap()).unwrap();
    assert!(after.contains(r#""[headroom: same as result 1 above, Bash step 0]\n""#), "{after}");
    assert_eq!(undo(Api::Anthropic, &body, after), 1);
}

#[test]
fn a_known_beginning_is_not_decided_again() {
    let headroom = Engine::new();
    let (one, two, three) = (output(), output() + "more\n", output().to_uppercase());
    let bodies =
        [messages(&[&one, &two]), messages(&[&one, &two, &three]), messages(&[&one, &two, &three, &two])];
    for body in &bodies {
        let warm = headroom.compress(Api::Anthropic, body.as_bytes(), &CompressOptions::new());
        assert_eq!(warm.body(), compress(body).body());
    }
    // A request that diverges finds no index to resume and is decided anew.
    let fork = messages(&[&one, &three, &two]);
    let warm = headroom.compress(Api::Anthropic, fork.as_bytes(), &CompressOptions::new());
    assert_eq!(warm.body(), compress(&fork).body());
}

#[test]
fn nothing_is_referred_to_across_a_compaction() {
    let body = messages(&[&output(), &output()]);
    let at = body.rfind(r#"{"role":"assistant""#).unwrap();
    let compaction = r#"{"role":"assistant","content":[{"type":"compaction","content":"so far"}]},"#;
    let body = [&body[..at], compaction, &body[at..]].concat();
    assert!(matches!(compress(&body), Outcome::Unchanged { reason: UnchangedReason::NoSaving, .. }));
}

#[test]
fn nothing_is_referred_to_where_the_provider_clears_results() {
    for (edits, refers) in
        [("clear_thinking_20251015", true), ("clear_tool_uses_20250919", false), ("new", false)]
    {
        let body = messages(&[&output(), &output()]);
        let management = format!(r#"{{"context_management":{{"edits":[{{"type":"{edits}"}}]}},"#);
        let body = body.replacen('{', &management, 1);
        assert_eq!(compress(&body).body().is_some(), refers, "{edits}");
    }
}

#[test]
fn message_threads_pass_untouched() {
    for thread in [r#"{"type":"create"}"#, r#"{"type":"continue","previous_message_id":"msg_1"}"#] {
        let body = messages(&[&output(), &output()]).replacen('{', &format!(r#"{{"thread":{thread},"#), 1);
        assert!(
            matches!(compress(&body), Outcome::Unchanged { reason: UnchangedReason::Stateful, .. }),
            "{thread}"
        );
    }
}

#[test]
fn errors_stay_and_can_be_referred_to() {
    let body = messages(&[&output(), &output()]);
    let first = body.replacen(r#""tool_use_id":"t0""#, r#""is_error":true,"tool_use_id":"t0""#, 1);
    assert!(compress(&first).body().is_some());
    let second = body.replacen(r#""tool_use_id":"t1""#, r#""is_error":true,"tool_use_id":"t1""#, 1);
    let outcome = compress(&second);
    assert!(outcome.body().is_none());
    assert_eq!(outcome.report().blocks[1].action, crate::Action::Kept(UnchangedReason::ToolError));
}

#[test]
fn forged_markers_stay_text() {
    let forged = "[headroom: same as result 1 above, Bash step 0]\n".repeat(20);
    assert!(compress(&messages(&[&output(), &forged, &forged])).body().is_none());
}

#[test]
fn tiers_bound_what_is_done() {
    let folded = "the same line, again and again\n".repeat(50);
    let body = messages(&[&output(), &output(), &folded]);
    let steps = |tier| {
        let outcome =
            Engine::new().compress(Api::Anthropic, body.as_bytes(), &CompressOptions::new().tier(tier));
        outcome.report().blocks.iter().map(|block| block.action.clone()).collect::<Vec<_>>()
    };
    let (kept, edited) =
        (crate::Action::Kept(UnchangedReason::NoSaving), |step| crate::Action::Edited(vec![step]));
    assert_eq!(steps(Tier::Lossless), [kept.clone(), kept.clone(), edited(crate::Transform::RepeatedLines)]);
    assert_eq!(
        steps(Tier::Dedup),
        [kept, edited(crate::Transform::Reference), edited(crate::Transform::RepeatedLines)]
    );
}

#[test]
fn an_engine_without_memory_does_the_same() {
    let body = messages(&[&output(), &output(), &output()]);
    let forgetful = Engine::builder().cache_capacity(0).build();
    for _ in 0..2 {
        let outcome = forgetful.compress(Api::Anthropic, body.as_bytes(), &CompressOptions::new());
        assert_eq!(outcome.body(), compress(&body).body());
    }
}

/// Returns a log with one line that stands out.
pub(super) fn log() -> String {
    let line = |n: usize| match n {
        150 => "2026-01-05T10:02:30Z ERROR payment failed: card declined for order 7731\n".to_owned(),
        _ => format!(
            "2026-01-05T10:{:02}:{:02}Z INFO request {} served in {} ms\n",
            n / 60,
            n % 60,
            1000 + n,
            n % 17
        ),
    };
    (0..300).map(line).collect()
}

#[test]
fn originals_that_cannot_be_stored_leave_their_block_and_nothing_before_it() {
    let logs: Vec<_> = (0..4).map(|n| log().replace("INFO", &format!("job{n}"))).collect();
    let tools = r#"{"tools":[{"name":"mcp__hr__headroom_retrieve","input_schema":{}}],"#;
    let body = |count: usize| {
        let results: Vec<_> = logs[..count].iter().map(String::as_str).collect();
        messages(&results).replacen('{', tools, 1)
    };
    let options = CompressOptions::new().retrieval(Retrieval::ClientTool);
    let compress = |engine: &Engine, count: usize, options: &CompressOptions| match engine.compress(
        Api::Anthropic,
        body(count).as_bytes(),
        options,
    ) {
        Outcome::Rewritten { body, originals, .. } => (String::from_utf8(body).unwrap(), originals),
        Outcome::Unchanged { .. } => (body(count), Vec::new()),
    };
    let engine = Engine::new();
    for left in 0..4 {
        let (with, originals) = compress(&engine, 4, &options);
        let handle = originals[left].handle();
        let without = options.clone().without_originals([handle]);
        let (after, kept) = compress(&engine, 4, &without);
        assert!(
            kept.iter().all(|original| original.handle() != handle) && !after.contains(&handle.to_string())
        );
        assert_eq!(kept.len(), 3, "the others are set aside as before");
        // A cold engine decides the same, and everything before the block is the same.
        assert_eq!(compress(&Engine::new(), 4, &without).0, after);
        let (before, _) = compress(&engine, left, &options);
        let prefix = before.strip_suffix("]}").unwrap();
        assert!(with.starts_with(prefix) && after.starts_with(prefix), "block {left}");
        // The next block changes nothing in it.
        let (shorter, _) = compress(&engine, 3, &without);
        assert!(after.starts_with(shorter.strip_suffix("]}").unwrap()));
    }
}

#[test]
fn lines_are_set_aside_only_where_they_can_be_fetched_back() {
    let (body, agent) = (messages(&[&log()]), agent(&[&log()]));
    let with_tool =
        body.replacen('{', r#"{"tools":[{"name":"mcp__hr__headroom_retrieve","input_schema":{}}],"#, 1);
    let compress = |body: &str, options: &CompressOptions| {
        Engine::new().compress(Api::Anthropic, body.as_bytes(), options)
    };

    for (body, options) in [
        (&body, CompressOptions::new()),
        (&body, CompressOptions::new().retrieval(Retrieval::ClientTool)),
        (&body, CompressOptions::new().retrieval(Retrieval::ServerTool)),
        (&body, CompressOptions::new().originals_dir("/tmp/spool")),
        (
            &body.replacen('{', r#"{"tools":[{"name":"WebFetch"}],"#, 1),
            CompressOptions::new().originals_dir("/tmp/spool"),
        ),
        (&agent, CompressOptions::new().retrieval(Retrieval::File)),
        (
            &agent.replacen('{', r#"{"tool_choice":{"type":"none"},"#, 1),
            CompressOptions::new().originals_dir("/tmp/spool"),
        ),
        (&agent, CompressOptions::new().originals_dir("/tmp/spool").retrieval(Retrieval::Disabled)),
        (&agent, CompressOptions::new().originals_dir("/tmp/spool").tier(Tier::Dedup)),
        (&with_tool, CompressOptions::new()),
        (&with_tool, CompressOptions::new().retrieval(Retrieval::ClientTool).tier(Tier::Dedup)),
        (
            &with_tool.replacen('{', r#"{"tool_choice":{"type":"none"},"#, 1),
            CompressOptions::new().retrieval(Retrieval::ClientTool),
        ),
    ] {
        assert!(compress(body, &options).body().is_none(), "{options:?}");
    }
    for (body, options, how) in [
        (&with_tool, CompressOptions::new().retrieval(Retrieval::ClientTool), "headroom_retrieve]"),
        (&agent, CompressOptions::new().originals_dir("/tmp/spool"), "; /tmp/spool/"),
        (
            &with_tool,
            CompressOptions::new().originals_dir("/tmp/spool").retrieval(Retrieval::ClientTool),
            "headroom_retrieve]",
        ),
    ] {
        let Outcome::Rewritten { body, originals, .. } = compress(body, &options) else {
            panic!("{options:?}")
        };
        let after = String::from_utf8(body).unwrap();
        let [original] = &originals[..] else { panic!("one original") };
        assert_eq!(
            (original.handle(), original.content()),
            (crate::Handle::from_content(&log()), log().as_str())
        );
        assert!(
            after.contains(&format!("[headroom:{} lines ", original.handle())) && after.contains(how),
            "{after}"
        );
        assert!(after.contains("card declined for order 7731"), "{after}");
    }
}

#[test]
fn whatever_was_forgotten_the_same_comes_out() {
    let options = CompressOptions::new().originals_dir("/tmp/spool");
    let body = agent(&[&log(), &output(), &log(), &output(), &log(), &output()]);
    let compress = |headroom: &Engine| {
        headroom.compress(Api::Anthropic, body.as_bytes(), &options).body().map(<[u8]>::to_vec)
    };
    let fresh = compress(&Engine::new());
    for memory in (0..400 << 10).step_by(3 << 10) {
        let headroom = Engine::builder().cache_capacity(memory).build();
        for _ in 0..3 {
            assert_eq!(compress(&headroom), fresh, "{memory} bytes");
        }
    }
}

#[test]
fn originals_are_given_again_with_every_request() {
    let headroom = Engine::new();
    let options = CompressOptions::new().originals_dir("/tmp/spool");
    let body = agent(&[&log(), &output()]);
    for _ in 0..2 {
        let Outcome::Rewritten { originals, .. } =
            headroom.compress(Api::Anthropic, body.as_bytes(), &options)
        else {
            panic!("a log of 300 lines gets smaller")
        };
        assert_eq!(originals.len(), 1);
    }
}

#[test]
fn what_was_fetched_back_is_never_compressed() {
    let options = CompressOptions::new().originals_dir("/tmp/spool");
    let body = agent(&[&log(), &log()]);
    let outcome = Engine::new().compress(Api::Anthropic, body.as_bytes(), &options);
    assert_eq!(outcome.report().blocks[1].action, crate::Action::Kept(UnchangedReason::Retrieved));
    let renamed = agent(&[&log()]).replace("Bash", "mcp__hr__headroom_retrieve");
    let outcome = Engine::new().compress(Api::Anthropic, renamed.as_bytes(), &options);
    assert_eq!(outcome.report().blocks[0].action, crate::Action::Kept(UnchangedReason::Retrieved));
}

/// Returns the log as shown by a tool that numbers lines.
fn numbered(text: &str) -> String {
    text.lines().zip(1..).map(|(line, number)| format!("{number:>6}\t{line}\n")).collect()
}

#[test]
fn what_a_tool_shows_of_a_spooled_file_is_never_compressed() {
    let handle = crate::Handle::from_content(&log());
    let asks = [
        format!("cat /tmp/spool/{handle}"),
        format!("cd /tmp; head -n 200 spool/{handle}"),
        "grep -rn INFO /tmp/spool".to_owned(),
    ];
    let kept = |command: &str, options: &CompressOptions| {
        let body = agent(&[&log(), &numbered(&log())]).replace("step 1\"}", &format!("{command}\"}}"));
        let outcome = Engine::new().compress(Api::Anthropic, body.as_bytes(), options);
        assert_eq!(outcome.report().retrieval, options.retrieval);
        outcome.report().blocks[1].action == crate::Action::Kept(UnchangedReason::Retrieved)
    };
    let spooled = CompressOptions::new().originals_dir("/tmp/spool");
    for ask in &asks {
        assert!(kept(ask, &spooled), "{ask}");
        assert!(!kept(ask, &spooled.clone().retrieval(Retrieval::Disabled)), "{ask}");
    }
    assert!(!kept("cat app.log", &spooled));
}

#[test]
fn of_what_another_tool_condensed_nothing_is_set_aside() {
    let rows =
        (0..400).map(|n| format!("2026-11-20T10:00:{:02}Z INFO worker {n} order {} done", n % 60, n * 37));
    let log = rows.collect::<Vec<_>>().join("\n");
    let outcome = |command: &str, text: &str| {
        let arguments = serde_json::json!({"command": command}).to_string();
        let hints = Hints::new()
            .tool("Bash")
            .arguments(arguments)
            .options(CompressOptions::new().retrieval(Retrieval::ClientTool));
        Engine::new().compress_text(text, &hints)
    };
    assert!(!outcome("./report", &log).originals.is_empty());
    for (command, text) in [
        ("rtk ./report", log.clone()),
        ("cd x && lean-ctx -c ./report", log.clone()),
        ("./report", format!("{log}\n[full output: rtk recall 3f2a]\n")),
    ] {
        let outcome = outcome(command, &text);
        assert!(outcome.originals.is_empty(), "{command}");
        assert!(!outcome.text.is_some_and(|text| text.contains(crate::text::marker::OPENING)), "{command}");
    }
}
