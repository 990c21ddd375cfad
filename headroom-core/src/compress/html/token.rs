//! Tokenizes a page into tags and texts, in one pass.
//!
//! Tags end and attributes are quoted as in browsers (WHATWG HTML, §13.2.5). Text that opens no tag is text; a tag or
//! element that is never closed ends with the page.

use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

/// A token of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HtmlToken<'p> {
    Text(&'p str),
    Open(Tag<'p>),
    /// The name of an end tag, as written.
    Close(&'p str),
}

/// A start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'p> {
    /// The name, as written.
    pub(super) name: &'p str,
    attributes: &'p str,
    /// The whole tag, from `<` to `>`.
    pub(super) source: &'p str,
}

impl<'p> Tag<'p> {
    /// Returns the value of an attribute as written: empty if it has no value, `None` if the attribute is missing.
    pub(super) fn raw(&self, name: &str) -> Option<&'p str> {
        self.attributes().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether it has no attributes.
    pub(super) fn is_bare(&self) -> bool {
        self.attributes.is_empty()
    }

    pub(super) fn is_self_closing(&self) -> bool {
        self.source.ends_with("/>")
    }

    /// Returns the names and values as written, in order.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'p str, &'p str)> + use<'p> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            let name;
            (name, rest) = split(rest, |byte| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'/'))?;
            let Some(value) = rest.trim_ascii_start().strip_prefix('=') else { return Some((name, "")) };
            let value = value.trim_ascii_start();
            let quote = value.as_bytes().first().copied().filter(|byte| matches!(byte, b'"' | b'\''));
            let (value, behind) = match quote {
                Some(quote) => {
                    let inner = value.get(1..)?;
                    let end = memchr(quote, inner.as_bytes()).unwrap_or(inner.len());
                    (inner.get(..end)?, inner.get(end + 1..).unwrap_or_default())
                }
                None => split(value, |byte| byte.is_ascii_whitespace()).unwrap_or(("", value)),
            };
            rest = behind;
            Some((name, value))
        })
    }
}

/// Splits the text at the first matching byte after its start; `None` if the text is empty.
fn split(text: &str, ends: impl Fn(u8) -> bool) -> Option<(&str, &str)> {
    // An attribute may start with `=`.
    let end = text.bytes().skip(1).position(ends).map_or(text.len(), |at| at + 1);
    text.split_at_checked(end).filter(|(name, _)| !name.is_empty())
}

/// Elements whose content is no markup.
const RAW: [&str; 8] = ["script", "style", "textarea", "title", "noscript", "iframe", "noembed", "noframes"];

/// The tokens of a page.
#[derive(Debug)]
pub(super) struct HtmlTokens<'p> {
    page: &'p str,
    at: usize,
    /// The element whose content comes next, if that is no markup.
    raw: Option<&'static str>,
}

impl<'p> HtmlTokens<'p> {
    pub(super) fn new(page: &'p str) -> Self {
        Self { page, at: 0, raw: None }
    }

    pub(super) fn rest(&self) -> &'p str {
        self.page.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, end: usize) -> &'p str {
        let end = end.min(self.page.len());
        let taken = self.page.get(self.at..end).unwrap_or_default();
        self.at = end;
        taken
    }

    /// Reads the markup at the current `<`; `None` if it is not markup.
    fn markup(&mut self) -> Option<Option<HtmlToken<'p>>> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        match bytes.get(1)? {
            b'!' if rest.starts_with("<!--") => {
                // `<!-->` is a comment too.
                let end = memmem::find(bytes.get(2..)?, b"-->").map_or(bytes.len(), |end| end + 5);
                self.at += end;
                Some(None)
            }
            b'!' | b'?' => {
                let cdata = rest.starts_with("<![CDATA[");
                let end =
                    if cdata { memmem::find(bytes, b"]]>").map(|end| end + 2) } else { memchr(b'>', bytes) };
                self.at += end.map_or(bytes.len(), |end| end + 1);
                Some(None)
            }
            b'/' if bytes.get(2)?.is_ascii_alphabetic() => {
                let end = memchr(b'>', bytes).unwrap_or(bytes.len());
                let (name, _) = split(rest.get(2..end)?, |byte| byte.is_ascii_whitespace() || byte == b'/')?;
                self.at += (end + 1).min(bytes.len());
                Some(Some(HtmlToken::Close(name)))
            }
            byte if byte.is_ascii_alphabetic() => {
                let Some(end) = tag_end(bytes) else {
                    self.at = self.page.len();
                    return Some(None);
                };
                let (name, attributes) =
                    split(rest.get(1..end)?, |byte| byte.is_ascii_whitespace() || byte == b'/')?;
                self.at += end + 1;
                self.raw = RAW.into_iter().find(|raw| raw.eq_ignore_ascii_case(name));
                Some(Some(HtmlToken::Open(Tag { name, attributes, source: rest.get(..=end)? })))
            }
            _ => None,
        }
    }

    /// Returns where the raw content of an element ends.
    fn raw_end(&self, name: &str) -> usize {
        let bytes = self.rest().as_bytes();
        let mut from = 0;
        while let Some(at) = memmem::find(bytes.get(from..).unwrap_or_default(), b"</") {
            let name_at = from + at + 2;
            let found = bytes.get(name_at..name_at + name.len());
            if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
                return self.at + from + at;
            }
            from = name_at;
        }
        self.page.len()
    }
}

impl<'p> Iterator for HtmlTokens<'p> {
    type Item = HtmlToken<'p>;

    fn next(&mut self) -> Option<HtmlToken<'p>> {
        if let Some(name) = self.raw.take() {
            let end = self.raw_end(name);
            if end > self.at {
                return Some(HtmlToken::Text(self.take(end)));
            }
        }
        let mut from = 0;
        while self.at < self.page.len() {
            let bytes = self.rest().as_bytes();
            let Some(open) = memchr(b'<', bytes.get(from..).unwrap_or_default()).map(|at| at + from) else {
                return Some(HtmlToken::Text(self.take(self.page.len())));
            };
            if open > 0 && opens(bytes.get(open..).unwrap_or_default()) {
                return Some(HtmlToken::Text(self.take(self.at + open)));
            }
            if open > 0 {
                from = open + 1;
                continue;
            }
            match self.markup() {
                Some(Some(token)) => return Some(token),
                Some(None) => from = 0,
                None => from = 1,
            }
        }
        None
    }
}

/// Whether `<` opens a tag or a comment here.
fn opens(bytes: &[u8]) -> bool {
    match bytes {
        [_, b'/', third, ..] => third.is_ascii_alphabetic(),
        [_, second, ..] => second.is_ascii_alphabetic() || matches!(second, b'!' | b'?'),
        _ => false,
    }
}

/// Returns where a start tag ends: at the first `>` outside quoted values.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let first = memchr(b'>', bytes)?;
    let quoted = |range: Range<usize>| memchr2(b'"', b'\'', bytes.get(range)?);
    let Some(_) = quoted(0..first) else { return Some(first) };
    let mut at = 1;
    // A quote opens a value only after `=`; elsewhere it is part of a name.
    let mut value = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'>' => return Some(at),
            b'"' | b'\'' if value => {
                at += 1 + memchr(*byte, bytes.get(at + 1..)?)?;
                value = false;
            }
            b'=' => value = true,
            byte if byte.is_ascii_whitespace() => {}
            _ => value = false,
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(page: &str) -> Vec<String> {
        let shown = |token| match token {
            HtmlToken::Text(text) => format!("{text:?}"),
            HtmlToken::Open(tag) => {
                let attributes: Vec<_> =
                    tag.attributes().map(|(name, value)| format!(" {name}={value}")).collect();
                format!("<{}{}>", tag.name, attributes.concat())
            }
            HtmlToken::Close(name) => format!("</{name}>"),
        };
        HtmlTokens::new(page).map(shown).collect()
    }

    #[test]
    fn tags_texts_and_attributes_are_told_apart() {
        for (page, expected) in [
            ("a<b>c</b>", &["\"a\"", "<b>", "\"c\"", "</b>"][..]),
            ("<a href=x/y title='a > b' q=\"1\"2 on>z", &["<a href=x/y title=a > b q=1 2= on=>", "\"z\""]),
            ("1 < 2 <3 </ 4<", &["\"1 < 2 <3 </ 4<\""]),
            ("a<!-- <b> -->c<!doctype html>d<!-->e", &["\"a\"", "\"c\"", "\"d\"", "\"e\""]),
            (
                "<script>if (a<b) '</div>'</SCRIPT >x",
                &["<script>", "\"if (a<b) '</div>'\"", "</SCRIPT>", "\"x\""],
            ),
            ("<br/><img src=a>", &["<br>", "<img src=a>"]),
            ("x<a href=\"y", &["\"x\""]),
            ("x<!-- y", &["\"x\""]),
            ("<style>a", &["<style>", "\"a\""]),
            ("<title></title>", &["<title>", "</title>"]),
        ] {
            assert_eq!(tokens(page), expected, "{page}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_tokens(parts in proptest::collection::vec(proptest::sample::select(vec![
            "<", ">", "</", "a", "é", " ", "=", "\"", "'", "<!--", "-->", "<script", "/", "&lt;", "<p>", "title",
        ]), 0..60)) {
            let page = parts.concat();
            let text: usize = tokens(&page).iter().map(String::len).sum();
            proptest::prop_assert!(text <= page.len() * 10 + 10);
        }
    }
}
