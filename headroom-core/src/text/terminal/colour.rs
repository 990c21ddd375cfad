//! Detects colours with meaning: those that are the only sign of what is removed, added, failed or fine.
//!
//! Only red and green are considered; other colours add nothing to their text. They have meaning where
//!
//! - a green text directly follows a red one, as in `git diff --color-words`, or a hunk of a diff has lines with red
//!   and green parts and no sign of their own,
//! - the same text occurs in red and in green, like the dots of a list of services,
//! - some lines are all red and others all green, and no word on them says why.
//!
//! Such lines keep their escape sequences. Words of a diff are written like `git diff --word-diff=plain`,
//! `[-removed-]{+added+}`, if nothing else in the text looks like that.

use rustc_hash::FxHashSet;

use super::escape::{TerminalPiece, TerminalPieces};

/// Longer texts are not compared.
const MAX_BYTES: usize = 80;
/// Words with the same meaning as a red or green line.
const SAID: [&str; 22] = [
    "abort",
    "block",
    "cancel",
    "critical",
    "crit",
    "debug",
    "denied",
    "err",
    "exception",
    "fail",
    "fatal",
    "info",
    "miss",
    "not ok",
    "ok",
    "panic",
    "pass",
    "refused",
    "skip",
    "success",
    "trace",
    "warn",
];
/// The delimiters of the words of a diff.
const WORD_SIGNS: [&str; 4] = ["[-", "-]", "{+", "+}"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    Plain,
    Red,
    Green,
}

/// The use of colours in a text.
#[derive(Debug, Default)]
pub(super) struct Colours<'t> {
    /// Whether there are any colours.
    is_used: bool,
    red: FxHashSet<&'t str>,
    green: FxHashSet<&'t str>,
    /// Whether some lines are all red and others all green, without a word that says why.
    lines_differ: bool,
    /// Offsets of the lines in hunks that have red or green text.
    in_hunks: FxHashSet<usize>,
    /// Whether some lines in hunks have no sign of their own.
    is_word_diff: bool,
    /// Whether the text already contains `[-` or the like.
    has_signs: bool,
}

/// A line split into runs of one colour.
#[derive(Debug, Default)]
struct Runs<'t> {
    runs: Vec<(Ink, Vec<&'t str>)>,
}

impl<'t> Colours<'t> {
    /// Examines all lines. Returns `None` if a sequence has an effect beyond its line.
    pub(super) fn find(text: &'t str) -> Option<Self> {
        let mut colours = Self::default();
        if !text.contains('\x1b') {
            return Some(colours);
        }
        let mut plain_lines = [false; 2];
        let mut in_hunk = false;
        let mut lines = text.split('\n').peekable();
        let mut next = 0;
        while let Some(line) = lines.next() {
            let start = next;
            next += line.len() + 1;
            if !line.contains('\x1b') {
                in_hunk = (in_hunk || is_hunk_header(line)) && !is_header(line);
                continue;
            }
            let Some(runs) = Runs::read(line, lines.peek().is_none())? else { continue };
            let shown = runs.shown();
            in_hunk = (in_hunk || is_hunk_header(&shown)) && !is_header(&shown);
            if !runs.has_ink() {
                continue;
            }
            colours.is_used = true;
            for (ink, pieces) in &runs.runs {
                let [piece] = &**pieces else { continue };
                let piece = piece.trim();
                let is_line = piece.bytes().all(|byte| b"^~-+|=_".contains(&byte));
                if !is_line && piece.len() <= MAX_BYTES {
                    match ink {
                        Ink::Red => _ = colours.red.insert(piece),
                        Ink::Green => _ = colours.green.insert(piece),
                        Ink::Plain => {}
                    }
                }
            }
            if in_hunk {
                colours.in_hunks.insert(start);
            }
            if !runs.has_own_signs() {
                colours.is_word_diff |= in_hunk;
                let said = is_said(&shown);
                match runs.whole() {
                    Some(Ink::Red) if !said => plain_lines[0] = true,
                    Some(Ink::Green) if !said => plain_lines[1] = true,
                    _ => {}
                }
            }
        }
        colours.lines_differ = plain_lines == [true; 2];
        colours.has_signs = colours.is_word_diff && WORD_SIGNS.iter().any(|sign| text.contains(sign));
        Some(colours)
    }

    /// Whether the colours of this line, which starts at byte `start` of the text, have meaning.
    pub(super) fn are_telling(&self, line: &str, start: usize, is_last: bool) -> bool {
        if !self.is_used {
            return false;
        }
        let Some(Some(runs)) = Runs::read(line, is_last) else { return false };
        if !runs.has_ink() || runs.has_only_signs() {
            return false;
        }
        let is_in_both = runs.runs.iter().any(|(ink, pieces)| {
            let text = pieces.concat();
            let text = text.trim();
            *ink != Ink::Plain && self.red.contains(text) && self.green.contains(text)
        });
        let unsigned = !runs.has_own_signs();
        is_in_both
            || self.is_word_diff && self.in_hunks.contains(&start) && !runs.has_word_signs()
            || unsigned && runs.has_pair()
            || unsigned && self.lines_differ && runs.whole().is_some() && !is_said(&runs.shown())
    }

    /// Returns the line with the signs of `--word-diff=plain` in place of its colours.
    pub(super) fn as_word_diff(&self, line: &str, start: usize, is_last: bool) -> Option<String> {
        let is_in_hunk = self.is_word_diff && self.in_hunks.contains(&start);
        if !is_in_hunk || self.has_signs || line.contains(['\r', '\x08']) {
            return None;
        }
        let runs = Runs::read(line, is_last)??;
        if !runs.has_ink() {
            return None;
        }
        let mut out = String::with_capacity(line.len());
        for (ink, pieces) in &runs.runs {
            let (open, close) = match ink {
                Ink::Plain => ("", ""),
                Ink::Red => ("[-", "-]"),
                Ink::Green => ("{+", "+}"),
            };
            out.push_str(open);
            out.extend(pieces.iter().copied());
            out.push_str(close);
        }
        Some(out)
    }
}

impl<'t> Runs<'t> {
    /// Returns `Some(None)` if the line is not simply written from left to right.
    fn read(line: &'t str, is_last: bool) -> Option<Option<Self>> {
        let mut runs = Self::default();
        let mut ink = Ink::Plain;
        let mut simple = true;
        let line = if is_last { line } else { line.strip_suffix('\r').unwrap_or(line) };
        for piece in TerminalPieces::new(line, is_last) {
            match piece? {
                TerminalPiece::Text(text) | TerminalPiece::Verbatim(text) => match runs.runs.last_mut() {
                    Some((last, pieces)) if *last == ink => pieces.push(text),
                    _ => runs.runs.push((ink, vec![text])),
                },
                TerminalPiece::Style(parameters) => ink = restyled(ink, parameters),
                TerminalPiece::Nothing
                | TerminalPiece::Erase(_)
                | TerminalPiece::Return
                | TerminalPiece::Column(0) => {}
                _ => simple = false,
            }
        }
        Some(simple.then_some(runs))
    }

    fn shown(&self) -> String {
        self.runs.iter().flat_map(|(_, pieces)| pieces.iter().copied()).collect()
    }

    fn has_ink(&self) -> bool {
        self.runs
            .iter()
            .any(|(ink, pieces)| *ink != Ink::Plain && pieces.iter().any(|text| !text.trim().is_empty()))
    }

    /// Returns the colour of the whole line, ignoring blanks.
    fn whole(&self) -> Option<Ink> {
        let mut inks =
            self.runs.iter().filter(|(_, pieces)| pieces.iter().any(|text| !text.trim().is_empty()));
        let (first, _) = inks.next()?;
        (*first != Ink::Plain && inks.all(|(ink, _)| ink == first)).then_some(*first)
    }

    /// Whether a green text directly follows a red one.
    fn has_pair(&self) -> bool {
        let has_word = |pieces: &[&str]| pieces.iter().any(|text| text.contains(char::is_alphanumeric));
        self.runs
            .windows(2)
            .any(|pair| matches!(pair, [(Ink::Red, _), (Ink::Green, added)] if has_word(added)))
    }

    /// Whether signs repeat the colours: `+` or `-` at the start, as in a diff, or words in signs.
    fn has_own_signs(&self) -> bool {
        let first = self.runs.first().and_then(|(ink, pieces)| Some((*ink, *pieces.first()?)));
        let is_row = match first {
            Some((Ink::Red, text)) => text.starts_with('-'),
            Some((Ink::Green, text)) => text.starts_with('+'),
            _ => false,
        };
        is_row || self.has_word_signs() || self.has_only_signs()
    }

    /// Whether every coloured text is in `[-…-]` or `{+…+}`.
    fn has_word_signs(&self) -> bool {
        self.runs.iter().all(|(ink, pieces)| {
            let text = pieces.concat();
            match ink {
                Ink::Plain => true,
                Ink::Red => text.starts_with("[-"),
                Ink::Green => text.starts_with("{+"),
            }
        })
    }

    /// Whether only plus and minus signs are coloured, as in a summary of a diff.
    fn has_only_signs(&self) -> bool {
        self.runs.iter().all(|(ink, pieces)| {
            *ink == Ink::Plain
                || pieces.iter().all(|text| text.bytes().all(|byte| matches!(byte, b'+' | b'-')))
        })
    }
}

/// Whether a line separates the hunks of two files or commits.
fn is_header(line: &str) -> bool {
    line.starts_with("commit ") || line.starts_with("diff --git ")
}

fn is_hunk_header(line: &str) -> bool {
    line.strip_prefix("@@ -").is_some_and(|rest| rest.contains(" @@"))
}

/// Whether a word of the line has the meaning of its colour.
fn is_said(line: &str) -> bool {
    let lower = line.to_lowercase();
    SAID.iter().any(|word| lower.contains(word))
        || line.contains(['✓', '✔', '√', '✗', '✘', '✕', '×', '❌', '✅'])
}

/// Returns the colour after a style sequence.
fn restyled(mut ink: Ink, parameters: &str) -> Ink {
    let mut numbers = parameters.split([';', ':']);
    while let Some(number) = numbers.next() {
        match number {
            "" | "0" | "00" | "39" => ink = Ink::Plain,
            "31" | "91" => ink = Ink::Red,
            "32" | "92" => ink = Ink::Green,
            "30" | "33" | "34" | "35" | "36" | "37" | "90" | "93" | "94" | "95" | "96" | "97" => {
                ink = Ink::Plain;
            }
            // A palette colour, or one of three components.
            "38" | "48" => {
                let is_text = number == "38";
                let found = match numbers.next() {
                    Some("5") => match numbers.next() {
                        Some("1" | "9" | "160" | "196") => Ink::Red,
                        Some("2" | "10" | "34" | "40" | "46") => Ink::Green,
                        _ => Ink::Plain,
                    },
                    _ => {
                        let mut part =
                            || numbers.next().and_then(|part| part.parse::<u8>().ok()).unwrap_or(0);
                        let (red, green, blue) = (part(), part(), part());
                        if red > 150 && green < 110 && blue < 130 {
                            Ink::Red
                        } else if green > 120 && red < 150 && blue < 150 {
                            Ink::Green
                        } else {
                            Ink::Plain
                        }
                    }
                };
                if is_text {
                    ink = found;
                }
            }
            _ => {}
        }
    }
    ink
}
