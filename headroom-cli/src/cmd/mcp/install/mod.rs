//! `headroom mcp install` and `uninstall`: edit one entry in another program's file.

mod client;
mod entry;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::json;

pub(super) use self::client::McpClient;
pub(crate) use self::client::serves_claude;
use self::{client::McpEntry, entry::ExistingEntry};
use super::args::InstallArgs;
use crate::{dirs::state_home, file, journal::Journal, output};

/// Why a configuration was not changed. The file is unchanged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InstallError {
    #[error("HOME is not set, so the files of {client} cannot be found")]
    Home { client: &'static str },
    #[error("cannot find the path of this program")]
    Program(#[source] io::Error),
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "{} has another entry named headroom; remove it, or change it by hand to:\n{entry}", path.display()
    )]
    Other { path: PathBuf, entry: String },
    #[error(
        "{} cannot be changed safely (unexpected format), and was left unchanged; add this by \
         hand:\n{entry}", path.display()
    )]
    Unsafe { path: PathBuf, entry: String },
    #[error(
        "the headroom entry in {} was changed since, or cannot be removed safely; it was left unchanged, \
         remove it by hand", path.display()
    )]
    Changed { path: PathBuf },
    #[error("cannot write standard output")]
    Print(#[source] io::Error),
}

impl InstallError {
    /// Whether the command was called wrongly: exit status 2.
    pub(super) const fn is_usage(&self) -> bool {
        matches!(self, Self::Home { .. })
    }
}

/// A change of one file.
#[derive(Debug, Deserialize, Serialize)]
struct InstallChange {
    file: PathBuf,
    /// The text before the change; `None` if there was no file.
    before: Option<String>,
    /// The text after the change.
    after: String,
}

/// The files of one client.
struct InstallTarget {
    client: McpClient,
    file: PathBuf,
    journal: Journal,
    entry: McpEntry,
}

impl InstallTarget {
    fn for_client(client: McpClient) -> Result<Self, InstallError> {
        let program = env::current_exe().map_err(InstallError::Program)?;
        let place = || Some((client.file()?, Journal::new(state_home()?.join("headroom/mcp"))));
        let (file, journal) = place().ok_or(InstallError::Home { client: client.as_str() })?;
        Ok(Self { client, file, journal, entry: client.entry(&program) })
    }

    /// The record of the change.
    fn record(&self) -> PathBuf {
        self.journal.path(self.client.as_str())
    }

    fn forget(&self) -> Result<(), InstallError> {
        let forgotten = self.journal.forget(self.client.as_str());
        forgotten.map_err(|source| InstallError::Write { path: self.record(), source })
    }

    fn read(&self) -> Result<Option<String>, InstallError> {
        file::read(&self.file).map_err(|source| InstallError::Read { path: self.file.clone(), source })
    }

    fn write(&self, text: &str) -> Result<(), InstallError> {
        file::replace(&self.file, text)
            .map_err(|source| InstallError::Write { path: self.file.clone(), source })
    }
}

/// Reports the result for a file, in words or as JSON.
struct InstallReport<'a> {
    args: &'a InstallArgs,
    file: &'a Path,
}

impl InstallReport<'_> {
    /// `what` is a label for programs, `words` are for people; `text` is what would be written.
    fn say(&self, what: &str, words: &str, text: Option<&str>) -> Result<(), InstallError> {
        let line = if self.args.json {
            let mut told = json!({"client": self.args.client.as_str(), "file": self.file, "outcome": what});
            if let (Some(text), Some(fields)) = (text, told.as_object_mut()) {
                fields.insert("text".to_owned(), json!(text));
            }
            format!("{told}\n")
        } else {
            words.to_owned()
        };
        output::write(line.as_bytes()).map_err(InstallError::Print)
    }
}

/// Adds the entry.
pub(super) fn install(args: &InstallArgs) -> Result<(), InstallError> {
    let client = args.client;
    let place = InstallTarget::for_client(client)?;
    let file = place.file.display();
    let told = InstallReport { args, file: &place.file };
    if args.print {
        let entry = place.entry.to_string();
        return told.say("would_add", &format!("In {file}:\n{entry}"), Some(&entry));
    }
    let before = place.read()?;
    let text = before.as_deref().unwrap_or_default();
    let entry = || place.entry.to_string();
    match place.entry.find(text) {
        ExistingEntry::Same => return told.say("unchanged", &format!("{file} has it already\n"), None),
        ExistingEntry::Other => return Err(InstallError::Other { path: place.file.clone(), entry: entry() }),
        ExistingEntry::Unreadable => {
            return Err(InstallError::Unsafe { path: place.file.clone(), entry: entry() });
        }
        ExistingEntry::Missing => {}
    }
    let Some(after) = place.entry.insert(text) else {
        return Err(InstallError::Unsafe { path: place.file.clone(), entry: entry() });
    };
    // Written first, so that the change can be undone at any moment.
    let change = InstallChange { file: place.file.clone(), before, after };
    place
        .journal
        .write(client.as_str(), &change)
        .map_err(|source| InstallError::Write { path: place.record(), source })?;
    place.write(&change.after)?;
    let words = format!("{file} has the server now; restart {} to use it\n", client.as_str());
    told.say("added", &words, None)
}

/// Restores the file if nobody changed it since; otherwise removes the entry only.
pub(super) fn uninstall(args: &InstallArgs) -> Result<(), InstallError> {
    let place = InstallTarget::for_client(args.client)?;
    let file = place.file.display();
    let told = InstallReport { args, file: &place.file };
    let change: Option<InstallChange> = place
        .journal
        .read(args.client.as_str())
        .map_err(|source| InstallError::Read { path: place.record(), source })?;
    let change = change.filter(|change| change.file == place.file);
    let Some(text) = place.read()? else {
        place.forget()?;
        return told.say("unchanged", &format!("{file} does not exist; nothing to undo\n"), None);
    };
    let untouched = change.filter(|change| change.after == text);
    let (after, what, words) = match (untouched, place.entry.find(&text)) {
        (Some(change), _) => (change.before, "restored", "is as it was before"),
        (None, ExistingEntry::Missing) => {
            place.forget()?;
            return told.say("unchanged", &format!("{file} has no such entry; nothing to undo\n"), None);
        }
        (None, ExistingEntry::Same) => match place.entry.remove(&text) {
            Some(after) => (Some(after), "removed", "was changed since; the entry alone was removed"),
            None => return Err(InstallError::Changed { path: place.file.clone() }),
        },
        (None, ExistingEntry::Other | ExistingEntry::Unreadable) => {
            return Err(InstallError::Changed { path: place.file.clone() });
        }
    };
    if args.print {
        let after = after.unwrap_or_default();
        return told.say("would_leave", &format!("{file} would be:\n{after}"), Some(&after));
    }
    match after {
        Some(after) => place.write(&after)?,
        None => fs::remove_file(&place.file)
            .map_err(|source| InstallError::Write { path: place.file.clone(), source })?,
    }
    place.forget()?;
    told.say(what, &format!("{file} {words}\n"), None)
}
