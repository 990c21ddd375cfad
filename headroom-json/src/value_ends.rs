//! Where the long values of a text end, so that a walk does not scan them again on every level.

use crate::lexeme::string_end;

/// Shorter values are scanned faster than they are found.
const LEAST: usize = 64;
/// Deeper values are not noted. So there are at most this many for every [`LEAST`] bytes of a text.
const DEPTH: usize = 16;

/// The ends of the long values of a text, found in one pass over it.
///
/// A [`Value`](crate::Value) that is read with them takes the length of a long value from here. Without them, every level of a
/// walk scans all that is below it. Memory is at most a few times the text, and next to nothing for texts with long strings.
///
/// ```
/// use headroom_json::{Value, ValueEnds};
///
/// let text = format!(r#"{{"messages": [{{"role": "user", "content": "{}"}}]}}"#, "word ".repeat(1000));
/// let ends = ValueEnds::of(&text);
/// let root = Value::open_with(&text, &ends).expect("an object");
/// let message = root.get("messages").and_then(|list| list.items().next()).expect("a message");
/// assert!(message.get("role").is_some_and(|role| role.is("user")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueEnds {
    /// Start and end of each value, in the order of the starts.
    spans: Vec<(usize, usize)>,
}

impl ValueEnds {
    /// Reads a text once. Only brackets and quotes are looked at, so any text will do.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut spans: Vec<(usize, usize)> = Vec::new();
        // Places of the spans of the containers that are open.
        let mut open: Vec<usize> = Vec::new();
        let mut depth = 0_usize;
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => {
                    let Some(end) = string_end(bytes, at) else { break };
                    if end - at >= LEAST && depth <= DEPTH {
                        spans.push((at, end));
                    }
                    at = end;
                    continue;
                }
                b'{' | b'[' => {
                    depth += 1;
                    if depth <= DEPTH {
                        open.push(spans.len());
                        // An end before the start says that there is none.
                        spans.push((at, 0));
                    }
                }
                b'}' | b']' => {
                    if depth <= DEPTH
                        && let Some(place) = open.pop()
                        && let Some(span) = spans.get_mut(place)
                    {
                        span.1 = at + 1;
                        if span.1 - span.0 < LEAST {
                            // All that is in it is shorter still.
                            spans.truncate(place);
                        }
                    }
                    depth = depth.saturating_sub(1);
                }
                _ => {}
            }
            at += 1;
        }
        Self { spans }
    }

    /// The end of the value that starts here, if it is a long one.
    pub(crate) fn end(&self, start: usize) -> Option<usize> {
        let place = self.spans.binary_search_by_key(&start, |span| span.0).ok()?;
        self.spans.get(place).map(|span| span.1).filter(|end| *end > start)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lexeme::container_end;

    fn scanned(text: &str, at: usize) -> Option<usize> {
        match text.as_bytes().get(at)? {
            b'"' => string_end(text.as_bytes(), at),
            b'{' | b'[' => container_end(text.as_bytes(), at),
            _ => None,
        }
    }

    proptest! {
        #[test]
        fn what_is_found_is_what_a_scan_finds(parts in proptest::collection::vec(
            prop_oneof![
                4 => r#"[\[\]{}":, a1\\]{0,6}"#,
                1 => r#""[a-z ]{60,70}""#,
                1 => Just(r#"{"a":["#.repeat(9)),
                1 => Just("]}".repeat(9)),
            ],
            0..24,
        )) {
            let text = parts.concat();
            let ends = ValueEnds::of(&text);
            for at in 0..text.len() {
                if let Some(end) = ends.end(at) {
                    prop_assert_eq!(scanned(&text, at), Some(end));
                }
            }
            prop_assert!(ends.spans.is_sorted());
        }
    }

    #[test]
    fn long_values_are_found_and_short_ones_are_not() {
        let long = "x".repeat(LEAST);
        let text = format!(r#"{{"a":["{long}",{{"b":[1,[2],"c"]}}],"d":"e"}}"#);
        let ends = ValueEnds::of(&text);
        let found: Vec<&str> = ends.spans.iter().map(|(start, end)| &text[*start..*end]).collect();
        let list = format!(r#"["{long}",{{"b":[1,[2],"c"]}}]"#);
        assert_eq!(found, [&text, &list, &format!("\"{long}\"")]);
    }

    #[test]
    fn depth_is_bounded() {
        let text = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(ValueEnds::of(&text).spans.len(), DEPTH);
        assert_eq!(ValueEnds::of(&"[".repeat(100_000)).end(0), None);
    }
}
