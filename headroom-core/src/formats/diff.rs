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
    /// All its lines, from the first that names the file.
    pub(crate) lines: Range<usize>,
    /// Whether each hunk has as many lines as its header says, and a change. Otherwise the text was cut there, or its lines have no signs.
    pub(crate) is_exact: bool,
}

impl Section<'_> {
    /// Returns the lines that name and describe the file.
    pub(crate) const fn header(&self) -> Range<usize> {
        let end = if self.body.start < self.body.end { self.body.start } else { self.lines.end };
        self.lines.start..end
    }
}

/// A diff split into lines and sections.
#[derive(Debug, Default)]
pub(crate) struct Diff<'t> {
    pub(crate) lines: Vec<DiffLine>,
    pub(crate) sections: Vec<Section<'t>>,
    /// The lines at which commits start.
    pub(crate) commits: Vec<usize>,
    /// Whether lines show their changes within them, by words, so that signs in front of lines do not count.
    pub(crate) by_words: bool,
}

/// The lines that remain of an open hunk, on the old side and on the new one.
#[derive(Clone, Copy, Debug)]
struct OpenSection {
    /// The number of marks at the start of each line: one for each old version.
    parents: usize,
    old: u64,
    new: u64,
    is_changed: bool,
}

impl OpenSection {
    const fn is_over(self) -> bool {
        self.old == 0 && self.new == 0
    }
}

#[derive(Debug, Default)]
struct DiffParser<'t> {
    diff: Diff<'t>,
    open: Option<OpenSection>,
    /// Whether the next lines may be part of a commit's header or message.
    commit: bool,
    /// Bytes in front of each line, as of a drawn graph of commits, an indented or a quoted diff.
    margin: usize,
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
        let diff = Diff { by_words: is_by_words(lines.clone()), ..Diff::default() };
        let mut parser = DiffParser { diff, ..DiffParser::default() };
        for line in lines {
            let kind = parser.line(line);
            parser.diff.lines.push(kind);
        }
        parser.diff
    }
}

impl<'t> DiffParser<'t> {
    fn line(&mut self, line: &'t str) -> DiffLine {
        let full = line;
        let line = within_margin(full, self.margin);
        let kind = match self.open {
            // No count of lines ends a hunk.
            Some(_) if self.diff.by_words => word_line(line),
            Some(open) => self.within(open, line),
            None => None,
        };
        if let Some(kind) = kind {
            self.extend();
            // A hunk has a change, unless its lines have no signs.
            self.check(|open| open.is_over() && !open.is_changed);
            return kind;
        }
        self.check(|open| !open.is_over());
        self.margin = margin(full).unwrap_or(self.margin);
        let line = within_margin(full, self.margin);
        if let Some(open) = hunk(line) {
            self.open = Some(open);
            self.commit = false;
            self.extend();
            return DiffLine::Hunk;
        }
        self.open = None;
        if let Some(path) = starts_file(line) {
            self.commit = false;
            self.open_section(path);
            return DiffLine::File;
        }
        if line.starts_with("--- ") || line.starts_with("+++ ") {
            self.commit = false;
            return self.side(line);
        }
        if FILE_STARTS.iter().any(|start| line.starts_with(start)) || line.starts_with("====") {
            // Behind hunks it is of another file, or of two folders.
            if self.last_section().is_some_and(|section| section.body.is_empty()) {
                self.go_on();
            }
            return DiffLine::File;
        }
        let is_commit = commit(line);
        let is_short = !self.commit && !is_commit && short_commit(line);
        if is_commit || is_short {
            self.diff.commits.push(self.diff.lines.len());
        }
        self.commit |= is_commit;
        if self.commit || is_short { DiffLine::Commit } else { DiffLine::Other }
    }

    /// Handles `--- a/path` and `+++ b/path`, which open a section if nothing else did.
    fn side(&mut self, line: &'t str) -> DiffLine {
        let path = path_of_side(line);
        match self.last_section().filter(|section| section.body.is_empty()) {
            Some(section) => {
                if path != "/dev/null" {
                    section.path = path;
                }
                self.go_on();
            }
            None => self.open_section(path),
        }
        DiffLine::File
    }

    /// Opens a section at this line.
    fn open_section(&mut self, path: &'t str) {
        let at = self.diff.lines.len();
        self.diff.sections.push(Section { path, body: at..at, lines: at..at + 1, is_exact: true });
    }

    /// Returns the section that this line goes on with: the last one, if no other line is between them.
    fn last_section(&mut self) -> Option<&mut Section<'t>> {
        let at = self.diff.lines.len();
        self.diff.sections.last_mut().filter(|section| section.lines.end == at)
    }

    /// Makes this line a part of the last section.
    fn go_on(&mut self) {
        let end = self.diff.lines.len() + 1;
        if let Some(section) = self.last_section() {
            section.lines.end = end;
        }
    }

    /// Classifies a line inside an open hunk; `None` if the hunk is over.
    fn within(&mut self, open: OpenSection, line: &str) -> Option<DiffLine> {
        if line.starts_with('\\') {
            return Some(DiffLine::Context);
        }
        if open.is_over() {
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
        let is_changed = open.is_changed || kind != DiffLine::Context;
        self.open = Some(OpenSection { old, new, is_changed, ..open });
        Some(kind)
    }

    /// Notes that the open hunk is not what its header says, if that is so.
    fn check(&mut self, is_false: impl Fn(OpenSection) -> bool) {
        let is_false = self.open.is_some_and(|open| open.parents == 1 && is_false(open));
        if let Some(section) = self.diff.sections.last_mut().filter(|_| is_false && !self.diff.by_words) {
            section.is_exact = false;
        }
    }

    fn extend(&mut self) {
        let at = self.diff.lines.len();
        // Behind other lines, it is not known which file a hunk is of.
        if self.last_section().is_none() {
            self.open_section("");
        }
        self.go_on();
        if let Some(section) = self.diff.sections.last_mut() {
            if section.body.is_empty() {
                section.body.start = at;
            }
            section.body.end = at + 1;
        }
    }
}

/// Characters of a drawn graph and of other margins.
const MARGIN: &[char] = &['*', '|', '/', '\\', '_', ' ', '\t', '>'];

/// Returns the bytes in front of what names a commit, a file or a hunk, if the line does.
fn margin(line: &str) -> Option<usize> {
    let rest = line.trim_start_matches(MARGIN);
    let length = line.len() - rest.len();
    let is_in_graph = || line.get(..length).is_some_and(|start| start.contains('*')) && short_commit(rest);
    (commit(rest) || starts_file(rest).is_some() || hunk(rest).is_some() || is_in_graph()).then_some(length)
}

/// Leaves out a margin, if the line has it.
fn within_margin(line: &str, margin: usize) -> &str {
    match line.split_at_checked(margin) {
        Some((start, rest)) if start.chars().all(|c| MARGIN.contains(&c)) => rest,
        _ => line,
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
    Some(OpenSection { parents, old: old + slack, new, is_changed: false })
}

/// Whether the line is `commit 0123abc` or `changeset:   7:0123abc`, as logs print it, or starts a mail patch.
fn commit(line: &str) -> bool {
    let changeset = || line.strip_prefix("changeset:").and_then(|rest| rest.rsplit(':').next());
    let hash = line.strip_prefix("commit ").or_else(|| line.strip_prefix("From "));
    hash.and_then(|rest| rest.split(' ').next()).or_else(changeset).is_some_and(is_hash)
}

/// Whether the line is `0123abc Subject`, as logs of a line for each commit print it.
fn short_commit(line: &str) -> bool {
    // A word without any digit may be one of a language.
    let hash = line.split_once(' ').map(|(hash, _)| hash);
    hash.is_some_and(|hash| is_hash(hash) && hash.bytes().any(|byte| byte.is_ascii_digit()))
}

fn is_hash(word: &str) -> bool {
    word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the percentage of lines that belong to a diff.
pub(crate) fn share(text: &str) -> u32 {
    // Headers alone are no diff.
    if memchr::memmem::find(text.as_bytes(), b"@@ -").is_none() {
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
