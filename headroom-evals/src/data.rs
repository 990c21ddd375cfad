//! Finds recorded data, and remembers which of it was used.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::report::Source;

/// A folder of recorded data: `workloads`, `corpora/agent-traces`, `corpora/logs` and others.
///
/// It remembers what was read, so that a report can name its data.
#[derive(Debug, Default)]
pub struct Data {
    root: Option<PathBuf>,
    used: BTreeMap<String, BTreeMap<String, (u64, blake3::Hash)>>,
}

/// A file of recorded data.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path in the folder, separated by `/`.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

impl File {
    /// Returns the content as text, with invalid UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }

    /// Returns the file name without its folders.
    #[must_use]
    pub fn base(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

impl Data {
    /// Creates an accessor for the data in a folder, if there is one.
    #[must_use]
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root, used: BTreeMap::new() }
    }

    /// Whether there is a folder.
    #[must_use]
    pub const fn is_there(&self) -> bool {
        self.root.is_some()
    }

    /// Reads all files in a folder and its subfolders, sorted by name; empty if the folder does not exist.
    ///
    /// # Errors
    ///
    /// Fails if an existing folder or file cannot be read.
    pub fn files(&mut self, folder: &str) -> io::Result<Vec<File>> {
        let Some(root) = &self.root else { return Ok(Vec::new()) };
        let mut paths = Vec::new();
        let start = root.join(folder);
        if start.is_dir() {
            walk(&start, &mut paths)?;
        }
        let mut files = Vec::new();
        for path in paths {
            files.push(File { name: name(root, &path), content: fs::read(&path)? });
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        for file in &files {
            self.note(folder, file);
        }
        Ok(files)
    }

    /// Reads one file; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the file exists but cannot be read.
    pub fn file(&mut self, folder: &str, file: &str) -> io::Result<Option<File>> {
        let Some(root) = &self.root else { return Ok(None) };
        let path = root.join(folder).join(file);
        if !path.is_file() {
            return Ok(None);
        }
        let file = File { name: name(root, &path), content: fs::read(&path)? };
        self.note(folder, &file);
        Ok(Some(file))
    }

    /// Reads one file as JSON; `None` if it does not exist or is not JSON.
    ///
    /// # Errors
    ///
    /// Fails if the file exists but cannot be read.
    pub fn json(&mut self, folder: &str, file: &str) -> io::Result<Option<Value>> {
        let file = self.file(folder, file)?;
        Ok(file.and_then(|file| serde_json::from_slice(&file.content).ok()))
    }

    fn note(&mut self, folder: &str, file: &File) {
        let entry = (file.content.len() as u64, blake3::hash(&file.content));
        self.used.entry(folder.to_owned()).or_default().insert(file.name.clone(), entry);
    }

    /// Returns what was read, by folder.
    #[must_use]
    pub fn used(&self) -> Vec<Source> {
        let source = |(folder, files): (&String, &BTreeMap<String, (u64, blake3::Hash)>)| {
            let mut hasher = blake3::Hasher::new();
            for (name, (_, hash)) in files {
                hasher.update(name.as_bytes()).update(&[0]).update(hash.as_bytes());
            }
            Source {
                name: folder.clone(),
                files: files.len(),
                bytes: files.values().map(|(bytes, _)| bytes).sum(),
                hash: hasher.finalize().to_hex().chars().take(16).collect(),
            }
        };
        self.used.iter().map(source).collect()
    }
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { walk(&path, found)? } else { found.push(path) }
    }
    Ok(())
}

fn name(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let names: Vec<_> = relative.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_known_by_name_and_content_wherever_it_lies() {
        let sources: Vec<_> = ["a", "b"]
            .map(|name| {
                let folder = tempfile::Builder::new().prefix(name).tempdir().unwrap();
                fs::create_dir_all(folder.path().join("logs/x")).unwrap();
                for file in ["logs/2.txt", "logs/x/1.txt"] {
                    fs::write(folder.path().join(file), "text").unwrap();
                }
                let mut data = Data::new(Some(folder.path().to_owned()));
                let files = data.files("logs").unwrap();
                assert_eq!(
                    files.iter().map(|f| &*f.name).collect::<Vec<_>>(),
                    ["logs/2.txt", "logs/x/1.txt"]
                );
                assert!(data.files("none").unwrap().is_empty() && data.file("logs", "3").unwrap().is_none());
                data.used()
            })
            .into();
        assert_eq!(sources[0], sources[1]);
        assert_eq!((sources[0][0].files, sources[0][0].bytes), (2, 8));
    }
}
