//! Chooses the files of a history that go: the diffs of several commits, as `git log -p` and `git show` print them.
//!
//! Hash, author, date and message of each commit stay. Of the changes, those stay that the query names, by a line, a file or
//! a commit, and the first ones up to a share of the text. The other files go as a whole, so that a gap can name them.

use std::ops::Range;

use super::{DiffSelector, quota};
use crate::{
    formats::diff::{DiffLine, Section},
    tuning::tuning,
};

impl DiffSelector<'_> {
    /// Whether the text is the diffs of several commits.
    pub(super) fn is_history(&self) -> bool {
        self.diff.commits.len() >= tuning().diff.min_commits
    }

    /// Drops files of a long history, or hunks of them. Each commit gets an equal share of the lines that stay.
    pub(super) fn trim_history(&mut self) {
        let diff = self.diff;
        let numbers = &tuning().diff;
        let mut sizes = vec![0; diff.commits.len() + 1];
        for section in &diff.sections {
            if let Some(size) = sizes.get_mut(self.commit_of(section)) {
                *size += section.lines.len();
            }
        }
        let total: usize = sizes.iter().sum();
        if total <= numbers.small_history_lines {
            return;
        }
        let shown =
            (total * numbers.history_share / 100).clamp(numbers.min_history_lines, numbers.max_history_lines);
        let share = quota(sizes, shown);
        let (mut commit, mut left) = (usize::MAX, 0);
        for (section, named) in diff.sections.iter().zip(self.named_sections()) {
            if self.commit_of(section) != commit {
                (commit, left) = (self.commit_of(section), share);
            }
            if named && !self.is_made(section) {
                let most = section.body.start + numbers.max_lines_of_named_file;
                self.drop(most.min(section.body.end)..section.body.end);
            } else if !section.path.is_empty() {
                // Otherwise it is not known which file the hunks are of.
                left -= self.trim_file(section, left);
            }
        }
    }

    /// Drops the hunks of a file that do not fit into this many lines, and the whole file if nothing of it stays. Returns how
    /// many lines fit.
    fn trim_file(&mut self, section: &Section<'_>, most: usize) -> usize {
        let shown = if self.is_made(section) { 0 } else { self.fitting(section, most) };
        let rest = (section.lines.start + shown).max(section.body.start)..section.body.end;
        self.drop(rest);
        if shown == 0 && !section.body.clone().any(|line| self.is_asked(line)) {
            self.set(section.lines.clone(), false);
        }
        shown
    }

    /// Returns the number of the commit that a file is of, counted from one; zero is before the first.
    fn commit_of(&self, section: &Section<'_>) -> usize {
        self.diff.commits.partition_point(|start| *start <= section.lines.start)
    }

    /// Tells for each file whether the query names it or its commit. What names most of the files or commits, such as the
    /// path in the call, tells none of them from the others.
    pub(super) fn named_sections(&self) -> Vec<bool> {
        let sections = &self.diff.sections;
        let is_asked = |mut lines: Range<usize>| lines.any(|line| self.is_asked(line));
        let few = |named: Vec<bool>| {
            let is_few = named.iter().filter(|named| **named).count() * 2 <= named.len();
            if is_few { named } else { vec![false; named.len()] }
        };
        let files = few(sections.iter().map(|section| is_asked(section.header())).collect());
        let is_message = |line: &usize| self.kind(*line) == DiffLine::Commit;
        let message = |start: &usize| *start..(*start..).find(|line| !is_message(line)).unwrap_or(*start);
        let hashes = self.named_hashes();
        let has_named_hash = |start: &usize| hashes.iter().any(|hash| self.view.line(*start).contains(hash));
        let is_named = |start: &usize| is_asked(message(start)) || has_named_hash(start);
        let commits = few(self.diff.commits.iter().map(is_named).collect());
        let of_commit = |section: &Section<'_>| {
            self.commit_of(section).checked_sub(1).and_then(|number| commits.get(number)) == Some(&true)
        };
        sections.iter().zip(files).map(|(section, named)| named || of_commit(section)).collect()
    }

    /// Returns what the query has of hashes, which people abbreviate.
    fn named_hashes(&self) -> Vec<&str> {
        let texts = [self.query.question, self.query.arguments].into_iter().flatten();
        let words = texts.flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
        let is_hash = |word: &&str| {
            (7..=40).contains(&word.len())
                && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        words.filter(is_hash).collect()
    }

    /// Returns how many lines of a file stay if this many may: all, or its header and the hunks that fit as a whole.
    pub(super) fn fitting(&self, section: &Section<'_>, most: usize) -> usize {
        if section.lines.len() <= most {
            return section.lines.len();
        }
        let ends = section
            .body
            .clone()
            .filter(|line| *line > section.body.start && self.kind(*line) == DiffLine::Hunk);
        let fits = ends.map(|end| end - section.lines.start).take_while(|lines| *lines <= most);
        fits.last().unwrap_or(0)
    }
}
