//! Formulas in MathML on one line: `x^(2)`, `x_(12)`, `(1)/(2)`, `√(2)`, `√[3](8)`, `[1, 2; 3, 4]`.
//!
//! A formula with anything that has no such form stays MathML, less the attributes that do not change its meaning.

mod linear;

use super::super::{element::is_one_of, entity, token::Tag};

/// Deeper or larger formulas stay as they are.
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 4096;
/// Attributes that do not change the meaning of a formula.
const PLAIN: [&str; 14] = [
    "alttext",
    "class",
    "dir",
    "display",
    "displaystyle",
    "href",
    "id",
    "lspace",
    "rspace",
    "scriptlevel",
    "stretchy",
    "style",
    "title",
    "xmlns",
];
/// Names of characters that formulas use.
const NAMES: [(&str, &str); 8] = [
    ("&af;", "\u{2061}"),
    ("&ApplyFunction;", "\u{2061}"),
    ("&it;", "\u{2062}"),
    ("&InvisibleTimes;", "\u{2062}"),
    ("&ic;", "\u{2063}"),
    ("&InvisibleComma;", "\u{2063}"),
    ("&prime;", "′"),
    ("&PlusMinus;", "±"),
];

#[derive(Debug)]
struct MathNode<'p> {
    tag: Tag<'p>,
    children: Vec<usize>,
    text: String,
}

/// An open formula.
#[derive(Debug)]
pub(super) struct Formula<'p> {
    /// The first is the formula itself.
    nodes: Vec<MathNode<'p>>,
    /// The nodes that are open, from the formula on.
    open: Vec<usize>,
    /// The formula as MathML.
    source: String,
    /// Whether it may only stay MathML.
    is_odd: bool,
}

impl<'p> Formula<'p> {
    pub(super) fn new(tag: &Tag<'p>) -> Self {
        let mut formula = Self { nodes: Vec::new(), open: Vec::new(), source: String::new(), is_odd: false };
        formula.open(tag);
        formula
    }

    /// Whether the formula is a paragraph of its own.
    pub(super) fn is_block(&self) -> bool {
        self.nodes.first().and_then(|node| node.tag.raw("display")).is_some_and(|value| value == "block")
    }

    pub(super) fn open(&mut self, tag: &Tag<'p>) {
        self.source.push('<');
        self.source.push_str(tag.name);
        for (name, value) in tag.attributes() {
            let is_plain = is_one_of(name, &PLAIN) || name.contains('-') || name.starts_with("xmlns");
            if !is_plain {
                let quote = if value.contains('"') { '\'' } else { '"' };
                self.source.extend([" ", name, "="]);
                self.source.push(quote);
                self.source.extend(
                    value
                        .split_inclusive(char::is_control)
                        .map(|part| part.trim_end_matches(char::is_control)),
                );
                self.source.push(quote);
            }
        }
        self.source.push_str(if tag.is_self_closing() { "/>" } else { ">" });
        self.is_odd |= self.nodes.len() >= MAX_NODES || self.open.len() >= MAX_DEPTH;
        if self.is_odd {
            return;
        }
        let node = self.nodes.len();
        if let Some(parent) = self.open.last().and_then(|parent| self.nodes.get_mut(*parent)) {
            parent.children.push(node);
        }
        self.nodes.push(MathNode { tag: *tag, children: Vec::new(), text: String::new() });
        if !tag.is_self_closing() {
            self.open.push(node);
        }
    }

    /// Closes an element; returns whether the formula has ended.
    pub(super) fn close(&mut self, name: &str) -> bool {
        self.source.extend(["</", name, ">"]);
        if name.eq_ignore_ascii_case("math") {
            return true;
        }
        let is_named =
            |node: &usize| self.nodes.get(*node).is_some_and(|node| node.tag.name.eq_ignore_ascii_case(name));
        match self.open.iter().rposition(is_named) {
            Some(at) => {
                // An element that was never closed has children that are not its own.
                self.is_odd |= at + 1 != self.open.len();
                self.open.truncate(at);
            }
            None => self.is_odd = true,
        }
        false
    }

    pub(super) fn text(&mut self, text: &str) {
        let words: Vec<&str> = text.split(|c: char| c.is_ascii_whitespace() || c.is_control()).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            return;
        }
        let text = words.join(" ");
        self.source.push_str(&text);
        let Some(node) = self.open.last().and_then(|node| self.nodes.get_mut(*node)) else { return };
        let mut text = text;
        for (name, character) in NAMES {
            if text.contains(name) {
                text = text.replace(name, character);
            }
        }
        let text = entity::decode(&text);
        if !node.text.is_empty() {
            node.text.push(' ');
        }
        node.text.push_str(&text);
    }

    /// Returns the formula on one line.
    pub(super) fn written(&self) -> String {
        if self.is_odd { None } else { linear::write(&self.nodes) }.unwrap_or_else(|| self.source.clone())
    }
}
