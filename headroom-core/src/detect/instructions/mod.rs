//! Recognises instructions that come as tool results: skills, rules and instruction files.
//!
//! Instructions are not evidence. Each sentence of them may be the one that forbids something, so they stay byte for
//! byte. The tool, the file that the call names, or the envelope around the text tells.

mod envelope;
mod path;

pub(crate) use envelope::spans;

use super::arguments;

/// Words in the names of tools that return instructions.
const TOOL_WORDS: [&str; 5] = ["guidelines", "instruction", "instructions", "skill", "skills"];
/// Other tools that return instructions; names in lower case without `_`, `-` and server prefix.
const TOOLS: [&str; 5] = ["cursorrules", "fetchrules", "getrules", "loadrules", "readrules"];

/// Whether the whole text is instructions, by the tool and by the envelope.
pub(crate) fn are_in(text: &str, tool: Option<&str>) -> bool {
    tool.is_some_and(is_tool) || envelope::is_around(text)
}

/// Whether the call shows a file of instructions.
pub(crate) fn are_in_file(arguments: Option<&str>) -> bool {
    arguments.is_some_and(|arguments| arguments::shows(arguments, &path::is_in))
}

fn is_tool(tool: &str) -> bool {
    TOOLS.contains(&super::bare(tool).as_str()) || words(tool).any(|word| TOOL_WORDS.contains(&word.as_str()))
}

/// Returns the words of a name like `activate_skill`, `readSkill` or `mcp__skills__read`, in lower case.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for char in name.chars() {
        if !char.is_alphanumeric() || char.is_uppercase() && was_lower {
            words.push(String::new());
        }
        was_lower = char.is_lowercase();
        if let Some(word) = words.last_mut().filter(|_| char.is_alphanumeric()) {
            word.extend(char.to_lowercase());
        }
    }
    words.into_iter()
}

#[cfg(test)]
mod tests;
