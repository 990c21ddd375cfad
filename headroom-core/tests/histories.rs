//! Histories of several commits: each visible line is below its own hunk, file and commit, and each gap ends where a commit ends
//! and says what it hides.
//!
//! The reader knows what was generated, and nothing of how diffs are read.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "tests may"
)]

#[path = "histories/history.rs"]
mod history;

use std::fmt::Write;

use headroom_core::{CompressOptions, Engine, Hints, Retrieval};
use proptest::prelude::*;

use self::history::{Form, History, Margin, Place, hash, subject};

fn shown(text: &str, question: &str, command: &str) -> String {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let arguments = format!("{{\"command\":{command:?}}}");
    let hints = Hints::new().tool("Bash").arguments(arguments).query(question).options(options);
    Engine::new().compress_text(text, &hints).text.unwrap_or_else(|| text.to_owned())
}

/// Returns the first and last line of a gap, counted from zero, and what its marker says.
fn gap(line: &str) -> Option<(usize, usize, &str)> {
    let rest = line.strip_prefix("[headroom:")?;
    let rest = rest.split_once("lines ")?.1;
    let (range, rest) = rest.split_once(' ')?;
    let (first, last) = range.split_once('-')?;
    let says = rest.split_once(": ").map_or("", |(_, says)| says);
    let says = says.trim_end_matches(']').trim_end_matches("; headroom_retrieve");
    Some((first.parse::<usize>().ok()? - 1, last.parse::<usize>().ok()? - 1, says))
}

/// Returns what is false in an output of the lines from `start` on, if anything is.
fn fault(history: &History, start: usize, count: usize, out: &str) -> Option<String> {
    let lines: Vec<&str> = history.lines[start..start + count].iter().map(String::as_str).collect();
    let places = &history.places[start..start + count];
    let mut visible = vec![true; count];
    let mut at = 0;
    for line in out.lines().map(|line| line.strip_suffix('\r').unwrap_or(line)) {
        let Some((first, last, says)) = gap(line) else {
            if lines.get(at) != Some(&line) {
                return Some(format!("line {at} is {line:?}"));
            }
            at += 1;
            continue;
        };
        if first != at || last >= count {
            return Some(format!("a gap at {at}: {line}"));
        }
        at = last + 1;
        visible[first..=last].fill(false);
        if let Some(fault) = gap_fault(history, &lines, (places, start), (first, last, says)) {
            return Some(fault);
        }
    }
    if at != count {
        return Some(format!("ends at {at} of {count}"));
    }
    (0..count).filter(|line| visible[*line]).find_map(|line| {
        let heads =
            (0..count).filter(|head| is_head_of(places[*head], places[line]) && is_head(lines[*head]));
        let hidden = heads.into_iter().find(|head| !visible[*head])?;
        Some(format!("{:?} without {:?}", lines[line], lines[hidden]))
    })
}

/// Whether a line names a commit, a file or a hunk.
fn is_head(line: &str) -> bool {
    let is_short = line.ends_with(" to wait") && !line.starts_with([' ', 's', 'S']);
    ["commit ", "From ", "changeset:", "Author:", "diff --git ", "@@ "]
        .iter()
        .any(|start| line.starts_with(start))
        || is_short
}

/// Whether what is at the first place may be the head of what is at the second.
fn is_head_of(head: Place, line: Place) -> bool {
    let (commit, file, hunk) = head;
    commit == line.0 && (file.is_none() || file == line.1) && (hunk.is_none() || hunk == line.2)
}

fn gap_fault(
    history: &History,
    lines: &[&str],
    (places, _): (&[Place], usize),
    (first, last, says): (usize, usize, &str),
) -> Option<String> {
    let inside = &places[first..=last];
    if inside.iter().any(|place| place.0 != inside[0].0 || place.1.is_none()) {
        return Some(format!("a gap over more than files of a commit: {says}"));
    }
    // The files that the gap holds as a whole, as far as they are in the text, if a line of theirs names them.
    let is_whole = |file: &usize| {
        let own =
            (0..lines.len()).filter(|line| (places[*line].0, places[*line].1) == (inside[0].0, Some(*file)));
        let names = |line: usize| {
            places[line].2.is_none()
                && ["diff --git ", "--- ", "+++ "].iter().any(|start| lines[line].starts_with(start))
        };
        // A text that was cut may begin at a line that says nothing about which file it is of.
        let own: Vec<usize> = own.filter(|line| !lines[*line].starts_with("index ")).collect();
        own.iter().all(|line| (first..=last).contains(line)) && own.iter().any(|line| names(*line))
    };
    let mut all: Vec<usize> = inside.iter().filter_map(|place| place.1).collect();
    all.dedup();
    let own: Vec<usize> = all.iter().copied().filter(is_whole).collect();
    if all.len() > 1 && own.len() < all.len() {
        return Some(format!("a gap from one file into the next: {says}"));
    }
    let files = own.len();
    let count = |start: &str| lines[first..=last].iter().filter(|line| line.starts_with(start)).count();
    let hunks = count("@@ ");
    let changes = |sign: char| {
        let inside = lines[first..=last].iter().zip(inside);
        inside.filter(|(line, place)| place.2.is_some() && line.starts_with(sign)).count()
    };
    let many = |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let mut expected = Vec::new();
    if files > 0 {
        expected.push(many(files, "file"));
    }
    if hunks > 0 {
        expected.push(many(hunks, "hunk"));
    }
    expected.push(format!("+{} -{}", changes('+'), changes('-')));
    let mut expected = expected.join(", ");
    if files > 0 {
        let names = own.iter().take(8).map(|file| history.paths[&(inside[0].0, *file)].as_str());
        let _ = write!(expected, ": {}", names.collect::<Vec<_>>().join(", "));
        if own.len() > 8 {
            let _ = write!(expected, " and {} more", own.len() - 8);
        }
    }
    (says != expected).then(|| format!("says {says:?}, is {expected:?}"))
}

fn commits() -> impl Strategy<Value = Vec<Vec<Vec<usize>>>> {
    let hunks = proptest::collection::vec(1_usize..14, 1..5);
    let files = prop_oneof![4 => proptest::collection::vec(hunks.clone(), 1..6), 1 => proptest::collection::vec(hunks, 0..14)];
    proptest::collection::vec(files, 2..9)
}

fn forms() -> impl Strategy<Value = Form> {
    prop_oneof![3 => Just(Form::Git), 1 => Just(Form::Merge), 1 => Just(Form::Mail), 1 => Just(Form::Hg), 1 => Just(Form::Short)]
}

fn margins() -> impl Strategy<Value = Margin> {
    let graph = (0_usize..3).prop_map(Margin::Graph);
    prop_oneof![3 => Just(Margin::Blanks(0)), 3 => graph, 1 => Just(Margin::Blanks(4)), 1 => Just(Margin::Quoted)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn visible_lines_are_below_their_own_heads(
        commits in commits(),
        form in forms(),
        (from, to) in (0_usize..100, 0_usize..100),
        is_cut in any::<bool>(),
        crlf in any::<bool>(),
        margin in margins(),
        question in prop_oneof![
            Just("What is going on?".to_owned()),
            Just("Who taught the login to wait?".to_owned()),
            "What is in file_[0-3]\\.rs\\?",
            "Which commit has value [0-9] of [0-4]\\.[0-3]\\.[0-2]\\?",
        ],
    ) {
        let history = History::new(&commits, form);
        let all = history.lines.len();
        let (start, count) = if is_cut { (all * from / 250, all - all * from / 250 - all * to / 250) } else { (0, all) };
        let end = if crlf { "\r\n" } else { "\n" };
        let is_first = |line: usize| line == 0 || history.places[line].0 != history.places[line - 1].0;
        let text: String = (start..start + count)
            .map(|line| margin.text(is_first(line)) + &history.lines[line] + end)
            .collect();
        let out = shown(&text, &question, "git log -p");
        let is_marker = |line: &str| line.starts_with("[headroom:");
        let bare = |line: &str| if is_marker(line) { line } else { &line[margin.len()..] }.to_owned() + "\n";
        let bare: String = out.lines().map(bare).collect();
        let found = fault(&history, start, count, &bare);
        prop_assert!(found.is_none(), "{found:?}\n{out}");
    }
}

/// Ten commits with three files each.
fn ten() -> History {
    History::new(&vec![vec![vec![4, 4], vec![8], vec![2, 6, 3]]; 10], Form::Git)
}

#[test]
fn a_history_takes_less_and_keeps_what_identifies_each_commit() {
    let history = ten();
    let text: String = history.lines.iter().map(|line| format!("{line}\n")).collect();
    let out = shown(&text, "What is going on?", "git log --patch -10");
    assert!(out.len() * 2 < text.len(), "{} of {}\n{out}", out.len(), text.len());
    for commit in 0..10 {
        for part in [
            hash(commit),
            format!("Author: Ada {commit} "),
            format!("    {}\n", subject(commit)),
            format!("Why {commit} was"),
        ] {
            assert!(out.contains(&part), "{part}");
        }
        for file in 0..3 {
            assert!(out.contains(&history.paths[&(commit, file)]), "{commit} {file}");
        }
    }
    assert_eq!(fault(&history, 0, history.lines.len(), &out), None);
}

#[test]
fn what_the_query_names_stays_with_its_commit() {
    let history = ten();
    let text = history.lines.join("\n").replace("+new value 5 of 7.1.0", "+retry_limit = 17");
    let history = History { lines: text.lines().map(str::to_owned).collect(), ..history };
    let whole = |commit: usize| {
        vec![format!("+new value 2 of {commit}.2.2"), format!("-old value 0 of {commit}.0.0")]
    };
    for (question, parts) in [
        ("Which commit set retry_limit?".to_owned(), vec!["+retry_limit = 17".to_owned()]),
        // A commit that is named is shown as a whole.
        ("What changed for the importer?".to_owned(), whole(6)),
        (format!("What is in {}?", &hash(4)[..9]), whole(4)),
    ] {
        let out = shown(&text, &question, "git log -p");
        assert_eq!(fault(&history, 0, history.lines.len(), &out), None, "{out}");
        for part in parts {
            assert!(out.contains(&part), "{question} {part}\n{out}");
        }
    }
    // To apply or judge them takes all.
    assert_eq!(shown(&text, "Review these commits", "git log -p"), text);
}

#[test]
fn the_path_in_the_call_names_no_file_of_its_history() {
    let commits: Vec<Vec<Vec<usize>>> = vec![vec![vec![9, 9]]; 12];
    let history = History::new(&commits, Form::Git);
    let text = history.lines.join("\n").replace("src/part_", "src/a").replace("/file_0.rs", ".rs");
    let same: String = (0..12).fold(text, |text, n| text.replace(&format!("src/a{n}.rs"), "src/parser.rs"));
    let out = shown(&same, "Why is the parser slow?", "git log -p -- src/parser.rs");
    assert!(out.len() * 2 < same.len(), "{} of {}", out.len(), same.len());
}

#[test]
fn a_hunk_behind_a_cut_is_of_no_file() {
    let history = ten();
    let text = history.lines.join("\n");
    // What a tool leaves out of the middle.
    let (start, end) =
        (text.find("+new value 1 of 3.0.0").unwrap(), text.find("+new value 1 of 5.2.1").unwrap());
    let cut = format!("{}\n[... 4000 characters left out ...]\n{}", &text[..start], &text[end..]);
    let out = shown(&cut, "What is going on?", "git log -p");
    let behind = &out[out.find("[... 4000").unwrap()..];
    let first = behind.find("\ncommit ").unwrap();
    assert!(!behind[..first].contains("[headroom:"), "{}", &behind[..first]);
    assert!(behind[..first].contains("+new value 2 of 5.2.2"), "{}", &behind[..first]);
}

#[test]
fn short_histories_stay() {
    let history = History::new(&[vec![vec![3]], vec![vec![2]]], Form::Git);
    let text = history.lines.join("\n");
    assert_eq!(shown(&text, "What is going on?", "git log -p -2"), text);
}
