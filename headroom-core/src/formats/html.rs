//! Recognises web pages.

/// Whether the text is a whole page.
pub(crate) fn is_page(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_ascii_start().as_bytes();
    let start = start.get(..start.len().min(1024)).unwrap_or_default();
    let has = |tag: &[u8]| start.windows(tag.len()).any(|window| window.eq_ignore_ascii_case(tag));
    start.starts_with(b"<") && (has(b"<!doctype html") || has(b"<html") || has(b"<body"))
}
