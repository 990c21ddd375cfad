//! What the hook adds to the settings of Claude Code.

use std::path::Path;

use serde_json::{Value, json};

use crate::{cmd::wrap::quoted, jsonc};

/// Where the hooks are that run after a tool.
const HOOKS: [&str; 2] = ["hooks", "PostToolUse"];
/// Where the rules are of what runs without being asked about.
const RULES: [&str; 2] = ["permissions", "allow"];
/// The tools whose results can become smaller.
const MATCHER: &str = "Bash|Grep|mcp__.*";
/// What every command of this hook ends with.
const COMMAND: &str = " hook run claude";
/// The hook gives up before that.
const TIMEOUT_SECONDS: u32 = 10;

/// What is added: a hook, and rules that let the agent retrieve originals.
pub(super) struct Entry {
    pub(super) hook: Value,
    rules: Vec<Value>,
}

/// The state of the hook in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExistingHook {
    Missing,
    /// Present, as it would be written.
    Same,
    /// Present, for another program or tools.
    Other,
    /// The text cannot be parsed.
    Unreadable,
}

impl Entry {
    /// The hook that runs this program, whose originals are in this folder.
    pub(super) fn new(program: &Path, originals: Option<&str>) -> Self {
        let command = format!("{}{COMMAND}", quoted(&program.to_string_lossy()));
        let hook = json!({
            "matcher": MATCHER,
            "hooks": [{"type": "command", "command": command, "timeout": TIMEOUT_SECONDS}]
        });
        // A path from the root begins with two slashes there.
        let files = originals.map(|folder| json!(format!("Read(/{folder}/**)")));
        let rules = files.into_iter().chain([json!("mcp__headroom__headroom_retrieve")]).collect();
        Self { hook, rules }
    }

    pub(super) fn find(&self, text: &str) -> ExistingHook {
        if text.trim().is_empty() {
            return ExistingHook::Missing;
        }
        let Some(settings) = jsonc::parse(text).filter(Value::is_object) else {
            return ExistingHook::Unreadable;
        };
        let found = own_hooks(&settings);
        match found.first() {
            None => ExistingHook::Missing,
            Some(hook) if found.len() == 1 && *hook == self.hook => ExistingHook::Same,
            Some(_) => ExistingHook::Other,
        }
    }

    /// Returns the text with the hook and the rules that it lacks, and what each step inserted. `None` if that cannot be
    /// done safely.
    pub(super) fn insert(&self, text: &str) -> Option<(String, Vec<String>)> {
        let mut text = if text.trim().is_empty() { "{}\n".to_owned() } else { text.to_owned() };
        let mut inserted = Vec::new();
        let settings = jsonc::parse(&text)?;
        let has = |rule: &&Value| list(&settings, RULES).iter().any(|other| other == *rule);
        let rules = self.rules.iter().filter(|rule| !has(rule)).map(|rule| (RULES, rule));
        for (path, value) in [(HOOKS, &self.hook)].into_iter().chain(rules) {
            let after = jsonc::push(&text, &path, value)?;
            inserted.push(insertion(&text, &after)?);
            text = after;
        }
        Some((text, inserted))
    }

    /// Returns the text without what was inserted: its exact text if that is there still, else its values. Lists that are
    /// empty then go, if they were created for it. `None` if that cannot be done safely.
    pub(super) fn remove(&self, text: &str, inserted: &[String], created: &[Vec<String>]) -> Option<String> {
        let exact = inserted.iter().rev().try_fold(text.to_owned(), |text, part| {
            (text.matches(part.as_str()).count() == 1).then(|| text.replacen(part.as_str(), "", 1))
        });
        let wanted = self.without(jsonc::parse(text)?);
        let is_right =
            |text: &String| jsonc::parse(text).map(|settings| self.without(settings)) == Some(wanted.clone());
        let has_none = |text: &String| self.find(text) == ExistingHook::Missing;
        if let Some(exact) = exact.filter(|_| !inserted.is_empty()).filter(is_right).filter(has_none) {
            return Some(exact);
        }
        let mut after = text.to_owned();
        for hook in own_hooks(&jsonc::parse(text)?) {
            after = jsonc::take(&after, &HOOKS, &hook)?;
        }
        let was_inserted = |rule: &&Value| inserted.iter().any(|part| part.contains(&rule.to_string()));
        for rule in self.rules.iter().filter(was_inserted) {
            after = jsonc::take(&after, &RULES, rule).unwrap_or(after);
        }
        for path in created {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let value = jsonc::raw(&after, &path).and_then(jsonc::parse);
            let is_empty = value.is_some_and(|value| value == json!({}) || value == json!([]));
            if is_empty {
                after = jsonc::remove(&after, &path)?;
            }
        }
        Some(after).filter(is_right).filter(has_none)
    }

    /// The settings without anything of this hook, and without what is empty then.
    fn without(&self, mut settings: Value) -> Value {
        let own = own_hooks(&settings);
        let is_empty = |value: &Value| *value == json!([]) || *value == json!({});
        for [outer, inner] in [HOOKS, RULES] {
            let Some(members) = settings.get_mut(outer).and_then(Value::as_object_mut) else { continue };
            if let Some(values) = members.get_mut(inner).and_then(Value::as_array_mut) {
                values.retain(|value| !own.contains(value) && !self.rules.contains(value));
            }
            if members.get(inner).is_some_and(is_empty) {
                members.remove(inner);
            }
            if members.is_empty()
                && let Some(settings) = settings.as_object_mut()
            {
                settings.remove(outer);
            }
        }
        settings
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = json!({"hooks": {"PostToolUse": [self.hook]}, "permissions": {"allow": self.rules}});
        writeln!(f, "{whole:#}")
    }
}

/// The objects and lists that are missing in a text and would be created, inner ones first.
pub(super) fn missing(text: &str) -> Vec<Vec<String>> {
    let path = |path: &[&str]| path.iter().map(|name| (*name).to_owned()).collect();
    let paths = [HOOKS, RULES].into_iter().flat_map(|[outer, inner]| [vec![outer, inner], vec![outer]]);
    paths.filter(|names| jsonc::raw(text, names).is_none()).map(|names| path(&names)).collect()
}

/// The hooks that run Headroom, whichever program that is.
pub(super) fn own_hooks(settings: &Value) -> Vec<Value> {
    let is_own = |hook: &Value| {
        hook.get("command")
            .and_then(Value::as_str)
            .is_some_and(|command| command.trim_end().ends_with(COMMAND))
    };
    let runs_only = |group: &&Value| {
        let hooks = group.get("hooks").and_then(Value::as_array);
        hooks.is_some_and(|hooks| !hooks.is_empty() && hooks.iter().all(is_own))
    };
    list(settings, HOOKS).iter().filter(runs_only).cloned().collect()
}

/// The program of a command of this hook.
pub(super) fn program(command: &str) -> String {
    let word = command.trim_end().strip_suffix(COMMAND).unwrap_or(command);
    match word.strip_prefix('\'').and_then(|word| word.strip_suffix('\'')) {
        Some(quoted) => quoted.replace(r"'\''", "'"),
        None => word.to_owned(),
    }
}

fn list(settings: &Value, path: [&str; 2]) -> Vec<Value> {
    let [outer, inner] = path;
    let found = settings.get(outer).and_then(|outer| outer.get(inner)).and_then(Value::as_array);
    found.cloned().unwrap_or_default()
}

/// What was inserted into a text, as far to the left as it can have been; `None` if something else was done to it.
fn insertion(before: &str, after: &str) -> Option<String> {
    let length = after.len().checked_sub(before.len())?;
    let (old, new) = (before.as_bytes(), after.as_bytes());
    let mut at = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    if old.get(at..) != new.get(at + length..) {
        return None;
    }
    while at > 0 && old.get(at - 1) == new.get(at + length - 1) {
        at -= 1;
    }
    after.get(at..at + length).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry::new(Path::new("/opt/head room/headroom"), Some("/home/me/.headroom/plaintext"))
    }

    const SETTINGS: [&str; 6] = [
        "",
        "{}",
        "{\n  // mine\n  \"model\": \"opus\",\n}\n",
        "{\n  \"hooks\": {\n    \"PostToolUse\": [\n      {\"matcher\": \"Edit\", \"hooks\": []}\n    ]\n  }\n}\n",
        "{\"permissions\": {\"allow\": [\"Bash(ls)\"], \"deny\": []}, \"hooks\": {\"Stop\": []}}",
        "{\n\t\"permissions\": {\n\t\t\"allow\": [\n\t\t\t\"mcp__headroom__headroom_retrieve\", // mine\n\t\t],\n\t},\n}",
    ];

    #[test]
    fn what_is_inserted_goes_out_byte_for_byte_whatever_else_changed() {
        for before in SETTINGS {
            let entry = entry();
            let (after, inserted) = entry.insert(before).unwrap();
            assert_eq!(entry.find(&after), ExistingHook::Same, "{after}");
            let created = missing(before);
            let plain = if before.is_empty() { "{}\n" } else { before };
            assert_eq!(entry.remove(&after, &inserted, &created).as_deref(), Some(plain), "{after}");
            // The user adds something.
            let edit = |text: &str| text.replacen('{', "{\"theme\": \"dark\" /* new */,", 1);
            if jsonc::parse(&edit(plain)).is_some() {
                let left = entry.remove(&edit(&after), &inserted, &created);
                assert_eq!(left, Some(edit(plain)), "{after}");
            }
        }
    }

    #[test]
    fn a_text_that_was_written_anew_loses_the_values() {
        for before in SETTINGS {
            let entry = entry();
            let (after, inserted) = entry.insert(before).unwrap();
            let anew = format!("{:#}", jsonc::parse(&after).unwrap());
            let left = entry.remove(&anew, &inserted, &missing(before)).unwrap();
            let plain = if before.is_empty() { "{}" } else { before };
            assert_eq!(jsonc::parse(&left), jsonc::parse(plain), "{left}");
        }
    }

    #[test]
    fn hooks_of_others_are_not_ours() {
        let entry = entry();
        for (settings, found) in [
            (
                "{\"hooks\": {\"PostToolUse\": [{\"hooks\": [{\"command\": \"rtk hook claude\"}]}]}}",
                ExistingHook::Missing,
            ),
            (
                "{\"hooks\": {\"PostToolUse\": [{\"hooks\": [{\"command\": \"x hook run claude\"}]}]}}",
                ExistingHook::Other,
            ),
            ("[]", ExistingHook::Unreadable),
            ("{", ExistingHook::Unreadable),
        ] {
            assert_eq!(entry.find(settings), found, "{settings}");
        }
        assert_eq!(program(entry.hook["hooks"][0]["command"].as_str().unwrap()), "/opt/head room/headroom");
        assert_eq!(entry.insert("{\"hooks\": []}"), None);
        assert_eq!(entry.insert("{\"hooks\": {\"PostToolUse\": {}}}"), None);
    }
}
