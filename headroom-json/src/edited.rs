//! Finds which strings of a text were edited: the way back from [`splice`](crate::splice).

use std::ops::Range;

use crate::Text;

/// A string that differs from what it was: see [`edited_strings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedString {
    /// Which of the given strings it is.
    pub index: usize,
    /// The new text, without escapes.
    pub text: String,
}

/// Returns the strings that differ between two texts. `strings` are the places of strings in `before`, without their
/// quotes and in order. The texts are walked side by side, and nothing is parsed.
///
/// Returns `None` if the texts differ in anything else.
///
/// ```
/// use headroom_json::edited_strings;
///
/// let (before, after) = (r#"{"id":1.0,"log":"a long log"}"#, r#"{"id":1.0,"log":"a \"log\""}"#);
/// let edited = edited_strings(before, after, [17..27].into_iter()).expect("they differ in a string");
/// assert_eq!((edited[0].index, edited[0].text.as_str()), (0, "a \"log\""));
/// assert_eq!(edited_strings(before, "{}", [17..27].into_iter()), None);
/// ```
#[must_use]
pub fn edited_strings(
    before: &str,
    after: &str,
    strings: impl Iterator<Item = Range<usize>>,
) -> Option<Vec<EditedString>> {
    let mut edited = Vec::new();
    let (mut read, mut written) = (0, 0);
    for (index, string) in strings.enumerate() {
        let between = before.get(read..string.start)?;
        let start = written + between.len();
        if after.get(written..start)? != between {
            return None;
        }
        let old = before.get(string.clone())?;
        let rest = after.get(start..)?;
        // Most strings are unchanged, and one comparison shows it.
        let is_same = rest.strip_prefix(old).is_some_and(|rest| rest.starts_with('"'));
        let end = if is_same { old.len() } else { string_length(rest)? };
        if !is_same {
            let raw = rest.get(..end)?;
            let text = Text { raw, start, escaped: raw.contains('\\') }.decode()?;
            edited.push(EditedString { index, text: text.into_owned() });
        }
        (read, written) = (string.end, start + end);
    }
    (before.get(read..)? == after.get(written..)?).then_some(edited)
}

/// Returns the length of a string's content, up to its closing quote.
fn string_length(text: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => return Some(at),
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the places of all strings, keys included.
    fn places(body: &str) -> Vec<Range<usize>> {
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(quote) = body[at..].find('"') {
            let start = at + quote + 1;
            let len = string_length(&body[start..]).unwrap();
            found.push(start..start + len);
            at = start + len + 1;
        }
        found
    }

    fn edited(before: &str, after: &str) -> Option<Vec<(usize, String)>> {
        let edited = edited_strings(before, after, places(before).into_iter())?;
        Some(edited.into_iter().map(|edit| (edit.index, edit.text)).collect())
    }

    #[test]
    fn finds_each_string_that_differs_and_no_other() {
        let before = r#"{"a":["one","two \" three",1.0],"b":"","c":"four"}"#;
        let after = r#"{"a":["one","2 \"3\n",1.0],"b":"new","c":""}"#;
        assert_eq!(edited(before, before), Some(Vec::new()));
        let expected = [(2, "2 \"3\n".to_owned()), (4, "new".to_owned()), (6, String::new())];
        assert_eq!(edited(before, after), Some(expected.to_vec()));
    }

    #[test]
    fn a_string_that_begins_with_the_old_one_differs() {
        assert_eq!(edited(r#"["ab"]"#, r#"["ab\"c"]"#), Some(vec![(0, "ab\"c".to_owned())]));
        assert_eq!(edited(r#"["ab\"c"]"#, r#"["ab"]"#), Some(vec![(0, "ab".to_owned())]));
    }

    #[test]
    fn bodies_that_differ_elsewhere_are_refused() {
        let before = r#"{"a":["one",1.0]}"#;
        for after in [r#"{"a":["one",1]}"#, r#"{"a":["one",1.0]} "#, r#"{"a":["one"]}"#, r#"{"a":"one"}"#, ""]
        {
            assert_eq!(edited(before, after), None, "{after}");
        }
    }
}
