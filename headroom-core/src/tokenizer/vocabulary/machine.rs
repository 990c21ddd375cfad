//! Splits ASCII text into words with a state machine.
//!
//! A program that looks at one word after another must guess what comes next, and waits whenever that was wrong. The
//! machine takes the same steps whatever it reads. Other text, and what needs more states than it is worth, is for
//! [`Splitter`](super::split::Splitter).

use super::split::Pattern;

/// What a byte is to the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Byte {
    Lower,
    Upper,
    /// A letter that is a contraction behind an apostrophe.
    LowerContraction,
    UpperContraction,
    /// A letter that begins one.
    LowerBegin,
    UpperBegin,
    Digit,
    Sign,
    /// A sign that follows line ends in words of signs.
    Slash,
    /// A sign that begins contractions.
    Apostrophe,
    /// The space, which belongs to the signs behind it.
    Space,
    OtherSpace,
    LineEnd,
    NonAscii,
}

impl Byte {
    const ALL: [Self; 14] = [
        Self::Lower,
        Self::Upper,
        Self::LowerContraction,
        Self::UpperContraction,
        Self::LowerBegin,
        Self::UpperBegin,
        Self::Digit,
        Self::Sign,
        Self::Slash,
        Self::Apostrophe,
        Self::Space,
        Self::OtherSpace,
        Self::LineEnd,
        Self::NonAscii,
    ];

    const fn of(byte: u8) -> Self {
        match byte {
            b's' | b't' | b'm' | b'd' => Self::LowerContraction,
            b'S' | b'T' | b'M' | b'D' => Self::UpperContraction,
            b'r' | b'v' | b'l' => Self::LowerBegin,
            b'R' | b'V' | b'L' => Self::UpperBegin,
            b'a'..=b'z' => Self::Lower,
            b'A'..=b'Z' => Self::Upper,
            b'0'..=b'9' => Self::Digit,
            b'/' => Self::Slash,
            b'\'' => Self::Apostrophe,
            b' ' => Self::Space,
            b'\t' | b'\x0b' | b'\x0c' => Self::OtherSpace,
            b'\n' | b'\r' => Self::LineEnd,
            0x80.. => Self::NonAscii,
            _ => Self::Sign,
        }
    }

    const fn is_lower(self) -> bool {
        matches!(self, Self::Lower | Self::LowerContraction | Self::LowerBegin)
    }

    const fn is_upper(self) -> bool {
        matches!(self, Self::Upper | Self::UpperContraction | Self::UpperBegin)
    }

    const fn is_letter(self) -> bool {
        self.is_lower() || self.is_upper()
    }

    const fn is_sign(self) -> bool {
        matches!(self, Self::Sign | Self::Slash | Self::Apostrophe)
    }
}

/// What the machine has read since the last word it is sure of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum State {
    /// Nothing.
    Start,
    /// Letters, with or without a prefix: only capitals, or small letters at their end.
    Capitals,
    Letters,
    /// Letters and an apostrophe.
    LettersApostrophe,
    Digit1,
    Digit2,
    Digit3,
    /// One sign, which may be the prefix of letters.
    OneSign,
    /// One apostrophe, which may begin a contraction that is a word.
    OneApostrophe,
    /// A contraction.
    Contraction,
    /// More signs, or a space and signs.
    Signs,
    /// Signs and line ends.
    SignsLineEnd,
    /// One space, or one other white space.
    OneSpace,
    OneOther,
    /// More white space without line ends, the last of which is a space or not.
    Spaces,
    Others,
    /// White space up to a line end.
    LineEnd,
    /// White space up to a line end and one more, or several more, the last of which is a space or not.
    LineOneSpace,
    LineOneOther,
    LineSpaces,
    LineOthers,
    /// The machine cannot tell.
    Lost,
}

impl State {
    const ALL: [Self; 22] = [
        Self::Start,
        Self::Capitals,
        Self::Letters,
        Self::LettersApostrophe,
        Self::Digit1,
        Self::Digit2,
        Self::Digit3,
        Self::OneSign,
        Self::OneApostrophe,
        Self::Contraction,
        Self::Signs,
        Self::SignsLineEnd,
        Self::OneSpace,
        Self::OneOther,
        Self::Spaces,
        Self::Others,
        Self::LineEnd,
        Self::LineOneSpace,
        Self::LineOneOther,
        Self::LineSpaces,
        Self::LineOthers,
        Self::Lost,
    ];
}

/// A step: the next state, and where words end: before this byte, before the last one, behind the last line end.
#[derive(Clone, Copy, Debug)]
struct Step {
    state: State,
    here: bool,
    before_last: bool,
    behind_line: bool,
}

const fn to(state: State) -> Step {
    Step { state, here: false, before_last: false, behind_line: false }
}

/// The step from the start of a word.
const fn begin(byte: Byte, pattern: Pattern) -> Step {
    to(match byte {
        _ if byte.is_upper() && matches!(pattern, Pattern::O200k) => State::Capitals,
        _ if byte.is_letter() => State::Letters,
        Byte::Digit => State::Digit1,
        Byte::Sign | Byte::Slash => State::OneSign,
        Byte::Apostrophe => State::OneApostrophe,
        Byte::Space => State::OneSpace,
        Byte::OtherSpace => State::OneOther,
        Byte::LineEnd => State::LineEnd,
        _ => State::Lost,
    })
}

/// A word ends here, and another begins.
const fn here(byte: Byte, pattern: Pattern) -> Step {
    Step { here: true, ..begin(byte, pattern) }
}

const fn step(state: State, byte: Byte, pattern: Pattern) -> Step {
    if matches!(byte, Byte::NonAscii) || matches!(state, State::Lost) {
        return to(State::Lost);
    }
    match state {
        State::Start => begin(byte, pattern),
        State::Capitals | State::Letters => letters(state, byte, pattern),
        State::LettersApostrophe => match contraction(byte) {
            Some(state) => to(state),
            None => Step { before_last: true, ..step(State::OneSign, byte, pattern) },
        },
        State::Digit1 if matches!(byte, Byte::Digit) => to(State::Digit2),
        State::Digit2 if matches!(byte, Byte::Digit) => to(State::Digit3),
        State::Digit1 | State::Digit2 | State::Digit3 | State::Contraction => here(byte, pattern),
        State::OneApostrophe if matches!(pattern, Pattern::Cl100k) && byte.is_letter() => {
            match contraction(byte) {
                Some(state) => to(state),
                None => begin(byte, pattern),
            }
        }
        State::OneSign | State::OneApostrophe if byte.is_letter() => begin(byte, pattern),
        State::OneSign | State::OneApostrophe | State::Signs => match byte {
            Byte::Sign | Byte::Slash | Byte::Apostrophe => to(State::Signs),
            Byte::LineEnd => to(State::SignsLineEnd),
            _ => here(byte, pattern),
        },
        State::SignsLineEnd => match byte {
            Byte::LineEnd => to(State::SignsLineEnd),
            Byte::Slash if matches!(pattern, Pattern::O200k) => to(State::SignsLineEnd),
            _ => here(byte, pattern),
        },
        _ => white_space(state, byte, pattern),
    }
}

/// The state behind an apostrophe and a letter, if they are a contraction or may begin one.
const fn contraction(byte: Byte) -> Option<State> {
    match byte {
        Byte::LowerContraction | Byte::UpperContraction => Some(State::Contraction),
        Byte::LowerBegin | Byte::UpperBegin => Some(State::Lost),
        _ => None,
    }
}

const fn letters(state: State, byte: Byte, pattern: Pattern) -> Step {
    let goes_on = byte.is_lower() || matches!(state, State::Capitals) || matches!(pattern, Pattern::Cl100k);
    match byte {
        _ if byte.is_upper() && goes_on => to(state),
        _ if byte.is_lower() => to(State::Letters),
        Byte::Apostrophe if matches!(pattern, Pattern::O200k) => to(State::LettersApostrophe),
        _ => here(byte, pattern),
    }
}

const fn white_space(state: State, byte: Byte, pattern: Pattern) -> Step {
    let is_behind_line = matches!(
        state,
        State::LineEnd | State::LineOneSpace | State::LineOneOther | State::LineSpaces | State::LineOthers
    );
    match (byte, state) {
        (Byte::LineEnd, _) => return to(State::LineEnd),
        (Byte::Space, State::LineEnd) => return to(State::LineOneSpace),
        (Byte::OtherSpace, State::LineEnd) => return to(State::LineOneOther),
        (Byte::Space, _) => return to(if is_behind_line { State::LineSpaces } else { State::Spaces }),
        (Byte::OtherSpace, _) => return to(if is_behind_line { State::LineOthers } else { State::Others }),
        (_, State::LineEnd) => return here(byte, pattern),
        _ => {}
    }
    let ends_with_space =
        matches!(state, State::OneSpace | State::Spaces | State::LineOneSpace | State::LineSpaces);
    // The last white space belongs to letters, and if it is a space, to signs.
    let behind = if byte.is_letter() {
        begin(byte, pattern)
    } else if byte.is_sign() && ends_with_space {
        to(State::Signs)
    } else {
        here(byte, pattern)
    };
    let is_long = matches!(state, State::Spaces | State::Others | State::LineSpaces | State::LineOthers);
    Step { before_last: is_long, behind_line: is_behind_line, ..behind }
}

/// Bits of a byte's class, and so the distance of the states in the table.
const BYTE_BITS: u32 = 4;
const ENTRIES: usize = State::ALL.len() << BYTE_BITS;

/// The table of a pattern's steps.
#[derive(Debug)]
pub(super) struct Machine {
    /// The index of the next state's entries.
    next: [u16; ENTRIES],
    ends: [u8; ENTRIES],
}

/// Bits of [`Machine::ends`]: one word ends, and it ends before the last byte instead of before this one.
const END: u8 = 1;
const BACK: u8 = 2;
/// Words end at all of these.
const HERE: u8 = 4;
const BEFORE_LAST: u8 = 8;
const BEHIND_LINE: u8 = 16;

impl Step {
    const fn ends(self) -> u8 {
        if self.behind_line || self.here && self.before_last {
            let line = if self.behind_line { BEHIND_LINE } else { 0 };
            let last = if self.before_last { BEFORE_LAST } else { 0 };
            return line | last | if self.here { HERE } else { 0 };
        }
        match (self.here, self.before_last) {
            (true, _) => END,
            (_, true) => END | BACK,
            _ => 0,
        }
    }
}

static BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            bytes[byte] = Byte::of(byte as u8) as u8;
        }
        byte += 1;
    }
    bytes
};

/// The most words that end at one step.
const MOST_ENDS: usize = 3;
const LOST: u16 = (State::Lost as u16) << BYTE_BITS;

impl Machine {
    #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    pub(super) const fn new(pattern: Pattern) -> Self {
        let mut all = Self { next: [LOST; ENTRIES], ends: [0; ENTRIES] };
        let mut state = 0;
        while state < State::ALL.len() {
            let mut byte = 0;
            while byte < Byte::ALL.len() {
                let step = step(State::ALL[state], Byte::ALL[byte], pattern);
                let at = state << BYTE_BITS | byte;
                all.next[at] = (step.state as u16) << BYTE_BITS;
                all.ends[at] = step.ends();
                byte += 1;
            }
            state += 1;
        }
        all
    }

    /// Splits a text from the start of a word on, and writes where words end. Returns how many it wrote, and whether there
    /// was room for more: then the text has ended, or the next word is not for the machine.
    #[inline]
    pub(super) fn split(&self, text: &[u8], from: usize, ends: &mut [usize]) -> (usize, bool) {
        let (mut count, mut state, mut behind_line) = (0, 0_u16, from);
        let room = ends.len().saturating_sub(MOST_ENDS);
        for (byte, at) in text.get(from..).unwrap_or_default().iter().zip(from..) {
            let class = BYTES.get(usize::from(*byte)).copied().unwrap_or_default();
            let entry = usize::from(state) | usize::from(class);
            let (Some(next), Some(kind)) = (self.next.get(entry), self.ends.get(entry)) else { break };
            state = *next;
            if *kind > (END | BACK) {
                let all = [(BEHIND_LINE, behind_line), (BEFORE_LAST, at - 1), (HERE, at)];
                for (_, end) in all.into_iter().filter(|(bit, _)| kind & bit != 0) {
                    if let Some(slot) = ends.get_mut(count) {
                        *slot = end;
                    }
                    count += 1;
                }
            } else {
                // Written in any case, because nobody could guess whether a word ends.
                if let Some(slot) = ends.get_mut(count) {
                    *slot = at - usize::from(kind >> 1);
                }
                count += usize::from(kind & END);
            }
            behind_line = if class == Byte::LineEnd as u8 { at + 1 } else { behind_line };
            if count > room {
                return (count, false);
            }
            if state == LOST {
                break;
            }
        }
        (count, true)
    }
}
