use std::{fmt::Write, path::Path};

use proptest::prelude::*;

use super::*;

mod corpus;
mod structure;

/// The text with a line for each gap, as an engine may write it.
fn elided(text: &str, gaps: &[Omission]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for Omission { range, first, last, summary } in gaps {
        out.push_str(&text[at..range.start]);
        write!(out, "[headroom:k3v9q2x7m4tzabcd lines {first}-{last} stored: {summary}; headroom_retrieve]")
            .unwrap();
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}

/// Checks what holds for all gaps.
fn check(text: &str, query: &Query<'_>) -> Vec<Omission> {
    let found = gaps(text, query);
    assert_eq!(found, gaps(text, query), "the same again");
    let mut end = 0;
    for gap in &found {
        let Range { start, end: stop } = gap.range.clone();
        assert!(start < stop && (end == 0 || start > end), "{gap:?}");
        assert!(start == 0 || text[..start].ends_with('\n'), "starts a line: {gap:?}");
        let rest = &text[stop..];
        assert!(rest.starts_with('\n') || rest.starts_with("\r\n"), "ends a line: {gap:?}");
        assert_eq!(text[start..stop].matches('\n').count() as u32, gap.last - gap.first, "{gap:?}");
        if !query.file_read {
            assert_eq!(text[..start].matches('\n').count() as u32 + 1, gap.first, "{gap:?}");
        }
        assert!(gap.summary.len() < 8000 && !gap.summary.contains(['\n', '[', ']']), "{gap:?}");
        end = stop;
    }
    found
}

/// What stays visible.
fn shown(text: &str, query: &Query<'_>) -> String {
    let gaps = check(text, query);
    assert!(!gaps.is_empty(), "nothing was set aside");
    elided(text, &gaps)
}

fn server_log() -> Vec<String> {
    let line = |n: usize| {
        let (minute, second) = (n / 60, n % 60);
        let user = ["ada", "ben", "cleo", "dan", "eve"][n % 5];
        match n % 4 {
            0 => format!("2024-03-01T10:{minute:02}:{second:02}Z INFO http: GET /health 200 {}ms", 3 + n % 7),
            1 => format!(
                "2024-03-01T10:{minute:02}:{second:02}Z INFO auth: session {} opened by {user}",
                n * 7919
            ),
            2 => format!("2024-03-01T10:{minute:02}:{second:02}Z DEBUG cache: hit key=user:{n}:profile"),
            _ => format!(
                "2024-03-01T10:{minute:02}:{second:02}Z INFO http: POST /orders 201 {}ms",
                20 + n % 11
            ),
        }
    };
    (0..400).map(line).collect()
}

fn json_log() -> Vec<String> {
    let line = |n: usize| {
        let message = ["request served", "cache refreshed", "job finished"][n % 3];
        format!(
            r#"{{"ts":{},"level":"info","msg":"{message}","error":null,"ms":{}}}"#,
            1_700_000_000 + n,
            n % 9
        )
    };
    (0..300).map(line).collect()
}

fn build_log() -> Vec<String> {
    (0..300).map(|n| format!("   Compiling crate{n} v0.{}.{} (/build/crate{n})", n % 10, n % 7)).collect()
}

fn test_run() -> Vec<String> {
    (0..300).map(|n| format!("tests/test_mod{}.py::test_case_{n} PASSED [{:>3}%]", n % 20, n / 3)).collect()
}

fn table() -> Vec<String> {
    let row = |n: usize| {
        let (level, service) = (["INFO", "DEBUG"][n % 2], ["api", "auth", "billing"][n % 3]);
        format!("2024-03-01T10:00:{n:03}Z|{level}|{service}|request served|{}|eu-{}", 40 + n * 13 % 20, n % 4)
    };
    let header = "[300 rows; name=value: same in every row: time|level|service|message|ms|region".to_owned();
    std::iter::once(header).chain((0..300).map(row)).collect()
}

fn texts() -> [(&'static str, Vec<String>); 5] {
    [
        ("server log", server_log()),
        ("json log", json_log()),
        ("build log", build_log()),
        ("test run", test_run()),
        ("table", table()),
    ]
}

#[test]
fn repetitive_texts_shrink_to_their_shape() {
    for (name, lines) in texts() {
        let text = lines.join("\n");
        let out = shown(&text, &Query::default());
        assert!(out.len() * 5 < text.len(), "{name}: {} of {} bytes", out.len(), text.len());
        for line in [&lines[0], &lines[1], &lines[lines.len() - 1]] {
            assert!(out.contains(line.as_str()), "{name}: {line}\n{out}");
        }
    }
}

#[test]
fn one_of_each_kind_of_line_stays() {
    let out = shown(&server_log().join("\n"), &Query::default());
    for kind in ["GET /health", "opened by", "cache: hit", "POST /orders"] {
        assert!(out.contains(kind), "{kind}\n{out}");
    }
}

#[test]
fn what_the_question_names_stays() {
    for (name, lines) in texts() {
        for at in [97, 151, 203] {
            let text = lines.join("\n");
            let line = &lines[at];
            let word = line.split([' ', '|', '"', ',']).find(|word| text.matches(word).count() == 1);
            let Some(word) = word else { continue };
            let question = format!("What happened with {word}?");
            let out = shown(&text, &Query { question: Some(&question), ..Query::default() });
            assert!(out.contains(line.as_str()), "{name}: {word}");
        }
    }
}

#[test]
fn what_the_call_names_stays() {
    let mut lines = server_log();
    lines[222].push_str(" quokka");
    let text = lines.join("\n");
    for arguments in [
        r#"{"query":"quokka"}"#,
        r#"{"session":1753880}"#,
        r#"{"cmd":["grep","-n","user:222:profile"]}"#,
        "Quokkas",
    ] {
        let at = if arguments.contains("session") { 221 } else { 222 };
        lines[221] = lines[221].replace(&(221 * 7919).to_string(), "1753880");
        let text = text.replace(&(221 * 7919).to_string(), "1753880");
        let out = shown(&text, &Query { arguments: Some(arguments), ..Query::default() });
        assert!(out.contains(&lines[at]), "{arguments}");
    }
}

#[test]
fn a_name_in_another_script_is_found_inside_a_sentence() {
    let mut lines: Vec<String> =
        (0..200).map(|n| format!("第{n}步 完成 正常运行没有问题的步骤 {n}")).collect();
    lines[120] = "第120步 数据库连接池已满 正常运行没有问题的步骤 120".to_owned();
    let out =
        shown(&lines.join("\n"), &Query { question: Some("为什么数据库连接不上？"), ..Query::default() });
    assert!(out.contains(&lines[120]), "{out}");
}

#[test]
fn a_term_that_is_everywhere_keeps_nothing() {
    let text = build_log().join("\n");
    let plain = shown(&text, &Query::default());
    let query = Query { question: Some("Why does compiling the crate in /build fail?"), ..Query::default() };
    assert_eq!(shown(&text, &query), plain);
}

#[test]
fn what_nobody_named_but_stands_out_stays() {
    let stand_out = [
        ("server log", "2024-03-01T10:02:22Z ERROR db: connection reset by peer"),
        ("server log", "2024-03-01T10:02:22Z INFO http: GET /health 503 4ms"),
        ("server log", "2024-03-01T10:02:22Z INFO http: GET /health 200 9000ms"),
        ("server log", "2024-03-01T10:02:22Z INFO leader: stepping down, new leader elected"),
        ("json log", r#"{"ts":1700000140,"level":"info","msg":"job finished","error":"disk full","ms":3}"#),
        ("json log", r#"{"ts":1700000140,"level":"info","msg":"job finished","error":null,"ms":8800}"#),
        ("build log", "warning: unused variable: `x`"),
        ("build log", "error[E0308]: mismatched types"),
        ("test run", "tests/test_mod3.py::test_case_150 FAILED [ 50%]"),
        ("test run", "tests/test_mod3.py::test_case_150 SKIPPED (needs network) [ 50%]"),
        ("table", "2024-03-01T10:00:150Z|FATAL|billing|pool exhausted|48|eu-1"),
        ("table", "2024-03-01T10:00:150Z|INFO|billing|request served|48000|eu-1"),
        ("table", "2024-03-01T10:00:150Z|INFO|ledger|request served|48|eu-1"),
    ];
    for (kind, line) in stand_out {
        let (_, mut lines) = texts().into_iter().find(|(name, _)| *name == kind).unwrap();
        lines[150] = line.to_owned();
        let out = shown(&lines.join("\n"), &Query::default());
        assert!(out.contains(line), "{kind}: {line}");
    }
}

#[test]
fn an_error_stays_with_its_stack_trace() {
    let mut lines = server_log();
    let trace = [
        "Traceback (most recent call last):",
        "  File \"/srv/app.py\", line 10, in run",
        "    handle(request)",
        "  File \"/srv/app.py\", line 20, in handle",
        "    return table[key]",
        "KeyError: 'colour'",
    ];
    lines.splice(200..200, trace.map(str::to_owned));
    let out = shown(&lines.join("\n"), &Query::default());
    assert!(out.contains(&trace.join("\n")), "{out}");
    assert!(out.contains(&lines[199]) && out.contains(&lines[206]), "{out}");
}

#[test]
fn a_log_full_of_errors_shows_some_of_each() {
    let lines: Vec<String> = (0..500)
        .map(|n| match n % 2 {
            0 => format!("ERROR worker {n}: timeout after {}ms", 3000 + n),
            _ => format!("ERROR worker {n}: connection refused"),
        })
        .collect();
    let text = lines.join("\n");
    let out = shown(&text, &Query::default());
    assert!(out.contains("timeout") && out.contains("refused") && out.len() * 10 < text.len(), "{out}");
}

#[test]
fn an_error_among_very_many_findings_stays() {
    let name =
        |n: usize| -> String { [n / 26 % 26, n % 26].map(|n| char::from(b'a' + n as u8)).iter().collect() };
    let finding = |n: usize| {
        let (name, line) = (name(n), 3 + n * 7);
        match n {
            333 => format!("src/app.py:{line}:5: error: undefined borrow"),
            _ if n.is_multiple_of(4) => format!("src/app.py:{line}:5: error: undefined name"),
            _ => format!("src/app.py:{line}:5: warning: deprecated alias x{name} of y{name} used"),
        }
    };
    let text = (0..600).map(finding).collect::<Vec<_>>().join("\n");
    let shown = shown(&text, &Query::default());
    assert!(shown.contains("undefined borrow"), "{shown}");
    assert!(shown.len() * 2 < text.len(), "{shown}");
}

#[test]
fn a_change_of_the_mix_is_shown() {
    let line = |n: usize| match n {
        1000..=1400 if !n.is_multiple_of(10) => format!("INFO slow path taken for item {n}"),
        _ if n.is_multiple_of(10) => format!("INFO slow path taken for item {n}"),
        _ => format!("INFO fast path taken for item {n}"),
    };
    let text = (0..2000).map(line).collect::<Vec<_>>().join("\n");
    let gaps = check(&text, &Query::default());
    let near = |at: u32| gaps.iter().any(|gap| gap.first.abs_diff(at) < 60 && gap.first > 100);
    assert!(near(1000) && near(1400), "{gaps:?}");
}

#[test]
fn envelopes_headers_and_markers_stay() {
    let mut lines = server_log();
    lines[100] = "<output>".to_owned();
    lines[150] = "[headroom: previous line repeated 7 more times]".to_owned();
    lines[200] = r#"],"rest":[90 rows: a|b|c"#.to_owned();
    lines[250] = "Exit code: 1".to_owned();
    let out = shown(&lines.join("\n"), &Query::default());
    for at in [100, 149, 150, 200, 250] {
        assert!(out.contains(&lines[at]), "{}", lines[at]);
    }
}

#[test]
fn gaps_say_what_they_hold() {
    let text = server_log().join("\n");
    let found = check(&text, &Query::default());
    assert!(found.iter().all(|gap| gap.summary.contains(" INFO, ")), "{found:?}");
    let failures =
        (0..100).map(|n| format!("upload {n} failed after {n} tries")).collect::<Vec<_>>().join("\n");
    let found = check(&failures, &Query::default());
    assert!(found.iter().all(|gap| !gap.summary.contains("ERROR")), "no line says so: {found:?}");
    let text = build_log().join("\n");
    let found = check(&text, &Query::default());
    assert!(found[0].summary.contains(" lines like `Compiling crate"), "{found:?}");
}

#[test]
fn small_texts_have_no_gaps() {
    assert_eq!(gaps("", &Query::default()), []);
    assert_eq!(gaps(&server_log()[..25].join("\n"), &Query::default()), []);
    assert_eq!(gaps(&"ok\n".repeat(300), &Query::default()), []);
    assert_eq!(gaps(&"x".repeat(5_000_000), &Query::default()), []);
}

#[test]
fn text_that_never_repeats_has_no_gaps() {
    let word = |n: usize| {
        ["amber", "birch", "cedar", "drift", "ember", "fjord", "grove", "heath"][n % 8].repeat(1 + n % 5)
    };
    let line = |n: usize| {
        format!(
            "{} {} {}{}",
            word(n),
            word(n / 3 + 1),
            word(n * n + 5),
            "abcdefghijklmnopqrst".split_at(n % 20).1
        )
    };
    let text = (0..60).map(line).collect::<Vec<_>>().join("\n");
    let out = elided(&text, &check(&text, &Query::default()));
    assert!(out.len() * 10 > text.len() * 7, "{out}");
}

#[test]
fn other_line_ends_and_a_huge_line_change_nothing() {
    let lines = server_log();
    let unix = check(&lines.join("\n"), &Query::default());
    let windows = check(&lines.join("\r\n"), &Query::default());
    let numbers = |gaps: &[Omission]| gaps.iter().map(|gap| (gap.first, gap.last)).collect::<Vec<_>>();
    assert_eq!(numbers(&unix), numbers(&windows));
    let huge =
        format!("{}\n{}\n{}", lines[..200].join("\n"), "é1 x".repeat(500_000), lines[200..].join("\n"));
    assert!(!check(&huge, &Query::default()).is_empty());
}

#[test]
fn twice_the_log_has_no_more_shape() {
    let lines = server_log();
    let count = |times: usize| {
        let text = vec![lines.join("\n"); times].join("\n");
        elided(&text, &check(&text, &Query::default())).len()
    };
    assert!(count(50) < count(1) * 3, "{} {}", count(50), count(1));
}

fn source(lines: usize) -> Vec<String> {
    let line = |n: usize| match n % 125 {
        0 => format!("def handler_{n}(request):"),
        124 => String::new(),
        _ => format!("    total_{n} = compute(request.amount, {n})"),
    };
    (0..lines).map(line).collect()
}

#[test]
fn a_file_keeps_what_was_named_and_its_definitions() {
    let lines = source(1000);
    let text = lines.join("\n");
    let question = Some("Fix handler_500, total_733 is off");
    let query = Query { question, file_read: true, ..Query::default() };
    let out = shown(&text, &query);
    let near = lines[492..=508].join("\n");
    assert!(out.contains(&near) && out.contains(&lines[733]) && out.contains(&lines[..40].join("\n")));
    assert!((0..8).all(|n| out.contains(&lines[n * 125])));
    assert!(check(&text, &query).iter().all(|gap| gap.last - gap.first >= 39));
}

#[test]
fn a_file_is_whole_where_nothing_or_a_part_of_it_was_named() {
    let text = source(1000).join("\n");
    let file = Query { file_read: true, ..Query::default() };
    assert_eq!(check(&text, &file), []);
    let question = Some("Fix handler_500");
    assert_eq!(check(&text, &Query { question, arguments: Some(r#"{"offset":100}"#), ..file }), []);
    assert_eq!(
        check(&text, &Query { question, arguments: Some(r#"{"command":"sed -n 1,900p a.py"}"#), ..file }),
        []
    );
    assert_eq!(check(&source(690).join("\n"), &Query { question, ..file }), []);
}

#[test]
fn gaps_in_a_numbered_view_carry_the_printed_numbers() {
    let text =
        (301..).zip(source(1000)).map(|(n, line)| format!("{n:>6}→{line}")).collect::<Vec<_>>().join("\n");
    let query = Query { question: Some("Fix handler_500"), file_read: true, ..Query::default() };
    let found = check(&text, &query);
    assert!(!found.is_empty());
    for gap in found {
        let lines: Vec<&str> = text[gap.range.clone()].lines().collect();
        assert!(lines[0].trim_start().starts_with(&format!("{}→", gap.first)), "{gap:?}");
        assert!(lines[lines.len() - 1].trim_start().starts_with(&format!("{}→", gap.last)), "{gap:?}");
    }
}

proptest! {
    #[test]
    fn gaps_are_whole_lines_of_any_text(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "INFO request 17 served\n", "ERROR timeout\r\n", "    at x.y(z)\n", "\n", "a|b|3\n", "é数据 ", "[headroom:",
            "{\"error\":null}\n", "def f():\n", "     7→x\n", "     8→y\n", "     9→z\n", "_-::..//", "\"", "99999999999999999999999 ",
        ]), 0..2000),
        question in "\\PC{0,40}",
        arguments in "\\PC{0,40}",
        file_read: bool,
    ) {
        let text = pieces.concat();
        check(&text, &Query { question: Some(&question), arguments: Some(&arguments), file_read });
    }
}
