//! Chooses rows of a long search result to elide.
//!
//! The first hits of each file stay, so that every file remains named; so do definitions, and rows that the query
//! names. Context stays with its hit. If there are very many hits, those in tests and in generated files are elided as
//! a whole, and the marker names these files with their counts.

mod hits;
mod summary;

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::{super::log::view::LineView, elide_path::ElidedPath};
use crate::{
    compress::Omission,
    formats::search::{SearchLine, SearchParser, SearchRowKind, same_file},
    relevance::Query,
    text::path::is_path,
    tuning::tuning,
};
use hits::HitSelector;
use summary::summary;

/// Adjacent rows of one file, and the lines between them.
#[derive(Debug)]
struct HitBlock<'t> {
    path: &'t str,
    lines: Range<usize>,
    hits: Vec<usize>,
}

/// Returns the parts that may be elided, in order and disjoint.
pub(super) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    let Some(view) = LineView::new(text, query, (tuning().search.min_bytes, 2)) else { return Vec::new() };
    let mut parser = SearchParser::parse(view.lines());
    let lines: Vec<SearchLine<'_>> = view.lines().map(|line| parser.line(line)).collect();
    let blocks = blocks(&view, &lines);
    let mut kept = vec![true; view.len()];
    let context = lines
        .iter()
        .filter(|line| matches!(line, SearchLine::Row(row) if row.kind == SearchRowKind::Context))
        .count();
    let hits: usize = blocks.iter().map(|block| block.hits.len()).sum();
    let least =
        if context * 2 > hits { tuning().search.min_lines_with_context } else { tuning().search.min_lines };
    let asked = view.query();
    if view.len() >= least && text.len() >= tuning().search.min_choice_bytes {
        HitSelector::new(&view, &lines, &blocks, &asked).choose(text, query, &mut kept);
    }
    long_lines(&view, &lines, &asked, &mut kept);
    drop_breaks(&lines, &mut kept);
    let pays = |run: &Range<usize>| {
        let bytes = view.bytes(run);
        bytes >= tuning().search.min_gap_bytes
            && (run.len() >= tuning().search.min_gap_lines || bytes >= tuning().search.long_line_bytes)
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

/// Returns the key of a path: some tools print the same file relative to the root and to the working directory.
fn key(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// Elides lines that nobody reads.
fn long_lines(view: &LineView<'_>, lines: &[SearchLine<'_>], asked: &[bool], kept: &mut [bool]) {
    for (at, kept) in kept.iter_mut().enumerate() {
        let is_row = matches!(lines.get(at), Some(SearchLine::Row(_)));
        let asked = asked.get(at).copied().unwrap_or(true);
        if is_row && !asked && view.line(at).len() > tuning().search.long_line_bytes {
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
