//! Text, and the signs for what its elements say.

use super::{
    super::{
        super::{element::is_struck, entity, token::Tag},
        marks::{Mark, Marks},
        script,
    },
    PageReader, short,
};

impl<'p> PageReader<'p> {
    pub(super) fn exact(&mut self, text: &str) {
        let text =
            if self.page.text.len() == self.start { text.trim_start_matches(['\r', '\n']) } else { text };
        if !text.is_empty() {
            self.begin_signs();
        }
        self.page.text.push_str(&entity::decode(text).replace('\r', ""));
    }

    pub(super) fn folded(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            // Most text has single spaces and nothing to decode.
            let plain = rest.bytes().position(|byte| byte <= b' ' || byte == b'&' || byte == 0xc2);
            let (run, behind) = rest.split_at_checked(plain.unwrap_or(rest.len())).unwrap_or((rest, ""));
            if !run.is_empty() {
                self.word(run);
            }
            let Some(c) = behind.chars().next() else { return };
            let (c, length) = match c {
                '&' => entity::reference(behind).unwrap_or((c, 1)),
                c => (c, c.len_utf8()),
            };
            if c.is_whitespace() || c.is_control() {
                self.space = true;
            } else {
                self.word(c.encode_utf8(&mut [0; 4]));
            }
            rest = behind.get(length..).unwrap_or_default();
        }
    }

    pub(super) fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.row.is_some() {
            self.begin_line();
        }
        if self.space {
            let text = &mut self.page.text;
            if text.len() > self.start && !text.ends_with(['\n', ' ']) {
                text.push(' ');
                // A link starts at its first word.
                if let Some((start, _)) = &mut self.link
                    && *start + 1 == text.len()
                {
                    *start = text.len();
                }
            }
            self.space = false;
        }
        self.begin_signs();
        self.has_plain |= self.bold == 0;
        self.push_text(word);
    }

    /// Writes the signs of the elements that the next word is the first of.
    fn begin_signs(&mut self) {
        if let Some(opening) = self.wraps.begin() {
            self.push_text(&opening);
        }
        if !self.marks.is_idle() {
            self.marks.begin(&mut self.page.text);
        }
    }

    /// Adds text; in a cell, with its bars escaped.
    fn push_text(&mut self, text: &str) {
        if self.row.is_none() || !text.contains('|') {
            self.page.text.push_str(text);
            return;
        }
        for c in text.chars() {
            if c == '|' {
                // A backslash before the bar would escape the one that escapes the bar.
                let backslashes = self.page.text.bytes().rev().take_while(|byte| *byte == b'\\').count();
                self.page.text.extend(std::iter::repeat_n('\\', backslashes + 1));
            }
            self.page.text.push(c);
        }
    }

    pub(super) fn open_link(&mut self, tag: &Tag<'p>) {
        self.end_link();
        // Links that follow each other are places to go to, not parts of a word.
        self.space |= self.link_end > self.start && self.link_end == self.page.text.len();
        self.mark(tag);
        self.link = tag.raw("href").map(|href| (self.page.text.len(), href));
    }

    /// Notes whether an element strikes out its text or marks it as inserted.
    pub(super) fn mark(&mut self, tag: &Tag<'_>) {
        let mark = Marks::of(tag.name).or_else(|| is_struck(tag).then_some(Mark::Struck));
        if mark.is_some() || !self.marks.is_idle() {
            self.marks.enter(short(tag.name), mark);
            self.marks.close(false, self.start, &mut self.page.text);
        }
    }

    pub(super) fn unmark(&mut self, name: &str) {
        if !self.marks.is_idle() {
            self.marks.leave(short(name));
            self.marks.close(false, self.start, &mut self.page.text);
        }
    }

    pub(super) fn open_script(&mut self, raised: bool, rest: &str) {
        if raised && script::is_fraction(rest) {
            // Next to a whole number, not an exponent of it.
            self.space |= self.page.text.ends_with(|c: char| c.is_alphanumeric());
            self.in_fraction = true;
            self.scripts.push("");
            return;
        }
        if std::mem::take(&mut self.in_fraction) && !raised && self.page.text.ends_with(['/', '⁄']) {
            self.scripts.push("");
            return;
        }
        let is_reference = raised && self.link.is_some_and(|(_, href)| href.starts_with('#'));
        let (opening, closing) = match script::frame(raised, rest) {
            (opening, _) if is_reference && !opening.is_empty() => script::REFERENCE,
            frame => frame,
        };
        if !opening.is_empty() {
            self.word(opening);
        }
        self.scripts.push(closing);
    }

    pub(super) fn close_script(&mut self) {
        if let Some(closing) = self.scripts.pop() {
            self.page.text.push_str(closing);
        }
    }

    /// Ends scripts and marks that are open in the text.
    pub(super) fn end_inline(&mut self) {
        while !self.scripts.is_empty() {
            self.close_script();
        }
        self.end_wraps();
        self.bold = 0;
        if !self.marks.is_idle() {
            self.marks.close(true, self.start, &mut self.page.text);
        }
    }
}
