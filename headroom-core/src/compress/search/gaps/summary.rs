//! Describes the hits that a marker replaces.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::{super::super::log::view::name, HitBlock, key};
use crate::{formats::search::same_file, text::path};

/// Formats `12 more hits in main.rs` or, if no row of some file stays, `9 hits in src/test/: a.test.ts 5, b.test.ts 4`.
pub(super) fn summary(blocks: &[HitBlock<'_>], run: &Range<usize>, shown: &FxHashSet<&str>) -> String {
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
