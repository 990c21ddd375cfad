use proptest::prelude::*;

use super::*;
use crate::compress::shared_texts;

fn folded(text: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    for fold in runs(text) {
        assert!(fold.range.start >= at && fold.replacement.len() < fold.range.len(), "{fold:?}");
        assert!(fold.kept < fold.range.start);
        out.push_str(&text[at..fold.range.start]);
        out.push_str(&fold.replacement);
        at = fold.range.end;
    }
    out.push_str(&text[at..]);
    out
}

#[test]
fn equal_lines_become_one_and_a_count() {
    let text = format!("start\n{}end\n", "waiting for database\n".repeat(40));
    let short = "start\nwaiting for database\n[headroom: previous line repeated 39 more times]\nend\n";
    assert_eq!(folded(&text), short);
    assert_eq!(expand(short), text);
}

#[test]
fn equal_groups_become_one_and_a_count() {
    let group = "connecting to db:5432\nconnection refused\nretrying in 5 s\n";
    let text = format!("boot\n{}up\n", group.repeat(40));
    let marker = "[headroom: previous 3 lines repeated 39 more times]\n";
    assert_eq!(folded(&text), format!("boot\n{group}{marker}up\n"));
}

#[test]
fn a_group_that_holds_equal_lines_is_folded_as_a_whole() {
    let group = "connection refused\nconnection refused\nretrying in 5 s\n";
    assert_eq!(
        folded(&group.repeat(10)),
        format!("{group}[headroom: previous 3 lines repeated 9 more times]\n")
    );
}

#[test]
fn a_group_that_breaks_off_keeps_its_rest() {
    let group = "connecting to db:5432\nconnection refused\nretrying in 5 s\n";
    let text = format!("{}connecting to db:5432\nconnected\n", group.repeat(5));
    let marker = "[headroom: previous 3 lines repeated 4 more times]\n";
    assert_eq!(folded(&text), format!("{group}{marker}connecting to db:5432\nconnected\n"));
}

#[test]
fn the_end_of_a_record_and_the_start_of_the_next_are_no_group() {
    let record = |id: u32, rest: &str| format!("- id: {id}\n{rest}");
    let (same, other) =
        ("  state: running for a long time\n  zone: eu-west-1a\n", "  state: failed\n  zone: none\n");
    let yaml = ["- id: 7\n", same, &record(1, same), &record(1, other)].concat();
    assert_eq!(folded(&yaml), yaml);
    let four = [record(1, same).repeat(4), record(1, other)].concat();
    let marker = "[headroom: previous 3 lines repeated 3 more times]\n";
    assert_eq!(folded(&four), [&record(1, same), marker, &record(1, other)].concat());
    let (same, other) = ("state: running for a long time\nzone: eu-west-1a\n\n", "state: failed\n\n");
    let blocks = ["id: 7\n", same, "id: 1\n", same, "id: 1\n", other].concat();
    assert_eq!(folded(&blocks), blocks);
}

#[test]
fn line_ends_come_back() {
    let line = "waiting for the database to come up";
    for text in [
        format!("{line}\n{line}\n{line}\n{line}"),
        format!("{line}\r\n{line}\r\n{line}\r\n{line}\r\n"),
        format!("{line}\r\n{line}\r\n{line}\r\n{line}"),
        format!("{line}\r\n{line}\n{line}\n{line}\n{line}\n{line}\r\n{line}"),
        format!("\n{line}\r\n{line}\r\n{line}\r\n{line}\r\n{line}\r"),
    ] {
        let short = folded(&text);
        assert!(short.len() < text.len(), "{text:?}");
        assert_eq!(short.ends_with('\n'), text.ends_with('\n'));
        assert_eq!(short.ends_with("\r\n"), text.ends_with("\r\n"));
        assert_eq!(expand(&short), text);
    }
}

#[test]
fn what_cannot_pay_stays() {
    for text in ["a\n".repeat(20), "\n".repeat(500), format!("{}\n", "-".repeat(80)).repeat(4)] {
        assert_eq!(folded(&text), text);
    }
    assert_eq!(folded(""), "");
}

#[test]
fn a_text_that_holds_a_marker_is_left_alone() {
    let line = "waiting for the database to come up\n";
    for marker in ["[headroom: previous line repeated 3 more times]\n", "x [headroom: previous y\n"] {
        let text = format!("{marker}{}", line.repeat(40));
        assert_eq!(runs(&text), []);
    }
}

#[test]
fn only_the_written_form_is_a_marker() {
    for (period, times) in [(1, 1), (1, 39), (8, 1), (2, 100), (3, 12_345)] {
        assert_eq!(parse_marker(&marker(period, times)), Some((period, times)));
        assert_eq!(marker_length(period, times), marker(period, times).len());
    }
    for text in [
        "[headroom: previous 1 lines repeated 3 more times]",
        "[headroom: previous line repeated 03 more times]",
        "[headroom: previous line repeated 1 more times]",
        "[headroom: previous line repeated 0 more times]",
        "[headroom: previous line repeated 99999999999999999999999 more times]",
        " [headroom: previous line repeated 3 more times]",
        "[headroom: previous line repeated 3 more times",
    ] {
        assert_eq!(parse_marker(text), None, "{text}");
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn recorded_outputs_come_back() {
    for (path, text) in shared_texts("corpora") {
        let short = folded(&text);
        assert_eq!(expand(&short), text, "{}", path.display());
        if short.len() + text.len() / 50 < text.len() {
            println!("{} -> {} {}", text.len(), short.len(), path.display());
        }
    }
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("retry: connection to 10.0.0.1 refused, waiting".to_owned()),
        4 => Just("still waiting for the server to answer".to_owned()),
        2 => Just(String::new()),
        1 => Just(marker(1, 3)),
        1 => Just(marker(2, 1)),
        2 => "[a-c\r]{0,30}",
    ]
}

proptest! {
    #[test]
    fn folding_is_reversible(
        groups in proptest::collection::vec(
            (proptest::collection::vec((line(), "\r?\n"), 0..10), 0_usize..6), 0..6),
        last in line(),
    ) {
        let mut text = String::new();
        for (lines, times) in groups {
            let group: String = lines.into_iter().map(|(line, end)| line + &end).collect();
            text.push_str(&group.repeat(times));
        }
        text.push_str(&last);
        let short = folded(&text);
        if short == text {
            prop_assert!(runs(&text).is_empty());
        } else {
            prop_assert_eq!(expand(&short), text);
        }
    }
}
