//! Finds the line that each line belongs to.

use rustc_hash::FxHashMap;

use super::{NONE, Record, RecordKind, body::Body, group, section::Heading};
use crate::relevance::test_result::TestResult;

/// Lines that may own later ones.
struct OpenOwners<'s> {
    /// The headers of the open sections, with their ranks.
    sections: Vec<(usize, usize)>,
    /// Lines with ever more indentation, which own what is indented more. Heads of records have none at all.
    outer: Vec<(i64, usize)>,
    /// The first line of the paragraph.
    paragraph: Option<usize>,
    /// The first line of each step of a build whose lines start with its number, as in `#12 0.3 done`.
    steps: FxHashMap<&'s str, usize>,
    /// The kinds of lines of a record with the last line of each.
    kinds: Vec<(u32, usize)>,
    /// The line above the frames of a Python trace, whose message follows them.
    trace: Option<(usize, u32)>,
    bodies: &'s [Body<'s>],
}

/// Returns the owner of each line.
pub(super) fn owners(bodies: &[Body<'_>], records: &[Record<'_>], headings: &[Heading<'_>]) -> Vec<u32> {
    let mut open = OpenOwners {
        sections: Vec::new(),
        outer: Vec::new(),
        paragraph: None,
        steps: FxHashMap::default(),
        kinds: Vec::new(),
        trace: None,
        bodies,
    };
    let mut owners = Vec::with_capacity(bodies.len());
    let mut records = records.iter().peekable();
    let mut headings = headings.iter().peekable();
    for (line, body) in bodies.iter().enumerate() {
        while records.next_if(|record| record.lines.end <= line).is_some() {
            open.clear();
        }
        let record = records.peek().filter(|record| record.lines.contains(&line));
        let owner = if let Some(heading) = headings.next_if(|heading| heading.line == line) {
            open.section(heading)
        } else if body.is_blank() {
            if record.is_none() {
                open.paragraph = None;
            }
            None
        } else if record.is_some_and(|record| record.lines.start == line) {
            let section = open.head(line);
            record.and_then(|record| record.context).or(section)
        } else if let Some(record) = record {
            // Numbers in groups are no less indented than words.
            let is_group = record.kind == RecordKind::Group;
            if record.is_typed && body.indent() == 0 {
                open.typed(line, body, record.lines.start)
            } else {
                open.nested(line, body, if is_group { body.indent() } else { body.level() })
            }
        } else {
            open.plain(line, body)
        };
        owners.push(owner.and_then(|owner| u32::try_from(owner).ok()).unwrap_or(NONE));
        if let Some(trace) = open.ended_trace(line, body)
            && let (Some(owner), Ok(line)) = (owners.get_mut(trace), u32::try_from(line))
        {
            *owner = line;
        }
    }
    owners
}

impl<'s> OpenOwners<'s> {
    fn clear(&mut self) {
        self.outer.clear();
        self.paragraph = None;
    }

    fn innermost_section(&self) -> Option<usize> {
        self.sections.last().map(|(_, line)| *line)
    }

    fn section(&mut self, heading: &Heading<'_>) -> Option<usize> {
        self.clear();
        // Suites of tests are of one style, and their indentation tells which contains which.
        let indent = |line: usize| self.bodies.get(line).map_or(0, Body::indent);
        let own = indent(heading.line);
        let ends = |(rank, line): &mut (usize, usize)| {
            *rank > heading.rank || *rank == heading.rank && indent(*line) >= own
        };
        while self.sections.pop_if(ends).is_some() {}
        let owner = self.innermost_section();
        self.sections.push((heading.rank, heading.line));
        owner
    }

    /// Takes the head of a record or of an event.
    fn head(&mut self, line: usize) -> Option<usize> {
        self.clear();
        self.outer.push((-1, line));
        self.innermost_section()
    }

    /// Takes a line of a record whose lines start with their kind.
    fn typed(&mut self, line: usize, body: &Body<'_>, head: usize) -> Option<usize> {
        self.outer.clear();
        self.outer.extend([(-1, head), (0, line)]);
        if self.kinds.first().is_none_or(|(_, first)| *first != head) {
            self.kinds.clear();
            let head_body = self.bodies.get(head).map_or("", |body| body.text);
            group::owner(&mut self.kinds, head, head_body);
        }
        group::owner(&mut self.kinds, line, body.text)
    }

    /// Takes a line of a record, or one that continues an event.
    fn nested(&mut self, line: usize, body: &Body<'_>, indent: u32) -> Option<usize> {
        let indent = i64::from(indent);
        let is_item = |body: &Body<'_>| body.bare().starts_with("- ");
        // Items of a YAML list may have the indentation of its key.
        let is_key = |outer: usize| {
            let outer = self.bodies.get(outer);
            outer.is_some_and(|outer| outer.text.ends_with(':') && !is_item(outer))
        };
        let ends = |(outer, at): &mut (i64, usize)| {
            *outer > indent || *outer == indent && !(is_item(body) && is_key(*at))
        };
        while self.outer.pop_if(ends).is_some() {}
        let owner = self.outer.last().map(|(_, line)| *line);
        self.outer.push((indent, line));
        owner
    }

    /// Notes the first line of a Python trace; at its message, returns that line.
    fn ended_trace(&mut self, line: usize, body: &Body<'_>) -> Option<usize> {
        if body.bare().starts_with("Traceback (most recent call last)") {
            self.trace = Some((line, body.indent()));
            return None;
        }
        let is_message = !body.is_blank() && self.trace.is_some_and(|(_, indent)| body.indent() <= indent);
        if is_message { self.trace.take().map(|(line, _)| line) } else { None }
    }

    /// Returns the name of a test in the line above, if this line describes the test and says its result.
    fn described_test(&self, line: usize, body: &Body<'_>) -> Option<usize> {
        let above = line.checked_sub(1)?;
        let name = self.bodies.get(above).filter(|name| name.text.starts_with("test"))?;
        if !body.text.contains(" ... ") {
            return None;
        }
        (TestResult::parse(name.text.as_bytes()) == Some(TestResult::Began)).then_some(above)
    }

    /// Takes a line outside records.
    fn plain(&mut self, line: usize, body: &Body<'s>) -> Option<usize> {
        // One space pads the names of levels.
        if body.is_event && body.level() < 2 {
            return self.head(line);
        }
        if let Some(step) = step(body.text) {
            let first = *self.steps.entry(step).or_insert(line);
            self.clear();
            return if first < line { Some(first) } else { self.innermost_section() };
        }
        let starts = self.paragraph.is_none()
            && body.level() == 0
            && self.outer.first().is_none_or(|(indent, _)| *indent >= 0);
        if starts {
            self.clear();
            self.paragraph = Some(line);
            self.outer.push((0, line));
            return self.innermost_section();
        }
        if let Some(test) = self.described_test(line, body) {
            return Some(test);
        }
        let owner = self.nested(line, body, body.level());
        let paragraph = self.paragraph;
        self.paragraph = paragraph.or(Some(line));
        owner.or_else(|| paragraph.filter(|first| *first != line)).or_else(|| self.innermost_section())
    }
}

/// Returns the number of the step of a build that starts a line, as in `#12 [4/9] RUN make`.
fn step(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('#')?.bytes().take_while(u8::is_ascii_digit).count();
    let number = text.get(..=digits).filter(|_| digits > 0)?;
    text.get(number.len()..)?.starts_with(' ').then_some(number)
}
