//! What differs between the heads of two requests.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{HeadPrint, line::LinePrint, print::HeadPart};
use crate::output;

/// At most so many changes are named.
const MAX_CHANGES: usize = 4;

/// A change of the head, without its text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct HeadChange {
    /// Where it is: `system[1]`, `tool Bash`, or `tools` for all of them.
    pub(crate) place: String,
    /// The first line there that differs, from one.
    pub(crate) line: u32,
    /// What changed.
    pub(crate) what: HeadChangeKind,
}

impl HeadChange {
    /// Returns where it is, for people: a tool, or a place with the line there.
    pub(crate) fn position(&self) -> String {
        let place = output::content(&self.place);
        if self.place.starts_with("tool") {
            place.into_owned()
        } else {
            format!("{place}, line {}", self.line)
        }
    }
}

/// What changed. A later one says more about a line than an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum HeadChangeKind {
    /// Words.
    Text,
    /// The part is new.
    Added,
    /// The part is gone.
    Removed,
    /// The same lines, or the same tools, in another order.
    Order,
    /// A number, such as a counter.
    Number,
    /// An id.
    Id,
    /// A time of day.
    Time,
    /// A date.
    Date,
}

impl HeadChangeKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "other words",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Order => "another order",
            Self::Number => "a number",
            Self::Id => "an id",
            Self::Time => "a time",
            Self::Date => "a date",
        }
    }
}

impl HeadPrint {
    /// Returns what differs in a newer head, in its order; nothing if the heads are equal.
    pub(crate) fn changes(&self, newer: &Self) -> Vec<HeadChange> {
        let known: HashMap<&str, &HeadPart> = self.parts.iter().map(|part| (&*part.place, part)).collect();
        let still: HashMap<&str, &HeadPart> = newer.parts.iter().map(|part| (&*part.place, part)).collect();
        let change = |part: &HeadPart, line: u32, what| HeadChange { place: part.place.clone(), line, what };
        let mut changes: Vec<HeadChange> = newer
            .parts
            .iter()
            .filter_map(|part| match known.get(&*part.place) {
                None => Some(change(part, 1, HeadChangeKind::Added)),
                Some(old) => lines(&old.lines, &part.lines).map(|(line, what)| change(part, line, what)),
            })
            .collect();
        let gone = self.parts.iter().filter(|part| !still.contains_key(&*part.place));
        changes.extend(gone.map(|part| change(part, 1, HeadChangeKind::Removed)));
        let order = |parts: &[HeadPart], others: &HashMap<&str, &HeadPart>| -> Vec<String> {
            let common = parts.iter().filter(|part| part.is_tool && others.contains_key(&*part.place));
            common.map(|part| part.place.clone()).collect()
        };
        if order(&self.parts, &still) != order(&newer.parts, &known) {
            let tools = HeadChange { place: "tools".to_owned(), line: 1, what: HeadChangeKind::Order };
            changes.insert(0, tools);
        }
        changes.truncate(MAX_CHANGES);
        changes
    }
}

/// Returns the first line that differs, and how; `None` if none does.
fn lines(old: &[LinePrint], new: &[LinePrint]) -> Option<(u32, HeadChangeKind)> {
    let is_same = |(old, new): &(&LinePrint, &LinePrint)| old.hash == new.hash;
    let common = old.iter().zip(new).take_while(is_same).count();
    if common == old.len() && common == new.len() {
        return None;
    }
    let line = u32::try_from(common + 1).unwrap_or(u32::MAX);
    let sorted = |lines: &[LinePrint]| {
        let mut hashes: Vec<u32> = lines.iter().map(|line| line.hash).collect();
        hashes.sort_unstable();
        hashes
    };
    if sorted(old) == sorted(new) {
        return Some((line, HeadChangeKind::Order));
    }
    if old.len() != new.len() {
        return Some((line, HeadChangeKind::Text));
    }
    let differ = old.iter().zip(new).filter(|pair| !is_same(pair));
    let kinds: Vec<_> = differ.map(|(old, new)| old.difference(*new)).collect();
    let has_words = kinds.contains(&HeadChangeKind::Text);
    let what = kinds.into_iter().max().filter(|_| !has_words).unwrap_or(HeadChangeKind::Text);
    Some((line, what))
}
