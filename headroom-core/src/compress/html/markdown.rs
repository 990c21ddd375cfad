//! Writes the blocks of a page as Markdown.
//!
//! The text of a block is written as in the page, so that it can be quoted and searched for. A block that is a link as
//! a whole is written as a link; links within a text are defined on lines of their own after it:
//!
//! ```text
//! # Lighthouses
//!
//! The tower of Bell Rock was built by Robert Stevenson.
//! [Robert Stevenson]: /people/stevenson
//! ```

use std::{borrow::Cow, fmt::Write};

use super::{
    entity,
    page::{HtmlBlock, HtmlBlockKind, Link, Page},
};

/// Longer addresses are embedded data.
const MAX_HREF: usize = 2048;

/// Deeper lists are not indented further.
const MAX_DEPTH: usize = 16;

/// Writes the blocks that stay.
pub(super) fn write(page: &Page<'_>, kept: &[bool]) -> String {
    let mut writer = MarkdownWriter {
        page,
        out: String::new(),
        line: String::new(),
        last: None,
        links: String::new(),
        href: "",
    };
    let has_title =
        page.blocks.iter().zip(kept).any(|(block, kept)| *kept && block.kind == HtmlBlockKind::Heading(1));
    if !has_title && !page.title.is_empty() {
        writer.out.push_str("# ");
        writer.out.push_str(&page.title);
        writer.last = Some(Last { kind: HtmlBlockKind::Heading(1), quote: 0, group: 0, ends: false });
    }
    for (block, _) in page.blocks.iter().zip(kept).filter(|(_, kept)| **kept) {
        writer.block(block);
    }
    writer.end_links();
    writer.out
}

/// The previous block.
#[derive(Clone, Copy)]
struct Last {
    kind: HtmlBlockKind,
    quote: usize,
    group: usize,
    /// Whether it ends a table.
    ends: bool,
}

struct MarkdownWriter<'a, 'p> {
    page: &'a Page<'p>,
    out: String,
    /// The current block, before its lines are indented.
    line: String,
    last: Option<Last>,
    /// Link definitions for the current group of blocks.
    links: String,
    /// The target of the last link.
    href: &'p str,
}

impl<'p> MarkdownWriter<'_, 'p> {
    fn block(&mut self, block: &HtmlBlock) {
        self.separate(block);
        self.content(block);
        let (first, further) = self.indents(block);
        let text = std::mem::take(&mut self.line);
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.out.push('\n');
            }
            let indent = if at == 0 { &first } else { &further };
            self.out.push_str(if line.is_empty() { indent.trim_end() } else { indent });
            self.out.push_str(if text.contains('\n') { line } else { line.trim_end() });
        }
        let ends = block.kind == HtmlBlockKind::Tag && text.starts_with("</");
        self.last = Some(Last { kind: block.kind, quote: block.quote, group: block.group, ends });
    }

    /// Writes a block without its indent.
    fn content(&mut self, block: &HtmlBlock) {
        let page = self.page;
        let text = page.text_of(block);
        match block.kind {
            HtmlBlockKind::Heading(level) => {
                self.line.extend(std::iter::repeat_n('#', usize::from(level)));
                self.line.push(' ');
                self.linked(block, &text.replace('\n', " "));
            }
            HtmlBlockKind::Item { number, .. } => {
                match number {
                    // Writing to a string cannot fail.
                    Some(number) => _ = write!(self.line, "{number} "),
                    None => self.line.push_str("- "),
                }
                self.linked(block, text);
            }
            HtmlBlockKind::Term { .. } => {
                let goes_on = matches!(self.last, Some(Last { kind: HtmlBlockKind::Term { .. }, .. }));
                self.line.push_str(if goes_on { "  " } else { "- " });
                self.linked(block, text);
            }
            HtmlBlockKind::Definition { is_start, .. } => {
                self.line.push_str(if is_start { ": " } else { "" });
                self.linked(block, text);
            }
            HtmlBlockKind::Preformatted => {
                let fence = "`".repeat(longest_run(text).max(2) + 1);
                _ = write!(self.line, "{fence}\n{text}\n{fence}");
                self.define(block);
            }
            HtmlBlockKind::Row { head, missing, columns, .. } => {
                if self.begins_table(block.kind) {
                    let line = "|---".repeat(usize::from(columns));
                    let row = self.row(text, missing);
                    let empty = " |".repeat(usize::from(columns));
                    _ = if head {
                        write!(self.line, "{row}\n{line}|")
                    } else {
                        write!(self.line, "|{empty}\n{line}|\n{row}")
                    };
                } else {
                    self.line = self.row(text, missing);
                }
                self.define(block);
            }
            HtmlBlockKind::Field | HtmlBlockKind::Tag => self.line.push_str(text),
            HtmlBlockKind::Paragraph if block.bold => {
                self.line.push_str("**");
                self.linked(block, text);
                self.line.push_str("**");
            }
            HtmlBlockKind::Paragraph => self.linked(block, text),
        }
    }

    fn row(&self, text: &str, missing: u16) -> String {
        format!("| {}{} |", text.trim(), " |".repeat(usize::from(missing)))
    }

    /// Whether a row is the first of its table.
    fn begins_table(&self, next: HtmlBlockKind) -> bool {
        !self.last.is_some_and(|last| is_same_table(last.kind, next))
    }

    /// Returns what precedes the first line of a block, and the others.
    fn indents(&self, block: &HtmlBlock) -> (String, String) {
        let quote = self.page.quotes.get(block.quote).copied().unwrap_or_default();
        let prefix = self.quoted(block.quote);
        let levels = |lists: u8| usize::from(lists.saturating_sub(quote.lists)).min(MAX_DEPTH);
        let (first, further) = match block.kind {
            HtmlBlockKind::Item { depth, .. } | HtmlBlockKind::Term { depth } => {
                (levels(depth), levels(depth) + 1)
            }
            HtmlBlockKind::Definition { depth, .. } => (levels(depth) + 1, levels(depth) + 1),
            _ => (levels(block.lists), levels(block.lists)),
        };
        (prefix.clone() + &"  ".repeat(first), prefix + &"  ".repeat(further))
    }

    /// Returns what precedes the lines of a quote.
    fn quoted(&self, quote: usize) -> String {
        let mut parts = Vec::new();
        let mut at = self.page.quotes.get(quote).map_or(0, |quote| quote.shown);
        while let Some(quote) = self.page.quotes.get(at).filter(|_| at > 0) {
            let lists = self.page.quotes.get(quote.parent).map_or(0, |parent| parent.lists);
            let levels = usize::from(quote.lists.saturating_sub(lists)).min(MAX_DEPTH);
            parts.push("  ".repeat(levels) + "> ");
            at = quote.parent;
        }
        parts.reverse();
        parts.concat()
    }

    /// Writes the separator between two blocks.
    fn separate(&mut self, block: &HtmlBlock) {
        let Some(last) = self.last else { return };
        let next = block.kind;
        let is_list = matches!(
            (last.kind, next),
            (HtmlBlockKind::Item { .. }, HtmlBlockKind::Item { .. })
                | (HtmlBlockKind::Term { .. }, HtmlBlockKind::Term { .. } | HtmlBlockKind::Definition { .. })
                | (
                    HtmlBlockKind::Definition { .. },
                    HtmlBlockKind::Term { .. } | HtmlBlockKind::Definition { .. }
                )
        );
        let is_tag = matches!(
            (last.kind, next),
            (HtmlBlockKind::Tag, _) | (_, HtmlBlockKind::Tag) | (HtmlBlockKind::Field, HtmlBlockKind::Field)
        );
        let together = last.quote == block.quote
            && (is_list && last.group == block.group
                || is_tag && !last.ends
                || is_same_table(last.kind, next));
        if !together {
            self.end_links();
            self.out.push('\n');
            let common = self.common_quote(last.quote, block.quote);
            let prefix = self.quoted(common);
            self.out.push_str(prefix.trim_end());
        }
        self.out.push('\n');
    }

    /// Returns the innermost quote that two quotes are in.
    fn common_quote(&self, mut a: usize, mut b: usize) -> usize {
        // Quotes come before those within them.
        while a != b {
            let outer = |quote: usize| self.page.quotes.get(quote).map_or(0, |quote| quote.parent);
            if a > b { a = outer(a) } else { b = outer(b) }
        }
        a
    }

    /// Writes the pending link definitions.
    fn end_links(&mut self) {
        self.out.push_str(&std::mem::take(&mut self.links));
    }

    /// Writes a text, as a link if all of it is one.
    fn linked(&mut self, block: &HtmlBlock, text: &str) {
        let links = self.page.links.get(block.links.clone()).unwrap_or_default();
        let whole = links.first().filter(|link| links.len() == 1 && link.text == block.text);
        match whole.and_then(|link| Some((link, address(link.href)?))) {
            Some((link, address)) if self.href != link.href && !text.contains('\n') => {
                _ = write!(self.line, "[{text}]({address})");
                self.href = link.href;
            }
            _ => {
                self.line.push_str(text);
                self.define(block);
            }
        }
    }

    /// Collects link definitions of a block.
    fn define(&mut self, block: &HtmlBlock) {
        let page = self.page;
        for Link { text, href } in page.links.get(block.links.clone()).unwrap_or_default() {
            let Some(address) = address(href).filter(|_| self.href != *href) else { continue };
            let text = page.text.get(text.clone()).unwrap_or_default().replace('\n', " ");
            _ = write!(self.links, "\n[{text}]: {address}");
            self.href = href;
        }
    }
}

fn is_same_table(last: HtmlBlockKind, next: HtmlBlockKind) -> bool {
    matches!((last, next), (HtmlBlockKind::Row { table: last, .. }, HtmlBlockKind::Row { table: next, .. }) if last == next)
}

/// Returns the length of the longest run of backquotes.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Returns the target of a link, unless it stays on the page.
fn address(href: &str) -> Option<Cow<'_, str>> {
    let href = href.trim();
    let scheme = |name: &str| href.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let nowhere = href.is_empty() || href.starts_with('#') || scheme("javascript:") || scheme("data:");
    let address = entity::decode(href);
    let plain = href.len() <= MAX_HREF && !address.contains(char::is_control);
    (!nowhere && plain).then_some(address)
}
