//! Rows with one line per column, as databases print wide rows, and paragraphs of `key: value` lines.

use rustc_hash::FxHashSet;

use super::{
    body::Body,
    common::most_common,
    record::{Record, RecordKind},
};

use crate::tuning::tuning;

/// Keys of columns that name a row, in lower case.
const IDENTITIES: [&str; 22] = [
    "arn",
    "dn",
    "file",
    "filename",
    "guid",
    "host",
    "hostname",
    "id",
    "key",
    "name",
    "package",
    "path",
    "pid",
    "processor",
    "serial",
    "sku",
    "slug",
    "title",
    "unit",
    "url",
    "username",
    "uuid",
];
/// Longer starts of lines are no corners of frames.
const MAX_CORNER_BYTES: usize = 8;
/// Columns of a row that are examined for its identity.
const MAX_COLUMNS: usize = 64;

/// Splits a line into a key and its value.
pub(crate) fn field(text: &str) -> Option<(&str, &str)> {
    // Most lines of most texts have nothing that ends a key.
    memchr::memchr3(b'|', b'=', b':', text.as_bytes())?;
    let is_key = |key: &str| {
        let key = key.trim();
        !key.is_empty()
            && key.len() <= 48
            && key.split(' ').count() <= 4
            && key.starts_with(|c: char| {
                c.is_alphanumeric() || matches!(c, '_' | '?' | '@' | '(' | '"' | '-' | '~')
            })
    };
    let split = |(before, mark, behind): (&str, u8, &str)| {
        let mut parts = memchr::memchr_iter(mark, text.as_bytes()).filter_map(|at| {
            let key = text.get(..at)?.strip_suffix(before)?;
            Some((key, text.get(at + 1..)?.strip_prefix(behind)?))
        });
        parts.next().filter(|(key, _)| is_key(key))
    };
    const MARKS: [(&str, u8, &str); 5] =
        [(" ", b'|', " "), (" ", b'=', " "), ("", b':', " "), ("", b':', "\t"), ("", b'=', "")];
    let found = MARKS.into_iter().find_map(split);
    let found = found.or_else(|| {
        let key = text.strip_suffix([':', '|', '='])?;
        is_key(key).then_some((key, ""))
    });
    found.map(|(key, value)| (key.trim(), value.trim()))
}

/// Whether a key names a row.
fn is_identity(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let key = key.trim_matches('"');
    IDENTITIES.contains(&key) || ["_id", "_name", " id", " name"].iter().any(|end| key.ends_with(end))
}

/// Finds rows below a line that only counts them: `*** 1. row ***`, `-[ RECORD 1 ]-`.
pub(super) fn rows<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let starts: Vec<usize> = (0..bodies.len())
        .filter(|line| bodies.get(*line).is_some_and(|body| is_row_head(body.text)))
        .collect();
    let ends = starts.iter().skip(1).copied().chain([bodies.len()]);
    let row = |(start, end): (&usize, usize)| {
        let line = *start + 1..end;
        // The row ends at an empty line; a value may have several lines.
        let end = line.clone().find(|line| bodies.get(*line).is_none_or(Body::is_blank)).unwrap_or(end);
        let mut record = Record::new(RecordKind::Row, *start..end);
        name(&mut record, bodies);
        if record.names.is_empty() {
            let head = bodies.get(*start).map_or("", |body| body.text);
            record.named(*start, head.trim_matches(['*', '-', '[', ']', '+', ' ']));
        }
        record
    };
    starts.iter().zip(ends).map(row).collect()
}

/// Whether this line counts rows.
fn is_row_head(text: &str) -> bool {
    let mysql =
        text.starts_with("***") && text.trim_matches(['*', ' ']).strip_suffix(". row").is_some_and(is_number);
    // In a frame, the line starts with its corner.
    let psql = text.split_once("[ RECORD ").is_some_and(|(corner, rest)| {
        let is_corner = (1..=MAX_CORNER_BYTES).contains(&corner.len()) && corner.chars().all(is_line);
        is_corner && rest.split(' ').next().is_some_and(is_number)
    });
    mysql || psql
}

/// Whether this draws a line.
fn is_line(c: char) -> bool {
    matches!(c, '+' | '-' | '=' | '\u{2500}'..='\u{257f}')
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Finds paragraphs of `key: value` lines that begin with the same key.
pub(super) fn entries<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let mut found: Vec<(&str, Record<'t>)> = Vec::new();
    let mut line = 0;
    let blank = bodies.iter().filter(|body| body.is_blank()).count();
    if blank + 1 < tuning().records.min_vertical {
        return Vec::new();
    }
    for paragraph in bodies.chunk_by(|a, b| a.is_blank() == b.is_blank()) {
        let lines = line..line + paragraph.len();
        line = lines.end;
        if paragraph.len() < 2 || paragraph.iter().any(|body| body.is_event) {
            continue;
        }
        let fields = paragraph.iter().filter(|body| field(body.bare()).is_some()).count();
        if fields * 100 < paragraph.len() * tuning().records.vertical_fields {
            continue;
        }
        if let Some((key, value)) = paragraph.first().and_then(|body| field(body.bare())) {
            let line = lines.start;
            let mut record = Record::new(RecordKind::Entry, lines);
            record.named(line, key);
            record.named(line, value);
            found.push((key, record));
        }
    }
    // The first paragraph may have lost its start.
    let usual = most_common(found.iter().map(|(key, _)| *key)).map(|(key, _)| key);
    found.retain(|(key, _)| Some(*key) == usual);
    let all: usize = found.iter().map(|(_, record)| record.lines.len()).sum();
    let filled = bodies.iter().filter(|body| !body.is_blank()).count();
    let bytes: usize = bodies.iter().map(|body| body.text.len()).sum();
    let is_most = found.len() >= tuning().records.min_vertical
        && all * 2 > filled
        && bytes <= filled * tuning().records.max_vertical_bytes;
    if is_most { found.into_iter().map(|(_, record)| record).collect() } else { Vec::new() }
}

/// Finds blocks between lines `---` that begin with the same key, as those of several packages, and whose names differ.
pub(super) fn separated<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let mut starts: Vec<usize> = vec![0];
    starts.extend((0..).zip(bodies).filter(|(_, body)| body.text == "---").map(|(line, _)| line));
    if starts.len() < tuning().records.min_vertical {
        return Vec::new();
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([bodies.len()]).collect();
    let mut found = Vec::with_capacity(starts.len());
    for (start, end) in starts.into_iter().zip(ends) {
        let is_filled =
            |line: &usize| bodies.get(*line).is_some_and(|body| !body.is_blank() && body.text != "---");
        let Some(first) = (start..end).find(is_filled) else { continue };
        let mut record = Record::new(RecordKind::Entry, start..end);
        record.end_at(end, |line| bodies.get(line).is_none_or(Body::is_blank));
        if let Some((key, value)) = bodies.get(first).and_then(|body| field(body.text)) {
            record.named(first, key);
            record.named(first, value);
        }
        found.push(record);
    }
    let key = |record: &Record<'t>| record.names.first().map(|name| name.text);
    // The first block may have lost its start.
    let usual = found.last().and_then(key);
    let is_usual = |record: &&Record<'t>| usual.is_some() && key(record) == usual;
    let names: FxHashSet<&str> =
        found.iter().filter(is_usual).filter_map(|record| Some(record.names.get(1)?.text)).collect();
    let others = found.iter().filter(|record| !is_usual(record)).count();
    if others > 1 || names.len() + others < found.len() { Vec::new() } else { found }
}

/// Names a row by its first column that identifies it, or else by its first column.
fn name<'t>(record: &mut Record<'t>, bodies: &[Body<'t>]) {
    let columns = || record.lines.clone().skip(1).take(MAX_COLUMNS);
    let column = |line: usize| field(bodies.get(line)?.bare()).map(|(key, value)| (line, key, value));
    let identity = columns().filter_map(column).find(|(_, key, value)| is_identity(key) && !value.is_empty());
    let found = identity.or_else(|| columns().filter_map(column).next());
    if let Some((line, key, value)) = found {
        record.named(line, key);
        record.named(line, value);
    }
}

#[cfg(test)]
mod tests {
    use super::is_row_head;

    #[test]
    fn lines_that_count_rows_are_known_in_any_frame() {
        for line in [
            "*************************** 12. row ***************************",
            "-[ RECORD 1 ]-----",
            "+-[ RECORD 12 ]----+",
            "\u{2500}[ RECORD 3 ]\u{2500}\u{2500}",
            "\u{250c}\u{2500}[ RECORD 1 ]\u{2500}\u{2510}",
        ] {
            assert!(is_row_head(line), "{line}");
        }
        for line in ["[ RECORD 1 ]", "see -[ RECORD 1 ]", "-[ RECORD x ]-", "*** row ***"] {
            assert!(!is_row_head(line), "{line}");
        }
    }
}
