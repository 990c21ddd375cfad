//! Splits texts into words as the regular expressions of the vocabularies do.

use super::class::{Class, Classes};

/// Which regular expression splits texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Words begin where a capital follows a small letter, and contain the contraction at their end.
    ///
    /// ```text
    ///   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?
    /// | [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?
    /// | \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
    /// ```
    O200k,
    /// Contractions are words.
    ///
    /// ```text
    ///   (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+
    /// | \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+
    /// ```
    Cl100k,
}

const LETTER: Class = Class::UPPER.or(Class::LOWER).or(Class::UNCASED);
/// What the first part of a cased word consists of.
const UPPERS: Class = Class::UPPER.or(Class::UNCASED).or(Class::MARK);
/// What its second part consists of.
const LOWERS: Class = Class::LOWER.or(Class::UNCASED).or(Class::MARK);
const NEITHER: Class = Class::UNCASED.or(Class::MARK);
/// What may stand before a word as part of it.
const PREFIX: Class = Class::SIGN.or(Class::MARK).or(Class::SPACE);
const SIGNS: Class = Class::SIGN.or(Class::MARK);
const WHITE: Class = Class::SPACE.or(Class::LINE_END);
const MAX_DIGITS: usize = 3;

/// A text that is split.
#[derive(Clone, Copy, Debug)]
pub(super) struct Splitter<'a> {
    pub(super) text: &'a [u8],
    pub(super) classes: &'static Classes,
}

impl Splitter<'_> {
    /// Returns the end of the word that starts here.
    pub(super) fn end(&self, at: usize, pattern: Pattern) -> usize {
        let (class, length) = self.classes.at(self.text, at);
        let next = at + length;
        let word = match pattern {
            Pattern::O200k => self.cased_word(at, class, next),
            Pattern::Cl100k => self.word(at, class, next),
        };
        if let Some(end) = word {
            return end;
        }
        if class == Class::NUMBER {
            return self.number(next);
        }
        let is_space = self.byte(at) == Some(b' ');
        if class.is_in(SIGNS) || is_space && self.classes.at(self.text, next).0.is_in(SIGNS) {
            return self.signs(next, pattern);
        }
        self.white_space(at)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    /// Returns the end of the characters of this set.
    fn run(&self, mut at: usize, set: Class) -> usize {
        loop {
            let (class, length) = self.classes.at(self.text, at);
            if !class.is_in(set) {
                return at;
            }
            at += length;
        }
    }

    fn word(&self, at: usize, class: Class, next: usize) -> Option<usize> {
        if self.byte(at) == Some(b'\'') {
            let end = self.behind_contraction(at);
            if end > at {
                return Some(end);
            }
        }
        if class.is_in(LETTER) {
            return Some(self.run(next, LETTER));
        }
        let end = if class.is_in(PREFIX) { self.run(next, LETTER) } else { next };
        (end > next).then_some(end)
    }

    fn cased_word(&self, at: usize, class: Class, next: usize) -> Option<usize> {
        let end = if class.is_in(PREFIX) {
            match self.letters(next) {
                Some((end, true)) => end,
                // A mark alone is a word by the first alternative; with it as the prefix, capitals are one by the second.
                _ if class == Class::MARK => next,
                Some((end, false)) => end,
                None => return None,
            }
        } else if class.is_in(LETTER) {
            self.letters(at)?.0
        } else {
            return None;
        };
        Some(self.behind_contraction(end))
    }

    /// Returns the end of the letters that start here, and whether they match the first alternative of the pattern,
    /// which needs a character that is no capital.
    fn letters(&self, at: usize) -> Option<(usize, bool)> {
        let uppers = self.run(at, UPPERS);
        let end = self.run(uppers, LOWERS);
        if end > uppers {
            return Some((end, true));
        }
        (uppers > at).then(|| self.without_capitals(at, uppers))
    }

    /// Shortens a run without small letters to its last character that is no capital, if it has one.
    fn without_capitals(&self, from: usize, to: usize) -> (usize, bool) {
        let (mut at, mut last) = (from, None);
        while at < to {
            let (class, length) = self.classes.at(self.text, at);
            at += length.max(1);
            if class.is_in(NEITHER) {
                last = Some(at);
            }
        }
        last.map_or((to, false), |last| (last, true))
    }

    /// Returns the end of the contraction that starts here, or this position.
    fn behind_contraction(&self, at: usize) -> usize {
        if self.byte(at) != Some(b'\'') {
            return at;
        }
        let letter = |offset: usize| self.byte(at + offset).map(|byte| byte.to_ascii_lowercase());
        let length = match (letter(1), letter(2)) {
            (Some(b's' | b't' | b'm' | b'd'), _) => 2,
            (Some(b'r' | b'v'), Some(b'e')) | (Some(b'l'), Some(b'l')) => 3,
            // ſ, which is an s where case does not matter.
            (Some(0xc5), Some(0xbf)) => 3,
            _ => 0,
        };
        at + length
    }

    /// Returns the end of a number whose first digit ends here.
    fn number(&self, mut at: usize) -> usize {
        for _ in 1..MAX_DIGITS {
            let (class, length) = self.classes.at(self.text, at);
            if class != Class::NUMBER {
                break;
            }
            at += length;
        }
        at
    }

    fn signs(&self, at: usize, pattern: Pattern) -> usize {
        let mut end = self.run(at, SIGNS);
        while matches!(self.byte(end), Some(b'\r' | b'\n'))
            || pattern == Pattern::O200k && self.byte(end) == Some(b'/')
        {
            end += 1;
        }
        end
    }

    /// Returns the end of white space: up to its last line end, or else all but the last character, which belongs to
    /// the word behind it.
    fn white_space(&self, from: usize) -> usize {
        let (mut at, mut last, mut behind_line) = (from, from, None);
        loop {
            let (class, length) = self.classes.at(self.text, at);
            if !class.is_in(WHITE) {
                break;
            }
            last = at;
            at += length;
            if class == Class::LINE_END {
                behind_line = Some(at);
            }
        }
        match behind_line {
            Some(end) => end,
            None if at < self.text.len() && last > from => last,
            None => at.max(from + 1),
        }
    }
}
