//! Calls of a streamed answer.

use headroom_json::{Value, quote};

use crate::{api::RETRIEVE, edit::set};

/// A call while it is received.
#[derive(Debug, Default)]
pub(super) struct StreamedCall {
    pub(super) index: u64,
    /// The call's index for the client; `None` if it is ours.
    pub(super) shown: Option<u64>,
    /// The call as it began.
    pub(super) first: String,
    pub(super) id: String,
    pub(super) name: String,
    /// Still escaped.
    pub(super) arguments: String,
}

impl StreamedCall {
    pub(super) fn whole(&self) -> String {
        let function = format!("{{\"name\":{},\"arguments\":\"{}\"}}", quote(&self.name), self.arguments);
        let first = Value::parse(&self.first);
        let kind = first.is_some_and(|first| first.get("type").is_none()).then(|| "\"function\"".to_owned());
        let mut members = vec![("index", None), ("function", Some(function))];
        if kind.is_some() {
            members.push(("type", kind));
        }
        first.map(|first| set(first, &members)).unwrap_or_default()
    }
}

/// Knowledge of a call ahead of its events.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub(super) index: u64,
    pub(super) id: String,
    pub(super) name: String,
    /// Whether it is ours; `None` while its name may still be incomplete.
    pub(super) is_ours: Option<bool>,
}

impl Ahead {
    /// Adds a piece of the call. Some servers send the name in pieces, or after the id, or after the arguments; some
    /// repeat it in every piece.
    pub(super) fn add(&mut self, piece: &Piece<'_>) {
        if let Some(id) = &piece.id {
            self.id = id.clone();
        }
        if let Some(name) = piece.name.as_ref().filter(|name| **name != self.name) {
            self.name.push_str(name);
        }
        let begins = piece.arguments.is_some_and(|arguments| !arguments.is_empty());
        // The name is usually complete when the arguments begin, and a client may well have a tool `head`.
        let is_whole = self.name == RETRIEVE || (!self.name.is_empty() && "head".starts_with(&self.name));
        if !RETRIEVE.starts_with(&self.name) || (begins && is_whole) {
            self.settle();
        }
    }

    pub(super) fn settle(&mut self) {
        self.is_ours = self.is_ours.or(Some(self.name == RETRIEVE));
    }
}

/// A piece of a call in a delta.
pub(super) struct Piece<'a> {
    pub(super) index: u64,
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    /// Still escaped.
    pub(super) arguments: Option<&'a str>,
}

impl<'a> Piece<'a> {
    pub(super) fn new(call: Value<'a>, position: usize) -> Self {
        let text = |value: Option<Value<'a>>| {
            value.and_then(Value::text).filter(|text| !text.is_empty()).map(|text| text.into_owned())
        };
        let function = call.get("function");
        Self {
            index: call.get("index").and_then(Value::count).unwrap_or(position as u64),
            id: text(call.get("id")),
            name: text(function.and_then(|function| function.get("name"))),
            arguments: function.and_then(|function| function.get("arguments")?.inner()),
        }
    }

    /// Whether it continues a call of this index and id. Servers that do not number calls give each its own id.
    pub(super) fn goes_on(&self, index: u64, id: &str) -> bool {
        index == self.index && self.id.as_ref().is_none_or(|own| id.is_empty() || own == id)
    }
}
