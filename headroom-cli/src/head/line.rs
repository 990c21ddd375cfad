//! A line in hashes: as it is, without what is likely to vary in it, and what is likely to vary alone.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::HeadChangeKind;

/// A word with digits that is at least this long is an id.
const MIN_ID_BYTES: usize = 6;
/// A number that is at least this long is an id, or a time in seconds.
const MIN_ID_DIGITS: usize = 9;
/// Names of months and days, whole or by their first three letters.
const NAMES: [&str; 19] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
/// What is likely to vary, the least telling first.
const VARYING: [HeadChangeKind; 4] =
    [HeadChangeKind::Number, HeadChangeKind::Id, HeadChangeKind::Time, HeadChangeKind::Date];

/// One line of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinePrint {
    pub(super) hash: u32,
    /// The hash without numbers, ids, times and dates.
    shape: u32,
    /// The hashes of its numbers, ids, times and dates.
    varying: [u16; 4],
}

impl LinePrint {
    pub(super) fn new(line: &str) -> Self {
        let mut shape = DefaultHasher::new();
        let mut varying = [(); 4].map(|()| DefaultHasher::new());
        let mut rest = line;
        while let Some((token, kind, behind)) = next(rest) {
            match kind {
                Some(kind) => kind.hash(&mut shape),
                None => token.hash(&mut shape),
            }
            for (hasher, _) in varying.iter_mut().zip(VARYING).filter(|(_, of)| kind == Some(*of)) {
                token.hash(hasher);
            }
            rest = behind;
        }
        let mut whole = DefaultHasher::new();
        line.hash(&mut whole);
        Self {
            hash: (whole.finish() >> 32) as u32,
            shape: (shape.finish() >> 32) as u32,
            varying: varying.map(|hasher| (hasher.finish() >> 48) as u16),
        }
    }

    /// Returns what differs in another line: the most telling of what varies, if all else is the same.
    pub(super) fn difference(self, other: Self) -> HeadChangeKind {
        let differ = self.varying.iter().zip(other.varying).zip(VARYING);
        let kind = differ.filter(|((own, other), _)| **own != *other).map(|(_, kind)| kind).max();
        kind.filter(|_| self.shape == other.shape).unwrap_or(HeadChangeKind::Text)
    }
}

/// Splits a text into its first token, what that is if it is likely to vary, and the rest.
fn next(text: &str) -> Option<(&str, Option<HeadChangeKind>, &str)> {
    let first = text.chars().next()?;
    let is_word = |c: char| c.is_ascii_alphanumeric();
    let (length, kind) = if !is_word(first) {
        (text.find(is_word).unwrap_or(text.len()), None)
    } else if let Some(length) = uuid(text) {
        (length, Some(HeadChangeKind::Id))
    } else if let Some(length) = date(text) {
        (length, Some(HeadChangeKind::Date))
    } else if let Some(length) = time(text) {
        (length, Some(HeadChangeKind::Time))
    } else {
        let length = text.find(|c| !is_word(c)).unwrap_or(text.len());
        (length, kind_of(text.get(..length)?))
    };
    let (token, rest) = text.split_at_checked(length)?;
    Some((token, kind, rest))
}

/// Returns what a word is that is likely to vary.
fn kind_of(word: &str) -> Option<HeadChangeKind> {
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        let is_name = |name: &str| name == word || name.get(..3) == Some(word);
        return NAMES.iter().any(|name| is_name(name)).then_some(HeadChangeKind::Date);
    }
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let least = if is_number { MIN_ID_DIGITS } else { MIN_ID_BYTES };
    Some(if word.len() < least { HeadChangeKind::Number } else { HeadChangeKind::Id })
}

/// Returns the length of a UUID with which a text begins.
fn uuid(text: &str) -> Option<usize> {
    let mut end = 0;
    for (number, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if number > 0 {
            text.as_bytes().get(end).filter(|byte| **byte == b'-')?;
            end += 1;
        }
        let digits = text.as_bytes().iter().skip(end).take_while(|byte| byte.is_ascii_hexdigit()).count();
        if digits != length {
            return None;
        }
        end += length;
    }
    Some(end)
}

/// Returns the length of a date of three numbers with which a text begins, and of the `T` behind it.
fn date(text: &str) -> Option<usize> {
    let first = digits(text, 0);
    let separator = text.as_bytes().get(first).filter(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    let second = digits(text, first + 1);
    let third_at = first + 1 + second + 1;
    let third = digits(text, third_at);
    let is_date = text.as_bytes().get(third_at - 1) == Some(separator)
        && matches!((first, second, third), (4, 1..=2, 1..=2) | (1..=2, 1..=2, 4));
    let end = third_at + third;
    let has_time = text.as_bytes().get(end) == Some(&b'T') && time(text.get(end + 1..)?).is_some();
    is_date.then_some(end + usize::from(has_time))
}

/// Returns the length of a time of day with which a text begins.
fn time(text: &str) -> Option<usize> {
    let byte = |at: usize| text.as_bytes().get(at).copied();
    let mut end = digits(text, 0);
    if !matches!(end, 1..=2) || byte(end) != Some(b':') || digits(text, end + 1) != 2 {
        return None;
    }
    end += 3;
    if byte(end) == Some(b':') && digits(text, end + 1) == 2 {
        end += 3;
    }
    if byte(end) == Some(b'.') {
        let fraction = digits(text, end + 1);
        end += if fraction > 0 { fraction + 1 } else { 0 };
    }
    Some(end + usize::from(byte(end) == Some(b'Z')))
}

/// Counts the digits from here on.
fn digits(text: &str, from: usize) -> usize {
    text.as_bytes().iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count()
}
