//! The retrieval tool: whether the client brings it, and where to add its definition.

use memchr::memmem;

use headroom_json::{TapeValue, Text};

use crate::Api;

/// The name of the tool with which the model retrieves elided content. Clients may prefix it with a server's name.
pub const RETRIEVE_TOOL_NAME: &str = "headroom_retrieve";

/// A head of this length belongs to an agent, whose results save more than the definition costs.
const MIN_HEAD_BYTES: usize = 2048;
/// Limit on the nesting of definitions.
const MAX_DEPTH: usize = 6;
/// Parameters of tools that return text of any length, for shorter heads.
const BULK_PARAMETERS: [&str; 12] = [
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
/// Substrings of the names of such tools.
const BULK_NAMES: [&str; 16] = [
    "bash", "browse", "crawl", "exec", "fetch", "find", "glob", "grep", "list", "logs", "query", "read",
    "scrape", "search", "shell", "tree",
];

/// Writes the definition with the same words for every format, so that the model reads the same with every provider.
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

const CONVERSE: &str = definition!(r#""toolSpec":{"#, r#"inputSchema":{"json"#, "}}");

/// Returns the definition of `headroom_retrieve` in the format of an API: a JSON object for the list of tools.
///
/// For clients that answer calls of the tool themselves ([`Retrieval::ClientTool`](crate::Retrieval::ClientTool)). The words
/// are the same as with [`Retrieval::ServerTool`](crate::Retrieval::ServerTool).
///
/// ```
/// use headroom_core::{Api, retrieve_tool};
///
/// assert!(retrieve_tool(Api::Anthropic).starts_with(r#"{"name":"headroom_retrieve","description":"#));
/// ```
#[must_use]
pub fn retrieve_tool(api: Api) -> &'static str {
    let definition = match api {
        Api::Anthropic => ANTHROPIC,
        Api::OpenAiChat => CHAT,
        Api::OpenAiResponses => RESPONSES,
        Api::Gemini => GEMINI,
        Api::Converse => CONVERSE,
    };
    definition.strip_prefix(',').unwrap_or(definition)
}

/// Words in the names of tools that run commands or show files.
const READER_WORDS: [&str; 8] = ["bash", "cmd", "command", "commands", "editor", "exec", "shell", "terminal"];
/// Names of tools that show a file, without the server prefix.
const READERS: [&str; 4] = ["cat", "read", "str_replace_based_edit_tool", "view"];
/// Tools with a type and no name.
const READER_TYPES: [&str; 2] = ["local_shell", "shell"];

/// What the model can do with a request's tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Toolbox {
    pub(crate) retrieve: Retrieve,
    /// Whether a tool reads files on the agent's machine.
    pub(crate) reads_files: bool,
}

/// Whether the model can call `headroom_retrieve`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Retrieve {
    /// The model cannot call it, or it would cost more than it saves.
    #[default]
    Closed,
    /// The client brings its own.
    Own,
    /// Its definition can be added.
    Open {
        /// Offset in the body of the bracket after the last definition.
        at: usize,
        /// The definition to insert.
        definition: &'static str,
    },
}

impl Toolbox {
    /// Reads the tools of a request. `system` is the rest of the head.
    pub(super) fn from_request(
        tools: Option<TapeValue<'_, '_>>,
        system: Option<TapeValue<'_, '_>>,
        definition: Option<&'static str>,
    ) -> Self {
        let Some(tools) = tools.filter(|tools| tools.is_array()) else { return Self::default() };
        Self { retrieve: Retrieve::detect(tools, system, definition), reads_files: reads_files(tools) }
    }

    /// Returns the toolbox if the request lets the model choose its tools, else an empty one.
    pub(super) fn only_if(self, free: bool) -> Self {
        if free { self } else { Self::default() }
    }
}

impl Retrieve {
    fn detect(
        tools: TapeValue<'_, '_>,
        system: Option<TapeValue<'_, '_>>,
        definition: Option<&'static str>,
    ) -> Self {
        if has_retrieve(tools) {
            return Self::Own;
        }
        let (Some(last), Some(definition)) = (tools.items().last(), definition) else { return Self::Closed };
        let head = tools.raw().len() + system.map_or(0, |system| system.raw().len());
        if !last.is_object() || head < MIN_HEAD_BYTES && !brings_bulk(tools) {
            return Self::Closed;
        }
        Self::Open { at: tools.end() - 1, definition }
    }
}

/// Whether one of these tools is `headroom_retrieve`.
fn has_retrieve(tools: TapeValue<'_, '_>) -> bool {
    any(tools, MAX_DEPTH, "name", &|name| name.ends_with(RETRIEVE_TOOL_NAME))
}

/// Whether one of these tools reads files on the agent's machine.
fn reads_files(tools: TapeValue<'_, '_>) -> bool {
    any(tools, MAX_DEPTH, "name", &is_reader)
        || any(tools, MAX_DEPTH, "type", &|kind| READER_TYPES.contains(&kind))
}

/// Whether this is the name of a tool that runs commands or shows files.
fn is_reader(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let own = name.rsplit_once("__").map_or(&*name, |(_, own)| own);
    let words = || own.split(|c: char| !c.is_ascii_alphanumeric());
    READERS.contains(&own)
        || words().any(|word| READER_WORDS.contains(&word))
        || own.contains("file") && (own.starts_with("read") || words().any(|word| word == "read"))
}

/// Whether one of these tools can return more than a few lines.
fn brings_bulk(tools: TapeValue<'_, '_>) -> bool {
    let named = |name: &str| {
        let name = name.to_ascii_lowercase();
        BULK_NAMES.iter().any(|part| name.contains(part))
    };
    let bytes = tools.raw().as_bytes();
    any(tools, MAX_DEPTH, "name", &named)
        || BULK_PARAMETERS.iter().any(|name| memmem::find(bytes, name.as_bytes()).is_some())
}

/// Whether a tool has a field that passes the test, at any depth at which a format nests definitions.
fn any(value: TapeValue<'_, '_>, depth: usize, field: &str, test: &dyn Fn(&str) -> bool) -> bool {
    const NESTS: [&str; 4] = ["function", "tools", "functionDeclarations", "toolSpec"];
    let Some(depth) = depth.checked_sub(1) else { return false };
    let holds = |key: Text<'_>, value: TapeValue<'_, '_>| {
        key.raw == field && value.text().is_some_and(|text| test(text.raw))
    };
    value.items().any(|item| any(item, depth, field, test))
        || value.members().any(|(key, member)| {
            holds(key, member) || NESTS.contains(&key.raw) && any(member, depth, field, test)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_that_read_files_are_known_by_their_names() {
        for name in [
            "Bash",
            "Read",
            "read_file",
            "readFile",
            "run_shell_command",
            "exec_command",
            "container.exec",
            "developer__text_editor",
            "str_replace_based_edit_tool",
            "mcp__fs__read_text_file",
            "view",
            "run_terminal_cmd",
            "execute_bash",
        ] {
            assert!(is_reader(name), "{name}");
        }
        for name in [
            "WebFetch",
            "read_email",
            "execute_sql",
            "web_search",
            "get_weather",
            "mcp__bash__status",
            "preview",
            "upload_file",
            "code_execution",
            "headroom_retrieve",
        ] {
            assert!(!is_reader(name), "{name}");
        }
    }

    #[test]
    fn definitions_are_json() {
        for &api in Api::ALL {
            let array = format!("[{{}},{}]", retrieve_tool(api));
            let tape = headroom_json::Tape::parse(&array).unwrap();
            assert_eq!(tape.root().items().count(), 2, "{array}");
            assert!(has_retrieve(tape.root()), "{array}");
        }
    }
}
