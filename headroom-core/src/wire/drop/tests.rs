use headroom_json::{Replacement, Tape, splice};
use serde_json::{Value, json};

use super::*;

/// What is left of a request, and the tools that stay although they are listed.
fn without(api: Api, body: &Value, names: &[&str]) -> (Value, Vec<(String, KeptTool)>) {
    let body = serde_json::to_string_pretty(body).unwrap();
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    let tape = Tape::parse(&body).unwrap();
    let dropped = find(api, &body, tape.root(), &names);
    let cuts: Vec<_> = dropped.cuts.into_iter().map(|range| (range, Replacement::Json(""))).collect();
    let rest = splice(&body, &cuts).unwrap();
    let kept = dropped.listed.iter().filter_map(|one| Some((one.name.to_owned(), one.kept?)));
    (serde_json::from_str(&rest).unwrap_or_else(|error| panic!("{error}: {rest}")), kept.collect())
}

fn anthropic(tools: &[&str], said: &str) -> Value {
    let tools: Vec<_> =
        tools.iter().map(|name| json!({"name": name, "input_schema": {"type": "object"}})).collect();
    json!({"model": "m", "tools": tools, "messages": [{"role": "user", "content": said}]})
}

fn names(tools: &Value) -> Vec<&str> {
    tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[test]
fn listed_tools_leave_wherever_they_stand() {
    for (all, leaving, left) in [
        (&["a1", "b1", "c1"][..], &["b1"][..], &["a1", "c1"][..]),
        (&["a1", "b1", "c1"], &["a1", "b1"], &["c1"]),
        (&["a1", "b1", "c1"], &["b1", "c1"], &["a1"]),
        (&["a1", "b1", "c1", "d1"], &["a1", "c1"], &["b1", "d1"]),
        (&["a1", "b1"], &["x1"], &["a1", "b1"]),
        (&["mcp__x__one_a", "mcp__x__two_b", "mcp__y__c_c"], &["mcp__x__*"], &["mcp__y__c_c"]),
    ] {
        let (rest, kept) = without(Api::Anthropic, &anthropic(all, "hello"), leaving);
        assert_eq!((names(&rest["tools"]), kept.len()), (left.to_vec(), 0), "{all:?} without {leaving:?}");
        assert_eq!(rest["messages"], anthropic(all, "hello")["messages"]);
    }
}

#[test]
fn the_last_definition_stays() {
    let (rest, kept) = without(Api::Anthropic, &anthropic(&["a1", "b1"], "hello"), &["*"]);
    assert_eq!(names(&rest["tools"]), ["a1", "b1"]);
    assert_eq!(kept.iter().map(|(_, why)| *why).collect::<Vec<_>>(), [KeptTool::Last; 2]);
}

#[test]
fn what_the_head_names_stays() {
    let stays = |body: &Value, why| {
        let (rest, kept) = without(Api::Anthropic, body, &["look_up"]);
        assert_eq!((&rest, kept), (body, vec![("look_up".to_owned(), why)]));
    };
    let plain = anthropic(&["look_up", "Bash"], "hello");
    let with = |key: &str, value: Value| {
        let mut body = plain.clone();
        body[key] = value;
        body
    };
    stays(&with("system", json!("Use look_up first.")), KeptTool::Named);
    stays(&with("system", json!([{"type": "text", "text": "- Bash\n- look_up\n"}])), KeptTool::Named);
    stays(&with("tool_choice", json!({"type": "tool", "name": "look_up"})), KeptTool::Named);
    stays(&anthropic(&["look_up", "Bash"], "reminder:\nlook_up is there"), KeptTool::Named);
    let mut body = plain.clone();
    body["tools"][1]["description"] = json!("like \"look_up\", but for shells");
    stays(&body, KeptTool::Named);
    let mut body = plain.clone();
    body["tools"][0]["cache_control"] = json!({"type": "ephemeral"});
    stays(&body, KeptTool::CacheBreakpoint);
    let mut body = plain.clone();
    body["tools"][0]["defer_loading"] = json!(true);
    stays(&body, KeptTool::Deferred);
    let (rest, kept) = without(Api::Anthropic, &with("system", json!("You look_upward.")), &["look_up"]);
    assert_eq!((names(&rest["tools"]), kept.len()), (vec!["Bash"], 0), "another word");
}

#[test]
fn tools_that_leave_may_name_each_other_but_not_one_that_stays() {
    let mut body = anthropic(&["mcp__x__list_a", "mcp__x__get_a", "mcp__x__new_a", "Bash"], "hello");
    body["tools"][0]["description"] = json!("call get_a behind it");
    body["tools"][1]["description"] = json!("call mcp__x__list_a before");
    let (rest, _) = without(Api::Anthropic, &body, &["mcp__x__*"]);
    assert_eq!(names(&rest["tools"]), ["Bash"]);
    // One that stays names another, which so stays too.
    body["system"] = json!("Use list_a.");
    let (rest, kept) = without(Api::Anthropic, &body, &["mcp__x__*"]);
    assert_eq!(names(&rest["tools"]), ["mcp__x__list_a", "mcp__x__get_a", "Bash"]);
    assert!(kept.iter().all(|(_, why)| *why == KeptTool::Named) && kept.len() == 2, "{kept:?}");
}

#[test]
fn what_comes_after_the_first_answer_changes_nothing() {
    let call = json!({"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "look_up", "input": {}}]});
    let result = json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "look_up"}]});
    let mut body = anthropic(&["look_up", "Bash"], "hello");
    body["messages"].as_array_mut().unwrap().extend([call, result]);
    assert_eq!(names(&without(Api::Anthropic, &body, &["look_up"]).0["tools"]), ["Bash"]);
    let items = json!([
        {"role": "user", "content": "hello"},
        {"type": "function_call", "call_id": "1", "name": "look_up", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "look_up"}]);
    let tools = json!([{"type": "function", "name": "look_up"}, {"type": "function", "name": "Bash"}]);
    let body = json!({"tools": tools, "input": items});
    assert_eq!(names(&without(Api::OpenAiResponses, &body, &["look_up"]).0["tools"]), ["Bash"]);
    let said = json!([{"parts": [{"text": "hello"}]}, {"role": "model", "parts": [{"text": "look_up?"}]}]);
    let body = json!({"contents": said, "tools": [{"functionDeclarations": [{"name": "look_up"}, {"name": "Bash"}]}]});
    let (rest, _) = without(Api::Gemini, &body, &["look_up"]);
    assert_eq!(names(&rest["tools"][0]["functionDeclarations"]), ["Bash"]);
}

#[test]
fn every_api_has_its_form() {
    let function = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {}}});
    let chat = json!({"tools": [function("look_up"), function("Bash")], "messages": []});
    assert_eq!(without(Api::OpenAiChat, &chat, &["look_up"]).0["tools"], json!([function("Bash")]));
    let spec = |name: &str| json!({"toolSpec": {"name": name, "inputSchema": {"json": {}}}});
    let point = json!({"cachePoint": {"type": "default"}});
    let converse = json!({"messages": [], "toolConfig": {"tools": [spec("look_up"), spec("Bash"), point]}});
    let rest = without(Api::Converse, &converse, &["look_up"]).0;
    assert_eq!(rest["toolConfig"]["tools"], json!([spec("Bash"), point]));
    // A group without definitions leaves whole, unless it is more than that.
    let gemini = |other: Value| json!({"contents": [], "tools": [{"functionDeclarations": [{"name": "look_up"}]}, other]});
    let search = json!({"googleSearch": {}});
    assert_eq!(without(Api::Gemini, &gemini(search.clone()), &["look_up"]).0["tools"], json!([search]));
    let both = json!({"contents": [], "tools": [{"functionDeclarations": [{"name": "look_up"}], "googleSearch": {}}, search]});
    let (rest, kept) = without(Api::Gemini, &both, &["look_up"]);
    assert_eq!((rest, kept), (both, vec![("look_up".to_owned(), KeptTool::Last)]));
    let space = json!({"type": "namespace", "name": "n", "description": "d", "tools": [{"type": "function", "name": "look_up"}]});
    let responses = json!({"input": "hello", "tools": [space, {"type": "function", "name": "Bash"}]});
    assert_eq!(names(&without(Api::OpenAiResponses, &responses, &["look_up"]).0["tools"]), ["Bash"]);
}

#[test]
fn names_with_other_characters_are_found_anywhere() {
    let mut body = anthropic(&["look-up.it", "Bash"], "hello");
    assert_eq!(names(&without(Api::Anthropic, &body, &["look-up.it"]).0["tools"]), ["Bash"]);
    body["system"] = json!("Say look-up.it, please.");
    assert_eq!(without(Api::Anthropic, &body, &["look-up.it"]).1[0].1, KeptTool::Named);
}

#[test]
fn requests_of_another_shape_stay() {
    for body in [
        json!({"messages": []}),
        json!({"tools": {}, "messages": []}),
        json!({"tools": [], "messages": []}),
        json!({"tools": [7, "look_up", {"name": 3}, {"name": ""}], "messages": []}),
    ] {
        assert_eq!(without(Api::Anthropic, &body, &["look_up"]).0, body, "{body}");
    }
}
