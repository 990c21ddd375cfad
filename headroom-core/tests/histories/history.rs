//! Histories whose every line is known to be of a commit, a file and a hunk.

use std::collections::HashMap;

/// Where a line of a history belongs: its commit, file and hunk.
pub(crate) type Place = (usize, Option<usize>, Option<usize>);

/// A generated history, and where each of its lines belongs.
pub(crate) struct History {
    pub(crate) lines: Vec<String>,
    pub(crate) places: Vec<Place>,
    pub(crate) paths: HashMap<(usize, usize), String>,
}

impl History {
    /// `commits` has the files of each commit, which have the changed lines of each hunk.
    pub(crate) fn new(commits: &[Vec<Vec<usize>>], form: Form) -> Self {
        let mut history = Self { lines: Vec::new(), places: Vec::new(), paths: HashMap::new() };
        for (commit, files) in commits.iter().enumerate() {
            history.message(commit, form);
            for (file, hunks) in files.iter().enumerate() {
                let path = format!("{}/part_{commit}/file_{file}.rs", ["src", "lib/deep", "tests"][file % 3]);
                history.file((commit, file), &path, hunks);
                history.paths.insert((commit, file), path);
            }
            history.line(String::new(), (commit, None, None));
        }
        history
    }

    fn line(&mut self, line: String, place: Place) {
        self.lines.push(line);
        self.places.push(place);
    }

    fn message(&mut self, commit: usize, form: Form) {
        let (hash, subject) = (hash(commit), subject(commit));
        let head = match form {
            Form::Git => format!(
                "commit {hash}\nAuthor: Ada {commit} <a{commit}@b.c>\nDate:   Mon Jun {} 10:00:00 2026 +0200\n\n    {subject}\n    \n    Why {commit} was made.\n",
                commit % 28 + 1
            ),
            Form::Merge => format!(
                "commit {hash}\nMerge: 1234567 89abcde\nAuthor: Ada {commit} <a{commit}@b.c>\nDate:   vor {commit} Tagen\n\n    {subject}\n"
            ),
            Form::Mail => format!(
                "From {hash} Mon Sep 17 00:00:00 2001\nFrom: Ada {commit} <a{commit}@b.c>\nDate: Mon, 1 Jun 2026 10:00:00 +0200\nSubject: [PATCH {commit}/9] {subject}\n\nWhy {commit} was made.\n---\n src/a.rs | 3 ++-\n"
            ),
            Form::Short => format!("{} {subject}\n", &hash[..9]),
            Form::Hg => format!(
                "changeset:   {commit}:{}\nuser:        Ada {commit} <a@b.c>\ndate:        Mon Jun 01 10:00:00 2026 +0000\nsummary:     {subject}\n",
                &hash[..12]
            ),
        };
        for line in head.lines().chain([""]) {
            self.line(line.to_owned(), (commit, None, None));
        }
    }

    fn file(&mut self, (commit, file): (usize, usize), path: &str, hunks: &[usize]) {
        for line in [
            format!("diff --git a/{path} b/{path}"),
            "index 1112223..4445556 100644".to_owned(),
            format!("--- a/{path}"),
            format!("+++ b/{path}"),
        ] {
            self.line(line, (commit, Some(file), None));
        }
        for (hunk, changes) in hunks.iter().enumerate() {
            let place = (commit, Some(file), Some(hunk));
            let start = hunk * 200 + 1;
            let size = changes + 2;
            self.line(format!("@@ -{start},{size} +{start},{size} @@ fn area_{hunk}()"), place);
            self.line(" before the change".to_owned(), place);
            for n in 0..*changes {
                // Lines of a hunk may look like headers.
                let name = format!("value {n} of {commit}.{file}.{hunk}");
                self.line(format!("-{}{name}", if n == 3 { "-- a/" } else { "old " }), place);
                self.line(format!("+{}{name}", if n == 3 { "++ b/" } else { "new " }), place);
            }
            self.line(" behind the change".to_owned(), place);
        }
    }
}

pub(crate) fn hash(commit: usize) -> String {
    let number = commit as u64 + 1;
    let parts = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0xd6e8_feb8_6659_fd93_u64];
    let hash: String = parts.iter().map(|part| format!("{:016x}", part.wrapping_mul(number))).collect();
    hash[..40].to_owned()
}

pub(crate) fn subject(commit: usize) -> String {
    let parts = [
        "parser",
        "login",
        "cache",
        "router",
        "printer",
        "scheduler",
        "importer",
        "mailer",
        "ledger",
        "search",
    ];
    format!("Teach the {} to wait", parts[commit % parts.len()])
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Git,
    Merge,
    Mail,
    Hg,
    Short,
}

/// What is in front of every line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Margin {
    /// A drawn graph with so many branches beside that of the commits.
    Graph(usize),
    Blanks(usize),
    Quoted,
}

impl Margin {
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Graph(beside) => (beside + 1) * 2,
            Self::Blanks(count) => count,
            Self::Quoted => 2,
        }
    }

    /// In front of the first line of a commit, or of another one.
    pub(crate) fn text(self, is_first: bool) -> String {
        match self {
            Self::Graph(beside) => "| ".repeat(beside) + if is_first { "* " } else { "| " },
            Self::Blanks(count) => " ".repeat(count),
            Self::Quoted => "> ".to_owned(),
        }
    }
}
