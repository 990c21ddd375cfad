//! Renders terminal output as text: removes redundant colours and other escape sequences, and the frames of a progress
//! display that its last frame covers.
//!
//! Nothing is drawn: no output line mixes text from two states. A line on which a carriage return goes back to the
//! start is a list of *states*, and each of them stays, byte for byte, unless
//!
//! - it is blank, or only a bar or a spinner,
//! - a later state of the line covers it: a frame of the same, completed display ([`frame`]),
//! - it is an overwritten frame of any display, and the caller stores the original behind a marker.
//!
//! So records that end with a carriage return stay, and a text cannot hide anything behind one. Colours stay where they
//! are the only sign of what they mean ([`colour`]). A line with unsupported cursor moves stays raw; a text whose
//! escape sequences leave the line is declined as a whole.

mod colour;
mod escape;
mod frame;
mod states;

use memchr::{memchr, memchr3, memrchr};

use colour::Colours;
use escape::TerminalPieces;
use states::States;

/// A text without redundant terminal sequences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rendered {
    /// The rendered text, with as many lines as the input.
    pub(crate) text: String,
    /// How many frames were removed that nothing else covers.
    pub(crate) hidden: usize,
    /// The first and last line, counted from one, with such frames.
    pub(crate) lines: (u32, u32),
}

/// Whether a text has anything that a terminal would not print.
pub(crate) fn has_controls(text: &str) -> bool {
    next_control(text.as_bytes(), 0).is_some()
}

/// Whether a sequence begins a string in quotes, as in the source of a program that prints colours.
pub(crate) fn is_quoted(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'\x1b', bytes).any(|at| {
        let before = |by: usize| at.checked_sub(by).and_then(|at| bytes.get(at)).copied();
        let opens = |byte: Option<u8>| byte.is_none_or(|byte| b"=($,:[{+ \t\n".contains(&byte));
        matches!(before(1), Some(b'"' | b'\'' | b'`')) && opens(before(2))
    })
}

/// Removes redundant terminal sequences from a text. Returns `None` if nothing changes or the result is uncertain.
///
/// With `hide`, also removes and counts frames of progress displays that no later state covers: the caller must then
/// store the text and add a marker.
pub(crate) fn render(text: &str, hide: bool) -> Option<Rendered> {
    let bytes = text.as_bytes();
    let mut hit = next_control(bytes, 0)?;
    let colours = Colours::find(text)?;
    let mut rendered = Rendered { text: String::with_capacity(text.len()), hidden: 0, lines: (0, 0) };
    let (mut copied, mut line_number) = (0, 1);
    loop {
        let skipped = bytes.get(copied..hit)?;
        let start = memrchr(b'\n', skipped).map_or(copied, |at| copied + at + 1);
        line_number += memchr::memchr_iter(b'\n', skipped).count();
        let line_end = memchr(b'\n', bytes.get(hit..)?).map(|at| hit + at);
        let end = match line_end {
            Some(end) if end > start && bytes.get(end - 1) == Some(&b'\r') => end - 1,
            Some(end) => end,
            None => bytes.len(),
        };
        rendered.text.push_str(text.get(copied..start)?);
        let line = Line { text: text.get(start..end)?, start, is_last: line_end.is_none() };
        let hidden = render_line(&line, hide, &colours, &mut rendered.text)?;
        if hidden > 0 {
            let line = u32::try_from(line_number).unwrap_or(u32::MAX);
            rendered.hidden += hidden;
            rendered.lines = (if rendered.lines.0 == 0 { line } else { rendered.lines.0 }, line);
        }
        copied = end;
        match next_control(bytes, end) {
            Some(next) => hit = next,
            None => break,
        }
    }
    rendered.text.push_str(text.get(copied..)?);
    (rendered.text != text).then_some(rendered)
}

/// Returns the first byte from `at` on that makes a terminal do anything but print or begin a line.
fn next_control(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let hit = at + memchr3(b'\x1b', b'\r', b'\x08', bytes.get(at..)?)?;
        if bytes.get(hit..hit + 2) != Some(b"\r\n") {
            return Some(hit);
        }
        at = hit + 2;
    }
}

/// A line without its line end.
#[derive(Clone, Copy, Debug)]
struct Line<'t> {
    text: &'t str,
    /// Offset of the line in the text.
    start: usize,
    is_last: bool,
}

/// Appends a line and returns how many frames were hidden. `None` declines the whole text.
fn render_line(line: &Line<'_>, hide: bool, colours: &Colours<'_>, out: &mut String) -> Option<usize> {
    let Line { text, start, is_last } = *line;
    if let Some(words) = colours.as_word_diff(text, start, is_last) {
        out.push_str(&words);
        return Some(0);
    }
    let states = if colours.are_telling(text, start, is_last) {
        None
    } else {
        States::parse(TerminalPieces::new(text, is_last))?
    };
    match states {
        Some(states) => Some(states.write(hide, out)),
        None => {
            out.push_str(text);
            Some(0)
        }
    }
}

#[cfg(test)]
mod tests;
