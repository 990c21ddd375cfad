//! Conversations in which epochs begin.

use headroom_core::{Api, Retrieval};
use headroom_tests::{
    engine::real,
    laws::{Forms, causality, every, splice},
};
use serde_json::{Value, json};

/// Reads and writes its cache at one price, so that every prompt at which enough leaves is an epoch.
const EAGER: &str = "gpt-5-pro";
const TURNS: usize = 6;
const CALLS: usize = 6;

fn result(n: usize) -> String {
    match n % 4 {
        0 => (0..150)
            .map(|line| format!("{:6}\tlet part_{n}_{line} = make({});\n", line + 1, n * line))
            .collect(),
        1 => (0..120)
            .map(|line| {
                format!("src/m{}/f{line}.rs:{}:    call_{n}(x_{line}, \"é\")\r\n", line % 7, line * 3)
            })
            .collect(),
        2 => (0..70)
            .map(|line| {
                format!(
                    "A sentence about ship {line} of fleet_{n}. It came late, and nobody waited for it.\n"
                )
            })
            .collect(),
        _ => {
            let rows: Vec<_> =
                (0..90).map(|row| json!({"id": row * n, "name": format!("row {row}"), "fleet": n})).collect();
            serde_json::to_string_pretty(&rows).unwrap()
        }
    }
}

/// The requests of a conversation.
fn requests(api: Api) -> Vec<Vec<u8>> {
    let mut messages: Vec<Value> = Vec::new();
    let mut bodies = Vec::new();
    let thinking = |n: usize| json!({"type": "thinking", "thinking": format!("Thought {n}. ").repeat(60), "signature": "s"});
    let body = |messages: &[Value]| {
        let tools = match api {
            Api::Anthropic => json!([{"name": "Bash", "input_schema": {}}]),
            Api::OpenAiResponses => json!([{"type": "function", "name": "Bash"}]),
            _ => json!([{"type": "function", "function": {"name": "Bash"}}]),
        };
        let list = if api == Api::OpenAiResponses { "input" } else { "messages" };
        serde_json::to_vec_pretty(&json!({"model": EAGER, "tools": tools, list: messages})).unwrap()
    };
    for turn in 0..TURNS {
        messages.push(json!({"role": "user", "content": format!("Why is fleet_{turn} late?")}));
        bodies.push(body(&messages));
        for call in 0..CALLS {
            let n = turn * CALLS + call;
            let (id, arguments) = (format!("call_{n}"), json!({"command": format!("show {n}")}));
            messages.extend(match api {
                Api::Anthropic => [
                    json!({"role": "assistant", "content": [thinking(n), {"type": "tool_use", "id": id, "name": "Bash", "input": arguments}]}),
                    json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": [{"type": "text", "text": result(n)}]}]}),
                ],
                Api::OpenAiResponses => [
                    json!({"type": "function_call", "call_id": id, "name": "Bash", "arguments": arguments.to_string()}),
                    json!({"type": "function_call_output", "call_id": id, "output": result(n)}),
                ],
                _ => [
                    json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": {"name": "Bash", "arguments": arguments.to_string()}}]}),
                    json!({"role": "tool", "tool_call_id": id, "content": result(n)}),
                ],
            });
        }
        bodies.push(body(&messages));
        let said = format!("Because of fleet_{turn}.");
        messages.push(match api {
            Api::OpenAiResponses => json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}]}),
            Api::Anthropic => json!({"role": "assistant", "content": [thinking(turn), {"type": "text", "text": said}]}),
            _ => json!({"role": "assistant", "content": said}),
        });
    }
    bodies
}

#[test]
fn every_law_holds_across_epochs() {
    for api in [Api::Anthropic, Api::OpenAiChat, Api::OpenAiResponses] {
        let requests = requests(api);
        for retrieval in [Retrieval::ServerTool, Retrieval::File] {
            let options = crate::options(retrieval);
            let compared =
                causality(&real, api, &requests, &options).unwrap_or_else(|broken| panic!("{api}: {broken}"));
            let mut seen = (0, 0);
            for body in &requests {
                let checked = splice(&real, api, body, retrieval, &options)
                    .and_then(|run| every(&run, &options, &Forms::default()).map(|()| run));
                let run = checked.unwrap_or_else(|broken| panic!("{api} with {retrieval}: {broken}"));
                seen = (seen.0.max(run.answer.epochs.len()), seen.1.max(run.diff.thoughts));
            }
            // The tool for files is one that runs commands.
            assert!(seen.0 > 0 && compared.epochs > 0, "{api} with {retrieval}: {compared:?}");
            assert_eq!(seen.1 > 0, api == Api::Anthropic, "{api} with {retrieval}: thinking");
        }
    }
}
