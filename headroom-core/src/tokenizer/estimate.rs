use super::TokenCounter;
use crate::text::marker::OPENING;

/// One token, in the unit in which costs are summed.
const TOKEN: usize = 10;
/// A run of letters of one case costs one token for every this many characters or part thereof.
const WORD_CHARS: usize = 16;
/// Letters next to a digit, as in hashes, rarely form a known word: this many are one token.
const HASH_CHARS: usize = 3;
/// Shorter runs of letters next to a digit are one token.
const MIN_HASH_CHARS: usize = 4;
/// Digits per token.
const NUMBER_DIGITS: usize = 3;
/// Different signs per token.
const SIGNS: usize = 4;
/// Equal signs per token, as in rulers.
const EQUAL_SIGNS: usize = 32;
/// Cost of a character in scripts without spaces, in tenths of a token.
const IDEOGRAPH_TENTHS: usize = 6;
/// Letters per token in alphabets other than Latin.
const FOREIGN_CHARS: usize = 5;
/// Cost of a delimiter before a word, in tenths of a token: vocabularies have some words with the delimiter.
const DELIMITER_TENTHS: usize = 5;
/// Cost of a marker beside its words, because its hash and name are not in any vocabulary.
const MARKER_TOKENS: usize = 8;
/// The first character of scripts without spaces.
const FIRST_IDEOGRAPH: char = '\u{2e80}';

/// Estimates token counts without a vocabulary.
///
/// Splits a text into words, numbers, signs and white space like OpenAI's tokenizers, and counts each piece as the
/// fewest tokens that such a piece has. Removed text thus counts for less than it saves, and a saving by this estimate
/// is also one by the tokenizer. It is the default without the feature `tiktoken`; reports mark its counts as
/// estimated.
///
/// # Example
///
/// ```
/// use headroom_core::{TokenCounter, TokenEstimate};
///
/// assert_eq!(TokenEstimate::new().count("The quick brown fox jumps."), 6);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TokenEstimate;

impl TokenEstimate {
    /// Creates the counter.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl TokenCounter for TokenEstimate {
    fn name(&self) -> &'static str {
        "estimate-1"
    }

    fn count(&self, text: &str) -> usize {
        let mut pieces = Pieces { rest: text, is_behind_digit: false, tenths: 0 };
        while pieces.take() {}
        pieces.tenths.div_ceil(TOKEN) + text.matches(OPENING).count() * MARKER_TOKENS
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Lower,
    Upper,
    Foreign,
    Ideograph,
    Digit,
    LineEnd,
    Space,
    Sign,
}

fn class(char: char) -> Class {
    match char {
        'a'..='z' => Class::Lower,
        'A'..='Z' => Class::Upper,
        '0'..='9' => Class::Digit,
        '\n' | '\r' => Class::LineEnd,
        ' ' | '\t' => Class::Space,
        _ if char.is_ascii() => Class::Sign,
        _ if char.is_whitespace() => Class::Space,
        _ if char.is_numeric() => Class::Digit,
        _ if !char.is_alphabetic() => Class::Sign,
        _ if char >= FIRST_IDEOGRAPH => Class::Ideograph,
        _ => Class::Foreign,
    }
}

impl Class {
    const fn is_letter(self) -> bool {
        matches!(self, Self::Lower | Self::Upper | Self::Foreign | Self::Ideograph)
    }
}

/// The rest of a text, and the cost of what was read from it.
struct Pieces<'a> {
    rest: &'a str,
    is_behind_digit: bool,
    tenths: usize,
}

impl Pieces<'_> {
    /// Reads one piece. Returns `false` at the end.
    fn take(&mut self) -> bool {
        let Some(first) = self.peek() else { return false };
        let was_behind_digit = std::mem::take(&mut self.is_behind_digit);
        self.tenths += match first {
            Class::Lower | Class::Upper | Class::Foreign => self.word(was_behind_digit),
            Class::Ideograph => self.run(|class| class == Class::Ideograph) * IDEOGRAPH_TENTHS,
            Class::Digit => {
                self.is_behind_digit = true;
                self.run(|class| class == Class::Digit).div_ceil(NUMBER_DIGITS) * TOKEN
            }
            Class::LineEnd | Class::Space => self.space(),
            Class::Sign => self.signs(),
        };
        true
    }

    fn peek(&self) -> Option<Class> {
        self.rest.chars().next().map(class)
    }

    /// Skips the characters that pass the test and returns how many there were.
    fn run(&mut self, takes: impl Fn(Class) -> bool) -> usize {
        let end = self.rest.find(|char| !takes(class(char))).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        if run.is_ascii() { run.len() } else { run.chars().count() }
    }

    /// Reads capitals followed by small letters.
    fn word(&mut self, is_behind_digit: bool) -> usize {
        let latin = self.run(|class| class == Class::Upper) + self.run(|class| class == Class::Lower);
        let foreign = self.run(|class| class == Class::Foreign);
        let is_hash = latin >= MIN_HASH_CHARS && (is_behind_digit || self.peek() == Some(Class::Digit));
        let latin = latin.div_ceil(if is_hash { HASH_CHARS } else { WORD_CHARS });
        (latin + foreign.div_ceil(FOREIGN_CHARS)) * TOKEN
    }

    /// Reads white space: one piece up to the last line end, and one for the rest. The last space belongs to the
    /// following word or sign.
    fn space(&mut self) -> usize {
        let end = self.rest.find(|char| !matches!(class(char), Class::LineEnd | Class::Space));
        let (run, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        let (lines, indent) = run.split_at(run.rfind(['\n', '\r']).map_or(0, |last| last + 1));
        let is_taken = self.peek().is_some_and(|class| class != Class::Digit);
        let spaces = match indent.chars().count() {
            0 => 0,
            1 => usize::from(!is_taken),
            _ if self.rest.is_empty() => 1,
            _ => 1 + usize::from(!is_taken),
        };
        (usize::from(!lines.is_empty()) + spaces) * TOKEN
    }

    /// Reads signs with the line ends after them. A single sign before a letter belongs to the word.
    fn signs(&mut self) -> usize {
        let end = self.rest.find(|char| class(char) != Class::Sign).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        let mut chars = run.chars();
        let first = chars.next();
        if chars.as_str().is_empty() && self.peek().is_some_and(Class::is_letter) {
            return if matches!(first, Some(',' | '|' | ':' | ';' | '=')) { DELIMITER_TENTHS } else { 0 };
        }
        let is_ruler = chars.all(|char| Some(char) == first);
        self.run(|class| class == Class::LineEnd);
        let count = if run.is_ascii() { run.len() } else { run.chars().count() };
        count.div_ceil(if is_ruler { EQUAL_SIGNS } else { SIGNS }) * TOKEN
    }
}
