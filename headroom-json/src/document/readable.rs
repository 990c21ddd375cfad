//! Reads text that starts like JSON as far as it goes.

use std::ops::Range;

use super::{ArrayLengths, DocumentKey, DocumentNodeKind, DocumentScanner, Sequence};

/// How many keys are remembered to find the records after the damage.
const MAX_KEYS: usize = 4;

/// The parts of a text that are whole JSON values.
#[derive(Debug, Default)]
pub struct Readable<'a> {
    /// In order and disjoint.
    pub parts: Vec<ReadablePart>,
    /// Where reading ended: after the value, or at the damage.
    pub end: usize,
    /// Whether every array and object that began has ended.
    pub is_whole: bool,
    /// The first keys of the records that the damage interrupts, as lexemes: outer arrays first.
    pub keys: Vec<&'a str>,
}

/// Whole values in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadablePart {
    /// Where they are.
    pub bytes: Range<usize>,
    /// How they are separated.
    pub sequence: Sequence,
}

/// Reads a value, or several separated by commas, from the start of a text. Values that the end of the text or an
/// error may have cut are in no part.
///
/// ```
/// use headroom_json::document::readable;
///
/// let text = r#"[{"id": 1}, {"id": 2}, {"id": 3, "na"#;
/// let found = readable(text);
/// assert!(!found.is_whole);
/// assert_eq!(&text[found.parts[0].bytes.clone()], r#"{"id": 1}, {"id": 2}"#);
/// assert_eq!(found.keys, ["\"id\""], "a record begins where this key follows");
/// ```
#[must_use]
pub fn readable(text: &str) -> Readable<'_> {
    // Which arrays are long does not matter here.
    let lengths = ArrayLengths { rows: usize::MAX, long: usize::MAX };
    let Some(mut scanner) = DocumentScanner::new(text, lengths) else { return Readable::default() };
    let is_whole = loop {
        match scanner.next_element() {
            Ok(true) => {}
            Ok(false) => break true,
            // Nothing but white space or the end of another array follows the last comma.
            Err(_) => break false,
        }
    };
    let reader = PartReader { scanner };
    let mut found = Readable { end: reader.scanner.at(), is_whole, ..Readable::default() };
    reader.roots(&mut found);
    if let Some(last) = found.parts.last().filter(|_| is_whole) {
        found.end = last.bytes.end;
    }
    if !is_whole {
        reader.open(&mut found);
    }
    found
}

struct PartReader<'a> {
    scanner: DocumentScanner<'a>,
}

impl<'a> PartReader<'a> {
    /// Adds the values at the top.
    fn roots(&self, found: &mut Readable<'a>) {
        let doc = self.scanner.document_so_far();
        let (Some(first), Some(last)) = (doc.roots.first(), doc.roots.last()) else { return };
        self.add_key(*first, found);
        match doc.roots.len() {
            1 => self.add(&[*first], Sequence::Values, found),
            _ => self.add(&[*first, *last], Sequence::Elements, found),
        }
    }

    /// Adds the values within the arrays and objects that have not ended.
    fn open(&self, found: &mut Readable<'a>) {
        let open = self.scanner.open();
        let insides = open.iter().skip(1).map(|open| open.node).chain([self.scanner.len()]);
        let mut in_array = true;
        for (container, end) in open.iter().zip(insides) {
            if container.is_object {
                if in_array {
                    self.add_key(container.node, found);
                }
                for member in self.children(container.node, end) {
                    if self.scanner.document_so_far().is_container(member) {
                        self.add(&[member], Sequence::Values, found);
                    }
                }
            } else {
                let elements: Vec<u32> =
                    self.children(container.node, end).filter(|element| self.is_complete(*element)).collect();
                if let (Some(first), Some(last)) = (elements.first(), elements.last()) {
                    self.add_key(*first, found);
                    self.add(&[*first, *last], Sequence::Elements, found);
                }
            }
            in_array = !container.is_object;
        }
    }

    fn add(&self, values: &[u32], sequence: Sequence, found: &mut Readable<'a>) {
        let node = |value: Option<&u32>| self.scanner.document_so_far().node(*value?);
        let (Some(first), Some(last)) = (node(values.first()), node(values.last())) else { return };
        found.parts.push(ReadablePart { bytes: first.start..last.end, sequence });
    }

    /// Iterates over the children of a container that has not ended, before the node `end`.
    fn children(&self, container: u32, end: u32) -> impl Iterator<Item = u32> {
        let mut at = container + 1;
        std::iter::from_fn(move || {
            let child = (at < end).then_some(at)?;
            at = self.scanner.document_so_far().node(child)?.next;
            Some(child)
        })
    }

    /// Whether nothing was cut off this value: numbers end only where something else begins.
    fn is_complete(&self, value: u32) -> bool {
        let doc = self.scanner.document_so_far();
        doc.node(value).is_some_and(|node| {
            let behind = doc.text.get(node.end..).unwrap_or_default();
            node.kind != DocumentNodeKind::Scalar
                || behind.trim_start_matches([' ', '\t', '\r', '\n']).starts_with([',', ']'])
        })
    }

    /// Adds the first key of an object, once: the record before the damage and the one that it cut have the same.
    fn add_key(&self, object: u32, found: &mut Readable<'a>) {
        if found.keys.len() < MAX_KEYS
            && let Some(key) = self.first_key(object)
            && !found.keys.contains(&key)
        {
            found.keys.push(key);
        }
    }

    /// Returns the lexeme of an object's first key.
    fn first_key(&self, object: u32) -> Option<&'a str> {
        let doc = self.scanner.document_so_far();
        let node = doc.node(object).filter(|node| node.kind == DocumentNodeKind::Object)?;
        let inside = doc.text.get(node.start + 1..self.scanner.at())?.trim_ascii_start();
        let key = DocumentKey::first_in(inside.strip_prefix('"').and(Some(inside))?).lexeme();
        (key.len() > 2).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: usize) -> String {
        format!(r#"{{"id": {n}, "name": "row {n} with a long name", "tags": ["a", "b"], "score": {n}.5}}"#)
    }

    fn records(count: usize) -> String {
        format!("[\n  {}\n]", (0..count).map(record).collect::<Vec<_>>().join(",\n  "))
    }

    #[test]
    fn whole_values_are_one_part() {
        let text = records(20);
        let found = readable(&text);
        assert!(found.is_whole);
        assert_eq!(found.parts, [ReadablePart { bytes: 0..text.len(), sequence: Sequence::Values }]);
    }

    #[test]
    fn every_cut_leaves_whole_records_only() {
        let text = records(20);
        for cut in (500..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let found = readable(&text[..cut]);
            assert!(!found.is_whole, "{cut}");
            let part = &found.parts[0];
            assert_eq!(part.sequence, Sequence::Elements);
            let run = &text[part.bytes.clone()];
            assert!(run.starts_with("{\"id\": 0,") && run.ends_with(".5}"), "{run}");
            assert_eq!(text[..cut].matches(".5}").count(), run.matches(".5}").count(), "{cut}");
            assert_eq!(found.keys, ["\"id\""]);
        }
    }

    #[test]
    fn numbers_at_a_cut_are_not_whole() {
        let numbers = (1000..1200).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let text = format!("[{numbers}");
        for cut in text.len() - 12..=text.len() {
            let found = readable(&text[..cut]);
            let run = &text[found.parts[0].bytes.clone()];
            let behind = &text[found.parts[0].bytes.end..cut];
            assert!(run.len() % 5 == 4 && behind.starts_with(','), "{cut}: {behind}");
        }
    }

    #[test]
    fn members_of_a_cut_object_are_parts() {
        let text = format!(r#"{{"total": 3, "done": {}, "open": {}"#, records(10), &records(9)[..700]);
        let found = readable(&text);
        let parts: Vec<&str> = found.parts.iter().map(|part| &text[part.bytes.clone()]).collect();
        assert_eq!(parts[0], records(10));
        assert!(parts[1].starts_with(r#"{"id": 0,"#));
    }
}
