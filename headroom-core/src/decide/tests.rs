//! Decisions about whole results: cut JSON, files by their content, pages behind heads, data in base64.

use crate::{CompressOptions, ContentKind, Engine, Hints, Retrieval, TextOutcome};

fn decided(text: &str, tool: &str, arguments: &str) -> TextOutcome {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let hints = Hints::new().tool(tool).arguments(arguments).query("what is wrong?").options(options);
    Engine::new().compress_text(text, &hints)
}

/// What the model sees of the output of a command.
fn shown(text: &str) -> String {
    decided(text, "Bash", r#"{"command":"./run.sh"}"#).text.unwrap_or_else(|| text.to_owned())
}

fn read(text: &str, name: &str) -> TextOutcome {
    decided(text, "Read", &format!(r#"{{"file_path":"/w/{name}"}}"#))
}

/// Whose values hold their number, in every form of JSON.
fn record(n: usize) -> String {
    format!(
        "{{\"id\": \"r{n}\", \"name\": \"n{n}, \\\"é\\\" of r{n}\", \"parts\": [{{\"id\": \"p{n}\"}}], \"more\": {{\"at\": {n}.5}}}}"
    )
}

fn records(count: usize, between: &str) -> String {
    (100..100 + count).map(record).collect::<Vec<_>>().join(between)
}

/// Checks that all values of a row are of one record.
#[track_caller]
fn is_of_one_record(row: &str) {
    let words = row.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() == 4);
    let numbers = words.filter_map(|word| word.strip_prefix(['r', 'n', 'p'])?.parse::<u32>().ok());
    let numbers: std::collections::BTreeSet<u32> = numbers.collect();
    assert_eq!(numbers.len(), 1, "{row}");
}

#[test]
fn no_cut_joins_records() {
    for (text, step) in [
        (format!("[\n  {}\n]\n", records(40, ",\n  ")), 41),
        (format!("{{\"total\": 40, \"items\": [{}]}}", records(40, ", ")), 29),
        (records(40, "\n"), 37),
    ] {
        for cut in (0..text.len()).step_by(step).filter(|cut| text.is_char_boundary(*cut)) {
            for note in ["", "\n\n... [1039 lines truncated] ...\n\n", "…2010 tokens truncated…"] {
                let rest = text.len() - (text.len() - cut) / 3;
                let rest = (rest..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
                let damaged =
                    format!("{}{note}{}", &text[..cut], if note.is_empty() { "" } else { &text[rest..] });
                let after = shown(&damaged);
                let is_row = |line: &&str| {
                    let cells = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ',');
                    cells.starts_with("r1") && cells.get(4..5) == Some(",")
                };
                after.lines().filter(is_row).for_each(is_of_one_record);
            }
        }
    }
}

#[test]
fn a_cut_array_is_a_table_up_to_the_cut_and_from_the_next_record() {
    let text = format!("[\n  {}\n]\n", records(60, ",\n  "));
    let (front, rest) = (&text[..3000], &text[4500..]);
    let after = shown(&format!("{front}\n... [20 lines truncated] ...\n{rest}"));
    assert_eq!(after.matches(" rows").count(), 2, "{after}");
    assert!(after.contains("\n... [20 lines truncated] ...\n"), "{after}");
    assert!(after.len() * 10 < text.len() * 7, "{after}");
}

#[test]
fn a_file_is_what_its_content_is() {
    let json = format!("[\n{}\n]\n", records(80, ",\n"));
    let curl = decided(&json, "Bash", r#"{"command":"curl -s http://x/issues"}"#);
    let cat = decided(&json, "Bash", r#"{"command":"cat issues.json"}"#);
    assert_eq!((cat.report.kind, &cat.text), (ContentKind::Json, &curl.text));
    assert!(cat.text.is_some_and(|text| text.len() * 2 < json.len()));
    let code = "fn main() {\n    let x = 1;\n}\n".repeat(100);
    let kept = decided(&json, "Read", r#"{"file_path":"/w/settings.json"}"#);
    assert_eq!(kept.text, None);
    assert_eq!(kept.report.action, crate::Action::Kept(crate::UnchangedReason::FileRead));
    assert_eq!(read(&code, "main.rs").report.kind, ContentKind::FileRead);
}

#[test]
fn numbered_views_of_logs_keep_their_numbers() {
    let line = |n: usize| {
        let level = if n == 555 { "ERROR" } else { "INFO" };
        format!("{n:>6}\t2026-05-01T10:00:00Z {level} api: request took {} ms\n", n * 7 % 40)
    };
    let view: String = (501..900).map(line).collect();
    let found = read(&view, "app.log");
    let text = found.text.expect("a log");
    assert_eq!(found.report.kind, ContentKind::Log);
    assert!(text.contains("   555\t2026-05-01T10:00:00Z ERROR") && text.len() * 4 < view.len(), "{text}");
    let mut next = 501;
    for line in text.lines() {
        if let Some(range) = line.split(" lines ").nth(1).filter(|_| line.starts_with("[headroom:")) {
            let (first, rest) = range.split_once('-').unwrap();
            assert_eq!(first.parse::<usize>().unwrap(), next, "{line}");
            next = rest.split(' ').next().unwrap().parse::<usize>().unwrap() + 1;
        } else if let Some((number, _)) = line.split_once('\t') {
            assert_eq!(number.trim().parse::<usize>().unwrap(), next, "{line}");
            next += 1;
        }
    }
    assert_eq!(next, 900);
}

#[test]
fn numbered_views_of_data_are_data_behind_a_marker() {
    let json = format!("[\n{}\n]", records(80, ",\n"));
    let view: String = json.lines().zip(1..).map(|(line, n)| format!("{n:>6}→{line}\n")).collect();
    let view = format!("{view}\n<system-reminder>be careful</system-reminder>\n");
    let found = read(&view, "issues.json");
    let text = found.text.expect("data");
    assert!(
        text.starts_with("[headroom:")
            && text.lines().next().unwrap().contains(" lines 1-82 stored: the view"),
        "{text}"
    );
    assert!(
        text.contains("[80 rows, ") && text.ends_with("\n\n<system-reminder>be careful</system-reminder>\n"),
        "{text}"
    );
    assert!(found.originals.iter().any(|original| original.content() == view));
    assert!(found.originals.iter().any(|original| original.content() == json), "rows by number");
}

#[test]
fn a_page_behind_a_head_is_a_page() {
    let script = "<script>window.queue.push({event: 1});</script>".repeat(90);
    let sentence =
        "<p>The quota of the region is 500 requests a day, and nobody may ask for more of them.</p>";
    let sentences = sentence.repeat(30);
    let page = format!("<!DOCTYPE html><html><body>{script}<h1>Limits</h1>{sentences}</body></html>");
    for (head, tail) in
        [("HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n", ""), ("Output: ", "\nProcess Group PGID: 12\n")]
    {
        let after = shown(&format!("{head}{page}{tail}"));
        assert!(after.starts_with(&format!("{head}[headroom:")) && after.ends_with(tail), "{after}");
        assert!(after.contains("\n# Limits\n") && !after.contains("<p>"), "{after}");
    }
    let json = format!(
        "{{\"status\": 200, \"body\": {}}}",
        serde_json::to_string(&page.replace("><", ">\n<")).unwrap()
    );
    let after = shown(&json);
    assert!(after.contains("\\n# Limits\\n") && !after.contains("<p>"), "{after}");
}

#[test]
fn data_in_base64_stands_behind_a_marker() {
    let data: String = (0..3000_u32)
        .map(|n| char::from(b"Ab3Zk9QxR57LmN0p"[(n.wrapping_mul(2_654_435_761) >> 28) as usize]))
        .collect();
    let text = format!("Screenshot taken.\ndata:image/png;base64,{data}\nviewport: 1280x720\n");
    let found = decided(&text, "browser", "{}");
    let after = found.text.unwrap();
    assert!(after.starts_with("Screenshot taken.\ndata:image/png;base64,[headroom:"), "{after}");
    assert!(
        after.contains(": image/png, 2250 bytes in base64;") && after.ends_with("]\nviewport: 1280x720\n"),
        "{after}"
    );
    assert_eq!(found.originals[0].content(), data);
    let notebook = format!(
        "{{\"cells\": [{{\"source\": [\"plot()\"], \"outputs\": [{{\"image/png\": \"{data}\\n\"}}]}}], \"note\": \"{}\"}}",
        "x y ".repeat(400)
    );
    let after = shown(&notebook);
    assert!(
        after.contains("[headroom:") && after.contains("2250 bytes in base64") && after.contains("plot()"),
        "{after}"
    );
    let off = CompressOptions::new().retrieval(Retrieval::Disabled);
    assert_eq!(Engine::new().compress_text(&text, &Hints::new().options(off)).text, None);
}

#[test]
fn hits_printed_as_events_are_lines() {
    let event = |n: u32| {
        format!(
            r#"{{"type":"match","data":{{"path":{{"text":"src/a{}.rs"}},"lines":{{"text":"    spawn({n});\n"}},"line_number":{n},"absolute_offset":{n},"submatches":[{{"match":{{"text":"spawn"}},"start":4,"end":9}}]}}}}"#,
            n / 9
        )
    };
    let text = (1..90).map(event).collect::<Vec<_>>().join("\n");
    let after = shown(&text);
    assert!(after.lines().next().unwrap().contains("rg --json events, below as path:line:text"), "{after}");
    assert_eq!(after.matches("spawn(").count(), 89);
    assert!(after.len() * 4 < text.len() && after.contains("src/a1.rs:9:    spawn(9);"), "{after}");
}
