//! Reads the time at the start of a line.

use memchr::{memchr, memchr_iter, memchr3};

/// Limit on the bytes of a line in which a time is looked for.
const MAX_BYTES: usize = 96;
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
const DAYS: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];

/// A time that a line prints. Zones are ignored: a program rarely changes its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Milliseconds since some fixed time; times of day count from midnight.
    pub(crate) millis: i64,
    /// The bytes of the time, with brackets around it and spaces behind it.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Stamp {
    /// Returns the time at the start of a line, after at most two fields that end with a tab, and otherwise a full date
    /// with a time further on, as in `1.2.3.4 - - [10/Oct/2026:13:55:36]` and `level=info ts=2026-06-01T10:00:00Z`.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let bytes = line.as_bytes();
        let bytes = bytes.get(..MAX_BYTES).unwrap_or(bytes);
        // Every form but seconds has a colon, and these have another mark or are long.
        let has_colon = memchr(b':', bytes).is_some();
        if !has_colon && memchr3(b'-', b'/', b'.', bytes).is_none() && !starts_with_number(bytes) {
            return None;
        }
        let forms = if has_colon { Forms::ALL } else { Forms::SECONDS };
        let mut at = 0;
        for _ in 0..3 {
            if let Some(stamp) = stamp_at(bytes, at, &forms) {
                return Some(stamp);
            }
            let Some(tab) = memchr(b'\t', bytes.get(at..)?) else { break };
            at += tab + 1;
        }
        memchr_iter(b':', bytes).find_map(|colon| full_date(bytes, colon))
    }
}

/// Returns the full date whose first colon is this one.
fn full_date(bytes: &[u8], colon: usize) -> Option<Stamp> {
    // `2026-06-01T10:` and `10/Oct/2026:`
    const WIDTHS: [(usize, usize, Form); 2] = [(13, 4, iso), (11, 2, common_log)];
    WIDTHS.iter().find_map(|(width, mark, form)| {
        let start = colon.checked_sub(*width)?;
        let before = bytes.get(start.checked_sub(1)?)?;
        let opens = matches!(before, b' ' | b'[' | b'=' | b'"' | b'|' | b'(');
        let is_date = opens
            && bytes.get(start).is_some_and(u8::is_ascii_digit)
            && matches!(bytes.get(start + mark), Some(b'-' | b'/' | b'.'));
        if is_date { stamp_at(bytes, start, &Forms { digit: &[*form], letter: &[] }) } else { None }
    })
}

/// Whether a line starts with seconds since 1970.
fn starts_with_number(bytes: &[u8]) -> bool {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).count() >= 10
}

/// Reads a time of one form, and returns it in milliseconds.
type Form = fn(&mut Cursor<'_>) -> Option<i64>;

/// The forms of times that start with a digit, and with a letter.
struct Forms<'f> {
    digit: &'f [Form],
    letter: &'f [Form],
}

impl Forms<'static> {
    const ALL: Self = Self { digit: &[iso, clock, kernel, epoch, month_and_day], letter: &[syslog, klog] };
    const SECONDS: Self = Self { digit: &[kernel, epoch], letter: &[] };
}

/// Parses the time here.
fn stamp_at(bytes: &[u8], start: usize, forms: &Forms<'_>) -> Option<Stamp> {
    let mut cursor = Cursor { bytes, at: start };
    cursor.skip(|byte| matches!(byte, b'[' | b'(' | b'"' | b' '), 8);
    let at = cursor.at;
    let forms = match cursor.byte() {
        b'0'..=b'9' => forms.digit,
        b'A'..=b'Z' => forms.letter,
        _ => return None,
    };
    let millis = forms.iter().find_map(|form| {
        cursor.at = at;
        form(&mut cursor)
    })?;
    cursor.zone();
    cursor.skip(|byte| matches!(byte, b']' | b')' | b'"'), 2);
    cursor.skip(|byte| byte == b' ', 1);
    Some(Stamp { millis, start, end: cursor.at })
}

struct Cursor<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Cursor<'_> {
    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or_default()
    }

    fn skip(&mut self, pass: impl Fn(u8) -> bool, most: usize) {
        for _ in 0..most {
            if self.at >= self.bytes.len() || !pass(self.byte()) {
                return;
            }
            self.at += 1;
        }
    }

    fn expect(&mut self, wanted: impl Fn(u8) -> bool) -> Option<()> {
        wanted(self.byte()).then(|| self.at += 1)
    }

    /// Reads a number of exactly this many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let read = self.digits()?;
        (read.1 == digits).then_some(read.0)
    }

    /// Reads a number, and returns it with the count of its digits.
    fn digits(&mut self) -> Option<(i64, usize)> {
        let start = self.at;
        let mut value = 0;
        while self.byte().is_ascii_digit() && self.at - start < 14 {
            value = value * 10 + i64::from(self.byte() - b'0');
            self.at += 1;
        }
        (self.at > start).then_some((value, self.at - start))
    }

    /// Reads the fraction of a second, and returns its milliseconds.
    fn fraction(&mut self) -> i64 {
        let is_one =
            matches!(self.byte(), b'.' | b',') && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
        if !is_one {
            return 0;
        }
        self.at += 1;
        let (mut value, mut scale) = (0, 100);
        while self.byte().is_ascii_digit() {
            value += scale * i64::from(self.byte() - b'0');
            scale /= 10;
            self.at += 1;
        }
        value
    }

    /// Reads `HH:MM:SS` with a fraction.
    fn time(&mut self) -> Option<i64> {
        let hours = self.number(2)?;
        self.expect(|byte| byte == b':')?;
        let minutes = self.number(2)?;
        let mut millis = 0;
        if self.byte() == b':' {
            self.at += 1;
            millis = self.number(2)? * 1000 + self.fraction();
        }
        (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60_000 + millis)
    }

    /// Reads the name of a month and returns its number.
    fn month(&mut self) -> Option<i64> {
        let name = self.bytes.get(self.at..self.at + 3)?;
        let number = (1_i64..).zip(MONTHS).find(|(_, month)| month.as_slice() == name)?.0;
        self.at += 3;
        Some(number)
    }

    fn zone(&mut self) {
        let at = self.at;
        if self.byte() == b' ' && matches!(self.bytes.get(at + 1), Some(b'+' | b'-')) {
            self.at += 1;
        }
        match self.byte() {
            b'Z' => self.at += 1,
            b'+' | b'-' => {
                self.at += 1;
                let start = self.at;
                self.skip(|byte| byte.is_ascii_digit() || byte == b':', 5);
                if self.at - start < 2 {
                    self.at = at;
                }
            }
            _ => self.at = at,
        }
    }
}

/// `2026-06-01T10:00:00.123Z`, `2026/06/01 10:00:00`
fn iso(cursor: &mut Cursor<'_>) -> Option<i64> {
    let year = cursor.number(4)?;
    let mark = cursor.byte();
    cursor.expect(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
    let month = cursor.number(2)?;
    cursor.expect(|byte| byte == mark)?;
    let day = cursor.number(2)?;
    cursor.expect(|byte| matches!(byte, b'T' | b' ' | b'_' | b',' | b'-'))?;
    Some(day_number(year, month, day)? * DAY + cursor.time()?)
}

/// `Jun  1 10:00:00`, `Mon Jun  1 10:00:00 2026`
fn syslog(cursor: &mut Cursor<'_>) -> Option<i64> {
    let weekday = cursor.bytes.get(cursor.at..cursor.at + 3)?;
    if DAYS.iter().any(|day| day.as_slice() == weekday) {
        cursor.at += 3;
        cursor.expect(|byte| byte == b' ')?;
    }
    let month = cursor.month()?;
    cursor.skip(|byte| byte == b' ', 2);
    let (day, _) = cursor.digits()?;
    cursor.expect(|byte| byte == b' ')?;
    let time = cursor.time()?;
    let at = cursor.at;
    cursor.skip(|byte| byte == b' ', 1);
    let year = cursor.number(4).filter(|year| (1970..2200).contains(year));
    if year.is_none() {
        cursor.at = at;
    }
    Some(day_number(year.unwrap_or(2000), month, day)? * DAY + time)
}

/// `10/Oct/2026:13:55:36`
fn common_log(cursor: &mut Cursor<'_>) -> Option<i64> {
    let day = cursor.number(2)?;
    cursor.expect(|byte| byte == b'/')?;
    let month = cursor.month()?;
    cursor.expect(|byte| byte == b'/')?;
    let year = cursor.number(4)?;
    cursor.expect(|byte| byte == b':')?;
    Some(day_number(year, month, day)? * DAY + cursor.time()?)
}

/// `10:00:00.123`
fn clock(cursor: &mut Cursor<'_>) -> Option<i64> {
    let start = cursor.at;
    let time = cursor.time()?;
    // `10:00` alone may be anything.
    (cursor.at - start >= 8).then_some(time)
}

/// `I0601 10:00:00.123456`
fn klog(cursor: &mut Cursor<'_>) -> Option<i64> {
    cursor.expect(|byte| matches!(byte, b'I' | b'W' | b'E' | b'F'))?;
    let date = cursor.number(4)?;
    cursor.expect(|byte| byte == b' ')?;
    Some(day_number(2000, date / 100, date % 100)? * DAY + cursor.time()?)
}

/// `[12345.678901]`, behind its bracket
fn kernel(cursor: &mut Cursor<'_>) -> Option<i64> {
    let opens = cursor.at.checked_sub(1).and_then(|before| cursor.bytes.get(before));
    let (whole, _) = cursor.digits()?;
    let fraction = cursor.fraction();
    (matches!(opens, Some(b'[' | b' ')) && cursor.byte() == b']').then_some(whole * 1000 + fraction)
}

/// Seconds or milliseconds since 1970.
fn epoch(cursor: &mut Cursor<'_>) -> Option<i64> {
    let (value, digits) = cursor.digits()?;
    let fraction = if digits == 10 { cursor.fraction() } else { 0 };
    match (digits, cursor.byte()) {
        (10, b' ' | b'\t' | b',' | b']' | b':') => Some(value * 1000 + fraction),
        (13, b' ' | b'\t' | b',' | b']' | b':') => Some(value),
        _ => None,
    }
}

/// `06-01 10:00:00.123`
fn month_and_day(cursor: &mut Cursor<'_>) -> Option<i64> {
    let month = cursor.number(2)?;
    cursor.expect(|byte| matches!(byte, b'-' | b'/'))?;
    let day = cursor.number(2)?;
    cursor.expect(|byte| byte == b' ')?;
    Some(day_number(2000, month, day)? * DAY + clock(cursor)?)
}

/// Returns the number of a day, in the calendar that we use.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // The year starts in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let month = if month > 2 { month - 3 } else { month + 9 };
    Some(year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_many_programs_are_read() {
        for (first, second) in [
            ("2026-06-01T10:00:00Z a", "2026-06-01T10:01:30Z b"),
            ("2026-06-01 10:00:00,123 INFO", "2026-06-01 10:01:30,123 INFO"),
            ("2026-06-01 10:00:00.5 +0200 x", "2026-06-01 10:01:30.5 +0200 x"),
            ("[2026/06/01 10:00:00] x", "[2026/06/01 10:01:30] x"),
            ("Jun  1 10:00:00 host x", "Jun  1 10:01:30 host x"),
            ("Mon Jun  1 10:00:00 2026 x", "Mon Jun  1 10:01:30 2026 x"),
            ("10:00:00.250 [main] x", "10:01:30.250 [main] x"),
            ("I0601 10:00:00.000001 1 a.go:1] x", "W0601 10:01:30.000001 1 a.go:1] x"),
            ("[   12.500000] usb 1-1", "[  102.500000] usb 1-1"),
            ("1780308000.25 x", "1780308090.25 x"),
            ("1780308000250 x", "1780308090250 x"),
            ("06-01 10:00:00.250  12  34 D x", "06-01 10:01:30.250  12  34 D x"),
            ("1.2.3.4 - - [01/Jun/2026:10:00:00 +0000] GET", "1.2.3.4 - - [01/Jun/2026:10:01:30 +0000] GET"),
            ("level=info ts=2026-06-01T10:00:00Z m", "level=info ts=2026-06-01T10:01:30Z m"),
            ("web-1  | 2026-06-01T10:00:00Z m", "web-1  | 2026-06-01T10:01:30Z m"),
            ("build\tRun\t2026-06-01T10:00:00.1Z m", "build\tRun\t2026-06-01T10:01:30.1Z m"),
        ] {
            let (first, second) = (Stamp::parse(first).unwrap(), Stamp::parse(second).unwrap());
            assert_eq!(second.millis - first.millis, 90_000, "{first:?} {second:?}");
        }
    }

    #[test]
    fn days_follow_each_other() {
        for (before, after) in [
            ("2024-02-28", "2024-02-29"),
            ("2024-02-29", "2024-03-01"),
            ("2026-12-31", "2027-01-01"),
            ("2100-02-28", "2100-03-01"),
        ] {
            let of = |day: &str| Stamp::parse(&format!("{day}T10:00:00Z x")).unwrap().millis;
            assert_eq!(of(after) - of(before), DAY, "{before}");
        }
    }

    #[test]
    fn other_numbers_are_no_times() {
        for line in
            ["", "12 files", "10:00", "2026", "2026-06-01", "1.2.3.4 x", "99:00:00 x", "[12/40] CC x.o"]
        {
            assert_eq!(Stamp::parse(line), None, "{line}");
        }
    }

    #[test]
    fn the_rest_of_the_line_starts_behind_the_time() {
        for (line, rest) in [
            ("2026-06-01T10:00:00.1234567Z ##[group]Run", "##[group]Run"),
            ("[2026-06-01 10:00:00] x", "x"),
            ("2026-06-01T10:00:00+02:00   indented", "  indented"),
            ("job\tstep\t2026-06-01T10:00:00Z x", "x"),
        ] {
            assert_eq!(&line[Stamp::parse(line).unwrap().end..], rest);
        }
    }
}
