//! Thinking that logs lack, and what later answers need of what epochs took away.

use super::*;

/// An answer that thought about 800 tokens before a call.
fn with_thinking() -> Vec<Value> {
    let mut thinks = call(2, 1, 0, "a", [0, 0, 10_000, 900]);
    let content = thinks["message"]["content"].as_array_mut().unwrap();
    content.insert(0, json!({"type": "thinking", "thinking": "", "signature": "x"}));
    let mut lines = vec![
        prompt(1, 0, 0, &"go on ".repeat(300)),
        thinks,
        result(3, 2, 1, "file_name_1 holds key_of_2"),
        answer(4, 3, 1, "a", [0, 10_000, 900, 10]),
        prompt(5, 4, 2, "on"),
    ];
    lines.push(answer(6, 5, 2, "a", [0, 10_900, 100, 10]));
    lines
}

#[test]
fn thinking_stands_in_the_body_as_long_as_the_counts_say() {
    let session = read_log(&with_thinking()).unwrap();
    let tokens = session.blocks.iter().find(|block| block.kind == BlockKind::Thinking).unwrap().tokens;
    assert!((750.0..900.0).contains(&tokens), "{tokens}");
    let tools = session.tools();
    let body = session.body(2, &tools);
    let request: Value = serde_json::from_slice(&body.bytes).unwrap();
    let thinking = &request["messages"][1]["content"][0];
    assert_eq!((&thinking["type"], &thinking["thinking"]), (&json!("thinking"), &json!("")));
    let signature = thinking["signature"].as_str().unwrap();
    let expected = tokens / session.factor * 4.0 * 2.0;
    assert!((signature.len() as f64 - expected).abs() < 30.0, "{} for {tokens}", signature.len());
    assert_eq!(request["messages"][1]["content"][1]["type"], "tool_use");
    let id = session.blocks.iter().position(|block| block.kind == BlockKind::Thinking).unwrap() as u32;
    let sent = Sent::from_body(&body.bytes);
    let result = session.blocks.iter().find(|block| block.is_result()).unwrap();
    assert!(sent.has_thinking(id) && sent.result(result) == Some("file_name_1 holds key_of_2"));
    let mut without = request.clone();
    without["messages"][1]["content"].as_array_mut().unwrap().remove(0);
    assert!(!Sent::from_body(without.to_string().as_bytes()).has_thinking(id));
    assert!(Sent::from_body(b"no json").result(result).is_none());
    // No answer ends with thinking: the call of this one is still open.
    let open = String::from_utf8(session.body(0, &tools).bytes).unwrap();
    assert!(!open.contains("thinking"), "{open}");
}

#[test]
fn two_identifiers_that_stand_nowhere_else_are_asked_for() {
    let says = |text: &str| {
        let mut lines = with_thinking();
        lines[5]["message"]["content"][0]["text"] = json!(text);
        read_log(&lines).unwrap()
    };
    let needs = |text: &str, rest: &str| {
        let session = says(text);
        let id = session.blocks.iter().position(ContextBlock::is_result).unwrap() as u32;
        let state = EpochState { request: 2, shrunk: vec![(id, rest.to_owned())] };
        let needs = session.needs(&[state]);
        (needs.asked_back().len(), needs.used, needs.visible, needs.shrunk.len())
    };
    assert_eq!(needs("file_name_1 and key_of_2", ""), (1, 2, 0, 1));
    assert_eq!(needs("file_name_1 and other_name", ""), (0, 1, 0, 1));
    assert_eq!(needs("file_name_1 and key_of_2", "file_name_1 [headroom:x]"), (0, 2, 1, 1));
    assert_eq!(needs("nothing", ""), (0, 0, 0, 1));
}

#[test]
fn what_is_asked_for_costs_a_round() {
    let mut lines = with_thinking();
    lines[5]["message"]["content"][0]["text"] = json!("file_name_1 and key_of_2");
    lines.push(prompt(7, 6, 3, "on"));
    lines.push(answer(8, 7, 3, "a", [0, 11_000, 100, 10]));
    let session = read_log(&lines).unwrap();
    let id = session.blocks.iter().position(ContextBlock::is_result).unwrap() as u32;
    let states = [EpochState { request: 2, shrunk: vec![(id, String::new())] }];
    let mut sizes = Sizes::default();
    (0..4).for_each(|_| sizes.push(0.0, []));
    sizes.retrieve(&session.needs(&states), &states);
    let [with, without] =
        [sizes.clone(), sizes.without_retrieval()].map(|sizes| session.cost(Some(&sizes), None, &rates));
    is(without.total(), session.cost(None, None, &rates).total());
    let size = session.sizes_of(2).find(|(block, _)| *block == id).unwrap().1;
    // The prompt is read once more, the result written, and read by the next request.
    is(with.read - without.read, 11_000.0 * 0.1 + size * 0.1);
    is(with.write - without.write, size * 1.25);
    is(with.output - without.output, 120.0 * 5.0);
}

#[test]
fn calls_of_one_answer_stand_together_in_the_body() {
    let one = |uuid: u32, parent: u32, call: &str| {
        let content = json!([{"type": "tool_use", "id": call, "name": "Bash", "input": {"command": "ls"}}]);
        let message = json!({"id": "m2", "role": "assistant", "model": "a", "content": content, "usage": usage([0, 0, 10_000, 100])});
        line("assistant", uuid, parent, 0, &message)
    };
    let result = |uuid: u32, parent: u32, call: &str| {
        let content = json!([{"type": "tool_result", "tool_use_id": call, "content": "a.rs"}]);
        line("user", uuid, parent, 1, &json!({"role": "user", "content": content}))
    };
    // The log has the first result before the second call.
    let lines = [
        prompt(1, 0, 0, "go"),
        one(2, 1, "t1"),
        result(3, 2, "t1"),
        one(4, 3, "t2"),
        result(5, 4, "t2"),
        answer(6, 5, 2, "a", [0, 10_000, 500, 10]),
    ];
    let session = read_log(&lines).unwrap();
    let body = session.body(session.requests.len() - 1, &session.tools());
    let request: Value = serde_json::from_slice(&body.bytes).unwrap();
    let kinds: Vec<Vec<&str>> = request["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| {
            message["content"].as_array().unwrap().iter().map(|part| part["type"].as_str().unwrap()).collect()
        })
        .collect();
    assert_eq!(kinds, [vec!["text"], vec!["tool_use", "tool_use"], vec!["tool_result", "tool_result"]]);
}
