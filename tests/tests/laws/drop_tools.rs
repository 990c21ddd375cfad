//! Tool definitions that leave.

use std::collections::BTreeSet;

use headroom_core::{Api, CompressOptions, Engine, Report, Retrieval};
use headroom_tests::generate;
use proptest::prelude::*;
use serde_json::Value;

use crate::{cases, every_body};

/// What is sent of a body, parsed, and the report.
fn sent(api: Api, body: &[u8], options: &CompressOptions) -> (Value, Report) {
    let outcome = Engine::new().compress(api, body, options);
    let report = outcome.report().clone();
    let bytes = outcome.body().unwrap_or(body).to_vec();
    let parsed = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{api}: {error}"));
    (parsed, report)
}

/// Visits every list of definitions of a request.
fn lists(body: &mut Value, visit: &mut dyn FnMut(&mut Vec<Value>)) {
    let tools = if body["tools"].is_array() { &mut body["tools"] } else { &mut body["toolConfig"]["tools"] };
    let Some(tools) = tools.as_array_mut() else { return };
    for tool in tools.iter_mut() {
        for group in ["functionDeclarations", "function_declarations", "tools"] {
            if let Some(list) = tool.get_mut(group).and_then(Value::as_array_mut) {
                visit(list);
            }
        }
    }
    let is_empty = |tool: &Value| {
        ["functionDeclarations", "function_declarations", "tools"]
            .iter()
            .any(|group| tool[*group].as_array().is_some_and(Vec::is_empty))
    };
    tools.retain(|tool| !is_empty(tool));
    visit(tools);
}

fn name(definition: &Value) -> Option<String> {
    let own = ["function", "toolSpec"].iter().find_map(|nest| definition.get(*nest)).unwrap_or(definition);
    own["name"].as_str().map(str::to_owned)
}

/// The tools that a request defines.
fn names(body: &[u8]) -> Vec<String> {
    let mut body: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut found = Vec::new();
    lists(&mut body, &mut |list| found.extend(list.iter().filter_map(name)));
    found
}

/// Checks that nothing but definitions leaves a request, whole and among those that are listed. Returns the tools that left.
fn check(api: Api, body: &[u8], listed: &BTreeSet<String>) -> Result<BTreeSet<String>, String> {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let (with, report) = sent(api, body, &options.clone().drop_tools(listed.iter().cloned()));
    let (without, plain) = sent(api, body, &options);
    let left = report.listed_tools.iter().filter(|tool| tool.kept.is_none());
    let left: BTreeSet<String> = left.map(|tool| tool.name.clone()).collect();
    if !left.is_subset(listed) {
        return Err(format!("{left:?} left"));
    }
    let parts = |mut body: Value| {
        lists(&mut body, &mut |list| {
            list.retain(|tool| {
                name(tool).is_none_or(|name| !left.contains(&name) && name != "headroom_retrieve")
            });
        });
        body
    };
    let (mut with, mut without) = (parts(with), parts(without));
    if plain.retrieval != report.retrieval {
        // Without the tools that left, the head is too small for one of ours, so results have another form.
        for list in ["messages", "input", "contents"] {
            for body in [&mut with, &mut without].into_iter().filter_map(|body| body.as_object_mut()) {
                body.remove(list);
            }
        }
    }
    if with != without {
        return Err("something else has changed".to_owned());
    }
    let named = |name: &String| {
        let opening = serde_json::from_slice::<Value>(body).unwrap_or_default();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        opening["system"].to_string().split(|c| !is_word(c)).any(|word| word == name)
    };
    match left.iter().find(|name| named(name)) {
        Some(name) => Err(format!("{name} is named in the system prompt")),
        None => Ok(left),
    }
}

#[test]
fn each_tool_of_a_recorded_request_leaves_alone_unless_it_is_named() {
    let (mut left, mut stayed) = (0, 0);
    for (name, api, body) in every_body("drop_tools") {
        if serde_json::from_slice::<Value>(&body).is_err() {
            continue;
        }
        for tool in names(&body).into_iter().take(6) {
            let found = check(api, &body, &BTreeSet::from([tool.clone()]))
                .unwrap_or_else(|broken| panic!("{name} without {tool}: {broken}"));
            *(if found.is_empty() { &mut stayed } else { &mut left }) += 1;
        }
    }
    assert!(left > 0 && stayed > 0, "{left} left, {stayed} stayed");
    println!("{left} tools left, {stayed} are named elsewhere or are the last");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn the_same_tools_leave_in_every_request_of_a_conversation(
        conversation in generate::conversations(),
        chosen in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
    ) {
        let bodies = generate::bodies(&conversation);
        let defined = bodies.first().map(|body| names(body)).unwrap_or_default();
        let listed: BTreeSet<String> =
            chosen.iter().filter(|_| !defined.is_empty()).map(|at| defined[at.index(defined.len())].clone()).collect();
        let mut before: Option<BTreeSet<String>> = None;
        for body in &bodies {
            if serde_json::from_slice::<Value>(body).is_err() {
                continue;
            }
            let left = check(conversation.api, body, &listed).map_err(TestCaseError::fail)?;
            prop_assert!(before.as_ref().is_none_or(|before| *before == left), "{before:?}, then {left:?}");
            prop_assert!(left.is_empty() || left.len() < defined.len(), "one is left");
            before = Some(left);
        }
    }
}
