//! Splits mixed texts: JSON after a header line, a diff after a summary, search hits between other output.

use std::ops::Range;

use memchr::memchr;

use crate::{ContentKind, detect};

/// Shorter JSON values stay part of the surrounding text.
const MIN_BYTES: usize = 400;
/// Limit on bytes searched in vain, as a multiple of the text's length.
const MAX_WORK: usize = 4;

/// Whole lines of one kind, without the last line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) bytes: Range<usize>,
    pub(super) kind: ContentKind,
    /// Maps its lines to those of the original.
    pub(super) lines: LineMap,
}

/// Maps the lines of a part to lines of the original, both counted from zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LineMap {
    /// Line by line, starting at this line.
    From(u32),
    /// The first and last original line of each line.
    Each(Vec<(u32, u32)>),
}

impl LineMap {
    /// Returns the first and last original line, counted from one, for these bytes of a part. `printed` are the line
    /// numbers in the part: those that it prints, or counted from one.
    pub(super) fn range(&self, part: &str, bytes: &Range<usize>, printed: (u32, u32)) -> Option<(u32, u32)> {
        match self {
            Self::From(first) => Some((printed.0.saturating_add(*first), printed.1.saturating_add(*first))),
            Self::Each(lines) => {
                let count = |bytes: &str| memchr::memchr_iter(b'\n', bytes.as_bytes()).count();
                let first = count(part.get(..bytes.start)?);
                let last = first + count(part.get(bytes.clone())?);
                Some((lines.get(first)?.0 + 1, lines.get(last)?.1 + 1))
            }
        }
    }
}

/// Counts the line ends in a text.
pub(super) fn line_ends(text: &str) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text.as_bytes()).count()).unwrap_or(u32::MAX)
}

/// Splits a text of this kind into its parts, in order. They cover all lines.
pub(super) fn segments(text: &str, kind: ContentKind) -> Vec<Segment> {
    use ContentKind::{Code, Diff, Listing, Log, Prose, Search, Table, Text};
    let whole = vec![Segment { bytes: 0..text.len(), kind, lines: LineMap::From(0) }];
    if !matches!(kind, Code | Diff | Listing | Log | Prose | Search | Table | Text) {
        return whole;
    }
    let found = json_values(text);
    if found.is_empty() {
        return whole;
    }
    let mut parts = Vec::new();
    let mut from = 0;
    let (mut counted, mut line) = (0, 0_u32);
    let mut push = |bytes: Range<usize>, json: bool| {
        let Some(piece) = text.get(bytes.clone()).filter(|piece| !piece.is_empty()) else { return };
        let kind = if json { ContentKind::Json } else { detect::structure(piece) };
        line = line.saturating_add(line_ends(text.get(counted..bytes.start).unwrap_or_default()));
        counted = bytes.start;
        parts.push(Segment { bytes, kind, lines: LineMap::From(line) });
    };
    for value in found {
        push(from..value.start.saturating_sub(1), false);
        from = (value.end + 1).min(text.len());
        push(value, true);
    }
    push(from..text.len(), false);
    parts
}

/// Finds whole lines that form one JSON array or object each.
fn json_values(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut work = text.len().saturating_mul(MAX_WORK);
    let mut at = 0;
    while let Some(line) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let end_of_line = memchr(b'\n', line.as_bytes()).map_or(text.len(), |end| at + end);
        if line.starts_with(['{', '[']) && work > 0 {
            let length = detect::json::value_length(line.as_bytes());
            work = work.saturating_sub(length.unwrap_or(line.len()));
            let end = length.map(|length| at + length).filter(|end| {
                let after = text.get(*end..).unwrap_or_default();
                after.is_empty() || after.starts_with('\n') || after.starts_with("\r\n")
            });
            if let Some(end) = end.filter(|end| end - at >= MIN_BYTES) {
                found.push(at..end);
                at = text
                    .get(end..)
                    .and_then(|rest| rest.find('\n'))
                    .map_or(text.len(), |more| end + more + 1);
                continue;
            }
        }
        at = end_of_line + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(count: usize) -> String {
        let rows: Vec<String> =
            (0..count).map(|n| format!("{{\"id\": {n}, \"name\": \"row {n}\"}}")).collect();
        format!("[\n  {}\n]", rows.join(",\n  "))
    }

    #[test]
    fn json_behind_a_header_is_a_part() {
        let json = records(40);
        let text = format!("Chunk ID: 7\nExit code: 0\nOutput:\n{json}\ndone\n");
        let parts = segments(&text, ContentKind::Text);
        let kinds: Vec<_> = parts.iter().map(|part| part.kind == ContentKind::Json).collect();
        assert_eq!(kinds, [false, true, false]);
        assert_eq!(&text[parts[1].bytes.clone()], json);
        assert_eq!(&text[parts[0].bytes.clone()], "Chunk ID: 7\nExit code: 0\nOutput:");
        assert_eq!(&text[parts[2].bytes.clone()], "done\n");
    }

    #[test]
    fn brackets_that_are_no_json_are_text() {
        for text in ["[INFO] x\n[WARN] y\n".repeat(50), "{ not json\n".repeat(100), "[1, 2]\n".repeat(4)] {
            assert_eq!(segments(&text, ContentKind::Text).len(), 1);
        }
    }

    #[test]
    fn looking_for_json_is_bounded() {
        let text = "[\n".repeat(50_000);
        assert_eq!(segments(&text, ContentKind::Text).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn parts_cover_all_but_line_ends(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "text\n", "\n", "{\"a\":", "[1,2]", "\"b\"", "}", "]", "\r\n", "[headroom:", "é", "1",
        ]), 0..200), filler in 0..3_usize) {
            let text = format!("{}{}", pieces.concat(), records(filler * 30));
            let mut end = 0;
            for part in segments(&text, ContentKind::Log) {
                proptest::prop_assert!(text[end..part.bytes.start].trim_matches(['\r', '\n']).is_empty());
                end = part.bytes.end;
            }
            proptest::prop_assert!(text[end..].trim_matches(['\r', '\n']).is_empty());
        }
    }
}
