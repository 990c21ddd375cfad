//! Splits mixed texts: JSON after a header line or cut by the agent, a diff after a summary, search hits between other
//! output.

mod page;

use std::ops::Range;

use headroom_json::document::Sequence;

use crate::{
    ContentKind,
    detect::{self, parts},
    text::notice,
};

/// Whole lines of one kind, without the last line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) bytes: Range<usize>,
    pub(super) kind: ContentKind,
    /// If this is JSON, how its values are separated.
    pub(super) sequence: Sequence,
    /// Maps its lines to those of the original.
    pub(super) lines: LineMap,
}

impl Segment {
    /// Moves a part of a piece to the place of the piece in its text.
    fn behind(self, bytes: usize, lines: u32) -> Self {
        let map = match self.lines {
            LineMap::From(first) => LineMap::From(first.saturating_add(lines)),
            map @ LineMap::Each(_) => map,
        };
        Self { bytes: self.bytes.start + bytes..self.bytes.end + bytes, lines: map, ..self }
    }
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

/// Splits a text of this kind, with these instructions in it, into its parts, in order. What no part covers stays as it is: instructions that the client
/// added, line ends between parts, and what is left of JSON that is cut.
///
/// `is_code` says whether a text of this kind is certainly code, of which JSON is a part.
pub(super) fn segments(
    text: &str,
    kind: ContentKind,
    instructions: &[Range<usize>],
    is_code: &dyn Fn() -> bool,
) -> Vec<Segment> {
    if instructions.is_empty() {
        return content(text, kind, is_code);
    }
    let mut parts = Vec::new();
    let (mut from, mut line) = (0, 0_u32);
    for span in instructions.iter().cloned().chain(std::iter::once(text.len()..text.len())) {
        let end = if span.start < text.len() { span.start.saturating_sub(1) } else { text.len() };
        let piece = text.get(from..end).unwrap_or_default();
        if !piece.trim().is_empty() {
            let kind = if kind == ContentKind::FileRead { kind } else { detect::structure(piece) };
            parts.extend(content(piece, kind, is_code).into_iter().map(|part| part.behind(from, line)));
        }
        let next = (span.end + 1).min(text.len());
        line = line.saturating_add(line_ends(text.get(from..next).unwrap_or_default()));
        from = next.max(from);
    }
    parts
}

fn content(text: &str, kind: ContentKind, is_code: &dyn Fn() -> bool) -> Vec<Segment> {
    use ContentKind::{Blob, Code, Diff, Json, Search};
    let whole =
        |kind| Segment { bytes: 0..text.len(), kind, sequence: Sequence::Values, lines: LineMap::From(0) };
    if !kind.traits().may_hold_parts || kind == Json && is_whole_json(text) {
        return vec![whole(kind)];
    }
    if !matches!(kind, Code | Diff | Search)
        && let Some(page) = page::find(text)
    {
        return Splitter::new(text).split([(page, Some((ContentKind::Html, Sequence::Values)))]);
    }
    let found = parts::find(text, kind == Code);
    // JSON in source code is code.
    if kind == Code && (!found.is_json || is_code()) || !found.parts.is_empty() && kind != Code && is_code() {
        return vec![whole(kind)];
    }
    if found.parts.is_empty() {
        // Lines of records that cannot be told apart stay as they are.
        return if found.is_json && kind != Blob { Vec::new() } else { vec![whole(kind)] };
    }
    let json = found.parts.into_iter().map(|part| (part.bytes, Some((Json, part.sequence))));
    let mut ranges: Vec<_> = json.chain(found.verbatim.into_iter().map(|bytes| (bytes, None))).collect();
    ranges.sort_by_key(|(bytes, _)| bytes.start);
    Splitter::new(text).split(ranges)
}

/// Whether a text of JSON is not cut, as far as its form tells. A note in a string may join two records.
fn is_whole_json(text: &str) -> bool {
    let is_whole = headroom_json::is_plausible(text) || parts::are_whole_lines(text);
    is_whole && notice::inside_strings(text).is_empty()
}

struct Splitter<'t> {
    text: &'t str,
    /// The line ends before this offset are counted.
    counted: usize,
    line: u32,
    parts: Vec<Segment>,
}

impl<'t> Splitter<'t> {
    const fn new(text: &'t str) -> Self {
        Self { text, counted: 0, line: 0, parts: Vec::new() }
    }

    /// Splits the text at these ranges: parts of a kind, and what stays as it is.
    fn split(
        mut self,
        ranges: impl IntoIterator<Item = (Range<usize>, Option<(ContentKind, Sequence)>)>,
    ) -> Vec<Segment> {
        let mut from = 0;
        for (bytes, part) in ranges {
            self.lines(from..bytes.start);
            from = bytes.end;
            if let Some((kind, sequence)) = part {
                self.push(bytes, kind, sequence);
            }
        }
        self.lines(from..self.text.len());
        self.parts
    }

    /// Adds the text between other parts, by its structure and without the line ends around it.
    fn lines(&mut self, bytes: Range<usize>) {
        let Some(piece) = self.text.get(bytes.clone()) else { return };
        let start = if bytes.start == 0 { piece } else { piece.strip_prefix('\r').unwrap_or(piece) };
        let start = if bytes.start == 0 { start } else { start.strip_prefix('\n').unwrap_or(start) };
        let inside =
            if bytes.end == self.text.len() { start } else { start.strip_suffix('\n').unwrap_or(start) };
        if !inside.is_empty() {
            let from = bytes.end - start.len();
            self.push(from..from + inside.len(), detect::structure(inside), Sequence::Values);
        }
    }

    fn push(&mut self, bytes: Range<usize>, kind: ContentKind, sequence: Sequence) {
        self.line =
            self.line.saturating_add(line_ends(self.text.get(self.counted..bytes.start).unwrap_or_default()));
        self.counted = bytes.start;
        self.parts.push(Segment { bytes, kind, sequence, lines: LineMap::From(self.line) });
    }
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
        let parts = segments(&text, ContentKind::Text, &[], &|| false);
        let kinds: Vec<_> = parts.iter().map(|part| part.kind == ContentKind::Json).collect();
        assert_eq!(kinds, [false, true, false]);
        assert_eq!(&text[parts[1].bytes.clone()], json);
        assert_eq!(&text[parts[0].bytes.clone()], "Chunk ID: 7\nExit code: 0\nOutput:");
        assert_eq!(&text[parts[2].bytes.clone()], "done\n");
    }

    #[test]
    fn brackets_that_are_no_json_are_text() {
        for text in ["[INFO] x\n[WARN] y\n".repeat(50), "{ not json\n".repeat(100), "[1, 2]\n".repeat(4)] {
            assert_eq!(segments(&text, ContentKind::Text, &[], &|| false).len(), 1);
        }
    }

    #[test]
    fn looking_for_json_is_bounded() {
        let text = "[\n".repeat(50_000);
        assert_eq!(segments(&text, ContentKind::Text, &[], &|| false).len(), 1);
    }

    proptest::proptest! {
        #[test]
        fn parts_cover_all_but_line_ends(pieces in proptest::collection::vec(proptest::sample::select(vec![
            "text\n", "\n", "{\"a\":", "[1,2]", "\"b\"", "}", "]", "\r\n", "[headroom:", "é", "1",
        ]), 0..200), filler in 0..3_usize) {
            let text = format!("{}{}", pieces.concat(), records(filler * 30));
            let found = parts::find(&text, false);
            let mut parts: Vec<_> = segments(&text, ContentKind::Log, &[], &|| false).into_iter().map(|part| part.bytes).collect();
            proptest::prop_assert!(found.is_json || !parts.is_empty());
            if parts.is_empty() {
                return Ok(());
            }
            parts.extend(found.verbatim);
            parts.sort_by_key(|part| part.start);
            let mut end = 0;
            for part in parts {
                proptest::prop_assert!(text[end..part.start].trim_matches(['\r', '\n']).is_empty());
                end = part.end;
            }
            proptest::prop_assert!(text[end..].trim_matches(['\r', '\n']).is_empty());
        }
    }
}
