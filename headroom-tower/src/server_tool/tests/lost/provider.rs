//! A provider that enforces its rules.

use std::collections::{HashMap, VecDeque};

use headroom_core::{Api, Handle};
use serde_json::{Value, json};

use super::{
    PROJECT,
    Part::{self, Call, Ours, Text, Think},
    member,
    rules::{anthropic_refuses, chat_refuses, gemini_refuses, sign},
};
use crate::server_tool::tests::model::secret;

/// A provider that enforces its rules.
pub(super) struct Provider {
    pub(super) api: Api,
    pub(super) script: VecDeque<&'static [Part]>,
    pub(super) made: usize,
    /// The list of every request, and how it refused it.
    pub(super) got: Vec<(Vec<Value>, Option<String>)>,
    /// Items that are refused without the reasoning that led to them.
    pub(super) needs: HashMap<String, String>,
}

impl Provider {
    pub(super) fn answer(&mut self, body: &Value) -> (u16, String) {
        let list = body[member(self.api)].as_array().unwrap().clone();
        let refusal = match self.api {
            Api::Anthropic => anthropic_refuses(body, &list),
            Api::OpenAiChat => chat_refuses(&list),
            Api::OpenAiResponses => self.responses_refuses(&list),
            _ => gemini_refuses(&list),
        };
        self.got.push((list, refusal.clone()));
        if let Some(message) = refusal {
            return (400, json!({"error":{"type":"invalid_request_error","message":message}}).to_string());
        }
        let parts = self.script.pop_front().unwrap();
        (200, self.say(body, parts).to_string())
    }

    fn say(&mut self, body: &Value, parts: &[Part]) -> Value {
        let mut said: Vec<Value> = Vec::new();
        let mut signature = None;
        for part in parts {
            self.made += 1;
            said.extend(self.part(body, *part, &mut signature));
        }
        for two in said.windows(2).filter(|two| two[0]["type"] == "reasoning") {
            let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
            self.needs.insert(id(&two[1]), id(&two[0]));
        }
        let calls = parts.iter().any(|part| matches!(part, Ours | Call));
        self.whole(&said, calls)
    }

    /// Says one part; a signature of thinking may have to wait for a call.
    fn part(&self, body: &Value, part: Part, signature: &mut Option<String>) -> Option<Value> {
        let n = self.made;
        let (name, arguments) = match part {
            Ours => {
                // Models copy a handle with what is around it, or in their own case.
                let handle = Handle::from_content(&secret(PROJECT)).to_string();
                let hash = match n % 3 {
                    0 => handle,
                    1 => format!("[headroom:{handle}]"),
                    _ => handle.to_uppercase(),
                };
                ("headroom_retrieve", json!({"hash": hash, "lines": "1", "n": n}))
            }
            _ => ("Bash", json!({"command":"ls"})),
        };
        Some(match (self.api, part) {
            (Api::Anthropic, Think) => {
                json!({"type":"thinking","thinking":"hm","signature":sign(body, n)})
            }
            (Api::OpenAiResponses, Think) => {
                json!({"type":"reasoning","id":format!("rs_{n}"),"summary":[],"encrypted_content":format!("enc{n}")})
            }
            (_, Think) => {
                *signature = Some(format!("signature {n}"));
                return None;
            }
            (Api::Anthropic, Text(text)) => json!({"type":"text","text":text}),
            (Api::OpenAiResponses, Text(text)) => {
                json!({"type":"message","id":format!("msg_{n}"),"role":"assistant","content":[{"type":"output_text","text":text}]})
            }
            (_, Text(text)) => json!({"text":text}),
            (Api::Anthropic, _) => {
                json!({"type":"tool_use","id":format!("call:{n}"),"name":name,"input":arguments})
            }
            (Api::OpenAiResponses, _) => {
                json!({"type":"function_call","id":format!("fc_{n}"),"call_id":format!("call:{n}"),"name":name,"arguments":arguments.to_string()})
            }
            (Api::OpenAiChat, _) => {
                json!({"id":format!("call:{n}"),"type":"function","function":{"name":name,"arguments":arguments.to_string()}})
            }
            _ => match signature.take() {
                Some(own) => json!({"functionCall":{"name":name,"args":arguments},"thoughtSignature":own}),
                None => json!({"functionCall":{"name":name,"args":arguments}}),
            },
        })
    }

    /// Returns the answer with these parts.
    fn whole(&self, said: &[Value], calls: bool) -> Value {
        match self.api {
            Api::Anthropic => json!({"id":"msg","role":"assistant","content":said,
                "stop_reason":if calls { "tool_use" } else { "end_turn" }}),
            Api::OpenAiResponses => json!({"id":"resp","status":"completed","output":said}),
            Api::OpenAiChat => {
                let text = said.iter().find_map(|part| part.get("text")).cloned();
                let calls: Vec<_> = said.iter().filter(|part| part.get("function").is_some()).collect();
                let mut message = json!({"role":"assistant","content":text});
                if !calls.is_empty() {
                    message["tool_calls"] = json!(calls);
                }
                json!({"choices":[{"message":message,"finish_reason":if calls.is_empty() { "stop" } else { "tool_calls" }}]})
            }
            _ => json!({"candidates":[{"content":{"role":"model","parts":said},"finishReason":"STOP"}]}),
        }
    }

    fn responses_refuses(&self, items: &[Value]) -> Option<String> {
        let is_assistants = |item: &Value| item["type"] == "function_call" || item["role"] == "assistant";
        for (at, item) in items.iter().enumerate() {
            let id = item["id"].as_str().unwrap_or_default();
            if item["type"] == "reasoning" && !items.get(at + 1).is_some_and(is_assistants) {
                return Some(format!(
                    "Item '{id}' of type 'reasoning' was provided without its required following item."
                ));
            }
            let stands = |needed: &String| items[..at].iter().any(|before| before["id"] == **needed);
            if self.needs.get(id).is_some_and(|needed| !stands(needed)) {
                return Some(format!("Item '{id}' was provided without its required 'reasoning' item."));
            }
        }
        let ids = |kind: &str| -> Vec<_> {
            items.iter().filter(|item| item["type"] == kind).map(|item| item["call_id"].clone()).collect()
        };
        (ids("function_call") != ids("function_call_output"))
            .then(|| "No tool output found for function call".to_owned())
    }
}
