//! Small sessions whose bills are computed by hand.

mod epochs;

use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;

/// One dollar for a token, a tenth to read it, 1.25 or 2 to write it, five for output.
fn rates(_: &str) -> Rates {
    Rates { input: 1.0, read: 0.1, write: 1.25, write_long: 2.0, output: 5.0 }
}

fn read_log(lines: &[Value]) -> Option<RecordedSession> {
    let lines: Vec<Node> = lines.iter().map(|line| serde_json::from_value(line.clone()).unwrap()).collect();
    read(&lines)
}

fn is(dollars: f64, expected: f64) {
    assert!((dollars - expected).abs() < 1e-6, "{dollars} instead of {expected}");
}

/// A line of Claude Code: its number, that of its parent, and the minute.
fn line(kind: &str, uuid: u32, parent: u32, minute: u32, message: &Value) -> Value {
    let parent = if parent == 0 { Value::Null } else { json!(parent.to_string()) };
    json!({"type": kind, "uuid": uuid.to_string(), "parentUuid": parent, "message": message,
        "timestamp": format!("2026-06-01T{:02}:{:02}:00.000Z", 10 + minute / 60, minute % 60)})
}

fn prompt(uuid: u32, parent: u32, minute: u32, text: &str) -> Value {
    line("user", uuid, parent, minute, &json!({"role": "user", "content": text}))
}

/// Prompt at full price, read, written; and output.
fn usage([input, read, write, output]: [u32; 4]) -> Value {
    json!({"input_tokens": input, "cache_read_input_tokens": read, "cache_creation_input_tokens": write,
        "output_tokens": output})
}

fn call(uuid: u32, parent: u32, minute: u32, model: &str, counts: [u32; 4]) -> Value {
    let content =
        json!([{"type": "tool_use", "id": format!("t{uuid}"), "name": "Bash", "input": {"command": "ls"}}]);
    let message = json!({"id": format!("m{uuid}"), "role": "assistant", "model": model, "content": content, "usage": usage(counts)});
    line("assistant", uuid, parent, minute, &message)
}

fn result(uuid: u32, parent: u32, minute: u32, text: &str) -> Value {
    let content = json!([{"type": "tool_result", "tool_use_id": format!("t{parent}"), "content": text}]);
    line("user", uuid, parent, minute, &json!({"role": "user", "content": content}))
}

fn answer(uuid: u32, parent: u32, minute: u32, model: &str, counts: [u32; 4]) -> Value {
    let message = json!({"id": format!("m{uuid}"), "role": "assistant", "model": model,
        "content": [{"type": "text", "text": "done"}], "usage": usage(counts)});
    line("assistant", uuid, parent, minute, &message)
}

/// Ten thousand tokens are written, then two thousand more, then all again after ten minutes.
fn with_a_pause() -> Vec<Value> {
    vec![
        prompt(1, 0, 0, &"which files are there? ".repeat(100)),
        call(2, 1, 0, "a", [0, 0, 10_000, 100]),
        result(3, 2, 1, &"src/main.rs\n".repeat(300)),
        answer(4, 3, 1, "a", [0, 10_000, 2_000, 50]),
        prompt(5, 4, 11, "and now?"),
        answer(6, 5, 11, "a", [0, 0, 12_500, 20]),
    ]
}

#[test]
fn a_bill_is_what_the_provider_counted() {
    let session = read_log(&with_a_pause()).unwrap();
    let statement = session.statement(&rates);
    let write = 10_000.0 * 1.25 + 2_000.0 * 1.25 + 12_500.0 * 1.25;
    let expected = Cost { read: 10_000.0 * 0.1, write, input: 0.0, output: 170.0 * 5.0 };
    assert_eq!(statement.requests, 3);
    is(statement.paid.read, expected.read);
    is(statement.paid.write, expected.write);
    is(statement.paid.output, expected.output);
    is(statement.paid.total(), session.cost(None, None, &rates).total());
    // Every token has a kind.
    is(statement.prompt.values().map(Cost::total).sum(), expected.read + expected.write);
    is(statement.output.values().sum(), expected.output);
    assert_eq!(statement.tools["Bash"].results, 1);
}

#[test]
fn a_write_has_a_cause() {
    let writes = read_log(&with_a_pause()).unwrap().statement(&rates).writes;
    let expected = [
        (Cause::NewContent, 2, 2_000.0 * 1.25 + 500.0 * 1.25),
        (Cause::Start, 1, 10_000.0 * 1.25),
        (Cause::Pause, 1, 12_000.0 * 1.25),
    ];
    for (cause, times, dollars) in expected {
        is(writes[&cause].dollars, dollars);
        assert_eq!(writes[&cause].times, times, "{cause:?}");
    }
    assert!(
        writes.iter().all(|(cause, share)| expected.iter().any(|(one, ..)| one == cause) || share.times == 0)
    );
}

#[test]
fn an_hour_keeps_what_ten_minutes_lose() {
    let session = read_log(&with_a_pause()).unwrap();
    assert_eq!(session.ttl(), Ttl::FiveMinutes);
    is(session.cost(None, Some(Ttl::FiveMinutes), &rates).total(), session.cost(None, None, &rates).total());
    let hour = session.cost(None, Some(Ttl::Hour), &rates);
    is(hour.read, (10_000.0 + 12_000.0) * 0.1);
    is(hour.write, (10_000.0 + 2_000.0 + 500.0) * 2.0);
}

#[test]
fn a_smaller_result_costs_less_where_it_was_paid_for() {
    let session = read_log(&with_a_pause()).unwrap();
    let id = session.blocks.iter().position(ContextBlock::is_result).unwrap() as u32;
    let size = |at: usize| session.sizes_of(at).find(|(block, _)| *block == id).map_or(0.0, |(_, size)| size);
    assert!(size(1) > 500.0 && size(0) == 0.0);
    let mut sizes = Sizes::default();
    sizes.push(0.0, []);
    sizes.push(0.0, [(id, 0.25)]);
    let (before, after) = (session.cost(None, None, &rates), session.cost(Some(&sizes), None, &rates));
    // It was written twice: when it was new, and after the pause.
    is(before.write - after.write, 0.75 * (size(1) + size(2)) * 1.25);
    is(before.read, after.read);
    is(before.output, after.output);
    let hour = |sizes| session.cost(sizes, Some(Ttl::Hour), &rates);
    is(hour(None).read - hour(Some(&sizes)).read, 0.75 * size(2) * 0.1);
}

#[test]
fn a_definition_in_the_head_costs_in_every_request() {
    let session = read_log(&with_a_pause()).unwrap();
    let mut sizes = Sizes::default();
    sizes.push(110.0, []);
    let more = session.cost(Some(&sizes), None, &rates).total() - session.cost(None, None, &rates).total();
    is(more, 110.0 * (1.25 + 0.1 + 1.25));
    let mut late = Sizes::default();
    late.push(0.0, []);
    late.push(110.0, []);
    // What comes into the head later spoils what was in the cache.
    let more = session.cost(Some(&late), None, &rates).total() - session.cost(None, None, &rates).total();
    is(more, 110.0 * (1.25 + 1.25) + 10_000.0 * (1.25 - 0.1));
}

#[test]
fn behind_a_block_that_changes_later_all_is_written_again_and_by_anthropic_all_behind_the_head() {
    let mut lines = with_a_pause();
    lines.push(prompt(7, 6, 12, "thanks"));
    lines.push(answer(8, 7, 12, "a", [0, 12_500, 100, 20]));
    let mut session = read_log(&lines).unwrap();
    let id = session.blocks.iter().position(ContextBlock::is_result).unwrap() as u32;
    let size = session.sizes_of(3).find(|(block, _)| *block == id).unwrap().1;
    let mut sizes = Sizes::default();
    (0..3).for_each(|_| sizes.push(0.0, []));
    sizes.push(0.0, [(id, 0.0)]);
    for client in [Client::ClaudeCode, Client::Codex] {
        session.client = client;
        let start = match client {
            Client::ClaudeCode => session.head_of(3),
            Client::Codex => session.start_of(3, &[id]),
        };
        let (before, after) = (session.cost(None, None, &rates), session.cost(Some(&sizes), None, &rates));
        is(before.read - after.read, (12_500.0 - start) * 0.1);
        is(after.write - before.write, (12_500.0 - start - size) * 1.25);
    }
    assert!(session.head_of(3) < session.start_of(3, &[id]));
}

#[test]
fn a_resumed_session_is_counted_once() {
    let first = with_a_pause();
    let mut second = first.clone();
    second.push(prompt(7, 6, 30, "one more"));
    second.push(answer(8, 7, 30, "a", [0, 0, 12_600, 30]));
    let (mut first, mut second) = (read_log(&first).unwrap(), read_log(&second).unwrap());
    let whole = second.statement(&rates).paid.total();
    let mut seen = HashSet::new();
    assert_eq!((first.mark_repeated(&mut seen), second.mark_repeated(&mut seen)), (0, 3));
    let (one, more) = (first.statement(&rates), second.statement(&rates));
    is(one.paid.total() + more.paid.total(), whole);
    is(more.paid.total(), 12_600.0 * 1.25 + 30.0 * 5.0);
    assert_eq!((more.requests, more.tools["Bash"].results), (1, 0), "the result was counted before");
    is(second.cost(None, None, &rates).total(), more.paid.total());
}

#[test]
fn compactions_models_and_rewinds_are_told_apart() {
    let boundary = json!({"type": "system", "subtype": "compact_boundary", "uuid": "90"});
    let lines = [
        prompt(1, 0, 0, "go"),
        answer(2, 1, 0, "a", [0, 0, 50_000, 10]),
        prompt(3, 2, 1, "on"),
        // Another model has a cache of its own.
        answer(4, 3, 1, "b", [0, 0, 50_100, 10]),
        prompt(5, 4, 2, "on"),
        answer(6, 5, 2, "b", [0, 50_100, 100, 10]),
        // Back to the second answer.
        prompt(7, 2, 3, "otherwise"),
        answer(8, 7, 3, "b", [0, 20_000, 20_000, 10]),
        boundary,
        prompt(9, 0, 4, "the summary"),
        answer(10, 9, 4, "b", [0, 10_000, 5_000, 10]),
        prompt(11, 10, 5, "on"),
        answer(12, 11, 5, "b", [0, 0, 15_100, 10]),
    ];
    let session = read_log(&lines).unwrap();
    let events: Vec<CacheEvent> = session.requests.iter().map(|request| request.event).collect();
    use CacheEvent::{Compaction, Hit, Miss, ModelSwitch, Rewind, Start};
    assert_eq!(events, [Start, ModelSwitch, Hit, Rewind, Compaction, Miss]);
    let writes = session.statement(&rates).writes;
    is(writes[&Cause::ModelSwitch].dollars, 50_000.0 * 1.25);
    is(writes[&Cause::Compaction].dollars, 5_000.0 * 1.25);
    is(writes[&Cause::Unexplained].dollars, 15_000.0 * 1.25);
}

#[test]
fn growth_that_nothing_shows_is_thinking_where_the_model_thought() {
    let thinks = |uuid: u32, parent: u32, counts| {
        let mut line = answer(uuid, parent, uuid, "a", counts);
        let content =
            json!([{"type": "thinking", "thinking": "", "signature": "x"}, {"type": "text", "text": "done"}]);
        line["message"]["content"] = content;
        line
    };
    let lines = [
        prompt(1, 0, 0, &"go on ".repeat(300)),
        thinks(2, 1, [0, 0, 10_000, 900]),
        prompt(3, 2, 3, "on"),
        answer(4, 3, 4, "a", [0, 10_000, 800, 10]),
        prompt(5, 4, 5, "on"),
        answer(6, 5, 6, "a", [0, 10_800, 500, 10]),
    ];
    let statement = read_log(&lines).unwrap().statement(&rates);
    let kind = |kind: &str| statement.prompt.get(kind).map_or(0.0, Cost::total);
    // 800 less what is visible, about 22 tokens, is written once and read once.
    assert!((kind("thinking") - 778.0 * 1.35).abs() < 15.0, "{:?}", statement.prompt);
    // 500 more came from nowhere.
    assert!((kind("hidden") - 478.0 * 1.25).abs() < 15.0, "{:?}", statement.prompt);
}

fn codex(kind: &str, minute: u32, payload: &Value) -> Value {
    json!({"timestamp": format!("2026-06-01T10:{minute:02}:00.000Z"), "type": kind, "payload": payload})
}

fn tokens_of(minute: u32, [input, cached, output]: [u32; 3], total: u32) -> Value {
    let last = json!({"input_tokens": input, "cached_input_tokens": cached, "output_tokens": output});
    let info = json!({"last_token_usage": last, "total_token_usage": {"input_tokens": total}});
    codex("event_msg", minute, &json!({"type": "token_count", "info": info}))
}

fn rollout() -> Vec<Value> {
    let text = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
    let run = |id: &str| json!({"type": "function_call", "name": "shell", "call_id": id, "arguments": "{}"});
    let output = |id: &str| json!({"type": "function_call_output", "call_id": id, "output": "src/main.rs\n".repeat(300)});
    vec![
        codex("session_meta", 0, &json!({"base_instructions": {"text": "be brief"}})),
        codex("turn_context", 0, &json!({"model": "g"})),
        codex("response_item", 0, &text("user", "which files are there?")),
        codex("response_item", 0, &run("c1")),
        // The output is there before the counts are.
        codex("response_item", 1, &output("c1")),
        tokens_of(1, [8_000, 0, 100], 8_000),
        tokens_of(1, [8_000, 0, 100], 8_000),
        codex("response_item", 2, &text("assistant", "two")),
        tokens_of(2, [10_000, 8_000, 50], 18_000),
        codex("compacted", 3, &json!({"replacement_history": [text("user", "the summary")]})),
        codex("response_item", 12, &run("c2")),
        tokens_of(12, [7_000, 6_000, 20], 25_000),
    ]
}

#[test]
fn a_rollout_is_read_with_its_counts() {
    let session = read_log(&rollout()).unwrap();
    let statement = session.statement(&rates);
    assert_eq!((statement.requests, session.client.name()), (3, "Codex"), "counts that repeat are none");
    is(statement.paid.read, 14_000.0 * 0.1);
    is(statement.paid.write, (8_000.0 + 2_000.0 + 1_000.0) * 1.25);
    is(statement.paid.output, 170.0 * 5.0);
    is(statement.writes[&Cause::Compaction].dollars, 1_000.0 * 1.25);
    let bodies: Vec<String> =
        (0..3).map(|at| String::from_utf8(session.body(at, &session.tools()).bytes).unwrap()).collect();
    assert!(
        bodies[0].contains(r#""instructions":"be brief""#) && !bodies[0].contains("main.rs"),
        "{}",
        bodies[0]
    );
    assert!(bodies[1].contains("main.rs"), "{}", bodies[1]);
    assert!(bodies[2].contains("the summary") && !bodies[2].contains("main.rs"), "{}", bodies[2]);
    let (mut again, mut seen) = (session.clone(), HashSet::new());
    again.mark_repeated(&mut seen);
    assert_eq!(
        read_log(&rollout()).unwrap().mark_repeated(&mut seen),
        3,
        "a fork begins with the same requests"
    );
}

#[test]
fn a_body_is_what_the_client_sent() {
    let session = read_log(&with_a_pause()).unwrap();
    let tools = session.tools();
    let body = session.body(2, &tools);
    let request: Value = serde_json::from_slice(&body.bytes).unwrap();
    let roles: Vec<_> =
        request["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
    assert_eq!(request["tools"][0]["input_schema"]["properties"], json!({"command": {}}));
    let id = body.block_at("messages[2].content[0].content").unwrap();
    assert!(session.blocks[id as usize].is_result());
    for path in ["messages[2].content[1].content", "messages[9]", "", "messages[x].content[0]"] {
        assert_eq!(body.block_at(path), None, "{path}");
    }
    // An open call, and an answer without a question, would be refused.
    let open = session.body(0, &tools);
    assert!(!String::from_utf8(open.bytes).unwrap().contains("tool_use"));
}

#[test]
fn logs_of_any_shape_end_without_a_session_or_with_one() {
    assert!(read_log(&[]).is_none());
    assert!(read_log(&[json!(1), json!(null), json!({"type": "assistant"})]).is_none());
    let mut without = with_a_pause();
    for line in &mut without {
        if let Some(message) = line["message"].as_object_mut() {
            message.remove("usage");
        }
    }
    assert!(read_log(&without).is_none());
    // A circle of parents, counts that are none, a parent that is missing.
    let mut odd = with_a_pause();
    odd[0]["parentUuid"] = json!("6");
    odd[3]["message"]["usage"]["output_tokens"] = json!("many");
    odd[4]["parentUuid"] = json!("gone");
    odd[5]["message"]["usage"]["input_tokens"] = json!(-5);
    odd[5]["timestamp"] = json!("then");
    let session = read_log(&odd).unwrap();
    let cost = session.cost(None, Some(Ttl::Hour), &rates);
    assert!(cost.total().is_finite() && session.statement(&rates).requests == 3, "{cost:?}");
    // A sub-agent's log has nothing but its own lines.
    let mut side = with_a_pause();
    side.iter_mut().for_each(|line| line["isSidechain"] = json!(true));
    is(
        read_log(&side).unwrap().statement(&rates).paid.total(),
        read_log(&with_a_pause()).unwrap().statement(&rates).paid.total(),
    );
    // Prompts of the client's own, as for a title, and answers that no model gave do not count.
    let mut more = with_a_pause();
    more.push(answer(7, 6, 12, "a", [0, 0, 200, 5]));
    more.push(answer(8, 6, 12, "<synthetic>", [0, 0, 20_000, 5]));
    assert_eq!(read_log(&more).unwrap().statement(&rates).requests, 3);
}
