//! Stores answers, so that no question is paid for twice.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::LiveError;
use crate::usage::Usage;

/// A line of `answers.jsonl`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct CacheLine {
    /// A hash of everything that the answer depends on.
    pub(super) key: String,
    pub(super) text: String,
    pub(super) usage: Usage,
    /// Requests that the provider got: more than one if the model retrieved something.
    pub(super) calls: u64,
    /// Whether the answer ended at the most tokens that it may have.
    #[serde(default)]
    pub(super) is_cut: bool,
    /// The log-probability of the reference answer, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) logprob: Option<f64>,
}

/// The file and its content.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    file: File,
    known: HashMap<String, CacheLine>,
}

impl Cache {
    pub(super) fn open(path: &Path) -> Result<Self, LiveError> {
        let failed = |source| LiveError::Keep { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed(error)),
        };
        // The last line may be incomplete if a run was killed; that question is asked again.
        let lines = text.lines().filter_map(|line| serde_json::from_str::<CacheLine>(line).ok());
        let known = lines.map(|line| (line.key.clone(), line)).collect();
        let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), file, known })
    }

    pub(super) fn get(&self, key: &str) -> Option<&CacheLine> {
        self.known.get(key)
    }

    pub(super) fn put(&mut self, line: CacheLine) -> Result<(), LiveError> {
        let failed = |source| LiveError::Keep { path: self.path.clone(), source };
        let mut text = serde_json::to_string(&line).map_err(std::io::Error::from).map_err(failed)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).map_err(failed)?;
        self.known.insert(line.key.clone(), line);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_outlive_a_run_that_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/answers.jsonl");
        let line = |key: &str| CacheLine {
            key: key.to_owned(),
            text: "a\nb".to_owned(),
            usage: Usage::default(),
            calls: 2,
            is_cut: true,
            logprob: Some(-1.5),
        };
        Cache::open(&path).unwrap().put(line("one")).unwrap();
        let mut torn = fs::read_to_string(&path).unwrap();
        torn.push_str("{\"key\":\"tw");
        fs::write(&path, torn).unwrap();
        let mut cache = Cache::open(&path).unwrap();
        assert_eq!((cache.get("one"), cache.get("tw")), (Some(&line("one")), None));
        cache.put(line("three")).unwrap();
        assert_eq!(Cache::open(&path).unwrap().get("three"), Some(&line("three")));
    }
}
