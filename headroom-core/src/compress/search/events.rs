//! Writes the events of `rg --json` as the lines that `rg` prints without it.

use std::fmt::Write;

use headroom_json::{Tape, TapeValue, Text};

use crate::{text::lines, tuning::tuning};

/// Returns `path:12:text` for each hit and `path-12-text` for each line of context, in order.
///
/// Returns `None` if any line is no such event, or if a hit is not text.
pub(crate) fn lines(text: &str) -> Option<String> {
    if !text.trim_start().starts_with("{\"type\"") {
        return None;
    }
    let mut out = String::new();
    let mut hits = 0;
    for line in lines::split(text).filter(|line| !line.trim().is_empty()) {
        let tape = Tape::parse(line).ok()?;
        let event = tape.root();
        match member(event, "type")?.text()?.raw {
            "begin" | "end" | "summary" => {}
            "match" => {
                hits += 1;
                write_event(member(event, "data")?, ':', &mut out)?;
            }
            "context" => write_event(member(event, "data")?, '-', &mut out)?,
            _ => return None,
        }
    }
    (hits >= tuning().search.min_events).then_some(out)
}

fn write_event(data: TapeValue<'_, '_>, mark: char, out: &mut String) -> Option<()> {
    let string = |key: &str| member(member(data, key)?, "text")?.text().and_then(Text::decode);
    let path = string("path")?;
    let text = string("lines")?;
    let first: u32 = member(data, "line_number")?.raw().trim().parse().ok()?;
    if path.contains(['\n', '\r']) {
        return None;
    }
    // A hit of several lines has one event.
    for (line, number) in text.strip_suffix('\n').unwrap_or(&text).split('\n').zip(first..) {
        // Writing to a string cannot fail.
        _ = writeln!(out, "{path}{mark}{number}{mark}{line}");
    }
    Some(())
}

fn member<'a, 't>(object: TapeValue<'a, 't>, key: &str) -> Option<TapeValue<'a, 't>> {
    object.members().find(|(name, _)| name.raw == key).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, line: u32, text: &str) -> String {
        format!(
            r#"{{"type":"{kind}","data":{{"path":{{"text":"src/a.rs"}},"lines":{{"text":"{text}"}},"line_number":{line},"absolute_offset":0,"submatches":[]}}}}"#
        )
    }

    #[test]
    fn events_are_hits() {
        let text = [
            r#"{"type":"begin","data":{"path":{"text":"src/a.rs"}}}"#.to_owned(),
            event("context", 2, "before\\n"),
            event("match", 3, "    spawn(\\\"x\\\");\\n"),
            event("match", 9, "one\\ntwo\\n"),
            event("match", 11, "last"),
            r#"{"type":"end","data":{"path":{"text":"src/a.rs"},"binary_offset":null,"stats":{}}}"#
                .to_owned(),
            r#"{"data":{"elapsed_total":{}},"type":"summary"}"#.to_owned(),
        ];
        let out = "src/a.rs-2-before\nsrc/a.rs:3:    spawn(\"x\");\nsrc/a.rs:9:one\nsrc/a.rs:10:two\nsrc/a.rs:11:last\n";
        assert_eq!(lines(&text.join("\n")).as_deref(), Some(out));
    }

    #[test]
    fn what_is_no_event_or_no_text_is_left_alone() {
        let hits = [event("match", 1, "a"), event("match", 2, "b"), event("match", 3, "c")].join("\n");
        assert!(lines(&hits).is_some());
        for more in [
            "plain text",
            r#"{"type":"other","data":{}}"#,
            r#"{"type":"match","data":{"path":{"bytes":"/w=="},"lines":{"text":"x"},"line_number":1}}"#,
            r#"{"type":"match","data":{"path":{"text":"a"},"lines":{"bytes":"/w=="},"line_number":1}}"#,
            r#"{"type":"match","data":{"path":{"text":"a"},"lines":{"text":"x"},"line_number":null}}"#,
        ] {
            assert_eq!(lines(&format!("{hits}\n{more}")), None, "{more}");
        }
        assert_eq!(lines(&event("match", 1, "a")), None, "too few");
    }
}
