//! Splits a line into its states: the text before each return to its start, and at its end.

use super::{
    escape::{Erase, TerminalPiece, TerminalPieces},
    frame::{Frame, is_drawing},
};

/// Longer states are not frames of a display.
const MAX_FRAME_BYTES: usize = 1024;

/// The non-blank states of a line, in order.
#[derive(Debug, Default)]
pub(super) struct States {
    all: Vec<String>,
    /// Whether the cursor returned to the start after the last state.
    returned: bool,
}

/// Builds the states from the pieces of a line.
#[derive(Debug, Default)]
struct Reader {
    states: States,
    text: String,
    /// How many characters of `text` are after the cursor because of a backspace: none or one.
    behind: usize,
    /// Whether the line was erased with the cursor in the middle, so that a return must precede more text.
    erased: bool,
}

impl States {
    /// Parses the states. Returns `Some(None)` if the line moves the cursor in another way, and `None` if a sequence
    /// has an effect beyond the line.
    pub(super) fn parse(pieces: TerminalPieces<'_>) -> Option<Option<Self>> {
        let mut reader = Reader::default();
        let mut clear = true;
        for piece in pieces {
            // The rest must still be read, because it may leave the line.
            let piece = piece?;
            clear = clear && reader.apply(piece).is_some();
        }
        reader.end_state(true);
        Some(clear.then_some(reader.states))
    }

    /// Appends the states that stay, separated by carriage returns. Returns how many frames were hidden.
    pub(super) fn write(&self, hide: bool, out: &mut String) -> usize {
        let mut all = &*self.all;
        while let Some((_, before)) = all.split_last().filter(|(last, _)| self.returned && is_drawing(last)) {
            all = before;
        }
        let Some((last, before)) = all.split_last() else { return 0 };
        let mut hidden = 0;
        let mut kept = vec![last];
        // The state that stays and covers those before it, and the frame directly after the current one.
        let mut cover = if before.is_empty() { None } else { frame(last) };
        let mut next = cover.clone();
        for state in before.iter().rev().filter(|state| !is_drawing(state)) {
            let own = frame(state);
            let covered = match (&own, &cover, &next) {
                (Some(own), Some(cover), Some(next)) => own.is_covered_by(cover) && own.comes_before(next),
                _ => false,
            };
            let hides = !covered && hide && own.as_ref().is_some_and(Frame::is_progress);
            hidden += usize::from(hides);
            if !covered && !hides {
                kept.push(state);
                cover.clone_from(&own);
            }
            next = own;
        }
        for (n, state) in kept.into_iter().rev().enumerate() {
            if n > 0 {
                out.push('\r');
            }
            out.push_str(state);
        }
        hidden
    }
}

/// Parses a state as a frame, unless it is too long for one.
fn frame(state: &str) -> Option<Frame<'_>> {
    if state.len() <= MAX_FRAME_BYTES { Frame::parse(state) } else { None }
}

impl Reader {
    /// Applies a piece. Returns `None` if the line is not a list of states.
    fn apply(&mut self, piece: TerminalPiece<'_>) -> Option<()> {
        match piece {
            TerminalPiece::Text(text) => return self.write(text),
            TerminalPiece::Verbatim(sequence) => {
                self.at_end()?;
                self.text.push_str(sequence);
            }
            TerminalPiece::Style(_) | TerminalPiece::Nothing => {}
            TerminalPiece::Return | TerminalPiece::Column(0) => self.end_state(false),
            TerminalPiece::Left(1) => self.back()?,
            // At the end of the text there is nothing to erase; at the start, only what the previous state left.
            TerminalPiece::Erase(Erase::Right) => self.at_end()?,
            TerminalPiece::Erase(Erase::Line | Erase::Left) if self.text.is_empty() => {}
            TerminalPiece::Erase(Erase::Line) => self.erased = true,
            _ => return None,
        }
        Some(())
    }

    fn at_end(&self) -> Option<()> {
        (self.behind == 0 && !self.erased).then_some(())
    }

    fn end_state(&mut self, is_last: bool) {
        let text = std::mem::take(&mut self.text);
        self.behind = 0;
        self.erased = false;
        let is_blank = text.trim().is_empty();
        self.states.returned = !is_last || is_blank && self.states.returned;
        if !is_blank || is_last && self.states.all.is_empty() {
            self.states.all.push(text);
        }
    }

    /// Moves the cursor back over the last character.
    fn back(&mut self) -> Option<()> {
        if self.erased || self.behind > 0 || self.text.is_empty() {
            return None;
        }
        self.behind = 1;
        Some(())
    }

    fn write(&mut self, text: &str) -> Option<()> {
        if self.erased {
            return None;
        }
        if self.behind > 0 {
            self.overwrite(text.chars().next()?)?;
        }
        self.text.push_str(text);
        Some(())
    }

    /// Removes the character after the cursor if the next one may replace it: a spinner or a blank after a blank, or
    /// the same character, overstruck for bold.
    fn overwrite(&mut self, with: char) -> Option<()> {
        let last = self.text.pop()?;
        self.behind = 0;
        let is_apart = self.text.chars().next_back().is_none_or(|before| before == ' ');
        let is_spinner = is_apart && matches!(last, '-' | '\\' | '|' | '/' | ' ' | '\u{2800}'..='\u{28ff}');
        (is_spinner || last == with).then_some(())
    }
}
