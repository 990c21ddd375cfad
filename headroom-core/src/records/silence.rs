//! Finds the silences of the programs and hosts that print times.

use rustc_hash::FxHashMap;

use super::body::Body;
use crate::relevance::sequence;

/// Limit on the programs or hosts whose times are compared each by itself.
const MAX_SOURCES: usize = 32;

/// Returns the lines on both sides of the silences of each program or host; of all together if these are many.
pub(super) fn silences(lines: &[&str], bodies: &[Body<'_>]) -> Vec<(u32, u32)> {
    let time = |line: u32| Some((bodies.get(line as usize)?.time()?, line));
    match by_source(lines, bodies) {
        Some(sources) => sources
            .iter()
            .flat_map(|lines| sequence::silences(&lines.iter().filter_map(|line| time(*line))))
            .collect(),
        None => sequence::silences(&(0_u32..).zip(bodies).filter_map(|(line, _)| time(line))),
    }
}

/// Returns the lines with a time of each program or host; `None` if these are many.
fn by_source(lines: &[&str], bodies: &[Body<'_>]) -> Option<Vec<Vec<u32>>> {
    let mut known: FxHashMap<&str, usize> = FxHashMap::default();
    let mut sources: Vec<Vec<u32>> = Vec::new();
    for ((number, line), body) in (0_u32..).zip(lines).zip(bodies) {
        if body.time().is_none() {
            continue;
        }
        let source = *known.entry(body.source(line)).or_insert(sources.len());
        if source == sources.len() {
            sources.push(Vec::new());
        }
        if sources.len() > MAX_SOURCES {
            return None;
        }
        if let Some(lines) = sources.get_mut(source) {
            lines.push(number);
        }
    }
    Some(sources)
}
