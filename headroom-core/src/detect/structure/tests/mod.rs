mod formats;

use std::collections::{BTreeMap, BTreeSet};

use super::guess;
use crate::{Classification, ContentKind, compress::shared_texts};

/// The corpus folders, the accepted kinds of their files, and the least percentage of files with such a kind.
const FOLDERS: [(&str, &[ContentKind], usize); 10] = {
    use ContentKind::{Blob, Code, Diff, Html, Json, Listing, Log, Prose, Search, Table, Text};
    [
        ("diffs", &[Diff], 97),
        ("search", &[Search, Listing], 85),
        ("web search", &[Prose, Text], 100),
        ("logs", &[Log], 88),
        ("json", &[Json], 95),
        // Texts that are deliberately not JSON, and some that parsers may refuse.
        ("no json", &[Json, Text, Blob, Code, Prose, Log, Search, Listing, Table], 100),
        ("xml", &[Html, Code, Log, Text], 100),
        ("prose", &[Prose], 92),
        ("html", &[Html, Prose], 97),
        ("code", &[Code, Table], 92),
    ]
};

/// Returns the kind of a text without a tool or a call.
fn routed(text: &str) -> ContentKind {
    super::super::kind(text, None, None)
}

/// Returns the row of the matrix for a file of a corpus folder.
fn label<'f>(folder: &'f str, name: &str) -> &'f str {
    if name.ends_with(".xml") {
        "xml"
    } else if name.starts_with("n_") || name.starts_with("i_") {
        "no json"
    } else if folder == "search" && name.starts_with("web-") {
        "web search"
    } else {
        folder
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn corpora_are_told_apart() {
    let mut matrix: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut right: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for folder in ["diffs", "search", "logs", "json", "prose", "html", "code"] {
        for (path, text) in shared_texts(&format!("corpora/{folder}")) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let label = label(folder, &name);
            let kinds = FOLDERS.iter().find(|(name, ..)| *name == label).unwrap().1;
            let kind = routed(&text);
            *matrix.entry(label).or_default().entry(kind.as_str()).or_default() += 1;
            // Numbered file views are detected as such, whatever they contain.
            let fits = kinds.contains(&kind) || kind == ContentKind::FileRead;
            let (hits, all) = right.entry(label).or_default();
            *hits += usize::from(fits);
            *all += 1;
            if !fits {
                println!("{} is {kind}", path.display());
            }
        }
    }
    print_matrix(&matrix);
    for (label, _, least) in FOLDERS {
        let (right, all) = right.get(label).copied().unwrap_or_default();
        assert!(right * 100 >= all * least, "{label}: {right} of {all}");
    }
}

/// Prints how many texts of each row were detected as each kind.
pub(in crate::detect) fn print_matrix(matrix: &BTreeMap<&str, BTreeMap<&str, usize>>) {
    let kinds: BTreeSet<&str> = matrix.values().flat_map(|row| row.keys().copied()).collect();
    let head: String = kinds.iter().map(|kind| format!("{kind:>10}")).collect();
    println!("{:28}{head}", "");
    for (label, row) in matrix {
        let cells: String =
            kinds.iter().map(|kind| format!("{:>10}", row.get(kind).copied().unwrap_or(0))).collect();
        println!("{label:28}{cells}");
    }
}

#[test]
fn formats_are_known() {
    for (text, expected) in [
        ("Mar  3 10:00:01 host sshd[1]: ok\nMar  3 10:00:02 host sshd[1]: ok\n", ContentKind::Log),
        ("I0301 10:00:00.1 1 a.go:1] x\nE0301 10:00:00.1 1 a.go:1] y\n", ContentKind::Log),
        ("ts=1 level=info msg=a\nts=2 level=info msg=b\n", ContentKind::Log),
        ("10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 23\n", ContentKind::Log),
        ("Exception in thread \"main\" a.B: c\n\tat a.b(C.java:1)\n\tat a.c(C.java:2)\n", ContentKind::Log),
        ("{\"a\":1}\n{\"a\":2}\n", ContentKind::Json),
        ("diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n", ContentKind::Diff),
        ("src/a.rs:1:fn a()\nsrc/a.rs:7:fn b()\nsrc/b.rs:9:fn c()\n", ContentKind::Search),
        ("1:fn a()\n7:fn b()\n9:fn c()\n", ContentKind::Search),
        ("src/a.rs\nsrc/b.rs\nsrc/c/d.rs\nsrc/e.rs\n", ContentKind::Listing),
        ("total 8\n-rw-r--r-- 1 a a 1 Mar 3 10:00 x\ndrwxr-xr-x 2 a a 4 Mar 3 10:00 y\n", ContentKind::Table),
        (
            "NAME   READY   STATUS\nweb-1  1/1     Running\nweb-2  0/1     Pending\nweb-3  1/1     Running\nweb-4  1/1     Running\nweb-5  1/1     Running\n",
            ContentKind::Table,
        ),
        ("<!DOCTYPE html><html><body>x</body></html>", ContentKind::Html),
        (
            "test a::b ... ok\ntest a::c ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed\n",
            ContentKind::Log,
        ),
        ("fn main() {\n    let x = 1;\n    run(x);\n}\n", ContentKind::Code),
        ("The river is long. It has two names.\nNobody knows why it has them.\n", ContentKind::Prose),
    ] {
        assert_eq!(guess(text).kind, expected, "{text}");
    }
    assert_eq!(guess(&"QUJD".repeat(300)).kind, ContentKind::Blob);
    assert_eq!(guess("").kind, ContentKind::Text);
}

#[test]
fn a_verdict_counts_only_where_the_structure_ties() {
    let python = "    result = compute(value)\n    check(result, expected)\n".repeat(60);
    let source_of_a_test = format!("def test_run():\n{python}    text = \"5 passed, 1 failed\"\n");
    let guess = super::super::guess(&source_of_a_test, None, None, &|_| false);
    assert_eq!(guess.kind, ContentKind::Log);
    assert_eq!(guess.settled(|| Some(Classification::Code("py"))), ContentKind::Code);
    assert_eq!(guess.settled(|| Some(Classification::Prose)), ContentKind::Log);
    assert_eq!(guess.settled(|| None), ContentKind::Log);

    let log = "2031-04-09T07:15:01Z INFO ship 12 moored\n".repeat(60);
    for certain in [log.as_str(), "[1, 2, 3]", "fn main() {\n    let x = 1;\n    run(x);\n}\n"] {
        let guess = super::super::guess(certain, None, None, &|_| false);
        let asked = std::cell::Cell::new(false);
        let settled = guess.settled(|| {
            asked.set(true);
            Some(Classification::Prose)
        });
        assert_eq!((settled, asked.get()), (guess.kind, false), "{certain}");
    }
}
