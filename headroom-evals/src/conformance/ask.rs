//! Builds an agent's request with one tool result, and reads the result back.

use headroom_core::Api;
use serde_json::{Value, json};

/// A tool call and its context.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The user's question.
    pub question: &'a str,
    /// The tool's name.
    pub tool: &'a str,
    /// The arguments of the call.
    pub arguments: Value,
    /// The result of the call.
    pub result: &'a str,
}

impl Ask<'_> {
    /// Builds the request in the format of [`Api::Anthropic`]; of [`Api::OpenAiChat`] for any other API.
    #[must_use]
    pub fn body(&self, api: Api) -> Vec<u8> {
        let schema = json!({"type": "object", "properties": {"command": {"type": "string"}}});
        let (tools, messages) = if api == Api::Anthropic {
            let tool = |name| json!({"name": name, "description": "Runs it.", "input_schema": schema});
            let call = json!({"type": "tool_use", "id": "t1", "name": self.tool, "input": self.arguments});
            let result = json!({"type": "tool_result", "tool_use_id": "t1", "content": self.result});
            (
                [tool("run_command"), tool("read_file"), tool("search_files")],
                json!([
                    {"role": "user", "content": self.question},
                    {"role": "assistant", "content": [call]},
                    {"role": "user", "content": [result]}
                ]),
            )
        } else {
            let tool = |name| json!({"type": "function", "function": {"name": name, "parameters": schema}});
            let function = json!({"name": self.tool, "arguments": self.arguments.to_string()});
            let call = json!({"id": "t1", "type": "function", "function": function});
            (
                [tool("run_command"), tool("read_file"), tool("search_files")],
                json!([
                    {"role": "user", "content": self.question},
                    {"role": "assistant", "content": null, "tool_calls": [call]},
                    {"role": "tool", "tool_call_id": "t1", "content": self.result}
                ]),
            )
        };
        json!({"model": "gpt-4o", "tools": tools, "messages": messages}).to_string().into_bytes()
    }

    /// Reads the result's text from a request, if it still has the expected form.
    #[must_use]
    pub fn result_of(api: Api, body: &[u8]) -> Option<String> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let last = body.get("messages")?.get(2)?.get("content")?;
        let text = if api == Api::Anthropic { last.get(0)?.get("content")? } else { last };
        match text {
            Value::String(text) => Some(text.clone()),
            // Other tools write a string as a list of one text part.
            other => {
                let mut all = String::new();
                texts(other, &mut all);
                Some(all)
            }
        }
    }

    /// Reads the result's text from a request.
    ///
    /// # Panics
    ///
    /// If the request has another form.
    #[must_use]
    pub fn result_in(api: Api, body: &[u8]) -> String {
        Self::result_of(api, body).unwrap()
    }
}

/// Appends every string in a value to `all`, one per line.
pub fn texts(value: &Value, all: &mut String) {
    match value {
        Value::String(text) => {
            all.push_str(text);
            all.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(members) => members.values().for_each(|member| texts(member, all)),
        _ => {}
    }
}
