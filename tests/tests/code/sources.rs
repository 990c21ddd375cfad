//! Files that people wrote, from wherever this machine has them.

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash, Hasher},
    path::{Path, PathBuf},
};

use headroom_core::Language;

const PLACES: [&str; 8] = [
    "~/.cargo/registry/src",
    "/usr/include",
    "/usr/lib/git-core",
    "/usr/lib/node_modules",
    "/usr/lib/python3",
    "/usr/share/perl",
    "/usr/share/perl5",
    "/usr/local/lib",
];
const MAX_BYTES: u64 = 300_000;
const MIN_BYTES: u64 = 1500;

/// The files below the places, in an order that mixes them and is the same each time.
pub(crate) fn files() -> Vec<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let own = std::env::var("HEADROOM_SOURCES").unwrap_or_default();
    let places = if own.is_empty() { PLACES.to_vec() } else { own.split(':').collect() };
    let mut folders: Vec<PathBuf> =
        places.iter().map(|place| PathBuf::from(place.replacen('~', &home, 1))).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_symlink() {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else if path.metadata().is_ok_and(|data| (MIN_BYTES..MAX_BYTES).contains(&data.len())) {
                files.push(path);
            }
        }
    }
    files.sort_by_cached_key(|path| hash(path));
    files
}

pub(crate) fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

/// The languages that a file may be in, by its name or its first line.
pub(crate) fn languages(path: &Path, text: &str) -> Vec<Language> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match Language::from_file_name(&name) {
        Some(Language::C) if name.ends_with(".h") => vec![Language::C, Language::Cpp],
        Some(language) => vec![language],
        None if name.contains('.') => Vec::new(),
        None => Language::from_shebang(text).into_iter().collect(),
    }
}

/// A name that the file defines, from its middle.
pub(crate) fn name_in(text: &str) -> String {
    let middle = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let word = |word: &&str| word.len() > 7 && word.starts_with(|c: char| c.is_alphabetic());
    text[middle..].split(|c: char| !c.is_alphanumeric() && c != '_').find(word).unwrap_or("main").to_owned()
}
