//! Tells what each line of a document is: a heading of any style, an item, a row, a speaker's line, or text.
//!
//! Lines are judged by what they look like and by the lines around them. In doubt a line is a title, which always
//! stays, and starts a record of its own, which needs the lines above it.

mod label;
mod mark;

pub(super) use label::label;
pub(super) use mark::Mark;

use super::sentence;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    Blank,
    /// The line that opens a block of code.
    Fence,
    /// A line of a block of code below its first.
    Fenced,
    /// `# Title`, `== Title ==`, a line with a rule below, a tag of a heading.
    Heading,
    /// A short line that reads like a heading.
    Title,
    /// `---`
    Rule,
    Item(Mark),
    /// A row of cells.
    Row,
    /// `: what the term above means`
    Definition,
    Quote,
    /// `Name: what is said`
    Label,
    Text,
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineShape<'t> {
    /// The line without its end.
    pub(super) line: &'t str,
    pub(super) kind: LineKind,
    /// The columns before its first character, at most [`MAX_INDENT`].
    pub(super) indent: u8,
    /// Whether the line above is empty, or there is none.
    pub(super) is_first: bool,
    /// Whether it starts a record: a new line was begun on purpose, not because the last one was full.
    pub(super) is_hard: bool,
}

/// Maximum number of columns that are told apart.
const MAX_INDENT: usize = 64;
/// Bytes of a title.
const MAX_TITLE: usize = 90;
/// Bytes of a line between empty lines that is a title, whatever it ends with.
const MAX_SHORT: usize = 60;
/// Bytes of a line that a paragraph is broken into.
const MAX_WIDTH: usize = 160;
/// A shorter line than this is no sign that the text is broken into lines of this width.
const MIN_WIDTH: usize = 50;
/// Percentage of the width from which a line that ends within a sentence goes on in the next.
const NEARLY_FULL: usize = 80;

impl LineShape<'_> {
    fn is_blank(&self) -> bool {
        self.kind == LineKind::Blank
    }

    /// Whether this is text that does not end a sentence.
    fn is_bare(&self) -> bool {
        let said = self.line.trim().trim_end_matches(['*', '_', '"', '\'', ')', ']', '”', '’']);
        self.kind == LineKind::Text
            && said.len() <= MAX_TITLE
            && said.contains(char::is_alphanumeric)
            && !said.ends_with(['.', ',', ';', '!', '…', '。', '，', '！'])
    }
}

/// Returns the shapes of the lines of a text, in order.
pub(super) fn shapes(text: &str) -> Vec<LineShape<'_>> {
    let outline_stars = text.starts_with("** ") || text.contains("\n** ");
    let mut shapes = Vec::new();
    let mut fence: Option<&str> = None;
    let mut was_blank = true;
    let mut last = "";
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let trimmed = line.trim();
        let kind = match fence {
            Some(mark) => {
                if trimmed.starts_with(mark) && trimmed.trim_start_matches(['`', '~']).is_empty() {
                    fence = None;
                }
                LineKind::Fenced
            }
            None if is_rule_below(trimmed, last) => LineKind::Rule,
            None if trimmed.starts_with("```") || trimmed.starts_with("~~~") => {
                fence = trimmed.get(..3);
                LineKind::Fence
            }
            None if outline_stars && line.starts_with('*') && is_outline(line) => LineKind::Heading,
            None => kind(trimmed),
        };
        let is_first = std::mem::replace(&mut was_blank, kind == LineKind::Blank);
        last = trimmed;
        shapes.push(LineShape { line, kind, indent: indent(line), is_first, is_hard: is_first });
    }
    let mut from = 0;
    while from < shapes.len() {
        let blank = |shape: &LineShape<'_>| shape.is_blank();
        let length = shapes.iter().skip(from).position(blank).unwrap_or(shapes.len() - from);
        if let Some(block) = shapes.get_mut(from..from + length) {
            settle(block);
        }
        from += length + 1;
    }
    mark_numbered(&mut shapes);
    shapes
}

/// Whether a line is `** Title` of an outline.
fn is_outline(line: &str) -> bool {
    line.trim_start_matches('*').starts_with(' ')
}

fn indent(line: &str) -> u8 {
    let mut columns: usize = 0;
    for char in line.chars().take(MAX_INDENT) {
        match char {
            ' ' => columns += 1,
            '\t' => columns = (columns / 8 + 1) * 8,
            _ => break,
        }
    }
    u8::try_from(columns.min(MAX_INDENT)).unwrap_or_default()
}

/// What a line is by itself.
fn kind(line: &str) -> LineKind {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let behind = line.as_bytes().get(level);
    if line.is_empty() {
        return LineKind::Blank;
    }
    let is_wiki =
        || line.starts_with('=') && line.trim_start_matches('=').starts_with(' ') && line.len() <= MAX_TITLE;
    let is_tag = || {
        line.strip_prefix("<h")
            .or_else(|| line.strip_prefix("<H"))
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    if (1..=6).contains(&level) && behind.is_some_and(u8::is_ascii_whitespace) || is_wiki() || is_tag() {
        LineKind::Heading
    } else if is_rule(line) {
        LineKind::Rule
    } else if line.starts_with('>') {
        LineKind::Quote
    } else if is_row(line) {
        LineKind::Row
    } else if line.starts_with(": ") {
        LineKind::Definition
    } else if let Some(mark) = Mark::of(line) {
        LineKind::Item(mark)
    } else if label(line).is_some() {
        LineKind::Label
    } else {
        LineKind::Text
    }
}

/// Whether a line has cells.
fn is_row(line: &str) -> bool {
    let has_bar = memchr::memchr(b'|', line.as_bytes()).is_some();
    has_bar && (line.starts_with('|') || line.contains(" | ") || line.contains("\t|"))
}

/// Whether a line of tildes is as long as the line above, which it makes a heading.
fn is_rule_below(line: &str, above: &str) -> bool {
    line.len() > 3 && line.bytes().all(|byte| byte == b'~') && line.len().abs_diff(above.chars().count()) <= 2
}

/// Whether a line is nothing but at least three of the same mark.
fn is_rule(line: &str) -> bool {
    let mut chars = line.chars().filter(|c| !c.is_whitespace());
    let Some(first) = chars.next().filter(|first| "-=*_~^#+".contains(*first)) else { return false };
    chars.clone().count() >= 2 && chars.all(|c| c == first)
}

/// Finds the lines of a block that start a record, and its titles.
fn settle(block: &mut [LineShape<'_>]) {
    let width =
        block.iter().map(|shape| shape.line.trim_end().len()).max().unwrap_or_default().max(MIN_WIDTH);
    for at in 0..block.len() {
        let before = at.checked_sub(1).and_then(|before| block.get(before)).copied();
        let Some(shape) = block.get_mut(at) else { continue };
        let Some(before) = before else {
            shape.is_hard = true;
            continue;
        };
        let is_open = !sentence::is_complete(before.line.trim_end());
        let trimmed = shape.line.trim_start();
        let goes_on = is_open && trimmed.starts_with(char::is_lowercase);
        let length = before.line.trim_end().len();
        let is_full = width <= MAX_WIDTH
            && (length + 1 + trimmed.split_whitespace().next().map_or(0, str::len) > width
                || is_open && length * 100 >= width * NEARLY_FULL);
        // What looks like a label, a number or a mark in the midst of a sentence is none.
        if goes_on && is_full && matches!(shape.kind, LineKind::Label) {
            shape.kind = LineKind::Text;
        }
        let is_text = shape.kind == LineKind::Text
            && matches!(
                before.kind,
                LineKind::Text | LineKind::Label | LineKind::Item(_) | LineKind::Definition | LineKind::Quote
            );
        // A paragraph may start with more indentation instead of an empty line.
        let is_paragraph = !is_open && shape.indent > before.indent;
        shape.is_hard = !is_text || is_paragraph || !(goes_on || is_full);
    }
    for at in 0..block.len() {
        let next = block.get(at + 1).copied();
        let before = at.checked_sub(1).and_then(|before| block.get(before)).copied();
        if let Some(shape) = block.get_mut(at)
            && let Some(kind) = title(shape, before, next)
        {
            shape.kind = kind;
        }
        // A line below a title starts anew.
        if let (Some(LineKind::Title | LineKind::Heading), Some(next)) =
            (block.get(at).map(|shape| shape.kind), block.get_mut(at + 1))
        {
            next.is_hard = true;
        }
    }
}

/// What a line of text is with the lines around it, if it is a title.
fn title(
    shape: &LineShape<'_>,
    before: Option<LineShape<'_>>,
    next: Option<LineShape<'_>>,
) -> Option<LineKind> {
    let said = shape.line.trim();
    let is_alone = before.is_none() && next.is_none();
    if !matches!(shape.kind, LineKind::Text | LineKind::Label) || !shape.is_hard {
        return None;
    }
    let is_ruled = next.is_some_and(|next| next.kind == LineKind::Rule && !next.line.contains(' '));
    if is_ruled && said.len() <= MAX_TITLE && shape.kind == LineKind::Text {
        return Some(LineKind::Heading);
    }
    let ends_hard = next.is_none_or(|next| next.is_hard || next.kind == LineKind::Rule);
    if ends_hard && said.len() <= MAX_TITLE && (said.ends_with(':') || said.ends_with(":**")) {
        return Some(LineKind::Title);
    }
    if shape.kind == LineKind::Label {
        return None;
    }
    let is_bold = ["**", "__"].iter().any(|mark| {
        said.strip_prefix(mark)
            .and_then(|rest| rest.strip_suffix(mark))
            .is_some_and(|bold| !bold.contains(mark))
    });
    let is_caps = |said: &str| {
        said.chars().filter(|c| c.is_uppercase()).count() >= 2 && !said.contains(char::is_lowercase)
    };
    let is_title = is_alone && (said.len() <= MAX_SHORT || shape.is_bare())
        || ends_hard && said.len() <= MAX_TITLE && is_bold
        || ends_hard
            && said.len() <= MAX_SHORT
            && is_caps(said)
            && !before.is_some_and(|before| is_caps(before.line))
            && !next.is_some_and(|next| is_caps(next.line))
        || shape.is_bare()
            && ends_hard
            && match before {
                // Of lines that are all short, the first leads the others.
                None => true,
                Some(before) => {
                    (before.kind == LineKind::Rule || sentence::is_complete(before.line.trim_end()))
                        && !next.is_some_and(|next| next.is_bare())
                }
            };
    is_title.then_some(LineKind::Title)
}

/// Makes numbered lines between empty lines titles, if no item is next.
fn mark_numbered(shapes: &mut [LineShape<'_>]) {
    for at in 0..shapes.len() {
        let is_end = |shape: Option<&LineShape<'_>>| shape.is_none_or(LineShape::is_blank);
        let Some(shape) = shapes.get(at).copied() else { continue };
        let LineKind::Item(mark) = shape.kind else { continue };
        let text = LineShape { kind: LineKind::Text, ..shape };
        if mark.is_number() && shape.is_first && is_end(shapes.get(at + 1)) && text.is_bare() {
            let next = shapes.iter().skip(at + 1).take(4).find(|shape| !shape.is_blank());
            if !next.is_some_and(|next| next.kind == shape.kind)
                && let Some(shape) = shapes.get_mut(at)
            {
                shape.kind = LineKind::Title;
            }
        }
    }
}

#[cfg(test)]
mod tests;
