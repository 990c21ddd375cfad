use proptest::prelude::*;

use super::*;

/// Puts back the lines that the markers of `output` stand for. `source` gives a text by its origin.
pub(crate) fn decode(output: &str, source: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let own = Lines::new(output)?;
    // The style of the numbers before a gap, for gaps whose lines are numbered in another way at their source.
    let mut style_before: Option<Run> = None;
    let mut text = String::new();
    let mut at = 0;
    for line in &own.lines {
        text.push_str(output.get(at..line.start as usize)?);
        at = line.end as usize;
        let content = output.get(line.range())?;
        let Some(reference) = Reference::parse(content) else {
            if let Some((number, body)) = crate::text::numbered::parse(content) {
                style_before = crate::text::numbered::runs(&[
                    content,
                    &plus(content, number, body, 1),
                    &plus(content, number, body, 2),
                ])
                .pop();
            }
            text.push_str(content);
            continue;
        };
        let source = source(reference.origin)?;
        let theirs = Lines::new(&source)?;
        let first = match (reference.there, reference.here) {
            (There::Whole, _) => {
                text.push_str(source.strip_suffix('\n').unwrap_or(&source));
                continue;
            }
            (There::Position { first, .. }, _) => first as usize - 1,
            (There::Numbered { first, .. }, _) | (There::Same, Here::Numbered { first, .. }) => {
                let holds =
                    |run: &&Run| first >= run.first && ((first - run.first) as usize) < run.lines.len();
                let run = theirs.runs.iter().find(holds)?;
                run.lines.start + (first - run.first) as usize
            }
            (There::Same, Here::Plain) => return None,
        };
        let (count, number) = match (reference.here, reference.there) {
            (Here::Numbered { first, last }, _) => (last - first + 1, Some(first)),
            (_, There::Numbered { first, last } | There::Position { first, last }) => {
                (last - first + 1, None)
            }
            _ => return None,
        };
        let count = count as usize;
        for (offset, line) in theirs.lines.get(first..first + count)?.iter().enumerate() {
            if offset > 0 {
                text.push('\n');
            }
            if let Some(number) = number {
                let run = match (reference.there, theirs.run(line)) {
                    (There::Position { .. }, None) => style_before.clone()?,
                    (_, Some(run)) if style_before.is_none() => run.clone(),
                    (_, Some(run)) => {
                        style_before.clone().filter(|own| own.style != run.style).unwrap_or(run.clone())
                    }
                    (_, None) => style_before.clone()?,
                };
                text.push_str(&run.prefix(number + u32::try_from(offset).ok()?));
            }
            text.push_str(line.body(&source));
        }
    }
    text.push_str(output.get(at..)?);
    Some(text)
}

/// The line that many numbers further. Padding gives way to a number that has become longer.
fn plus(line: &str, number: u32, body: usize, add: u32) -> String {
    let (digits, next) = (number.to_string(), (number + add).to_string());
    let prefix = line.get(..body).unwrap_or_default();
    let longer = format!("{}{digits}", if prefix.contains(&format!("0{digits}")) { '0' } else { ' ' });
    let from = if next.len() > digits.len() && prefix.contains(&longer) { &longer } else { &digits };
    prefix.replacen(from, &next, 1) + line.get(body..).unwrap_or_default()
}

fn origin(id: u32) -> Origin {
    Origin { name: format!("result {id}"), label: "Read a.py".to_owned() }
}

fn replace(text: &str, found: &[RepeatedRun]) -> String {
    let mut output = String::new();
    let mut at = 0;
    for found in found {
        output.push_str(&text[at..found.bytes.start]);
        output.push_str(&found.marker);
        at = found.bytes.end;
    }
    output + &text[at..]
}

/// Indexes `sources`, refers to them from `text`, checks that the text comes back, and returns what was made of it.
fn round_trip(sources: &[String], text: &str) -> String {
    let mut index = Index::default();
    for (id, source) in (0..).zip(sources) {
        index.add(id, origin(id), source);
    }
    let found = index.find(text, &|id| sources.get(id as usize).map(String::as_str), &|_| true);
    let output = replace(text, &found);
    let read = |origin: &str| {
        let id: usize = origin.split(' ').nth(1)?.parse().ok()?;
        sources.get(id).cloned()
    };
    assert_eq!(decode(&output, &read).as_deref(), Some(text), "{output}");
    output
}

fn code(lines: std::ops::Range<usize>) -> Vec<String> {
    lines.map(|n| format!("    value_{n} = compute(argument_{})", n * 7)).collect()
}

fn number(lines: &[String], first: usize, style: impl Fn(usize, &str) -> String) -> String {
    lines.iter().enumerate().map(|(n, line)| style(first + n, line) + "\n").collect()
}

#[test]
fn the_same_text_is_one_reference() {
    let text = code(0..20).join("\n");
    assert_eq!(
        round_trip(std::slice::from_ref(&text), &text),
        "[headroom: same as result 0 above, Read a.py]"
    );
}

#[test]
fn a_part_keeps_what_is_new() {
    let mut lines = code(0..30);
    let before = lines.join("\n") + "\n";
    lines[15] = "changed".to_owned();
    assert_eq!(
        round_trip(&[before], &(lines.join("\n") + "\n")),
        "[headroom: output lines 1-15 of result 0 above, Read a.py]\nchanged\n\
         [headroom: output lines 17-30 of result 0]\n"
    );
}

#[test]
fn numbered_views_match_after_lines_moved() {
    let before = number(&code(0..30), 1, |n, line| format!("{n:6}\t{line}"));
    let mut lines = code(0..30);
    lines.insert(10, "new".to_owned());
    let after = number(&lines, 1, |n, line| format!("{n:6}\t{line}"));
    assert_eq!(
        round_trip(&[before], &after),
        "[headroom: lines 1-10 as in result 0 above, Read a.py]\n    11\tnew\n\
         [headroom: lines 12-31 = lines 11-30 of result 0]\n"
    );
}

#[test]
fn another_numbering_style_keeps_its_first_line() {
    let lines = code(0..12);
    let before = number(&lines, 1, |n, line| format!("{n:6}→{line}"));
    let after = number(&lines, 1, |n, line| format!("{n}: {line}"));
    assert_eq!(
        round_trip(&[before], &after),
        "1:     value_0 = compute(argument_0)\n[headroom: lines 2-12 as in result 0 above, Read a.py]\n"
    );
}

#[test]
fn plain_text_matches_a_numbered_view() {
    let lines = code(0..12);
    let before = number(&lines, 40, |n, line| format!("{n:6}→{line}"));
    assert_eq!(
        round_trip(&[before], &(lines.join("\n") + "\n")),
        "[headroom: lines 40-51 of result 0 above, Read a.py]\n"
    );
}

#[test]
fn lines_with_a_marker_are_never_referred_to() {
    let text = format!("{0}\n{0}\n{0}\n{0}\n", "[headroom: output lines 17-30 of result 0 above, Read a.py]");
    let mut index = Index::default();
    index.add(0, origin(0), &text);
    assert!(index.find(&text, &|_| Some(&text), &|_| true).is_empty());
}

#[test]
fn short_runs_stay() {
    let text = "a\nb\nc\nd\n";
    assert_eq!(round_trip(&[text.to_owned()], text), text);
}

#[test]
fn numbers_that_gain_a_digit_keep_their_style() {
    type Style = fn(usize, &str) -> String;
    let styles: [Style; 3] = [
        |n, line| format!("{n:6}\t{line}"),
        |n, line| format!("{n:05}| {line}"),
        |n, line| format!("{n}: {line}"),
    ];
    let source = number(&code(0..12), 130, |n, line| format!("{n:6}→{line}"));
    for first in [8, 98, 998] {
        for style in styles {
            let output = round_trip(std::slice::from_ref(&source), &number(&code(0..12), first, style));
            let marker = format!("lines {}-{} = lines 131-141", first + 1, first + 11);
            assert!(output.contains(&marker), "{output}");
        }
    }
}

proptest! {
    #[test]
    fn every_reference_can_be_resolved(
        sources in prop::collection::vec(prop::collection::vec(0_usize..40, 0..60), 1..4),
        text in prop::collection::vec(0_usize..40, 0..60),
        styles in prop::collection::vec(0_usize..5, 5),
        first in 1_usize..1200,
    ) {
        let pool = code(0..36).into_iter().chain(["".into(), "}".into(), "x".into(), "é→ü".into()]).collect::<Vec<_>>();
        let render = |lines: &[usize], style: usize| {
            let lines: Vec<String> = lines.iter().map(|n| pool[*n].clone()).collect();
            number(&lines, first, |n, line| match style {
                0 => format!("{n:6}\t{line}"),
                1 => format!("{n:6}→{line}"),
                2 => format!("{n}: {line}"),
                3 => format!("{n:05}| {line}"),
                _ => line.to_owned(),
            })
        };
        let sources: Vec<String> = sources.iter().zip(&styles).map(|(lines, style)| render(lines, *style)).collect();
        round_trip(&sources, &render(&text, styles[4]));
    }
}
