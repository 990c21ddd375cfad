//! The syntax of cells and column names.
//!
//! A cell is a JSON value. A string that cannot be mistaken for anything else is written without quotes and escapes.

use std::borrow::Cow;

use headroom_json::{document::DocumentNodeKind, is_number};

/// Writes a value in its shortest unambiguous form.
pub(super) fn write_cell(lexeme: &str, kind: DocumentNodeKind, delimiters: &[u8], out: &mut String) {
    // Most cells are too short for a vectorised search to be faster.
    let has = |text: &str, delimiter: &u8| text.as_bytes().contains(delimiter);
    match bare(lexeme, kind) {
        Some(text) if !delimiters.iter().any(|delimiter| has(&text, delimiter)) => out.push_str(&text),
        _ => out.push_str(lexeme),
    }
}

/// Returns the text of a string that needs no quotes, unless it contains a delimiter.
pub(super) fn bare(lexeme: &str, kind: DocumentNodeKind) -> Option<Cow<'_, str>> {
    let body = lexeme.get(1..lexeme.len().checked_sub(1)?)?;
    let text = match kind {
        DocumentNodeKind::Plain => Cow::Borrowed(body),
        DocumentNodeKind::Escaped => Cow::Owned(unescape(body)?),
        DocumentNodeKind::Scalar | DocumentNodeKind::Array | DocumentNodeKind::Object => return None,
    };
    let bytes = text.as_bytes();
    let other = match bytes.first()? {
        b' ' | b'"' | b'[' | b']' | b'{' | b'}' => true,
        b'-' | b'0'..=b'9' => is_number(&text),
        b't' | b'f' | b'n' => matches!(bytes, b"true" | b"false" | b"null"),
        _ => false,
    };
    (!other && bytes.last() != Some(&b' ')).then_some(text)
}

/// Resolves `\"` and `\\`, the escapes with only one spelling and no control character.
fn unescape(body: &str) -> Option<String> {
    let mut text = String::with_capacity(body.len());
    let mut rest = body;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let escape = after.chars().next().filter(|escape| matches!(escape, '"' | '\\'))?;
        text.push(escape);
        rest = after.get(1..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// Writes one step of a column's name: a key, without quotes if no other name reads the same.
pub(super) fn write_key(lexeme: &str, out: &mut String) {
    let body = lexeme.get(1..lexeme.len().saturating_sub(1)).unwrap_or_default();
    let inner =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@' | '/' | ':' | '+' | '#' | ' ');
    let simple = !body.is_empty() && body.trim() == body && body.chars().all(inner);
    out.push_str(if simple { body } else { lexeme });
}
