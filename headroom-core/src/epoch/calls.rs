//! What a call does to files, and whose words its result holds.

use headroom_json::{Tape, TapeValue, Text};

use crate::wire::Call;

/// Names of arguments that hold the path of a file.
const PATHS: [&str; 6] = ["file_path", "path", "absolute_path", "filePath", "notebook_path", "target_file"];
/// Names of arguments that choose a part of a file.
const FROM: [&str; 4] = ["offset", "start_line", "startLine", "line_start"];
const UP_TO: [&str; 4] = ["limit", "end_line", "endLine", "line_end"];
/// Parts of the names of tools that show a file, change one, or write it whole.
const READS: [&str; 3] = ["read", "view", "cat"];
const EDITS: [&str; 7] = ["edit", "replace", "patch", "insert", "update", "create", "write"];
const WRITES: [&str; 2] = ["write", "create"];
/// Parts of the names of tools whose results are answers of the user or instructions.
const ANSWERS: [&str; 9] = [
    "askuser",
    "ask_user",
    "question",
    "user_input",
    "planmode",
    "plan_mode",
    "skill",
    "memory",
    "instruction",
];
/// Names of files of instructions.
const INSTRUCTIONS: [&str; 8] = [
    "agents.md",
    "claude.md",
    "gemini.md",
    "skill.md",
    "copilot-instructions.md",
    ".cursorrules",
    ".cursor/rules",
    "contributing.md",
];
/// Names of arguments that hold a command.
const COMMANDS: [&str; 3] = ["command", "cmd", "script"];
/// The folder of an agent's skills, within a hidden folder.
const SKILLS: &str = "/skills/";
/// How many lines a reader shows if it is not told.
const DEFAULT_LINES: u64 = 2_000;
/// How patches name the files that they change.
const PATCHES: [&str; 2] = ["*** Update File: ", "*** Add File: "];
/// How many files of a patch count.
const MAX_PATCHED: usize = 8;
/// Shorter names of files are in too many commands.
const MIN_NAME_BYTES: usize = 4;
/// Longer arguments are not read for names of files of instructions.
const MAX_COMMAND_BYTES: usize = 4096;

/// What a call does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Deed {
    pub(super) path: Option<String>,
    pub(super) part: Part,
    /// Whether it shows the file.
    pub(super) reads: bool,
    /// Whether it changes the file.
    pub(super) edits: bool,
    /// Whether it writes the file whole.
    pub(super) writes: bool,
    /// The names of the files that it patches, without their folders.
    pub(super) patched: Vec<String>,
    /// Whether its result never leaves.
    pub(super) is_kept: bool,
}

/// The part of a file that a call asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    from: Option<u64>,
    up_to: Option<u64>,
}

impl Part {
    /// Whether a read of this part shows all that a read of the other shows.
    pub(super) fn covers(self, other: Self) -> bool {
        if self == other {
            return true;
        }
        let end = other.from.unwrap_or(1).saturating_add(other.up_to.unwrap_or(DEFAULT_LINES));
        self == Self::default() && end <= DEFAULT_LINES
    }
}

impl Deed {
    pub(super) fn of(call: &Call<'_>) -> Self {
        let name = call.name.and_then(Text::decode).unwrap_or_default().to_ascii_lowercase();
        let name = name.rsplit_once("__").map_or(&*name, |(_, own)| own);
        let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
        let arguments = call.arguments().unwrap_or_default();
        let mut deed = Self { is_kept: has(&ANSWERS), patched: patched(&arguments), ..Self::default() };
        let Ok(tape) = Tape::parse(&arguments) else { return deed };
        let find = |names: &[&str]| {
            let mut members = tape.root().members();
            members.find(|(key, _)| names.contains(&key.raw)).map(|(_, value)| value)
        };
        let number = |value: TapeValue<'_, '_>| value.raw().parse().ok();
        deed.path =
            find(&PATHS).and_then(TapeValue::text).and_then(Text::decode).map(|path| path.into_owned());
        deed.part = Part { from: find(&FROM).and_then(number), up_to: find(&UP_TO).and_then(number) };
        deed.edits = deed.path.is_some() && has(&EDITS);
        deed.writes = deed.path.is_some() && has(&WRITES) && !has(&["edit", "replace", "insert"]);
        deed.reads = deed.path.is_some() && !deed.edits && has(&READS);
        let asked = if deed.edits { None } else { find(&PATHS).or_else(|| find(&COMMANDS)) };
        deed.is_kept |= asked.is_some_and(|asked| instructs(asked.raw()));
        deed
    }
}

/// Returns the names of the files in the patches that a command or an argument holds, escaped or not.
fn patched(arguments: &str) -> Vec<String> {
    let names = PATCHES.iter().flat_map(|patch| arguments.split(patch).skip(1)).filter_map(|rest| {
        let path = rest.split(['\n', '\r', '"', '\\']).next()?.trim_end();
        path.rsplit('/').next().filter(|name| name.len() >= MIN_NAME_BYTES && name.len() <= MAX_COMMAND_BYTES)
    });
    names.take(MAX_PATCHED).map(str::to_owned).collect()
}

/// Whether a path or a command names a file of instructions, or one of an agent's skills.
fn instructs(asked: &str) -> bool {
    let start = (0..=MAX_COMMAND_BYTES.min(asked.len())).rev().find_map(|end| asked.get(..end));
    let start = start.unwrap_or_default().to_ascii_lowercase();
    let is_skill =
        |folder: &str| folder.rsplit([' ', '"', '\'']).next().is_some_and(|path| path.contains("/."));
    INSTRUCTIONS.iter().any(|file| start.contains(file))
        || start.split(SKILLS).count() > 1 && start.split(SKILLS).next().is_some_and(is_skill)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Arguments;

    fn deed(name: &'static str, arguments: &'static str) -> Deed {
        let text = |raw: &'static str| Text { raw, start: 0, escaped: raw.contains('\\') };
        Deed::of(&Call { id: None, name: Some(text(name)), arguments: Some(Arguments::Json(arguments)) })
    }

    #[test]
    fn tools_read_and_write_files() {
        let read = deed("Read", r#"{"file_path":"/a/b.rs","offset":10,"limit":20}"#);
        assert_eq!(read.path.as_deref(), Some("/a/b.rs"));
        assert!(read.reads && !read.edits && !read.is_kept);
        assert!(deed("mcp__fs__read_text_file", r#"{"path":"x"}"#).reads);
        let edit = deed("Edit", r#"{"file_path":"x","old_string":"a","new_string":"b"}"#);
        assert!(edit.edits && !edit.writes && !edit.reads);
        assert!(deed("Write", r#"{"file_path":"x","content":"b"}"#).writes);
        assert!(!deed("Bash", r#"{"command":"cat x"}"#).reads);
        assert_eq!(deed("Bash", "no json"), Deed::default());
    }

    #[test]
    fn patches_name_their_files() {
        let patch = r#"{"command":["apply_patch","*** Begin Patch\n*** Update File: src/wire/mod.rs\n@@\n-a\n*** Add File: b.rs\n"]}"#;
        assert_eq!(deed("shell", patch).patched, ["mod.rs", "b.rs"]);
        assert_eq!(deed("apply_patch", "*** Begin Patch\n*** Update File: x.py\n").patched, ["x.py"]);
        assert!(deed("Bash", r#"{"command":"ls"}"#).patched.is_empty());
    }

    #[test]
    fn a_part_is_covered_by_itself_and_by_the_whole_file() {
        let part = |arguments| deed("Read", arguments).part;
        let (whole, some) = (part(r#"{"path":"x"}"#), part(r#"{"path":"x","offset":10,"limit":20}"#));
        assert!(whole.covers(whole) && whole.covers(some) && some.covers(some));
        assert!(!some.covers(whole) && !some.covers(part(r#"{"path":"x","offset":11,"limit":20}"#)));
        assert!(!whole.covers(part(r#"{"path":"x","offset":1990,"limit":20}"#)), "a reader stops at 2,000");
    }

    #[test]
    fn answers_of_the_user_and_instructions_stay() {
        assert!(deed("AskUserQuestion", "{}").is_kept);
        assert!(deed("ExitPlanMode", "{}").is_kept);
        assert!(deed("request_user_input", "{}").is_kept);
        assert!(deed("Skill", "{}").is_kept);
        assert!(deed("Read", r#"{"file_path":"/x/CLAUDE.md"}"#).is_kept);
        assert!(deed("shell", r#"{"command":["cat","AGENTS.md"]}"#).is_kept);
        assert!(deed("exec_command", r#"{"cmd":"sed -n '1,9p' /home/u/.codex/skills/x/notes.md"}"#).is_kept);
        assert!(!deed("Bash", r#"{"command":"cat src/main.rs"}"#).is_kept);
    }

    #[test]
    fn what_only_mentions_instructions_may_leave() {
        assert!(
            !deed("Agent", r#"{"prompt":"how do the tools read AGENTS.md and /x/.y/skills/z?"}"#).is_kept
        );
        assert!(!deed("Edit", r#"{"file_path":"/x/CLAUDE.md","new_string":"a"}"#).is_kept);
        assert!(
            !deed("Read", r#"{"file_path":"/work/skills/src/main.rs"}"#).is_kept,
            "a project of this name"
        );
        assert!(!deed("Grep", r#"{"pattern":"CLAUDE.md"}"#).is_kept);
    }
}
