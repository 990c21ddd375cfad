//! The head of a request, part by part.

use std::hash::{DefaultHasher, Hash, Hasher};

use headroom_core::{RETRIEVE_TOOL_NAME, Vocabulary};
use headroom_json::{Tape, TapeValue};
use serde::{Deserialize, Serialize};

use super::line::LinePrint;

/// Members of a request that are system prompts.
const SYSTEM: [&str; 4] = ["system", "instructions", "systemInstruction", "system_instruction"];
/// Members that hold the conversation.
const LISTS: [&str; 3] = ["messages", "input", "contents"];
/// How a text begins in which Claude Code tells the provider about itself. It differs in each request, and the provider
/// leaves it out of the prompt.
const BILLING: &str = "x-anthropic-billing-header";
/// Tool definitions nest at most this deep.
const MAX_DEPTH: usize = 4;

/// The head of a request in hashes, which tell nothing of its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeadPrint {
    pub(super) parts: Vec<HeadPart>,
}

/// A text or a tool definition of the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeadPart {
    pub(super) place: String,
    pub(super) lines: Vec<LinePrint>,
    pub(super) is_tool: bool,
}

/// A tool that a request defines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DefinedTool {
    pub(crate) name: String,
    /// Tokens of its definition, by `o200k_base`.
    pub(crate) tokens: u64,
}

impl HeadPrint {
    /// Reads a request of any API; `None` if it is no JSON object.
    pub(crate) fn read(body: &str) -> Option<Self> {
        let tape = Tape::parse(body).ok().filter(|tape| tape.root().is_object())?;
        let mut print = Self::default();
        for (key, value) in tape.root().members() {
            match key.raw {
                name if SYSTEM.contains(&name) => print.texts(name, value),
                name if LISTS.contains(&name) => {
                    for (at, message) in value.items().enumerate().take_while(|(_, item)| is_systems(*item)) {
                        if let Ok([Some(content)]) = message.fields(["content"]) {
                            print.texts(&format!("{name}[{at}]"), content);
                        }
                    }
                }
                _ => {}
            }
        }
        for (name, raw) in definitions(tape.root()) {
            let pieces = raw.split(['\n', ',', '{', '}', '[', ']']);
            let lines = pieces.map(str::trim).filter(|piece| !piece.is_empty()).map(LinePrint::new).collect();
            print.parts.push(HeadPart { place: format!("tool {name}"), lines, is_tool: true });
        }
        Some(print)
    }

    /// Whether it defines tools.
    pub(crate) fn has_tools(&self) -> bool {
        self.parts.iter().any(|part| part.is_tool)
    }

    /// Adds the texts of a value: a string, a list of parts with a text each, or an object with such a list.
    fn texts(&mut self, place: &str, value: TapeValue<'_, '_>) {
        if let Some(text) = value.text() {
            self.text(place.to_owned(), text.raw);
        }
        let parts = value.fields(["parts"]).ok().and_then(|[parts]| parts).unwrap_or(value);
        for (at, part) in parts.items().enumerate() {
            let own = part.fields(["text"]).ok().and_then(|[text]| text).unwrap_or(part);
            if let Some(text) = own.text() {
                self.text(format!("{place}[{at}]"), text.raw);
            }
        }
    }

    fn text(&mut self, place: String, raw: &str) {
        if !raw.starts_with(BILLING) {
            let lines = raw.split("\\n").map(LinePrint::new).collect();
            self.parts.push(HeadPart { place, lines, is_tool: false });
        }
    }
}

/// Returns the tools that a request defines, but for Headroom's own.
pub(crate) fn defined_tools(body: &str) -> Vec<DefinedTool> {
    let Ok(tape) = Tape::parse(body) else { return Vec::new() };
    let tools = definitions(tape.root()).into_iter().filter(|(name, _)| !name.ends_with(RETRIEVE_TOOL_NAME));
    let tokens = |raw: &str| Vocabulary::O200kBase.count(raw) as u64;
    tools.map(|(name, raw)| DefinedTool { name: name.to_owned(), tokens: tokens(raw) }).collect()
}

/// Returns a hash of the first message of a conversation that is no system prompt; `None` if there is none.
pub(crate) fn conversation(body: &str) -> Option<u64> {
    let tape = Tape::parse(body).ok()?;
    let (_, list) = tape.root().members().find(|(key, _)| LISTS.contains(&key.raw))?;
    let first = list.items().find(|item| !is_systems(*item))?;
    let mut hasher = DefaultHasher::new();
    first.raw().hash(&mut hasher);
    Some(hasher.finish())
}

/// Whether a message is a system prompt.
fn is_systems(message: TapeValue<'_, '_>) -> bool {
    let role = message.fields(["role"]).ok().and_then(|[role]| role?.text());
    role.is_some_and(|role| matches!(role.raw, "system" | "developer"))
}

/// Returns the definitions of the tools of a request: their names, and all of each.
fn definitions<'a>(root: TapeValue<'a, '_>) -> Vec<(&'a str, &'a str)> {
    let mut found = Vec::new();
    let Ok([tools, config]) = root.fields(["tools", "toolConfig"]) else { return found };
    let of_config = config.and_then(|config| config.fields(["tools"]).ok()?[0]);
    for tool in tools.into_iter().chain(of_config).flat_map(TapeValue::items) {
        define(tool, MAX_DEPTH, &mut found);
    }
    found
}

fn define<'a>(tool: TapeValue<'a, '_>, depth: usize, found: &mut Vec<(&'a str, &'a str)>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let name = tool.fields(["name", "type"]).unwrap_or_default();
    let nested = tool.members().filter(|(key, _)| {
        matches!(
            key.raw,
            "function" | "toolSpec" | "functionDeclarations" | "function_declarations" | "tools"
        )
    });
    let mut is_nested = false;
    for (_, value) in nested {
        is_nested = true;
        if value.is_array() {
            value.items().for_each(|tool| define(tool, depth, found));
        } else {
            define(value, depth, found);
        }
    }
    // A tool of the provider may have a type alone.
    if let Some(name) = name.into_iter().flatten().find_map(TapeValue::text).filter(|_| !is_nested) {
        found.push((name.raw, tool.raw()));
    }
}
