//! Says what a gap in a diff hides, in the words of diffs.

use std::{fmt::Write, ops::Range};

use super::{super::log::view::name, DiffSelector};
use crate::{
    formats::diff::{DiffLine, Section},
    tuning::tuning,
};

/// Characters of the path of a file in a summary.
const MAX_PATH: usize = 60;

impl DiffSelector<'_> {
    /// Formats `3 hunks, +40 -2`, `80 unchanged lines`, or `2 files, 3 hunks, +40 -2: src/a.rs, src/b.rs`.
    pub(super) fn summary(&self, lines: &Range<usize>) -> String {
        let count = |kind: DiffLine| lines.clone().filter(|line| self.kind(*line) == kind).count();
        let (hunks, added, removed) =
            (count(DiffLine::Hunk), count(DiffLine::Added), count(DiffLine::Removed));
        let files = self.files_in(lines);
        let mut out = String::new();
        // Writing to a string cannot fail.
        let mut part = |text: String| {
            let comma = if out.is_empty() { "" } else { ", " };
            let _ = write!(out, "{comma}{text}");
        };
        if !files.is_empty() {
            part(many(files.len(), "file"));
        }
        if hunks > 0 {
            part(many(hunks, "hunk"));
        }
        match hunks + added + removed {
            _ if !self.has_signs(lines) && hunks > 0 => {}
            _ if !self.has_signs(lines) => part(many(lines.len(), "line")),
            0 if files.is_empty() => part(format!("{} unchanged lines", lines.len())),
            0 => {}
            _ => part(format!("+{added} -{removed}")),
        }
        let most = tuning().diff.summary_files;
        for (at, file) in files.iter().take(most).enumerate() {
            let mark = if at == 0 { ": " } else { ", " };
            let _ = write!(out, "{mark}{}", name(file.path, MAX_PATH));
        }
        if files.len() > most {
            let _ = write!(out, " and {} more", files.len() - most);
        }
        out
    }

    /// Whether the signs in front of these lines say what was added and removed.
    fn has_signs(&self, lines: &Range<usize>) -> bool {
        let sections = self.diff.sections.iter();
        let mut own = sections.filter(|own| own.lines.start < lines.end && lines.start < own.lines.end);
        !self.diff.by_words && own.all(|section| section.is_exact)
    }

    /// Returns the files that these lines hold as a whole.
    fn files_in(&self, lines: &Range<usize>) -> &[Section<'_>] {
        let sections = &self.diff.sections;
        let start = sections.partition_point(|section| section.lines.start < lines.start);
        let end = sections.partition_point(|section| section.lines.end <= lines.end);
        sections.get(start..end).unwrap_or_default()
    }
}

/// Formats a count and its noun.
fn many(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
