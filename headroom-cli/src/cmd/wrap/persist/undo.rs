//! Undoes recorded changes.

use std::{fmt, fs, io, path::PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{
    PersistError,
    change::{self, Key, PersistChange, name},
    journal, say, service,
    text::{self, unquoted},
};
use crate::{
    cmd::{
        hook::{self, Removal},
        wrap::{agent::Agent, args::UnwrapArgs},
    },
    file,
    journal::Journal,
};

/// The result for a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// Restored to its previous text.
    Restored,
    /// Removed, as it did not exist before.
    Removed,
    /// Unchanged, for this reason.
    Nothing(&'static str),
    /// Headroom's keys were removed, except those that were changed since.
    Keys { kept: Vec<String> },
}

impl Undone {
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Restored => "restored",
            Self::Removed => "removed",
            Self::Nothing(_) => "nothing",
            Self::Keys { .. } => "keys",
        }
    }

    fn sentence(&self) -> String {
        match self {
            Self::Restored => "is as it was before".to_owned(),
            Self::Removed => "did not exist before, and was deleted".to_owned(),
            Self::Nothing(why) => format!("{why}; nothing to undo"),
            Self::Keys { kept } if kept.is_empty() => {
                "was changed since; Headroom's keys alone were removed".to_owned()
            }
            Self::Keys { kept } => format!(
                "was changed since; Headroom's keys were removed, except {}, which was changed",
                kept.join(", ")
            ),
        }
    }
}

/// Undoes the changes of `headroom wrap --persist`.
pub(crate) fn unwrap(args: &UnwrapArgs) -> Result<(), PersistError> {
    let journal = journal()?;
    let all = args.agents.is_empty();
    let agents = if all { Agent::value_variants() } else { &args.agents };
    let mut done = Vec::new();
    let mut failed = None;
    for agent in agents {
        let agent = name(*agent);
        let change: Option<PersistChange> = journal.read(&agent).map_err(PersistError::Journal)?;
        let Some(change) = change else {
            if !all {
                done.push((agent, None, Undone::Nothing("was not persisted")));
            }
            continue;
        };
        let undone = if args.print {
            plan(&change).map(|(undone, _)| undone)
        } else {
            undo(&journal, &agent, &change)
        };
        match undone {
            Ok(undone) => done.push((agent, Some(change.file), undone)),
            // The others are undone anyway.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let mut hooks = Vec::new();
    if all || agents.iter().any(|agent| agent.is_claude()) {
        for (agent, file, removal) in hook::remove_all(args.print) {
            match removal {
                Ok(removal) => hooks.push((agent, file, removal)),
                Err(error) => failed = failed.or(Some(error.into())),
            }
        }
    }
    let is_last = change::persisted().is_empty() && !args.print;
    let stopped = if is_last { service::stop(&journal)? } else { false };
    let report = UndoReport { done, hooks, stopped };
    match (args.json, report.is_empty()) {
        (true, _) => say(&format!("{}\n", report.to_json()))?,
        (false, true) if failed.is_none() => say("no agent is persisted; nothing to undo\n")?,
        (false, _) => say(&report.to_string())?,
    }
    failed.map_or(Ok(()), Err)
}

/// What was undone, or would be.
struct UndoReport {
    /// Agents with their files.
    done: Vec<(String, Option<PathBuf>, Undone)>,
    /// Agents whose settings had a hook.
    hooks: Vec<(&'static str, PathBuf, Removal)>,
    /// Whether the service was removed.
    stopped: bool,
}

impl UndoReport {
    fn is_empty(&self) -> bool {
        self.done.is_empty() && self.hooks.is_empty() && !self.stopped
    }

    fn to_json(&self) -> Value {
        let done = self.done.iter().map(|(agent, file, undone)| {
            let kept = if let Undone::Keys { kept } = undone { kept.as_slice() } else { &[] };
            json!({"agent": agent, "file": file, "what": undone.as_str(), "kept": kept})
        });
        let hooks = self
            .hooks
            .iter()
            .map(|(agent, file, removal)| json!({"agent": agent, "file": file, "what": removal.as_str()}));
        json!({
            "undone": done.collect::<Vec<_>>(), "hooks": hooks.collect::<Vec<_>>(), "service_removed": self.stopped
        })
    }
}

impl fmt::Display for UndoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (agent, file, undone) in &self.done {
            match file {
                Some(file) => writeln!(f, "{agent}: {} {}", file.display(), undone.sentence())?,
                None => writeln!(f, "{agent} {}", undone.sentence())?,
            }
        }
        for (agent, file, removal) in &self.hooks {
            writeln!(f, "{agent}, hook: {} {}", file.display(), removal.sentence())?;
        }
        if self.stopped { writeln!(f, "the service is stopped and removed") } else { Ok(()) }
    }
}

/// Undoes one change and deletes its record.
pub(super) fn undo(journal: &Journal, agent: &str, change: &PersistChange) -> Result<Undone, PersistError> {
    let failed = |source| PersistError::Write { path: change.file.clone(), source };
    file::sweep(&change.file);
    let (undone, text) = plan(change)?;
    match (&undone, text) {
        (_, Some(text)) => file::replace(&change.file, &text).map_err(failed)?,
        (Undone::Removed, None) => {
            fs::remove_file(&change.file).map_err(failed)?;
        }
        (_, None) => {}
    }
    if change.before.is_none() && !change.file.exists() {
        for folder in &change.folders {
            // Others may have put something there.
            if fs::remove_dir(folder).is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
                break;
            }
        }
    }
    journal.forget(agent).map_err(PersistError::Journal)?;
    Ok(undone)
}

/// Returns what is to be done, and the new text.
fn plan(change: &PersistChange) -> Result<(Undone, Option<String>), PersistError> {
    let now = file::read(&change.file)
        .map_err(|source| PersistError::Read { path: change.file.clone(), source })?;
    let Some(now) = now else { return Ok((Undone::Nothing("does not exist"), None)) };
    if now == change.after {
        return Ok(match &change.before {
            Some(before) => (Undone::Restored, Some(before.clone())),
            None => (Undone::Removed, None),
        });
    }
    if change.before.as_ref() == Some(&now) {
        return Ok((Undone::Nothing("is as it was before"), None));
    }
    let by_hand = || {
        let keys = change.keys.iter().map(|key| match &key.before {
            Some(before) => format!("set {} to {before}", text::name(&key.path)),
            None => format!("remove {}", text::name(&key.path)),
        });
        let what = keys.collect::<Vec<_>>().join(", ");
        PersistError::Unsafe { path: change.file.clone(), what }
    };
    let mut text = now.clone();
    let mut kept = Vec::new();
    for key in change.keys.iter().rev() {
        if undone::stands(change, key, &text) {
            text = undone::without(change, key, &text).ok_or_else(by_hand)?;
        } else if undone::is_other(change, key, &text).map_err(|_| by_hand())? {
            kept.push(text::name(&key.path));
        }
    }
    let text = (text != now).then_some(text);
    Ok((Undone::Keys { kept }, text))
}

/// Undoes single keys of a change in a text that was edited since.
pub(super) mod undone {
    use super::{Key, PersistChange, text::Unreadable, unquoted};

    fn names(key: &Key) -> Vec<&str> {
        key.path.iter().map(String::as_str).collect()
    }

    /// Whether the key has the value that was written.
    pub(in crate::cmd::wrap::persist) fn stands(change: &PersistChange, key: &Key, text: &str) -> bool {
        let now = change.format.get(text, &names(key)).ok().flatten();
        now.is_some_and(|now| unquoted(&now) == unquoted(&key.value))
    }

    /// Whether the key has a value that is neither the written nor the previous one.
    pub(super) fn is_other(change: &PersistChange, key: &Key, text: &str) -> Result<bool, Unreadable> {
        Ok(change.format.get(text, &names(key))?.is_some_and(|now| key.before.as_ref() != Some(&now)))
    }

    /// Returns the text with the previous value. Objects created for the key are removed if they are empty.
    pub(super) fn without(change: &PersistChange, key: &Key, text: &str) -> Option<String> {
        let mut names = names(key);
        if let Some(before) = &key.before {
            return change.format.set(text, &names, before);
        }
        let mut text = change.format.remove(text, &names)?;
        for _ in 0..key.made {
            names.pop();
            let left = change.format.get(&text, &names).ok()??;
            if left.trim_start_matches('{').trim_end_matches('}').trim().is_empty() {
                text = change.format.remove(&text, &names)?;
            }
        }
        Some(text)
    }
}
