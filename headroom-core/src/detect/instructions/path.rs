//! Recognises the names of instruction files.

/// Files that agents read instructions from, in lower case.
const FILES: [&str; 38] = [
    ".agent.local.md",
    ".agent.md",
    ".augment-guidelines",
    ".clinerules",
    ".cursorrules",
    ".goosehints",
    ".kilocoderules",
    ".openhands_instructions",
    ".roorules",
    ".rules",
    ".windsurfrules",
    "agent.md",
    "agents.local.md",
    "agents.md",
    "agents.override.md",
    "airules.md",
    "amp.md",
    "bugbot.md",
    "claude.local.md",
    "claude.md",
    "codebuddy.md",
    "codex.md",
    "conventions.md",
    "copilot-instructions.md",
    "crush.local.md",
    "crush.md",
    "gemini.md",
    "global_rules.md",
    "iflow.md",
    "jules.md",
    "kilo.md",
    "llxprt.md",
    "opencode.local.md",
    "opencode.md",
    "qwen.md",
    "replit.md",
    "skill.md",
    "warp.md",
];
/// Ends of the names of such files.
const ENDS: [&str; 4] = [".chatmode.md", ".instructions.md", ".mdc", ".prompt.md"];
/// Folders within a folder whose name starts with a dot, such as `.cursor`, that hold instructions.
const FOLDERS: [&str; 12] = [
    "agents",
    "chatmodes",
    "commands",
    "guidelines",
    "instructions",
    "microagents",
    "modes",
    "prompts",
    "rules",
    "skills",
    "steering",
    "workflows",
];
/// Files with common names that are instructions in these folders.
const HIDDEN: [(&str, &str); 3] =
    [(".gemini", "styleguide.md"), (".junie", "guidelines.md"), (".qodo", "best_practices.md")];
const DOCUMENTS: [&str; 4] = [".markdown", ".md", ".mdc", ".txt"];

/// Whether a word of a call holds the path of an instruction file.
pub(super) fn is_in(word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || "._-/\\~@+*? ".contains(c);
    word.split(|c: char| !is_part(c)).any(|path| {
        // A path may hold spaces, and so may the text around it.
        is_file(path.trim()) || path.contains(' ') && path.split(' ').any(is_file)
    })
}

fn is_file(path: &str) -> bool {
    // An address may end in a query.
    let lower = path.split('?').next().unwrap_or(path).to_ascii_lowercase();
    let mut parts = lower.rsplit(['/', '\\']);
    let name = parts.next().unwrap_or_default();
    if FILES.contains(&name) || ENDS.iter().any(|end| name.len() > end.len() && name.ends_with(end)) {
        return true;
    }
    if !DOCUMENTS.iter().any(|end| name.ends_with(end)) {
        return false;
    }
    let folders: Vec<&str> = parts.collect();
    let in_hidden =
        |name: &str| HIDDEN.iter().any(|(folder, file)| folders.first() == Some(folder) && name == *file);
    if in_hidden(name) || name.starts_with("copilot-") && name.ends_with("-instructions.md") {
        return true;
    }
    // A skill is a folder, and its documents are parts of it.
    let holds = |(at, folder): (usize, &&str)| {
        let is_rules = folder.starts_with("rules-") || FOLDERS.contains(folder);
        let is_hidden = || folders.iter().skip(at + 1).any(|outer| outer.len() > 2 && outer.starts_with('.'));
        is_rules && is_hidden() || *folder == "skills" && at > 0 || *folder == ".clinerules"
    };
    folders.iter().enumerate().any(holds)
}
