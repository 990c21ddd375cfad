//! Checks web pages written as Markdown: every word of the output is in the page, in the page's order.

use std::collections::HashSet;

use headroom_core::Transform;

use super::truthful::{MARKER, TruthCase, Verdict};

/// Elements whose content is not shown.
const UNREAD: [&str; 7] = ["script", "style", "noscript", "iframe", "textarea", "template", "svg"];
/// Named characters that pages use.
const NAMES: [(&str, &str); 24] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", ""),
    ("rsquo", "’"),
    ("lsquo", "‘"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("hellip", "…"),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("raquo", "»"),
    ("laquo", "«"),
    ("bull", "•"),
    ("middot", "·"),
    ("eacute", "é"),
    ("pound", "£"),
    ("euro", "€"),
    ("times", "×"),
];
/// The numbers 128 to 159, as browsers decode them.
const NUMBERS: [(u32, char); 9] = [
    (133, '…'),
    (145, '‘'),
    (146, '’'),
    (147, '“'),
    (148, '”'),
    (149, '•'),
    (150, '–'),
    (151, '—'),
    (153, '™'),
];

/// The content of a page.
struct ParsedPage {
    /// All text without white space.
    ink: String,
    /// The targets of its links.
    hrefs: HashSet<String>,
    /// The whole source, with white space folded.
    source: String,
}

/// Checks that the words of the Markdown are the page's, that its links have the page's targets, and that a marker for
/// the whole page comes first.
#[must_use]
pub fn page(case: &TruthCase<'_>) -> Verdict {
    if !case.has(Transform::HtmlToMarkdown) {
        return Verdict::Other;
    }
    let lines = case.before.split('\n').count();
    let whole = format!(" lines 1-{lines} stored");
    if !case.after.split('\n').next().is_some_and(|line| line.starts_with(MARKER) && line.contains(&whole)) {
        return Verdict::Fails("no marker for the whole page stands first".to_owned());
    }
    let page = ParsedPage::parse(case.before);
    let mut at = 0;
    for line in case.after.split('\n') {
        for piece in without_markers(line) {
            match page.find(&piece, at) {
                Some(end) => at = end,
                None => {
                    return Verdict::Fails(format!(
                        "`{piece}` does not stand in the page behind what comes before it"
                    ));
                }
            }
        }
    }
    Verdict::Holds
}

/// Returns the text before, between and after markers.
pub(super) fn without_markers(line: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find(MARKER) {
        pieces.push(rest[..start].to_owned());
        rest = rest[start..].split_once(']').map_or("", |(_, rest)| rest);
    }
    pieces.push(rest.to_owned());
    pieces
}

impl ParsedPage {
    fn parse(page: &str) -> Self {
        let (mut ink, mut hrefs) = (String::new(), HashSet::new());
        let mut rest = page;
        while let Some(start) = rest.find('<') {
            ink.push_str(&solid(&decoded(&rest[..start])));
            rest = &rest[start..];
            if let Some(comment) = rest.strip_prefix("<!--") {
                rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
                continue;
            }
            let name = rest[1..].strip_prefix('/').unwrap_or(&rest[1..]);
            let is_tag = name.starts_with(|c: char| c.is_ascii_alphabetic());
            if !is_tag && !rest[1..].starts_with(['!', '?']) {
                ink.push('<');
                rest = &rest[1..];
                continue;
            }
            let end = tag_end(rest);
            let tag = &rest[..end];
            rest = &rest[end..];
            for quote in ["\"", "'", ""] {
                let opening = format!("href={quote}");
                let mut values = tag.split(opening.as_str());
                values.next();
                let ends = |c: char| {
                    if quote.is_empty() { c.is_whitespace() || c == '>' } else { quote.contains(c) }
                };
                hrefs.extend(
                    values.map(|value| decoded(value.split(ends).next().unwrap_or("")).trim().to_owned()),
                );
            }
            let name: String =
                tag[1..].chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
            if UNREAD.contains(&name.as_str()) && !tag.ends_with("/>") {
                let close = format!("</{name}");
                let lower = rest.to_ascii_lowercase();
                rest = lower.find(&close).map_or("", |at| &rest[at..]);
            }
        }
        ink.push_str(&solid(&decoded(rest)));
        Self { ink, hrefs, source: folded(page) }
    }

    /// Returns where a line of Markdown ends in the page.
    fn find(&self, line: &str, at: usize) -> Option<usize> {
        let text = line.trim();
        let is_rule = text.starts_with("---") && text.chars().all(|c| c == '-' || c == '|');
        if text.is_empty() || text.starts_with("```") || is_rule {
            return Some(at);
        }
        if let Some((name, href)) = text.strip_prefix('[').and_then(|text| text.rsplit_once("]: "))
            && self.hrefs.contains(href)
            && self.ink.contains(&solid(&self.without_tags(name)))
        {
            return Some(at);
        }
        if text.starts_with('<') && self.source.contains(text) {
            return Some(at);
        }
        self.cells(text, at)
            .or_else(|| {
                let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
                let bare = ["# ", "- ", "> ", ". "].iter().find_map(|mark| match *mark {
                    "# " => text.starts_with('#').then(|| text.trim_start_matches('#').trim_start()),
                    ". " => number.strip_prefix(". ").filter(|_| number.len() < text.len()),
                    mark => text.strip_prefix(mark),
                });
                self.cells(bare?, at).or_else(|| self.linked(bare?, at))
            })
            .or_else(|| self.linked(text, at))
    }

    /// Removes tags that are shown verbatim, such as those of forms.
    fn without_tags(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, tag)) = rest.split_once('<') {
            out.push_str(before);
            match tag.split_once('>').filter(|(tag, _)| self.source.contains(&format!("<{tag}>"))) {
                Some((_, behind)) => rest = behind,
                None => {
                    out.push('<');
                    rest = tag;
                }
            }
        }
        out + rest
    }

    fn linked(&self, text: &str, at: usize) -> Option<usize> {
        let (name, href) = text.strip_prefix('[')?.strip_suffix(')')?.rsplit_once("](")?;
        if self.hrefs.contains(href) { self.cells(name, at) } else { None }
    }

    fn cells(&self, text: &str, at: usize) -> Option<usize> {
        self.ink_at(text, at).or_else(|| {
            let cells = text.split('|').filter(|cell| !cell.trim().is_empty());
            cells.into_iter().try_fold(at, |at, cell| self.ink_at(cell, at))
        })
    }

    fn ink_at(&self, text: &str, at: usize) -> Option<usize> {
        let solid = solid(text);
        Some(at + self.ink[at..].find(&solid)? + solid.len())
    }
}

/// Returns the end of a tag: its first `>` outside quotes.
fn tag_end(tag: &str) -> usize {
    let (mut quote, mut value) = (None, false);
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => continue,
            (None, '"' | '\'') if value => quote = Some(c),
            (None, '>') => return at + 1,
            _ => {}
        }
        value = c == '=' || value && c.is_whitespace();
    }
    tag.len()
}

fn solid(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn decoded(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some((c, behind)) =
            rest[1..].split_once(';').and_then(|(name, behind)| Some((letter(name)?, behind)))
        else {
            out.push('&');
            rest = &rest[1..];
            continue;
        };
        out.push_str(&c);
        rest = behind;
    }
    out.push_str(rest);
    out
}

fn letter(name: &str) -> Option<String> {
    if let Some((_, text)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*text).to_owned());
    }
    let number = name.strip_prefix('#')?;
    let number = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    let known = NUMBERS.iter().find(|(known, _)| *known == number).map(|(_, c)| *c);
    known.or_else(|| char::from_u32(number).filter(|c| !c.is_control())).map(String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<title>Night &amp; day</title><h1>The log</h1>\n<p>Wind from <a href='/west?a=1&amp;b=2'>the \
         west</a> at 12&nbsp;knots.</p><script>var x = 'hidden';</script><!-- aside --><ul><li>one<li>two</ul>\
         <table><tr><td>a<td>b</table><pre>if (a < 2)</pre>";

    fn verdict(body: &str) -> Verdict {
        let after =
            format!("[headroom:abcdefghijklmnop lines 1-2 stored: the page; headroom_retrieve]\n{body}");
        page(&TruthCase { before: PAGE, after: &after, steps: &[Transform::HtmlToMarkdown] })
    }

    #[test]
    fn words_of_the_page_hold() {
        let all = "# Night & day\n\n# The log\n\nWind from the west at 12 knots.\n[the west]: /west?a=1&b=2\n\n- one\n- \
             two\n\na | b\n\n```\nif (a < 2)\n```";
        assert_eq!(verdict(all), Verdict::Holds);
        assert_eq!(verdict("Wind from [headroom: x] knots."), Verdict::Holds);
        assert_eq!(verdict("1. [the west](/west?a=1&b=2)"), Verdict::Holds);
    }

    #[test]
    fn what_the_page_does_not_say_fails() {
        for wrong in [
            "Wind from the west at 13 knots.",
            "- two\n- one",
            "[the west]: /west",
            "[the west](/east)",
            "var x = 'hidden';",
            "aside",
            "a | c",
            "no words of it",
            "<input name=a>",
        ] {
            assert!(matches!(verdict(wrong), Verdict::Fails(_)), "{wrong}");
        }
        let unmarked = TruthCase { before: PAGE, after: "# The log", steps: &[Transform::HtmlToMarkdown] };
        assert!(matches!(page(&unmarked), Verdict::Fails(_)));
    }
}
