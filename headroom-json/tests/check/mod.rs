//! What holds for every text, for property tests here and for the fuzz target `read_json`.

use headroom_json::{
    RawOffsets, Replacement, Tape, Value,
    document::{ArrayLengths, Document, Sequence, readable},
    minify, splice,
};

/// `serde_json` refuses texts that nest deeper, in which case there is nothing to compare with.
const MAX_BRACKETS: usize = 100;
const LENGTHS: ArrayLengths = ArrayLengths { rows: 2, long: 40 };

/// Panics if the readers disagree with `serde_json` or each other, or if an edit changes more than it says.
pub(crate) fn check(text: &str) {
    check_parts(text);
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_BRACKETS {
        return;
    }
    let expected = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let tape = Tape::parse(text);
    assert_eq!(tape.is_ok(), expected, "{text:?}");
    let Ok(tape) = tape else { return };
    let doc = Document::parse(text, Sequence::Values, LENGTHS).expect("one value is a sequence");
    let [root] = doc.roots() else { panic!("one value has one root: {text:?}") };
    let compact = doc.slice(*root);
    assert_eq!(compact.len(), doc.length(*root));
    let mut minified = String::new();
    minify(text, &mut minified);
    assert_eq!(compact, minified);
    let value = Value::parse(text).expect("what is JSON has brackets and quotes in pairs");
    assert_eq!(value.raw(), text.trim_matches([' ', '\t', '\r', '\n']));
    check_strings(text, &tape);
}

/// The parts of a text that is cut are whole values, in order.
fn check_parts(text: &str) {
    let found = readable(text);
    let mut end = 0;
    for part in found.parts {
        assert!(part.bytes.start >= end && part.bytes.end <= found.end, "{text:?}");
        end = part.bytes.end;
        let values = Document::parse(&text[part.bytes], part.sequence, LENGTHS);
        assert!(values.is_ok_and(|values| !values.roots().is_empty()), "{text:?}");
    }
}

/// Strings decode as `serde_json` decodes them, and replacing each by itself changes nothing that they say.
fn check_strings(text: &str, tape: &Tape<'_>) {
    let mut edits = Vec::new();
    let mut decoded = Vec::new();
    for string in tape.root().strings() {
        let end = string.start + string.raw.len();
        assert_eq!(&text[string.start..end], string.raw);
        let expected = serde_json::from_str::<String>(&text[string.start - 1..=end]).ok();
        let own = string.decode();
        assert_eq!(own.as_deref(), expected.as_deref(), "{text:?}");
        let Some(own) = own else { return };
        let mut offsets = RawOffsets::new(string);
        assert_eq!(offsets.at(own.len()), Some(string.raw.len()));
        edits.push((string.start..end, own.into_owned()));
        decoded.extend(expected);
    }
    assert_eq!(splice(text, &[]).as_deref(), Some(text));
    let texts: Vec<_> = edits.iter().map(|(range, with)| (range.clone(), Replacement::Text(with))).collect();
    let after = splice(text, &texts).expect("strings are in order");
    let tape = Tape::parse(&after).expect("it is JSON again");
    assert!(
        tape.root().strings().map(|string| string.decode()).eq(decoded.iter().map(|text| Some(text.into())))
    );
}
