//! Reads the list of tasks, and copies their folders.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::AgentsError;

/// The list of tasks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskList {
    #[serde(default)]
    task: Vec<Task>,
}

/// One task for an agent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) prompt: String,
    pub(super) check: String,
    /// In seconds.
    #[serde(default)]
    pub(super) timeout: Option<u32>,
}

/// Reads the tasks; their folders are found from the file's.
pub(super) fn read(path: &Path) -> Result<Vec<Task>, AgentsError> {
    let text =
        fs::read_to_string(path).map_err(|source| AgentsError::Tasks { path: path.to_owned(), source })?;
    let wrong = |said: String| AgentsError::Task { path: path.to_owned(), said };
    let syntax =
        |error: toml::de::Error| AgentsError::Syntax { path: path.to_owned(), said: error.to_string() };
    let mut tasks = toml::from_str::<TaskList>(&text).map_err(syntax)?.task;
    if tasks.is_empty() {
        return Err(wrong("there is no [[task]]".to_owned()));
    }
    let mut names = BTreeSet::new();
    for task in &mut tasks {
        let Task { name, folder, prompt, check, timeout } = task;
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_name) {
            return Err(wrong(format!("task name {name:?}; use letters, digits, '-', '_' and '.'")));
        }
        if !names.insert(name.clone()) {
            return Err(wrong(format!("two tasks are named {name}")));
        }
        if prompt.trim().is_empty() || check.trim().is_empty() || *timeout == Some(0) {
            return Err(wrong(format!("task {name} needs a prompt, a check and a timeout above 0")));
        }
        *folder = path.parent().unwrap_or_else(|| Path::new("")).join(&*folder);
        if !folder.is_dir() {
            return Err(wrong(format!("task {name}: {} is no folder", folder.display())));
        }
    }
    Ok(tasks)
}

/// Copies a folder with everything in it. Links are copied as links; sockets and devices are left out.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            link(&fs::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(to, at)
}

#[cfg(not(unix))]
fn link(to: &Path, at: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(to, at)
}

/// Adds the names and contents of a folder's files to a hash, in an order of their own.
pub(super) fn hash(folder: &Path, hasher: &mut blake3::Hasher) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        let name = entry.file_name();
        hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_encoded_bytes());
        if kind.is_dir() {
            hasher.update(b"d");
            hash(&entry.path(), hasher)?;
            hasher.update(b"e");
        } else if kind.is_file() {
            let content = fs::read(entry.path())?;
            hasher.update(&(content.len() as u64).to_le_bytes()).update(&content);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<Vec<Task>, AgentsError> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("a")).unwrap();
        let path = folder.path().join("tasks.toml");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    #[test]
    fn a_list_that_is_wrong_says_where() {
        let task = |fields: &str| {
            format!("[[task]]\nname = 'one'\nfolder = 'a'\nprompt = 'p'\ncheck = 'c'\n{fields}\n")
        };
        let tasks = list(&task("timeout = 7")).unwrap();
        assert_eq!((tasks[0].timeout, tasks[0].folder.ends_with("a")), (Some(7), true));
        for (text, said) in [
            (String::new(), "there is no [[task]]"),
            (task("colour = 'red'"), "unknown field `colour`"),
            (task("") + &task(""), "two tasks are named one"),
            (task("").replace("'one'", "'../one'"), "task name"),
            (task("").replace("'a'", "'b'"), "is no folder"),
            (task("timeout = 0"), "a timeout above 0"),
            ("[[task]]\nname = 'one'".to_owned(), "missing field `folder`"),
        ] {
            let error = list(&text).unwrap_err();
            assert!(error.to_string().contains(said) && error.is_usage(), "{error}");
        }
    }

    #[test]
    fn a_copy_has_everything_and_the_hash_tells_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("deep/empty")).unwrap();
        fs::write(from.join("deep/file"), "text").unwrap();
        #[cfg(unix)]
        link(Path::new("deep/file"), &from.join("link")).unwrap();
        copy(&from, &to).unwrap();
        assert_eq!(fs::read_to_string(to.join("deep/file")).unwrap(), "text");
        assert!(to.join("deep/empty").is_dir());
        #[cfg(unix)]
        assert_eq!(fs::read_link(to.join("link")).unwrap(), Path::new("deep/file"));
        let name = |folder: &Path| {
            let mut hasher = blake3::Hasher::new();
            hash(folder, &mut hasher).unwrap();
            hasher.finalize()
        };
        assert_eq!(name(&from), name(&to));
        fs::write(to.join("deep/file"), "texd").unwrap();
        assert_ne!(name(&from), name(&to));
    }
}
