//! Fields of forms, pictures, formulas, and text between signs.

use super::{
    super::{
        super::{
            element::is_one_of,
            token::{HtmlToken, HtmlTokens, Tag},
        },
        HtmlBlockKind,
        math::Formula,
        wraps::{brief, folded, is_wrapped},
    },
    PageReader,
    blocks::InlinePiece,
    short,
};

/// How much of the page is read ahead for the title of a drawing.
const REACH: usize = 1024;

impl<'p> PageReader<'p> {
    pub(super) fn open_inline(&mut self, tag: &Tag<'p>) {
        let is = |names: &[&str]| is_one_of(tag.name, names);
        self.bold += usize::from(is(&["b", "strong"]));
        if is(&["rb", "rt", "rtc"]) {
            self.close_wrap(short("rt"));
        } else if is(&["button"]) {
            self.close_wrap(short("button"));
        }
        if (!self.wraps.is_idle() || is_wrapped(tag)) && self.wraps.enter(tag, short(tag.name)) {
            self.space = true;
        }
        self.mark(tag);
        if tag.raw("role").is_some_and(|role| role.eq_ignore_ascii_case("img")) {
            self.picture(tag.raw("aria-label").unwrap_or_default());
        } else if self.row.is_some() && is(&["i", "span"]) && is_icon(tag) {
            self.note_picture(tag);
        }
    }

    pub(super) fn close_inline(&mut self, name: &str) {
        if !self.wraps.is_idle() {
            if is_one_of(name, &["ruby"]) {
                self.close_wrap(short("rt"));
            }
            self.close_wrap(short(name));
        }
        if is_one_of(name, &["b", "strong"]) {
            self.bold = self.bold.saturating_sub(1);
        }
        self.unmark(name);
    }

    /// Writes what ends an element of this name, and those within it.
    fn close_wrap(&mut self, name: [u8; 8]) {
        if !self.wraps.has(name) {
            return;
        }
        while let Some(closed) = self.leave_wrap() {
            if closed == name {
                return;
            }
        }
    }

    /// Writes what ends the innermost element, and returns its name.
    fn leave_wrap(&mut self) -> Option<[u8; 8]> {
        let left = self.wraps.leave()?;
        Some(self.end_wrap(left))
    }

    /// Writes what ends the elements with signs.
    pub(super) fn end_wraps(&mut self) {
        while let Some(left) = self.wraps.leave_sign() {
            self.end_wrap(left);
        }
    }

    fn end_wrap(&mut self, (name, text, closing, is_apart): ([u8; 8], String, &str, bool)) -> [u8; 8] {
        if !text.is_empty() {
            self.word(&text);
        }
        self.page.text.push_str(closing);
        self.space |= is_apart;
        name
    }

    /// Writes the alternative text of a picture.
    pub(super) fn picture(&mut self, text: &str) {
        let text = folded(text);
        if !text.is_empty() {
            self.word(&format!("![{text}]"));
        }
    }

    pub(super) fn open_picture(&mut self, tag: &Tag<'p>) {
        let is_spacer = ["width", "height"].iter().any(|name| matches!(tag.raw(name), Some("0" | "1")));
        if !is_spacer && tag.raw("alt") != Some("") {
            self.note_picture(tag);
        }
        self.picture(tag.raw("alt").unwrap_or_default());
    }

    /// Writes what a drawing is said to show. `rest` is the page behind its start tag.
    pub(super) fn drawing(&mut self, tag: &Tag<'p>, rest: &str) {
        self.note_picture(tag);
        if tag.raw("aria-hidden").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return;
        }
        if let Some(label) = tag.raw("aria-label") {
            return self.picture(label);
        }
        let reach = (0..=REACH.min(rest.len())).rev().find_map(|end| rest.get(..end)).unwrap_or_default();
        let mut tokens = HtmlTokens::new(reach)
            .skip_while(|token| matches!(token, HtmlToken::Text(text) if text.trim().is_empty()));
        if let (Some(HtmlToken::Open(title)), Some(HtmlToken::Text(text)), Some(_)) =
            (tokens.next().filter(|_| !tag.is_self_closing()), tokens.next(), tokens.next())
            && title.name.eq_ignore_ascii_case("title")
        {
            self.picture(text);
        }
    }

    pub(super) fn field(&mut self, tag: &Tag<'p>) {
        let kind = tag.raw("type").unwrap_or_default();
        let is = |kinds: &[&str]| is_one_of(kind, kinds);
        let shown = if is(&["image"]) { tag.raw("alt") } else { tag.raw("value") }.unwrap_or_default();
        self.space = true;
        if is(&["hidden"]) {
            return;
        } else if is(&["checkbox", "radio"]) {
            self.word(if tag.raw("checked").is_some() { "[x]" } else { "[ ]" });
        } else if !shown.is_empty() && is(&["button", "reset", "submit"]) && tag.raw("name").is_none() {
            self.word(&format!("[{}]", folded(shown)));
        } else if !shown.is_empty() || self.row.is_some() {
            self.word(&brief(tag));
        } else {
            self.end_block();
            self.source(tag);
        }
        self.space = true;
    }

    /// Adds a tag as written in the page.
    pub(super) fn source(&mut self, tag: &Tag<'_>) {
        if self.row.is_some() {
            self.word(&brief(tag));
            return;
        }
        let text = tag.source.split_whitespace().collect::<Vec<_>>().join(" ");
        self.line(HtmlBlockKind::Field, &text);
    }

    /// Adds a tag of a table.
    pub(super) fn tag(&mut self, text: &str) {
        self.line(HtmlBlockKind::Tag, text);
    }

    fn line(&mut self, kind: HtmlBlockKind, text: &str) {
        let (start, links) = (self.page.text.len(), self.page.links.len());
        self.page.text.push_str(text);
        self.push(kind, InlinePiece { start, end: self.page.text.len(), links });
        self.start = self.page.text.len();
        self.link = self.link.map(|(_, href)| (self.start, href));
    }

    pub(super) fn open_formula(&mut self, tag: &Tag<'p>) {
        if !tag.is_self_closing() {
            self.formula = Some(Formula::new(tag));
        }
    }

    /// Writes the formula that is open.
    pub(super) fn end_formula(&mut self) {
        let Some(formula) = self.formula.take() else { return };
        self.space |= formula.is_block();
        self.word(&formula.written());
        self.space |= formula.is_block();
    }
}

/// Whether an element is a picture by its class.
fn is_icon(tag: &Tag<'_>) -> bool {
    const SIGNS: [&str; 9] = ["check", "cross", "fa-", "glyph", "icon", "star", "tick", "times", "flag"];
    tag.raw("class").is_some_and(|class| SIGNS.iter().any(|sign| class.contains(sign)))
}
