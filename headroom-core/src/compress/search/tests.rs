use proptest::prelude::*;

use super::{super::trial, *};
use crate::{compress::shared_texts, formats::search::share};

fn both(text: &str, query: &Query<'_>) -> String {
    let rendered = render(text);
    let text = rendered.as_deref().unwrap_or(text);
    let found = gaps(text, query);
    trial::check(text, &found);
    trial::elided(text, &found)
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_texts_come_back() {
    for (path, text) in shared_texts("corpora").into_iter().chain(shared_texts("captures")) {
        if let Some(short) = render(&text) {
            assert_eq!(elide_path::expand(&short), text, "{}", path.display());
        }
    }
}

fn of_kind(text: &str) -> bool {
    share(text) >= 60
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_results_shrink_and_keep_their_needles() {
    let lossless = |_: &str, text: &str, _: &Query<'_>| of_kind(text).then(|| render(text)).flatten();
    let tally = trial::corpus("search/", lossless);
    assert_eq!(tally.visible, tally.needles, "paths that are quoted later stay");
    assert!(tally.after * 100 <= tally.before * 83, "{tally:?}");
    let lossy = |_: &str, text: &str, query: &Query<'_>| of_kind(text).then(|| both(text, query));
    let tally = trial::corpus("search/", lossy);
    assert!(tally.visible * 100 >= tally.needles * 97, "{tally:?}");
    assert!(tally.after * 100 <= tally.before * 74, "{tally:?}");
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn what_agents_used_later_stays_visible() {
    let form = |text: &str, query: &Query<'_>| of_kind(text).then(|| both(text, query));
    let tally = trial::conversations(form);
    assert!(tally.visible * 1000 >= tally.needles * 990, "{tally:?}");
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "(/w/)?src/(a|b-1-c|d e)\\.rs[:-][0-9]{1,2}[:-][a:]{0,3}",
        2 => "(src/a\\.rs|x)?(:|-)[0-9]{0,2}(:|-)?[a: 0-9-]{0,5}",
        2 => "C:\\\\d\\\\a\\.rs[:-][0-9]{1,2}[:-][a:]{0,3}",
        1 => Just("--".to_owned()),
        1 => Just(elide_path::HEADER.to_owned()),
        1 => "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn leaving_paths_out_is_reversible(
        lines in proptest::collection::vec((line(), "\r?\n"), 0..60),
        many in 0_usize..120,
        last in line(),
    ) {
        let mut text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        for n in 0..many {
            text.push_str(&format!("src/a.rs:{n}:let a = {n};\n"));
        }
        text.push_str(&last);
        if let Some(short) = render(&text) {
            prop_assert!(short.len() < text.len());
            prop_assert_eq!(elide_path::expand(&short), text);
        }
    }

    #[test]
    fn gaps_are_whole_lines_of_any_text(
        lines in proptest::collection::vec((line(), "\r?\n"), 0..60),
        times in 1_usize..8,
        question in "[a-d]{0,3}",
    ) {
        let text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        let text = text.repeat(times);
        let query = Query { question: Some(&question), ..Query::default() };
        let found = gaps(&text, &query);
        trial::check(&text, &found);
        prop_assert!(share(&text) <= 100);
    }
}

/// What a reader makes of the lines that stay: each with the path that the rows above carry.
fn read(out: &str) -> Vec<String> {
    let lines = out.split_inclusive('\n').filter(|line| !line.contains("[headroom:"));
    elide_path::expand(&lines.collect::<String>()).lines().map(str::to_owned).collect()
}

/// A result of `grep -rn` with so many hits in each file.
fn result(files: &[(&str, usize)]) -> String {
    let hit = |path: &str, n: usize| {
        format!("{path}:{}:    let value_{n} = call(source_{n}); // {path}\n", n * 7 + 1)
    };
    files.iter().flat_map(|(path, hits)| (0..*hits).map(move |n| hit(path, n))).collect()
}

/// A result of `grep -rn -C 2`, as agents print it that shorten paths only of lines with a colon.
fn with_context(files: usize, hits: usize) -> String {
    let mut out = String::new();
    for file in 0..files {
        for hit in 0..hits {
            for line in 0..5 {
                let number = hit * 40 + line + 10;
                let (root, mark, text) = match line {
                    2 => ("", ':', format!("fn call_{hit}() {{}}")),
                    3 => ("", '-', format!("    map: {{ key: {hit} }},")),
                    _ => ("/home/me/project/", '-', format!("    plain text of line {number}")),
                };
                out += &format!("{root}src/part{file}/mod-{file}.rs{mark}{number}{mark}{text}\n");
            }
            out += "--\n";
        }
    }
    out
}

#[test]
fn context_names_its_file_once() {
    let text = with_context(3, 4);
    assert_eq!(share(&text), 100);
    let short = render(&text).unwrap();
    assert_eq!(elide_path::expand(&short), text);
    assert!(trial::tokens(&short) * 10 < trial::tokens(&text) * 7, "{short}");
    assert!(short.contains("\nsrc/part1/mod-1.rs:12:fn call_0() {}\n"), "hits can be quoted:\n{short}");
    assert!(short.contains("\n/home/me/project/src/part1/mod-1.rs-10-    plain text"), "{short}");
    assert!(short.contains("\n11-    plain text of line 11\n"), "{short}");
}

#[test]
fn what_is_left_reads_as_rows_of_the_input() {
    let texts = [
        with_context(8, 30),
        result(&[("src/a.rs", 200), ("src/b_test.rs", 90), ("vendor/x/y.go", 50), ("src/c.rs", 1)]),
        with_context(2, 120) + &result(&[("src/part1/mod-1.rs", 80)]),
    ];
    for text in texts {
        for form in [text.clone(), render(&text).unwrap()] {
            let out = trial::elided(&form, &gaps(&form, &Query::default()));
            assert!(out.len() * 10 < text.len() * 8);
            for line in read(&out) {
                assert!(text.lines().any(|input| input == line), "{line}");
            }
        }
    }
}

#[test]
fn every_file_stays_named_and_gaps_tell_their_hits() {
    let files = [
        ("src/a.rs", 120),
        ("tests/b.rs", 60),
        ("node_modules/p/index.js", 80),
        ("dist/app.min.js", 30),
        ("d.rs", 2),
    ];
    let text = result(&files);
    let out = both(&text, &Query::default());
    assert!(out.len() * 6 < text.len(), "{out}");
    for path in ["src/a.rs", "d.rs"] {
        assert!(out.contains(&format!("{path}:1:")), "{path}\n{out}");
    }
    let named = "hits: src/a.rs 115, tests/b.rs 60, node_modules/p/index.js 80, dist/app.min.js 30;";
    assert!(out.contains(named), "{out}");
    let few = both(&result(&[("src/a.rs", 9), ("tests/b.rs", 120)]), &Query::default());
    assert!(few.contains("tests/b.rs:1:") && few.contains("more hits in b.rs;"), "{few}");
}

#[test]
fn tests_go_as_a_whole_unless_they_are_asked_for() {
    let files: Vec<(String, usize)> = (0..40)
        .map(|n| if n == 20 { ("src/a.rs".to_owned(), 20) } else { (format!("tests/it/{n}.rs"), 6) })
        .collect();
    let files: Vec<(&str, usize)> = files.iter().map(|(path, hits)| (path.as_str(), *hits)).collect();
    let text = result(&files);
    let shown = both(&text, &Query::default());
    assert!(shown.contains("stored: 120 hits in tests/it/: 0.rs 6, 1.rs 6, "), "{shown}");
    assert!((0..20).all(|n| shown.contains(&format!("call(source_{n}); // src/a.rs"))), "{shown}");
    assert!(shown.len() * 4 < text.len(), "{shown}");
    for query in [
        Query { question: Some("Why does the test hang?"), ..Query::default() },
        Query { arguments: Some(r#"{"pattern":"call","path":"tests"}"#), ..Query::default() },
    ] {
        let shown = both(&text, &query);
        assert!(files.iter().all(|(path, _)| shown.contains(&format!("{path}:1:"))), "{shown}");
    }
    let one = Query { question: Some("What does 7.rs do?"), ..Query::default() };
    let shown = both(&text, &one);
    assert!((0..6).all(|n| shown.contains(&format!("call(source_{n}); // tests/it/7.rs"))), "{shown}");
}

#[test]
fn what_was_named_stays_at_any_place() {
    let text = result(&[("src/a.rs", 120), ("src/b.rs", 300), ("vendor/x.go", 80)]);
    let planted = text.replacen(
        "let value_77 = call(source_77); // src/b.rs",
        "let retry_budget = call(source_77);",
        1,
    );
    let planted = planted.replacen(
        "let value_60 = call(source_60); // vendor",
        "let flush_queue = call(source_60); // vendor",
        1,
    );
    for form in [planted.clone(), render(&planted).unwrap()] {
        let shown = |query: &Query<'_>| {
            let found = gaps(&form, query);
            trial::check(&form, &found);
            trial::elided(&form, &found)
        };
        let question = shown(&Query { question: Some("Where is the retry_budget set?"), ..Query::default() });
        assert!(question.contains("let retry_budget = call(source_77);"));
        let call = Query { arguments: Some(r#"{"pattern":"call\\(|flush_queue"}"#), ..Query::default() };
        assert!(shown(&call).contains("let flush_queue = call(source_60);"));
        let nothing = shown(&Query::default());
        assert!(!nothing.contains("retry_budget") && nothing.len() * 8 < planted.len());
        let file = shown(&Query { question: Some("what does vendor/x.go do"), ..Query::default() });
        assert!(
            (0..80).all(|n| file.contains(&format!("call(source_{n}); // vendor/x.go"))),
            "a named file is whole"
        );
    }
}

#[test]
fn hits_in_one_log_are_told_apart_by_kind() {
    let mut text: String =
        (0..300).map(|n| format!("{}:GET /health 200 in {} ms ERROR=0\n", n * 3 + 1, n % 9)).collect();
    text = text.replacen(
        "160:GET /health 200 in 8 ms ERROR=0",
        "160:disk quota of volume exceeded: ERROR=28",
        1,
    );
    let out = both(&text, &Query::default());
    assert!(out.contains("\n160:disk quota") && out.len() * 5 < text.len(), "{out}");
}

#[test]
fn definitions_stay() {
    let uses: String = (0..90).map(|n| format!("src/a.rs:{}:    call_it({n});\n", n + 1)).collect();
    let text = format!("{uses}src/a.rs:400:pub fn call_it(n: usize) {{\nsrc/b.rs:3:    call_it(1);\n");
    assert!(both(&text, &Query::default()).contains("src/a.rs:400:pub fn call_it(n: usize) {"));
}

#[test]
fn coordinates_of_odd_rows_stay() {
    let odd = [
        r"C:\work\src\main.rs:12:let a = b;",
        "src/with space/a.rs:7:x",
        "src/2024-01-02/a-3-b.rs:7:x: y",
        "src/2024-01-02/a-3-b.rs-8-12:30:00 time",
        "src/a.rs:12:30:00 is a time",
        "HEAD~2:src/a.rs:4:text",
        "src/a.rs:9:",
        "src/a.rs=3=fn main() {",
        "Binary file x.png matches",
        "a.rs:10",
    ];
    let mut text: String = (0..20).flat_map(|_| odd).flat_map(|line| [line, "\n"]).collect();
    text += &result(&[("src/a.rs", 150)]);
    let short = render(&text).unwrap();
    assert_eq!(elide_path::expand(&short), text);
    for line in odd.iter().filter(|line| line.contains(": y") || line.starts_with("HEAD")) {
        assert!(short.contains(line), "{line}");
    }
}

#[test]
fn other_texts_are_no_results() {
    for text in [
        "2024-03-01T10:00:00Z INFO a\n2024-03-01T10:32:11Z INFO b\n".repeat(20),
        "10:32:11 start\n10:32:12 end\n".repeat(20),
        "Mar  1 10:32:11 host sshd[123]: Failed\n".repeat(20),
        "http://localhost:8080/a\nhost: 10.0.0.1:22\nkey: value\n".repeat(20),
        "1: a\n2: b\n3: c\n4: d\n5: e\n".to_owned(),
        "src/a.c:3:4: warning: unused\nsrc/a.c:9:4: error: no\n".repeat(20),
    ] {
        assert!(share(&text) <= 20, "{} {text}", share(&text));
        assert_eq!(render(&text), None);
    }
}

#[test]
fn headings_and_counts_are_results() {
    let heading = "src/a.rs\n3:let a\n4-let b\n--\n9:let c\n\nsrc/b.rs\n1:let d\n12:let e\n";
    assert!(share(heading) >= 70, "{}", share(heading));
    assert_eq!(render(heading), None);
    assert_eq!(share("src/a.rs:0\nsrc/b.rs:12\nlib/c.rs:3\n"), 100);
    assert_eq!(share("12:fn a() {\n20:fn b() {\n41:fn c() {\n"), 100);
    let many: String =
        (0..200).map(|n| format!("{}:    call({n}) // text of the line\n", n * 3 + 1)).collect();
    let long = format!("src/a.rs\n{many}\nsrc/b.rs\n5:x\n");
    let out = both(&long, &Query::default());
    assert!(
        out.contains("src/a.rs\n1:") && out.contains("src/b.rs\n5:x") && out.len() * 4 < long.len(),
        "{out}"
    );
}

#[test]
fn a_line_that_nobody_wrote_is_set_aside_alone() {
    let long = format!("static/app.min.js:1:{}", "function(a,b){return a+b};".repeat(200));
    let text = format!("{}{long}\nsrc/z.rs:1:end\n", result(&[("src/a.rs", 5)]));
    let out = both(&text, &Query::default());
    assert!(
        out.len() < 1000 && out.contains("1 hit in static/app.min.js;") && out.contains("src/z.rs:1:end"),
        "{out}"
    );
}

proptest! {
    #[test]
    fn rows_that_stay_read_as_rows_of_the_input(
        rows in proptest::collection::vec((0..4_usize, 0..3_usize, any::<bool>(), 1_u32..400), 300..500),
    ) {
        let mut text = String::new();
        for (file, kind, rooted, number) in rows {
            let root = if rooted { "/root/w/" } else { "" };
            let (mark, text_of) = [(':', "a: b"), ('-', "plain"), ('-', "key: value")][kind];
            text += &format!("{root}src/file{}.rs{mark}{number}{mark}{text_of} and more text to fill the row\n", file / 2);
        }
        if let Some(short) = render(&text) {
            let out = trial::elided(&short, &gaps(&short, &Query::default()));
            let known: std::collections::HashSet<&str> = text.lines().collect();
            for line in read(&out) {
                prop_assert!(known.contains(line.as_str()), "{line}");
            }
        }
    }
}
