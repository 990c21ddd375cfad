//! Replaces runs of lines by references to an earlier block of the same request.
//!
//! The index holds the lines that the model can see: earlier blocks as compressed, not as received. A run is found by
//! the hash of its first three lines, or of one long line, and compared byte by byte. Lines of numbered file views are
//! compared without their numbers, so the same file is also found when read with another tool, or after lines were
//! inserted above.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    text::{
        lines::{Line, Lines, is_gap},
        marker::{Here, Reference, There},
        numbered::Run,
    },
    tuning::tuning,
};

const NONE: u32 = u32::MAX;
/// Maximum number of comparisons per line of a text, hundreds of times more than real texts need. Only crafted texts
/// repeatedly have lines that equal others by their hash alone.
const MAX_COMPARED_PER_LINE: usize = 1 << 10;

/// A block whose lines can be referred to.
#[derive(Debug)]
struct ReferenceSource {
    /// The engine's id of the text.
    id: u32,
    /// Its name in references.
    origin: Origin,
    /// Its lines in [`Index::lines`].
    lines: Range<u32>,
    runs: Vec<Run>,
    /// For each run, whether its line numbers are in no other run.
    unique: Vec<bool>,
}

/// The name of a text in references.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// Its position in the conversation: `result 4`.
    pub(crate) name: String,
    /// A description: `Read server.py`.
    pub(crate) label: String,
}

/// An index of the lines of all earlier blocks.
#[derive(Debug, Default)]
pub(crate) struct Index {
    sources: Vec<ReferenceSource>,
    lines: Vec<Line>,
    /// For each line, the previous line with the same anchor.
    previous: Vec<u32>,
    /// The newest line with each anchor.
    anchors: FxHashMap<u32, u32>,
}

/// A run of lines that can be replaced by a reference.
#[derive(Debug)]
pub(crate) struct RepeatedRun {
    /// The bytes that the reference replaces, without the last line end.
    pub(crate) bytes: Range<usize>,
    pub(crate) marker: String,
    /// The id of the text that holds the lines.
    pub(crate) source: u32,
}

/// A matching run, by line indices.
#[derive(Clone, Copy, Debug)]
struct Match {
    /// Index of its first line in the current text.
    here: usize,
    /// Index of its first line in [`Index::lines`].
    there: usize,
    count: usize,
}

impl Index {
    /// Adds a text that the model can see from here on.
    pub(crate) fn add(&mut self, id: u32, origin: Origin, text: &str) {
        let Some(added) = Lines::new(text) else { return };
        let first = self.lines.len();
        let (Ok(start), Ok(end)) = (u32::try_from(first), u32::try_from(first + added.lines.len())) else {
            return;
        };
        if added.lines.is_empty() || end == NONE {
            return;
        }
        for (at, line) in (start..).zip(&added.lines) {
            let anchor = anchor(&added.lines, (at - start) as usize, text);
            let previous = anchor.and_then(|anchor| self.anchors.insert(anchor, at));
            self.lines.push(*line);
            self.previous.push(previous.unwrap_or(NONE));
        }
        let unique = unique(&added.runs);
        self.sources.push(ReferenceSource { id, origin, lines: start..end, runs: added.runs, unique });
    }

    /// Finds the runs of `text` that are in the index. `read` returns a source's text by its id; `pays` returns whether
    /// a reference saves tokens.
    pub(crate) fn find<'t>(
        &self,
        text: &str,
        read: &dyn Fn(u32) -> Option<&'t str>,
        pays: &dyn Fn(&RepeatedRun) -> bool,
    ) -> Vec<RepeatedRun> {
        if self.sources.is_empty() {
            return Vec::new();
        }
        let Some(own) = Lines::new(text) else { return Vec::new() };
        let mut found = Vec::new();
        let mut mentioned = FxHashSet::default();
        let mut left = own.lines.len().saturating_mul(MAX_COMPARED_PER_LINE);
        let mut at = 0;
        while at < own.lines.len() && left > 0 {
            match self.longest(&own, at, text, read, &mut left) {
                Some(run) => {
                    at += run.count;
                    if let Some((source, reference)) =
                        self.describe(&own, run, &mentioned).filter(|(_, it)| pays(it))
                    {
                        mentioned.insert(source);
                        found.push(reference);
                    }
                }
                None => at += 1,
            }
        }
        found
    }

    /// Returns the longest run that starts at this line. Comparisons are deducted from `left`.
    fn longest<'t>(
        &self,
        own: &Lines,
        here: usize,
        text: &str,
        read: &dyn Fn(u32) -> Option<&'t str>,
        left: &mut usize,
    ) -> Option<Match> {
        let mut candidate = *self.anchors.get(&anchor(&own.lines, here, text)?)?;
        let mut best: Option<Match> = None;
        for _ in 0..tuning().text.reference_candidates {
            let there = candidate as usize;
            let count = self.common(own, here, there, usize::MAX, |_, _| true);
            *left = left.saturating_sub(count);
            if best.is_none_or(|best| best.count < count) {
                best = Some(Match { here, there, count });
            }
            candidate = *self.previous.get(there)?;
            if candidate == NONE {
                break;
            }
        }
        let mut best = best?;
        let source_text = read(self.source(best.there)?.id)?;
        best.count = self.common(own, here, best.there, best.count, |own_line, line| {
            let body = own_line.body(text);
            body == line.body(source_text) && !is_gap(body)
        });
        let lines = own.lines.get(here..here + best.count)?;
        let bytes = (lines.last()?.end.checked_sub(lines.first()?.start)?) as usize;
        (bytes >= tuning().text.reference_min_bytes
            && (best.count >= tuning().text.reference_anchor_lines
                || bytes >= tuning().text.reference_long_line))
            .then_some(best)
    }

    /// Counts the equal lines from `here` and from `there` on, within one source and at most one numbered run on either
    /// side.
    fn common(
        &self,
        own: &Lines,
        here: usize,
        there: usize,
        most: usize,
        same: impl Fn(&Line, &Line) -> bool,
    ) -> usize {
        let Some(source) = self.source(there) else { return 0 };
        let own_lines = own.lines.get(here..).unwrap_or_default();
        let lines = self.lines.get(there..source.lines.end as usize).unwrap_or_default();
        let (Some(own_first), Some(first)) = (own_lines.first(), lines.first()) else { return 0 };
        own_lines
            .iter()
            .zip(lines)
            .take(most)
            .take_while(|(own_line, line)| {
                own_line.hash == line.hash
                    && own_line.run == own_first.run
                    && line.run == first.run
                    && same(own_line, line)
            })
            .count()
    }

    fn source(&self, line: usize) -> Option<&ReferenceSource> {
        let at = self.sources.partition_point(|source| source.lines.end as usize <= line);
        self.sources.get(at)
    }

    /// Writes the reference for a run and returns it with the source's id. The label is omitted for sources already
    /// mentioned.
    fn describe(&self, own: &Lines, run: Match, mentioned: &FxHashSet<u32>) -> Option<(u32, RepeatedRun)> {
        let source = self.source(run.there)?;
        let whole = run.count == own.lines.len() && run.count == source.lines.len();
        let first_line = own.lines.get(run.here)?;
        let last = own.lines.get(run.here + run.count - 1)?;
        let own_run = own.run(first_line);
        let their_index = usize::from(self.lines.get(run.there)?.run).wrapping_sub(1);
        let their_run = source.runs.get(their_index);
        let is_unique = source.unique.get(their_index).copied().unwrap_or_default();
        // If the style of the numbers differs, the first line stays to show it.
        let shows = own_run.is_some_and(|own_run| their_run.is_none_or(|run| run.style != own_run.style));
        let run = if shows {
            Match { here: run.here + 1, there: run.there + 1, count: run.count - 1 }
        } else {
            run
        };
        let first_line = own.lines.get(run.here)?;
        let count = u32::try_from(run.count).ok().filter(|count| *count > 0)?;

        let here = match own_run {
            Some(own_run) => {
                let first = number(own_run, run.here)?;
                Here::Numbered { first, last: first + count - 1 }
            }
            None => Here::Plain,
        };
        let position = u32::try_from(run.there).ok()?.checked_sub(source.lines.start)?;
        let there = match their_run.filter(|_| is_unique) {
            Some(their_run) => {
                let first = number(their_run, position as usize)?;
                let last = first + count - 1;
                if here == (Here::Numbered { first, last }) {
                    There::Same
                } else {
                    There::Numbered { first, last }
                }
            }
            None => There::Position { first: position + 1, last: position + count },
        };
        // A text that equals a whole other text needs no line numbers, unless these differ.
        let plain = own_run.is_none() && their_run.is_none();
        let there = if whole && !shows && (plain || there == There::Same) { There::Whole } else { there };
        let label = (!mentioned.contains(&source.id)).then_some(source.origin.label.as_str());
        let marker = Reference { here, there, origin: &source.origin.name, label }.to_string();
        Some((
            source.id,
            RepeatedRun { bytes: first_line.start as usize..last.end as usize, marker, source: source.id },
        ))
    }

    /// Rough memory use in bytes.
    pub(crate) fn weight(&self) -> usize {
        let lines = size_of::<Line>() + size_of::<u32>();
        self.lines.capacity() * lines + self.anchors.capacity() * 10 + self.sources.len() * 160
    }
}

/// Returns the number of the line at this index.
fn number(run: &Run, line: usize) -> Option<u32> {
    u32::try_from(line.checked_sub(run.lines.start)?).ok()?.checked_add(run.first)
}

/// Returns, for each run of a text, whether its numbers are in no other run.
fn unique(runs: &[Run]) -> Vec<bool> {
    let numbers = |run: &Run| run.first as usize..(run.first as usize + run.lines.len());
    let mut sorted: Vec<(usize, Range<usize>)> = runs.iter().map(numbers).enumerate().collect();
    sorted.sort_unstable_by_key(|(_, numbers)| numbers.start);
    let mut unique = vec![true; runs.len()];
    let mut mark = |index: usize| unique.iter_mut().skip(index).take(1).for_each(|unique| *unique = false);
    // The earlier run that reaches furthest.
    let mut furthest: Option<(usize, usize)> = None;
    for (index, numbers) in sorted {
        if let Some((other, end)) = furthest
            && numbers.start < end
        {
            mark(index);
            mark(other);
        }
        if furthest.is_none_or(|(_, end)| end < numbers.end) {
            furthest = Some((index, numbers.end));
        }
    }
    unique
}

/// Returns the hash by which a run that starts at this line is found.
fn anchor(lines: &[Line], at: usize, text: &str) -> Option<u32> {
    let rest = lines.get(at..)?;
    let first = rest.first()?;
    if first.body(text).len() >= tuning().text.reference_long_line {
        return Some(first.hash);
    }
    let lines = rest.get(..tuning().text.reference_anchor_lines)?;
    Some(
        lines.iter().fold(0x9e37_79b9, |hash: u32, line| {
            (hash.rotate_left(13) ^ line.hash).wrapping_mul(0x85eb_ca6b)
        }),
    )
}

#[cfg(test)]
pub(crate) mod tests;
