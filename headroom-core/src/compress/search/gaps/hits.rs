//! Decides which hits stay, by their files and the hits shown before them.

use rustc_hash::FxHashMap;

use super::{
    super::super::log::{self, view::LineView},
    HitBlock, key,
};
use crate::{
    formats::search::{SearchLine, SearchRowKind},
    relevance::Query,
    text::path::{self, extension},
    tuning::tuning,
};

/// The kind of a file, which determines how many of its hits stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileKind {
    /// Written by people.
    Written,
    Test,
    /// Vendored, generated, locked or minified.
    Made,
    /// A log, whose lines are records.
    Log,
}

impl FileKind {
    fn from_path(path: &str) -> Self {
        // Rows without a path may be from a log.
        if path.is_empty() {
            Self::Log
        } else if path::is_made(path) {
            Self::Made
        } else if matches!(extension(path), Some("log" | "out" | "jsonl" | "ndjson" | "csv" | "tsv")) {
            Self::Log
        } else if path::is_test(path) {
            Self::Test
        } else {
            Self::Written
        }
    }
}

/// The state of a file while its hits are processed.
#[derive(Clone, Copy, Debug, Default)]
struct File {
    hits: u32,
    shown: u32,
    definitions: u32,
    named: bool,
}

/// Decides on each hit by its file and the hits shown before it.
pub(super) struct HitSelector<'a, 't> {
    view: &'a LineView<'t>,
    lines: &'a [SearchLine<'t>],
    blocks: &'a [HitBlock<'t>],
    asked: &'a [bool],
    files: FxHashMap<&'t str, File>,
    total: u32,
    /// Whether definitions are few enough to stand out.
    telling: bool,
    /// Whether files of tests and the like may be elided as a whole.
    crowded: bool,
    /// Rows of logs that may be elided, if there are many.
    records: Vec<bool>,
    /// How often each text was shown.
    shown: FxHashMap<&'t str, u32>,
}

impl<'a, 't> HitSelector<'a, 't> {
    pub(super) fn new(
        view: &'a LineView<'t>,
        lines: &'a [SearchLine<'t>],
        blocks: &'a [HitBlock<'t>],
        asked: &'a [bool],
    ) -> Self {
        let mut files: FxHashMap<&str, File> = FxHashMap::default();
        let mut total = 0_u32;
        for block in blocks {
            let hits = u32::try_from(block.hits.len()).unwrap_or(u32::MAX);
            files.entry(key(block.path)).or_default().hits += hits;
            total = total.saturating_add(hits);
        }
        let (records, shown) = (Vec::new(), FxHashMap::default());
        let (telling, crowded) = (false, false);
        let mut chooser = Self { view, lines, blocks, asked, files, total, telling, crowded, records, shown };
        let hits = blocks.iter().flat_map(|block| &block.hits);
        let definitions = hits.filter(|hit| is_definition(chooser.text(**hit))).count();
        // A search for definitions finds nothing else.
        chooser.telling = definitions * tuning().search.hits_per_definition <= total as usize;
        chooser
    }

    /// Returns the text of a hit without its indentation.
    fn text(&self, hit: usize) -> &'t str {
        match self.lines.get(hit) {
            Some(SearchLine::Row(row)) => row.text.trim_ascii(),
            _ => "",
        }
    }

    pub(super) fn choose(&mut self, text: &str, query: &Query<'_>, kept: &mut [bool]) {
        name_files(query, self.view.len(), &mut self.files);
        let is_log = |(path, file): (&&str, &File)| {
            file.hits > tuning().search.log_hits && FileKind::from_path(path) == FileKind::Log
        };
        if self.files.iter().any(is_log) {
            self.records = record_gaps(text, query, self.view.len());
        }
        let is_written = |(path, _): &(&&str, &File)| FileKind::from_path(path) == FileKind::Written;
        let written: u32 = self.files.iter().filter(is_written).map(|(_, file)| file.hits).sum();
        self.crowded = self.total >= tuning().search.crowded_hits
            && written >= tuning().search.min_written_hits
            && !asks_for_tests(query);
        let mut aside = 0;
        for block in self.blocks {
            let source = FileKind::from_path(block.path);
            let whole = aside < tuning().search.named_in_marker && self.goes_as_a_whole(block, source);
            aside = if whole { aside + 1 } else { 0 };
            if whole {
                show(block, &vec![false; block.hits.len()], self.lines, kept);
                continue;
            }
            let mut file = self.files.get(key(block.path)).copied().unwrap_or_default();
            let shows: Vec<bool> = block.hits.iter().map(|hit| self.shows(*hit, source, &mut file)).collect();
            self.files.insert(key(block.path), file);
            show(block, &shows, self.lines, kept);
        }
    }

    /// Whether this is a test file or a generated file that the query does not name.
    fn goes_as_a_whole(&self, block: &HitBlock<'_>, source: FileKind) -> bool {
        let named = self.files.get(key(block.path)).is_none_or(|file| file.named);
        self.crowded
            && !named
            && matches!(source, FileKind::Test | FileKind::Made)
            && block.hits.iter().all(|hit| self.asked.get(*hit) == Some(&false))
    }

    fn shows(&mut self, hit: usize, source: FileKind, file: &mut File) -> bool {
        let search = &tuning().search;
        let text = self.text(hit);
        let defines = self.telling
            && source == FileKind::Written
            && file.definitions < tuning().search.definitions
            && is_definition(text);
        // A file with most of the hits is the one that was searched.
        let searched = if file.hits > self.total / 2 {
            (self.total / search.hits_per_searched).clamp(search.min_searched, search.max_searched)
        } else {
            0
        };
        let most = most(source, file.hits, self.total).max(searched);
        let shows = self.asked.get(hit) != Some(&false)
            || file.named
            || defines
            || file.shown < most
                && (file.shown == 0 || most == tuning().search.few_in_file || self.is_new(text))
            || source == FileKind::Log && self.records.get(hit) == Some(&false)
            || self.view.is_error(hit) && tells_of_an_error(text);
        file.definitions += u32::from(defines);
        file.shown += u32::from(shows);
        shows
    }

    /// Whether this text was rarely shown so far; counts it as shown if so.
    fn is_new(&mut self, text: &'t str) -> bool {
        let times = self.shown.entry(text).or_default();
        *times += 1;
        *times <= tuning().search.same_text
    }
}

/// Whether the query is about tests or examples.
fn asks_for_tests(query: &Query<'_>) -> bool {
    const WORDS: [&str; 7] = ["example", "examples", "fixture", "fixtures", "spec", "test", "tests"];
    let is_one = |word: &str| WORDS.iter().any(|test| word.eq_ignore_ascii_case(test));
    let texts = [query.question, query.arguments];
    texts.into_iter().flatten().any(|text| text.split(|c: char| !c.is_ascii_alphanumeric()).any(is_one))
}

/// Marks lines that log compression would elide, for files whose lines are records.
fn record_gaps(text: &str, query: &Query<'_>, lines: usize) -> Vec<bool> {
    let mut aside = vec![false; lines];
    for gap in log::gaps(text, query) {
        let range = gap.first as usize - 1..gap.last as usize;
        aside.get_mut(range).unwrap_or_default().fill(true);
    }
    aside
}

/// Marks the files that the query names, if they are few.
fn name_files(query: &Query<'_>, lines: usize, files: &mut FxHashMap<&str, File>) {
    let mut paths: Vec<&str> = files.keys().copied().collect();
    paths.sort_unstable();
    let list = paths.join("\n");
    let Some(view) = LineView::new(&list, query, (1, 1)) else { return };
    let most = u32::try_from((lines / tuning().search.lines_per_named).max(tuning().search.min_named))
        .unwrap_or(u32::MAX);
    for (path, named) in paths.into_iter().zip(view.query()) {
        if let Some(file) = files.get_mut(path).filter(|file| named && file.hits <= most) {
            file.named = true;
        }
    }
}

/// Returns how many of a file's hits stay: fewer if the total is higher.
fn most(source: FileKind, hits: u32, total: u32) -> u32 {
    let search = &tuning().search;
    let (few, many) = (hits <= search.few_in_file, total >= search.many_hits);
    let very_many = total >= search.very_many_hits;
    match source {
        FileKind::Written if few && !very_many => search.few_in_file,
        FileKind::Test if few && !many => search.few_in_file,
        FileKind::Written | FileKind::Test if !many => search.shown_of_few,
        FileKind::Written if !very_many => search.shown_of_many,
        FileKind::Test if !very_many => search.shown_of_tests,
        FileKind::Written | FileKind::Log => search.shown_of_very_many,
        FileKind::Test => search.shown_of_very_many_tests,
        FileKind::Made => search.shown_of_generated,
    }
}

/// Keeps the shown hits of a block with their context, and drops its other rows.
fn show(block: &HitBlock<'_>, shows: &[bool], lines: &[SearchLine<'_>], kept: &mut [bool]) {
    if block.hits.is_empty() {
        return;
    }
    kept.get_mut(block.lines.clone()).unwrap_or_default().fill(false);
    let is_context =
        |at: usize| matches!(lines.get(at), Some(SearchLine::Row(row)) if row.kind == SearchRowKind::Context);
    for (hit, _) in block.hits.iter().zip(shows).filter(|(_, shows)| **shows) {
        let before = (block.lines.start..*hit)
            .rev()
            .take_while(|at| is_context(*at))
            .take(tuning().search.context_lines);
        let after =
            (*hit + 1..block.lines.end).take_while(|at| is_context(*at)).take(tuning().search.context_lines);
        for at in before.chain([*hit]).chain(after) {
            if let Some(kept) = kept.get_mut(at) {
                *kept = true;
            }
        }
    }
}

/// Whether a line starts with a defining keyword. Keywords that precede uses as often are not included.
fn is_definition(text: &str) -> bool {
    let end = text.bytes().position(|byte| matches!(byte, b' ' | b'(' | b'<' | b'\t')).unwrap_or(text.len());
    matches!(
        text.get(..end).unwrap_or_default(),
        "#define"
            | "abstract"
            | "class"
            | "def"
            | "defmodule"
            | "enum"
            | "export"
            | "extern"
            | "final"
            | "fn"
            | "func"
            | "function"
            | "impl"
            | "interface"
            | "macro_rules!"
            | "mod"
            | "module"
            | "namespace"
            | "override"
            | "private"
            | "protected"
            | "pub"
            | "public"
            | "struct"
            | "trait"
            | "type"
            | "union"
    )
}

/// Whether a hit is a compiler's error message, which has the same form.
fn tells_of_an_error(text: &str) -> bool {
    ["error", "fatal", "panic", "FAIL"]
        .iter()
        .any(|word| text.get(..24.min(text.len())).is_some_and(|start| start.contains(word)))
}
