//! Finds the strings of JSON text and the way to each.

use std::ops::Range;

use headroom_json::Text;
use memchr::memchr2;
use napi::Either;

/// Members with strings that no model reads as text.
const NOT_TEXT: [&str; 12] = [
    "data",
    "encrypted_content",
    "file_data",
    "id",
    "image_url",
    "media_type",
    "mimeType",
    "role",
    "signature",
    "thoughtSignature",
    "type",
    "url",
];

/// A container that is open around a string.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    is_object: bool,
    /// The place of the current key, without quotes.
    key: Range<usize>,
    /// The current element of an array.
    index: u32,
    /// Whether what is inside may be text.
    is_text: bool,
}

/// Calls `visit` with every string value of the JSON value that starts at this offset: its place without quotes, and the
/// containers around it. The text is valid JSON; another makes no sense, and nothing worse.
pub(crate) fn walk(text: &str, start: usize, mut visit: impl FnMut(Range<usize>, &[Level])) {
    let bytes = text.as_bytes();
    let (mut levels, mut at, mut is_key) = (Vec::<Level>::new(), start, false);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'{' | b'[' => {
                is_key = *byte == b'{';
                let is_text = is_text(text, &levels);
                levels.push(Level { is_object: is_key, key: 0..0, index: 0, is_text });
            }
            b'}' | b']' => {
                levels.pop();
                if levels.is_empty() {
                    return;
                }
            }
            b',' => {
                if let Some(level) = levels.last_mut() {
                    is_key = level.is_object;
                    level.index += 1;
                }
            }
            b'"' => {
                let Some(end) = string_end(bytes, at) else { return };
                match levels.last_mut() {
                    Some(level) if is_key => (level.key, is_key) = (at..end, false),
                    _ => visit(at..end, &levels),
                }
                at = end + 1;
            }
            _ => {}
        }
    }
}

/// Whether a value in these containers may be text.
pub(crate) fn is_text(text: &str, levels: &[Level]) -> bool {
    levels.last().is_none_or(|level| {
        let named = || text.get(level.key.clone()).is_some_and(|key| NOT_TEXT.contains(&key));
        level.is_text && !(level.is_object && named())
    })
}

/// Returns the keys and indexes that lead to a value in these containers.
pub(crate) fn path(text: &str, levels: &[Level]) -> Vec<Either<u32, String>> {
    let step = |level: &Level| {
        if !level.is_object {
            return Either::A(level.index);
        }
        let raw = text.get(level.key.clone()).unwrap_or_default();
        Either::B(decoded(raw, level.key.start))
    };
    levels.iter().map(step).collect()
}

/// Returns the content of a string, given its place without quotes.
pub(crate) fn decoded(raw: &str, start: usize) -> String {
    let text = Text { raw, start, escaped: raw.contains('\\') };
    text.decode().map(|text| text.into_owned()).unwrap_or_default()
}

/// Returns the offset of the closing quote of a string whose content starts here.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        let found = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(found) == Some(&b'"') {
            return Some(found);
        }
        at = found + 2;
    }
}
