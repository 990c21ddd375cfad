use memchr::{memchr2, memchr3};

const ESC: u8 = 0x1b;
const BELL: u8 = 0x07;

/// One piece of a line: text, or an action of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TerminalPiece<'a> {
    Text(&'a str),
    /// The parameters of an `m` sequence: colours, bold, underlined.
    Style(&'a str),
    /// A title, a link target or a picture: not drawn, but kept.
    Verbatim(&'a str),
    /// A mode or a query: shows nothing, moves nothing, says nothing.
    Nothing,
    /// Moves to the first column.
    Return,
    Left(usize),
    Right(usize),
    /// Moves to this column, counted from 0.
    Column(usize),
    Erase(Erase),
    /// Changes the line in a way that is not modelled.
    Unclear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Erase {
    /// From the cursor to the end of the line.
    Right,
    /// From the start of the line to the cursor, inclusive.
    Left,
    Line,
    /// This many columns from the cursor on.
    Columns(usize),
}

/// Iterates over the pieces of one line, without its line end. An item is `None` if a sequence has an effect beyond the
/// line, is unknown or broken: then the iterator must not be used further.
#[derive(Clone, Debug)]
pub(super) struct TerminalPieces<'a> {
    rest: &'a str,
    /// Whether the line ends the text, so that a sequence may be cut off.
    last: bool,
}

impl<'a> TerminalPieces<'a> {
    pub(super) const fn new(line: &'a str, last: bool) -> Self {
        Self { rest: line, last }
    }

    fn take(&mut self, length: usize) -> Option<&'a str> {
        let (piece, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(piece)
    }

    fn piece(&mut self) -> Option<TerminalPiece<'a>> {
        let length = match self.rest.as_bytes() {
            [b'\r', ..] => return self.take(1).map(|_| TerminalPiece::Return),
            [b'\x08', ..] => return self.take(1).map(|_| TerminalPiece::Left(1)),
            [ESC, ..] => return self.escape(),
            bytes => memchr3(ESC, b'\r', b'\x08', bytes).unwrap_or(bytes.len()),
        };
        self.take(length).map(TerminalPiece::Text)
    }

    fn escape(&mut self) -> Option<TerminalPiece<'a>> {
        match self.rest.as_bytes() {
            [_, b'[', ..] => self.control_sequence(),
            [_, b']', ..] => self.control_string(true),
            [_, b'P' | b'X' | b'^' | b'_', ..] => self.control_string(false),
            [_, b'(' | b')' | b'*' | b'+', b'B', ..] | [_, b'%', b'@' | b'G', ..] => self.nothing(3),
            [_, b'7' | b'=' | b'>' | b'\\', ..] => self.nothing(2),
            [_] | [_, b'(' | b')' | b'*' | b'+' | b'%'] => self.cut_off(),
            _ => None,
        }
    }

    fn nothing(&mut self, length: usize) -> Option<TerminalPiece<'a>> {
        self.take(length).map(|_| TerminalPiece::Nothing)
    }

    fn cut_off(&mut self) -> Option<TerminalPiece<'a>> {
        if !self.last {
            return None;
        }
        self.rest = "";
        Some(TerminalPiece::Nothing)
    }

    /// Reads a title, a link target or a picture up to the terminator, which must be on this line.
    fn control_string(&mut self, ends_with_bell: bool) -> Option<TerminalPiece<'a>> {
        let bytes = self.rest.as_bytes();
        let mut at = 2;
        loop {
            at += memchr2(ESC, BELL, bytes.get(at..)?)?;
            match bytes.get(at..)? {
                [ESC, b'\\', ..] => return self.take(at + 2).map(TerminalPiece::Verbatim),
                [BELL, ..] if ends_with_bell => return self.take(at + 1).map(TerminalPiece::Verbatim),
                [BELL, ..] => at += 1,
                _ => return None,
            }
        }
    }

    fn control_sequence(&mut self) -> Option<TerminalPiece<'a>> {
        let bytes = self.rest.as_bytes().get(2..)?;
        let parameters = bytes.iter().take_while(|byte| matches!(byte, b'0'..=b'?')).count();
        let between = bytes.iter().skip(parameters).take_while(|byte| matches!(byte, b' '..=b'/')).count();
        let Some(last) = bytes.get(parameters + between) else { return self.cut_off() };
        let (parameters, between) =
            (self.rest.get(2..2 + parameters)?, self.rest.get(2 + parameters..2 + parameters + between)?);
        let piece = meaning(parameters, between, *last)?;
        self.take(2 + parameters.len() + between.len() + 1)?;
        Some(piece)
    }
}

impl<'a> Iterator for TerminalPieces<'a> {
    type Item = Option<TerminalPiece<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        (!self.rest.is_empty()).then(|| self.piece())
    }
}

/// Returns the effect of a control sequence, or `None` if it is unknown or leaves the line.
fn meaning<'a>(parameters: &'a str, between: &str, last: u8) -> Option<TerminalPiece<'a>> {
    match between {
        "" => {}
        " " if last == b'q' => return Some(TerminalPiece::Nothing),
        "!" | "$" if last == b'p' => return Some(TerminalPiece::Nothing),
        _ => return None,
    }
    match (parameters.as_bytes().first(), last) {
        (Some(b'?'), b'h' | b'l') => {
            return parameters.split([';', '?']).all(harmless).then_some(TerminalPiece::Nothing);
        }
        (Some(b'?'), b'n' | b'u' | b'c' | b'm' | b'r' | b's')
        | (Some(b'<' | b'=' | b'>'), b'm' | b'u' | b'c' | b'q') => {
            return Some(TerminalPiece::Nothing);
        }
        (Some(b'<'..=b'?'), _) => return None,
        _ => {}
    }
    let number = match parameters.split(';').next() {
        None | Some("") => 0,
        Some(number) => number.parse().unwrap_or(usize::MAX),
    };
    let count = number.max(1);
    Some(match last {
        b'm' => TerminalPiece::Style(parameters),
        b'n' | b'c' | b'q' | b't' => TerminalPiece::Nothing,
        b's' if parameters.is_empty() => TerminalPiece::Nothing,
        b'K' if number == 0 => TerminalPiece::Erase(Erase::Right),
        b'K' if number == 1 => TerminalPiece::Erase(Erase::Left),
        b'K' if number == 2 => TerminalPiece::Erase(Erase::Line),
        // There is nothing below: the cursor never goes up in a text that is rendered.
        b'J' if number == 0 => TerminalPiece::Erase(Erase::Right),
        b'X' => TerminalPiece::Erase(Erase::Columns(count)),
        b'C' | b'a' => TerminalPiece::Right(count),
        b'D' => TerminalPiece::Left(count),
        b'G' | b'`' => TerminalPiece::Column(count - 1),
        b'P' | b'@' | b'b' | b'I' | b'Z' => TerminalPiece::Unclear,
        _ => return None,
    })
}

/// Whether a private mode leaves the display unchanged. Others switch screens or restore the cursor.
fn harmless(mode: &str) -> bool {
    !matches!(mode, "3" | "6" | "47" | "1047" | "1048" | "1049")
}
