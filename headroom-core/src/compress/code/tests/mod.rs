mod attacked;
mod samples;
mod sources;

use proptest::prelude::*;
use samples::{ALL, sample};

use super::{grammar, *};
use crate::{
    ContentKind,
    compress::{
        source::{Source, SourceScan},
        trial,
    },
};

/// The lines that may be elided of code, or of a file.
fn gaps(text: &str, query: &Query<'_>) -> Vec<FramedOmission> {
    let kind = if query.file_read { ContentKind::FileRead } else { ContentKind::Code };
    SourceScan::new(text, query.arguments)
        .source(kind, || None)
        .map_or_else(Vec::new, |source| source.gaps(text, query))
}

fn language_of(text: &str, file: &str) -> Option<Language> {
    match SourceScan::new(text, Some(file)).source(ContentKind::Code, || None) {
        Some(Source::Known(language) | Source::Guessed(language)) => Some(language),
        _ => None,
    }
}

/// The text with a marker in each gap, as the engine may write it.
fn shown(text: &str, framed: &[FramedOmission]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for FramedOmission { omission: gap, opening } in framed {
        out.push_str(&text[at..gap.range.start]);
        out.push_str(&format!(
            "{opening}[headroom:k3v9q2x7m4tzabcd lines {}-{} stored; headroom_retrieve]",
            gap.first, gap.last
        ));
        at = gap.range.end;
    }
    out.push_str(&text[at..]);
    out
}

fn asked<'a>(question: &'a str, arguments: &'a str) -> Query<'a> {
    Query { question: Some(question), arguments: Some(arguments), file_read: false }
}

fn errors_of(text: &str, language: Language) -> usize {
    grammar::with(language, |grammar| grammar.parse(text).map(|tree| errors(&tree))).expect("a short parse")
}

/// What becomes of code in a result that is no file; checked to be code again.
fn coded(text: &str, question: &str, file: &str) -> String {
    let gaps = gaps(text, &asked(question, file));
    trial::check(text, &gaps.iter().map(|framed| framed.omission.clone()).collect::<Vec<_>>());
    let out = shown(text, &gaps);
    if !gaps.is_empty() {
        let language = language_of(text, file).unwrap();
        assert!(errors_of(&out, language) <= errors_of(text, language), "{out}");
    }
    out
}

#[test]
fn bodies_that_nobody_named_go() {
    for (language, file) in ALL {
        let text = sample(language, 12);
        let out = coded(&text, "Why does tally3 give too much?", file);
        assert!(out.len() * 2 < text.len(), "{file}: {out}");
        for n in 0..12 {
            let head = format!("tally{n}");
            assert!(out.contains(&head), "{file}: the head of {head} is gone: {out}");
            let body = format!("harbour{n}_9");
            let body = body.as_str();
            assert_eq!(out.contains(body), [3, 4].contains(&n), "{file}: tally3 calls tally4: {body} {out}");
        }
        assert!(out.contains(&format!("{}[headroom:", language.comment())), "{file}: {out}");
    }
}

#[test]
fn what_is_shown_of_python() {
    let text = sample(Language::Python, 8).replace("\n\ndef tally1", "\n\n@cached\ndef tally1");
    let out = coded(&text, "What is this?", "a.py");
    let expected = "\
# Copyright 2031 The harbour authors

import os


def tally0(ship, port):
    ... # [headroom:k3v9q2x7m4tzabcd lines 7-20 stored; headroom_retrieve]


@cached
def tally1(ship, port):";
    assert!(out.starts_with(expected), "{out}");
}

#[test]
fn errors_and_duties_stay() {
    let filler =
        |n: usize| (0..n).map(|n| format!("        port.load(ship, {n}, 'lantern')\n")).collect::<String>();
    let text = format!(
        "import os\n\n\nclass Pier(Base):\n    size: int\n\n    def moor(self, ship):\n        \"\"\"Moors it.\"\"\"\n{}        if ship is None:\n            raise NoShip('none here')\n{}        # TODO: tides\n{}        try:\n    {}        except Storm:\n            ship.wait()\n{}        return ship\n\n\ndef after(x):\n    return x\n",
        filler(9),
        filler(9),
        filler(9),
        filler(1),
        filler(20)
    );
    let out = coded(&text, "What is this?", "pier.py");
    for line in [
        "import os",
        "size: int",
        "Moors it",
        "if ship is None",
        "raise NoShip",
        "TODO: tides",
        "except Storm",
        "ship.wait()",
        "return ship",
        "return x",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert_eq!(out.matches("[headroom:").count(), 4, "{out}");
}

#[test]
fn long_comments_docstrings_and_values_lose_their_middle() {
    let lines = |start: &str, what: &str, n: usize| {
        (0..n).map(|n| format!("{start}{what} {n} of the old harbour\n")).collect::<String>()
    };
    let text = format!(
        "{}\nimport os\n\n{}\nTABLE = [\n{}]\n\n\ndef f(x):\n    \"\"\"Says.\n\n{}    \"\"\"\n    return TABLE[x]\n",
        lines("# ", "Licensed under terms", 30),
        lines("# ", "Once there was", 30),
        (0..60).map(|n| format!("    'quay {n} of the old harbour',\n")).collect::<String>(),
        lines("    ", "More to say about", 30),
    );
    let out = coded(&text, "What is this?", "a.py");
    assert_eq!(out.matches("Licensed under").count(), 30);
    assert_eq!(out.matches("Once there was").count(), 5);
    assert_eq!(out.matches("'quay ").count(), 6, "{out}");
    assert_eq!(out.matches("More to say").count(), 2, "{out}");
    assert!(out.contains("\n    [headroom:") && out.contains("\n# [headroom:"), "{out}");
}

#[test]
fn files_that_were_read_stay_unless_something_was_named() {
    let text = sample(Language::Rust, 60);
    let numbered: String =
        text.lines().enumerate().map(|(n, line)| format!("{:6}\t{line}\n", n + 41)).collect();
    let query =
        |question, arguments| Query { question: Some(question), arguments: Some(arguments), file_read: true };
    let path = r#"{"file_path":"/src/lib.rs"}"#;
    for text in [&text, &numbered] {
        assert_eq!(gaps(text, &query("Look at it.", path)), []);
        assert_eq!(
            gaps(text, &query("What does tally3 do?", r#"{"file_path":"/src/lib.rs","limit":900}"#)),
            []
        );
        let found = gaps(text, &query("What does tally3 do?", path));
        assert!(found.len() > 20 && found.iter().all(|framed| framed.opening.ends_with("// ")));
        let out = shown(text, &found);
        assert!(
            out.contains("harbour3_9") && out.contains("harbour4_9") && !out.contains("harbour30_9"),
            "{out}"
        );
        for n in 0..60 {
            assert!(out.contains(&format!("fn tally{n}(")), "{n}");
        }
    }
    let found = gaps(&numbered, &query("What does tally3 do?", path));
    let first = &found[0].omission;
    assert!(numbered[first.range.clone()].starts_with(&format!("{:6}\t", first.first)));
}

#[test]
fn what_is_not_in_the_language_is_not_cut() {
    let prose = "The ship left the harbour, and (as was told) nobody saw it again.\n".repeat(80);
    assert_eq!(gaps(&prose, &asked("Which?", "a.py")), [], "broken");
    assert_eq!(gaps(&prose, &asked("Which?", "")), [], "no language");
    let mixed = format!("{}{}", sample(Language::Python, 8), sample(Language::Perl, 8));
    _ = coded(&mixed, "Which?", "a.py");
    assert_eq!(gaps(&"x = 1\n".repeat(MAX_BYTES), &asked("Which?", "a.py")), [], "too long");
}

#[test]
fn deep_and_long_texts_end() {
    for text in [
        "(".repeat(10_000),
        "{".repeat(10_000),
        "f(".repeat(5_000) + &")".repeat(5_000),
        "if (a) {\n".repeat(1_000) + &"}\n".repeat(1_000),
        "x = \"".to_owned() + &"a".repeat(100_000),
        "<".repeat(10_000),
        "#".repeat(20_000),
        "\\".repeat(10_000),
        "'''".repeat(3_000),
        "<<A\n".repeat(3_000),
    ] {
        for (_, file) in ALL {
            _ = coded(&text, "Which?", file);
        }
    }
    let line = format!("x = {}\n", "1 + ".repeat(250_000));
    assert_eq!(gaps(&line, &asked("Which?", "a.py")), [], "a megabyte");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 96 } else { 512 }))]

    #[test]
    fn mutated_code_gives_code_or_stays(
        which in 0..ALL.len(),
        other in 0..ALL.len(),
        functions in 1..14_usize,
        cuts in prop::collection::vec((0..100_usize, 0..40_usize), 0..3),
        ends in 0..4_u8,
        asks in 0..14_usize,
    ) {
        let (language, file) = ALL[which];
        let mut text = sample(language, functions);
        if ends == 3 {
            text.push_str(&sample(ALL[other].0, 2));
        }
        for (at, length) in cuts {
            let start = text.floor_char_boundary(text.len() * at / 100);
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end, "");
        }
        text = match ends {
            0 => text.replace('\n', "\r\n"),
            1 => format!("\u{feff}{}", text.trim_end()),
            2 => text.replace("    ", "\t"),
            _ => text,
        };
        let question = format!("Why tally{asks}?");
        let out = coded(&text, &question, file);
        prop_assert_eq!(&out, &coded(&text, &question, file));
        for line in out.lines().filter(|line| !line.contains("[headroom:")) {
            prop_assert!(text.lines().any(|own| own == line), "{line}");
        }
    }
}

#[test]
fn a_reference_that_cuts_a_function_in_two_is_refused() {
    for (language, file) in ALL {
        let text = sample(language, 6);
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let at = |line: usize| lines[..line].iter().map(|line| line.len()).sum::<usize>();
        // From the start to the middle of the second function.
        let middle = lines.iter().position(|line| line.contains("harbour1_9")).unwrap();
        let marker = format!("{}[headroom: output lines 1-{middle} of result 1]", language.comment());
        let change = |end: usize| [(0..at(end) - 1, marker.as_str())];
        let is_kept = still_parses(&text, language, &change(middle), true) != Some(false);
        let whole = lines.len();
        assert_eq!(still_parses(&text, language, &change(whole), true), None, "{file}: nothing is left");
        if !language.takes_anything() {
            assert!(!is_kept, "{file}");
        }
    }
}

#[test]
fn broken_code_is_given_up_early() {
    for (language, file) in ALL.into_iter().filter(|(language, _)| !language.takes_anything()) {
        let text = sample(language, 200);
        let halves: String = text.lines().map(|line| format!("{}\n", &line[..line.len() * 6 / 10])).collect();
        let is_given_up = |text: &str| grammar::with(language, |grammar| Some(is_hopeless(grammar, text)));
        assert!(text.len() > 4 * TRIAL_BYTES && is_given_up(&text) == Some(false), "{file}");
        // Other parsers make few mistakes of many.
        if matches!(language, Language::C | Language::Cpp) {
            assert_eq!(is_given_up(&halves), Some(true), "{file}");
            assert_eq!(gaps(&halves, &asked("Which?", file)), [], "{file}");
        }
    }
    assert!(is_dense(&format!("{}\nvar a;\n", "var a=1;".repeat(1000))));
}

#[test]
fn a_name_in_use_keeps_its_declaration() {
    let mut cut = 0;
    for (language, file) in ALL {
        let text = sample(language, 6);
        let lines = text.split_inclusive('\n').map(|line| {
            let own = if language == Language::Perl { "$harbour2_1" } else { "harbour2_1" };
            match line.contains("harbour2_9") {
                true => ["ship->port", "ship.port", "$port", "port"]
                    .iter()
                    .find(|port| line.contains(**port))
                    .map_or_else(String::new, |port| {
                        let own = if port.starts_with('$') {
                            format!("${}", own.trim_start_matches('$'))
                        } else {
                            own.to_owned()
                        };
                        line.replacen(port, &own, 1)
                    }),
                false => line.to_owned(),
            }
        });
        let text: String = lines.collect();
        assert_eq!(text.matches("harbour2_1").count(), 2, "{file}: {text}");
        let out = coded(&text, "Where does harbour2_9 come from?", file);
        assert!(out.contains("harbour2_9"), "{file}: {out}");
        cut += usize::from(!out.contains("harbour2_4"));
        assert_eq!(out.matches("harbour2_1").count(), 2, "{file}: {out}");
    }
    // What is left between the two is too little for a marker in some languages.
    assert!(cut > 3, "{cut}");
}

#[test]
fn a_last_statement_goes_with_the_declaration_of_its_name() {
    let body: String = (0..12).map(|n| format!("    berth = port.quay({n}, 'lantern', berth)\n")).collect();
    let text = (0..4).map(|n| {
        format!("def moor{n}(ship, port):\n    tide = port.tide()\n{body}    return tide\n\n\ndef wave{n}(ship, port):\n{body}    return ship\n\n\n")
    });
    let out = coded(&text.collect::<String>(), "What is this?", "a.py");
    assert!(!out.contains("tide") && out.matches("return ship").count() == 4, "{out}");
}

#[test]
fn what_a_tool_puts_around_code_does_not_hide_that_it_breaks() {
    let around = [
        ("Chunk ID: 8f2c1a\nWall time: 0.05 seconds\nProcess exited with code 0\nOutput:\n", ""),
        ("", "\n[The command completed with exit code 0.]\n[Current working directory: /work]"),
        ("<path>lib/x</path>\n<type>file</type>\n<content>\n", "\n</content>"),
    ];
    for (language, file) in ALL.into_iter().filter(|(language, _)| !language.takes_anything()) {
        for (head, tail) in around {
            let code = sample(language, 6);
            let text = format!("{head}{code}{tail}");
            let end_of = |line: &str| {
                let at = text.find(line).unwrap();
                at + text[at..].find('\n').unwrap()
            };
            let marker = format!("{}[headroom: output lines 1-9 of result 1]", language.comment());
            let holds =
                |end: usize| still_parses(&text, language, &[(head.len()..end, marker.as_str())], false);
            assert_eq!(holds(end_of("harbour1_9")), Some(false), "{file} {head}{tail}");
            let first = text[head.len()..].find('\n').unwrap() + head.len();
            assert_eq!(holds(first), Some(true), "{file} {head}{tail}");
        }
    }
}
