//! Writes to standard output and standard error.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
    io::{self, IsTerminal, Write},
};

use anstyle::{AnsiColor, Style};

/// Writes all bytes. A reader that stops early is no error.
///
/// On a terminal, control characters are shown instead of sent, since prompts, tools and files may contain them.
/// Elsewhere the bytes are exact.
pub(crate) fn write(bytes: &[u8]) -> io::Result<()> {
    if io::stdout().is_terminal() {
        return write_painted(&escape(&String::from_utf8_lossy(bytes)));
    }
    write_all(bytes)
}

/// Writes text with Headroom's own colours. Everything else in it has been through [`content`].
pub(crate) fn write_painted(text: &str) -> io::Result<()> {
    write_all(text.as_bytes())
}

fn write_all(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Escapes content if standard output is a terminal.
pub(crate) fn content(text: &str) -> Cow<'_, str> {
    if io::stdout().is_terminal() { escape(text) } else { Cow::Borrowed(text) }
}

/// Writes a line to standard error, which may be closed.
pub(crate) fn note(line: &dyn fmt::Display) {
    let _ = write_to_stderr(&format!("{line}\n"));
}

/// Writes all of it to standard error, as [`write()`] does.
pub(crate) fn write_to_stderr(text: &str) -> io::Result<()> {
    let mut stderr = io::stderr().lock();
    let shown = if stderr.is_terminal() { escape(text) } else { Cow::Borrowed(text) };
    stderr.write_all(shown.as_bytes())
}

/// Escapes characters that control a terminal, or that change the order in which text is read, as JSON does (`\u001b`).
/// Line ends and tabs are kept.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_command) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_command(c) {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// C0 and C1 controls, and the marks that override the direction of text.
fn is_command(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

/// Whether standard output takes colours.
pub(crate) fn has_colours() -> bool {
    takes_colours(&io::stdout())
}

/// Whether this stream takes colours: it is a terminal, and `NO_COLOR` is not set.
pub(crate) fn takes_colours(stream: &impl IsTerminal) -> bool {
    // A console of Windows has to be told that colours follow.
    let is_able = || anstyle_query::windows::enable_ansi_colors().unwrap_or(true);
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && is_able()
}

/// Paints text where colours are on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    fn with(self, style: Style, text: &str) -> String {
        if self.on { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with(Style::new().bold(), text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.with(Style::new().dimmed(), text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.with(AnsiColor::Green.on_default(), text)
    }

    pub(crate) fn doubtful(self, text: &str) -> String {
        self.with(AnsiColor::Yellow.on_default(), text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.with(AnsiColor::Red.on_default(), text)
    }
}

/// Dollars with as many decimals as needed to show a value.
pub(crate) fn dollars(amount: f64) -> String {
    let sign = if amount < 0.0 { "-" } else { "" };
    let size = amount.abs();
    let places = if size >= 0.1 || size == 0.0 { 2 } else { 4 };
    format!("{sign}${size:.places$}")
}

/// A number with thousands separators: `12,345`.
pub(crate) struct Count(pub(crate) u64);

impl std::fmt::Display for Count {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.0.to_string();
        let mut text = String::with_capacity(digits.len() + digits.len() / 3);
        for (n, digit) in digits.chars().enumerate() {
            if n > 0 && (digits.len() - n).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Paint, dollars, escape};

    #[test]
    fn colours_are_the_eight_that_every_terminal_has() {
        let on = Paint::new(true);
        assert_eq!(on.bold("x"), "\x1b[1mx\x1b[0m");
        assert_eq!(on.dim("x"), "\x1b[2mx\x1b[0m");
        assert_eq!(on.good("x"), "\x1b[32mx\x1b[0m");
        assert_eq!(on.doubtful("x"), "\x1b[33mx\x1b[0m");
        assert_eq!(on.bad("x"), "\x1b[31mx\x1b[0m");
        assert_eq!(Paint::new(false).bad("x"), "x");
    }

    #[test]
    fn dollars_show_what_there_is() {
        for (amount, text) in [
            (0.0, "$0.00"),
            (12.345, "$12.35"),
            (-12.3, "-$12.30"),
            (0.9, "$0.90"),
            (0.0073, "$0.0073"),
            (-0.0003, "-$0.0003"),
        ] {
            assert_eq!(dollars(amount), text);
        }
    }

    #[test]
    fn nothing_that_commands_a_terminal_is_left_and_everything_else_stays() {
        let hostile = "a\x1b]0;title\x07\r\x08\x7f\u{9b}31m\u{202e}\0";
        let shown = r"a\u001b]0;title\u0007\u000d\u0008\u007f\u009b31m\u202e\u0000";
        assert_eq!(escape(hostile), shown);
        for text in ["", "plain", "tab\tand\nlines", "Grüße, 你好 👩‍👩‍👧 \u{feff}"] {
            assert!(matches!(escape(text), std::borrow::Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn json_says_the_same_when_it_is_shown() {
        let json = serde_json::json!("a\u{7f}\u{9b}2J\u{202e}").to_string();
        assert_eq!(serde_json::from_str::<String>(&escape(&json)).unwrap(), "a\u{7f}\u{9b}2J\u{202e}");
    }

    #[test]
    fn thousands_stand_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (123_456, "123,456"), (1_234_567, "1,234,567")]
        {
            assert_eq!(Count(number).to_string(), text);
        }
        assert_eq!(format!("{:>7}", Count(1000)), "  1,000");
    }
}
