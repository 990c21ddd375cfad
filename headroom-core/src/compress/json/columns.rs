//! Determines the columns of an array of objects, and their order.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
};

use headroom_json::document::{Document, DocumentKey, DocumentNodeKind};

use crate::text::reserve::expected;

/// Maximum number of different paths in a table.
const MAX_PATHS: usize = 2048;
/// The step from an array to its only element. No key reads the same, since keys have quotes.
const ELEMENT: &str = "[0]";
/// Number of rows from which the total number of cells is estimated.
const SAMPLE: usize = 64;
/// Represents "none" where an index is expected.
const NONE: u32 = u32::MAX;
/// The path of the rows themselves.
const ROOT: u32 = 0;

/// A key path within the rows, from the row down.
#[derive(Debug)]
pub(super) struct Path<'a> {
    pub(super) parent: u32,
    /// A key with its quotes, or [`ELEMENT`].
    pub(super) step: &'a str,
    /// Whether the value is written as one JSON cell.
    opaque: bool,
    /// Number of rows that have an object here, and of keys in those objects.
    objects: usize,
    keys: usize,
    children: usize,
    /// Number of arrays here that hold anything but a single object.
    arrays: usize,
    /// The last row that contains this path.
    row: u32,
    /// The successors in the previous row: the first key inside, the next key, the next cell.
    inside: u32,
    behind: u32,
    follower: u32,
    cells: usize,
}

/// A step down from a row, or from a value in it.
#[derive(Clone, Copy, Debug)]
enum PathStep<'a> {
    Key(DocumentKey<'a>),
    Element,
}

impl<'a> PathStep<'a> {
    /// Returns a key with its quotes, or [`ELEMENT`].
    fn name(self) -> &'a str {
        match self {
            Self::Key(key) => key.lexeme(),
            Self::Element => ELEMENT,
        }
    }

    fn is(self, name: &str) -> bool {
        match self {
            Self::Key(key) => key.is(name),
            Self::Element => name == ELEMENT,
        }
    }
}

/// The cells of an array of objects.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    doc: &'a Document<'a>,
    pub(super) paths: Vec<Path<'a>>,
    index: HashMap<(u32, &'a str), u32>,
    /// Path and node of each cell, row by row.
    pub(super) cells: Vec<(u32, u32)>,
    /// The end of each row's cells.
    pub(super) ends: Vec<usize>,
    /// Pairs of paths that are adjacent in some row.
    edges: HashSet<(u32, u32)>,
}

impl<'a> Columns<'a> {
    /// Collects the cells of the rows. `None` if a row repeats a key or there are too many different keys.
    pub(super) fn from_rows(doc: &'a Document<'a>, rows: &[u32]) -> Option<Self> {
        let mut columns = Self {
            doc,
            paths: Vec::new(),
            index: HashMap::new(),
            cells: Vec::new(),
            ends: Vec::with_capacity(rows.len()),
            edges: HashSet::new(),
        };
        columns.path(NONE, "");
        columns.walk(rows)?;
        if columns.close_sparse() {
            columns.reset();
            columns.walk(rows)?;
        }
        Some(columns)
    }

    /// Orders the columns as in every row, and otherwise by first appearance.
    ///
    /// Objects and arrays whose order differs from row to row become one JSON column. `None` if the rows themselves
    /// contradict each other.
    pub(super) fn order(&mut self, rows: &[u32]) -> Option<Vec<u32>> {
        let found = self.sorted()?;
        if found.len() == self.columns().count() {
            return Some(found);
        }
        self.close_contradictions(&found);
        self.reset();
        self.walk(rows)?;
        let found = self.sorted()?;
        (found.len() == self.columns().count()).then_some(found)
    }

    fn columns(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.paths).filter(|(_, path)| path.cells > 0).map(|(id, _)| id)
    }

    /// Returns the columns that can be ordered: all, unless rows contradict each other.
    fn sorted(&self) -> Option<Vec<u32>> {
        let mut before = vec![0_usize; self.paths.len()];
        let mut after: HashMap<u32, Vec<u32>> = HashMap::new();
        for (from, to) in &self.edges {
            after.entry(*from).or_default().push(*to);
            *before.get_mut(*to as usize)? += 1;
        }
        let free = |before: &[usize], id: u32| before.get(id as usize) == Some(&0);
        let mut ready: BinaryHeap<_> = self.columns().filter(|id| free(&before, *id)).map(Reverse).collect();
        let mut order = Vec::new();
        while let Some(Reverse(id)) = ready.pop() {
            order.push(id);
            for to in after.get(&id).into_iter().flatten() {
                *before.get_mut(*to as usize)? -= 1;
                if free(&before, *to) {
                    ready.push(Reverse(*to));
                }
            }
        }
        Some(order)
    }

    /// Merges columns that contradict each other into one JSON column per object or array that holds them.
    fn close_contradictions(&mut self, sorted: &[u32]) {
        let sorted: HashSet<_> = sorted.iter().copied().collect();
        let mut left: HashSet<u32> = self.columns().filter(|id| !sorted.contains(id)).collect();
        // Columns that merely follow a contradiction are not part of it.
        loop {
            let inner = |edge: &&(u32, u32)| left.contains(&edge.0) && left.contains(&edge.1);
            let before: HashSet<u32> = self.edges.iter().filter(inner).map(|(from, _)| *from).collect();
            if before.len() == left.len() {
                break;
            }
            left = before;
        }
        for mut id in left {
            while let Some(parent) = self.paths.get(id as usize).map(|path| path.parent)
                && parent != ROOT
                && parent != NONE
            {
                id = parent;
            }
            if let Some(path) = self.paths.get_mut(id as usize) {
                path.opaque = true;
            }
        }
    }

    fn walk(&mut self, rows: &[u32]) -> Option<()> {
        for (number, row) in (0_u32..).zip(rows) {
            let start = self.cells.len();
            self.object(ROOT, *row, number, start)?;
            self.ends.push(self.cells.len());
            if self.ends.len() == SAMPLE {
                self.cells.reserve_exact(expected(self.cells.len(), SAMPLE, rows.len()));
            }
        }
        Some(())
    }

    /// Recursion is bounded by the document's depth.
    fn object(&mut self, path: u32, object: u32, row: u32, start: usize) -> Option<()> {
        let doc = self.doc;
        let mut last = NONE;
        let mut keys = 0;
        for (key, value, kind) in doc.named(object) {
            let id = self.step(path, last, PathStep::Key(key), row)?;
            self.value(id, value, kind, row, start)?;
            last = id;
            keys += 1;
        }
        let path = self.paths.get_mut(path as usize)?;
        path.objects += 1;
        path.keys += keys;
        Some(())
    }

    fn value(&mut self, id: u32, value: u32, kind: DocumentNodeKind, row: u32, start: usize) -> Option<()> {
        let doc = self.doc;
        let path = self.paths.get_mut(id as usize)?;
        match kind {
            DocumentNodeKind::Object if !path.opaque && !doc.is_empty(value) => {
                return self.object(id, value, row, start);
            }
            DocumentNodeKind::Array if !path.opaque => {
                let mut elements = doc.children(value);
                if let (Some((only, node)), None) = (elements.next(), elements.next())
                    && node.kind == DocumentNodeKind::Object
                    && !doc.is_empty(only)
                {
                    let element = self.step(id, NONE, PathStep::Element, row)?;
                    return self.object(element, only, row, start);
                }
                path.arrays += usize::from(!doc.is_empty(value));
            }
            _ => {}
        }
        path.cells += 1;
        let previous = self.cells.get(start..)?.last().map(|(path, _)| *path);
        if let Some(previous) = previous {
            let hint = &mut self.paths.get_mut(previous as usize)?.follower;
            if *hint != id {
                *hint = id;
                self.edges.insert((previous, id));
            }
        }
        self.cells.push((id, value));
        Some(())
    }

    /// Returns the path one step below `parent`, after the step `last`.
    fn step(&mut self, parent: u32, last: u32, step: PathStep<'a>, row: u32) -> Option<u32> {
        let hint = if last == NONE {
            self.paths.get(parent as usize)?.inside
        } else {
            self.paths.get(last as usize)?.behind
        };
        let hinted = self.paths.get(hint as usize).is_some_and(|path| step.is(path.step));
        let id = if hinted {
            hint
        } else {
            let step = step.name();
            let id = self.index.get(&(parent, step)).copied();
            let id = id.unwrap_or_else(|| self.path(parent, step));
            if last == NONE {
                self.paths.get_mut(parent as usize)?.inside = id;
            } else {
                self.paths.get_mut(last as usize)?.behind = id;
            }
            id
        };
        let path = self.paths.get_mut(id as usize)?;
        let repeated = path.row == row;
        path.row = row;
        (!repeated && self.paths.len() <= MAX_PATHS).then_some(id)
    }

    fn path(&mut self, parent: u32, step: &'a str) -> u32 {
        let id = u32::try_from(self.paths.len()).unwrap_or(NONE);
        self.paths.push(Path {
            parent,
            step,
            opaque: false,
            objects: 0,
            keys: 0,
            children: 0,
            arrays: 0,
            row: NONE,
            inside: NONE,
            behind: NONE,
            follower: NONE,
            cells: 0,
        });
        self.index.insert((parent, step), id);
        if let Some(parent) = self.paths.get_mut(parent as usize) {
            parent.children += 1;
        }
        id
    }

    /// Merges into one JSON column each object that acts as a map (its keys differ from row to row) and each array that
    /// has one element in some rows and more in others.
    fn close_sparse(&mut self) -> bool {
        let mut closed = false;
        for path in self.paths.iter_mut().skip(1) {
            let map = path.children > 8 && path.children * path.objects > path.keys * 3;
            let list = path.arrays > 0 && path.children > 0;
            path.opaque = map || list;
            closed |= path.opaque;
        }
        closed
    }

    fn reset(&mut self) {
        self.cells.clear();
        self.ends.clear();
        self.edges.clear();
        for path in &mut self.paths {
            path.row = NONE;
            path.follower = NONE;
            path.cells = 0;
        }
    }
}
