//! Finds `usage` and `model` in a response while it passes, and keeps nothing else of it.

use std::mem;

use memchr::memchr2;

use super::counts::ReportedUsage;

/// Maximum length of a key or model name in bytes.
const MAX_WORD: usize = 96;
/// Maximum length of a `usage` object in bytes.
const MAX_USAGE: usize = 16 << 10;

/// Scans a JSON text in chunks of any size, in linear time and constant memory.
///
/// Matches the members `usage`, `usageMetadata`, `model` and `modelVersion` of the object itself, and of the objects
/// under `message` and `response` in it, as in events. An array around the object is ignored. Content that looks like
/// such a member is nested deeper, or in a string, and is skipped.
#[derive(Debug, Default)]
pub(super) struct Finder {
    state: FinderState,
    /// Number of open objects and arrays.
    depth: usize,
    /// Whether the outermost value is an array.
    in_array: bool,
    /// The last string outside of a `usage`, if it is short and plain.
    word: Vec<u8>,
    is_plain: bool,
    /// Whether the inner object is a `message` or a `response`.
    in_envelope: bool,
    /// The kind of the next value.
    next: UsageMember,
    /// The `usage` object being read, and the depth at which it began.
    usage: Option<(Vec<u8>, usize)>,
    found: FoundUsage,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct FoundUsage {
    pub(super) reported: Option<ReportedUsage>,
    pub(super) model: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FinderState {
    #[default]
    Between,
    InString,
    Escaped,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UsageMember {
    #[default]
    Other,
    Usage,
    Model,
}

impl Finder {
    /// Reads a chunk; returns whether something was found.
    pub(super) fn read(&mut self, bytes: &[u8]) -> bool {
        let mut found = false;
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            let length = match self.state {
                FinderState::InString => self.string(rest),
                FinderState::Escaped => {
                    self.state = FinderState::InString;
                    1
                }
                FinderState::Between => {
                    found |= self.structure(byte);
                    1
                }
            };
            let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            self.keep(taken);
            found |= self.end_usage(byte);
            rest = if length == 1 { after } else { left };
        }
        found
    }

    /// Starts another text. Finds are kept.
    pub(super) fn restart(&mut self) {
        let found = mem::take(&mut self.found);
        *self = Self { found, ..Self::default() };
    }

    pub(super) const fn found(&self) -> &FoundUsage {
        &self.found
    }

    /// Reads a string up to the byte that ends it or starts an escape. Returns the number of bytes read.
    fn string(&mut self, bytes: &[u8]) -> usize {
        let end = memchr2(b'"', b'\\', bytes);
        let (text, stop) = bytes.split_at_checked(end.unwrap_or(bytes.len())).unwrap_or((bytes, &[]));
        if self.usage.is_none() && self.is_plain {
            self.is_plain = self.word.len() + text.len() <= MAX_WORD;
            if self.is_plain {
                self.word.extend_from_slice(text);
            }
        }
        match stop.first() {
            Some(b'"') => {
                self.state = FinderState::Between;
                if self.next == UsageMember::Model && self.usage.is_none() {
                    self.model();
                }
            }
            Some(_) => {
                self.state = FinderState::Escaped;
                self.is_plain = false;
            }
            None => {}
        }
        text.len() + usize::from(!stop.is_empty())
    }

    /// Reads a byte outside of strings.
    fn structure(&mut self, byte: u8) -> bool {
        match byte {
            b'"' => {
                self.state = FinderState::InString;
                self.word.clear();
                self.is_plain = true;
            }
            b'{' | b'[' => {
                if self.depth == 0 && byte == b'[' {
                    self.in_array = true;
                }
                if byte == b'{' && self.next == UsageMember::Usage && self.usage.is_none() {
                    self.usage = Some((Vec::new(), self.depth));
                }
                self.next = UsageMember::Other;
                self.depth += 1;
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.level() < 2 {
                    self.in_envelope = false;
                }
            }
            b':' if self.usage.is_none() => self.member(),
            b',' => self.next = UsageMember::Other,
            _ => {}
        }
        false
    }

    /// The depth within the relevant object.
    fn level(&self) -> usize {
        self.depth.saturating_sub(usize::from(self.in_array))
    }

    /// Handles the end of a key.
    fn member(&mut self) {
        let level = self.level();
        let word = if self.is_plain { self.word.as_slice() } else { &[] };
        if level == 1 {
            self.in_envelope = matches!(word, b"message" | b"response");
        }
        self.next = match word {
            _ if level != 1 && !(level == 2 && self.in_envelope) => UsageMember::Other,
            b"usage" | b"usageMetadata" => UsageMember::Usage,
            b"model" | b"modelVersion" => UsageMember::Model,
            _ => UsageMember::Other,
        };
    }

    fn model(&mut self) {
        self.next = UsageMember::Other;
        let name = if self.is_plain { std::str::from_utf8(&self.word).ok() } else { None };
        // A name contains only characters of URLs; anything else might be content.
        let is_name = |name: &&str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@".contains(&byte);
            !name.is_empty() && name.bytes().all(is_part)
        };
        if let Some(name) = name.filter(is_name) {
            self.found.model = Some(name.to_owned());
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        if let Some((usage, _)) = &mut self.usage
            && usage.len() + bytes.len() <= MAX_USAGE
        {
            usage.extend_from_slice(bytes);
        }
    }

    /// Parses the `usage` if this byte ended it.
    fn end_usage(&mut self, byte: u8) -> bool {
        let Some((_, depth)) = &self.usage else { return false };
        if byte != b'}' || self.state != FinderState::Between || self.depth > *depth {
            return false;
        }
        let Some((usage, _)) = self.usage.take() else { return false };
        // One that is too long or malformed is ignored.
        let Ok(reported) = serde_json::from_slice::<ReportedUsage>(&usage) else { return false };
        self.found.reported.get_or_insert_default().update(reported);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Usage;

    fn find(json: &str, step: usize) -> (Option<Usage>, Option<String>) {
        let mut finder = Finder::default();
        for piece in json.as_bytes().chunks(step) {
            finder.read(piece);
        }
        let found = finder.found();
        (found.reported.as_ref().and_then(ReportedUsage::counts), found.model.clone())
    }

    #[test]
    fn usage_and_model_are_found_wherever_a_provider_puts_them() {
        let usage = |input, output| Some(Usage { input, output, ..Usage::default() });
        for (json, expected, model) in [
            (r#"{"model":"m-1","usage":{"input_tokens":3,"output_tokens":4}}"#, usage(3, 4), Some("m-1")),
            (
                r#" { "usage" : { "input_tokens" : 3 , "x":{"y":[1,{"}":"}"}]}, "output_tokens" : 4 } , "model":"a/b:c"}"#,
                usage(3, 4),
                Some("a/b:c"),
            ),
            (
                r#"{"type":"message_start","message":{"id":"m","model":"c","content":[],"usage":{"input_tokens":3}}}"#,
                usage(3, 0),
                Some("c"),
            ),
            (
                r#"{"response":{"output":[{"usage":{"input_tokens":9}}],"usage":{"input_tokens":3}}}"#,
                usage(3, 0),
                None,
            ),
            (r#"[{"usageMetadata":{"promptTokenCount":3},"modelVersion":"g"}]"#, usage(3, 0), Some("g")),
            (r#"{"usage":null,"model":null}"#, None, None),
            (r#"{"choices":[],"usage":null,"x":1}"#, None, None),
        ] {
            for step in [1, 2, 7, 1000] {
                assert_eq!(find(json, step), (expected, model.map(str::to_owned)), "{json} by {step}");
            }
        }
    }

    #[test]
    fn content_that_looks_like_it_is_passed_over() {
        let none = (None, None);
        for json in [
            r#"{"content":[{"input":{"usage":{"input_tokens":3},"model":"x"}}]}"#,
            r#"{"content":"{\"usage\":{\"input_tokens\":3},\"model\":\"x\"}"}"#,
            r#"{"a":{"usage":{"input_tokens":3},"model":"x"}}"#,
            r#"{"message":{"content":[{"usage":{"input_tokens":3}}]}}"#,
            r#"{"message":{},"a":{"usage":{"input_tokens":3}}}"#,
            r#"{"a":["usage",{"input_tokens":3}],"b":"model"}"#,
            r#"{"\u0075sage":{"input_tokens":3},"us\"age":{"input_tokens":3}}"#,
            r#"{"model":"two words"}"#,
            r#"{"model":["x"],"usage":[{"input_tokens":3}]}"#,
            r#"{"usage":{"input_tokens":"3"}}"#,
            "",
            "}}]]",
            "\u{feff}{",
        ] {
            for step in [1, 3, 1000] {
                assert_eq!(find(json, step), none, "{json} by {step}");
            }
        }
        let long = format!(r#"{{"model":"{}","usage":{{"x":"{}"}}}}"#, "m".repeat(200), "x".repeat(1 << 20));
        assert_eq!(find(&long, 4096), none);
    }
}
