//! What the provider answers in a round.

use headroom_core::{Api, Handle};
use serde_json::{Value, json};

use super::{Kind, Round, Signatures, World, secret};
use crate::server_tool::tests::{gemini, responses};

const OURS: &str = "functions.headroom_retrieve:0";

/// The calls of a round: the name, the id and the arguments of each.
type Calls = Vec<(&'static str, String, Value)>;

impl World {
    pub(super) fn blocks(&mut self, kind: Kind, round: &Round, calls: usize) -> Vec<Value> {
        let signature = match kind.signatures {
            Signatures::None => None,
            Signatures::Constant => Some("skip_thought_signature_validator".to_owned()),
            Signatures::Unique => Some(self.random()),
        };
        let id = if kind.random_ids { self.random() } else { format!("functions.Bash:{calls}") };
        self.made += 1;
        let handle = Handle::from_content(&secret(kind.project)).to_string();
        let mut all = Calls::new();
        if round.ours {
            let ours = json!({"hash": handle, "lines": "1", "n": self.made});
            all.push(("headroom_retrieve", OURS.to_owned(), ours));
        }
        if let Some(command) = &round.call {
            all.push(("Bash", id, json!({"command": command, "timeout": 10.0})));
        }
        match kind.api {
            Api::Anthropic => anthropic_blocks(round.text, signature, all),
            Api::OpenAiChat => chat_blocks(round.text, all),
            Api::OpenAiResponses => responses_blocks(round.text, signature, all),
            _ => gemini_blocks(round.text, signature, all),
        }
    }
}

fn anthropic_blocks(text: &str, signature: Option<String>, calls: Calls) -> Vec<Value> {
    let thinking = signature.map(|own| json!({"type":"thinking","thinking":"hm","signature":own}));
    let text = (!text.is_empty()).then(|| json!({"type":"text","text":text}));
    let calls = calls
        .into_iter()
        .map(|(name, id, input)| json!({"type":"tool_use","id":id,"name":name,"input":input}));
    thinking.into_iter().chain(text).chain(calls).collect()
}

fn chat_blocks(text: &str, calls: Calls) -> Vec<Value> {
    let calls = calls.into_iter().map(|(name, id, input)| {
        json!({"id":id,"type":"function","function":{"name":name,"arguments":input.to_string()}})
    });
    [json!(text)].into_iter().chain(calls).collect()
}

fn responses_blocks(text: &str, signature: Option<String>, calls: Calls) -> Vec<Value> {
    let reasoning =
        signature.map(|own| json!({"type":"reasoning","id":"rs","summary":[],"encrypted_content":own}));
    let text = (!text.is_empty()).then(|| responses::message(text));
    let calls = calls.into_iter().map(|(name, id, input)| {
        json!({"type":"function_call","id":"fc","call_id":id,"name":name,"arguments":input.to_string(),"status":"completed"})
    });
    reasoning.into_iter().chain(text).chain(calls).collect()
}

fn gemini_blocks(text: &str, mut signature: Option<String>, calls: Calls) -> Vec<Value> {
    let text = (!text.is_empty()).then(|| gemini::text(text));
    let calls = calls.into_iter().map(|(name, _, args)| {
        let mut part = json!({"functionCall":{"name":name,"args":args}});
        if let Some(own) = signature.take() {
            part["thoughtSignature"] = json!(own);
        }
        part
    });
    text.into_iter().chain(calls).collect()
}
