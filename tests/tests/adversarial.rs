//! Formats on which tools that make prompts smaller have gone wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests may")]

use std::collections::BTreeSet;

use headroom_core::{Action, Api, CompressOptions, ContentKind, Engine, Outcome, Retrieval, Transform};
use headroom_tests::{
    ask::Ask,
    engine::{EngineUnderTest, real},
    forms,
    laws::{Forms, Run, every},
    output::{Output, Planted},
    rng::Rng,
};
use serde_json::{Value, json};

/// What became of a result.
struct Seen {
    text: String,
    originals: Vec<String>,
    kind: ContentKind,
    steps: Vec<Transform>,
}

impl Seen {
    /// The lines that are no markers, read back.
    fn lines(&self, before: &str) -> Vec<String> {
        let lines = forms::decoded(before, &self.text);
        lines.lines().filter(|line| !line.starts_with("[headroom:")).map(str::to_owned).collect()
    }
}

/// Sends a result as the layer does, in both forms, and checks every law on the way.
fn send(question: &str, tool: &str, arguments: Value, result: &str) -> Seen {
    let ask = Ask { question, tool, arguments, result };
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let mut texts = BTreeSet::new();
    for api in [Api::OpenAiChat, Api::Anthropic] {
        let body = ask.body(api);
        let engine: Box<dyn EngineUnderTest> = real();
        let run = Run::new(&*engine, api, &body, &options);
        run.and_then(|run| every(&run, &options, &Forms::default()))
            .unwrap_or_else(|law| panic!("{api}: {law}"));
        let outcome = Engine::new().compress(api, &body, &options);
        texts.insert(Ask::result_in(api, outcome.body().unwrap_or(&body)));
    }
    assert_eq!(texts.len(), 1, "the two forms differ");
    let outcome = Engine::new().compress(Api::Anthropic, &ask.body(Api::Anthropic), &options);
    let block = &outcome.report().blocks[0];
    let steps = match &block.action {
        Action::Edited(steps) => steps.clone(),
        _ => Vec::new(),
    };
    let kind = block.kind;
    let originals = match outcome {
        Outcome::Rewritten { originals, .. } => originals.into_iter().map(|o| o.into_content()).collect(),
        Outcome::Unchanged { .. } => Vec::new(),
    };
    Seen { text: texts.pop_first().unwrap(), originals, kind, steps }
}

fn command(line: &str) -> Value {
    json!({"command": line})
}

/// Every line that is shown is a line of the original.
#[track_caller]
fn only_original_lines(before: &str, seen: &Seen) {
    let known: BTreeSet<&str> = before.lines().collect();
    for line in seen.lines(before) {
        assert!(known.contains(line.as_str()), "`{line}` is no line of the original");
    }
}

// Words dropped from a listing left numbers without names: sizes beside the wrong file, dates without a day.
#[test]
fn rows_of_a_long_listing_stay_whole() {
    let mut rng = Rng::new(6);
    let mut rows = vec!["total 4096".to_owned()];
    for n in 0..400 {
        let name = if n == 123 {
            "name with  two spaces.txt".to_owned()
        } else {
            format!("part-{:05}.bin", rng.below(90_000))
        };
        rows.push(format!(
            "-rw-r--r-- 1 keeper  staff {:>9} Apr {:>2} 07:{:02} {name}",
            rng.below(9_000_000),
            n % 28 + 1,
            n % 60
        ));
    }
    let text = rows.join("\n") + "\n";
    let seen = send("Which file is the one with two spaces?", "run_command", command("ls -la"), &text);
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let known: BTreeSet<_> = text.lines().map(cells).collect();
    let shown = seen.lines(&text);
    assert!(shown.len() > 5);
    for line in shown {
        assert!(known.contains(&cells(&line)), "`{line}` is no row of the listing");
    }
}

// A hit fused with its neighbour named a line on which the text does not stand.
#[test]
fn search_hits_are_never_fused() {
    let text = Output::Search.text(3_000, 6, None);
    let seen = send("Look at it.", "search_files", json!({"pattern": "find", "path": "src"}), &text);
    assert!(!seen.originals.is_empty(), "3,000 hits were all shown");
    only_original_lines(&text, &seen);
}

// Records went missing and the totals that the model computed were wrong without a sign of it.
#[test]
fn rows_that_are_left_out_are_counted() {
    for (output, rows) in [(Output::Records, 500), (Output::JsonLines, 500), (Output::Table, 500)] {
        let text = output.text(rows, 7, None);
        let seen = send("Look at it.", "run_command", command("billing export"), &text);
        let mut counted = 0;
        for marker in seen.text.lines().filter(|line| line.starts_with("[headroom:")) {
            let words: Vec<&str> = marker.split(' ').collect();
            counted += match words[1..] {
                ["lines", range, ..] => {
                    let (first, last) = range.split_once('-').unwrap();
                    last.parse::<usize>().unwrap() + 1 - first.parse::<usize>().unwrap()
                }
                [aside, "of", all, ..] => {
                    assert_eq!(all.parse::<usize>().unwrap(), rows, "{marker}");
                    aside.parse().unwrap()
                }
                _ => panic!("{marker}"),
            };
        }
        assert!(counted > 0, "{output}: nothing was set aside");
        let shown = (0..rows).filter(|row| {
            let id = match output {
                Output::Table => {
                    text.lines().nth(row + 1).unwrap().split_whitespace().nth(1).unwrap().to_owned()
                }
                _ => format!("T{:02}:{:02}:{:02}Z", row / 3600, row / 60 % 60, row % 60),
            };
            seen.lines(&text).iter().any(|line| line.contains(&id))
        });
        assert_eq!(shown.count() + counted, rows, "{output}: shown and set aside are not all");
    }
}

// Arrays behind other arrays were cut without a sign of it.
#[test]
fn rows_of_every_array_are_counted() {
    let rows = |name: &str, count: usize| -> Vec<Value> {
        let mut rng = Rng::new(7);
        let row = |n| json!({"id": format!("{name}-{n:04}"), "port": rng.below(90), "note": format!("quay {}", rng.below(9000))});
        (0..count).map(row).collect()
    };
    let sizes = [("ship", 300), ("dock", 220), ("rope", 90)];
    let [ships, docks, ropes] = sizes.map(|(name, count)| rows(name, count));
    let text = serde_json::to_string_pretty(
        &json!({"ships": ships, "harbour": {"docks": docks}, "shelves": [{"ropes": ropes}], "total": 610}),
    )
    .unwrap();
    let seen = send("Look at it.", "run_command", command("billing export"), &text);
    for ((name, count), place) in sizes.into_iter().zip(["ships", "harbour.docks", "shelves[0].ropes"]) {
        let shown = (0..count).filter(|n| seen.text.contains(&format!("{name}-{n:04}"))).count();
        let marker = seen.text.lines().find(|line| line.contains(&format!(" in {place} stored")));
        let words: Vec<&str> = marker.unwrap_or_else(|| panic!("{place} has no marker")).split(' ').collect();
        assert_eq!(words[2..4], ["of", &count.to_string()], "{marker:?}");
        assert_eq!(shown + words[1].parse::<usize>().unwrap(), count, "{place}");
    }
    assert!(seen.text.contains("\"total\":610"), "what is no row stays");
}

// Files went missing from the hits, so that a change was made in some of the places only.
#[test]
fn every_file_with_hits_is_named_and_all_hits_are_counted() {
    let mut rng = Rng::new(11);
    let mut rows = Vec::new();
    let mut files = Vec::new();
    for n in 0..60 {
        let path = match n % 4 {
            0 => format!("src/dock{n}.rs"),
            1 => format!("tests/dock/dock{n}.rs"),
            2 => format!("node_modules/rope/{n}.js"),
            _ => format!("src/quay/quay{n}_test.go"),
        };
        let hits = 1 + rng.below(if n % 4 == 0 { 40 } else { 9 });
        rows.extend(
            (0..hits).map(|hit| format!("{path}:{}:    moor(ship{});", hit * 7 + 3, rng.below(9_000))),
        );
        files.push((path, hits));
    }
    let text = rows.join("\n") + "\n";
    for (question, arguments) in [
        ("Look at it.", json!({"pattern": "moor"})),
        ("Which tests call it?", json!({"pattern": "moor\\("})),
        ("Look at it.", json!({"pattern": "moor", "path": "src"})),
    ] {
        let seen = send(question, "search_files", arguments, &text);
        only_original_lines(&text, &seen);
        let lines = seen.lines(&text);
        let mut aside = 0;
        let mut named = String::new();
        for marker in seen.text.lines().filter(|line| line.starts_with("[headroom:")) {
            let (_, summary) = marker.split_once(" stored: ").unwrap();
            aside += summary.split(' ').next().unwrap().parse::<usize>().unwrap();
            named.push_str(summary);
        }
        assert!(aside > 0, "nothing was set aside");
        assert_eq!(lines.len() + aside, rows.len(), "shown and set aside are not all");
        for (path, hits) in &files {
            let shown = lines.iter().filter(|line| line.starts_with(&format!("{path}:"))).count();
            let name = path.rsplit('/').next().unwrap();
            let counted = named.contains(&format!("{name} {hits}"))
                || named.contains(&format!("{hits} hits in {path}"));
            assert!(shown > 0 || counted, "{path} is not named:\n{}", seen.text);
        }
    }
}

// A fact that the user asked about was dropped because it looked like all the others.
#[test]
fn what_was_named_stays_however_much_goes() {
    for output in Output::ALL {
        for name in ["kestrel4711", "9f8c2e1b-77aa-4c1d", "crane::dock_9", "r2d2"] {
            let planted = Planted { at: 900, word: name, stands_out: false };
            let text = output.text(1_500, 8, Some(planted));
            let (tool, arguments) = output.call(None);
            let seen = send(&format!("What about {name}?"), tool, arguments, &text);
            assert!(seen.text.contains(name), "{output}: {name} was asked about");
            let (tool, arguments) = output.call(Some(name));
            let seen = send("Look at it.", tool, arguments, &text);
            assert!(seen.text.contains(name), "{output}: {name} was called for");
        }
    }
}

// Dates were read as paths, colons of the text as coordinates, drive letters as paths of one letter, and rows of
// context, which have hyphens, as hits of another file.
#[test]
fn coordinates_survive_in_every_spelling() {
    type Row = fn(usize, &str) -> String;
    let spellings: [(&str, Row); 7] = [
        ("drive letters", |n, word| {
            format!(r"C:\src\app {}\main.rs:{}:    {word}: u32 = 07:15;", n / 150, n + 1)
        }),
        ("dates in names", |n, word| {
            format!(
                "logs/2031-04-{:02}/ship-12-03.txt:{}:2031-04-09 07:15:{:02} {word}",
                n / 150 + 1,
                n + 1,
                n % 60
            )
        }),
        ("spaces in names", |n, word| {
            format!("my docs/ship notes {}.md:{}:12:30 {word}: see note:3: there", n / 150, n + 1)
        }),
        ("context rows", |n, word| {
            let mark = if n % 5 == 2 { ':' } else { '-' };
            if n % 5 == 4 {
                "--".to_owned()
            } else {
                format!("src/a-12-b{}.rs{mark}{}{mark}    {word}-7-x();", n / 150, n + 1)
            }
        }),
        ("colours", |n, word| {
            format!(
                "\u{1b}[35msrc/dock{}.rs\u{1b}[m\u{1b}[36m:\u{1b}[m\u{1b}[32m{}\u{1b}[m\u{1b}[36m:\u{1b}[m  \u{1b}[1;31m{word}\u{1b}[m()",
                n / 150,
                n + 1
            )
        }),
        ("columns", |n, word| format!("src/dock{}.rs:{}:{}:  {word}(\"a:1:b\")", n / 150, n + 1, n % 80)),
        ("CRLF", |n, word| format!("src/dock{}.rs:{}:\t{word} = 1;\r", n / 150, n + 1)),
    ];
    for (spelling, row) in spellings {
        let mut rng = Rng::new(9);
        let rows: Vec<String> = (0..600).map(|n| row(n, &format!("ship{}", rng.below(90_000)))).collect();
        let text = rows.join("\n") + "\n";
        for (tool, arguments) in [
            ("search_files", json!({"pattern": "ship", "-C": 2})),
            ("run_command", command("grep -rn -C2 ship .")),
        ] {
            let seen = send("Look at it.", tool, arguments, &text);
            let drawn: String;
            let before = if seen.steps.contains(&Transform::Ansi) {
                drawn = text.lines().map(headroom_tests::laws::as_drawn).collect::<Vec<_>>().join("\n");
                &drawn
            } else {
                &text
            };
            let known: BTreeSet<&str> = before.lines().collect();
            for line in seen.lines(before) {
                assert!(known.contains(line.as_str()), "{spelling}: `{line}` ({:?})", seen.kind);
            }
        }
    }
}

// A marker in the place of a number made typed readers fail, and one that spoke of truncation made models run the
// command again.
#[test]
fn markers_read_as_kept_and_stand_alone() {
    for output in Output::ALL {
        let text = output.text(1_200, 10, None);
        let (tool, arguments) = output.call(None);
        let seen = send("Look at it.", tool, arguments, &text);
        let first = seen.text.lines().find(|line| line.contains("[headroom:"));
        assert!(first.is_none_or(|line| !line.contains(" also ")), "{output}: {first:?}");
        for line in seen.text.lines().filter(|line| line.contains("[headroom:")) {
            assert!(line.starts_with("[headroom:") && line.ends_with(']'), "{output}: {line}");
            let says_how =
                line.contains("; headroom_retrieve]") || line.starts_with("[headroom: also lines ");
            assert!(line.contains(" stored") && says_how, "{output}: {line}");
            for word in ["truncat", "omit", "remov", "corrupt", "lost", "delet", "drop", "…"] {
                assert!(!line.to_lowercase().contains(word), "{output}: {line}");
            }
        }
        // What can be read as JSON has no marker in it.
        if serde_json::from_str::<Value>(&seen.text).is_ok() {
            assert!(!seen.text.contains("[headroom:"), "{output}: a marker in JSON");
        }
    }
}

// An edit by exact string failed after a read whose tabs, line ends or numbers had been tidied up.
#[test]
fn lines_of_a_read_file_can_be_edited_by_exact_string() {
    type Spell = fn(usize) -> String;
    let spellings: [(&str, &str, Spell); 5] =
        [
            ("tabs", "\n", |n| format!("\tlet\tship_{n} = load({});  ", n * 7 % 1000)),
            ("CRLF", "\r\n", |n| format!("    ship_{n} = load({})", n * 7 % 1000)),
            ("aligned", "\n", |n| format!("port_{n:<8}   =   {:>6}   # east  quay", n * 7 % 1000)),
            ("blank lines", "\n", |n| if n % 3 == 0 { "  ".to_owned() } else { format!("    return {n}") }),
            ("repeated", "\n", |n| {
                if n % 40 == 0 { format!("fn dock_{n}() {{") } else { "    wait();".to_owned() }
            }),
        ];
    for (name, end, spell) in spellings {
        let lines: Vec<String> = (1..=1_200).map(spell).collect();
        // A byte order mark in front and no line end behind.
        let file = format!("\u{feff}{}", lines.join(end));
        let numbered: Vec<String> =
            file.split('\n').enumerate().map(|(n, line)| format!("{:6}\t{line}", n + 1)).collect();
        for (tool, arguments, text) in [
            ("read_file", json!({"file_path": "/app/dock.rs"}), numbered.join("\n")),
            ("run_command", command("cat /app/dock.rs"), file.clone()),
            ("run_command", command("cat -n /app/dock.rs"), numbered.join("\n")),
        ] {
            let seen = send("Change ship_77 and dock_80.", tool, arguments, &text);
            assert_eq!(seen.kind, ContentKind::FileRead, "{name} through {tool}");
            let known: BTreeSet<&str> = file.split('\n').collect();
            // In code a marker is a comment.
            let is_marker =
                |line: &str| line.trim_start().trim_start_matches("// ").starts_with("[headroom:");
            for line in seen.text.split('\n').filter(|line| !is_marker(line)) {
                let number = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
                let own = number.strip_prefix('\t').unwrap_or(number);
                assert!(
                    known.contains(line) || known.contains(own),
                    "{name} through {tool}: `{line}` is not in the file"
                );
            }
        }
    }
}
