//! Commits in the logs of git, Mercurial and Subversion.

use super::{
    body::Body,
    heading::is_rule,
    record::{Record, RecordKind},
};

use crate::tuning::tuning;

/// Digits of a hash that are shown.
const SHORT_HASH: usize = 7;

/// Finds commits.
pub(super) fn commits<'t>(bodies: &[Body<'t>]) -> Vec<Record<'t>> {
    let mut found: Vec<Record<'t>> = Vec::new();
    let is_blank = |line: usize| bodies.get(line).is_none_or(|body| bare(body).is_empty());
    let mut subject_is_due = false;
    for (line, body) in bodies.iter().enumerate() {
        if let Some(hash) = head(bodies, line) {
            if let Some(last) = found.last_mut() {
                last.end_at(end(bodies, last.lines.start, line), is_blank);
            }
            let lines = line..line + 1;
            let mut record = Record::new(RecordKind::Commit, lines);
            record.named(line, hash);
            found.push(record);
            subject_is_due = true;
        } else if subject_is_due
            && let Some(subject) = subject(body, line.checked_sub(1).and_then(|before| bodies.get(before)))
            && let Some(record) = found.last_mut()
        {
            record.named(line, subject);
            subject_is_due = false;
        }
    }
    if let Some(last) = found.last_mut() {
        last.end_at(end(bodies, last.lines.start, bodies.len()), is_blank);
    }
    found
}

/// Returns a line without the drawn graph of branches.
fn bare<'t>(body: &Body<'t>) -> &'t str {
    let text = body.text;
    if !text.starts_with(['*', '|', '/', '\\', '_']) {
        return text;
    }
    text.trim_start_matches(['*', '|', '/', '\\', '_', ' ', '.', '-'])
}

/// Returns the short hash if the line starts a commit.
fn head<'t>(bodies: &[Body<'t>], line: usize) -> Option<&'t str> {
    const FIELDS: [&str; 13] = [
        "Author:",
        "Author: ",
        "AuthorDate:",
        "Commit:",
        "Date:",
        "Merge:",
        "author ",
        "parent ",
        "tree ",
        "gpg:",
        "user:",
        "date:",
        "summary:",
    ];
    let text = bare(bodies.get(line)?);
    let is_hash = |hash: &str, least: usize| {
        hash.len() >= least && hash.len() <= 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    if let Some(rest) = text.strip_prefix("commit ") {
        let rest = rest.trim_start_matches(['-', '<', '>', '=', '^', ' ']);
        let hash = rest.split([' ', '\t']).next().filter(|hash| is_hash(hash, 7))?;
        let below =
            bodies.get(line + 1..).unwrap_or_default().iter().take(tuning().records.max_field_distance);
        let has_field = below.map(bare).any(|below| FIELDS.iter().any(|field| below.starts_with(field)));
        // `git rev-list --pretty` may print a subject only.
        let is_alone = rest.len() == hash.len() || rest.get(hash.len()..)?.starts_with([' ', '\t']);
        return (is_alone && (has_field || hash.len() >= 40)).then(|| hash.get(..SHORT_HASH))?;
    }
    if let Some(rest) = text.strip_prefix("changeset:") {
        return rest.trim().rsplit(':').next().filter(|hash| is_hash(hash, 7));
    }
    // `r1234 | name | date | 2 lines`, below a rule
    let revision = text.strip_prefix('r')?.split(' ').next()?;
    let is_revision = !revision.is_empty() && revision.bytes().all(|byte| byte.is_ascii_digit());
    let above = line.checked_sub(1).and_then(|above| bodies.get(above));
    (is_revision && text.matches(" | ").count() >= 3 && above.is_some_and(|above| is_rule(above.text)))
        .then(|| text.get(..=revision.len()))?
}

/// Returns the first line of a message.
fn subject<'t>(body: &Body<'t>, before: Option<&Body<'t>>) -> Option<&'t str> {
    let text = bare(body);
    if let Some(summary) = text.strip_prefix("summary:") {
        return Some(summary.trim());
    }
    let is_behind_blank = before.is_some_and(|before| bare(before).is_empty());
    let message = text.trim_start();
    let is_field = ["Author", "Date:", "Commit", "Merge:"].iter().any(|field| message.starts_with(field));
    (is_behind_blank && !message.is_empty() && !is_field).then_some(message)
}

/// Returns the end of a commit: the next line without indentation that is no part of one, or else `most`.
fn end(bodies: &[Body<'_>], start: usize, most: usize) -> usize {
    // The messages of Subversion have no indentation, and there is a rule above and below each commit.
    let text = |line: usize| bodies.get(line).map_or("", |body| body.text);
    if let Some(rule) = start.checked_sub(1).map(text).filter(|_| text(start).starts_with('r')) {
        return (start + 1..most).find(|line| text(*line) == rule).unwrap_or(most);
    }
    let belongs = |line: &usize| {
        let Some(body) = bodies.get(*line) else { return false };
        let text = bare(body);
        let next = || bodies.get(line + 1).map_or("", |next| next.text);
        let is_header = text.starts_with("--- ") && !next().starts_with("+++ ");
        !is_header
            && (body.indent() > 0
                || text.is_empty()
                || text.len() < body.text.len()
                || is_field(text)
                || is_change(text))
    };
    (start + 1..most).find(|line| !belongs(line)).unwrap_or(most)
}

/// Whether this is a line like `Author: name`, `parent 1234567` or `summary:  text`.
fn is_field(text: &str) -> bool {
    const WORDS: [&str; 5] = ["author ", "committer ", "parent ", "tree ", "gpg: "];
    let key = text.split(':').next().unwrap_or_default();
    let is_key = key.len() < text.len() && key.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_key || WORDS.iter().any(|word| text.starts_with(word))
}

/// Whether this is a changed file, with its status, counts, mode or name only, or a part of a diff.
fn is_change(text: &str) -> bool {
    let status = text.split('\t').next().unwrap_or_default();
    let is_status = status.len() < text.len() && status.len() <= 8;
    let is_diff = text.starts_with(['+', '-', '@', ':'])
        || ["diff ", "index ", "new file", "deleted file", "similarity", "rename "]
            .iter()
            .any(|start| text.starts_with(start));
    is_status || is_diff || text.contains(['/', '.']) && !text.contains(' ')
}

/// Whether nearly all lines are commits with their short hash and subject, as in `git log --oneline` and `git reflog`.
pub(super) fn are_one_line_each(bodies: &[Body<'_>]) -> bool {
    let is_one = |body: &&Body<'_>| {
        let hash = bare(body).trim_start_matches('^').split(' ').next().unwrap_or_default();
        let digits = hash.bytes().filter(u8::is_ascii_digit).count();
        (7..=40).contains(&hash.len())
            && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            && bare(body).len() > hash.len()
            // A word may have such letters, and a number such digits.
            && digits < hash.len()
            && digits > 0
    };
    let drawn = |body: &&Body<'_>| !body.is_blank() && !bare(body).is_empty();
    let (all, fit) = (bodies.iter().filter(drawn).count(), bodies.iter().filter(is_one).count());
    fit >= tuning().records.min_commits && fit * 100 >= all * tuning().records.commits
}
