mod formats;

use std::collections::BTreeMap;

use super::kind;
use crate::{ContentKind, compress::shared_texts};

/// The corpus folders, the kinds that their files may be taken for, and the least share of them that must be.
const FOLDERS: [(&str, &[ContentKind], usize); 7] = {
    use ContentKind::{Code, Diff, Html, Json, Listing, Log, Prose, Search, Table};
    [
        ("diffs", &[Diff], 95),
        ("search", &[Search, Listing], 60),
        ("logs", &[Log], 85),
        ("json", &[Json], 95),
        ("prose", &[Prose], 85),
        ("html", &[Html, Prose], 95),
        ("code", &[Code, Table], 85),
    ]
};

/// What the router says of a text without a tool or a call.
fn routed(text: &str) -> ContentKind {
    super::super::kind(text, None, None)
}

#[test]
fn corpora_are_told_apart() {
    let mut matrix: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut failed = Vec::new();
    for (folder, kinds, least) in FOLDERS {
        let (mut right, mut total) = (0, 0);
        for (path, text) in shared_texts(&format!("corpora/{folder}")) {
            // Texts that are not JSON on purpose, prose from the web, and reports in XML.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with("n_")
                || name.starts_with("i_")
                || name.starts_with("web-")
                || name.ends_with(".xml")
            {
                continue;
            }
            let mut kind = routed(&text);
            // Numbered views of files are read as such; what they hold is not asked.
            if kind == ContentKind::FileRead {
                kind = if kinds.contains(&ContentKind::Search) { ContentKind::Search } else { kinds[0] };
            }
            *matrix.entry((folder, kind.as_str())).or_default() += 1;
            total += 1;
            right += usize::from(kinds.contains(&kind));
            if !kinds.contains(&kind) {
                println!("{} is {kind}", path.display());
            }
        }
        if right * 100 < total * least {
            failed.push(format!("{folder}: {right} of {total}"));
        }
    }
    println!("{:>8} {:>10}", "folder", "kind");
    for ((folder, kind), count) in matrix {
        println!("{folder:>8} {kind:>10} {count:>4}");
    }
    assert_eq!(failed, Vec::<String>::new());
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
        assert_eq!(kind(text), expected, "{text}");
    }
    assert_eq!(kind(&"QUJD".repeat(300)), ContentKind::Blob);
    assert_eq!(kind(""), ContentKind::Text);
}
