//! Ends links, pieces and blocks.

use super::{
    super::{HtmlBlock, HtmlBlockKind, Link, marks, row::InlinePiece},
    Lead, PageReader,
};

impl<'p> PageReader<'p> {
    pub(super) fn line_break(&mut self) {
        if self.hidden > 0 {
            return;
        }
        if self.row.is_some() {
            self.end_piece();
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
        }
        Some(href)
    }

    /// Ends a paragraph; a table cell may have several.
    pub(super) fn end_piece(&mut self) {
        if self.row.is_none() {
            self.end_block();
            return;
        }
        let href = self.end_link();
        self.end_inline();
        let (start, end) = (self.start, self.page.text.trim_end().len().max(self.start));
        if let Some(row) = &mut self.row {
            row.longest = row.longest.max(end.saturating_sub(row.cell));
            if start < end {
                row.pieces.push(InlinePiece { start, end, links: self.links });
            }
        }
        self.start = self.page.text.len();
        self.links = self.page.links.len();
        self.space = true;
        self.link = href.map(|href| (self.start, href));
        if start < end && !self.page.text.ends_with(' ') {
            self.page.text.push(' ');
            self.start = self.page.text.len();
        }
    }

    /// Ends a block. A row that contains a block is layout, not a table row.
    pub(super) fn end_block(&mut self) {
        if self.row.is_some() {
            self.end_piece();
            if let Some(row) = self.row.take() {
                self.lay_out(&row);
            }
            return;
        }
        let href = self.end_link();
        self.end_inline();
        let kind = if self.preformatted > 0 {
            HtmlBlockKind::Preformatted
        } else if let Some(lead) = self.lead {
            match lead {
                Lead::Item { depth, number, .. } => HtmlBlockKind::Item { depth, number },
                Lead::Term => HtmlBlockKind::Term,
                Lead::Definition => HtmlBlockKind::Definition,
            }
        } else if self.heading > 0 {
            HtmlBlockKind::Heading(self.heading)
        } else if self.quotes > 0 {
            HtmlBlockKind::Quote
        } else {
            HtmlBlockKind::Paragraph
        };
        let end = self.page.text.trim_end().len();
        if self.start < end {
            self.push(kind, InlinePiece { start: self.start, end, links: self.links });
            if let (Some(Lead::Item { falls: true, .. }), Some(list)) = (self.lead, self.falling.last_mut()) {
                list.blocks.push(self.page.blocks.len() - 1);
            }
            self.lead = None;
        }
        self.page.text.truncate(end.max(self.start));
        self.start = self.page.text.len();
        self.links = self.page.links.len();
        self.space = false;
        self.link = href.map(|href| (self.start, href));
    }

    pub(super) fn push(&mut self, kind: HtmlBlockKind, piece: InlinePiece) {
        let links = piece.links..self.page.links.len();
        let found = self.page.links.get(links.clone()).unwrap_or_default();
        let linked = found.iter().map(|link| link.text.len()).sum();
        let block = HtmlBlock { kind, text: piece.start..piece.end, links, node: self.node(), linked };
        self.page.blocks.push(block);
    }
}
