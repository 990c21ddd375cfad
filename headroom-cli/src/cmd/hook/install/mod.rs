//! `headroom hook install` and `uninstall`: add the hook to another program's settings, and take it out again.

mod entry;
mod record;
mod remove;

use std::{
    env, io,
    path::{Path, PathBuf},
};

use serde_json::json;

use self::{
    entry::{Entry, ExistingHook},
    record::{HookRecord, journal},
};
pub(crate) use self::{
    record::{InstalledHook, installed},
    remove::{Removal, remove_all},
};
use super::{agent::HookAgent, args::HookInstallArgs};
use crate::{
    config::{self, Settings},
    file,
    journal::missing_folders,
    output,
};

/// Why settings were not changed. The file is unchanged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HookError {
    #[error("HOME is not set, so the settings of {agent} cannot be found")]
    Home { agent: &'static str },
    #[error("cannot find the path of this program, or the current folder")]
    Program(#[source] io::Error),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "{} has a hook of another Headroom, or one that was changed; remove it with `headroom hook uninstall`, then \
         install again", path.display()
    )]
    Other { path: PathBuf },
    #[error(
        "{} cannot be changed safely (unexpected format), and was left unchanged; add this by hand:\n{entry}",
        path.display()
    )]
    Unsafe { path: PathBuf, entry: String },
    #[error(
        "the hook in {} cannot be removed safely; it was left unchanged, remove it by hand", path.display()
    )]
    Changed { path: PathBuf },
    #[error("cannot write standard output")]
    Print(#[source] io::Error),
}

impl HookError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Home { .. })
    }
}

/// The settings file that the arguments mean.
fn file_of(args: &HookInstallArgs) -> Result<PathBuf, HookError> {
    if args.project {
        let folder = env::current_dir().map_err(HookError::Program)?;
        return Ok(folder.join(args.agent.project_file()));
    }
    args.agent.user_file().ok_or(HookError::Home { agent: args.agent.as_str() })
}

/// The hook of this program.
fn own_entry() -> Result<Entry, HookError> {
    let program = env::current_exe().map_err(HookError::Program)?;
    // Without its settings the hook stores nothing, so there is nothing to read either.
    let config = config::load(Settings::default(), None).ok();
    let originals = config.as_ref().and_then(|config| config.originals_dir.as_ref());
    Ok(Entry::new(&program, originals.map(|folder| folder.folder())))
}

fn read(path: &Path) -> Result<Option<String>, HookError> {
    file::read(path).map_err(|source| HookError::Read { path: path.to_owned(), source })
}

/// Adds the hook.
pub(super) fn install(args: &HookInstallArgs) -> Result<(), HookError> {
    let (path, entry) = (file_of(args)?, own_entry()?);
    let shown = path.display();
    if args.print {
        let text = entry.to_string();
        return say(args, &path, "would_add", &format!("In {shown}:\n{text}"), Some(&text));
    }
    let before = read(&path)?;
    let text = before.as_deref().unwrap_or_default();
    let not_safe = || HookError::Unsafe { path: path.clone(), entry: entry.to_string() };
    match entry.find(text) {
        ExistingHook::Same => {
            return say(args, &path, "unchanged", &format!("{shown} has it already\n"), None);
        }
        ExistingHook::Other => return Err(HookError::Other { path: path.clone() }),
        ExistingHook::Unreadable => return Err(not_safe()),
        ExistingHook::Missing => {}
    }
    let (after, inserted) = entry.insert(text).ok_or_else(not_safe)?;
    let (journal, name) = journal(args.agent, &path)?;
    let record = HookRecord {
        created: entry::missing(text),
        folders: [missing_folders(&path), missing_folders(&journal.path(&name))].concat(),
        file: path.clone(),
        before,
        after,
        inserted,
    };
    // Written first, so that the change can be undone at any moment.
    journal.write(&name, &record).map_err(|source| HookError::Write { path: journal.path(&name), source })?;
    file::replace(&path, &record.after).map_err(|source| HookError::Write { path: path.clone(), source })?;
    let words =
        format!("{shown} has the hook now; it works from the next session of {} on\n", args.agent.as_str());
    say(args, &path, "added", &words, None)
}

/// Takes the hook out.
pub(super) fn uninstall(args: &HookInstallArgs) -> Result<(), HookError> {
    let path = file_of(args)?;
    let removal = remove::remove(args.agent, &path, args.print)?;
    let words = match (&removal, args.print) {
        (Removal::Nothing(_), _) | (_, false) => format!("{} {}\n", path.display(), removal.sentence()),
        (_, true) => format!("{} would be:\n{}", path.display(), removal.text().unwrap_or_default()),
    };
    let what = if args.print && removal.is_change() { "would_leave" } else { removal.as_str() };
    let text = removal.text().filter(|_| args.print);
    say(args, &path, what, &words, text)
}

/// Reports the result for a file. `what` is a label for programs, `words` are for people; `text` is what would be written.
fn say(
    args: &HookInstallArgs,
    file: &Path,
    what: &str,
    words: &str,
    text: Option<&str>,
) -> Result<(), HookError> {
    let line = if args.json {
        let mut report = json!({"agent": args.agent.as_str(), "file": file, "outcome": what});
        if let (Some(text), Some(fields)) = (text, report.as_object_mut()) {
            fields.insert("text".to_owned(), json!(text));
        }
        format!("{report}\n")
    } else {
        words.to_owned()
    };
    output::write(line.as_bytes()).map_err(HookError::Print)
}
