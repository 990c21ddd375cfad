use super::{identity::Identity, *};
use crate::{ContentKind, detect, relevance::Query};

/// A C file that is mostly comments, with macros that no parser knows.
fn commented() -> String {
    let body: String = (0..12)
        .map(|n| {
            format!(
                "/* The tower {n} is lit before the keeper leaves it. It burns until the morning comes,\n * and the ships that pass see it from afar, as the rules of the harbour say.\n * Nobody may leave it alone, and nobody may put it out before the day has come.\n */\nTOWER_API static int tower_{n}(struct tower *tower)\n{{\n  return tower->lamp == NULL ? TOWER_DARK : tower_light(tower, {n});\n}}\n\n"
            )
        })
        .collect();
    format!("/* Part of the harbour. */\n#include \"tower.h\"\n#ifdef TOWER\n{body}#endif\n")
}

fn kind(text: &str, tool: &str, arguments: &str) -> ContentKind {
    settled(detect::kind(text, Some(tool), Some(arguments)), text, Some(arguments))
}

fn settled(kind: ContentKind, text: &str, arguments: Option<&str>) -> ContentKind {
    SourceScan::new(text, arguments).settled(kind, false)
}

fn source_of(kind: ContentKind, text: &str, arguments: Option<&str>) -> Option<Source> {
    SourceScan::new(text, arguments).source(kind, || None)
}

fn identified(text: &str) -> Option<Language> {
    Identity::new(text, &Language::candidates(text)).map(|found| found.language)
}

fn is_broken(before: &str, after: &str) -> bool {
    SourceScan::new(before, None).is_broken(ContentKind::Text, after)
}

#[test]
fn code_is_code_whichever_tool_brings_it() {
    let text = commented();
    for (tool, arguments) in [
        ("fetch", r#"{"path":"lib/tower.c"}"#),
        ("WebFetch", r#"{"url":"https://example.org/raw/main/tower.c?plain=1","prompt":"notes.md"}"#),
        ("Bash", r#"{"command":"curl -sL https://example.org/raw/main/tower.c"}"#),
        ("mcp__depot__load", r#"{"id":7}"#),
        ("mcp__depot__load", "{}"),
    ] {
        assert_eq!(kind(&text, tool, arguments), ContentKind::Code, "{tool} {arguments}");
    }
    assert_eq!(kind(&text, "Read", r#"{"file_path":"lib/tower.c"}"#), ContentKind::FileRead);
}

#[test]
fn what_only_names_code_is_none() {
    let log: String = (0..80)
        .map(|n| format!("10:00:{:02} tests/test_lamp.py::test_{n} PASSED in 0.{n} s\n", n % 60))
        .collect();
    assert_eq!(kind(&log, "Bash", r#"{"command":"python -m pytest tests/test_lamp.py"}"#), ContentKind::Log);
    let prose = "The keeper lit the lamp at dusk. The ships that passed it saw it from afar. ".repeat(20);
    for (tool, arguments) in [
        ("WebFetch", r#"{"url":"https://example.org/index.php?page=lamp"}"#),
        ("WebFetch", r#"{"url":"https://tower.rs"}"#),
        ("describe", r#"{"path":"lib/tower.c"}"#),
    ] {
        assert_eq!(kind(&prose, tool, arguments), ContentKind::Prose, "{tool} {arguments}");
    }
    let settings: String = (0..60).map(|n| format!("net.tower.lamp_{n} = {n}\n")).collect();
    let found = kind(&settings, "Bash", r#"{"command":"sysctl -a"}"#);
    assert_eq!(source_of(found, &settings, None), None, "settings are no program");
}

#[test]
fn names_that_a_call_writes_or_looks_for_are_no_names_of_its_file() {
    let text = "fn lamp() {}\n".repeat(20);
    let arguments = r#"{"file_path":"/src/lamp.rs","content":"see a.py and b.go"}"#;
    assert_eq!(source_of(ContentKind::FileRead, &text, Some(arguments)), Some(Source::Known(Language::Rust)));
}

#[test]
fn code_in_other_languages_is_not_cut_and_its_markers_are_comments() {
    let css = "/* Towers. */\n.lamp { color: red; }\n/* Ships. */\n.ship { color: blue; }\n".repeat(80);
    let source = source_of(ContentKind::FileRead, &css, Some("cat lamp.css")).unwrap();
    assert_eq!(source.gaps(&css, &Query::default()), []);
    assert_eq!(source.comment("[m]\n").as_deref(), Some("/* [m] */\n"));
    let both = source_of(ContentKind::FileRead, "a = 1\n", Some("cat a.py b.lua")).unwrap();
    assert_eq!(both.comment("[m]"), None, "nothing shows how");
    // What opens in the lines must close in them.
    let open = css.find(".ship").unwrap();
    let scan = SourceScan::new(&css, None);
    assert!(scan.still_parses(source, &[(0..open - 1, "")]));
    assert!(!scan.still_parses(source, &[(0..open + 8, "")]));
}

#[cfg(feature = "__code")]
#[test]
fn a_language_is_told_by_its_parser_where_cues_are_few() {
    let java: String = (0..20)
        .map(|n| format!("    /**\n     * Lights the lamp {n}.\n     */\n    public void light{n}() throws Dark {{\n        this.lamp.light({n});\n    }}\n\n"))
        .collect();
    let java = format!("package tower;\n\nimport java.util.List;\n\npublic class Tower {{\n{java}}}\n");
    assert_eq!(identified(&java), Some(Language::Java));
    let ruby = "# Towers\nmodule Tower\n  def light(lamp)\n    lamp.each do |one|\n      one.light unless one.nil?\n    end\n  end\nend\n".repeat(8);
    assert_eq!(identified(&ruby), Some(Language::Ruby));
    let prose = "Use the class of the tower. It returns what the keeper is asked for.\n".repeat(20);
    assert_eq!(identified(&prose), None);
}

#[test]
fn rows_and_lines_of_json_are_no_code_whatever_words_they_hold() {
    let rows: String = (0..60)
        .map(|n| {
            format!(
                "  {}/lamp-{n:<20} {:08x} [origin/{n}: gone] done since\n",
                ["fix", "done"][n % 2],
                n * 7919
            )
        })
        .collect();
    let lines: String = (0..60)
        .map(|n| format!("{{\"reason\": \"artifact\", \"id\": \"reg+x#lamp@1.{n}.0\", \"at\": [\"a.each b\", \"#{{c}}\"]}}\n"))
        .collect();
    for text in [rows, lines] {
        for kind in [ContentKind::Table, ContentKind::Text, ContentKind::Log, ContentKind::Listing] {
            assert_eq!(settled(kind, &text, None), kind, "{text}");
        }
    }
}

#[test]
fn tables_in_here_documents_are_code() {
    let rows: String = (0..400).map(|n| format!("{}\t{}\tlamp_{}\n", 4000 + n * 3, n % 7, n % 13)).collect();
    let table = format!("# Made by mklamps.\n# Lamps of the harbour.\nreturn <<'END';\n{rows}END\n");
    assert_eq!(kind(&table, "mcp__depot__load", r#"{"id":7}"#), ContentKind::Code);
    let source = source_of(ContentKind::Code, &table, None).unwrap();
    assert_eq!(source.gaps(&table, &Query::default()), []);
    // A script that a build shows is a small part of its log.
    let log: String = (0..80).map(|n| format!("10:00:{:02} INFO step {n} done\n", n % 60)).collect();
    let log = format!("{log}RUN cat <<EOF\necho lit\nEOF\n{log}");
    assert_eq!(kind(&log, "Bash", r#"{"command":"docker build ."}"#), ContentKind::Log);
}

#[cfg(feature = "__code")]
#[test]
fn what_may_be_code_and_would_not_parse_is_left_alone() {
    let lamps: String = (0..60).map(|n| format!("my $lamp{n} = $harbour->{{lamp}}[{n}];\n")).collect();
    let perl = format!("use strict;\nuse warnings;\nmy $harbour = shift;\n{lamps}1;\n");
    for (after, is_worse) in [(perl.replace("[3];", "[3"), true), (perl.replace("lamp3 ", "lamp "), false)] {
        assert_eq!(is_broken(&perl, &after), is_worse);
    }
}

#[cfg(feature = "__code")]
#[test]
fn what_parses_in_a_language_that_nobody_named_is_not_cut_as_text() {
    let numbers: String = (0..200).map(|n| format!("    {n}, {}, {}, 0, 0,\n", n * 7, n * 13)).collect();
    let table = format!("pub static HASHES: [u16; 1000] = [\n{numbers}];\n");
    let constants: String = (0..200).map(|n| format!("\tE{n} = syscall.Errno(0x{n:x})\n")).collect();
    let constants = format!("// mkerrors.sh\npackage unix\n\nconst (\n{constants})\n");
    let assigned: String = (0..200).map(|n| format!("LAMP_{n} = 0x{n:04x}\n")).collect();
    for text in [&table, &constants, &assigned] {
        let lines: Vec<&str> = text.lines().collect();
        let after = format!(
            "{}\n[headroom: lines 6-190 stored]\n{}\n",
            lines[..6].join("\n"),
            lines[190..].join("\n")
        );
        assert!(is_broken(text, &after), "{after}");
        assert!(!is_broken(text, &after.replace("[headroom: lines 6-190 stored]\n", "")));
    }
    let words = "harbour\nlantern\nquay\n".repeat(60);
    let rows: String = (0..200).map(|n| format!("{n},{},{}\n", n * 7, n * 13)).collect();
    let values = "{\"lamp\": 1, \"lit\": true}\n".repeat(200);
    for text in [words, rows, values] {
        let first = text.lines().next().unwrap();
        assert!(!is_broken(&text, &format!("{first}\n[headroom: lines 2-180 stored]\n")), "{first}");
    }
}

#[cfg(feature = "__code")]
#[test]
fn what_is_too_long_to_be_parsed_and_starts_like_code_is_not_cut_as_text() {
    let constants: String = (0..20_000).map(|n| format!("    harbour.lamp({n}, {}),\n", n * 7)).collect();
    let table = format!("lamps = [\n{constants}]\n");
    assert!(is_broken(&table, "lamps = [\n    harbour.lamp(0, 0),\n[headroom: lines 3-20001 stored]\n]\n"));
    let log: String =
        (0..20_000).map(|n| format!("lamp={n} level=info msg=\"lit after {n} ms\"\n")).collect();
    assert!(!is_broken(&log, "lamp=0\n[headroom: lines 2-20000 stored]\n"));
}

#[cfg(feature = "__code")]
#[test]
fn numbered_lines_of_code_that_nobody_named_are_judged_without_their_numbers() {
    let constants: String = (1..600).map(|n| format!("{n:6}\tLAMP_{n} = 0x{n:04x}\n")).collect();
    let scan = SourceScan::new(&constants, Some("{}"));
    let lines: Vec<&str> = constants.lines().collect();
    let with = |marker: &str| format!("{}\n{marker}{}\n", lines[..6].join("\n"), lines[500..].join("\n"));
    assert!(scan.is_broken(ContentKind::FileRead, &with("[headroom: lines 7-500 stored]\n")));
    assert!(!scan.is_broken(ContentKind::FileRead, &with("")));
}

#[test]
fn lines_with_one_end_of_a_pair_are_seen() {
    let text = "import a\n/**\n * One\n * Two\n */\nf(\n  b,\n)\n";
    let at = |line: &str| text.find(line).unwrap();
    assert!(cuts_pairs(text, &(0..at(" * Two"))));
    assert!(cuts_pairs(text, &(at("  b")..text.len())));
    assert!(!cuts_pairs(text, &(0..at("f("))));
    assert!(!cuts_pairs("smile :)\nand (go\n", &(0..9)), "nothing is paired there");
}

#[test]
fn what_a_tool_says_above_an_output_is_no_code() {
    for line in ["Exit code: 0", "Wall time: 0.4 seconds", "Process group id:\t7"] {
        for language in [Language::JavaScript, Language::Python, Language::Rust] {
            assert!(!shape::may_be_in(&format!("{line}\n[\n  1,\n]\n"), language), "{line}");
        }
    }
    for line in
        ["exit: for (;;) {}", "Exit: while (true) { break Exit }", "lamps: dict = {}", "Lamp::new(1);"]
    {
        assert!(shape::may_be_in(line, Language::JavaScript), "{line}");
    }
}
