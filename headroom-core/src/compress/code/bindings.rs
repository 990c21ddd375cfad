//! Keeps the declarations of names that stay in use: a statement that reads a name which nothing shown declares would
//! mislead the model, and most compilers refuse it.

use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};
use tree_sitter::{Node, TreeCursor};

use super::{kinds::Kinds, outline::Outline, select::Hole};

/// A name that a statement declares within a function.
#[derive(Clone, Debug)]
pub(super) struct Binding<'s> {
    pub(super) name: &'s str,
    pub(super) row: usize,
    /// The lines in which it has a meaning.
    pub(super) scope: Range<usize>,
}

/// What must change so that no name is used without its declaration.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    /// Lines whose declarations must stay.
    pub(super) keep: Vec<usize>,
    /// Lines that stay for no reason but their place, and use such names.
    pub(super) drop: Vec<usize>,
    /// The lines of functions with such names.
    pub(super) functions: Vec<Range<usize>>,
}

impl Repairs {
    pub(super) fn is_empty(&self) -> bool {
        self.keep.is_empty() && self.drop.is_empty()
    }
}

/// Collects the names that a node declares. `field` is the field that holds them.
pub(super) fn collect<'s>(
    node: Node<'_>,
    field: u16,
    kinds: &Kinds,
    source: &'s str,
    scope: &Range<usize>,
    bindings: &mut Vec<Binding<'s>>,
) {
    let mut cursor = node.walk();
    if !cursor.goto_first_child() {
        return;
    }
    loop {
        if cursor.field_id().is_some_and(|id| id.get() == field) {
            names(&mut cursor.node().walk(), kinds, &mut |leaf| {
                let text = source.get(leaf.byte_range()).unwrap_or_default();
                let row = leaf.start_position().row;
                let scope = scope.clone();
                bindings.extend(words(text).map(|name| Binding { name, row, scope: scope.clone() }));
            });
        }
        if !cursor.goto_next_sibling() {
            return;
        }
    }
}

/// Visits the leaves below a node that are names, but not those of what is only changed, such as `a` in `a.b = 1`.
fn names<'t>(cursor: &mut TreeCursor<'t>, kinds: &Kinds, visit: &mut impl FnMut(Node<'t>)) {
    loop {
        let node = cursor.node();
        let is_leaf = node.child_count() == 0;
        let is_value = cursor.field_id().is_some_and(|field| kinds.holds_values(field.get()));
        if is_leaf && node.is_named() && !is_value {
            visit(node);
        }
        if !is_leaf && !is_value && !kinds.is_place(node) && cursor.goto_first_child() {
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
        }
    }
}

/// Finds the names that lines in sight use while only a hole declares them. `loose` are lines that need not stay.
pub(super) fn repairs(outline: &Outline<'_>, holes: &[Hole], rows: &[&str], loose: &[bool]) -> Repairs {
    let mut repairs = Repairs::default();
    let mut end = 0;
    for function in &outline.functions {
        // Inner functions are part of the outer one.
        if function.rows.start >= end {
            end = function.rows.end;
            NameSearch::new(outline, holes, rows, &function.rows).find(&function.head, loose, &mut repairs);
        }
    }
    repairs
}

struct NameSearch<'a> {
    outline: &'a Outline<'a>,
    rows: &'a [&'a str],
    function: &'a Range<usize>,
    holes: &'a [Hole],
    /// The bindings of each name that a hole declares.
    known: FxHashMap<&'a str, Vec<&'a Binding<'a>>>,
}

impl<'a> NameSearch<'a> {
    fn new(
        outline: &'a Outline<'_>,
        holes: &'a [Hole],
        rows: &'a [&'a str],
        function: &'a Range<usize>,
    ) -> Self {
        let from = holes.partition_point(|hole| hole.rows.end <= function.start);
        let to = holes.partition_point(|hole| hole.rows.start < function.end);
        let holes = holes.get(from..to).unwrap_or_default();
        let from = outline.bindings.partition_point(|binding| binding.row < function.start);
        let to = outline.bindings.partition_point(|binding| binding.row < function.end);
        let bindings = outline.bindings.get(from..to).unwrap_or_default();
        let mut search = Self { outline, rows, function, holes, known: FxHashMap::default() };
        let hidden: FxHashSet<&str> = bindings
            .iter()
            .filter(|binding| search.is_hidden(binding.row))
            .map(|binding| binding.name)
            .collect();
        for binding in bindings.iter().filter(|binding| hidden.contains(binding.name)) {
            search.known.entry(binding.name).or_default().push(binding);
        }
        search
    }

    fn is_hidden(&self, row: usize) -> bool {
        let next = self.holes.partition_point(|hole| hole.rows.end <= row);
        self.holes.get(next).is_some_and(|hole| hole.rows.start <= row)
    }

    fn find(&self, head: &Range<usize>, loose: &[bool], repairs: &mut Repairs) {
        if self.known.is_empty() {
            return;
        }
        let before = repairs.keep.len() + repairs.drop.len();
        let parameters: FxHashSet<&str> = self.words_of(head).collect();
        let mut row = self.function.start;
        while row < self.function.end {
            let next = self.holes.partition_point(|hole| hole.rows.end <= row);
            if let Some(hole) = self.holes.get(next).filter(|hole| hole.rows.start <= row) {
                row = hole.rows.end;
                continue;
            }
            let mut used = used(self.rows.get(row).copied().unwrap_or_default());
            let missing = |name: &str| if parameters.contains(name) { None } else { self.missing(name, row) };
            if loose.get(row).copied().unwrap_or_default() {
                if used.any(|name| missing(name).is_some()) {
                    repairs.drop.push(row);
                }
            } else {
                repairs.keep.extend(used.filter_map(missing));
            }
            row += 1;
        }
        if repairs.keep.len() + repairs.drop.len() > before {
            repairs.functions.push(self.function.clone());
        }
    }

    /// Returns the line of the declaration that this use needs, if it is elided.
    fn missing(&self, name: &str, row: usize) -> Option<usize> {
        let bindings = self.known.get(name)?;
        let in_scope = || bindings.iter().filter(|binding| binding.scope.contains(&row));
        if in_scope().any(|binding| binding.row <= row && !self.is_hidden(binding.row)) {
            return None;
        }
        let nearest = in_scope()
            .filter(|binding| self.is_hidden(binding.row))
            .min_by_key(|binding| (binding.row > row, binding.scope.len(), row.abs_diff(binding.row)))?;
        let is_parameter = |function: &&super::outline::Function<'_>| {
            function.rows.contains(&row) && self.words_of(&function.head).any(|word| word == name)
        };
        let mut functions = self
            .outline
            .functions
            .iter()
            .skip_while(|function| function.rows.end <= self.function.start)
            .take_while(|function| function.rows.start < self.function.end);
        (!functions.any(|function| is_parameter(&function))).then_some(nearest.row)
    }

    fn words_of(&self, rows: &Range<usize>) -> impl Iterator<Item = &'a str> {
        self.rows.get(rows.clone()).unwrap_or_default().iter().flat_map(|row| words(row))
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_in_name(c)).filter(|word| !word.is_empty())
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the words of a line that may be names of their own, not of a member: `b` in `a.b` is none.
fn used(line: &str) -> impl Iterator<Item = &str> {
    let mut from = 0;
    let all = std::iter::from_fn(move || {
        let start = from + line.get(from..)?.find(is_in_name)?;
        let rest = line.get(start..)?;
        let word = rest.get(..rest.find(|c| !is_in_name(c)).unwrap_or(rest.len()))?;
        from = start + word.len();
        Some((line.get(..start)?, word))
    });
    let is_name = |(before, word): &(&str, &str)| {
        let is_member = before.ends_with('.') && !before.ends_with("..") || before.ends_with("->");
        !is_member && !word.starts_with(|c: char| c.is_ascii_digit())
    };
    all.filter(is_name).map(|(_, word)| word)
}
