//! The tool with which the model fetches back what was set aside: who brings it, and where its definition goes.

use memchr::memmem;

use crate::scan::{Text, Value};

/// The name of the tool with which a model fetches back what was set aside. Clients may put a server's name in front.
pub const RETRIEVE: &str = "headroom_retrieve";

/// A head this long is that of an agent, whose results are worth more than the definition costs.
const MIN_HEAD_BYTES: usize = 2048;
/// Parameters of tools that bring in text of any length, for heads that are shorter.
const BULK: [&str; 12] = [
    "\"cmd\"",
    "\"command\"",
    "\"commands\"",
    "\"file_path\"",
    "\"filename\"",
    "\"path\"",
    "\"pattern\"",
    "\"query\"",
    "\"regex\"",
    "\"sql\"",
    "\"uri\"",
    "\"url\"",
];

/// The same words for every format, so that what the model is told does not depend on the provider.
macro_rules! definition {
    ($before:literal, $parameters:literal, $after:literal) => {
        concat!(
            r#",{"#,
            $before,
            r#""name":"headroom_retrieve","description":"Shows what a [headroom:HASH ...] marker stands for. "#,
            r#"For a part of it give lines or rows (\"120-180\"), a JSON path, or a query (words or a regex).",""#,
            $parameters,
            r#"":{"type":"object","properties":{"hash":{"type":"string"},"lines":{"type":"string"},"#,
            r#""rows":{"type":"string"},"path":{"type":"string"},"query":{"type":"string"}},"required":["hash"]}}"#,
            $after
        )
    };
}

pub(super) const ANTHROPIC: &str = definition!("", "input_schema", "");
pub(super) const CHAT: &str = definition!(r#""type":"function","function":{"#, "parameters", "}");
pub(super) const RESPONSES: &str = definition!(r#""type":"function","strict":false,"#, "parameters", "");
pub(super) const GEMINI: &str = definition!(r#""functionDeclarations":[{"#, "parameters", "]}");

/// What the head of a request says about the tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Toolbox {
    /// The model cannot call it, or it is not worth its definition.
    #[default]
    Closed,
    /// The client has brought one.
    Own,
    /// A definition can be added.
    Open {
        /// The offset in the body behind the last definition.
        at: usize,
        /// What goes there.
        definition: &'static str,
    },
}

impl Toolbox {
    /// `system` is what the head holds besides the tools.
    pub(super) fn of(
        tools: Option<Value<'_, '_>>,
        system: Option<Value<'_, '_>>,
        definition: Option<&'static str>,
    ) -> Self {
        let Some(tools) = tools.filter(|tools| tools.is_array()) else { return Self::Closed };
        if has_retrieve(tools) {
            return Self::Own;
        }
        let (Some(last), Some(definition)) = (tools.items().last(), definition) else { return Self::Closed };
        let head = tools.raw().len() + system.map_or(0, |system| system.raw().len());
        let bulk = || BULK.iter().any(|name| memmem::find(tools.raw().as_bytes(), name.as_bytes()).is_some());
        if !last.is_object() || head < MIN_HEAD_BYTES && !bulk() {
            return Self::Closed;
        }
        Self::Open { at: last.end(), definition }
    }

    /// The same where the request lets the model call tools of its choice, else closed.
    pub(super) fn only_if(self, free: bool) -> Self {
        if free { self } else { Self::Closed }
    }
}

/// Whether one of these tool definitions, at whatever depth a format nests them, is a `headroom_retrieve`.
fn has_retrieve(tools: Value<'_, '_>) -> bool {
    fn is_name(key: Text<'_>, value: Value<'_, '_>) -> bool {
        key.raw == "name" && value.text().is_some_and(|name| name.raw.ends_with(RETRIEVE))
    }
    fn named(value: Value<'_, '_>, depth: usize) -> bool {
        const NESTS: [&str; 4] = ["function", "tools", "functionDeclarations", "toolSpec"];
        depth > 0
            && (value.items().any(|item| named(item, depth - 1))
                || value.members().any(|(key, member)| {
                    is_name(key, member) || NESTS.contains(&key.raw) && named(member, depth - 1)
                }))
    }
    named(tools, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_json() {
        for definition in [ANTHROPIC, CHAT, RESPONSES, GEMINI] {
            let array = format!("[{{}}{definition}]");
            let tape = crate::scan::scan(&array, crate::scan::Limits::for_length(array.len())).unwrap();
            assert_eq!(tape.root().items().count(), 2, "{array}");
            assert!(has_retrieve(tape.root()), "{array}");
        }
    }
}
