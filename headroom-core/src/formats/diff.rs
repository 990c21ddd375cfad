//! Splits a diff into files, hunks, and the lines between them.

use std::ops::Range;

use crate::text::lines;

/// The role of a line in a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiffLine {
    /// Names or describes a file: `diff --git`, `index`, modes, renames, `---`, `+++`, notices of binary files.
    File,
    /// `@@ -1,3 +1,4 @@`
    Hunk,
    Context,
    Added,
    Removed,
    /// Part of a commit's hash, author, date or message.
    Commit,
    Other,
}

/// The changes of one file.
#[derive(Debug)]
pub(crate) struct Section<'t> {
    pub(crate) path: &'t str,
    /// Lines from the first hunk to the end of the last one.
    pub(crate) body: Range<usize>,
    /// The first line that names the file.
    pub(crate) start: usize,
}

/// A diff split into lines and sections.
#[derive(Debug, Default)]
pub(crate) struct Diff<'t> {
    pub(crate) lines: Vec<DiffLine>,
    pub(crate) sections: Vec<Section<'t>>,
}

/// The lines that remain of an open hunk, on the old side and on the new one.
#[derive(Clone, Copy, Debug)]
struct OpenSection {
    /// The number of marks at the start of each line: one for each old version.
    parents: usize,
    old: u64,
    new: u64,
}

#[derive(Debug, Default)]
struct DiffParser<'t> {
    diff: Diff<'t>,
    open: Option<OpenSection>,
    /// Whether the next lines may be part of a commit's header or message.
    commit: bool,
    /// Whether lines show their changes within them, by words, so that no count of lines ends a hunk.
    by_words: bool,
}

const FILE_STARTS: [&str; 20] = [
    "diff --git ",
    "diff --cc ",
    "diff --combined ",
    "index ",
    "old mode ",
    "new mode ",
    "deleted file mode ",
    "new file mode ",
    "mode ",
    "copy from ",
    "copy to ",
    "rename from ",
    "rename to ",
    "rename ",
    "similarity index ",
    "dissimilarity index ",
    "Binary files ",
    "GIT binary patch",
    "Index: ",
    "Only in ",
];

impl<'t> Diff<'t> {
    pub(crate) fn parse(lines: impl Iterator<Item = &'t str> + Clone) -> Self {
        let mut parser = DiffParser { by_words: is_by_words(lines.clone()), ..DiffParser::default() };
        for line in lines {
            let kind = parser.line(line);
            parser.diff.lines.push(kind);
        }
        parser.diff
    }
}

impl<'t> DiffParser<'t> {
    fn line(&mut self, line: &'t str) -> DiffLine {
        let kind = match self.open {
            Some(_) if self.by_words => word_line(line),
            Some(open) => self.within(open, line),
            None => None,
        };
        if let Some(kind) = kind {
            self.extend();
            return kind;
        }
        if let Some(open) = hunk(line) {
            self.open = Some(open);
            self.commit = false;
            self.extend();
            return DiffLine::Hunk;
        }
        self.open = None;
        if let Some(path) = starts_file(line) {
            self.commit = false;
            let start = self.diff.lines.len();
            self.diff.sections.push(Section { path, body: start..start, start });
            return DiffLine::File;
        }
        if line.starts_with("--- ") || line.starts_with("+++ ") {
            self.commit = false;
            return self.side(line);
        }
        if FILE_STARTS.iter().any(|start| line.starts_with(start)) || line.starts_with("====") {
            return DiffLine::File;
        }
        if commit(line) {
            self.commit = true;
        }
        if self.commit { DiffLine::Commit } else { DiffLine::Other }
    }

    /// Handles `--- a/path` and `+++ b/path`, which open a section if nothing else did.
    fn side(&mut self, line: &'t str) -> DiffLine {
        let path = path_of_side(line);
        let at = self.diff.lines.len();
        match self.diff.sections.last_mut().filter(|section| section.body.is_empty()) {
            Some(section) => {
                if path != "/dev/null" {
                    section.path = path;
                }
            }
            None => self.diff.sections.push(Section { path, body: at..at, start: at }),
        }
        DiffLine::File
    }

    /// Classifies a line inside an open hunk; `None` if the hunk is over.
    fn within(&mut self, open: OpenSection, line: &str) -> Option<DiffLine> {
        if line.starts_with('\\') {
            return Some(DiffLine::Context);
        }
        if open.old == 0 && open.new == 0 {
            return None;
        }
        let marks = line.as_bytes().get(..open.parents.min(line.len()))?;
        if marks.iter().any(|mark| !matches!(mark, b' ' | b'+' | b'-' | b'\t')) {
            return None;
        }
        let kind = if marks.contains(&b'+') {
            DiffLine::Added
        } else if marks.contains(&b'-') {
            DiffLine::Removed
        } else {
            DiffLine::Context
        };
        let old = open.old.saturating_sub(u64::from(kind != DiffLine::Added));
        let new = open.new.saturating_sub(u64::from(kind != DiffLine::Removed));
        self.open = Some(OpenSection { old, new, ..open });
        Some(kind)
    }

    fn extend(&mut self) {
        let at = self.diff.lines.len();
        if self.diff.sections.is_empty() {
            self.diff.sections.push(Section { path: "", body: at..at, start: at });
        }
        if let Some(section) = self.diff.sections.last_mut() {
            if section.body.is_empty() {
                section.body.start = at;
            }
            section.body.end = at + 1;
        }
    }
}

/// Whether this is a diff by words: in a hunk, lines have no mark in front, and changes are in `[-…-]` and `{+…+}`, or
/// each on a line of its own with `~` for the ends of lines.
fn is_by_words<'t>(lines: impl Iterator<Item = &'t str>) -> bool {
    let (mut is_in_hunk, mut bare, mut all, mut words, mut ends) = (false, 0, 0, false, false);
    for line in lines {
        if hunk(line).is_some() {
            is_in_hunk = true;
        } else if ends_hunk(line) {
            is_in_hunk = false;
        } else if is_in_hunk && !line.is_empty() {
            all += 1;
            bare += usize::from(!line.starts_with([' ', '+', '-', '\\', '\t']));
            words |= has_word_change(line);
            ends |= line == "~";
        }
    }
    (words || ends) && bare * 8 > all
}

fn has_word_change(line: &str) -> bool {
    let pair = |open: &str, close: &str| line.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    pair("[-", "-]") || pair("{+", "+}")
}

fn ends_hunk(line: &str) -> bool {
    hunk(line).is_some() || commit(line) || starts_file(line).is_some()
}

/// Classifies a line inside a hunk of a diff by words; `None` if the hunk is over.
fn word_line(line: &str) -> Option<DiffLine> {
    if ends_hunk(line) {
        return None;
    }
    Some(match line.as_bytes().first() {
        _ if has_word_change(line) => DiffLine::Added,
        Some(b'+') => DiffLine::Added,
        Some(b'-') => DiffLine::Removed,
        _ => DiffLine::Context,
    })
}

/// Returns the path in a line that starts a section.
fn starts_file(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("diff --git ") {
        // Both names are the same, except in a rename; `+++` repeats the second.
        return Some(rest.rsplit_once(" b/").map_or(rest, |(_, path)| path));
    }
    ["diff --cc ", "diff --combined ", "Index: "]
        .iter()
        .find_map(|start| line.strip_prefix(start))
        .or_else(|| line.strip_prefix("diff -").and_then(|rest| rest.rsplit(' ').next()))
}

fn path_of_side(line: &str) -> &str {
    let path = line.get(4..).unwrap_or_default();
    let path = path.split('\t').next().unwrap_or(path);
    path.strip_prefix("a/").or_else(|| path.strip_prefix("b/")).unwrap_or(path)
}

/// Parses `@@ -1,3 +1,4 @@` and, for several old versions, `@@@ -1,3 -1,3 +1,4 @@@`.
fn hunk(line: &str) -> Option<OpenSection> {
    let ats = line.bytes().take_while(|byte| *byte == b'@').count();
    if !(2..=9).contains(&ats) {
        return None;
    }
    let marks = line.get(..ats)?;
    let (ranges, _) = line.get(ats..)?.split_once(marks)?;
    let count = |range: &str| -> Option<u64> {
        let (start, count) = range.split_once(',').unwrap_or((range, "1"));
        start.parse::<u64>().ok()?;
        count.parse().ok()
    };
    let (mut old, mut new, mut parents) = (0, None, 0);
    for range in ranges.split_whitespace() {
        if let Some(range) = range.strip_prefix('-') {
            // With several old versions, a line may be in only one of them: the longest counts.
            old = count(range)?.max(old);
            parents += 1;
        } else {
            new = Some(count(range.strip_prefix('+')?)?);
        }
    }
    let new = new.filter(|_| parents == ats - 1)?;
    // Which old version a removed line belongs to is not tracked; the next header ends the hunk.
    let slack = if parents > 1 { u64::MAX / 2 } else { 0 };
    Some(OpenSection { parents, old: old + slack, new })
}

/// Whether the line is `commit 0123abc`, as logs print it, or starts a mail patch.
fn commit(line: &str) -> bool {
    let hash = line.strip_prefix("commit ").or_else(|| line.strip_prefix("From "));
    let hash = hash.and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    hash.len() >= 7 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the percentage of lines that belong to a diff.
pub(crate) fn share(text: &str) -> u32 {
    // Headers alone are no diff.
    if !text.starts_with("@@") && memchr::memmem::find(text.as_bytes(), b"\n@@").is_none() {
        return 0;
    }
    let diff = Diff::parse(lines::split(text));
    let mut fit = 0_u64;
    let mut all = 0_u64;
    for (line, kind) in lines::split(text).zip(&diff.lines) {
        if *kind != DiffLine::Other || !line.trim().is_empty() {
            all += 1;
            fit += u64::from(*kind != DiffLine::Other);
        }
    }
    let hunks = diff.lines.contains(&DiffLine::Hunk);
    if hunks { u32::try_from(fit * 100 / all.max(1)).unwrap_or(100) } else { 0 }
}
