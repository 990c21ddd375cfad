//! A marker stands in a text as its syntax allows, and its handle leads to what it stands for.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    reason = "tests may"
)]

use std::collections::{HashMap, HashSet};

use headroom_core::{CompressOptions, Engine, Hints, Original, Retrieval, TextOutcome};
use proptest::prelude::*;

fn decided(text: &str, tool: &str, arguments: &str) -> TextOutcome {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let hints = Hints::new().tool(tool).arguments(arguments).query("what is wrong?").options(options);
    Engine::new().compress_text(text, &hints)
}

fn shown(text: &str, tool: &str, arguments: &str) -> String {
    decided(text, tool, arguments).text.unwrap_or_else(|| text.to_owned())
}

const CALLS: [(&str, &str); 6] = [
    ("Bash", r#"{"command":"psql -c 'select * from stock'"}"#),
    ("Bash", r#"{"command":"./show"}"#),
    ("Read", r#"{"file_path":"/w/stock"}"#),
    ("mcp__db__query", r#"{"sql":"select id, name from stock"}"#),
    ("fetch", r#"{"url":"https://example.org/stock"}"#),
    ("mcp__zq__do", r#"{"id":4}"#),
];

fn sample(n: usize) -> String {
    let red = "\u{1b}[31m";
    match n {
        0 => format!(
            "# Colours\nRED='{red}'\nOFF='\u{1b}[0m'\nBOLD='\u{1b}[1m'\n{}",
            "say() { echo \"$RED$1$OFF\"; }\n".repeat(40)
        ),
        1 => format!(
            "import sys\n\nRED = \"{red}\"\nOFF = \"\u{1b}[0m\"\n\n{}",
            "def say(text):\n    print(RED + text + OFF)\n\n".repeat(30)
        ),
        _ => format!(
            "notes on colours\n{}the code for red is (\"{red}\", \"\u{1b}[0m\")\n",
            "a line about nothing at all\n".repeat(40)
        ),
    }
}

#[test]
fn escapes_in_sources_stay() {
    for n in 0..3 {
        let text = sample(n);
        let known: HashSet<&str> = text.lines().collect();
        for (tool, arguments) in CALLS {
            let after = shown(&text, tool, arguments);
            for line in after.lines().filter(|line| !line.contains("[headroom:")) {
                assert!(known.contains(line), "{line:?} by {tool}");
            }
        }
    }
    let data: String = (0..60).map(|n| format!("c{n},\u{1b}[3{}m\n", n % 8)).collect();
    assert_eq!(shown(&data, "fetch", r#"{"url":"https://example.org/a.csv"}"#), data);
    let log: String = (0..80)
        .map(|n| format!("\u{1b}[32mINFO\u{1b}[0m loaded part {n} in \u{1b}[2m{} ms\u{1b}[0m\n", n * 7))
        .collect();
    assert!(!shown(&log, "Bash", r#"{"command":"make"}"#).contains("\u{1b}[2m"), "a terminal's are removed");
}

fn settings() -> [(&'static str, String); 4] {
    let toml = (0..40)
        .map(|n| {
            format!("[pool.p{n}]\nhost = \"h{n}\"\nport = {}\n\n# limits\nmax = {}\n\n", n * 77 + 1000, n * 7)
        })
        .collect();
    let yaml: String = (0..40)
        .map(|n| format!("  s{n}:\n    image: reg/s:{n}\n\n    deploy:\n      replicas: {}\n\n", n * 3))
        .collect();
    let docker = (0..40)
        .map(|n| format!("FROM base:{n} AS s{n}\nENV A={n}\n\nRUN make {n} && \\\n    make install\n\n"))
        .collect();
    let haskell = (0..40).map(|n| format!("f{n} :: Int -> Int\nf{n} x\n  | x > {n} = x * {n}\n  | otherwise = g{n} x\n  where\n    g{n} y = y + {n}\n\n")).collect();
    [("# ", toml), ("# ", format!("services:\n{yaml}")), ("# ", docker), ("-- ", haskell)]
}

#[test]
fn markers_in_settings_are_comments() {
    let mut shortened = 0;
    for (comment, text) in settings() {
        for (tool, arguments) in
            [("mcp__zq__do", r#"{"id":4}"#), ("fetch", r#"{"url":"https://example.org/x"}"#)]
        {
            let after = shown(&text, tool, arguments);
            for line in after.lines().filter(|line| line.contains("[headroom:")) {
                assert!(line.starts_with(&format!("{comment}[headroom:")), "{line}");
                shortened += 1;
            }
        }
    }
    assert!(shortened > 0, "at least some are shortened");
}

#[test]
fn what_may_be_code_and_documents_with_fences_stay_whole() {
    let ruby: String =
        (0..60).map(|n| format!("  ##\n  # See assert_{n}\n\n  infect :assert_{n}, :must_{n}\n\n")).collect();
    let cpp: String = (0..60).map(|n| format!("#define PUSH_{n}(T) \\\n    do {{ \\\n        T v = read_{n}(); \\\n    }} while (0)\n\n    PUSH_{n}(int);\n#undef PUSH_{n}\n\n")).collect();
    let prints: String = (0..60).map(|n| format!("    >>> f({n})\n    {}\n\n", n * 7)).collect();
    let fenced = format!("First:\n\n```cpp\n{cpp}```\n\nSecond:\n\n~~~\n{prints}~~~\n");
    for text in [
        format!("##\n# Words\n\nmodule Expect\n\n{ruby}end\n"),
        format!(
            "// Calls\n\n#include <a.h>\n\nnamespace k {{\n\nbool f(int n)\n{{\n{cpp}    return true;\n}}\n\n}}\n"
        ),
        fenced,
    ] {
        for (tool, arguments) in [("mcp__zq__do", r#"{"id":4}"#), ("Bash", r#"{"command":"./show"}"#)] {
            assert_eq!(shown(&text, tool, arguments), text, "{tool}");
        }
    }
}

#[test]
fn code_in_a_string_of_json_stays_code() {
    let python: String = (0..50).map(|n| format!("class Part{n}(Base):\n    kind = Alias('k{n}')\n\n    def __init__(self, value=None):\n        self.value = value\n        self.extra = [{n}, {n}]\n        self.rest = None\n\n")).collect();
    let python = format!("# Parts\n\nfrom base import Alias, Base\n\n{python}");
    let (_, toml) = settings()[0].clone();
    for (key, source) in [("a.py", python), ("a", toml)] {
        let known: HashSet<&str> = source.lines().collect();
        let text = serde_json::to_string(&serde_json::json!({"key": key, "content": source})).unwrap();
        let after = shown(&text, "fetch", r#"{"id":4}"#);
        let value: serde_json::Value = serde_json::from_str(&after).expect("JSON");
        for line in value["content"].as_str().unwrap().lines().filter(|line| !known.contains(line)) {
            let marker = line.trim_start().trim_start_matches("... ");
            assert!(marker.starts_with("# [headroom:"), "{line}");
        }
    }
}

#[test]
fn json_in_a_string_of_code_stays() {
    let colours: Vec<String> = (0..90)
        .map(|n| format!(r##"{{ "scope": "s{n}", "settings": {{ "foreground": "#{:06x}" }} }}"##, n * 7919))
        .collect();
    let theme = format!("{{ \"tokenColors\": [ {} ] }}", colours.join(", "));
    for text in [
        format!("const t=Object.freeze(JSON.parse('{theme}'));export{{t as default}};\n"),
        format!("export default {theme};\n"),
    ] {
        for (tool, arguments) in [
            ("mcp__zq__obtain", r#"{"uri":"repo://x/theme.js"}"#),
            ("fetch", r#"{"url":"https://example.org/theme.js"}"#),
        ] {
            assert_eq!(shown(&text, tool, arguments), text, "{tool}");
        }
    }
}

#[test]
fn an_array_within_text_is_stored_as_it_was() {
    let row = |n: usize| {
        let state = ["pending", "ready", "a \\\"b\\\"", "x=y"][n % 4];
        format!(" {{\n  \"state\": \"{state}\",\n  \"on\": {}\n }}", n % 9 == 4)
    };
    let rows: Vec<String> = (0..120).map(row).collect();
    let array = format!("[\n{}\n]", rows.join(",\n"));
    let outcome =
        decided(&format!("2031-01-01 12:00:00 INFO body={array} took=12ms"), "fetch", r#"{"id":4}"#);
    assert!(outcome.originals.iter().any(|original| original.content() == array), "{:?}", outcome.text);
}

/// Puts back what the markers of a text stand for: lines of the original that the nearest handle before names, or all of it.
fn restored(after: &str, originals: &[Original], whole: &str) -> String {
    let by_handle: HashMap<String, &str> =
        originals.iter().map(|original| (original.handle().to_string(), original.content())).collect();
    let mut out = String::new();
    let mut rest = after;
    let mut nearest = None;
    while let Some(at) = rest.find("[headroom:") {
        let marker = &rest[at..=at + rest[at..].find(']').unwrap()];
        let body = &marker["[headroom:".len()..marker.len() - 1];
        let first = body.split(' ').next().unwrap();
        nearest = if first.is_empty() { nearest } else { Some(by_handle[first]) };
        let content: &str = nearest.expect("a handle before");
        let numbers = body.split_once("lines ").unwrap().1.split(' ').next().unwrap();
        let (from, to) = numbers.split_once('-').unwrap();
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        out.push_str(&rest[..at]);
        if content == whole {
            let lines: Vec<&str> = content.split('\n').collect();
            out.push_str(&lines[from - 1..to].join("\n"));
        } else {
            out.push_str(content);
        }
        rest = &rest[at + marker.len()..];
    }
    out + rest
}

/// Lines of one kind: of a log, of a listing of bytes, or data in base64.
fn piece(kind: usize, seed: usize) -> String {
    let letter = |n: usize| char::from(b"Ab3Zk9QxR57LmN0pTv"[(n * 2_654_435_761 % 4_294_967_296) >> 28]);
    match kind {
        0 => (0..60)
            .map(|n| {
                format!(
                    "2031-04-05T10:{:02}:{:02}Z INFO loaded part {} in {} ms\n",
                    n / 60,
                    n % 60,
                    n + seed,
                    n * seed % 97
                )
            })
            .collect(),
        1 => (0..40)
            .map(|n| {
                format!(
                    "    {:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}\n",
                    n * 7 % 256,
                    n * seed % 256,
                    n % 256,
                    seed % 256,
                    17,
                    n * 3 % 256,
                    4
                )
            })
            .collect(),
        2 => (0..40)
            .map(|n| (0..64).map(|at| letter(at + n * 64 + seed * 9999)).collect::<String>() + "\n")
            .collect(),
        _ => format!("part {seed}:\n  state: ready\n"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_marker_stands_for_lines_of_the_nearest_handle(kinds in prop::collection::vec(0..4_usize, 2..9)) {
        let text: String = kinds.iter().enumerate().map(|(at, kind)| piece(*kind, at + 1)).collect();
        let outcome = decided(&text, "Bash", r#"{"command":"./show"}"#);
        if let Some(after) = outcome.text.filter(|after| !after.contains("previous ")) {
            prop_assert_eq!(restored(&after, &outcome.originals, &text), text, "{}", after);
        }
    }
}

#[test]
fn a_marker_behind_another_handle_names_its_own() {
    let text: String = [0, 2, 0, 1, 2, 0].iter().enumerate().map(|(at, kind)| piece(*kind, at + 1)).collect();
    let outcome = decided(&text, "Bash", r#"{"command":"./show"}"#);
    let after = outcome.text.expect("shorter");
    assert!(after.contains("in base64") && outcome.originals.len() > 1, "{after}");
    assert_eq!(restored(&after, &outcome.originals, &text), text, "{after}");
}
