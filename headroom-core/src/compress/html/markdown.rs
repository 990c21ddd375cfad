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

/// Writes the blocks that stay.
pub(super) fn write(page: &Page<'_>, kept: &[bool]) -> String {
    let mut writer = MarkdownWriter { page, out: String::new(), last: None, links: String::new(), href: "" };
    let has_title =
        page.blocks.iter().zip(kept).any(|(block, kept)| *kept && block.kind == HtmlBlockKind::Heading(1));
    if !has_title && !page.title.is_empty() {
        writer.out.push_str("# ");
        writer.out.push_str(&page.title);
        writer.last = Some(HtmlBlockKind::Heading(1));
    }
    for (block, _) in page.blocks.iter().zip(kept).filter(|(_, kept)| **kept) {
        writer.block(block);
    }
    writer.end_links();
    writer.out
}

struct MarkdownWriter<'a, 'p> {
    page: &'a Page<'p>,
    out: String,
    /// The kind of the previous block.
    last: Option<HtmlBlockKind>,
    /// Link definitions for the current group of blocks.
    links: String,
    /// The target of the last link.
    href: &'p str,
}

impl<'p> MarkdownWriter<'_, 'p> {
    fn block(&mut self, block: &HtmlBlock) {
        let page = self.page;
        let text = page.text_of(block);
        self.separate(block.kind);
        match block.kind {
            HtmlBlockKind::Heading(level) => {
                self.out.extend(std::iter::repeat_n('#', usize::from(level)));
                self.out.push(' ');
                self.linked(block, text);
            }
            HtmlBlockKind::Item { depth, number } => {
                self.out.extend(std::iter::repeat_n(' ', 2 * usize::from(depth)));
                match number {
                    // Writing to a string cannot fail.
                    Some(number) => _ = write!(self.out, "{number} "),
                    None => self.out.push_str("- "),
                }
                self.linked(block, text);
            }
            HtmlBlockKind::Preformatted => {
                let fence = if text.contains("```") { "````" } else { "```" };
                _ = write!(self.out, "{fence}\n{text}\n{fence}");
                self.define(block);
            }
            HtmlBlockKind::Quote => {
                self.out.push_str("> ");
                self.out.push_str(&text.replace('\n', "\n> "));
                self.define(block);
            }
            HtmlBlockKind::Row { head, cells } => {
                self.out.push_str(text.trim());
                if head && !matches!(self.last, Some(HtmlBlockKind::Row { .. })) {
                    self.out.push_str("\n---");
                    self.out.extend(std::iter::repeat_n("|---", usize::from(cells).saturating_sub(1)));
                }
                self.define(block);
            }
            HtmlBlockKind::Definition => {
                self.out.push_str(": ");
                self.linked(block, text);
            }
            HtmlBlockKind::Field => self.out.push_str(text),
            HtmlBlockKind::Paragraph | HtmlBlockKind::Term => self.linked(block, text),
        }
        self.last = Some(block.kind);
    }

    /// Writes the separator between two blocks.
    fn separate(&mut self, next: HtmlBlockKind) {
        let Some(last) = self.last else { return };
        let together = matches!(
            (last, next),
            (HtmlBlockKind::Item { .. }, HtmlBlockKind::Item { .. })
                | (HtmlBlockKind::Row { .. }, HtmlBlockKind::Row { .. })
                | (HtmlBlockKind::Quote, HtmlBlockKind::Quote)
                | (HtmlBlockKind::Term, HtmlBlockKind::Term)
                | (HtmlBlockKind::Term | HtmlBlockKind::Definition, HtmlBlockKind::Definition)
                | (HtmlBlockKind::Field, HtmlBlockKind::Field)
        );
        if !together {
            self.end_links();
            self.out.push('\n');
        }
        self.out.push('\n');
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
                _ = write!(self.out, "[{text}]({address})");
                self.href = link.href;
            }
            _ => {
                self.out.push_str(text);
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

/// Returns the target of a link, unless it stays on the page.
fn address(href: &str) -> Option<Cow<'_, str>> {
    let href = href.trim();
    let scheme = |name: &str| href.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    let nowhere = href.is_empty() || href.starts_with('#') || scheme("javascript:") || scheme("data:");
    let address = entity::decode(href);
    let plain = href.len() <= MAX_HREF && !address.contains(char::is_control);
    (!nowhere && plain).then_some(address)
}
