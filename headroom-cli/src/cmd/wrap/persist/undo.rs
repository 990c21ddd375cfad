//! Taking back what was written.

use std::{fs, io};

use clap::ValueEnum;
use serde_json::json;

use super::{
    Journals, PersistError,
    journal::{Key, PersistChange, name},
    journals, say, service,
    text::{self, unquoted},
};
use crate::{cmd::wrap::agent::Agent, file};

pub(crate) const UNWRAP_EXAMPLES: &str = "\
Undoes `headroom wrap AGENT --persist`. A file that nobody changed since becomes what it was, byte for byte, or goes if \
it was not there. Where it was changed, only Headroom's keys are taken back, and those that lead elsewhere by now stay. \
A `headroom wrap --persist` that was interrupted is healed likewise. With the last agent goes the service that \
--service has set up.

Examples:
  One agent, or all of them:
    headroom unwrap claude
    headroom unwrap
  What that would do:
    headroom unwrap --print

Exit status: 0 undone or nothing to undo, 1 something could not be undone, 2 called wrongly.";

#[derive(Debug, clap::Args)]
pub(crate) struct UnwrapArgs {
    /// The agents [default: all]
    #[arg(value_enum, value_name = "AGENT")]
    agents: Vec<Agent>,
    /// Say what would be done, and do nothing
    #[arg(long)]
    print: bool,
    /// Write what was done as JSON
    #[arg(long)]
    json: bool,
}

/// What becomes of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Undone {
    /// As it was before.
    Restored,
    /// It was not there before.
    Removed,
    /// It is as it was, or gone.
    Nothing(&'static str),
    /// Without our keys; these lead elsewhere by now.
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
            Self::Removed => "was not there before, and is gone".to_owned(),
            Self::Nothing(why) => format!("{why}; nothing to undo"),
            Self::Keys { kept } if kept.is_empty() => {
                "was changed since; Headroom's keys alone were taken back".to_owned()
            }
            Self::Keys { kept } => format!(
                "was changed since; Headroom's keys were taken back, but for {}, which is yours by now",
                kept.join(", ")
            ),
        }
    }
}

/// Undoes what was persisted.
pub(crate) fn unwrap(args: &UnwrapArgs) -> Result<(), PersistError> {
    let journals = journals()?;
    let all = args.agents.is_empty();
    let agents = if all { Agent::value_variants() } else { &args.agents };
    let mut done = Vec::new();
    let mut failed = None;
    for agent in agents {
        let agent = name(*agent);
        let change: Option<PersistChange> = journals.read(&agent).map_err(PersistError::Journal)?;
        let Some(change) = change else {
            if !all {
                done.push((agent, None, Undone::Nothing("was not persisted")));
            }
            continue;
        };
        let undone = if args.print {
            plan(&change).map(|(undone, _)| undone)
        } else {
            undo(&journals, &agent, &change)
        };
        match undone {
            Ok(undone) => done.push((agent, Some(change.file), undone)),
            // The others are undone all the same.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let is_last = super::journal::persisted().is_empty() && !args.print;
    let stopped = if is_last { service::stop(&journals)? } else { false };
    if args.json {
        let done = done.iter().map(|(agent, file, undone)| {
            let kept = if let Undone::Keys { kept } = undone { kept.as_slice() } else { &[] };
            json!({"agent": agent, "file": file, "what": undone.as_str(), "kept": kept})
        });
        say(&format!("{}\n", json!({"undone": done.collect::<Vec<_>>(), "service_removed": stopped})))?;
    } else {
        let lines = done.iter().map(|(agent, file, undone)| match file {
            Some(file) => format!("{agent}: {} {}\n", file.display(), undone.sentence()),
            None => format!("{agent} {}\n", undone.sentence()),
        });
        let mut text: String = lines.collect();
        if text.is_empty() && failed.is_none() {
            text.push_str("no agent is persisted; nothing to undo\n");
        }
        if stopped {
            text.push_str("the service is stopped and gone\n");
        }
        say(&text)?;
    }
    failed.map_or(Ok(()), Err)
}

/// Undoes one change and forgets it.
pub(super) fn undo(journals: &Journals, agent: &str, change: &PersistChange) -> Result<Undone, PersistError> {
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
    journals.forget(agent).map_err(PersistError::Journal)?;
    Ok(undone)
}

/// What is to be done, and the text that is to be written.
fn plan(change: &PersistChange) -> Result<(Undone, Option<String>), PersistError> {
    let now = file::read(&change.file)
        .map_err(|source| PersistError::Read { path: change.file.clone(), source })?;
    let Some(now) = now else { return Ok((Undone::Nothing("is not there"), None)) };
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
            None => format!("take {} out", text::name(&key.path)),
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

/// Single keys of a change, in a text that is another by now.
pub(super) mod undone {
    use super::{Key, PersistChange, text::Unreadable, unquoted};

    fn names(key: &Key) -> Vec<&str> {
        key.path.iter().map(String::as_str).collect()
    }

    /// Whether the key says what was written.
    pub(in crate::cmd::wrap::persist) fn stands(change: &PersistChange, key: &Key, text: &str) -> bool {
        let now = change.format.get(text, &names(key)).ok().flatten();
        now.is_some_and(|now| unquoted(&now) == unquoted(&key.value))
    }

    /// Whether it says something else that was not there before either.
    pub(super) fn is_other(change: &PersistChange, key: &Key, text: &str) -> Result<bool, Unreadable> {
        Ok(change.format.get(text, &names(key))?.is_some_and(|now| key.before.as_ref() != Some(&now)))
    }

    /// The text with what stood there before. Objects that were made for it go if nothing else is in them.
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
