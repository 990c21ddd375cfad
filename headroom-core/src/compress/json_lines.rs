//! Chooses lines of a text in which lines of JSON and other lines alternate, as from a build tool that prints messages
//! as JSON.
//!
//! The lines of JSON are rows, chosen like those of an array; the others are a log.

use headroom_json::{Tape, document::Sequence};

use super::{Omission, json::JsonText, log};
use crate::{relevance::Query, tuning::tuning};

/// One line, without its line end.
struct TextLine<'t> {
    start: usize,
    text: &'t str,
    is_json: bool,
    is_kept: bool,
}

/// Returns the lines that may be elided; `None` if the text is not such a mixture.
pub(crate) fn gaps(text: &str, query: &Query<'_>) -> Option<Vec<Omission>> {
    let mut lines = lines(text);
    let bytes: usize = lines.iter().filter(|line| line.is_json).map(|line| line.text.len()).sum();
    if bytes * 100 < text.len() * tuning().json.lines_min_share
        || lines.iter().all(|line| line.is_json || line.text.is_empty())
    {
        return None;
    }
    let joined = |json: bool| -> String {
        let chosen = lines.iter().filter(|line| line.is_json == json).flat_map(|line| [line.text, "\n"]);
        chosen.collect()
    };
    let rows = JsonText::parse(&joined(true), Sequence::Values)?.chosen(query)?;
    let others = joined(false);
    let gaps = log::gaps(&others, query);
    let mut gaps = gaps.iter().peekable();
    let mut rows = rows.into_iter();
    let mut number = 0;
    for line in &mut lines {
        line.is_kept = if line.is_json {
            rows.next()?
        } else {
            number += 1;
            while gaps.next_if(|gap| gap.last < number).is_some() {}
            gaps.peek().is_none_or(|gap| number < gap.first)
        };
    }
    Some(runs(&lines))
}

fn lines(text: &str) -> Vec<TextLine<'_>> {
    let mut start = 0;
    let lines = text.split('\n').map(|line| {
        let from = start;
        start += line.len() + 1;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let is_json = line.starts_with('{')
            && line.ends_with('}')
            && Tape::parse(line).is_ok_and(|tape| tape.root().is_object());
        TextLine { start: from, text: line, is_json, is_kept: true }
    });
    lines.collect()
}

/// Returns the gaps for the runs of lines that are not kept.
fn runs(lines: &[TextLine<'_>]) -> Vec<Omission> {
    let mut at = 0;
    let runs = lines.chunk_by(|a, b| a.is_kept == b.is_kept).filter_map(|run| {
        let before = at;
        at += run.len();
        let (first, last) = (run.first().filter(|line| !line.is_kept)?, run.last()?);
        let range = first.start..last.start + last.text.len();
        let is_long = range.len() >= tuning().json.lines_long_gap_bytes && run.len() > 1;
        if range.len() < tuning().json.lines_min_gap_bytes
            || run.len() < tuning().json.lines_min_gap_lines && !is_long
        {
            return None;
        }
        let json = run.iter().filter(|line| line.is_json).count();
        let summary = match (json, run.len() - json) {
            (json, 0) => format!("{json} JSON values"),
            (0, _) => String::new(),
            (json, other) => format!("{json} JSON values, {other} other lines"),
        };
        let (first, last) = (u32::try_from(before + 1).ok()?, u32::try_from(at).ok()?);
        Some(Omission { range, first, last, summary })
    });
    runs.collect()
}

#[cfg(test)]
mod tests {
    use super::{super::trial, *};

    fn build(messages: usize) -> String {
        (0..messages)
            .map(|n| {
                let level = if n == 70 { "error" } else { "info" };
                let note = if n == 70 { "cannot find value `ledger`" } else { "compiled" };
                format!(
                    "{{\"reason\":\"message\",\"level\":\"{level}\",\"package\":\"p{}\",\"text\":\"{note}\",\"at\":{n}}}\n   Compiling crate{n} v1.{n}.0\n",
                    n % 7
                )
            })
            .collect()
    }

    #[test]
    fn errors_stay_and_the_rest_is_elided() {
        let text = build(120);
        let gaps = gaps(&text, &Query::default()).unwrap();
        trial::check(&text, &gaps);
        let out = trial::elided(&text, &gaps);
        assert!(out.contains("cannot find value `ledger`") && out.len() * 2 < text.len(), "{out}");
        assert!(gaps.iter().any(|gap| gap.summary.contains(" JSON values, ")), "{gaps:?}");
    }

    #[test]
    fn other_texts_are_no_mixture() {
        let json: String = (0..100).map(|n| format!("{{\"a\":{n}}}\n")).collect();
        for text in
            [json.as_str(), &build(10), &"a line\n".repeat(100), "", &format!("{json}{}", "x".repeat(5000))]
        {
            assert_eq!(gaps(text, &Query::default()), None, "{text:.60}");
        }
    }
}
