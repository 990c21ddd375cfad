//! Identifies the language of a text by its content alone: cues say which to try, and the parser decides.

use super::{parser, shape::has_pod};
use crate::compress::language::Language;

/// Mistakes in the start of a text that code may have, most of them macros.
const MAX_MISTAKES: usize = 24;
/// Mistakes of code of which only a few lines are those of a tool.
const FEW_MISTAKES: usize = 3;
/// Weight of its cues, in percent of the lines, of a language whose parser takes anything.
const MOSTLY_CUES: usize = 35;
/// Languages of code without functions, which has few cues, and those of other languages.
const WITHOUT_CUES: [Language; 4] = [Language::Go, Language::Java, Language::Rust, Language::TypeScript];

/// A language that the content of a text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) language: Language,
    /// The mistakes in the start of the text as code in this language. `None` if its parser cannot tell.
    mistakes: Option<usize>,
}

impl Identity {
    /// `candidates` are the languages of which the text has cues.
    pub(super) fn new(text: &str, candidates: &[(Language, usize)]) -> Option<Self> {
        if has_pod(text) {
            return Some(Self { language: Language::Perl, mistakes: None });
        }
        let languages = candidates.iter().map(|(language, _)| *language);
        Self::by_parser(text, languages).or_else(|| Self::by_cues(text, candidates))
    }

    /// Returns the language in which the text has the fewest mistakes.
    fn by_parser(text: &str, languages: impl Iterator<Item = Language>) -> Option<Self> {
        let fewest = |languages: &mut dyn Iterator<Item = Language>| {
            languages.filter_map(|language| Self::parsed(text, language)).min_by_key(|found| found.mistakes)
        };
        let mut languages = languages;
        let found = fewest(&mut languages)?;
        if found.mistakes == Some(0) || found.language == Language::Python {
            return Some(found);
        }
        // Languages with braces have many lines in common.
        fewest(&mut std::iter::once(found.language).chain(Language::WITH_BRACES))
    }

    /// Where no parser can tell, cues must be everywhere.
    fn by_cues(text: &str, candidates: &[(Language, usize)]) -> Option<Self> {
        let ((first, weight), rest) = candidates.split_first()?;
        let is_alone = rest.iter().all(|(_, other)| other * 3 <= weight * 2);
        if !first.takes_anything() || !is_alone || *weight < MOSTLY_CUES {
            return None;
        }
        let mut others = WITHOUT_CUES.into_iter().filter_map(|language| Self::parsed(text, language));
        let other = others.find(|found| found.mistakes == Some(0));
        Some(other.unwrap_or(Self { language: *first, mistakes: None }))
    }

    /// Returns this language if the start of the text may be code in it, as its parser says.
    pub(super) fn parsed(text: &str, language: Language) -> Option<Self> {
        let mistakes = parser::mistakes(text, language).filter(|count| *count <= MAX_MISTAKES)?;
        Some(Self { language, mistakes: Some(mistakes) })
    }

    /// Whether a parser takes the text for code, but for a few lines that a tool put around it. It takes plans and dumps for
    /// code too, with more mistakes.
    pub(super) fn is_nearly_flawless(&self) -> bool {
        self.mistakes.map_or(!parser::IS_COMPILED_IN, |count| count <= FEW_MISTAKES)
    }
}
