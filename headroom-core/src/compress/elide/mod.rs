//! Which lines of a text may be set aside, because the model most likely does not need them.
//!
//! What stays: the first and the last lines; lines that hold what the question or the call named; errors, warnings
//! and what stands around them; each kind of line that is rare, and of the others the first and the last; lines
//! where the mix of kinds changes; numbers far from the others in their place. All by counting, in linear time.
//!
//! In a file that was read, less is known about what matters: [`file`] sets aside only long parts that hold nothing
//! of what was named, and shows the headers of what is defined there.

mod file;
mod keep;
pub(in crate::compress) mod numbers;
pub(in crate::compress) mod severity;
mod summary;
pub(in crate::compress) mod survey;
mod templates;
pub(in crate::compress) mod terms;
#[cfg(test)]
mod tests;
pub(in crate::compress) mod view;

use std::ops::Range;

#[cfg(feature = "__code")]
pub(in crate::compress) use file::is_partial;
use keep::Keep;
use survey::Survey;
use templates::Templates;
use terms::Hits;

use crate::learned::Learned;

/// Texts with fewer bytes or lines are small enough as they are.
const MIN_BYTES: usize = 2048;
const MIN_LINES: usize = 30;
/// A marker costs about as much as this much text.
const MIN_GAP_BYTES: usize = 300;
const MIN_GAP_LINES: usize = 6;
/// Fewer lines are set aside where they are this long.
const LONG_GAP_BYTES: usize = 400;

/// What is known about which lines matter.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// The user's last text before the call.
    pub(crate) question: Option<&'a str>,
    /// The arguments of the call that brought the text: JSON, or a raw string.
    pub(crate) arguments: Option<&'a str>,
    /// Whether the text is the content of a file.
    pub(crate) file_read: bool,
    /// What else can be asked about the text.
    #[cfg_attr(
        not(feature = "__code"),
        expect(dead_code, reason = "only the language of code is asked for")
    )]
    pub(crate) learned: Learned<'a>,
}

/// Lines that may be set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Their bytes, without the last line end.
    pub(crate) range: Range<usize>,
    /// The number of the first line: in a numbered view of a file the one printed there, else counted from one.
    pub(crate) first: u32,
    /// The number of the last line.
    pub(crate) last: u32,
    /// A few words on what the lines are; may be empty.
    pub(crate) summary: String,
}

/// The parts of `text` that may be set aside, in order and apart from each other.
///
/// The same text, question and arguments always give the same gaps.
pub(crate) fn gaps(text: &str, wanted: &Wanted<'_>) -> Vec<Gap> {
    if text.len() < MIN_BYTES || u32::try_from(text.len()).is_err() {
        return Vec::new();
    }
    let survey = Survey::of(text);
    if survey.rows.len() < MIN_LINES {
        return Vec::new();
    }
    let hits = Hits::of(&survey, wanted);
    if wanted.file_read {
        return file::gaps(text, wanted, &survey, &hits);
    }
    let templates = Templates::of(&survey);
    let keep = Keep::of(text, &survey, &templates, &hits);
    drop(hits);
    let big_enough = |gap: &Range<usize>, bytes: usize| {
        bytes >= MIN_GAP_BYTES && (gap.len() >= MIN_GAP_LINES || bytes >= LONG_GAP_BYTES && gap.len() > 1)
    };
    runs(&keep.lines)
        .filter_map(|lines| {
            let range = bytes(text, &survey, &lines)?;
            if !big_enough(&lines, range.len()) {
                return None;
            }
            let first = u32::try_from(lines.start + 1).ok()?;
            let last = u32::try_from(lines.end).ok()?;
            Some(Gap { range, first, last, summary: summary::summary(text, &survey, &templates, lines) })
        })
        .collect()
}

/// The bytes of these lines, without the last line end.
fn bytes(text: &str, survey: &Survey, lines: &Range<usize>) -> Option<Range<usize>> {
    let first = survey.rows.get(lines.start)?;
    let last = survey.rows.get(lines.end.checked_sub(1)?)?;
    let end = last.end as usize - usize::from(last.text(text).ends_with('\r'));
    Some(first.start as usize..end)
}

/// The longest runs of lines that are not kept.
fn runs(kept: &[bool]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    kept.chunk_by(|a, b| a == b).filter_map(move |chunk| {
        let lines = at..at + chunk.len();
        at = lines.end;
        (chunk.first() == Some(&false)).then_some(lines)
    })
}
