//! Parses frames of a progress display, and decides when a later frame covers an earlier one.
//!
//! A frame is split into words and numbers. Two frames of a display may differ in a percentage, a counter such as
//! `3/9`, sizes, rates, times, and the characters of bars and spinners. Everything else is a word and must occur in the
//! later frame too, in the same order: also numbers that belong to a name, such as `id=3`, `v1.2` and `sensor-3`, and
//! numbers without a unit.

use std::borrow::Cow;

/// Texts with more parts are not frames.
const MAX_CHUNKS: usize = 64;
/// Words that replace a percentage or counter when a display ends.
const DONE: [&str; 8] = ["done", "Done", "DONE", "complete", "completed", "finished", "Finished", "ok"];
/// Units of sizes, rates and times, in lower case.
const UNITS: [&str; 31] = [
    "%", "b", "b/s", "bytes", "d", "g", "gb", "gb/s", "gib", "gib/s", "h", "it", "it/s", "k", "kb", "kb/s",
    "kib", "kib/s", "m", "mb", "mb/s", "mib", "mib/s", "min", "ms", "s", "s/it", "t", "tb", "tib", "us",
];
/// Words that make a frame worth keeping.
const SEVERE: [&str; 14] = [
    "abort",
    "alarm",
    "conflict",
    "corrupt",
    "critical",
    "denied",
    "error",
    "exception",
    "fail",
    "fatal",
    "panic",
    "refused",
    "reject",
    "warn",
];
/// Number of fields in a row of curl's meter.
const CURL_FIELDS: usize = 12;

/// What may follow the previous part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    /// A number whose unit may follow.
    Number,
    /// A counter whose unit may follow.
    Counter,
}

/// The progress of a display.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Progress {
    done: f64,
    of: f64,
}

/// A parsed frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Frame<'t> {
    words: Vec<&'t str>,
    /// Numbers without a unit.
    numbers: Vec<f64>,
    percent: Option<f64>,
    counter: Option<Progress>,
    /// How many sizes, rates and times there are.
    measures: usize,
    has_bar: bool,
    spinner: Option<char>,
    has_ellipsis: bool,
    is_curl: bool,
    is_severe: bool,
}

/// Words around times that appear and disappear.
const FILLERS: [&str; 7] = ["ETA", "ago", "elapsed", "eta", "in", "left", "remaining"];

/// Whether a state consists only of the characters of bars and spinners.
pub(super) fn is_drawing(text: &str) -> bool {
    let text = text.trim();
    matches!(text, "" | "-" | "\\" | "|" | "/") || text.chars().all(|c| is_drawn(c) || c == ' ')
}

/// Whether a character is used only to draw bars and spinners.
const fn is_drawn(c: char) -> bool {
    matches!(c, '\u{2500}'..='\u{259f}' | '\u{25a0}'..='\u{25ff}' | '\u{2800}'..='\u{28ff}')
}

impl<'t> Frame<'t> {
    /// Parses a state. Returns `None` if it has too many parts to be a frame.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let mut frame = Self { is_curl: is_curl(text), ..Self::default() };
        if frame.is_curl {
            let first = text.split_ascii_whitespace().next()?;
            frame.percent = Some(first.parse().ok()?);
            return Some(frame);
        }
        let is_border =
            |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '|' | ',' | '<' | ';');
        let mut open = Open::Nothing;
        for (count, chunk) in text.split(is_border).filter(|chunk| !chunk.is_empty()).enumerate() {
            if count == MAX_CHUNKS {
                return None;
            }
            open = frame.add(chunk, open);
        }
        frame.has_bar |= has_empty_bar(text);
        if frame.spinner.is_none() && text.split_whitespace().any(|chunk| chunk == "|") {
            frame.spinner = Some('|');
        }
        let lower = text.to_ascii_lowercase();
        frame.is_severe = SEVERE.iter().any(|word| lower.contains(word));
        Some(frame)
    }

    /// Adds a part and returns what may follow it.
    fn add(&mut self, chunk: &'t str, open: Open) -> Open {
        let bare = chunk.trim_end_matches([':', '.', '…']);
        self.has_ellipsis |= chunk.ends_with("...") || chunk.ends_with('…');
        if bare.is_empty() || FILLERS.contains(&bare) {
            return Open::Nothing;
        }
        if self.add_drawing(bare) || is_placeholder(bare) {
            return Open::Nothing;
        }
        if open != Open::Nothing && is_unit(bare) {
            if open == Open::Number {
                self.numbers.pop();
                self.measures += 1;
            }
            return Open::Nothing;
        }
        if self.counter.is_none()
            && let Some((done, of)) = bare.split_once('/')
            && let (Some(done), Some(of)) = (measure(done), measure(of))
        {
            self.counter = Some(Progress { done: done.value, of: of.value });
            return Open::Counter;
        }
        match measure(bare) {
            Some(Measure { value, unit: "%" }) if self.percent.is_none() => self.percent = Some(value),
            // An unknown size is shown as a plain zero.
            Some(Measure { unit: "", value }) if !bare.contains(':') && bare != "0" => {
                self.numbers.push(value);
                return Open::Number;
            }
            Some(_) => self.measures += 1,
            None => self.words.push(bare),
        }
        Open::Nothing
    }

    /// Records a part that is a bar or a spinner. Returns whether it is one.
    fn add_drawing(&mut self, chunk: &str) -> bool {
        let is_bar =
            |c: char| is_drawn(c) || matches!(c, '=' | '-' | '#' | '>' | '*' | '~' | '.' | '\\' | '/' | '_');
        if !chunk.chars().all(is_bar) {
            return false;
        }
        let mut chars = chunk.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if is_drawn(c) || matches!(c, '-' | '\\' | '/') => self.spinner = Some(c),
            _ => self.has_bar = true,
        }
        true
    }

    /// Whether the frame shows progress (a percentage, a counter, a bar or a spinner) and no severe word.
    pub(super) const fn is_progress(&self) -> bool {
        let shows =
            self.percent.is_some() || self.counter.is_some() || self.has_bar || self.spinner.is_some();
        shows && !self.is_severe
    }

    /// Whether `later`, the end of the display, says everything that this frame says.
    pub(super) fn is_covered_by(&self, later: &Self) -> bool {
        if self.is_curl || later.is_curl {
            return self.is_curl && later.is_curl && later.percent == Some(100.0);
        }
        let Some(more) = missing(&self.words, &later.words) else { return false };
        let more = more.as_ref();
        let said = self.numbers == later.numbers;
        let finishes = |value: Option<f64>, end: f64| value == Some(end);
        if let (Some(own), Some(last)) = (self.counter, later.counter) {
            let complete = last.done.total_cmp(&last.of).is_eq();
            return said && complete && own.of.total_cmp(&last.of).is_eq() && own.done <= last.done;
        }
        if let (Some(own), Some(_)) = (self.percent, later.percent) {
            let second = self.has_bar || self.counter.is_some() || self.measures > 0 || self.has_ellipsis;
            return said && second && finishes(later.percent, 100.0) && own <= 100.0;
        }
        if later.percent.is_none() && later.counter.is_none() && matches!(more, [word] if DONE.contains(word))
        {
            let counts = matches!((&*self.numbers, &*later.numbers), ([own], [last]) if own <= last);
            let ends = (self.percent.is_some() || self.counter.is_some()) && said;
            return ends || counts && self.percent.is_none() && self.counter.is_none() && self.measures == 0;
        }
        // Only the spinner differs.
        let spins = self.spinner.is_some() && later.spinner.is_some();
        spins && said && more.is_empty() && self.shows_as_much_as(later) && self.measures == 0
    }

    fn shows_as_much_as(&self, other: &Self) -> bool {
        self.percent == other.percent && self.counter == other.counter && self.measures == other.measures
    }

    /// Whether this may be the frame before `next`: no further along, and without numbers, the spinner differs.
    pub(super) fn comes_before(&self, next: &Self) -> bool {
        let counts = !self.numbers.is_empty();
        if self.percent.is_none() && self.counter.is_none() && !counts && self.spinner == next.spinner {
            return false;
        }
        let percent = match (self.percent, next.percent) {
            (Some(own), Some(next)) => own <= next,
            _ => true,
        };
        let counter = match (self.counter, next.counter) {
            (Some(own), Some(next)) => own.done <= next.done,
            _ => true,
        };
        percent && counter
    }
}

/// Returns the words of `later` that are not in `words`, or `None` if `words` is not a subsequence of it.
fn missing<'t, 'w>(words: &[&'t str], later: &'w [&'t str]) -> Option<Cow<'w, [&'t str]>> {
    if words == later {
        return Some(Cow::Borrowed(&[]));
    }
    let mut more = Vec::new();
    let mut words = words.iter().peekable();
    for word in later {
        if words.next_if_eq(&word).is_none() {
            more.push(*word);
        }
    }
    words.peek().is_none().then_some(Cow::Owned(more))
}

/// A number with its unit; a time such as `0:05` has no unit.
#[derive(Clone, Copy, Debug)]
struct Measure<'t> {
    value: f64,
    unit: &'t str,
}

fn measure(chunk: &str) -> Option<Measure<'_>> {
    let end = chunk.find(|c: char| !matches!(c, '0'..='9' | '.' | ':')).unwrap_or(chunk.len());
    let (number, unit) = chunk.split_at_checked(end)?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) || !number.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if number.contains(':') {
        let times = number.split(':').all(|part| (1..=2).contains(&part.len()) && !part.contains('.'));
        return (times && unit.is_empty()).then_some(Measure { value: 0.0, unit });
    }
    let lower = unit.to_ascii_lowercase();
    let scale = match lower.as_bytes().first() {
        Some(b'k') => 1e3,
        Some(b'm') if !matches!(&*lower, "m" | "ms" | "min") || unit == "M" => 1e6,
        Some(b'g') => 1e9,
        Some(b't') => 1e12,
        _ => 1.0,
    };
    let known = unit.is_empty() || UNITS.contains(&&*lower);
    Some(Measure { value: number.parse::<f64>().ok()? * scale, unit }).filter(|_| known)
}

fn is_unit(chunk: &str) -> bool {
    UNITS.contains(&&*chunk.to_ascii_lowercase())
}

/// Whether this is a placeholder for an unknown number: `--:--:--`, `?`, `?it/s`, `--.-KB/s`.
fn is_placeholder(chunk: &str) -> bool {
    let rest = chunk.trim_start_matches(['-', ':', '.', '?']);
    rest.len() < chunk.len() && (rest.is_empty() || is_unit(rest)) && !chunk.starts_with('.')
}

/// Whether this is a row of curl's meter: numbers with a letter for their unit, and times.
fn is_curl(text: &str) -> bool {
    let mut fields = 0;
    for field in text.split_ascii_whitespace() {
        fields += 1;
        let is_field = field == "--:--:--" || measure(field.trim_end_matches(['k', 'M', 'G', 'T'])).is_some();
        if !is_field || fields > CURL_FIELDS {
            return false;
        }
    }
    let is_percent = |field: &str| field.parse::<u8>().is_ok_and(|value| value <= 100);
    let is_time = |field: &str| field.bytes().filter(|byte| *byte == b':').count() == 2;
    let mut all = text.split_ascii_whitespace();
    fields == CURL_FIELDS && all.next().is_some_and(is_percent) && all.skip(7).take(3).all(is_time)
}

/// Whether the text has an empty bar: `[    ]`.
fn has_empty_bar(text: &str) -> bool {
    let mut rest = text;
    while let Some((_, inside)) = rest.split_once('[') {
        let trimmed = inside.trim_start_matches(' ');
        if trimmed.len() < inside.len() && trimmed.starts_with(']') {
            return true;
        }
        rest = trimmed;
    }
    false
}
