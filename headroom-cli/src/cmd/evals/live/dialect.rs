//! Writes requests of one API, and reads its answers.

use headroom_core::Api;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

/// The seed of every request, where an API has one.
const SEED: u64 = 1;

/// How a server is asked.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) api: Api,
    /// The most tokens of one answer.
    answer_tokens: u32,
    /// The name of that limit in Chat Completions: servers know the old one, the old one only, or the new one only.
    limit: &'static str,
    /// Parameters that the server refused.
    pub(super) refused: Vec<&'static str>,
}

const OLD_LIMIT: &str = "max_tokens";
const NEW_LIMIT: &str = "max_completion_tokens";

/// Where an API is served, and the variable with its key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    pub(super) host: &'static str,
    pub(super) variable: &'static str,
}

/// The answer of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    /// Whether the answer ended at the most tokens that it may have.
    pub(super) is_cut: bool,
}

/// The API of a model, by its name.
pub(super) fn api_of(model: &str) -> Api {
    match model {
        _ if model.starts_with("claude") => Api::Anthropic,
        _ if model.starts_with("gemini") => Api::Gemini,
        _ => Api::OpenAiChat,
    }
}

/// A question about the result of a tool's call.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToolQuestion<'a> {
    pub(super) question: &'a str,
    pub(super) query: &'a str,
    pub(super) result: &'a str,
}

const TOOL: &str = "search_documents";
const TOOLS: [&str; 3] = ["run_command", "read_file", TOOL];

impl Dialect {
    /// `is_own_server` says that this is not the provider of the API.
    pub(super) const fn new(api: Api, answer_tokens: u32, is_own_server: bool) -> Self {
        let limit = if is_own_server { OLD_LIMIT } else { NEW_LIMIT };
        Self { api, answer_tokens, limit, refused: Vec::new() }
    }

    pub(super) const fn home(&self) -> Home {
        match self.api {
            Api::Anthropic => Home { host: "api.anthropic.com", variable: "ANTHROPIC_API_KEY" },
            Api::Gemini => Home { host: "generativelanguage.googleapis.com", variable: "GEMINI_API_KEY" },
            _ => Home { host: "api.openai.com", variable: "OPENAI_API_KEY" },
        }
    }

    pub(super) fn path(&self, model: &str) -> String {
        match self.api {
            Api::Anthropic => "/v1/messages".to_owned(),
            Api::OpenAiResponses => "/v1/responses".to_owned(),
            Api::Gemini => format!("/v1beta/models/{model}:generateContent"),
            _ => "/v1/chat/completions".to_owned(),
        }
    }

    pub(super) fn headers(&self, key: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut add = |name: &'static str, value: &str| {
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(name != "content-type");
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        add("content-type", "application/json");
        match self.api {
            Api::Anthropic => {
                add("anthropic-version", "2023-06-01");
                add("x-api-key", key);
            }
            Api::Gemini => add("x-goog-api-key", key),
            _ if !key.is_empty() => add("authorization", &format!("Bearer {key}")),
            _ => {}
        }
        headers
    }

    /// A question whose text is the result of a tool's call.
    pub(super) fn ask(&self, model: &str, asked: &ToolQuestion<'_>) -> Value {
        let ToolQuestion { question, query, result } = *asked;
        let schema = json!({"type": "object", "properties": {"query": {"type": "string"}}});
        let arguments = json!({"query": query});
        let body = match self.api {
            Api::Anthropic => json!({
                "tools": TOOLS.map(|name| json!({"name": name, "description": "Runs it.", "input_schema": schema})),
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": TOOL, "input": arguments}]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": result}]},
                ],
            }),
            Api::OpenAiResponses => json!({
                "tools": TOOLS.map(|name| json!({"type": "function", "name": name, "parameters": schema, "strict": false})),
                "input": [
                    {"type": "message", "role": "user", "content": [{"type": "input_text", "text": question}]},
                    {"type": "function_call", "call_id": "t1", "name": TOOL, "arguments": arguments.to_string()},
                    {"type": "function_call_output", "call_id": "t1", "output": result},
                ],
                "store": false,
            }),
            Api::Gemini => {
                let parameters = json!({"type": "OBJECT", "properties": {"query": {"type": "STRING"}}});
                let declared = TOOLS
                    .map(|name| json!({"name": name, "description": "Runs it.", "parameters": parameters}));
                json!({
                    "tools": [{"functionDeclarations": declared}],
                    "contents": [
                        {"role": "user", "parts": [{"text": question}]},
                        {"role": "model", "parts": [{"functionCall": {"name": TOOL, "args": arguments}}]},
                        {"role": "user", "parts": [{"functionResponse": {"name": TOOL, "response": {"output": result}}}]},
                    ],
                })
            }
            _ => json!({
                "tools": TOOLS.map(|name| json!({"type": "function", "function": {"name": name, "parameters": schema}})),
                "messages": [
                    {"role": "user", "content": question},
                    {"role": "assistant", "content": null, "tool_calls": [
                        {"id": "t1", "type": "function", "function": {"name": TOOL, "arguments": arguments.to_string()}}]},
                    {"role": "tool", "tool_call_id": "t1", "content": result},
                ],
            }),
        };
        self.bounded(model, body)
    }

    /// A text without tools.
    pub(super) fn prompt(&self, model: &str, text: &str) -> Value {
        let body = match self.api {
            Api::OpenAiResponses => json!({"input": text, "store": false}),
            Api::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
            _ => json!({"messages": [{"role": "user", "content": text}]}),
        };
        self.bounded(model, body)
    }

    /// Adds the model, the most tokens of the answer, and what makes answers the same each time.
    fn bounded(&self, model: &str, mut body: Value) -> Value {
        let Some(members) = body.as_object_mut() else { return body };
        let (limit, takes) = (json!(self.answer_tokens), |name| !self.refused.contains(&name));
        if self.api == Api::Gemini {
            let mut settings = json!({"maxOutputTokens": limit});
            for (name, value) in [("temperature", json!(0)), ("seed", json!(SEED))] {
                if let Some(settings) = settings.as_object_mut().filter(|_| takes(name)) {
                    settings.insert(name.to_owned(), value);
                }
            }
            members.insert("generationConfig".to_owned(), settings);
            return body;
        }
        let name = match self.api {
            Api::Anthropic => OLD_LIMIT,
            Api::OpenAiResponses => "max_output_tokens",
            _ => self.limit,
        };
        members.insert("model".to_owned(), json!(model));
        members.insert(name.to_owned(), limit);
        if takes("temperature") {
            members.insert("temperature".to_owned(), json!(0));
        }
        if self.api == Api::OpenAiChat && takes("seed") {
            members.insert("seed".to_owned(), json!(SEED));
        }
        body
    }

    /// The name of the limit of an answer in Chat Completions.
    pub(super) const fn limit(&self) -> &'static str {
        self.limit
    }

    /// Leaves out what a server refused, or names it otherwise. Returns whether that is possible.
    pub(super) fn adapt(&mut self, refusal: &str) -> bool {
        let words: Vec<&str> = refusal
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
            .collect();
        let names = |name: &str| words.iter().any(|word| word.eq_ignore_ascii_case(name));
        if self.api == Api::OpenAiChat
            && self.refused.len() < 8
            && names(self.limit)
            && !self.refused.contains(&self.limit)
        {
            self.refused.push(self.limit);
            self.limit = if self.limit == OLD_LIMIT { NEW_LIMIT } else { OLD_LIMIT };
            return true;
        }
        let known =
            ["temperature", "seed"].into_iter().find(|name| names(name) && !self.refused.contains(name));
        self.refused.extend(known);
        known.is_some()
    }

    /// Reads an answer; `None` if it is none of this API. A call of a tool without a text is an empty answer.
    pub(super) fn read(&self, body: &[u8]) -> Option<Said> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let is = |value: Option<&Value>, word: &str| value.and_then(Value::as_str) == Some(word);
        let texts = |parts: &mut dyn Iterator<Item = &Value>| {
            parts.filter_map(|part| part.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join("\n")
        };
        Some(match self.api {
            Api::Anthropic => Said {
                text: texts(&mut body.get("content")?.as_array()?.iter()),
                is_cut: is(body.get("stop_reason"), "max_tokens"),
            },
            Api::OpenAiResponses => {
                let messages =
                    body.get("output")?.as_array()?.iter().filter(|item| is(item.get("type"), "message"));
                let mut parts = messages.filter_map(|item| item.get("content")?.as_array()).flatten();
                Said { text: texts(&mut parts), is_cut: is(body.get("status"), "incomplete") }
            }
            Api::Gemini => {
                let candidate = body.get("candidates")?.get(0)?;
                let parts = candidate.get("content").and_then(|content| content.get("parts")?.as_array());
                let is_thought = |part: &&Value| part.get("thought") == Some(&Value::Bool(true));
                let mut parts = parts.into_iter().flatten().filter(|part| !is_thought(part));
                Said { text: texts(&mut parts), is_cut: is(candidate.get("finishReason"), "MAX_TOKENS") }
            }
            _ => {
                let choice = body.get("choices")?.get(0)?;
                let text = choice.get("message")?.get("content").and_then(Value::as_str).unwrap_or_default();
                Said { text: text.to_owned(), is_cut: is(choice.get("finish_reason"), "length") }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const APIS: [Api; 4] = [Api::Anthropic, Api::OpenAiChat, Api::OpenAiResponses, Api::Gemini];

    #[test]
    fn every_answer_is_bounded_and_the_same_each_time() {
        let asked = ToolQuestion { question: "q", query: "k", result: "r" };
        for api in APIS {
            let dialect = Dialect::new(api, 77, false);
            for body in [dialect.ask("m", &asked), dialect.prompt("m", "text")] {
                let settings = if api == Api::Gemini { &body["generationConfig"] } else { &body };
                let limit = match api {
                    Api::Anthropic => "max_tokens",
                    Api::OpenAiResponses => "max_output_tokens",
                    Api::Gemini => "maxOutputTokens",
                    _ => "max_completion_tokens",
                };
                assert_eq!((&settings[limit], &settings["temperature"]), (&json!(77), &json!(0)), "{body}");
                assert_eq!(
                    settings.get("seed").is_some(),
                    matches!(api, Api::OpenAiChat | Api::Gemini),
                    "{body}"
                );
            }
        }
        assert_eq!(Dialect::new(Api::OpenAiChat, 77, true).prompt("m", "t")["max_tokens"], 77);
    }

    #[test]
    fn the_engine_reads_every_request() {
        let asked = ToolQuestion { question: "q", query: "k", result: &"a line of it\n".repeat(200) };
        for api in APIS {
            let body = Dialect::new(api, 77, false).ask("m", &asked).to_string();
            let outcome = headroom_core::Engine::new().compress(
                api,
                body.as_bytes(),
                &headroom_core::CompressOptions::new(),
            );
            assert!(outcome.body().is_some_and(|sent| sent.len() < body.len() / 2), "{api}");
        }
    }

    #[test]
    fn what_a_server_refuses_is_left_out_once() {
        let mut dialect = Dialect::new(Api::OpenAiChat, 9, true);
        assert!(dialect.adapt("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."));
        assert!(
            dialect.adapt("`temperature` does not support 0 with this model")
                && dialect.adapt("unknown field seed")
        );
        let body = dialect.prompt("m", "t");
        assert_eq!(
            (&body["max_completion_tokens"], body.get("temperature"), body.get("seed")),
            (&json!(9), None, None)
        );
        assert!(!dialect.adapt("temperature") && !dialect.adapt("messages: text content is empty"));
    }

    #[test]
    fn an_answer_says_whether_it_was_cut() {
        for (api, body, expected) in [
            (
                Api::Anthropic,
                json!({"content": [{"type": "thinking", "thinking": "t"}, {"type": "text", "text": "a"}], "stop_reason": "max_tokens"}),
                ("a", true),
            ),
            (
                Api::OpenAiChat,
                json!({"choices": [{"message": {"content": null}, "finish_reason": "length"}]}),
                ("", true),
            ),
            (
                Api::OpenAiChat,
                json!({"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}),
                ("a", false),
            ),
            (
                Api::OpenAiResponses,
                json!({"status": "incomplete", "output": [{"type": "reasoning"}, {"type": "message", "content": [{"type": "output_text", "text": "a"}]}]}),
                ("a", true),
            ),
            (
                Api::Gemini,
                json!({"candidates": [{"content": {"parts": [{"text": "h", "thought": true}, {"text": "a"}]}, "finishReason": "MAX_TOKENS"}]}),
                ("a", true),
            ),
            (Api::Gemini, json!({"candidates": [{"finishReason": "MAX_TOKENS"}]}), ("", true)),
        ] {
            let said = Dialect::new(api, 9, false).read(body.to_string().as_bytes()).unwrap();
            assert_eq!((said.text.as_str(), said.is_cut), expected, "{body}");
        }
        for api in APIS {
            assert_eq!(Dialect::new(api, 9, false).read(br#"{"error": {"message": "no"}}"#), None);
        }
    }
}
