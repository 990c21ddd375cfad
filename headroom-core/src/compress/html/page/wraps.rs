//! Text between signs, or apart from the text around it: `[Buy 2] 5 left`, `“quoted”`, `漢(kan)`.

use super::super::{
    element::{Element, is_apart, is_one_of},
    entity,
    token::Tag,
};

/// How many open elements are searched for the one that an end tag closes.
const REACH: usize = 64;
/// Elements nested deeper have no signs.
const MAX_OPEN: usize = 512;
/// Attributes that say what a field is and what it shows.
const TELLING: [&str; 15] = [
    "alt",
    "checked",
    "dir",
    "formaction",
    "high",
    "low",
    "max",
    "min",
    "name",
    "open",
    "optimum",
    "placeholder",
    "selected",
    "type",
    "value",
];

#[derive(Debug)]
struct Wrap {
    name: [u8; 8],
    /// What is written before the first word.
    opening: String,
    closing: &'static str,
    /// Whether white space separates it from the text around it.
    is_apart: bool,
    /// What is written if the element has no text.
    label: String,
    is_open: bool,
}

/// The elements open around the text that are written with signs.
#[derive(Debug, Default)]
pub(super) struct Wraps {
    open: Vec<Wrap>,
    /// How many of them have no text yet, and how many have signs.
    waiting: usize,
    signs: usize,
}

impl Wraps {
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether all that follows is within a button.
    pub(super) fn is_button(&self) -> bool {
        self.open.last().is_some_and(|wrap| wrap.closing == "]")
    }

    /// Enters an element; returns whether it is apart from what is before.
    pub(super) fn enter(&mut self, tag: &Tag<'_>, name: [u8; 8]) -> bool {
        let is = |names: &[&str]| is_one_of(tag.name, names);
        let is_apart = is_apart(tag) || is(&["button", "label", "meter", "output", "progress", "textarea"]);
        let (opening, closing) = if is(&["button"]) {
            let is_sent = ["formaction", "name", "value"].iter().any(|name| tag.raw(name).is_some());
            if is_sent { (brief(tag), "</button>") } else { ("[".to_owned(), "]") }
        } else if is(&["q"]) {
            ("“".to_owned(), "”")
        } else if is(&["rt"]) {
            ("(".to_owned(), ")")
        } else if is(&["script"]) {
            ("$".to_owned(), "$")
        } else if is(&["bdo"]) {
            (brief(tag), "</bdo>")
        } else if is(&["textarea"]) {
            (brief(tag), "</textarea>")
        } else if is(&["meter"]) {
            (brief(tag), "</meter>")
        } else if is(&["progress"]) {
            (brief(tag), "</progress>")
        } else {
            (String::new(), "")
        };
        let known = is_apart || !closing.is_empty();
        if !known && !self.open.iter().rev().take(REACH).any(|wrap| wrap.name == name) {
            return false;
        }
        // An element that is told by its tag alone.
        let is_seen = is(&["meter", "progress", "textarea"]);
        let label =
            ["aria-label", "title"].iter().find_map(|name| tag.raw(name)).filter(|_| !closing.is_empty());
        let label = label.map(folded).unwrap_or_default();
        let label = if is_seen { opening.clone() } else { label };
        let is_open = opening.is_empty();
        if self.open.len() >= MAX_OPEN {
            return is_apart;
        }
        self.waiting += usize::from(!is_open);
        self.signs += usize::from(!closing.is_empty());
        self.open.push(Wrap { name, opening, closing, is_apart, label, is_open });
        is_apart
    }

    /// Returns what is written before a word.
    pub(super) fn begin(&mut self) -> Option<String> {
        if self.waiting == 0 {
            return None;
        }
        let mut openings = Vec::new();
        for wrap in self.open.iter_mut().rev() {
            if self.waiting == 0 {
                break;
            }
            if !std::mem::replace(&mut wrap.is_open, true) {
                self.waiting -= 1;
                openings.push(wrap.opening.as_str());
            }
        }
        openings.reverse();
        Some(openings.concat())
    }

    /// Whether the innermost open element of this name is within reach.
    pub(super) fn has(&self, name: [u8; 8]) -> bool {
        self.open.iter().rev().take(REACH).any(|wrap| wrap.name == name)
    }

    /// Leaves the innermost element; returns its name, what is written as a word and behind it, and whether it is apart.
    pub(super) fn leave(&mut self) -> Option<([u8; 8], String, &'static str, bool)> {
        self.remove(self.open.len().checked_sub(1)?)
    }

    /// Leaves the innermost element with signs: they end with the block, while others may go on.
    pub(super) fn leave_sign(&mut self) -> Option<([u8; 8], String, &'static str, bool)> {
        if self.signs == 0 {
            return None;
        }
        self.remove(self.open.iter().rposition(|wrap| !wrap.closing.is_empty())?)
    }

    fn remove(&mut self, at: usize) -> Option<([u8; 8], String, &'static str, bool)> {
        let wrap = (at < self.open.len()).then(|| self.open.remove(at))?;
        self.signs -= usize::from(!wrap.closing.is_empty());
        if wrap.is_open {
            return Some((wrap.name, String::new(), wrap.closing, wrap.is_apart));
        }
        self.waiting -= 1;
        let is_tag = wrap.label.starts_with('<') || wrap.label.is_empty();
        let (text, closing) =
            if is_tag { (wrap.label, "") } else { (wrap.opening + &wrap.label, wrap.closing) };
        Some((wrap.name, text, closing, wrap.is_apart))
    }
}

/// Whether an inline element may need signs around its text.
pub(super) fn is_wrapped(tag: &Tag<'_>) -> bool {
    Element::from_name(tag.name) == Element::Wrapped || is_apart(tag)
}

/// Returns a start tag with the attributes that say what it is and what it shows.
pub(super) fn brief(tag: &Tag<'_>) -> String {
    let mut out = format!("<{}", tag.name.to_ascii_lowercase());
    for (name, value) in tag.attributes().filter(|(name, _)| is_one_of(name, &TELLING)) {
        out.push(' ');
        out.push_str(name);
        if !value.is_empty() {
            let quote = if value.contains('"') { '\'' } else { '"' };
            out.extend(['=', quote]);
            out.push_str(&folded(value));
            out.push(quote);
        }
    }
    out.push('>');
    out
}

/// Returns the value of an attribute with its characters decoded and white space folded.
pub(super) fn folded(value: &str) -> String {
    let value = entity::decode(value);
    let words = value.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
