//! Entries that start with a hash and numbers, as `git blame --porcelain` prints them: what the hash stands for is told once.

use std::ops::Range;

use rustc_hash::FxHashMap;

use super::{
    body::Body,
    record::{Record, RecordKind},
};

/// What such entries start with.
pub(super) const FIRSTS: &[u8] = b"0123456789abcdef";
/// Minimum number of entries.
const MIN_ENTRIES: usize = 4;
/// Lengths of hashes: SHA-1 and SHA-256.
const HASH_BYTES: [usize; 2] = [40, 64];
/// Letters of a hash in the name of an entry.
const SHORT_HASH: usize = 8;

/// Finds entries, each with the lines of an earlier entry that tell what its hash stands for.
pub(super) fn entries<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let heads: Vec<(usize, &'t str)> =
        (0..).zip(bodies).filter_map(|(line, body)| Some((line, hash(body)?))).collect();
    if heads.len() < MIN_ENTRIES {
        return Vec::new();
    }
    let ends = heads.iter().skip(1).map(|(line, _)| *line).chain([bodies.len()]);
    let mut known: FxHashMap<&str, Range<usize>> = FxHashMap::default();
    let mut found = Vec::with_capacity(heads.len());
    for ((start, hash), end) in heads.iter().zip(ends) {
        let mut record = Record::new(RecordKind::Entry, *start..end);
        record.end_at(end, |line| bodies.get(line).is_none_or(Body::is_blank));
        let first = known.entry(hash).or_insert_with(|| record.lines.clone()).clone();
        record.explained = Some(first).filter(|first| *first != record.lines);
        record.named(*start, hash.get(..SHORT_HASH).unwrap_or(hash));
        let numbers = bodies.get(*start).and_then(|body| body.text.get(hash.len()..));
        record.named(*start, numbers.unwrap_or_default().trim_start());
        found.push(record);
    }
    found
}

/// Returns the hash that a line starts with, if numbers follow it.
fn hash<'t>(body: &Body<'t>) -> Option<&'t str> {
    let (hash, numbers) = body.text.split_once(' ')?;
    let is_hash = HASH_BYTES.contains(&hash.len())
        && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let are_numbers = || {
        let mut words = numbers.split(' ');
        words.all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
    };
    (is_hash && are_numbers()).then_some(hash)
}
