//! What parsers say about a text. Without the feature `code` they say nothing.

#[cfg(feature = "__code")]
pub(super) use crate::compress::code::{
    MAX_BYTES, gaps, is_flawless, mistakes, starts_flawless, still_parses,
};
#[cfg(not(feature = "__code"))]
pub(super) use absent::{MAX_BYTES, gaps, is_flawless, mistakes, starts_flawless, still_parses};

/// Whether there are parsers.
pub(super) const IS_COMPILED_IN: bool = cfg!(feature = "__code");

#[cfg(not(feature = "__code"))]
mod absent {
    use std::ops::Range;

    use crate::{
        compress::{FramedOmission, language::Language},
        relevance::Query,
    };

    /// No text is parsed.
    pub(in super::super) const MAX_BYTES: usize = 0;

    pub(in super::super) const fn gaps(_: &str, _: Language, _: &Query<'_>) -> Vec<FramedOmission> {
        Vec::new()
    }

    pub(in super::super) const fn mistakes(_: &str, _: Language) -> Option<usize> {
        None
    }

    pub(in super::super) const fn is_flawless(_: &str, _: Language) -> bool {
        false
    }

    pub(in super::super) const fn starts_flawless(_: &str, _: Language) -> bool {
        false
    }

    pub(in super::super) const fn still_parses(
        _: &str,
        _: Language,
        _: &[(Range<usize>, &str)],
        _: bool,
    ) -> Option<bool> {
        None
    }
}
