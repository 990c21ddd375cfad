//! Parses how one line is numbered.

/// Width of the widest number column that viewers print.
const MAX_WIDTH: usize = 12;
/// The most spaces between number and separator, as printed by `bat`.
const MAX_GAP: usize = 3;

/// Larger numbers are not line numbers. Below this, counting lines cannot overflow.
const MAX_NUMBER: u32 = 1 << 30;

/// How the number fills its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pad {
    /// Right-aligned to this width; 0 if not padded.
    Spaces(usize),
    /// Padded with zeros to this width.
    Zeros(usize),
}

/// The separator between number and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    Arrow,
    Tab,
    Colon,
    Pipe,
    Bar,
}

impl Mark {
    fn at(rest: &str) -> Option<Self> {
        Some(match rest.chars().next()? {
            '→' => Self::Arrow,
            '\t' => Self::Tab,
            ':' => Self::Colon,
            '|' => Self::Pipe,
            '│' => Self::Bar,
            _ => return None,
        })
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Arrow => "→",
            Self::Tab => "\t",
            Self::Colon => ":",
            Self::Pipe => "|",
            Self::Bar => "│",
        }
    }

    /// The most spaces allowed before the mark.
    const fn max_gap(self) -> usize {
        match self {
            Self::Arrow | Self::Tab => 0,
            Self::Colon => 1,
            Self::Pipe | Self::Bar => MAX_GAP,
        }
    }

    /// Whether viewers may write a space after the mark.
    const fn may_be_followed_by_space(self) -> bool {
        !matches!(self, Self::Arrow | Self::Tab)
    }
}

/// How a file view writes its line numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NumberStyle {
    /// Whether an `L` precedes the number.
    pub(crate) letter: bool,
    pub(crate) pad: Pad,
    pub(crate) gap: usize,
    pub(crate) mark: Mark,
    /// Whether a space after the mark belongs to the viewer, not to the text.
    pub(crate) space: bool,
}

/// The parsed start of one line.
pub(crate) struct Start {
    pub(crate) number: u32,
    letter: bool,
    spaces: usize,
    /// Digits as written, leading zeros included.
    digits: usize,
    zeros: bool,
    gap: usize,
    pub(crate) mark: Mark,
    /// Whether a space that may belong to the viewer follows the mark.
    pub(crate) space: bool,
    /// Offset of the byte after the mark.
    pub(super) end: usize,
}

impl Start {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let bytes = line.as_bytes();
        let letter = match bytes.first()? {
            b'L' => true,
            b' ' | b'0'..=b'9' => false,
            _ => return None,
        };
        let mut at = usize::from(letter);
        let spaces = count(bytes, at, |byte| byte == b' ');
        at += spaces;
        let digits = count(bytes, at, |byte| byte.is_ascii_digit());
        if digits == 0 || spaces + digits > MAX_WIDTH {
            return None;
        }
        let written = line.get(at..at + digits)?;
        at += digits;
        let gap = count(bytes, at, |byte| byte == b' ');
        at += gap;
        let mark = Mark::at(line.get(at..)?)?;
        let zeros = digits > 1 && written.starts_with('0');
        if gap > mark.max_gap() || (zeros && spaces > 0) {
            return None;
        }
        let number = written.parse().ok().filter(|number| *number < MAX_NUMBER)?;
        let end = at + mark.text().len();
        let space = mark.may_be_followed_by_space() && bytes.get(end) == Some(&b' ');
        Some(Self { number, letter, spaces, digits, zeros, gap, mark, space, end })
    }

    /// Returns the style of a run that starts here.
    pub(crate) const fn style(&self) -> NumberStyle {
        let pad = match (self.zeros, self.spaces) {
            (true, _) => Pad::Zeros(self.digits),
            (false, 0) => Pad::Spaces(0),
            (false, spaces) => Pad::Spaces(spaces + self.digits),
        };
        NumberStyle { letter: self.letter, pad, gap: self.gap, mark: self.mark, space: false }
    }

    /// Whether this line is written in `style`, ignoring a space after the mark.
    pub(super) fn is_in(&self, style: NumberStyle) -> bool {
        let padded = match style.pad {
            Pad::Spaces(width) => !self.zeros && self.spaces == width.saturating_sub(self.digits),
            Pad::Zeros(width) => {
                self.spaces == 0 && if self.zeros { self.digits == width } else { self.digits >= width }
            }
        };
        padded && self.letter == style.letter && self.gap == style.gap && self.mark == style.mark
    }
}

/// Counts the bytes from `at` that pass, up to one more than a valid prefix can hold.
pub(super) fn count(bytes: &[u8], at: usize, pass: impl Fn(u8) -> bool) -> usize {
    bytes.iter().skip(at).take(MAX_WIDTH + 1).take_while(|byte| pass(**byte)).count()
}
