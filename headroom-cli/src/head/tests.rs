use serde_json::{Value, json};

use super::*;

fn changes(old: &Value, new: &Value) -> Vec<(String, u32, HeadChangeKind)> {
    let print = |body: &Value| HeadPrint::read(&body.to_string()).unwrap();
    let changes = print(old).changes(&print(new));
    changes.into_iter().map(|change| (change.place, change.line, change.what)).collect()
}

/// What differs between two system prompts.
fn differs(old: &str, new: &str) -> HeadChangeKind {
    let found = changes(&json!({"system": old}), &json!({"system": new}));
    assert_eq!(found.len(), 1, "{old} | {new}: {found:?}");
    found[0].2
}

#[test]
fn what_changes_in_a_line_has_a_name() {
    use HeadChangeKind::{Date, Id, Number, Order, Text, Time};
    for (old, new, what) in [
        ("Today's date: 2026-11-29", "Today's date: 2026-11-30", Date),
        ("Today is Sun Nov 29 2026.", "Today is Mon Nov 30 2026.", Date),
        ("on 29/11/2026, 1 of 2", "on 30/11/2026, 1 of 2", Date),
        ("now 2026-11-29T10:00:01Z", "now 2026-11-29T10:07:59.25Z", Time),
        ("It is 9:59", "It is 10:00", Time),
        ("on 2026-11-29 turn 7", "on 2026-11-29 turn 12", Number),
        ("session 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "session 9c858901-8a57-4791-81fe-4c455b099bc9", Id),
        ("cch=a1b2c3;", "cch=d4e5f6;", Id),
        ("since 1764500000", "since 1764500099", Id),
        ("a\nb\nc", "c\na\nb", Order),
        ("You are an agent.", "You are another agent.", Text),
        ("turn 7\nbe brief", "turn 8\nbe wordy", Text),
        ("one line", "one line\nand one more", Text),
    ] {
        assert_eq!(differs(old, new), what, "{old} | {new}");
    }
}

#[test]
fn changes_have_a_place_in_every_api() {
    let date = |day: u32| format!("You are an agent.\nToday is 2026-11-{day}.");
    let message = |role: &str, text: Value| json!({"role": role, "content": text});
    let body = |day: u32| {
        let block = json!([{"type": "text", "text": "first"}, {"type": "text", "text": date(day)}]);
        [
            (json!({"system": date(day), "messages": []}), "system"),
            (json!({"system": block, "messages": []}), "system[1]"),
            (
                json!({"messages": [message("system", json!(date(day))), message("user", json!("hi"))]}),
                "messages[0]",
            ),
            (json!({"input": [message("developer", block)]}), "input[0][1]"),
            (json!({"instructions": date(day), "input": "hi"}), "instructions"),
            (
                json!({"systemInstruction": {"parts": [{"text": date(day)}]}, "contents": []}),
                "systemInstruction[0]",
            ),
            (json!({"system": [{"text": date(day)}], "messages": []}), "system[0]"),
        ]
    };
    for ((old, place), (new, _)) in body(29).into_iter().zip(body(30)) {
        assert_eq!(changes(&old, &new), [(place.to_owned(), 2, HeadChangeKind::Date)], "{old}");
        assert_eq!(changes(&old, &old), [], "{old}");
    }
}

#[test]
fn tools_that_change_are_named() {
    let tool = |name: &str, about: &str| json!({"name": name, "description": about, "input_schema": {"type": "object", "required": ["a", "b"]}});
    let tools = |tools: &[Value]| json!({"tools": tools, "messages": []});
    let (a, b) = (tool("Read", "reads"), tool("mcp__x__list", "lists 3 things"));
    let is = |old: &[Value], new: &[Value], place: &str, what| {
        let found = changes(&tools(old), &tools(new));
        let found: Vec<_> = found.iter().map(|(place, _, what)| (&**place, *what)).collect();
        assert_eq!(found, [(place, what)]);
    };
    let both = [a.clone(), b.clone()];
    is(&both, &[b.clone(), a.clone()], "tools", HeadChangeKind::Order);
    is(&both, &both[..1], "tool mcp__x__list", HeadChangeKind::Removed);
    is(&both[1..], &both, "tool Read", HeadChangeKind::Added);
    is(
        &both,
        &[a.clone(), tool("mcp__x__list", "lists 4 things")],
        "tool mcp__x__list",
        HeadChangeKind::Number,
    );
    let turned = json!({"name": "Read", "input_schema": {"required": ["b", "a"], "type": "object"}, "description": "reads"});
    is(&both, &[turned, b], "tool Read", HeadChangeKind::Order);
}

#[test]
fn tools_are_found_in_every_api_but_our_own() {
    let schema = json!({"type": "object"});
    for body in [
        json!({"tools": [{"name": "a", "input_schema": schema}, {"name": "headroom_retrieve"}]}),
        json!({"tools": [{"type": "function", "function": {"name": "a", "parameters": schema}}]}),
        json!({"tools": [{"type": "function", "name": "a"}]}),
        json!({"tools": [{"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "a"}]}]}),
        json!({"tools": [{"functionDeclarations": [{"name": "a"}]}]}),
        json!({"toolConfig": {"tools": [{"toolSpec": {"name": "a", "inputSchema": {"json": schema}}}]}}),
    ] {
        let tools = defined_tools(&body.to_string());
        assert_eq!(tools.iter().map(|tool| &*tool.name).collect::<Vec<_>>(), ["a"], "{body}");
        assert!(tools[0].tokens > 3, "{body}");
    }
    assert_eq!(defined_tools("no json"), []);
    assert!(HeadPrint::read("[]").is_none() && HeadPrint::read("{").is_none());
}

#[test]
fn what_the_provider_leaves_out_of_the_prompt_is_no_change() {
    let body = |hash: &str| json!({"system": [{"text": format!("x-anthropic-billing-header: cch={hash};")}, {"text": "s"}]});
    assert_eq!(changes(&body("a1"), &body("b2")), []);
}
