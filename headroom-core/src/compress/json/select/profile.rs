//! Profiles the columns of an array: categories, texts of a few shapes, numbers.

use std::{hash::Hasher, ops::Range};

use headroom_json::document::{Document, DocumentNodeKind};
use rustc_hash::{FxHashMap, FxHasher};

use super::super::grid::Grid;
use crate::{
    relevance::features::{BETWEEN, DIGIT, HEX, class_of},
    text::reserve::expected,
    tuning::tuning,
};

/// Maximum number of different values or shapes counted per column.
const MAX_CLASSES: usize = 256;

/// Number of values from which the total is estimated.
const SAMPLE: usize = 1024;

/// The class of cells in columns where every cell is different.
const NO_CLASS: u16 = u16::MAX;

/// A class of similar cells: equal values, or texts of the same shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct ValueClass {
    pub(super) count: u32,
    /// The first cell of the class.
    pub(super) node: u32,
}

/// What the cells of one class share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alike {
    /// The value; the column has few different ones.
    Value,
    /// The text, except for names and numbers.
    Shape,
    /// Nothing: the column has no classes.
    Nothing,
}

#[derive(Debug)]
pub(super) struct ColumnProfile {
    pub(super) filled: usize,
    texts: usize,
    pub(super) alike: Alike,
    pub(super) classes: Vec<ValueClass>,
    index: FxHashMap<u64, u16>,
    /// The numbers with their rows.
    pub(super) numbers: Vec<(f32, u32)>,
}

/// The columns of a grid.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) columns: Vec<ColumnProfile>,
    /// The class of each cell in the grid.
    classes: Vec<u16>,
}

/// A cell with its column and class.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProfileCell {
    pub(super) column: usize,
    pub(super) node: u32,
    pub(super) class: Option<usize>,
}

impl Profile {
    pub(super) fn from_grid(doc: &Document<'_>, grid: &Grid<'_>) -> Self {
        let most = (grid.ends.len() / tuning().json_rows.rows_per_class + tuning().json_rows.spare_classes)
            .min(MAX_CLASSES);
        let empty = || ColumnProfile {
            filled: 0,
            texts: 0,
            alike: Alike::Value,
            classes: Vec::new(),
            index: FxHashMap::default(),
            numbers: Vec::new(),
        };
        let mut columns: Vec<ColumnProfile> = grid.names.iter().map(|_| empty()).collect();
        let mut classes = Vec::with_capacity(grid.cells.len());
        for (row, cells) in (0_u32..).zip(grid.rows()) {
            for (column, node) in cells {
                let column = columns.get_mut(*column as usize);
                classes.push(
                    column.map_or(NO_CLASS, |column| column.add(doc, (row, grid.ends.len()), *node, most)),
                );
            }
        }
        let mut pending = false;
        for column in &mut columns {
            if column.alike == Alike::Nothing && column.texts * 2 > column.filled {
                column.alike = Alike::Shape;
                pending = true;
            }
        }
        if pending {
            for ((column, node), class) in grid.cells.iter().zip(&mut classes) {
                let column = columns.get_mut(*column as usize).filter(|column| column.alike == Alike::Shape);
                if let Some(column) = column {
                    *class = column.class(shape(&doc.slice(*node)), *node, most);
                }
            }
        }
        Self { columns, classes }
    }

    /// Iterates over the cells of some adjacent rows.
    fn cells<'a>(
        &'a self,
        grid: &Grid<'a>,
        range: Range<usize>,
    ) -> impl Iterator<Item = ProfileCell> + use<'a> {
        let cells = grid.cells.get(range.clone()).unwrap_or_default();
        let classes = self.classes.get(range).unwrap_or_default();
        cells.iter().zip(classes).map(|((column, node), class)| {
            let column = *column as usize;
            let class = usize::from(*class);
            // Cells read before their column exceeded the maximum still have a class.
            let known = self.columns.get(column).is_some_and(|column| class < column.classes.len());
            ProfileCell { column, node: *node, class: known.then_some(class) }
        })
    }

    /// Iterates over the cells of each row.
    pub(super) fn rows<'a>(
        &'a self,
        grid: &Grid<'a>,
    ) -> impl Iterator<Item = impl Iterator<Item = ProfileCell>> {
        (0..grid.ends.len()).map(move |row| self.cells(grid, grid.range(row)))
    }

    /// Iterates over the cells of one row.
    pub(super) fn row<'a>(
        &'a self,
        grid: &Grid<'a>,
        row: usize,
    ) -> impl Iterator<Item = ProfileCell> + use<'a> {
        self.cells(grid, grid.range(row))
    }
}

impl ColumnProfile {
    fn add(&mut self, doc: &Document<'_>, (row, rows): (u32, usize), node: u32, most: usize) -> u16 {
        let kind = doc.node(node).map_or(DocumentNodeKind::Scalar, |node| node.kind);
        self.filled += 1;
        self.texts += usize::from(matches!(kind, DocumentNodeKind::Plain | DocumentNodeKind::Escaped));
        if self.alike == Alike::Nothing && kind != DocumentNodeKind::Scalar {
            return NO_CLASS;
        }
        let text = doc.slice(node);
        if kind == DocumentNodeKind::Scalar
            && let Some(number) = number(&text)
        {
            let numbers = &mut self.numbers;
            if numbers.len() == numbers.capacity() && numbers.len() >= SAMPLE {
                numbers.reserve_exact(expected(numbers.len(), row as usize + 1, rows));
            }
            numbers.push((number, row));
        }
        if self.alike == Alike::Nothing {
            return NO_CLASS;
        }
        self.class(exact(&text), node, most)
    }

    /// Returns the class for this key; none, from then on, if there are too many.
    fn class(&mut self, key: u64, node: u32, most: usize) -> u16 {
        let next = self.classes.len();
        let class = *self.index.entry(key).or_insert(u16::try_from(next).unwrap_or(NO_CLASS));
        if usize::from(class) < next {
            if let Some(class) = self.classes.get_mut(usize::from(class)) {
                class.count += 1;
            }
        } else if next < most {
            self.classes.push(ValueClass { count: 1, node });
        } else {
            self.alike = Alike::Nothing;
            self.classes.clear();
            self.index.clear();
            return NO_CLASS;
        }
        class
    }

    /// Returns the number of classes, if cells have classes and differ.
    pub(super) fn kinds(&self) -> Option<usize> {
        (self.classes.len() > 1).then_some(self.classes.len())
    }

    /// Whether nearly all cells are numbers.
    pub(super) fn is_numeric(&self) -> bool {
        self.numbers.len() * 100 >= self.filled * tuning().json_rows.numeric_share && !self.numbers.is_empty()
    }

    /// Whether the numbers are monotonic, like a sequence.
    pub(super) fn is_sequence(&self) -> bool {
        let pairs = || self.numbers.iter().zip(self.numbers.iter().skip(1));
        let rises = pairs().filter(|(a, b)| a.0 < b.0).count();
        let falls = pairs().filter(|(a, b)| a.0 > b.0).count();
        rises.max(falls) * 100 > self.numbers.len() * tuning().json_rows.sequence_share
    }
}

/// Parses a number.
fn number(text: &str) -> Option<f32> {
    /// Integers with this many digits are less than 2^24, and therefore exact in `f32`.
    const EXACT_DIGITS: usize = 7;
    if text.len() <= EXACT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let value = text.bytes().fold(0, |value: u32, byte| value * 10 + u32::from(byte - b'0'));
        #[expect(clippy::cast_precision_loss, reason = "exact for so few digits")]
        return (!text.is_empty()).then_some(value as f32);
    }
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    text.parse().ok().filter(|number: &f32| is_number && number.is_finite())
}

fn exact(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// Hashes a text without its numbers, ids and the like.
fn shape(text: &str) -> u64 {
    const VALUE: u64 = 0x5eed;
    let mut hash = 0_u64;
    let mix = |hash: u64, symbol: u64| (hash.rotate_left(5) ^ symbol).wrapping_mul(0x517c_c1b7_2722_0a95);
    let mut word = ProfileWord::default();
    for byte in text.bytes() {
        let class = class_of(byte);
        if class != BETWEEN {
            word.add(byte, class);
            continue;
        }
        if word.length > 0 {
            hash = mix(hash, if word.is_value() { VALUE } else { word.hash });
            word = ProfileWord::default();
        }
        hash = mix(hash, u64::from(byte));
    }
    if word.length > 0 {
        hash = mix(hash, if word.is_value() { VALUE } else { word.hash });
    }
    hash
}

#[derive(Clone, Copy, Debug)]
struct ProfileWord {
    hash: u64,
    length: u32,
    /// The classes of its bytes, by union and by intersection.
    any: u8,
    all: u8,
}

impl Default for ProfileWord {
    fn default() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, length: 0, any: 0, all: u8::MAX }
    }
}

impl ProfileWord {
    fn add(&mut self, byte: u8, class: u8) {
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.length += 1;
        self.any |= class;
        self.all &= class;
    }

    fn is_value(self) -> bool {
        self.any & DIGIT != 0 || (self.all & HEX != 0 && self.length >= 8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn numbers_are_read_as_the_standard_library_does(text in "-?[0-9]{0,9}(\\.[0-9]{1,3})?(e[0-9]{1,2})?|[a-z]{1,3}") {
            let parsed = text.parse().ok().filter(|number: &f32| number.is_finite());
            let parsed = parsed.filter(|_| !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '.'));
            proptest::prop_assert_eq!(number(&text), parsed, "{}", text);
        }
    }
}
