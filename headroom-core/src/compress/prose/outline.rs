//! Splits a document into units that stay or go as a whole: headings, sentences, list items, code blocks, tables, and
//! the turns of a conversation.

use std::ops::Range;

use super::{
    sentence,
    shape::{LineKind, LineShape},
};

use crate::{text::lines, tuning::tuning};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProseUnitKind {
    Heading,
    Sentence,
    Item,
    Code,
    Table,
    /// A row of cells that no bar encloses.
    Row,
    Quote,
    /// A turn in a conversation.
    Turn,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProseUnit {
    pub(super) kind: ProseUnitKind,
    /// Its bytes, without white space between it and other units on the same line.
    pub(super) bytes: Range<usize>,
    /// Its first and last line, counted from zero.
    pub(super) lines: (u32, u32),
    /// The index of its paragraph.
    pub(super) paragraph: u32,
}

/// Starts of the lines of an indented block.
const BLOCK_INDENTS: [&str; 2] = ["    ", "\t"];
/// Number of lines examined to detect a conversation.
const SAMPLE: usize = 400;

/// Returns the units of a text, in order. Only white space separates them.
pub(super) fn units(text: &str, shapes: &[LineShape<'_>]) -> Vec<ProseUnit> {
    let mut reader = OutlineReader {
        units: Vec::new(),
        paragraph: 0,
        is_conversation: is_conversation(text),
        was_blank: true,
        in_block: false,
        last: "",
    };
    let mut start = 0;
    for ((number, line), shape) in (0..).zip(text.split('\n')).zip(shapes) {
        reader.line(shape, start, number);
        start += line.len() + 1;
    }
    reader.units
}

struct OutlineReader<'t> {
    units: Vec<ProseUnit>,
    paragraph: u32,
    is_conversation: bool,
    was_blank: bool,
    /// Whether the previous line is in a block of indented lines.
    in_block: bool,
    /// The previous line.
    last: &'t str,
}

impl<'t> OutlineReader<'t> {
    fn line(&mut self, shape: &LineShape<'t>, start: usize, number: u32) {
        let line = shape.line;
        let bytes = start..start + line.len();
        match shape.kind {
            LineKind::Fenced => return self.extend(bytes, number),
            LineKind::Blank => {
                self.was_blank = true;
                return;
            }
            _ => {}
        }
        let in_list = self.units.last().is_some_and(|unit| unit.kind == ProseUnitKind::Item);
        let starts_block = self.was_blank && !in_list;
        if BLOCK_INDENTS.iter().any(|indent| line.starts_with(indent))
            && (starts_block || self.in_block && !self.was_blank)
        {
            self.indented(shape, bytes, number);
            (self.in_block, self.was_blank, self.last) = (true, false, line);
            return;
        }
        self.in_block = false;
        self.plain(shape, start, number);
    }

    /// Adds a line of code in a document, or of a drawing; the block stays or goes as a whole, but for its title.
    fn indented(&mut self, shape: &LineShape<'t>, bytes: Range<usize>, number: u32) {
        let goes_on = self.units.last().is_some_and(|unit| unit.kind == ProseUnitKind::Code);
        if self.was_blank && matches!(shape.kind, LineKind::Title | LineKind::Heading) {
            self.paragraph += 1;
            self.push(ProseUnitKind::Heading, bytes, number);
        } else if self.was_blank || !goes_on {
            self.paragraph += 1;
            self.push(ProseUnitKind::Code, bytes, number);
        } else {
            self.extend(bytes, number);
        }
    }

    fn plain(&mut self, shape: &LineShape<'t>, start: usize, number: u32) {
        let line = shape.line;
        let trimmed = line.trim();
        let bytes = start..start + line.len();
        let kind = kind(shape);
        let continues = !self.was_blank && self.units.last().is_some_and(|unit| unit.kind == kind);
        self.paragraph += u32::from(self.was_blank || kind != ProseUnitKind::Sentence || !continues);
        let is_next = !std::mem::replace(&mut self.was_blank, false);
        let before = std::mem::replace(&mut self.last, line);
        let last =
            self.units.last().filter(|unit| is_next && unit.bytes.len() < tuning().genre.max_sentence_bytes);
        let is_indented = line.starts_with([' ', '\t']);
        let is_text = shape.kind == LineKind::Text;
        match kind {
            ProseUnitKind::Table | ProseUnitKind::Quote if continues => self.extend(bytes, number),
            ProseUnitKind::Sentence
                if is_indented && last.is_some_and(|unit| unit.kind == ProseUnitKind::Item) =>
            {
                self.extend(bytes, number);
            }
            ProseUnitKind::Sentence if self.is_conversation && is_turn(line) => {
                self.push(ProseUnitKind::Turn, bytes, number);
            }
            ProseUnitKind::Sentence => {
                let goes_on =
                    is_text && last.is_some_and(|unit| unit.kind == kind) && goes_on(before, trimmed);
                self.sentences(line, start, number, goes_on);
            }
            _ => self.push(kind, bytes, number),
        }
    }

    fn push(&mut self, kind: ProseUnitKind, bytes: Range<usize>, line: u32) {
        self.units.push(ProseUnit { kind, bytes, lines: (line, line), paragraph: self.paragraph });
    }

    fn extend(&mut self, bytes: Range<usize>, line: u32) {
        if let Some(unit) = self.units.last_mut() {
            unit.bytes.end = bytes.end;
            unit.lines.1 = line;
        }
    }

    /// Adds the sentences of a line. The first starts with the line unless it continues the previous line; the last
    /// ends with it.
    fn sentences(&mut self, line: &str, start: usize, number: u32, goes_on: bool) {
        let mut from = 0;
        sentence::ends(line, |end| {
            let sentence = line.get(from..end).unwrap_or_default();
            let indent = if from == 0 { 0 } else { sentence.len() - sentence.trim_start().len() };
            if from == 0 && goes_on {
                self.extend(start..start + end, number);
            } else if !sentence.trim().is_empty() {
                self.push(ProseUnitKind::Sentence, start + from + indent..start + end, number);
            } else if let Some(last) = self.units.last_mut() {
                // White space after the last sentence.
                last.bytes.end = start + end;
            }
            from = end;
        });
    }
}

/// Whether the last sentence of a line continues on the next.
fn goes_on(line: &str, next: &str) -> bool {
    let is_open = !sentence::is_complete(line.trim_end());
    is_open && (line.len() >= tuning().genre.min_wrapped_bytes || next.starts_with(char::is_lowercase))
}

fn kind(shape: &LineShape<'_>) -> ProseUnitKind {
    let line = shape.line.trim();
    match shape.kind {
        LineKind::Heading | LineKind::Title | LineKind::Rule => ProseUnitKind::Heading,
        LineKind::Fence | LineKind::Fenced => ProseUnitKind::Code,
        LineKind::Row if line.starts_with('|') => ProseUnitKind::Table,
        LineKind::Row => ProseUnitKind::Row,
        LineKind::Quote => ProseUnitKind::Quote,
        LineKind::Item(_) if is_item(line) => ProseUnitKind::Item,
        _ => ProseUnitKind::Sentence,
    }
}

/// Whether a line starts with `- `, `* `, `+ `, `1. ` or `1) `.
fn is_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).unwrap_or_default();
    let marks: &[&str] = if digits == 0 { &["- ", "* ", "+ ", "• "] } else { &[". ", ") "] };
    digits <= 3 && marks.iter().any(|mark| rest.starts_with(mark))
}

/// Whether most lines start with a speaker.
fn is_conversation(text: &str) -> bool {
    let lines = lines::split(text).filter(|line| !line.trim().is_empty()).take(SAMPLE);
    let (said, all) = lines.fold((0, 0), |(said, all), line| (said + usize::from(speaker(line)), all + 1));
    all >= tuning().genre.min_turns && said * 3 > all * 2
}

/// Whether a line is what one speaker says, and short enough to stay or go as a whole.
fn is_turn(line: &str) -> bool {
    line.len() <= tuning().genre.long_turn_bytes && speaker(line)
}

/// Whether a line starts with a name and a colon.
fn speaker(line: &str) -> bool {
    let name = line.split(':').next().filter(|name| name.len() < line.len()).unwrap_or_default();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '\'' | '(' | ')');
    (1..=tuning().genre.max_name_bytes).contains(&name.len())
        && name.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit())
        && name.chars().all(plain)
        && line.get(name.len() + 1..).is_some_and(|rest| rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::prose::shape::shapes;

    fn all(text: &str) -> Vec<ProseUnit> {
        units(text, &shapes(text))
    }

    fn shown(text: &str) -> Vec<(ProseUnitKind, &str)> {
        all(text).into_iter().map(|unit| (unit.kind, &text[unit.bytes])).collect()
    }

    #[test]
    fn documents_have_units() {
        let text = "# Title\n\nOne. Two is here.  \nThree.\n\n- item one. Still.\n- two\n```sh\nls\n\ncd\n```\n| a | b |\n|---|---|\n1. x\n";
        let expected = [
            (ProseUnitKind::Heading, "# Title"),
            (ProseUnitKind::Sentence, "One."),
            (ProseUnitKind::Sentence, "Two is here.  "),
            (ProseUnitKind::Sentence, "Three."),
            (ProseUnitKind::Item, "- item one. Still."),
            (ProseUnitKind::Item, "- two"),
            (ProseUnitKind::Code, "```sh\nls\n\ncd\n```"),
            (ProseUnitKind::Table, "| a | b |\n|---|---|"),
            (ProseUnitKind::Item, "1. x"),
        ];
        assert_eq!(shown(text), expected);
        let paragraphs: Vec<u32> = all(text).iter().map(|unit| unit.paragraph).collect();
        assert_eq!(paragraphs[1..4], [2, 2, 2]);
    }

    #[test]
    fn sentences_go_on_in_the_next_line() {
        let text = "The light of the tower was seen by all of\nthe ships. It was lit by\r\nDr.\nBrown. Then\nhe left.\n\
                    - an item\n  that goes on\nTitle\nMore.\n";
        let expected = [
            (ProseUnitKind::Sentence, "The light of the tower was seen by all of\nthe ships."),
            (ProseUnitKind::Sentence, "It was lit by"),
            (ProseUnitKind::Sentence, "Dr."),
            (ProseUnitKind::Sentence, "Brown."),
            (ProseUnitKind::Sentence, "Then\nhe left."),
            (ProseUnitKind::Item, "- an item\n  that goes on"),
            (ProseUnitKind::Sentence, "Title"),
            (ProseUnitKind::Sentence, "More."),
        ];
        assert_eq!(shown(text), expected);
    }

    #[test]
    fn turns_of_a_conversation_are_units() {
        let text = "Keeper: It is dark. Very.\nMate (second): Yes .\n".repeat(6);
        assert!(all(&text).iter().all(|unit| unit.kind == ProseUnitKind::Turn) && all(&text).len() == 12);
        assert_eq!(all("Note: this. And that.\nNo more of it.").len(), 3);
    }

    proptest::proptest! {
        #[test]
        fn only_white_space_lies_between_units(parts in proptest::collection::vec(proptest::sample::select(vec![
            "A b. ", "\n", "# ", "```", "| ", "- x", "\r\n", "é.", "Q: r\n", "。", "  ", "\t", "Dr. ",
        ]), 0..60)) {
            let text = parts.concat();
            let mut at = 0;
            for unit in all(&text) {
                assert!(unit.bytes.start >= at && text[at..unit.bytes.start].trim().is_empty());
                at = unit.bytes.end;
            }
            assert!(text[at..].trim().is_empty());
        }
    }
}
