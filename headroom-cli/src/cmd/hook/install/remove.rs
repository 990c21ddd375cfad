//! Takes hooks out of settings.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    HookAgent, HookError,
    entry::ExistingHook,
    own_entry, read,
    record::{self, HookRecord, journal},
};
use crate::file;

/// The result for a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It has its previous text, this one, again.
    Restored(String),
    /// It is deleted, as it did not exist before.
    Deleted,
    /// It was changed since; the hook alone was removed, and this is left.
    Removed(String),
    /// Unchanged, for this reason.
    Nothing(&'static str),
}

impl Removal {
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Restored(_) => "restored",
            Self::Deleted => "deleted",
            Self::Removed(_) => "removed",
            Self::Nothing(_) => "unchanged",
        }
    }

    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::Restored(_) => "is as it was before".to_owned(),
            Self::Deleted => "did not exist before the hook, and was deleted".to_owned(),
            Self::Removed(_) => "was changed since; the hook alone was removed".to_owned(),
            Self::Nothing(why) => format!("{why}; nothing to undo"),
        }
    }

    pub(crate) const fn is_change(&self) -> bool {
        !matches!(self, Self::Nothing(_))
    }

    /// The new text of the file.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Restored(text) | Self::Removed(text) => Some(text),
            Self::Deleted | Self::Nothing(_) => None,
        }
    }
}

/// Takes the hook out of this file and forgets its record, or only says what that would do.
pub(super) fn remove(agent: HookAgent, path: &Path, print: bool) -> Result<Removal, HookError> {
    let (journal, name) = journal(agent, path)?;
    let record: Option<HookRecord> =
        journal.read(&name).map_err(|source| HookError::Read { path: journal.path(&name), source })?;
    let record = record.filter(|record| record.file == path);
    let removal = plan(path, record.as_ref())?;
    if print {
        return Ok(removal);
    }
    let failed = |source| HookError::Write { path: path.to_owned(), source };
    match &removal {
        Removal::Restored(text) | Removal::Removed(text) => file::replace(path, text).map_err(failed)?,
        Removal::Deleted => fs::remove_file(path).map_err(failed)?,
        Removal::Nothing(_) => {}
    }
    journal.forget(&name).map_err(|source| HookError::Write { path: journal.path(&name), source })?;
    for folder in record.iter().flat_map(|record| &record.folders) {
        // Others may have put something there.
        let _ = fs::remove_dir(folder);
    }
    Ok(removal)
}

fn plan(path: &Path, record: Option<&HookRecord>) -> Result<Removal, HookError> {
    let Some(text) = read(path)? else { return Ok(Removal::Nothing("does not exist")) };
    if let Some(record) = record.filter(|record| record.after == text) {
        return Ok(record.before.clone().map_or(Removal::Deleted, Removal::Restored));
    }
    let entry = own_entry()?;
    match entry.find(&text) {
        ExistingHook::Missing => return Ok(Removal::Nothing("has no such hook")),
        ExistingHook::Unreadable => return Err(HookError::Changed { path: path.to_owned() }),
        ExistingHook::Same | ExistingHook::Other => {}
    }
    let (inserted, created) = record.map_or((&[][..], &[][..]), |record| (&record.inserted, &record.created));
    let left = entry.remove(&text, inserted, created);
    left.map(Removal::Removed).ok_or_else(|| HookError::Changed { path: path.to_owned() })
}

/// Takes out all hooks that have a record, or those in one user's settings.
pub(crate) fn remove_all(print: bool) -> Vec<(&'static str, PathBuf, Result<Removal, HookError>)> {
    let files = record::files().into_iter();
    files.map(|(agent, file)| (agent.as_str(), file.clone(), remove(agent, &file, print))).collect()
}
