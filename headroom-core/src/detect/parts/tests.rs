use super::*;

fn record(n: usize) -> String {
    format!(r#"{{"id": {n}, "name": "row {n} with a long name", "tags": [{{"id": 7{n}}}], "score": {n}.5}}"#)
}

fn records(from: usize, to: usize) -> String {
    (from..to).map(record).collect::<Vec<_>>().join(",\n  ")
}

fn parts(text: &str) -> Vec<&str> {
    find(text, false).parts.into_iter().map(|part| text[part.bytes].trim()).collect()
}

#[test]
fn records_before_and_behind_a_cut_are_read() {
    let (before, behind) = (records(0, 12), records(30, 42));
    let cut = &record(12)[..30];
    for note in [
        "\n\n... [1039 lines truncated] ...\n\n",
        "\n... [9000 characters truncated] ...\n",
        "…2010 tokens truncated…",
        "\n    …22 tokens truncated…",
        "\n... [8,113 characters omitted] ...\n",
        "[truncated]",
        "\n~~~~\n",
    ] {
        for rest in [r#"d ending", "tags": [], "score": 2.5}"#, r#""tags": []}"#, "2.5}", "}"] {
            let text = format!("[\n  {before},\n  {cut}{note}{rest},\n  {behind}\n]\n");
            let found = parts(&text);
            assert_eq!(found, [format!("{before},"), behind.clone()], "{text}");
        }
    }
}

#[test]
fn minified_json_goes_on_behind_a_cut() {
    let (before, behind) = (records(0, 12).replace(",\n  ", ","), records(30, 60).replace(",\n  ", ", "));
    let text =
        format!("[{before},{}\n... [99 characters truncated] ...\nng\"}}, {behind}]", &record(12)[..20]);
    assert_eq!(parts(&text), [format!("{before},"), behind.clone()]);
    let text = format!("t of a name\", \"score\": 3}}, {behind}, {}", &record(12)[..20]);
    assert_eq!(parts(&text), [format!("{behind},")]);
}

#[test]
fn no_string_joins_two_records() {
    let joined = format!("{}…2010 tokens truncated…{}", &record(12)[..25], &record(30)[30..]);
    let text = format!("[{},{joined},{}]", records(0, 12), records(31, 43));
    for part in parts(&text) {
        assert!(!part.contains("truncated"), "{part}");
    }
    assert_eq!(parts(&text).len(), 2);
}

#[test]
fn labels_before_values_are_kept() {
    let json = format!("[\n  {}\n]", records(0, 12));
    for label in ["Output: ", "Response body (200 OK): ", "stdout=", "result -> "] {
        let text = format!("<context>\n{label}{json}\nProcess Group PGID: 4711\n");
        let found = find(&text, false);
        assert_eq!(parts(&text), [json.as_str()], "{label}");
        let kept: Vec<&str> = found.verbatim.into_iter().map(|kept| &text[kept]).collect();
        assert_eq!(kept, [label]);
        let code = format!("{}{text}", "fn main() {}\n".repeat(100));
        assert!(find(&code, true).parts.is_empty(), "code");
    }
}

#[test]
fn lines_of_json_are_one_part_unless_they_are_lines_of_a_log() {
    let lines: Vec<String> = (0..20).map(record).collect();
    let text = format!("starting\n{}\ndone\n", lines.join("\n"));
    assert_eq!(parts(&text), [lines.join("\n")]);
    let log = lines.iter().map(|line| format!("{line}\ncompiling\n")).collect::<String>();
    assert_eq!(parts(&log), Vec::<&str>::new());
}

#[test]
fn what_is_left_of_a_cut_record_stays_and_text_behind_it_does_not() {
    let text = format!("[\n  {},\n  {{\n    \"id\": 12,\n    \"na\n\nexit code 1\nmore\n", records(0, 12));
    let found = find(&text, false);
    let kept: Vec<&str> = found.verbatim.iter().map(|kept| &text[kept.clone()]).collect();
    assert_eq!(kept, ["[", "  {\n    \"id\": 12,\n    \"na\n\n"]);
}

#[test]
fn json_is_told_from_code_and_logs() {
    let pretty = format!(
        "{{\n  \"a\": [\n    1,\n    true,\n    {{\n      \"b\": null\n    }}\n  ],\n{}}}",
        "  \"c\": \"x\",\n".repeat(40)
    );
    for text in [pretty.as_str(), &pretty[..300], &format!("... [9 lines truncated] ...\n{}", &pretty[100..])]
    {
        assert!(is_mostly_json(text), "{text}");
    }
    assert!(is_mostly_json(&format!("ng\", {}", records(0, 60).replace('\n', ""))));
    let log: String = (0..40).map(|n| format!("2026-05-01 10:00:{n:02} GET /a/{n} 200 {n}\n")).collect();
    let code = "const a = {\n  b: 1,\n  c: [\n    2,\n  ],\n};\n".repeat(20);
    for text in [log.as_str(), &code, "1,2,3\n4,5,6\n", "", &"{\n  return x;\n}\n".repeat(20)] {
        assert!(!is_mostly_json(text), "{text}");
    }
}

#[test]
fn every_cut_keeps_records_apart() {
    let text = format!("{{\"total\": 24, \"items\": [\n  {}\n]}}\nend of output\n", records(10, 34));
    for cut in (0..text.len()).step_by(7) {
        for behind in (cut..text.len()).step_by(211) {
            let damaged = format!("{}\n... [12 lines truncated] ...\n{}", &text[..cut], &text[behind..]);
            for part in find(&damaged, false).parts {
                let part = &damaged[part.bytes];
                assert_eq!(part.matches("{\"id\": ").count() % 2, 0, "{part}");
                for row in part.split("\n  ").filter(|row| row.contains("name")) {
                    let id = row.split("\"id\": ").nth(1).and_then(|rest| rest.split(',').next()).unwrap();
                    assert!(
                        row.trim_end_matches([',', ' ', '\n', ']', '}']).ends_with(&format!("{id}.5")),
                        "{row}"
                    );
                    assert!(row.contains(&format!("row {id} with")), "{row}");
                }
            }
        }
    }
}
