use headroom_core::Api;

use super::{Call, Conversation, Exchange, Raw, Shape, Spelling};
use crate::output::Output;

/// Returns the requests of a conversation, one per exchange.
#[must_use]
pub fn bodies(conversation: &Conversation) -> Vec<Vec<u8>> {
    (1..=conversation.exchanges.len()).map(|turns| body(conversation, turns)).collect()
}

/// Returns the request after `turns` exchanges.
#[must_use]
pub fn body(conversation: &Conversation, turns: usize) -> Vec<u8> {
    let Conversation { api, .. } = *conversation;
    let mut items = Vec::new();
    let lite = api == Api::OpenAiResponses && conversation.tools == 3;
    if lite {
        items.push(Raw::object([
            ("type", Raw::text("additional_tools")),
            ("role", Raw::text("developer")),
            ("tools", Raw::Array(tools(conversation))),
        ]));
    }
    items.push(user_item(api, "Find out why the ships in harbour 7 are late."));
    for (n, exchange) in conversation.exchanges.iter().take(turns).enumerate() {
        match exchange {
            Exchange::Talk(text) => {
                items.push(assistant_item(api, "As far as I can see, nothing is late."));
                items.push(user_item(api, if text.trim().is_empty() { "go on" } else { text }));
            }
            Exchange::Calls(calls) => exchange_items(conversation, n, calls, n + 1 == turns, &mut items),
        }
    }
    let list = match api {
        Api::OpenAiResponses => "input",
        Api::Gemini => "contents",
        _ => "messages",
    };
    let mut root = Raw::object([(list, Raw::Array(items)), ("model", Raw::text("model-of-the-test"))]);
    if conversation.tools > 0 && !lite {
        let tools = Raw::Array(tools(conversation));
        root = match api {
            Api::Converse => root.and("toolConfig", Raw::object([("tools", tools)])),
            Api::Gemini => {
                let declared = Raw::Array(vec![Raw::object([("functionDeclarations", tools)])]);
                root.and("tools", declared)
            }
            _ => root.and("tools", tools),
        };
    }
    if conversation.odd {
        root = root
            .and(
                "x_unknown",
                Raw::token(r#"{"a":1e400,"a":-0,"\u0062":[9223372036854775809,1E+2,"\ud800",{}]}"#),
            )
            .and("metadata", Raw::token(r#"{"messages":[{"role":"tool","content":"not one"}]}"#))
            .and("temperature", Raw::token("0.70"));
    }
    conversation.style.spell(&root).into_bytes()
}

/// Returns a user message.
#[must_use]
pub fn user_item(api: Api, text: &str) -> Raw {
    message(api, "user", "input_text", text)
}

fn assistant_item(api: Api, text: &str) -> Raw {
    message(api, if api == Api::Gemini { "model" } else { "assistant" }, "output_text", text)
}

fn message(api: Api, role: &str, part: &str, text: &str) -> Raw {
    let role = ("role", Raw::text(role));
    let text = || Raw::text(text);
    match api {
        Api::Gemini => Raw::object([role, ("parts", Raw::Array(vec![Raw::object([("text", text())])]))]),
        Api::Converse => Raw::object([role, ("content", Raw::Array(vec![Raw::object([("text", text())])]))]),
        Api::OpenAiResponses => {
            let part = Raw::object([("type", Raw::text(part)), ("text", text())]);
            Raw::object([("type", Raw::text("message")), role, ("content", Raw::Array(vec![part]))])
        }
        _ => Raw::object([role, ("content", text())]),
    }
}

/// Returns the message or item with one tool result.
#[must_use]
pub fn result_item(api: Api, id: &str, text: &str, spelling: Spelling) -> Raw {
    let result = result(api, id, text, spelling);
    match api {
        Api::OpenAiChat | Api::OpenAiResponses => result,
        Api::Gemini => Raw::object([("role", Raw::text("user")), ("parts", Raw::Array(vec![result]))]),
        _ => Raw::object([("role", Raw::text("user")), ("content", Raw::Array(vec![result]))]),
    }
}

fn exchange_items(conversation: &Conversation, n: usize, calls: &[Call], newest: bool, items: &mut Vec<Raw>) {
    let api = conversation.api;
    let ids: Vec<String> = (0..calls.len()).map(|c| format!("call_{n}_{c}")).collect();
    let made = calls.iter().zip(&ids).map(|(call, id)| called(api, id, call));
    let results =
        calls.iter().zip(&ids).map(|(call, id)| result(api, id, &call.content.text(), call.spelling));
    let mut made: Vec<Raw> = made.collect();
    let mut results: Vec<Raw> = results.collect();
    match api {
        Api::OpenAiChat => {
            items.push(Raw::object([
                ("role", Raw::text("assistant")),
                ("content", Raw::token("null")),
                ("tool_calls", Raw::Array(made)),
            ]));
            items.append(&mut results);
        }
        Api::OpenAiResponses => {
            if conversation.odd {
                items.extend(odd_items());
            }
            items.append(&mut made);
            items.append(&mut results);
        }
        Api::Gemini => {
            items.push(Raw::object([("role", Raw::text("model")), ("parts", Raw::Array(made))]));
            items.push(Raw::object([("role", Raw::text("user")), ("parts", Raw::Array(results))]));
        }
        _ => {
            if conversation.odd && api == Api::Anthropic {
                made.insert(0, thinking());
                results.extend(odd_blocks());
            }
            if newest && api == Api::Anthropic {
                // The cache breakpoint of clients that use prompt caching: it moves with every turn.
                let last = results.pop().unwrap_or_else(|| Raw::object([]));
                results.push(last.and("cache_control", Raw::token(r#"{"type":"ephemeral"}"#)));
            }
            items.push(Raw::object([("role", Raw::text("assistant")), ("content", Raw::Array(made))]));
            items.push(Raw::object([("role", Raw::text("user")), ("content", Raw::Array(results))]));
        }
    }
}

fn thinking() -> Raw {
    Raw::object([
        ("type", Raw::text("thinking")),
        ("thinking", Raw::text("Let me look.\nThe tide turns.")),
        ("signature", Raw::token(r#""RXhhbXBsZQ==\/+""#)),
    ])
}

/// Blocks of Anthropic's API that are no tool results.
fn odd_blocks() -> [Raw; 2] {
    let result = ("content", Raw::text("kept as it is\n".repeat(50)));
    let text = ("text", Raw::text("a nudge\n".repeat(50)));
    [
        Raw::object([("type", Raw::text("mcp_tool_result")), result]),
        Raw::object([("type", Raw::text("text")), text]),
    ]
}

/// Items of the Responses API that are no tool results.
fn odd_items() -> [Raw; 2] {
    [
        Raw::object([
            ("type", Raw::text("reasoning")),
            ("summary", Raw::Array(vec![])),
            ("encrypted_content", Raw::text("gAAAA/odd+bytes==")),
        ]),
        Raw::object([("type", Raw::text("mcp_call")), ("output", Raw::text("kept\n".repeat(50)))]),
    ]
}

fn tool_name(tool: usize) -> &'static str {
    ["bash", "read_file", "search", "mcp__ships__list"].get(tool).copied().unwrap_or("bash")
}

fn tools(conversation: &Conversation) -> Vec<Raw> {
    let schema = || {
        Raw::token(r#"{"type":"object","properties":{"command":{"type":"string"}},"required":["command"]}"#)
    };
    let tool = |n: usize| {
        let (name, about) = (Raw::text(tool_name(n)), Raw::text("Runs a command.\nReturns what it prints."));
        match conversation.api {
            Api::Anthropic => {
                Raw::object([("name", name), ("description", about), ("input_schema", schema())])
            }
            Api::OpenAiChat => Raw::object([
                ("type", Raw::text("function")),
                ("function", Raw::object([("name", name), ("description", about), ("parameters", schema())])),
            ]),
            Api::Converse => {
                let spec = Raw::object([
                    ("name", name),
                    ("description", about),
                    ("inputSchema", Raw::object([("json", schema())])),
                ]);
                Raw::object([("toolSpec", spec)])
            }
            _ => Raw::object([
                ("type", Raw::text("function")),
                ("name", name),
                ("description", about),
                ("parameters", schema()),
            ]),
        }
    };
    (0..conversation.tools).map(tool).collect()
}

fn called(api: Api, id: &str, call: &Call) -> Raw {
    let name = Raw::text(tool_name(call.tool));
    let seed = call.content.seed;
    // The engine never alters the output of commands that print a file, so most commands here do not.
    let file =
        matches!(call.content.shape, Shape::NumberedRead | Shape::Windows | Shape::Large(Output::FileRead));
    let command =
        if file || seed == 2 { format!("cat src/part{seed}.rs") } else { format!("make report{seed}") };
    let args = Raw::object([("command", Raw::text(command.clone())), ("n", Raw::token("1.0"))]);
    let spelled = || Raw::text(format!("{{\"command\": \"{command}\"}}"));
    let id = Raw::text(id);
    match api {
        Api::OpenAiChat => Raw::object([
            ("id", id),
            ("type", Raw::text("function")),
            ("function", Raw::object([("name", name), ("arguments", spelled())])),
        ]),
        Api::OpenAiResponses => {
            let (kind, args) = match (call.spelling, seed) {
                (Spelling::Other, 0) => ("local_shell_call", ("action", args)),
                (Spelling::Other, 1) => ("shell_call", ("action", args)),
                (Spelling::Other, _) => ("apply_patch_call", ("operation", args)),
                (Spelling::Part, _) => ("custom_tool_call", ("input", spelled())),
                _ => ("function_call", ("arguments", spelled())),
            };
            Raw::object([("type", Raw::text(kind)), ("call_id", id), ("name", name), args])
        }
        Api::Gemini => {
            let made = Raw::object([("id", id), ("name", name), ("args", args)]);
            Raw::object([("functionCall", made), ("thoughtSignature", Raw::text("c2lnbmVk/+=="))])
        }
        Api::Converse => {
            Raw::object([("toolUse", Raw::object([("toolUseId", id), ("name", name), ("input", args)]))])
        }
        _ => Raw::object([("type", Raw::text("tool_use")), ("id", id), ("name", name), ("input", args)]),
    }
}

fn result(api: Api, id: &str, text: &str, spelling: Spelling) -> Raw {
    let halved = || {
        let token = String::from_utf8_lossy(&crate::json::encode(text)).into_owned();
        Raw::token(format!("{}\\ud83d\"", &token[..token.len() - 1]))
    };
    let plain = || if spelling == Spelling::Halved { halved() } else { Raw::text(text) };
    let id = || Raw::text(id);
    let part = |kind: &str| Raw::object([("type", Raw::text(kind)), ("text", plain())]);
    let image = || {
        Raw::object([
            ("type", Raw::text("image")),
            ("source", Raw::token(r#"{"type":"base64","data":"aGk="}"#)),
        ])
    };
    let content = |kind: &str| match spelling {
        Spelling::Part => Raw::Array(vec![part(kind)]),
        Spelling::Parts => Raw::Array(vec![part(kind), image(), part(kind)]),
        _ => plain(),
    };
    let made = match api {
        Api::OpenAiChat => {
            Raw::object([("role", Raw::text("tool")), ("tool_call_id", id()), ("content", content("text"))])
        }
        Api::OpenAiResponses => {
            return responses_result(id(), plain(), content("input_text"), text, spelling);
        }
        Api::Gemini => return gemini_result(id(), &plain, spelling),
        Api::Converse => return converse_result(id(), &plain, spelling),
        _ => {
            let made = Raw::object([
                ("type", Raw::text("tool_result")),
                ("tool_use_id", id()),
                ("content", content("text")),
            ]);
            match spelling {
                Spelling::Failed => made.and("is_error", Raw::token("true")),
                Spelling::Other => made.and("is_error", Raw::token("false")),
                _ => made,
            }
        }
    };
    if spelling == Spelling::Doubled { made.and("content", plain()) } else { made }
}

fn gemini_result(id: Raw, plain: &dyn Fn() -> Raw, spelling: Spelling) -> Raw {
    let response = match spelling {
        Spelling::Failed => Raw::object([("error", plain())]),
        Spelling::Part => Raw::object([("name", Raw::text("read")), ("content", plain())]),
        Spelling::Parts => Raw::object([("items", Raw::Array(vec![plain(), Raw::token("-0"), plain()]))]),
        Spelling::Doubled => Raw::object([("output", plain()), ("output", plain())]),
        _ => Raw::object([("output", plain())]),
    };
    let key = if spelling == Spelling::Other { "function_response" } else { "functionResponse" };
    Raw::object([(key, Raw::object([("id", id), ("name", Raw::text("read")), ("response", response)]))])
}

fn converse_result(id: Raw, plain: &dyn Fn() -> Raw, spelling: Spelling) -> Raw {
    let text = || Raw::object([("text", plain())]);
    let parts = match spelling {
        Spelling::Parts => vec![text(), Raw::token(r#"{"image":{"format":"png"}}"#), text()],
        Spelling::Other => {
            vec![Raw::object([("json", Raw::object([("rows", plain()), ("n", Raw::token("1e400"))]))])]
        }
        Spelling::Doubled => vec![text().and("text", plain())],
        _ => vec![text()],
    };
    let result = Raw::object([("toolUseId", id), ("content", Raw::Array(parts))]);
    let result = if spelling == Spelling::Failed { result.and("status", Raw::text("error")) } else { result };
    Raw::object([("toolResult", result)])
}

fn responses_result(id: Raw, plain: Raw, content: Raw, text: &str, spelling: Spelling) -> Raw {
    let kind = |kind: &str| ("type", Raw::text(kind));
    match spelling {
        Spelling::Part => {
            Raw::object([kind("custom_tool_call_output"), ("call_id", id), ("output", content)])
        }
        Spelling::Failed => Raw::object([
            kind("apply_patch_call_output"),
            ("call_id", id),
            ("status", Raw::text("failed")),
            ("output", plain),
        ]),
        Spelling::Doubled => Raw::object([
            kind("function_call_output"),
            ("call_id", id),
            ("output", plain.clone()),
            ("output", plain),
        ]),
        Spelling::Other if text.len().is_multiple_of(3) => {
            let spelled = format!(
                "{{\"output\":{},\"metadata\":{{\"exit_code\":0}}}}",
                String::from_utf8_lossy(&crate::json::encode(text))
            );
            Raw::object([kind("local_shell_call_output"), ("id", id), ("output", Raw::text(spelled))])
        }
        Spelling::Other => {
            let chunk = Raw::object([
                ("stdout", plain),
                ("stderr", Raw::text("")),
                ("outcome", Raw::token(r#"{"type":"exit","exit_code":0}"#)),
            ]);
            Raw::object([kind("shell_call_output"), ("call_id", id), ("output", Raw::Array(vec![chunk]))])
        }
        _ => Raw::object([kind("function_call_output"), ("call_id", id), ("output", content)]),
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

    use super::*;
    use crate::{
        generate::conversations,
        json::Json,
        semantic::{blocks, common},
        spans,
    };

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn generated_bodies_are_json_and_grow_by_appending(conversation in conversations()) {
            let bodies = bodies(&conversation);
            let all: Vec<_> = bodies
                .iter()
                .map(|body| Json::parse(body).unwrap_or_else(|| panic!("not JSON: {}", String::from_utf8_lossy(body))))
                .map(|json| blocks(conversation.api, &json))
                .collect();
            for pair in all.windows(2) {
                prop_assert_eq!(common(&pair[0], &pair[1]), pair[0].len());
            }
        }
    }

    #[test]
    fn generated_bodies_of_every_api_hold_editable_text() {
        let mut runner = TestRunner::deterministic();
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..200 {
            let conversation = conversations().new_tree(&mut runner).unwrap().current();
            let body = body(&conversation, usize::MAX);
            let json = Json::parse(&body).unwrap();
            *seen.entry(conversation.api.as_str()).or_insert(0) +=
                spans::editable(conversation.api, &json).len();
        }
        assert!(seen.len() == Api::ALL.len() && seen.values().all(|count| *count > 50), "{seen:?}");
    }
}
