//! The classes of characters by which texts are split into words.

use std::{iter, sync::LazyLock};

use super::data;

/// A set of classes of characters, by Unicode's general category. Every character is in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Class(u8);

impl Class {
    /// Behind the end of a text.
    pub(super) const NONE: Self = Self(0);
    /// What is in no other class, such as punctuation and control characters.
    pub(super) const SIGN: Self = Self(1);
    /// M: marks, which combine with the character before them.
    pub(super) const MARK: Self = Self(2);
    /// Lu and Lt: capitals.
    pub(super) const UPPER: Self = Self(4);
    /// Ll: small letters.
    pub(super) const LOWER: Self = Self(8);
    /// Lm and Lo: letters that are neither.
    pub(super) const UNCASED: Self = Self(16);
    /// N: digits and other numbers.
    pub(super) const NUMBER: Self = Self(32);
    /// White space, but for line ends.
    pub(super) const SPACE: Self = Self(64);
    /// A line feed or carriage return.
    pub(super) const LINE_END: Self = Self(128);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn is_in(self, set: Self) -> bool {
        self.0 & set.0 != 0
    }

    #[cfg(test)]
    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    const fn of_ascii(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' => Self::LOWER,
            b'A'..=b'Z' => Self::UPPER,
            b'0'..=b'9' => Self::NUMBER,
            b'\n' | b'\r' => Self::LINE_END,
            b' ' | b'\t' | b'\x0b' | b'\x0c' => Self::SPACE,
            _ => Self::SIGN,
        }
    }
}

/// Takes a run of characters of one class.
fn run(runs: &mut &[u8]) -> Option<(Class, usize)> {
    let (class, rest) = runs.split_first()?;
    *runs = rest;
    Some((Class(*class), data::number(runs)? as usize))
}

/// Characters per page of the table.
const PAGE_BITS: u32 = 8;
const PAGE: usize = 1 << PAGE_BITS;
const CODE_POINTS: usize = char::MAX as usize + 1;

/// The classes of all characters from 128 on, in pages. A page of which all characters are in one class is stored once.
#[derive(Debug)]
pub(super) struct Classes {
    /// The number of each page.
    index: Vec<u16>,
    pages: Vec<Class>,
}

impl Classes {
    pub(super) fn get() -> &'static Self {
        static CLASSES: LazyLock<Classes> = LazyLock::new(|| Classes::read(data::CLASSES));
        &CLASSES
    }

    fn read(mut runs: &[u8]) -> Self {
        let mut all = Self { index: Vec::with_capacity(CODE_POINTS / PAGE), pages: Vec::new() };
        let mut uniform = [None; 1 << u8::BITS];
        let (mut class, mut left) = (Class::SIGN, 128);
        let mut page = Vec::with_capacity(PAGE);
        while all.index.len() < CODE_POINTS / PAGE {
            let is_uniform = page.is_empty() && left >= PAGE;
            let count = left.min(PAGE - page.len());
            page.extend(iter::repeat_n(class, count));
            left -= count;
            if page.len() == PAGE {
                let next = u16::try_from(all.pages.len() / PAGE).unwrap_or_default();
                let known = uniform.get_mut(usize::from(class.0)).filter(|_| is_uniform);
                let number = known.map_or(next, |known| *known.get_or_insert(next));
                if number == next {
                    all.pages.extend_from_slice(&page);
                }
                all.index.push(number);
                page.clear();
            } else {
                (class, left) = run(&mut runs).unwrap_or((Class::SIGN, CODE_POINTS));
            }
        }
        all
    }

    /// Returns the class and length of the character that starts here.
    #[inline]
    pub(super) fn at(&self, text: &[u8], at: usize) -> (Class, usize) {
        match text.get(at) {
            None => (Class::NONE, 0),
            Some(byte) if byte.is_ascii() => (Class::of_ascii(*byte), 1),
            Some(byte) => self.beyond_ascii(*byte, text, at),
        }
    }

    fn beyond_ascii(&self, first: u8, text: &[u8], at: usize) -> (Class, usize) {
        let tail = |offset: usize| u32::from(text.get(at + offset).copied().unwrap_or_default() & 0x3f);
        let lead = u32::from(first);
        let (code_point, length) = match first {
            ..0xe0 => ((lead & 0x1f) << 6 | tail(1), 2),
            0xe0..0xf0 => ((lead & 0x0f) << 12 | tail(1) << 6 | tail(2), 3),
            0xf0.. => ((lead & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4),
        };
        (self.of(code_point), length)
    }

    fn of(&self, code_point: u32) -> Class {
        let page = self.index.get((code_point >> PAGE_BITS) as usize).copied().unwrap_or_default();
        let at = usize::from(page) << PAGE_BITS | code_point as usize & (PAGE - 1);
        self.pages.get(at).copied().unwrap_or(Class::SIGN)
    }
}
