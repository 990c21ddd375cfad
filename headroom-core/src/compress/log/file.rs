//! Chooses lines of a file read to elide.

use super::bytes;
use crate::{
    compress::Omission,
    records::Structure,
    relevance::{Query, features::LineFeatures, query::Hits},
    text::{lines::Lines, marker},
    tuning::tuning,
};

const DEFINES: [&str; 24] = [
    "abstract",
    "async",
    "class",
    "const",
    "def",
    "defmodule",
    "enum",
    "export",
    "fn",
    "func",
    "function",
    "impl",
    "interface",
    "macro_rules!",
    "mod",
    "module",
    "namespace",
    "private",
    "protected",
    "pub",
    "public",
    "struct",
    "trait",
    "type",
];
/// Arguments that request a part of a file.
const PARTS: [&str; 14] = [
    "\"end\"",
    "\"end_line\"",
    "\"endLine\"",
    "\"limit\"",
    "\"line_end\"",
    "\"line_start\"",
    "\"offset\"",
    "\"start\"",
    "\"start_line\"",
    "\"startLine\"",
    "\"view_range\"",
    "head -",
    "sed -n",
    "tail -",
];

pub(super) fn gaps(text: &str, query: &Query<'_>, features: &LineFeatures, hits: &Hits) -> Vec<Omission> {
    let count = features.rows.len();
    let named: Vec<usize> = hits.named().collect();
    // Without a hint at what matters, anything may.
    if count < tuning().log.file_min_lines || is_partial(query) || named.is_empty() {
        return Vec::new();
    }
    let Some(view) = Lines::new(text) else { return Vec::new() };
    let numbered = !view.runs.is_empty();
    let mut kept = vec![false; count];
    let mut keep = |line: usize, around: usize| {
        let lines = line.saturating_sub(around)..(line + around + 1).min(count);
        kept.get_mut(lines).unwrap_or_default().fill(true);
    };
    keep(0, tuning().log.file_head_lines);
    keep(count - 1, tuning().log.file_tail_lines);
    for line in named
        .into_iter()
        .chain(hits.best((count / tuning().log.file_lines_per_match).max(tuning().log.file_min_best_matches)))
    {
        keep(line, tuning().log.file_context_lines);
    }
    for (number, line) in view.lines.iter().enumerate() {
        let body = line.body(text);
        if defines(body) || marker::is_in(body) || (numbered && line.run == 0) {
            keep(number, 0);
        }
    }
    let run = |line: usize| view.lines.get(line).map(|line| line.run);
    let bodies: Vec<&str> = view.lines.iter().map(|line| line.body(text)).collect();
    let is_big = |lines: &std::ops::Range<usize>| {
        let bytes = bytes(text, features, lines).map_or(0, |bytes| bytes.len());
        let is_one_view = lines.end.checked_sub(1).is_some_and(|last| run(lines.start) == run(last));
        lines.len() >= tuning().log.file_min_gap_lines
            && bytes >= tuning().log.file_min_gap_bytes
            && is_one_view
    };
    let gap = |lines: std::ops::Range<usize>| {
        Some(Omission {
            range: bytes(text, features, &lines)?,
            first: view.number_of(lines.start)?,
            last: view.number_of(lines.end.checked_sub(1)?)?,
            summary: String::new(),
        })
    };
    // What a kept line is a part of stays with it.
    Structure::new(bodies).settle(kept, is_big).into_iter().filter_map(gap).collect()
}

/// Whether the call asked for a part of the file, which is then needed whole.
pub(in crate::compress) fn is_partial(query: &Query<'_>) -> bool {
    query.arguments.is_some_and(|arguments| PARTS.iter().any(|part| arguments.contains(part)))
}

/// Whether a line starts a definition in code, or a section in prose.
fn defines(body: &str) -> bool {
    let line = body.trim_start_matches([' ', '\t']);
    let indent = body.len() - line.len();
    let first = line.split([' ', '(', '<']).next().unwrap_or_default();
    indent <= tuning().log.file_max_indent
        && (DEFINES.contains(&first) || (indent == 0 && line.starts_with('#') && line.contains("# ")))
        || (indent == 0 && line.ends_with('{'))
}
