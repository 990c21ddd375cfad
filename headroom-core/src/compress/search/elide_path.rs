//! Omits paths from rows of search results if a row above gives them.
//!
//! The first of several adjacent rows of a file names it. Some agents print the path of some context rows in full and
//! of others relative to the working directory; each of the two is remembered.

use crate::{
    formats::search::{SearchLine, SearchParser, SearchRow, SearchRowKind, same_file, short},
    text::marker,
    tuning::tuning,
};

/// Precedes rows without paths.
pub(super) const HEADER: &str = "[rows without a path are of the file above]";

/// A path and the line that names it.
type NamedPath<'t> = (&'t str, usize);

/// The paths that the rows above give.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ElidedPath<'t> {
    /// The path of the last hit.
    hit: Option<NamedPath<'t>>,
    /// The path of the last row.
    last: Option<NamedPath<'t>>,
    /// The paths of this file's last context rows with a colon and without.
    context: [Option<NamedPath<'t>>; 2],
}

fn has_colon(row: &SearchRow<'_>) -> usize {
    usize::from(row.rest.contains(':'))
}

impl<'t> ElidedPath<'t> {
    /// Records the path and the line of a row that names its file.
    pub(super) fn note(&mut self, row: &SearchRow<'t>, line: usize) {
        let Some(path) = row.path else { return };
        if !self.last.is_some_and(|(last, _)| same_file(last, path)) {
            *self = Self::default();
        }
        let named = Some((path, line));
        self.last = named;
        match row.kind {
            SearchRowKind::Context => {
                if let Some(of_colon) = self.context.get_mut(has_colon(row)) {
                    *of_colon = named;
                }
            }
            SearchRowKind::Hit | SearchRowKind::Count => self.hit = named,
        }
    }

    /// Returns the path that a row like this one has if it names none, and the line that gives it.
    pub(super) fn named(&self, row: &SearchRow<'_>) -> Option<NamedPath<'t>> {
        match row.kind {
            SearchRowKind::Hit => self.hit,
            SearchRowKind::Context => self.context.get(has_colon(row)).copied().flatten().or(self.last),
            SearchRowKind::Count => None,
        }
    }

    /// Whether the row can be restored without its path.
    fn can_leave_out(&self, row: &SearchRow<'_>) -> bool {
        let again = short(row.rest).is_some_and(|short| short.kind == row.kind);
        again && row.path.is_some() && self.named(row).map(|(path, _)| path) == row.path
    }
}

/// Restores the omitted paths.
#[cfg(test)]
pub(super) fn expand(text: &str) -> String {
    let Some(rows) = text.strip_prefix(HEADER).and_then(|rows| rows.strip_prefix('\n')) else {
        return text.to_owned();
    };
    let mut parser = SearchParser::parse(rows.split('\n'));
    let mut carried = ElidedPath::default();
    let mut out = String::new();
    for line in rows.split_inclusive('\n') {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        if let SearchLine::Row(row) = parser.line(bare) {
            if row.path.is_none() {
                out.push_str(carried.named(&row).unwrap().0);
                out.extend(bare.chars().find(|c| !c.is_ascii_digit()).filter(|_| !bare.starts_with(':')));
            }
            carried.note(&row, 0);
        }
        out.push_str(line);
    }
    out
}

/// Returns the text with paths omitted if the rows above give them; `None` if that is not shorter.
pub(super) fn render(text: &str) -> Option<String> {
    if marker::is_in(text) || text.starts_with(HEADER) {
        return None;
    }
    let content = |line: &'_ str| line.len() - line.ends_with('\n') as usize;
    let lines = || text.split_inclusive('\n').map(|line| line.split_at(content(line)));
    let mut parser = SearchParser::parse(lines().map(|(line, _)| line));
    // The number of hits in each run of hits of one file.
    let mut groups: Vec<usize> = Vec::new();
    let mut group = "";
    for (line, _) in lines() {
        match parser.line(line) {
            SearchLine::Row(SearchRow { path: Some(path), kind: SearchRowKind::Hit, .. }) => {
                match groups.last_mut() {
                    Some(hits) if path == group => *hits += 1,
                    _ => groups.push(1),
                }
                group = path;
            }
            SearchLine::Row(SearchRow { path: None, .. }) => return None,
            _ => {}
        }
    }
    let many = groups.iter().sum::<usize>() >= tuning().search.path_min_hits;
    let mut groups = groups.into_iter();
    let mut large = false;
    group = "";
    let mut out = String::with_capacity(text.len());
    out.push_str(HEADER);
    out.push('\n');
    let mut carried = ElidedPath::default();
    for (at, (line, end)) in lines().enumerate() {
        let parsed = parser.line(line);
        if let SearchLine::Row(SearchRow { path: Some(path), kind: SearchRowKind::Hit, .. }) = parsed
            && path != group
        {
            large = many && groups.next().is_some_and(|hits| hits >= tuning().search.path_min_hits_of_file);
            group = path;
        }
        let written = match parsed {
            SearchLine::Row(row)
                if (large || row.kind == SearchRowKind::Context) && carried.can_leave_out(&row) =>
            {
                row.rest
            }
            SearchLine::Row(row) => {
                carried.note(&row, at);
                line
            }
            SearchLine::Break | SearchLine::Other => line,
        };
        out.push_str(written);
        out.push_str(end);
    }
    (out.len() < text.len()).then_some(out)
}
