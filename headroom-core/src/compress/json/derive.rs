//! Finds columns of addresses that are made of another column: `https://api.example.org/issues/(number)/comments`.

use std::ops::Range;

use headroom_json::document::{Document, DocumentNodeKind};

use super::columns::Columns;

use crate::tuning::tuning;

/// How many columns are read, and how many are tried as the part of addresses that differs.
const MAX_COLUMNS: usize = 64;
const MAX_PARTS: usize = 8;
/// What no pattern may contain: its own signs, delimiters, and what would need quotes.
const SIGNS: [char; 8] = ['(', ')', ',', '|', '\t', ';', '"', '\\'];

/// How the cells of a column follow from those of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) before: String,
    /// The path of the other column.
    pub(super) part: u32,
    pub(super) behind: String,
}

/// A column that every row has.
struct FullColumn<'a> {
    path: u32,
    texts: Vec<&'a str>,
}

/// Returns the patterns of columns, by path. `varying` are the paths whose cells differ and that every row has.
pub(super) fn patterns(
    doc: &Document<'_>,
    columns: &Columns<'_>,
    varying: &[u32],
    rows: usize,
) -> Vec<(u32, Pattern)> {
    let first = columns.ends.first().and_then(|end| columns.cells.get(..*end)).unwrap_or_default();
    let is_address = |text: &str| text.contains("://");
    if rows < tuning().json.min_pattern_rows || !first.iter().any(|(_, node)| is_address(doc.lexeme(*node))) {
        return Vec::new();
    }
    let full = full(doc, columns, varying.get(..varying.len().min(MAX_COLUMNS)).unwrap_or_default());
    let (addresses, parts): (Vec<_>, Vec<_>) =
        full.iter().partition(|column| column.texts.iter().all(|text| is_address(text)));
    let parts =
        || parts.iter().filter(|part| part.texts.iter().all(|text| !text.is_empty() && !is_address(text)));
    let of = |address: &&FullColumn<'_>| {
        let found = parts().take(MAX_PARTS).find_map(|part| pattern(address, part));
        found.map(|pattern| (address.path, pattern))
    };
    addresses.iter().filter_map(of).collect()
}

/// Returns the texts of the columns of numbers, or of strings without escapes.
fn full<'a>(doc: &Document<'a>, columns: &Columns<'_>, paths: &[u32]) -> Vec<FullColumn<'a>> {
    let mut slots = vec![None; columns.paths.len()];
    for (slot, path) in paths.iter().enumerate() {
        if let Some(of) = slots.get_mut(*path as usize) {
            *of = Some(slot);
        }
    }
    let mut texts: Vec<Option<Vec<&str>>> = vec![Some(Vec::new()); paths.len()];
    for (path, node) in &columns.cells {
        let slot = slots.get(*path as usize).copied().flatten();
        let Some(column) = slot.and_then(|slot| texts.get_mut(slot)) else { continue };
        let lexeme = doc.lexeme(*node);
        let text = match doc.node(*node).map(|node| node.kind) {
            Some(DocumentNodeKind::Scalar) => Some(lexeme),
            Some(DocumentNodeKind::Plain) => lexeme.get(1..lexeme.len().saturating_sub(1)),
            _ => None,
        };
        match text {
            Some(text) => column.iter_mut().for_each(|column| column.push(text)),
            None => *column = None,
        }
    }
    let found =
        paths.iter().zip(texts).filter_map(|(path, texts)| Some(FullColumn { path: *path, texts: texts? }));
    found.collect()
}

/// Returns the pattern that gives every address, if there is one.
fn pattern(address: &FullColumn<'_>, part: &FullColumn<'_>) -> Option<Pattern> {
    let (first, of_first) = (address.texts.first()?, part.texts.first()?);
    let place = place(first, of_first)?;
    let (before, behind) = (first.get(..place.start)?, first.get(place.end..)?);
    let fits = |(address, part): (&&str, &&str)| {
        address.len() == before.len() + part.len() + behind.len()
            && address.starts_with(before)
            && address.ends_with(behind)
            && address.get(before.len()..before.len() + part.len()) == Some(part)
    };
    let is_plain = |text: &str| !text.contains(SIGNS) && !text.ends_with(' ');
    let is_whole = before.contains("://") && is_plain(before) && is_plain(behind);
    (is_whole && address.texts.iter().zip(&part.texts).all(fits)).then(|| Pattern {
        before: before.to_owned(),
        part: part.path,
        behind: behind.to_owned(),
    })
}

/// Returns where a part stands in an address as a whole word, the last place first.
fn place(address: &str, part: &str) -> Option<Range<usize>> {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    address.rmatch_indices(part).map(|(at, _)| at..at + part.len()).find(|place| {
        let before = address.get(..place.start).and_then(|text| text.chars().next_back());
        let behind = address.get(place.end..).and_then(|text| text.chars().next());
        place.start > 0 && !is_word(before) && !is_word(behind)
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{candidates, decode, minify};

    fn issues(count: usize, address: impl Fn(usize) -> String) -> String {
        let row =
            |n: usize| format!(r#"{{"address": "{}", "number": {n}, "login": "u{}"}}"#, address(n), n % 3);
        format!("[{}]", (7..7 + count).map(row).collect::<Vec<_>>().join(", "))
    }

    fn table(text: &str) -> String {
        let table = candidates(text).pop().unwrap();
        assert_eq!(decode(&table), Ok(minify(text)));
        table
    }

    #[test]
    fn addresses_made_of_another_column_are_written_once() {
        let text = issues(20, |n| format!("https://x.org/7/issues/{n}/comments{{/id}}"));
        let header = "[20 rows; name~value: with the (column) of the row: \
                      address~https://x.org/7/issues/(number)/comments{/id},number,login\n7,u1\n";
        assert!(table(&text).starts_with(header), "{}", table(&text));
        let text = issues(20, |n| format!("https://x.org/u{}/avatar", n % 3));
        assert!(table(&text).contains("address~https://x.org/(login)/avatar,number,login\n7,u1\n"));
    }

    #[test]
    fn other_addresses_stay() {
        for address in [
            |n: usize| format!("https://x.org/{}", n + 1),
            |n: usize| format!("https://x.org/a{n}"),
            |n: usize| {
                if n == 20 { "https://x.org/other/20".to_owned() } else { format!("https://x.org/{n}") }
            },
            |n: usize| format!("https://x.org/({n})"),
            |n: usize| format!("https://x.org/a,b/{n}"),
            |n: usize| format!("{n}://x.org"),
        ] {
            let text = issues(20, address);
            assert!(!table(&text).contains('~'), "{text}");
        }
    }
}
