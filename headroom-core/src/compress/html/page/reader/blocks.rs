//! Ends links and blocks.

use super::{
    super::{HtmlBlock, HtmlBlockKind, Link, marks},
    Lead, PageReader,
};

/// Longer paragraphs are no headings, even if all of them is bold.
const MAX_BOLD: usize = 200;

/// The text of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct InlinePiece {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Its first link.
    pub(super) links: usize,
}

impl<'p> PageReader<'p> {
    pub(super) fn line_break(&mut self) {
        if self.wraps.is_button() {
            self.space = true;
        } else if let Some(row) = &mut self.row {
            row.is_broken = true;
            self.space = false;
        } else if self.page.text.ends_with('\n') && self.page.text.len() > self.start {
            // Two line breaks end a paragraph.
            self.end_block();
        } else if self.page.text.len() > self.start {
            self.page.text.push('\n');
            self.space = false;
        }
    }

    /// Ends the current link and returns its target.
    pub(super) fn end_link(&mut self) -> Option<&'p str> {
        let (start, href) = self.link.take()?;
        let end = self.page.text.trim_end().len();
        let (start, end) = marks::without_halves(&self.page.text, start..end);
        if start < end {
            self.page.links.push(Link { text: start..end, href });
            self.link_end = self.page.text.len();
        }
        Some(href)
    }

    /// Ends a paragraph, unless it is in a button.
    pub(super) fn end_paragraph(&mut self) {
        if self.wraps.is_button() {
            self.space = true;
        } else {
            self.end_block();
        }
    }

    /// Ends a block; in a cell of a table, a line.
    pub(super) fn end_block(&mut self) {
        if self.row.is_some() {
            return self.end_line();
        }
        let href = self.end_link();
        self.end_inline();
        let end = self.page.text.trim_end().len();
        if self.start < end {
            if self.preformatted > 0 {
                self.flush_lead();
            }
            let kind = self.kind();
            self.push(kind, InlinePiece { start: self.start, end, links: self.links });
            let text = self.page.text.get(self.start..end).unwrap_or_default();
            let bold = kind == HtmlBlockKind::Paragraph
                && !self.has_plain
                && text.len() <= MAX_BOLD
                && !text.contains(['\n', '*']);
            if let Some(block) = self.page.blocks.last_mut() {
                block.bold = bold;
            }
            if let (Some(Lead::Item { falls: true, .. }), Some(list)) = (self.lead, self.falling.last_mut()) {
                list.blocks.push(self.page.blocks.len() - 1);
            }
            self.lead = match self.lead {
                Some(Lead::Definition { depth, .. }) => Some(Lead::Definition { depth, is_start: false }),
                _ => None,
            };
            self.has_plain = false;
        }
        self.page.text.truncate(end.max(self.start));
        self.start = self.page.text.len();
        self.links = self.page.links.len();
        self.space = false;
        self.link = href.map(|href| (self.start, href));
    }

    /// Returns the kind of the current block.
    fn kind(&self) -> HtmlBlockKind {
        if self.preformatted > 0 {
            return HtmlBlockKind::Preformatted;
        }
        match self.lead {
            Some(lead) => lead.kind(),
            None if self.heading > 0 => HtmlBlockKind::Heading(self.heading),
            None => HtmlBlockKind::Paragraph,
        }
    }

    /// Writes the sign of an item or a definition that begins with something else than text.
    pub(super) fn flush_lead(&mut self) {
        let Some(lead) = self.lead.filter(|_| self.row.is_none()) else { return };
        if !matches!(lead, Lead::Definition { is_start: false, .. }) {
            self.push(lead.kind(), InlinePiece { start: self.start, end: self.start, links: self.links });
            if let (Lead::Item { falls: true, .. }, Some(list)) = (lead, self.falling.last_mut()) {
                list.blocks.push(self.page.blocks.len() - 1);
            }
        }
        self.lead = None;
    }

    pub(super) fn push(&mut self, kind: HtmlBlockKind, piece: InlinePiece) {
        let links = piece.links.min(self.page.links.len())..self.page.links.len();
        let found = self.page.links.get(links.clone()).unwrap_or_default();
        let linked = found.iter().map(|link| link.text.len()).sum();
        self.page.blocks.push(HtmlBlock {
            kind,
            text: piece.start..piece.end,
            links,
            node: self.node(),
            linked,
            quote: self.quote,
            lists: u8::try_from(self.lists).unwrap_or(u8::MAX),
            group: if self.grouped > 0 { self.groups } else { 0 },
            bold: false,
        });
    }
}
