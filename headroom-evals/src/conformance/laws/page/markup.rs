//! Splits a page into tags and texts, and decodes characters.

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

/// A piece of a page.
pub(super) enum Piece<'p> {
    Text(&'p str),
    Open { name: String, tag: &'p str },
    Close(String),
}

/// Reads the tags and texts of a page.
pub(super) fn pieces(page: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        pieces.push(Piece::Text(&rest[..start]));
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let inside = rest[1..].strip_prefix('/').unwrap_or(&rest[1..]);
        if !inside.starts_with(|c: char| c.is_ascii_alphabetic()) && !rest[1..].starts_with(['!', '?']) {
            pieces.push(Piece::Text("<"));
            rest = &rest[1..];
            continue;
        }
        let end = tag_end(rest);
        let tag = &rest[..end];
        rest = &rest[end..];
        let name: String =
            inside.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        if tag.starts_with("</") {
            pieces.push(Piece::Close(name));
            continue;
        }
        if UNREAD.contains(&name.as_str()) && !tag.ends_with("/>") {
            let close = format!("</{name}");
            let lower = rest.to_ascii_lowercase();
            rest = lower.find(&close).map_or("", |at| &rest[at..]);
        }
        pieces.push(Piece::Open { name, tag });
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Returns the values of an attribute.
pub(super) fn values<'t>(tag: &'t str, name: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    for quote in ["\"", "'", ""] {
        let opening = format!("{name}={quote}");
        let ends = |c: char| if quote.is_empty() { c.is_whitespace() || c == '>' } else { quote.contains(c) };
        found.extend(tag.split(opening.as_str()).skip(1).map(|value| value.split(ends).next().unwrap_or("")));
    }
    found
}

pub(super) fn number<T: std::str::FromStr>(tag: &str, name: &str) -> Option<T> {
    values(tag, name).into_iter().find_map(|value| value.trim().parse().ok())
}

pub(super) fn has_word(tag: &str, word: &str) -> bool {
    tag.split(|c: char| !c.is_ascii_alphanumeric()).skip(1).any(|found| found.eq_ignore_ascii_case(word))
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

pub(super) fn solid(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect()
}

pub(super) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn decoded(text: &str) -> String {
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
