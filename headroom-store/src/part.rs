use std::fmt;

/// The default of [`Part::max_bytes`]: 64 KiB.
const MAX_BYTES: usize = 64 << 10;

/// Selects a part of an original: a range of lines, and at most a number of bytes.
///
/// # Example
///
/// ```
/// use headroom_store::Part;
///
/// let part = Part::lines(2, 3).max_bytes(1024);
/// let piece = part.apply("one\ntwo\nthree\nfour\n");
/// assert_eq!(piece.text(), "two\nthree\n");
/// assert_eq!((piece.first_line(), piece.last_line(), piece.total_lines()), (2, 3, 4));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Part {
    first: usize,
    last: usize,
    max_bytes: usize,
}

impl Part {
    /// Selects all lines.
    pub const fn all() -> Self {
        Self { first: 1, last: usize::MAX, max_bytes: MAX_BYTES }
    }

    /// Selects the lines `first` to `last`, both included, counted from 1. Missing lines are ignored.
    pub const fn lines(first: usize, last: usize) -> Self {
        Self { first, last, max_bytes: MAX_BYTES }
    }

    /// Limits the part to this many bytes. Default: 64 KiB.
    ///
    /// The part consists of whole lines. If not even the first fits, it is cut between two characters.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Returns this part of `content`.
    #[must_use]
    pub fn apply(&self, content: &str) -> Piece {
        let first = self.first.max(1);
        let mut text = String::new();
        let (mut first_line, mut last_line, mut total_lines, mut truncated) = (0, 0, 0, false);
        for (line, number) in content.split_inclusive('\n').zip(1..) {
            total_lines = number;
            if number < first || number > self.last || truncated {
                continue;
            }
            if text.len().saturating_add(line.len()) <= self.max_bytes {
                text.push_str(line);
            } else {
                truncated = true;
                if first_line != 0 {
                    continue;
                }
                text.push_str(cut(line, self.max_bytes));
            }
            first_line = if first_line == 0 { number } else { first_line };
            last_line = number;
        }
        Piece { text, first_line, last_line, total_lines, total_bytes: content.len(), truncated }
    }
}

impl Default for Part {
    fn default() -> Self {
        Self::all()
    }
}

/// Returns the longest prefix of `line` with at most `bytes` bytes.
fn cut(line: &str, bytes: usize) -> &str {
    (0..=bytes).rev().find_map(|end| line.get(..end)).unwrap_or_default()
}

/// A part of an original, with its position in the whole.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece {
    text: String,
    first_line: usize,
    last_line: usize,
    total_lines: usize,
    total_bytes: usize,
    truncated: bool,
}

impl Piece {
    /// Returns the text, byte-exact.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the number of the first line in the text, counted from 1; 0 if the text has no line.
    #[must_use]
    pub const fn first_line(&self) -> usize {
        self.first_line
    }

    /// Returns the number of the last line in the text; 0 if the text has no line.
    #[must_use]
    pub const fn last_line(&self) -> usize {
        self.last_line
    }

    /// Returns how many lines the original has.
    #[must_use]
    pub const fn total_lines(&self) -> usize {
        self.total_lines
    }

    /// Returns how many bytes the original has.
    #[must_use]
    pub const fn total_bytes(&self) -> usize {
        self.total_bytes
    }

    /// Whether [`Part::max_bytes`] cut off some of the selected lines.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Piece")
            .field("bytes", &self.text.len())
            .field("first_line", &self.first_line)
            .field("last_line", &self.last_line)
            .field("total_lines", &self.total_lines)
            .field("total_bytes", &self.total_bytes)
            .field("truncated", &self.truncated)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_keeps_line_ends_as_they_were() {
        let content = "a\r\nb\n\nlast";
        assert_eq!(Part::all().apply(content).text(), content);
        assert_eq!(Part::lines(1, 2).apply(content).text(), "a\r\nb\n");
        assert_eq!(Part::lines(4, 9).apply(content).text(), "last");
    }

    #[test]
    fn a_range_outside_the_original_is_empty_and_still_says_how_long_it_is() {
        for part in [Part::lines(7, 9), Part::lines(3, 2)] {
            let piece = part.apply("a\nb\nc\n");
            assert_eq!((piece.text(), piece.first_line(), piece.last_line()), ("", 0, 0));
            assert_eq!((piece.total_lines(), piece.total_bytes(), piece.is_truncated()), (3, 6, false));
        }
        assert_eq!(Part::all().apply("").total_lines(), 0);
    }

    #[test]
    fn line_zero_is_read_as_the_first() {
        assert_eq!(Part::lines(0, 1).apply("a\nb").text(), "a\n");
    }

    #[test]
    fn the_bound_cuts_between_lines() {
        let piece = Part::all().max_bytes(5).apply("aa\nbb\ncc\n");
        assert_eq!((piece.text(), piece.last_line(), piece.is_truncated()), ("aa\n", 1, true));
        assert_eq!(piece.total_lines(), 3);
    }

    #[test]
    fn a_line_longer_than_the_bound_is_cut_between_characters() {
        let piece = Part::all().max_bytes(4).apply("aäöü");
        assert_eq!((piece.text(), piece.is_truncated()), ("aä", true));
        assert_eq!(Part::all().max_bytes(0).apply("ä").text(), "");
    }

    #[test]
    fn debug_shows_no_content() {
        assert!(!format!("{:?}", Part::all().apply("a secret")).contains("secret"));
    }
}
