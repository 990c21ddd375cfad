//! Lines without what every line starts with.

use super::{margin::drop_margin, stamp::Stamp};
use crate::text::tree;

use crate::tuning::tuning;

/// Stands for the time of a line that prints none.
const NO_TIME: i64 = i64::MIN;

/// A line without its line end and, where every line has one, without the time at its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'t> {
    pub(crate) text: &'t str,
    /// The time that the line prints, in milliseconds. Behind the time that a runner of builds puts before each line, lines
    /// may have their own.
    millis: i64,
    /// The width in characters of what indents the text, and its length in bytes: spaces, tabs, or the branches of a drawn tree.
    indent: (u16, u16),
    /// The bytes of the line at which its time starts and ends.
    stamp: (u8, u8),
    /// Whether the indentation says what the line is a part of.
    is_nested: bool,
    /// Whether the time makes the line an event of its own: not if every line has one, as a runner of builds puts it.
    pub(crate) is_event: bool,
}

impl<'t> Body<'t> {
    /// Takes a whole line.
    fn new(line: &'t str) -> Self {
        let found = Stamp::parse(line);
        let byte = |at: usize| u8::try_from(at).unwrap_or(u8::MAX);
        let body = Self {
            text: line,
            millis: found.map_or(NO_TIME, |found| found.millis),
            indent: (0, 0),
            stamp: found.map_or((0, 0), |found| (byte(found.start), byte(found.end))),
            is_nested: false,
            is_event: found.is_some(),
        };
        body.from(0)
    }

    /// Drops the bytes before this one.
    pub(super) fn from(self, start: u8) -> Self {
        let text = self.text.get(usize::from(start)..).unwrap_or_default().trim_end();
        let spaces = text.len() - text.trim_start_matches([' ', '\t']).len();
        let branches = tree::branches(text);
        let bytes = branches.unwrap_or(spaces);
        let (indent, bare) = text.split_at_checked(bytes).unwrap_or_default();
        let width = branches.map_or(bytes, |_| indent.chars().count());
        let small = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
        // Numbers are aligned to the right, and their lines are no less equal for it. One space behind a time pads the
        // names of levels.
        let digits = bare.bytes().take_while(u8::is_ascii_digit).count();
        let is_item = bare.as_bytes().get(digits) == Some(&b')');
        let is_padding = start > 0 && bytes == 1 || digits > 0 && !is_item;
        let is_nested = branches.is_some() || !is_padding;
        Self { text, indent: (small(width), small(bytes)), is_nested, ..self }
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns the text without its indentation.
    pub(crate) fn bare(&self) -> &'t str {
        self.text.get(usize::from(self.indent.1)..).unwrap_or_default()
    }

    /// Returns the width of the indentation.
    pub(crate) fn indent(&self) -> u32 {
        self.indent.0.into()
    }

    /// Returns the indentation that says what the line is a part of.
    pub(crate) fn level(&self) -> u32 {
        if self.is_nested { self.indent() } else { 0 }
    }

    /// Returns the time that the line prints, in milliseconds.
    pub(crate) const fn time(&self) -> Option<i64> {
        if self.millis == NO_TIME { None } else { Some(self.millis) }
    }

    /// Returns the part of a line before its time: the program or the host that printed it.
    pub(super) fn source<'l>(&self, line: &'l str) -> &'l str {
        line.get(..usize::from(self.stamp.0)).unwrap_or_default()
    }

    pub(super) const fn is_stamped_at_start(&self) -> bool {
        self.millis != NO_TIME && self.stamp.0 == 0
    }

    const fn is_stamped_behind(&self) -> bool {
        self.millis != NO_TIME && self.stamp.0 > 0
    }
}

/// Returns the bodies of lines.
pub(crate) fn bodies<'t>(lines: &[&'t str]) -> Vec<Body<'t>> {
    let mut bodies: Vec<Body<'t>> = lines.iter().map(|line| Body::new(line)).collect();
    let count = |test: fn(&Body<'t>) -> bool| bodies.iter().filter(|body| test(body)).count();
    let filled = lines.len() - count(Body::is_blank);
    let (stamped, behind) = (count(Body::is_stamped_at_start), count(Body::is_stamped_behind));
    if stamped + behind == 0 {
        drop_margin(&mut bodies);
        return bodies;
    }
    // A runner of builds puts the time before everything, also before lines with another time and empty ones.
    let all_start = stamped * tuning().records.lines_per_stray
        >= filled * (tuning().records.lines_per_stray - 1)
        && stamped > behind;
    let all_behind = behind * tuning().records.lines_per_stray
        >= filled * (tuning().records.lines_per_stray - 1)
        && lines.iter().filter(|line| line.contains('\t')).count() >= behind;
    let is_every = all_start && stamped == filled || all_behind && behind == filled;
    for body in bodies.iter_mut().filter(|body| body.time().is_some()) {
        body.is_event = !is_every;
        let is_cut = if body.is_stamped_at_start() { all_start } else { all_behind };
        if is_cut {
            *body = body.from(body.stamp.1);
        }
    }
    if is_every && has_own_times(&bodies) {
        for body in &mut bodies {
            let own = Stamp::parse(body.text);
            body.millis = own.map_or(NO_TIME, |own| own.millis);
            body.is_event = own.is_some();
        }
    }
    if is_every {
        drop_margin(&mut bodies);
    }
    bodies
}

/// Whether most lines have a time behind the one that all have.
fn has_own_times(bodies: &[Body<'_>]) -> bool {
    const SAMPLE_LINES: usize = 64;
    let step = (bodies.len() / SAMPLE_LINES).max(1);
    let sample = || bodies.iter().step_by(step);
    sample().filter(|body| Stamp::parse(body.text).is_some()).count() * 2 > sample().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_small() {
        assert!(size_of::<Body<'_>>() <= 32, "a text of short lines has many: {}", size_of::<Body<'_>>());
    }
}
