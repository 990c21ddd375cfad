//! Rewrites the output of `ls -R` with one line per directory.

use crate::formats::listing::is_name;
use crate::{
    text::{
        marker,
        path::{directory, is_path},
    },
    tuning::tuning,
};

/// Precedes the directories.
pub(super) const HEADER: &str =
    "[entries stand behind their directory; a directory after a space is beside the one above]";

/// Writes each directory with its entries on one line; `None` if the text has another form.
pub(super) fn render(text: &str) -> Option<String> {
    if marker::is_in(text) || text.contains('\r') {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    out.push_str(HEADER);
    let mut directories = 0;
    let mut above = "";
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        out.push('\n');
        let Some(path) = heading(line) else {
            out.push_str(line);
            continue;
        };
        directories += 1;
        let entries = || lines.clone().take_while(|line| is_name(line));
        let is_small = entries().nth(tuning().listing.small_entries).is_none();
        let beside = directory(path).filter(|directory| is_small && !above.is_empty() && *directory == above);
        match beside.and_then(|above| path.strip_prefix(above)) {
            Some(name) => out.extend([" ", name]),
            None => out.push_str(path),
        }
        above = directory(path).unwrap_or_default();
        out.push(':');
        while let Some(name) = lines.next_if(|line| is_name(line)) {
            out.extend([" ", name]);
        }
        // The empty line before the next directory.
        let mut behind = lines.clone();
        if behind.next() == Some("") && behind.next().is_some_and(|line| heading(line).is_some()) {
            lines.next();
        }
    }
    // A text with lines that look like this form cannot be restored.
    (directories >= tuning().listing.min_directories && expand(&out).as_deref() == Some(text)).then_some(out)
}

/// Restores the original text; `None` if the text is not in this form.
pub(super) fn expand(text: &str) -> Option<String> {
    let rows = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
    let mut out = String::with_capacity(text.len() * 2);
    let mut above = String::new();
    let mut rows = rows.split('\n').peekable();
    while let Some(row) = rows.next() {
        match DirectoryEntry::parse(row) {
            Some(DirectoryEntry { beside, path, entries }) => {
                let full = if beside { format!("{above}{path}") } else { path.to_owned() };
                directory(&full).unwrap_or_default().clone_into(&mut above);
                out.extend([&full, ":"]);
                out.extend(entries.flat_map(|name| ["\n", name]));
                if rows.peek().is_some_and(|next| DirectoryEntry::parse(next).is_some()) {
                    out.push('\n');
                }
            }
            None => out.push_str(row),
        }
        if rows.peek().is_some() {
            out.push('\n');
        }
    }
    Some(out)
}

/// Whether a text is in this form.
pub(in crate::compress) fn is_in(text: &str) -> bool {
    text.starts_with(HEADER)
}

/// Returns, for each line of the form, its first and last source line, counted from zero.
pub(in crate::compress) fn source_lines(text: &str) -> Vec<(u32, u32)> {
    let mut source = 0;
    let mut rows = text.split('\n').peekable();
    let mut lines = vec![(0, 0)];
    rows.next();
    while let Some(row) = rows.next() {
        let entries = DirectoryEntry::parse(row).map(|row| row.entries.count());
        let mut end = source + u32::try_from(entries.unwrap_or(0)).unwrap_or(u32::MAX);
        lines.push((source, end));
        // The empty line before the next directory is not written.
        if entries.is_some() && rows.peek().is_some_and(|next| DirectoryEntry::parse(next).is_some()) {
            end += 1;
        }
        source = end.saturating_add(1);
    }
    lines
}

/// A directory and its entries.
pub(super) struct DirectoryEntry<'t, E> {
    /// Whether the directory is a sibling of the one above.
    pub(super) beside: bool,
    /// Its path, or only its name if it is a sibling of the one above.
    pub(super) path: &'t str,
    pub(super) entries: E,
}

impl DirectoryEntry<'_, ()> {
    /// Parses a line of the form.
    pub(super) fn parse(line: &str) -> Option<DirectoryEntry<'_, impl Iterator<Item = &str>>> {
        let (path, entries) = line.split_once(':')?;
        let entries = entries.strip_prefix(' ').or_else(|| entries.is_empty().then_some(""))?;
        let entries = entries.split(' ').filter(|name| !name.is_empty());
        let (beside, path) = path.strip_prefix(' ').map_or((false, path), |name| (true, name));
        (is_name(path) || !beside && is_directory(path)).then_some(DirectoryEntry { beside, path, entries })
    }
}

/// Returns the path in `path:`.
fn heading(line: &str) -> Option<&str> {
    line.strip_suffix(':').filter(|path| is_directory(path))
}

fn is_directory(path: &str) -> bool {
    let odd = path.contains([' ', ':']);
    !odd && (path == "." || path == ".." || is_path(path))
}
