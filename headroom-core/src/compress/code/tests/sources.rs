//! Files that people wrote, from wherever this machine has them: code stays code.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::*;
use crate::compress::source::{have_sentence, is_field};

/// Where sources are found besides those that `HEADROOM_SOURCES` names, between colons.
const PLACES: [&str; 8] = [
    "~/.cargo/registry/src",
    "/usr/share/perl",
    "/usr/share/perl5",
    "/usr/include",
    "/usr/lib/python3",
    "/usr/local/lib",
    "/usr/lib/node_modules",
    "/usr/lib/git-core",
];
/// Files of each language, unless `HEADROOM_SOURCES_MOST` says otherwise.
const MOST: usize = if cfg!(debug_assertions) { 30 } else { 120 };
/// A safeguard for slow machines. How many files were looked at is printed.
const MOST_TIME: Duration = Duration::from_secs(50);

#[derive(Default)]
struct Count {
    files: usize,
    cut: usize,
    broken: usize,
    before: usize,
    after: usize,
}

/// The language of a file, by its name or its first line.
fn language(path: &Path, text: &str) -> Option<Language> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension {
        Some(extension) => {
            Language::from_extension(extension).and_then(|_| language_of(text, path.file_name()?.to_str()?))
        }
        None => Language::from_shebang(text),
    }
}

fn files() -> Vec<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let own = std::env::var("HEADROOM_SOURCES").unwrap_or_default();
    let own: Vec<&str> = own.split(':').filter(|place| !place.is_empty()).collect();
    let places = if own.is_empty() { PLACES.to_vec() } else { own };
    let mut folders: Vec<PathBuf> =
        places.iter().map(|place| PathBuf::from(place.replacen('~', &home, 1))).collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let mut entries: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            if path.is_symlink() {
                continue;
            } else if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    // In an order that mixes the places, and is the same each time.
    files.sort_by_cached_key(|path| *blake3::hash(path.as_os_str().as_encoded_bytes()).as_bytes());
    files
}

#[test]
fn code_that_people_wrote_stays_code() {
    let most = std::env::var("HEADROOM_SOURCES_MOST").ok().and_then(|most| most.parse().ok());
    let start = Instant::now();
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    for path in files() {
        if most.is_none() && start.elapsed() > MOST_TIME {
            println!("stopped after {MOST_TIME:?}");
            break;
        }
        let known =
            path.extension().is_some_and(|end| end.len() <= 5) || path.starts_with("/usr/lib/git-core");
        let Some(bytes) = known.then(|| fs::read(&path).ok()).flatten() else { continue };
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let Some(language) = language(&path, &text).filter(|_| text.len() >= tuning().code.min_bytes) else {
            continue;
        };
        let count = counts.entry(format!("{language:?}")).or_default();
        if count.files >= most.unwrap_or(MOST) {
            continue;
        }
        let name = path.to_string_lossy();
        let query = asked("What is this?", name.rsplit('/').next().unwrap());
        let found = gaps(&text, &query);
        trial::check(&text, &found.iter().map(|framed| framed.omission.clone()).collect::<Vec<_>>());
        let out = shown(&text, &found);
        count.files += 1;
        count.cut += usize::from(!found.is_empty());
        count.before += text.len();
        count.after += out.len();
        let Some(before) = grammar::with(language, |grammar| grammar.parse(&text).map(|tree| errors(&tree)))
        else {
            continue;
        };
        count.broken += usize::from(before > 0);
        if before == 0 && text.len() <= MAX_BYTES {
            // What is tried before all of a text is parsed must not refuse code.
            assert!(is_flawless(&text, language), "a start of {name} is refused");
            let is_strict = !language.takes_anything();
            assert!(!(is_strict && have_sentence(&text, language)), "{name} is taken for prose");
            let first = text.lines().map(str::trim).find(|line| !line.is_empty());
            assert!(!(is_strict && first.is_some_and(is_field)), "{name} is taken for an output");
        }
        assert!(errors_of(&out, language) <= before, "{name} no longer parses");
    }
    if counts.is_empty() {
        println!("skipped: this machine has no sources");
    }
    for (language, Count { files, cut, broken, before, after }) in counts {
        println!(
            "{language:11} {files:4} files, {cut:4} cut, {broken:3} with errors before, {:2} % less",
            100 - 100 * after / before
        );
    }
}
