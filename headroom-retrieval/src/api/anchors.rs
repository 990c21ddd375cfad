//! What identifies an assistant's turn.

use headroom_json::Value;

use crate::canonical;

/// Identifies an assistant's turn when the client sends it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Anchors {
    /// Ids of the client's calls.
    pub(crate) ids: Vec<String>,
    /// Signatures of thinking, or its encrypted form.
    pub(crate) signatures: Vec<String>,
    /// All visible text.
    pub(crate) text: String,
    /// Names of the client's calls, and their arguments by value.
    pub(crate) calls: Vec<(String, String)>,
    /// The order of these: `t` for text, `s` for a signature, `c` for a call.
    pub(crate) order: String,
}

impl Anchors {
    pub(crate) fn extend(&mut self, more: Self) {
        self.ids.extend(more.ids);
        self.signatures.extend(more.signatures);
        self.text.push_str(&more.text);
        self.calls.extend(more.calls);
        more.order.chars().for_each(|kind| self.stands(kind));
    }

    pub(super) fn add_text(&mut self, text: &str) {
        self.text.push_str(text);
        if !text.trim().is_empty() {
            self.stands('t');
        }
    }

    pub(super) fn add_signature(&mut self, signature: String) {
        self.signatures.push(signature);
        self.stands('s');
    }

    /// Clients join adjacent texts.
    fn stands(&mut self, kind: char) {
        if kind != 't' || !self.order.ends_with('t') {
            self.order.push(kind);
        }
    }

    /// Adds a call. `arguments` is JSON, or any text.
    pub(super) fn add_call(&mut self, name: Option<Value<'_>>, arguments: &str) {
        let name = name.and_then(Value::text).unwrap_or_default().into_owned();
        self.calls.push((name, canonical::arguments(arguments)));
        self.stands('c');
    }
}
