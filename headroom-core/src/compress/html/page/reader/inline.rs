//! Text, and the signs for what its elements say.

use super::{
    super::{
        super::{
            element::{is_hidden, is_struck},
            entity,
            token::Tag,
        },
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
            self.marks.begin(&mut self.page.text);
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
        if !self.marks.is_idle() {
            self.marks.begin(&mut self.page.text);
        }
        self.page.text.push_str(word);
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

    /// Writes a sign of a formula.
    pub(super) fn sign(&mut self, sign: &str) {
        if self.hidden == 0 && !self.in_title && !sign.is_empty() {
            self.page.text.push_str(sign);
        }
    }

    pub(super) fn open_script(&mut self, raised: bool, rest: &str) {
        if self.hidden > 0 || self.in_title {
            self.scripts.push("");
            return;
        }
        let (opening, closing) = script::frame(raised, rest);
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

    /// Writes the alternative text of a picture.
    pub(super) fn picture(&mut self, tag: &Tag<'p>) {
        let Some(text) = tag.raw("alt").filter(|_| self.hidden == 0 && !is_hidden(tag)) else { return };
        let text = entity::decode(text);
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
        let text = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if !text.is_empty() {
            self.word("![");
            self.word(&text);
            self.word("]");
        }
    }

    /// Ends scripts and marks that are open in the text.
    pub(super) fn end_inline(&mut self) {
        self.formula.end();
        while !self.scripts.is_empty() {
            self.close_script();
        }
        if !self.marks.is_idle() {
            self.marks.close(true, self.start, &mut self.page.text);
        }
    }
}
