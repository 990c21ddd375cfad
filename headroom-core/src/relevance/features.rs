//! Scans a text once: finds its lines and, per line, the hashes of its words, its numbers and its severity.

use memchr::memchr;

use crate::{
    relevance::{
        outliers,
        severity::{self, Severity, SeverityWords},
        test_result::TestResult,
    },
    text::{reserve::push, starts::Starts},
};

/// Marks a token that has a digit or looks like a hash: such tokens are values, not words.
pub(super) const VALUE: u32 = 1 << 31;

pub(crate) const DIGIT: u8 = 1;
pub(crate) const HEX: u8 = 2;
const LOWER: u8 = 4;
const UPPER: u8 = 8;
const HIGH: u8 = 16;
/// First byte of a character in a script without spaces between words.
const LEAD: u8 = 32;
/// A byte that is not part of a token.
pub(crate) const BETWEEN: u8 = 64;
/// Bytes at which a token may end.
const ENDS: u8 = UPPER | LEAD | BETWEEN;

const fn class(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => DIGIT | HEX,
        b'a'..=b'f' => LOWER | HEX,
        b'g'..=b'z' => LOWER,
        b'A'..=b'F' => UPPER | HEX,
        b'G'..=b'Z' => UPPER,
        0xe3..=0xed => HIGH | LEAD,
        0x80..=0xff => HIGH,
        _ => BETWEEN,
    }
}

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            classes[byte] = class(byte as u8);
        }
        byte += 1;
    }
    classes
};

/// Returns the class of a byte, as bits.
pub(crate) fn class_of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

/// One line. `tokens` and `numbers` are the ends of its entries in the vectors of [`LineFeatures`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) start: u32,
    pub(crate) end: u32,
    tokens: u32,
    numbers: u32,
    /// How many tokens belong to the location at the start, as in `src/main.c:12:5: unused variable`.
    pub(crate) place: u16,
    /// The progress verb of a package manager or build in this line, as an index into [`PROGRESS`], plus one; or
    /// [`PASSED`] or [`BEGAN`].
    pub(crate) progress: u8,
    pub(crate) severity: Severity,
    /// The level that a log line names, as an index into [`severity::LEVELS`], plus one.
    pub(crate) level: u8,
}

#[derive(Debug, Default)]
pub(crate) struct LineFeatures {
    pub(crate) rows: Vec<Row>,
    tokens: Vec<u32>,
    numbers: Vec<f32>,
}

impl Row {
    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

impl LineFeatures {
    /// Scans a text of less than 4 GiB.
    pub(crate) fn from_text(text: &str) -> Self {
        LineScanner::<true>::new(text.as_bytes()).run()
    }

    /// Scans lines that are rows of cells, for words and severity only: features of logs and builds are skipped.
    pub(crate) fn of_cells(text: &str) -> Self {
        LineScanner::<false>::new(text.as_bytes()).run()
    }

    /// Returns the tokens of a short text.
    pub(crate) fn tokens_of(text: &str) -> Vec<u32> {
        Self::of_cells(text).tokens
    }

    fn from(&self, line: usize, end: impl Fn(&Row) -> u32) -> usize {
        line.checked_sub(1).and_then(|before| self.rows.get(before)).map_or(0, end) as usize
    }

    pub(super) fn tokens(&self, line: usize) -> &[u32] {
        let end = self.rows.get(line).map_or(0, |row| row.tokens) as usize;
        self.tokens.get(self.from(line, |row| row.tokens)..end).unwrap_or_default()
    }

    pub(crate) fn numbers(&self, line: usize) -> &[f32] {
        let end = self.rows.get(line).map_or(0, |row| row.numbers) as usize;
        self.numbers.get(self.from(line, |row| row.numbers)..end).unwrap_or_default()
    }

    pub(super) fn all_tokens(&self) -> &[u32] {
        &self.tokens
    }
}

/// Splits the text into pieces of whole lines, of about equal length.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    const LEAST: usize = 64 << 10;
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.as_bytes().get(LEAST..).and_then(|rest| memchr(b'\n', rest));
        let (piece, behind) = rest.split_at_checked(end.map_or(rest.len(), |end| LEAST + end + 1))?;
        rest = behind;
        (!piece.is_empty()).then_some(piece)
    })
}

#[derive(Clone, Copy)]
struct Token {
    start: usize,
    end: usize,
    hash: u32,
    /// The union and the intersection of the classes of its bytes.
    any: u8,
    all: u8,
}

/// `LINES`: whether to collect locations, numbers and progress.
struct LineScanner<'t, const LINES: bool> {
    bytes: &'t [u8],
    words: &'static SeverityWords,
    found: LineFeatures,
    row: Row,
    /// End of the last token, if it was a value.
    value_end: usize,
    /// End of the location at the start of the line.
    place_end: usize,
}

impl<'t, const LINES: bool> LineScanner<'t, LINES> {
    fn new(bytes: &'t [u8]) -> Self {
        let found = LineFeatures::default();
        Self {
            bytes,
            words: SeverityWords::all(),
            found,
            row: Self::row(0),
            value_end: usize::MAX,
            place_end: if LINES { place_end(bytes, 0) } else { 0 },
        }
    }

    const fn row(start: u32) -> Row {
        Row {
            start,
            end: start,
            tokens: 0,
            numbers: 0,
            place: 0,
            progress: 0,
            severity: Severity::None,
            level: 0,
        }
    }

    fn run(mut self) -> LineFeatures {
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at).copied() {
            if class_of(byte) == BETWEEN {
                if byte == b'\n' {
                    self.line(at);
                }
                at += 1;
                continue;
            }
            let token = self.token(at);
            at = token.end;
            self.push(token);
        }
        if (self.row.start as usize) < self.bytes.len() {
            self.line(self.bytes.len());
        }
        self.found
    }

    /// Reads the token that starts here. It ends before the capital in `wordWord`, and at each character of scripts
    /// without spaces.
    fn token(&self, start: usize) -> Token {
        let mut token = Token { start, end: start, hash: SEED, any: 0, all: u8::MAX };
        let (mut before, mut further) = (0, 0);
        for byte in self.bytes.get(start..).unwrap_or_default().iter().copied() {
            let class = class_of(byte);
            if class & ENDS != 0 {
                let is_first = token.end == start;
                let camel = class & UPPER != 0 && before & further & LOWER != 0;
                if class & BETWEEN != 0 || camel || (class & LEAD != 0 && !is_first) {
                    break;
                }
            }
            token.hash = step(token.hash, byte, class);
            token.any |= class;
            token.all &= class;
            (before, further) = (class, before);
            token.end += 1;
        }
        token
    }

    fn follows_value(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| {
            before == self.value_end && matches!(self.bytes.get(before), Some(b'-' | b':'))
        })
    }

    fn push(&mut self, token: Token) {
        let Token { start, end, .. } = token;
        let hash = finish(token.hash);
        let is_place = LINES && end <= self.place_end;
        self.row.place = self.row.place.saturating_add(u16::from(is_place));
        let hex = token.all & HEX != 0 && (end - start >= 8 || self.follows_value(start));
        if token.any & DIGIT != 0 || hex {
            self.add(hash | VALUE, end);
            self.value_end = end;
            if LINES && let Some(number) = outliers::at(self.bytes, start, end) {
                push(&mut self.found.numbers, number, end, self.bytes.len());
            }
            return;
        }
        self.add(hash, end);
        if let Some(word) = self.words.get(hash).filter(|_| !is_place) {
            let (severity, level) = severity::severity_of_word(word, self.bytes, start, end);
            self.row.severity = self.row.severity.max(severity);
            if self.row.level == 0 {
                self.row.level = level;
            }
        }
    }

    fn add(&mut self, token: u32, end: usize) {
        push(&mut self.found.tokens, token, end, self.bytes.len());
    }

    #[expect(clippy::cast_possible_truncation, reason = "texts are shorter than 4 GiB")]
    fn line(&mut self, end: usize) {
        let mut row = self.row;
        row.end = end as u32;
        if LINES {
            let text = self.bytes.get(row.start as usize..end).unwrap_or_default();
            // pytest marks a failure this way.
            if text.starts_with(b"E  ") {
                row.severity = Severity::Error;
            }
            let text = text.trim_ascii_start();
            let text = behind_time(text);
            row.progress = PROGRESS.find(text).map_or(0, |index| index as u8 + 1);
            match TestResult::parse(text) {
                Some(TestResult::Passed) => {
                    row.progress = PASSED;
                    // What the name of a test says is not what happened.
                    row.severity = Severity::None;
                    row.level = 0;
                }
                Some(TestResult::Began) => row.progress = BEGAN,
                None => {}
            }
            self.place_end = place_end(self.bytes, end + 1);
        }
        row.tokens = self.found.tokens.len() as u32;
        row.numbers = self.found.numbers.len() as u32;
        push(&mut self.found.rows, row, end, self.bytes.len());
        self.row = Self::row(row.end.saturating_add(1));
    }
}

const PROGRESS_VERBS: usize = 28;
/// How package managers and builds report progress on one of many things. Which thing hardly matters.
static PROGRESS: Starts<PROGRESS_VERBS> = Starts::new([
    "Attempting uninstall: ",
    "Building editable ",
    "Building wheel",
    "Checking ",
    "Collecting ",
    "Compiling ",
    "Created wheel",
    "Downloaded ",
    "Downloading ",
    "Fetching ",
    "Found existing installation: ",
    "Get:",
    "Getting requirements ",
    "Installing ",
    "Preparing ",
    "Processing ",
    "Requirement already satisfied: ",
    "Resolving ",
    "Selecting previously unselected ",
    "Setting up ",
    "Stored in directory: ",
    "Successfully uninstalled ",
    "Uninstalling ",
    "Unpacking ",
    "Updating ",
    "Using cached ",
    "copying ",
    "creating ",
]);

/// Returns the rest of a line behind the time that runners of builds put before each line: `2026-06-01T10:00:00.1234567Z text`,
/// also behind the names of a job and a step.
fn behind_time(line: &[u8]) -> &[u8] {
    const LONGEST: usize = 160;
    let start = line.get(..LONGEST).unwrap_or(line);
    let is_end = |at: &usize| {
        line.get(at + 1) == Some(&b' ')
            && at.checked_sub(1).and_then(|before| line.get(before)).is_some_and(u8::is_ascii_digit)
    };
    let Some(end) = memchr::memchr_iter(b'Z', start).find(is_end) else { return line };
    let from = start.get(..end).and_then(|start| memchr::memrchr2(b' ', b'\t', start)).map_or(0, |at| at + 1);
    let time = line.get(from..end).unwrap_or_default();
    let is_time = time.len() >= 19 && time.get(4) == Some(&b'-') && time.get(10) == Some(&b'T');
    if is_time { line.get(end + 2..).unwrap_or_default().trim_ascii_start() } else { line }
}

/// In [`Row::progress`]: the line says that a test passed, or that one began.
pub(crate) const PASSED: u8 = PROGRESS_VERBS as u8 + 1;
pub(crate) const BEGAN: u8 = PASSED + 1;

/// Returns the end of `path:12:` or `path(12)` at the start of a line, or the start of the line if it has none.
fn place_end(bytes: &[u8], start: usize) -> usize {
    const LONGEST: usize = 200;
    let line = bytes.get(start..).unwrap_or_default();
    let mut is_path = false;
    for (at, byte) in line.iter().enumerate().take(LONGEST) {
        match byte {
            b'/' | b'.' | b'\\' => is_path = true,
            b':' | b'(' if is_path => {
                let rest = line.get(at + 1..).unwrap_or_default();
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let closed = matches!(rest.get(digits), Some(b':' | b')' | b','));
                if digits > 0 && closed {
                    return start + at + 1 + digits;
                }
            }
            b' ' | b'\t' | b'\n' | b'"' | b'=' => break,
            _ => {}
        }
    }
    start
}

const SEED: u32 = 0x811c_9dc5;

/// One step of FNV-1a; letters are hashed in lower case.
const fn step(hash: u32, byte: u8, class: u8) -> u32 {
    const TO_LOWER: u8 = 0x20 / UPPER;
    let byte = byte | ((class & UPPER) * TO_LOWER);
    (hash ^ byte as u32).wrapping_mul(0x0100_0193)
}

const fn finish(hash: u32) -> u32 {
    (hash ^ hash >> 15).wrapping_mul(0x2c1b_3c6d) & !VALUE
}

/// Returns the hash of a word in lower case.
pub(crate) fn hash(word: &str) -> u32 {
    finish(word.bytes().fold(SEED, |hash, byte| step(hash, byte, class(byte))))
}
