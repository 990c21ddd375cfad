//! Tells source code from other text, by the file that the call names and by the text itself.
//!
//! Code is code whichever tool brings it. A text that is code is shown as code or not at all: what cannot be parsed is
//! not cut, because a marker in the wrong place changes what the rest means.

mod identity;
mod parser;
mod scan;
pub(super) mod shape;
mod words;

use std::ops::Range;

pub(crate) use scan::SourceScan;
#[cfg(feature = "__code")]
pub(crate) use shape::bracket;
#[cfg(all(test, feature = "__code"))]
pub(crate) use shape::is_field;
#[cfg(all(test, feature = "__code"))]
pub(crate) use words::have_sentence;

use super::{FramedOmission, language::Language};
use crate::relevance::Query;

/// How a comment starts and ends.
type Comment = (&'static str, &'static str);

/// Source code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In one language that can be parsed, if its grammar is compiled in.
    Known(Language),
    /// In a language that its content shows, and no name.
    Guessed(Language),
    /// In another language, or in several, with comments like this.
    Unknown(Option<Comment>),
}

impl Source {
    /// Returns the lines that may be elided, with the frame for each marker.
    pub(crate) fn gaps(self, text: &str, query: &Query<'_>) -> Vec<FramedOmission> {
        match self {
            Self::Known(language) | Self::Guessed(language) => parser::gaps(text, language, query),
            Self::Unknown(_) => Vec::new(),
        }
    }

    /// Puts a marker that replaces whole lines into a comment of the language. `None` if it is not known how.
    pub(crate) fn comment(self, marker: &str) -> Option<String> {
        let (open, close) = match self {
            Self::Known(language) | Self::Guessed(language) => (language.comment(), ""),
            Self::Unknown(comment) => comment?,
        };
        let bare = marker.trim_end_matches(['\r', '\n']);
        let end = marker.get(bare.len()..).unwrap_or_default();
        Some(format!("{open}{bare}{close}{end}"))
    }
}

/// Whether what opens in these lines also closes in them, as far as a glance tells.
pub(crate) fn is_even(text: &str, bytes: &Range<usize>) -> bool {
    text.get(bytes.clone()).is_none_or(shape::is_balanced)
}

/// Whether every bracket and comment of a text closes in it, while these lines hold only one end of some.
pub(crate) fn cuts_pairs(text: &str, bytes: &Range<usize>) -> bool {
    text.get(bytes.clone()).is_some_and(|lines| !shape::is_paired(lines)) && shape::is_paired(text)
}

#[cfg(test)]
mod tests;
