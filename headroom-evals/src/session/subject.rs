//! What a tool was asked for: the file that it read, the command that it ran.

use std::collections::HashMap;

use super::{BlockKind, Node, RecordedSession};

/// Members of a call's arguments that name a file.
const FILES: [&str; 4] = ["file_path", "notebook_path", "path", "url"];
/// Members that hold a command.
const COMMANDS: [&str; 2] = ["command", "cmd"];

impl RecordedSession {
    /// Returns what each result was asked for, by its block: `Read src/main.rs`, `Bash cargo test`.
    pub(super) fn subjects(&self) -> HashMap<u32, String> {
        let calls = self.blocks.iter().filter(|block| block.kind == BlockKind::Call);
        let asked: HashMap<&str, String> = calls
            .filter_map(|block| Some((block.call.as_deref()?, subject(block.tool.as_deref()?, &block.json)?)))
            .collect();
        let results = (0_u32..).zip(&self.blocks).filter(|(_, block)| block.is_result());
        results.filter_map(|(id, block)| Some((id, asked.get(block.call.as_deref()?)?.clone()))).collect()
    }
}

fn subject(tool: &str, call: &str) -> Option<String> {
    let call: Node = serde_json::from_str(call).ok()?;
    let arguments = call.word("arguments").and_then(|text| serde_json::from_str::<Node>(text).ok());
    let input = arguments.as_ref().or_else(|| call.get("input"))?;
    let command = COMMANDS.iter().find_map(|name| match input.get(name)? {
        Node::Text(text) => Some(text.as_str()),
        // `["bash", "-lc", "cargo test"]`
        Node::List(words) => words.last()?.text(),
        _ => None,
    });
    let what = match command {
        Some(command) => program(command)?,
        None => FILES.iter().find_map(|name| input.word(name))?.to_owned(),
    };
    Some(format!("{tool} {what}"))
}

/// The program of a command line, and what it is to do: `cargo test`.
fn program(command: &str) -> Option<String> {
    let steps = command.split(['\n', ';', '|']).flat_map(|step| step.split("&&"));
    let mut words =
        steps.map(words).find(|words| words.first().is_some_and(|first| *first != "cd"))?.into_iter();
    let program = words.next()?.rsplit('/').next()?;
    let is_verb = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    match words.next().filter(|word| is_verb(word) && !word.starts_with('-')) {
        Some(verb) => Some(format!("{program} {verb}")),
        None => Some(program.to_owned()),
    }
}

/// The first words of a step, without variables that are set for it.
fn words(step: &str) -> Vec<&str> {
    step.split_whitespace().skip_while(|word| word.contains('=') && !word.starts_with('-')).take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_by_their_program() {
        for (command, expected) in [
            ("cargo test --workspace", Some("cargo test")),
            ("cd /w && RUST_LOG=debug cargo test", Some("cargo test")),
            ("/usr/bin/python3 x.py", Some("python3")),
            ("git log --oneline | head", Some("git log")),
            ("ls -la", Some("ls")),
            ("cd /w", None),
            ("", None),
        ] {
            assert_eq!(program(command).as_deref(), expected, "{command}");
        }
    }

    #[test]
    fn calls_are_told_by_their_file_or_command() {
        for (call, expected) in [
            (r#"{"input":{"file_path":"/a.rs","limit":3}}"#, Some("T /a.rs")),
            (r#"{"input":{"command":"ls"}}"#, Some("T ls")),
            (r#"{"arguments":"{\"command\":[\"bash\",\"-lc\",\"rg x\"]}"}"#, Some("T rg x")),
            (r#"{"arguments":"{\"cmd\":\"cat y\"}"}"#, Some("T cat y")),
            (r#"{"arguments":"no json"}"#, None),
            (r#"{"input":"*** Begin Patch"}"#, None),
            (r#"{"input":{"command":[]}}"#, None),
            ("", None),
        ] {
            assert_eq!(subject("T", call).as_deref(), expected, "{call}");
        }
    }
}
