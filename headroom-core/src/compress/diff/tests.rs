use proptest::prelude::*;

use super::{super::trial, *};
use crate::{compress::shared_texts, formats::diff::share};

fn shown(text: &str, query: &Query<'_>) -> String {
    let found = gaps(text, query);
    trial::check(text, &found);
    trial::elided(text, &found)
}

fn asking(question: &str) -> Query<'_> {
    Query { question: Some(question), ..Query::default() }
}

/// One file of which each hunk has so many lines of each mark.
fn file(path: &str, hunks: usize, lines: usize) -> String {
    let mut out =
        format!("diff --git a/{path} b/{path}\nindex 111..222 100644\n--- a/{path}\n+++ b/{path}\n");
    for hunk in 0..hunks {
        let count = 2 + lines;
        out += &format!("@@ -{0},{count} +{0},{count} @@ fn part_{hunk}()\n before\n", hunk * 100 + 1);
        for line in 0..lines {
            out += &format!("-old value {hunk}.{line} of {path}\n+new value {hunk}.{line} of {path}\n");
        }
        out += " after\n";
    }
    out
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_diffs_keep_their_needles() {
    let tally = trial::corpus("diffs/", |_, text, query| Some(shown(text, query)));
    assert!(tally.visible * 100 >= tally.needles * 97, "{tally:?}");
    let form = |text: &str, query: &Query<'_>| (share(text) >= 60).then(|| shown(text, query));
    let tally = trial::conversations(form);
    assert!(tally.visible * 100 >= tally.needles * 99, "{tally:?}");
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn real_texts_are_told_apart() {
    let (mut diffs, mut others) = (0, 0);
    for (path, text) in shared_texts("corpora") {
        let name = path.display().to_string();
        let share = share(&text);
        if name.contains("/diffs/") {
            diffs += 1;
            if share < 60 {
                println!("{share} {name}");
            }
        } else if share >= 60 {
            others += 1;
            println!("{share} {name}");
        }
    }
    assert!(others <= 3, "{others} beside {diffs}");
}

#[test]
fn what_tools_wrote_is_set_aside_and_heads_stay() {
    for lock in ["Cargo.lock", "web/package-lock.json", "vendor/a/b.go", "x/y.pb.go", "app.min.js"] {
        let text = file("src/a.rs", 2, 3) + &file(lock, 12, 10) + &file("src/b.rs", 1, 3);
        let out = shown(&text, &asking("Please review this"));
        assert!(out.contains(&format!("+++ b/{lock}\n[headroom:")), "{out}");
        assert!(out.contains("12 hunks, +120 -120"), "{out}");
        for line in text.lines().filter(|line| !line.contains(lock)) {
            assert!(line.starts_with("@@") || out.contains(line), "{line}");
        }
        assert!(out.len() * 3 < text.len());
    }
}

#[test]
fn what_was_named_stays_with_the_head_of_its_hunk() {
    let text = file("Cargo.lock", 30, 20).replace("+new value 17.9 of", "+needle_crate 17.9 of");
    let out = shown(&text, &asking("why is needle_crate here"));
    assert!(out.contains("+needle_crate 17.9 of Cargo.lock\n") && out.contains("@@ fn part_17()"), "{out}");
    assert!(out.len() * 4 < text.len());
    assert!(!shown(&text, &Query::default()).contains("needle_crate"));
}

#[test]
fn changes_of_ordinary_files_stay() {
    let text = file("src/a.rs", 20, 40);
    assert_eq!(shown(&text, &Query::default()), text);
}

#[test]
fn a_huge_diff_shows_each_file_and_what_was_named() {
    let mut text = String::new();
    for n in 0..80 {
        text += &file(&format!("src/mod_{n}.rs"), 10, 5);
    }
    text = text.replace("+new value 7.3 of src/mod_44.rs", "+call_the_needle() // src/mod_44.rs");
    let out = shown(&text, &asking("Where is call_the_needle, and what changed in mod_61.rs?"));
    assert!(out.len() * 3 < text.len(), "{} of {}", out.len(), text.len());
    assert!(out.contains("+call_the_needle()"));
    for n in 0..80 {
        assert!(out.contains(&format!("+++ b/src/mod_{n}.rs\n@@ ")), "{n}");
    }
    assert!(out.contains(&file("src/mod_61.rs", 10, 5)), "a file that was named is whole");
    assert_eq!(shown(&text, &asking("review the change")), text);
    assert_eq!(shown(&text, &Query { arguments: Some("git apply --check"), ..Query::default() }), text);
}

#[test]
fn long_unchanged_parts_are_set_aside() {
    let context: String = (0..200).map(|n| format!(" unchanged line number {n}\n")).collect();
    let text =
        format!("--- a.txt\t2024-01-01\n+++ b.txt\t2024-01-02\n@@ -1,201 +1,201 @@\n{context}-a\n+b\n");
    let out = shown(&text, &Query::default());
    assert!(out.contains(": 188 unchanged lines;") && out.ends_with("number 199\n-a\n+b\n"), "{out}");
}

#[test]
fn heads_of_commits_merges_and_binary_files_stay() {
    let text = format!(
        "commit 0123456789abcdef\nMerge: 1234567 89abcde\nAuthor: A <a@b.c>\nDate:   today\n\n    Subject: + - @@\n\n    \
         -not removed\n\ndiff --cc src/a.rs\nindex 1,2..3\n--- a/src/a.rs\n+++ b/src/a.rs\n@@@ -1,2 -1,2 +1,3 @@@\n  a\n\
         ++b\n -c\n{}diff --git a/x.png b/x.png\nnew file mode 100644\nBinary files /dev/null and b/x.png differ\n\
         diff --git a/old.rs b/new.rs\nsimilarity index 100%\nrename from old.rs\nrename to new.rs\n",
        file("yarn.lock", 9, 9)
    );
    assert_eq!(share(&text), 100);
    let out = shown(&text, &Query::default());
    for line in text.lines().filter(|line| !line.contains("yarn.lock") && !line.starts_with("@@ ")) {
        assert!(line == " before" || line == " after" || out.contains(line), "{line}");
    }
    assert!(out.contains("9 hunks, +81 -81"));
}

#[test]
fn lines_of_a_hunk_may_look_like_heads() {
    let text =
        "--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,2 @@\n--- a comment\n+++ another\n same\ndiff --git a/y b/y\n";
    let diff = Diff::parse(text.lines());
    assert_eq!(diff.sections.len(), 2);
    assert_eq!(diff.lines.get(3..5), Some(&[DiffLine::Removed, DiffLine::Added][..]));
}

/// `git diff --color-words` without its colours, and a text whose middle was left out.
#[test]
fn lines_without_signs_are_not_counted_as_changes() {
    let words = |file: usize| {
        let lines: String = (0..60).map(|n| format!("    let value_{n} = {n} + {file};\n")).collect();
        format!(
            "diff --git a/src/{file}.rs b/src/{file}.rs\n--- a/src/{file}.rs\n+++ b/src/{file}.rs\n@@ -1,60 +1,60 @@\n{lines}"
        )
    };
    let commit = |n: usize| {
        format!("commit {n:040x}\nAuthor: A <a@b.c>\n\n    Subject {n}\n\n{}", words(n) + &words(n + 50))
    };
    let text: String = (0..8).map(commit).collect();
    let cut = file("src/a.rs", 1, 60)
        .replace("-old value 0.40 of src/a.rs\n", "[... 4000 characters left out ...]\n");
    for text in [text, (0..6).map(commit).collect::<String>() + &cut] {
        let out = shown(&text, &Query::default());
        assert!(!out.contains("+0 -0") && !out.contains("unchanged"), "{out}");
        assert!(out.matches("[headroom:").count() > 0, "{out}");
    }
}

proptest! {
    #[test]
    fn gaps_are_whole_lines_of_any_text(
        lines in proptest::collection::vec((prop_oneof![
            "[-+ ]{1,3}[a-z]{0,9}",
            "@@@? (-[0-9]{1,20},?[0-9]{0,3} ){1,2}\\+[0-9]{1,3},[0-9]{1,3} @@@?",
            Just("diff --git a/Cargo.lock b/Cargo.lock".to_owned()),
            Just("--- a/src/a.rs".to_owned()),
            Just("commit 0123456789".to_owned()),
            "\\PC{0,12}",
        ], "\r?\n"), 0..80),
        times in 1_usize..60,
        question in "[a-d]{0,3}",
    ) {
        let text: String = lines.into_iter().map(|(line, end)| line + &end).collect();
        let text = text.repeat(times);
        trial::check(&text, &gaps(&text, &asking(&question)));
        prop_assert!(share(&text) <= 100);
    }
}

#[test]
fn diffs_by_words_are_diffs() {
    let hunk = |n: usize| {
        format!(
            "@@ -{0},5 +{0},5 @@ part {n}\nThe lamp is [-lit-]{{+dimmed+}} before the keeper leaves.\nA sentence {n} that did not change.\nIt must {{+not +}}be left alone.\n",
            n * 30 + 1
        )
    };
    let words: String = (0..30).map(hunk).collect();
    let words = format!("diff --git a/guide.md b/guide.md\n--- a/guide.md\n+++ b/guide.md\n{words}");
    let porcelain = words
        .replace("The lamp is [-lit-]{+dimmed+} before", " The lamp is\n-lit\n+dimmed\n before")
        .replace("{+not +}", "\n+not\n~\n");
    for text in [&words, &porcelain] {
        assert_eq!(share(text), 100, "{text}");
        assert_eq!(crate::detect::structure(text), crate::ContentKind::Diff);
    }
    assert_eq!(gaps(&words, &Query::default()), []);
    let context = "A sentence that did not change.\n".repeat(60);
    let long = words.replace("A sentence 3 that did not change.\n", &context);
    let found = gaps(&long, &Query::default());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(!long[found[0].range.clone()].contains("{+"));
}
