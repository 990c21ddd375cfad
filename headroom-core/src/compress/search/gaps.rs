//! Chooses rows of a long search result to elide.
//!
//! The first hits of each file stay, so that every file remains named; so do definitions, and rows that the query
//! names. Context stays with its hit. If there are very many hits, those in tests and in generated files are elided as
//! a whole, and the marker names these files with their counts.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    super::log::{
        self,
        view::{LineView, name},
    },
    elide_path::ElidedPath,
    row::{SearchLine, SearchParser, SearchRowKind, same_file},
};
use crate::{
    compress::Omission,
    relevance::Query,
    text::path::{self, extension, is_path},
};

/// Smaller results are left alone.
const MIN_BYTES: usize = 3072;
const MIN_LINES: usize = 40;
/// In smaller results every hit stays: which ones will be used is unknown, and a marker saves little.
const MIN_CHOICE_BYTES: usize = 6144;
/// Results with context are read like files: names from all over them are used.
const MIN_LINES_WITH_CONTEXT: usize = 200;
/// Minimum size of a gap, so that its marker saves tokens.
const MIN_GAP_BYTES: usize = 300;
const MIN_GAP_LINES: usize = 4;
/// A longer line is from a file that no person wrote.
const LONG_LINE: usize = 500;
/// Maximum number of definitions that stay per file, in addition to its first hits.
const DEFINITIONS: u32 = 4;
/// Context rows that stay around a hit.
const CONTEXT: usize = 12;
/// Up to this many hits in one source file stay, unless the total is very high.
const FEW_IN_FILE: u32 = 24;
/// How many hits with the same text count as first hits of their files.
const SAME_TEXT: u32 = 3;
/// A file with at least this many hits may be a log.
const MANY_IN_FILE: u32 = 50;
/// From this many hits on, test files may be elided as a whole, if that many hits are in files written by people.
const MAX_HITS_OF_NAME: u32 = 80;
const MIN_WRITTEN_HITS: u32 = 12;
/// Maximum number of files that one marker names.
const NAMED_IN_MARKER: usize = 24;

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

/// Adjacent rows of one file, and the lines between them.
#[derive(Debug)]
struct HitBlock<'t> {
    path: &'t str,
    lines: Range<usize>,
    hits: Vec<usize>,
}

/// Returns the parts that may be elided, in order and disjoint.
pub(super) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    let Some(view) = LineView::new(text, query, (MIN_BYTES, 2)) else { return Vec::new() };
    let mut parser = SearchParser::parse(view.lines());
    let lines: Vec<SearchLine<'_>> = view.lines().map(|line| parser.line(line)).collect();
    let blocks = blocks(&view, &lines);
    let mut kept = vec![true; view.len()];
    let context = lines
        .iter()
        .filter(|line| matches!(line, SearchLine::Row(row) if row.kind == SearchRowKind::Context))
        .count();
    let hits: usize = blocks.iter().map(|block| block.hits.len()).sum();
    let least = if context * 2 > hits { MIN_LINES_WITH_CONTEXT } else { MIN_LINES };
    let asked = view.query();
    if view.len() >= least && text.len() >= MIN_CHOICE_BYTES {
        HitSelector::new(&view, &lines, &blocks, &asked).choose(text, query, &mut kept);
    }
    long_lines(&view, &lines, &asked, &mut kept);
    drop_breaks(&lines, &mut kept);
    let pays = |run: &Range<usize>| {
        let bytes = view.bytes(run);
        bytes >= MIN_GAP_BYTES && (run.len() >= MIN_GAP_LINES || bytes >= LONG_LINE)
    };
    let carriers = carriers(&lines);
    let runs = view.settle(kept, &carriers, pays);
    if !reads_alike(&lines, &carriers, &runs) {
        return Vec::new();
    }
    let shown = shown(&blocks, &runs);
    runs.into_iter().filter_map(|run| view.gap(&run, summary(&blocks, &run, &shown))).collect()
}

/// Returns the files with a visible row.
fn shown<'t>(blocks: &[HitBlock<'t>], runs: &[Range<usize>]) -> FxHashSet<&'t str> {
    let mut runs = runs.iter().peekable();
    let mut shown = FxHashSet::default();
    for block in blocks {
        while runs.next_if(|run| run.end <= block.lines.start).is_some() {}
        let aside =
            runs.peek().is_some_and(|run| run.start <= block.lines.start && block.lines.end <= run.end);
        if !aside {
            shown.insert(key(block.path));
        }
    }
    shown
}

/// Groups rows into runs of one file.
fn blocks<'t>(view: &LineView<'t>, lines: &[SearchLine<'t>]) -> Vec<HitBlock<'t>> {
    let mut blocks: Vec<HitBlock<'t>> = Vec::new();
    let mut path = "";
    let mut broken = true;
    for (at, line) in lines.iter().enumerate() {
        let row = match line {
            SearchLine::Row(row) => row,
            SearchLine::Break => {
                broken = true;
                continue;
            }
            SearchLine::Other => {
                // The heading of a file.
                let heading = view.line(at);
                if matches!(lines.get(at + 1), Some(SearchLine::Row(row)) if row.path.is_none())
                    && is_path(heading)
                {
                    path = heading;
                }
                broken = true;
                continue;
            }
        };
        let of_row = row.path.unwrap_or(path);
        if broken || !(of_row == path || same_file(of_row, path)) {
            blocks.push(HitBlock { path: of_row, lines: at..at, hits: Vec::new() });
        }
        path = of_row;
        broken = false;
        if let Some(block) = blocks.last_mut() {
            block.lines.end = at + 1;
            if row.kind == SearchRowKind::Hit {
                block.hits.push(at);
            }
        }
    }
    blocks
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
struct HitSelector<'a, 't> {
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
    fn new(
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
        chooser.telling = definitions * 3 <= total as usize;
        chooser
    }

    /// Returns the text of a hit without its indentation.
    fn text(&self, hit: usize) -> &'t str {
        match self.lines.get(hit) {
            Some(SearchLine::Row(row)) => row.text.trim_ascii(),
            _ => "",
        }
    }

    fn choose(&mut self, text: &str, query: &Query<'_>, kept: &mut [bool]) {
        name_files(query, self.view.len(), &mut self.files);
        let is_log = |(path, file): (&&str, &File)| {
            file.hits > MANY_IN_FILE && FileKind::from_path(path) == FileKind::Log
        };
        if self.files.iter().any(is_log) {
            self.records = record_gaps(text, query, self.view.len());
        }
        let is_written = |(path, _): &(&&str, &File)| FileKind::from_path(path) == FileKind::Written;
        let written: u32 = self.files.iter().filter(is_written).map(|(_, file)| file.hits).sum();
        self.crowded =
            self.total >= MAX_HITS_OF_NAME && written >= MIN_WRITTEN_HITS && !asks_for_tests(query);
        let mut aside = 0;
        for block in self.blocks {
            let source = FileKind::from_path(block.path);
            let whole = aside < NAMED_IN_MARKER && self.goes_as_a_whole(block, source);
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
        let text = self.text(hit);
        let defines = self.telling
            && source == FileKind::Written
            && file.definitions < DEFINITIONS
            && is_definition(text);
        // A file with most of the hits is the one that was searched.
        let searched = if file.hits > self.total / 2 { (self.total / 4).clamp(8, 40) } else { 0 };
        let most = most(source, file.hits, self.total).max(searched);
        let shows = self.asked.get(hit) != Some(&false)
            || file.named
            || defines
            || file.shown < most && (file.shown == 0 || most == FEW_IN_FILE || self.is_new(text))
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
        *times <= SAME_TEXT
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
    let most = u32::try_from((lines / 4).max(64)).unwrap_or(u32::MAX);
    for (path, named) in paths.into_iter().zip(view.query()) {
        if let Some(file) = files.get_mut(path).filter(|file| named && file.hits <= most) {
            file.named = true;
        }
    }
}

/// Returns the key of a path: some tools print the same file relative to the root and to the working directory.
fn key(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// Returns how many of a file's hits stay: fewer if the total is higher.
const fn most(source: FileKind, hits: u32, total: u32) -> u32 {
    match source {
        FileKind::Written if hits <= FEW_IN_FILE && total < 400 => FEW_IN_FILE,
        FileKind::Test if hits <= FEW_IN_FILE && total < 100 => FEW_IN_FILE,
        FileKind::Written | FileKind::Test if total < 100 => 8,
        FileKind::Written if total < 400 => 5,
        FileKind::Test if total < 400 => 3,
        FileKind::Written | FileKind::Log => 3,
        FileKind::Test => 2,
        FileKind::Made => 1,
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
        let before = (block.lines.start..*hit).rev().take_while(|at| is_context(*at)).take(CONTEXT);
        let after = (*hit + 1..block.lines.end).take_while(|at| is_context(*at)).take(CONTEXT);
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

/// Elides lines that nobody reads.
fn long_lines(view: &LineView<'_>, lines: &[SearchLine<'_>], asked: &[bool], kept: &mut [bool]) {
    for (at, kept) in kept.iter_mut().enumerate() {
        let is_row = matches!(lines.get(at), Some(SearchLine::Row(_)));
        let asked = asked.get(at).copied().unwrap_or(true);
        if is_row && !asked && view.line(at).len() > LONG_LINE {
            *kept = false;
        }
    }
}

/// Returns, for each row without a path, the line that names its file.
fn carriers<'t>(lines: &[SearchLine<'t>]) -> Vec<Option<usize>> {
    let mut carried = ElidedPath::default();
    let carrier = |(at, line): (usize, &SearchLine<'t>)| {
        let SearchLine::Row(row) = line else { return None };
        carried.note(row, at);
        if row.path.is_none() { carried.named(row).map(|(_, line)| line) } else { None }
    };
    lines.iter().enumerate().map(carrier).collect()
}

/// Whether rows without a path are read as the same file if the runs are elided.
fn reads_alike<'t>(lines: &[SearchLine<'t>], carriers: &[Option<usize>], runs: &[Range<usize>]) -> bool {
    let mut runs = runs.iter().peekable();
    let mut carried = ElidedPath::default();
    lines.iter().zip(carriers).enumerate().all(|(at, (line, carrier))| {
        while runs.next_if(|run| run.end <= at).is_some() {}
        let SearchLine::Row(row) = line else { return true };
        if runs.peek().is_some_and(|run| run.contains(&at)) {
            return true;
        }
        carried.note(row, at);
        row.path.is_some() || carried.named(row).map(|(_, line)| line) == *carrier
    })
}

/// Elides breaks between elided rows.
fn drop_breaks(lines: &[SearchLine<'_>], kept: &mut [bool]) {
    for at in 1..kept.len().saturating_sub(1) {
        let around = kept.get(at - 1) == Some(&false) && kept.get(at + 1) == Some(&false);
        if around
            && lines.get(at) == Some(&SearchLine::Break)
            && let Some(kept) = kept.get_mut(at)
        {
            *kept = false;
        }
    }
}

/// Formats `12 more hits in main.rs` or, if no row of some file stays, `9 hits in src/test/: a.test.ts 5, b.test.ts 4`.
fn summary(blocks: &[HitBlock<'_>], run: &Range<usize>, shown: &FxHashSet<&str>) -> String {
    let first = blocks.partition_point(|block| block.lines.end <= run.start);
    let within =
        blocks.get(first..).unwrap_or_default().iter().take_while(|block| block.lines.start < run.end);
    let mut files: Vec<(&str, usize)> = Vec::new();
    for block in within {
        let hits = block.hits.iter().filter(|hit| run.contains(hit)).count();
        match files.last_mut() {
            Some((path, all)) if same_file(path, block.path) => *all += hits,
            _ => files.push((block.path, hits)),
        }
    }
    let hits: usize = files.iter().map(|(_, hits)| hits).sum();
    let plural = if hits == 1 { "" } else { "s" };
    if files.iter().any(|(path, _)| !shown.contains(key(path))) {
        return listed(&files, hits, plural);
    }
    match files.as_slice() {
        [(path, _)] if !path.is_empty() => {
            let last = path.rsplit(['/', '\\']).next().unwrap_or(path);
            format!("{hits} more hit{plural} in {}", name(last, 40))
        }
        [] | [_] => format!("{hits} more hit{plural}"),
        _ => format!("{hits} more hits in {} files shown above", files.len()),
    }
}

/// Lists each file with its number of hits, after their common directory.
fn listed(files: &[(&str, usize)], hits: usize, plural: &str) -> String {
    if let [(path, _)] = files {
        return format!("{hits} hit{plural} in {}", name(path, 120));
    }
    let mut common = files.first().and_then(|(path, _)| path::directory(path)).unwrap_or_default();
    while !files.iter().all(|(path, _)| path.starts_with(common)) {
        common = path::directory(common).unwrap_or_default();
    }
    let counts = files.iter().map(|(path, hits)| {
        let rest = path.get(common.len()..).unwrap_or(path);
        format!("{} {hits}", name(rest, 60))
    });
    let place = if common.is_empty() { String::new() } else { format!(" in {}", name(common, 80)) };
    format!("{hits} hit{plural}{place}: {}", counts.collect::<Vec<_>>().join(", "))
}
