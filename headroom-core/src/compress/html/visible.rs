//! The tokens of a page that a browser renders.
//!
//! What is not rendered leaves no trace between the words around it, as in a browser: `<b hidden>1</b>7` is `7`. Where
//! it is in doubt whether a hidden element has ended, what follows is shown.

use super::{
    element::{Sight, is_one_of, sight},
    token::{HtmlToken, HtmlTokens, Tag},
};

/// Elements without an end tag.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];
/// Elements with content that is not rendered.
const UNREAD: [&str; 10] =
    ["datalist", "iframe", "noembed", "noframes", "noscript", "rp", "script", "style", "svg", "template"];
/// Elements that always have an end tag, and that elements without one end in.
const CONTAINERS: [&str; 22] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "details",
    "div",
    "dl",
    "fieldset",
    "figure",
    "footer",
    "form",
    "header",
    "html",
    "main",
    "menu",
    "nav",
    "ol",
    "ruby",
    "section",
    "table",
    "ul",
];
/// Elements that phrases cannot reach beyond.
const BLOCKS: [&str; 15] =
    ["caption", "dd", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "pre", "td", "th", "tr"];
/// Elements that end an open paragraph.
const AFTER_PARAGRAPH: [&str; 29] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "ul",
];

/// How many open elements are searched for the one that an end tag closes.
const REACH: usize = 64;

/// An element whose content is not rendered.
#[derive(Debug)]
struct Unseen<'p> {
    name: &'p str,
    /// The names of the elements that are open within it.
    open: Vec<&'p str>,
    /// How many of them are containers, and how many are blocks.
    containers: usize,
    blocks: usize,
    /// Whether it has words that scripts may show.
    has_words: bool,
}

impl<'p> Unseen<'p> {
    fn new(tag: &Tag<'p>, has_words: bool) -> Self {
        Self { name: tag.name, open: Vec::new(), containers: 0, blocks: 0, has_words }
    }

    /// Whether the element ends before this token, without an end tag of its own.
    fn ends_before(&self, token: &HtmlToken<'_>) -> bool {
        let is = |names: &[&str]| is_one_of(self.name, names);
        match token {
            HtmlToken::Text(_) => false,
            HtmlToken::Open(tag) if self.containers == 0 => {
                let next = |names: &[&str]| is_one_of(tag.name, names);
                is(&["p"]) && next(&AFTER_PARAGRAPH)
                    || is(&["svg"]) && next(&CONTAINERS)
                    || is(&["li"]) && next(&["li"])
                    || is(&["dd", "dt"]) && next(&["dd", "dt"])
                    || is(&["option"]) && next(&["optgroup", "option"])
                    || is(&["optgroup"]) && next(&["optgroup"])
                    || is(&["rp", "rt"]) && next(&["rb", "rp", "rt"])
                    || is(&["td", "th"]) && next(&["td", "th", "tr", "tbody", "tfoot", "thead"])
                    || is(&["tr"]) && next(&["tr", "tbody", "tfoot", "thead"])
                    || is(&["tbody", "tfoot", "thead"]) && next(&["tbody", "tfoot", "thead"])
            }
            HtmlToken::Open(_) => false,
            HtmlToken::Close(name) if name.eq_ignore_ascii_case(self.name) || self.containers > 0 => false,
            HtmlToken::Close(name) => {
                let is_phrase = !is(&CONTAINERS) && !is(&BLOCKS) && !is(&UNREAD);
                !is(&["template"]) && is_one_of(name, &CONTAINERS)
                    || is_phrase && self.blocks == 0 && is_one_of(name, &BLOCKS)
            }
        }
    }

    /// Notes a token in the element; returns whether it ends the element.
    fn takes(&mut self, token: &HtmlToken<'p>) -> bool {
        match token {
            HtmlToken::Text(_) => false,
            HtmlToken::Open(tag) => {
                let is_closed = tag.is_self_closing() && is_one_of(self.name, &["svg"]);
                if !is_closed && !is_one_of(tag.name, &VOID) {
                    self.open.push(tag.name);
                    self.containers += usize::from(is_one_of(tag.name, &CONTAINERS));
                    self.blocks += usize::from(is_one_of(tag.name, &BLOCKS));
                }
                false
            }
            HtmlToken::Close(name) => {
                let within =
                    self.open.iter().rev().take(REACH).position(|open| open.eq_ignore_ascii_case(name));
                let Some(within) = within else { return name.eq_ignore_ascii_case(self.name) };
                // The end of an element ends those that are open in it.
                for closed in self.open.drain(self.open.len() - 1 - within..) {
                    self.containers -= usize::from(is_one_of(closed, &CONTAINERS));
                    self.blocks -= usize::from(is_one_of(closed, &BLOCKS));
                }
                false
            }
        }
    }
}

/// The tokens of a page that a browser renders. Of a picture in SVG there is the start tag only.
#[derive(Debug)]
pub(super) struct VisibleTokens<'p> {
    tokens: HtmlTokens<'p>,
    unseen: Option<Unseen<'p>>,
    /// Whether a formula has just ended.
    behind_formula: bool,
    /// Number of words in hidden elements so far.
    pub(super) hidden_words: usize,
}

impl<'p> VisibleTokens<'p> {
    pub(super) fn new(page: &'p str) -> Self {
        Self { tokens: HtmlTokens::new(page), unseen: None, behind_formula: false, hidden_words: 0 }
    }

    pub(super) fn rest(&self) -> &'p str {
        self.tokens.rest()
    }

    /// Whether an element is a copy of the formula before it for the eye, as KaTeX adds one.
    fn is_copy(&self, tag: &Tag<'_>) -> bool {
        self.behind_formula && tag.raw("class").is_some_and(|class| class.contains("katex-html"))
    }

    fn note_formula(&mut self, token: &HtmlToken<'_>) {
        self.behind_formula = match token {
            HtmlToken::Text(text) => self.behind_formula && text.trim().is_empty(),
            HtmlToken::Open(_) => false,
            HtmlToken::Close(name) => {
                name.eq_ignore_ascii_case("math") || self.behind_formula && name.eq_ignore_ascii_case("span")
            }
        };
    }

    /// Returns what is shown of a start tag, and hides its element if a browser does.
    fn open(&mut self, tag: Tag<'p>) -> Option<HtmlToken<'p>> {
        let sight = match tag.is_bare() {
            true => Sight::Shown,
            false if self.is_copy(&tag) => Sight::Unrendered,
            false => sight(&tag),
        };
        // Scripts render formulas from their source.
        let is_formula = || {
            is_one_of(tag.name, &["script"]) && tag.raw("type").is_some_and(|kind| kind.starts_with("math/"))
        };
        let is_unread = is_one_of(tag.name, &UNREAD) && !is_formula();
        if sight == Sight::Shown && !is_unread {
            return Some(HtmlToken::Open(tag));
        }
        let is_picture = tag.name.eq_ignore_ascii_case("svg");
        let is_closed = is_one_of(tag.name, &VOID) || is_picture && tag.is_self_closing();
        if !is_closed {
            self.unseen = Some(Unseen::new(&tag, !is_unread));
        }
        match sight {
            Sight::Shown if is_unread && !is_picture => None,
            Sight::Shown => Some(HtmlToken::Open(tag)),
            Sight::Blank => Some(HtmlToken::Text(" ")),
            Sight::Unrendered => None,
        }
    }
}

impl<'p> Iterator for VisibleTokens<'p> {
    type Item = HtmlToken<'p>;

    fn next(&mut self) -> Option<HtmlToken<'p>> {
        loop {
            let token = self.tokens.next()?;
            if let Some(unseen) = &mut self.unseen {
                if !unseen.ends_before(&token) {
                    if let HtmlToken::Text(text) = token
                        && unseen.has_words
                        && !unseen.open.last().is_some_and(|name| is_one_of(name, &UNREAD))
                    {
                        self.hidden_words += text.split_ascii_whitespace().count();
                    }
                    if unseen.takes(&token) {
                        self.unseen = None;
                    }
                    continue;
                }
                self.unseen = None;
            }
            let shown = match token {
                HtmlToken::Open(tag) => self.open(tag),
                token => Some(token),
            };
            self.note_formula(&token);
            if shown.is_some() {
                return shown;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(page: &str) -> String {
        let shown = |token| match token {
            HtmlToken::Text(text) => text.to_owned(),
            HtmlToken::Open(tag) => format!("<{}>", tag.name.to_ascii_lowercase()),
            HtmlToken::Close(_) => String::new(),
        };
        VisibleTokens::new(page).map(shown).collect()
    }

    #[test]
    fn what_is_not_rendered_leaves_no_trace() {
        for (page, shown) in [
            ("a<b hidden>1</b>7", "a7"),
            ("a<b style='visibility: hidden'>0</b>7", "a 7"),
            ("a<span style=display:none>x<span>y</span>z</span>b", "ab"),
            ("<p hidden>x<p>y", "<p>y"),
            ("<ul><li hidden>x<ul><li>y</ul>z<li>a</ul>", "<ul><li>a"),
            ("<ul><li hidden>x</ul>a", "<ul>a"),
            ("<tr><td hidden>x<table><tr><td>y</table>z<td>a", "<tr><td>a"),
            ("<tr hidden><td>x<td>y<tr><td>a", "<tr><td>a"),
            ("<p>a<span hidden>x</p>b", "<p>ab"),
            ("<div>a<div hidden><b>x</i></div>b", "<div>ab"),
            ("<section>a<div hidden>x</section>b", "<section>ab"),
            ("<span hidden><i>x<span>y</i>z</span>a", "a"),
            ("<div hidden><p>x</p><li>y</div>b", "b"),
            ("<img hidden>a<input style='display:none'>b", "ab"),
            ("a<svg><g><svg/></g><text>x</text></svg>b", "a<svg>b"),
            ("a<svg><g>x<div>b</div>", "a<svg><div>b"),
            ("a<svg/>b<SCRIPT>x</script>c<template><p>x</p></template>d", "a<svg>bcd"),
            ("<select><option hidden>x<option>a</select>", "<select><option>a"),
            ("<ruby>a<rp>(<rt>b<rp>)</ruby>c", "<ruby>a<rt>bc"),
            (
                "<math>a</math></span><span class=katex-html>x</span> b <i class=katex-html>c</i>",
                "<math>a b <i>c",
            ),
        ] {
            assert_eq!(text(page), shown, "{page}");
        }
        let mut tokens = VisibleTokens::new(
            "<p hidden>two words<style>p {}</style></p><script>three more words</script>one",
        );
        assert_eq!(tokens.by_ref().count(), 1);
        assert_eq!(tokens.hidden_words, 2);
    }
}
