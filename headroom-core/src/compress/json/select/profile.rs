//! What the columns of an array hold: categories, texts of a few shapes, numbers.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

use super::super::{
    grid::Grid,
    scan::{Document, Kind},
};

/// Most different values or shapes of a column that are counted.
const MAX_CLASSES: usize = 256;

/// Cells that count as alike: the same value, or texts of the same shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    pub(super) count: u32,
    /// The first such cell.
    pub(super) node: u32,
}

/// How the cells of a column are counted.
#[derive(Debug)]
pub(super) enum Classes {
    /// Few different values.
    Values(FxHashMap<u64, Class>),
    /// Texts that differ in names and numbers only.
    Shapes(FxHashMap<u64, Class>),
    /// Every cell is something else.
    None,
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) filled: usize,
    texts: usize,
    pub(super) classes: Classes,
    /// The numbers with their rows.
    pub(super) numbers: Vec<(f32, u32)>,
}

/// The columns of a grid.
#[derive(Debug)]
pub(super) struct Profile {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
}

impl Profile {
    pub(super) fn of(doc: &Document, grid: &Grid<'_>) -> Self {
        let rows = grid.ends.len();
        let most = (rows / 8 + 4).min(MAX_CLASSES);
        let empty = || Column {
            filled: 0,
            texts: 0,
            classes: Classes::Values(FxHashMap::default()),
            numbers: Vec::new(),
        };
        let mut columns: Vec<Column> = grid.names.iter().map(|_| empty()).collect();
        for (row, cells) in (0_u32..).zip(grid.rows()) {
            for (column, node) in cells {
                if let Some(column) = columns.get_mut(*column as usize) {
                    column.add(doc, row, *node, most);
                }
            }
        }
        let mut pending = false;
        for column in &mut columns {
            if matches!(column.classes, Classes::None) && column.texts * 2 > column.filled {
                column.classes = Classes::Shapes(FxHashMap::default());
                pending = true;
            }
        }
        if pending {
            for (column, node) in grid.cells {
                if let Some(column) = columns.get_mut(*column as usize) {
                    column.add_shape(doc, *node, most);
                }
            }
        }
        Self { rows, columns }
    }

    /// The columns with their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Column)> {
        (0..).zip(&self.columns)
    }
}

impl Column {
    fn add(&mut self, doc: &Document, row: u32, node: u32, most: usize) {
        let text = doc.slice(node);
        let kind = doc.node(node).map_or(Kind::Scalar, |node| node.kind);
        self.filled += 1;
        self.texts += usize::from(matches!(kind, Kind::Plain | Kind::Escaped));
        if kind == Kind::Scalar
            && text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
            && let Some(number) = text.parse().ok().filter(|number: &f32| number.is_finite())
        {
            self.numbers.push((number, row));
        }
        if let Classes::Values(classes) = &mut self.classes {
            classes.entry(exact(text)).or_insert(Class { count: 0, node }).count += 1;
            if classes.len() > most {
                self.classes = Classes::None;
            }
        }
    }

    fn add_shape(&mut self, doc: &Document, node: u32, most: usize) {
        if let Classes::Shapes(classes) = &mut self.classes {
            classes.entry(shape(doc.slice(node))).or_insert(Class { count: 0, node }).count += 1;
            if classes.len() > most {
                self.classes = Classes::None;
            }
        }
    }

    /// What the cells of the column are alike in, if there is more than one class of them.
    pub(super) fn classes(&self) -> Option<&FxHashMap<u64, Class>> {
        match &self.classes {
            Classes::Values(classes) | Classes::Shapes(classes) if classes.len() > 1 => Some(classes),
            _ => None,
        }
    }

    /// The class of one cell by its key.
    pub(super) fn class_of(&self, doc: &Document, node: u32) -> Option<(u64, Class)> {
        let (key, classes) = match &self.classes {
            Classes::Values(classes) => (exact(doc.slice(node)), classes),
            Classes::Shapes(classes) => (shape(doc.slice(node)), classes),
            Classes::None => return None,
        };
        Some((key, *classes.get(&key)?))
    }

    /// Whether nearly all cells are numbers.
    pub(super) fn is_numeric(&self) -> bool {
        self.numbers.len() * 10 >= self.filled * 9 && !self.numbers.is_empty()
    }

    /// Whether the numbers run one way, as those of a sequence do.
    pub(super) fn is_sequence(&self) -> bool {
        let pairs = || self.numbers.iter().zip(self.numbers.iter().skip(1));
        let rises = pairs().filter(|(a, b)| a.0 < b.0).count();
        let falls = pairs().filter(|(a, b)| a.0 > b.0).count();
        rises.max(falls) * 10 > self.numbers.len() * 8
    }
}

fn exact(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// The hash of a text without its numbers, ids and the like.
fn shape(text: &str) -> u64 {
    const VALUE: u64 = 0x5eed;
    let mut hash = 0_u64;
    let mix = |hash: u64, symbol: u64| (hash.rotate_left(5) ^ symbol).wrapping_mul(0x517c_c1b7_2722_0a95);
    let mut word = Word::default();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || byte >= 0x80 {
            word.add(byte);
            continue;
        }
        if word.length > 0 {
            hash = mix(hash, if word.is_value() { VALUE } else { word.hash });
            word = Word::default();
        }
        hash = mix(hash, u64::from(byte));
    }
    if word.length > 0 {
        hash = mix(hash, if word.is_value() { VALUE } else { word.hash });
    }
    hash
}

#[derive(Clone, Copy, Debug)]
struct Word {
    hash: u64,
    length: u32,
    digits: bool,
    hex: bool,
}

impl Default for Word {
    fn default() -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, length: 0, digits: false, hex: true }
    }
}

impl Word {
    fn add(&mut self, byte: u8) {
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        self.length += 1;
        self.digits |= byte.is_ascii_digit();
        self.hex &= byte.is_ascii_hexdigit();
    }

    fn is_value(self) -> bool {
        self.digits || (self.hex && self.length >= 8)
    }
}
