//! The request of an agent with one tool result, and the text that becomes of the result.

use headroom_core::Api;
use serde_json::{Value, json};

/// One call and what is known around it.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// What the user asked.
    pub question: &'a str,
    /// The tool.
    pub tool: &'a str,
    /// What it was called with.
    pub arguments: Value,
    /// What it gave.
    pub result: &'a str,
}

impl Ask<'_> {
    /// The request in this form: [`Api::Anthropic`], else that of [`Api::OpenAiChat`].
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

    /// The text of the result in a request of this form, if it still has that form.
    #[must_use]
    pub fn result_of(api: Api, body: &[u8]) -> Option<String> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let last = body.get("messages")?.get(2)?.get("content")?;
        let text = if api == Api::Anthropic { last.get(0)?.get("content")? } else { last };
        match text {
            Value::String(text) => Some(text.clone()),
            // Other tools write a string as a list of one text.
            other => {
                let mut all = String::new();
                texts(other, &mut all);
                Some(all)
            }
        }
    }

    /// The text of the result in a request of this form.
    ///
    /// # Panics
    ///
    /// Where the request has another form.
    #[must_use]
    pub fn result_in(api: Api, body: &[u8]) -> String {
        Self::result_of(api, body).unwrap()
    }
}

/// Every text of a value, one a line.
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
