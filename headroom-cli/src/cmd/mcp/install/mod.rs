//! `headroom mcp install` and `uninstall`: one entry in a file that is not ours.

mod client;
mod entry;
mod journal;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use serde_json::json;

pub(super) use self::client::McpClient;
use self::{client::McpEntry, entry::ExistingEntry, journal::InstallChange};
use super::args::InstallArgs;
use crate::{file, output};

/// Why a configuration was not changed. It is then as it was.
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
        "{} has another entry named headroom; take it out, or change it by hand to:\n{entry}", path.display()
    )]
    Other { path: PathBuf, entry: String },
    #[error(
        "{} cannot be changed safely (it is not in the form expected), and was left as it is; put this into it by \
         hand:\n{entry}", path.display()
    )]
    Unsafe { path: PathBuf, entry: String },
    #[error(
        "the headroom entry in {} is not the one that was written, or cannot be cut out safely; it was left as it is, \
         take it out by hand", path.display()
    )]
    Changed { path: PathBuf },
    #[error("cannot write standard output")]
    Print(#[source] io::Error),
}

impl InstallError {
    /// Whether `headroom` has to be called differently.
    pub(super) const fn is_usage(&self) -> bool {
        matches!(self, Self::Home { .. })
    }
}

/// Where everything is for one client.
struct InstallTarget {
    file: PathBuf,
    journal: PathBuf,
    entry: McpEntry,
}

impl InstallTarget {
    fn for_client(client: McpClient) -> Result<Self, InstallError> {
        let program = env::current_exe().map_err(InstallError::Program)?;
        let place = || Some((client.file()?, journal::path(client)?));
        let (file, journal) = place().ok_or(InstallError::Home { client: client.as_str() })?;
        Ok(Self { file, journal, entry: client.entry(&program) })
    }

    fn read(&self) -> Result<Option<String>, InstallError> {
        file::read(&self.file).map_err(|source| InstallError::Read { path: self.file.clone(), source })
    }

    fn write(&self, text: &str) -> Result<(), InstallError> {
        file::replace(&self.file, text)
            .map_err(|source| InstallError::Write { path: self.file.clone(), source })
    }
}

/// Says what became of a file, in words or as JSON.
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

/// Puts the entry in.
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
    // First, so that there is no moment in which the change could not be undone.
    let change = InstallChange { file: place.file.clone(), before, after };
    change
        .write(&place.journal)
        .map_err(|source| InstallError::Write { path: place.journal.clone(), source })?;
    place.write(&change.after)?;
    let words = format!("{file} has the server now; start {} again to use it\n", client.as_str());
    told.say("added", &words, None)
}

/// Takes the entry out: the file as it was before where nobody changed it since, else without the entry.
pub(super) fn uninstall(args: &InstallArgs) -> Result<(), InstallError> {
    let place = InstallTarget::for_client(args.client)?;
    let file = place.file.display();
    let told = InstallReport { args, file: &place.file };
    let change = InstallChange::read(&place.journal)
        .map_err(|source| InstallError::Read { path: place.journal.clone(), source })?
        .filter(|change| change.file == place.file);
    let Some(text) = place.read()? else {
        forget(&place.journal)?;
        return told.say("unchanged", &format!("{file} is not there; nothing to undo\n"), None);
    };
    let untouched = change.filter(|change| change.after == text);
    let (after, what, words) = match (untouched, place.entry.find(&text)) {
        (Some(change), _) => (change.before, "restored", "is as it was before"),
        (None, ExistingEntry::Missing) => {
            forget(&place.journal)?;
            return told.say("unchanged", &format!("{file} has no such entry; nothing to undo\n"), None);
        }
        (None, ExistingEntry::Same) => match place.entry.remove(&text) {
            Some(after) => (Some(after), "removed", "was changed since; the entry alone was taken out"),
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
    forget(&place.journal)?;
    told.say(what, &format!("{file} {words}\n"), None)
}

fn forget(journal: &Path) -> Result<(), InstallError> {
    match fs::remove_file(journal) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(InstallError::Write { path: journal.to_owned(), source })
        }
        _ => Ok(()),
    }
}
