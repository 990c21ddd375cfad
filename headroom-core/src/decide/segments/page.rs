//! Finds a web page behind the head of an HTTP response or the label of a command runner.

use std::ops::Range;

use crate::{text::lines, tuning::tuning};

/// Longest text before a page.
const MAX_HEAD: usize = 16 << 10;

/// Returns the page in a text that does not begin with one.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let reach = (0..=MAX_HEAD.min(text.len())).rev().find_map(|end| text.get(..end))?;
    let lower = reach.to_ascii_lowercase();
    let start = ["<!doctype html", "<html"].iter().filter_map(|tag| lower.find(tag)).min()?;
    let head = text.get(..start)?;
    let line = head.rsplit('\n').next().unwrap_or_default();
    let is_label = line.trim().is_empty()
        || line.trim_end().ends_with(':') && line.len() <= tuning().decide.page_max_line;
    let is_response = lines::split(head).any(|line| line.trim_start_matches(['<', ' ']).starts_with("HTTP/"));
    let is_short = lines::split(head).count() <= tuning().decide.page_max_lines
        && lines::split(head).all(|line| line.len() <= tuning().decide.page_max_line);
    if head.is_empty() || !is_label || !(is_response || is_short) || head.contains("```") {
        return None;
    }
    let page = text.get(start..)?;
    let closing = "</html>";
    // Only the end is searched, so that the case need not be folded in the whole page.
    let from = page.len().saturating_sub(MAX_HEAD);
    let tail_at = (from..=page.len()).find(|at| page.is_char_boundary(*at))?;
    let tail = page.get(tail_at..)?.to_ascii_lowercase();
    let end = tail.rfind(closing).map_or(page.len(), |at| tail_at + at + closing.len());
    (end >= tuning().decide.page_min_bytes).then_some(start..start + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_behind_heads_and_labels_are_found() {
        let page = format!("<!DOCTYPE html><html><body>{}</body></html>", "<p>words of it</p>".repeat(150));
        for (head, tail) in [
            ("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", ""),
            ("HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\nHTTP/2 200\r\ncontent-type: text/html\r\n\r\n", "\n"),
            ("Output: ", "\nProcess Group PGID: 4711\n"),
            ("<untrusted_context>\nOutput: ", "\n</untrusted_context>"),
            ("Chunk ID: 7\nExit code: 0\nOutput:\n", "\n"),
        ] {
            let text = format!("{head}{page}{tail}");
            assert_eq!(find(&text).map(|found| &text[found]), Some(page.as_str()), "{head}");
        }
        for head in ["", "Write this file:\n```html\n", "const page = \"", &"a line of text\n".repeat(20)] {
            assert_eq!(find(&format!("{head}{page}")), None, "{head}");
        }
        assert_eq!(find("HTTP/1.1 200 OK\n\n<html>short</html>"), None);
    }
}
