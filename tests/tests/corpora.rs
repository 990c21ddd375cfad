//! Recorded files, each as the one result of a call that nobody asked anything about: how much goes, and whether what
//! was used of the file later is seen. Searches also with the pattern that the call had.
//!
//! A needle is seen as `corpora/score.py` has it: in the text as it stands, with JSON escapes undone, or with white
//! space folded.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use headroom_core::{Api, CompressOptions, Engine, Original, Outcome, Retrieval, Vocabulary};
use headroom_tests::{
    ask::{Ask, texts},
    data, forms,
    laws::as_drawn,
};
use serde_json::{Value, json};

/// A folder, the least share of tokens that must go, and the least share of needles that must be seen, in percent.
///
/// Texts under `json/robustness` that are no JSON are left out.
const FOLDERS: [(&str, usize, usize); 5] =
    [("json", 65, 97), ("logs", 70, 97), ("search", 25, 97), ("diffs", 0, 97), ("code", 25, 97)];

/// A text to look for needles in.
struct Haystack {
    plain: String,
    folded: String,
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn entities(text: &str) -> String {
    const ENTITIES: [(&str, &str); 6] =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    ENTITIES.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

impl Haystack {
    fn new(text: &str, file: &str) -> Self {
        let mut plain = text.to_owned();
        if (file.ends_with(".json") || file.ends_with(".sarif"))
            && let Ok(value) = serde_json::from_str(text)
        {
            plain.push('\n');
            texts(&value, &mut plain);
        }
        let undone = plain.replace("\\\\", "\\").replace("\\\"", "\"");
        plain.push('\n');
        plain.push_str(&undone);
        let folded = fold(&entities(&plain));
        Self { plain, folded }
    }

    fn has(&self, needle: &str) -> bool {
        self.plain.contains(needle) || self.folded.contains(fold(needle).as_str())
    }
}

#[derive(Debug, Default)]
struct Count {
    before: usize,
    after: usize,
    needles: usize,
    seen: usize,
}

impl Count {
    fn add(
        &mut self,
        root: &Path,
        path: &Path,
        call: (&str, Value),
        needles: &Value,
        lost: &mut Vec<String>,
    ) {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let (tool, arguments) = call;
        let ask = Ask { question: "Look at it.", tool, arguments, result: &text };
        let body = ask.body(Api::OpenAiChat);
        let outcome = Engine::new().compress(
            Api::OpenAiChat,
            &body,
            &CompressOptions::new().retrieval(Retrieval::ServerTool),
        );
        let shown = Ask::result_in(Api::OpenAiChat, outcome.body().unwrap_or(&body));
        let originals: &[Original] = match &outcome {
            Outcome::Rewritten { originals, .. } => originals,
            Outcome::Unchanged { .. } => &[],
        };
        let tokenizer = Vocabulary::O200kBase;
        let before = tokenizer.count(&text);
        let after = if shown == text { before } else { tokenizer.count(&shown) };
        self.before += before;
        self.after += after;
        let kind = outcome.report().blocks.first().map_or("", |block| block.kind.as_str());
        println!("{before:6} -> {after:6} {kind:9} {name}");

        let strong = strong(&needles[&name]);
        if strong.is_empty() {
            return;
        }
        self.look_for(&strong, (&name, &text, &shown), originals, lost);
    }

    /// Counts the needles that are visible, and names those that are nowhere.
    fn look_for(
        &mut self,
        strong: &[&str],
        (name, text, shown): (&str, &str, &str),
        originals: &[Original],
        lost: &mut Vec<String>,
    ) {
        let here = Haystack::new(shown, name);
        let whole = Haystack::new(&forms::decoded(text, shown), name);
        // An original has its escape sequences.
        let drawn = |text: &str| text.split('\n').map(as_drawn).collect::<Vec<_>>().join("\n");
        let aside: Vec<Haystack> = originals
            .iter()
            .flat_map(|original| [original.content().to_owned(), drawn(original.content())])
            .map(|text| Haystack::new(&text, name))
            .collect();
        for needle in strong {
            self.needles += 1;
            if here.has(needle) {
                self.seen += 1;
            } else {
                println!("  not seen in {name}: {needle:?}");
                // What a form without loss writes in other words is not lost.
                let drawn = as_drawn(needle);
                // A member that is the same in every value stands above the rows.
                let constant = needle.trim_end_matches(',').replace("\": ", "=").replace('"', "");
                if !here.has(&drawn)
                    && !here.has(&constant)
                    && !whole.has(needle)
                    && !aside.iter().any(|original| original.has(&drawn))
                {
                    lost.push(format!("{name}: {needle:?}"));
                }
            }
        }
    }
}

/// Returns the needles of a file that must not be lost.
fn strong(file: &Value) -> Vec<&str> {
    let needles = file["needles"].as_array().map(Vec::as_slice).unwrap_or_default();
    needles
        .iter()
        .filter(|needle| needle["strength"] != "weak")
        .filter_map(|needle| needle["needle"].as_str())
        .collect()
}

/// Whether the text is one that parsers must, or may, refuse.
fn is_no_json(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    path.parent().unwrap().ends_with("robustness") && (name.starts_with("n_") || name.starts_with("i_"))
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_files_shrink_and_show_what_was_used_of_them() {
    let root = data::shared().expect(data::NEEDED).join("corpora");
    let needles: Value = serde_json::from_slice(&fs::read(root.join("needles.json")).unwrap()).unwrap();
    let (mut rows, mut failed, mut lost) = (Vec::new(), Vec::new(), Vec::new());
    for (folder, saved, visible) in FOLDERS {
        let mut paths = Vec::new();
        files(&root.join(folder), &mut paths);
        let mut count = Count::default();
        for path in &paths {
            if !is_no_json(path) {
                count.add(&root, path, ("run", json!({})), &needles, &mut lost);
            }
        }
        let Count { before, after, needles, seen } = count;
        let (less, share) =
            (100.0 - 100.0 * after as f64 / before as f64, 100.0 * seen as f64 / needles as f64);
        rows.push(format!(
            "{folder:7} {:4} files, {before:7} -> {after:7} tokens, {less:4.1} % less, {seen} of {needles} needles seen ({share:.1} %)",
            paths.len()
        ));
        if needles == 0 || seen * 100 < needles * visible {
            failed.push(format!("{folder}: {seen} of {needles} needles seen, not {visible} %"));
        }
        if after * 100 > before * (100 - saved) {
            failed.push(format!("{folder}: {less:.1} % less, not {saved} %"));
        }
    }
    println!("{}", rows.join("\n"));
    assert!(lost.is_empty(), "neither seen nor omitted:\n{}", lost.join("\n"));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn searches_for_a_known_pattern_show_what_was_used_of_them() {
    let root = data::shared().expect(data::NEEDED).join("corpora");
    let needles: Value = serde_json::from_slice(&fs::read(root.join("needles.json")).unwrap()).unwrap();
    let mut paths = Vec::new();
    files(&root.join("search"), &mut paths);
    let (mut count, mut lost) = (Count::default(), Vec::new());
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // `gitgrep-PATTERN-HASH.txt`
        let Some(pattern) = name.strip_prefix("gitgrep-").and_then(|rest| rest.rsplit_once('-')) else {
            continue;
        };
        let arguments = json!({"pattern": pattern.0, "output_mode": "content", "-n": true});
        count.add(&root, &path, ("Grep", arguments), &needles, &mut lost);
    }
    println!("searches for a known pattern: {count:?}");
    assert!(lost.is_empty(), "neither seen nor omitted:\n{}", lost.join("\n"));
    assert!(count.needles > 0 && count.seen * 100 >= count.needles * 97, "{count:?}");
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn names_in_code_that_are_asked_for_are_seen() {
    let root = data::shared().expect(data::NEEDED).join("corpora");
    let needles: Value = serde_json::from_slice(&fs::read(root.join("needles.json")).unwrap()).unwrap();
    let mut paths = Vec::new();
    files(&root.join("code"), &mut paths);
    let headroom = Engine::new();
    let (mut all, mut missed) = (0, Vec::new());
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        let tool = if name.contains("/read-") { "read_file" } else { "run" };
        let found = needles[&name]["needles"].as_array().map(Vec::as_slice).unwrap_or_default();
        for needle in found.iter().filter_map(|needle| needle["needle"].as_str()) {
            let question = format!("Where is {needle} used?");
            let ask = Ask { question: &question, tool, arguments: json!({"path": name}), result: &text };
            let body = ask.body(Api::OpenAiChat);
            let outcome = headroom.compress(
                Api::OpenAiChat,
                &body,
                &CompressOptions::new().retrieval(Retrieval::ServerTool),
            );
            let shown = Ask::result_in(Api::OpenAiChat, outcome.body().unwrap_or(&body));
            all += 1;
            if !Haystack::new(&shown, &name).has(needle) {
                missed.push(format!("{name}: {needle:?}"));
            }
        }
    }
    println!("{} of {all} names that were asked for are seen", all - missed.len());
    assert!(all > 0 && missed.len() * 100 <= all * 3, "{}", missed.join("\n"));
}
