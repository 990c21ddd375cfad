//! Chooses entries of a long listing to elide.
//!
//! The first entries of each directory stay, so that every directory remains named. Entries that the query names stay
//! too, as do file types that are rare in their directory.

use std::{fmt::Write, ops::Range};

use rustc_hash::FxHashMap;

use super::{
    super::log::view::{LineView, name},
    recursive,
};
use crate::{
    compress::Omission,
    formats::listing::ListingLine,
    relevance::Query,
    text::path::{directory, extension, is_made_directory},
    tuning::tuning,
};

/// Deeper directories count as one.
const MAX_DEPTH: usize = 64;

/// An entry and its position.
#[derive(Clone, Copy, Debug)]
struct Entry<'t> {
    /// The index of its directory.
    directory: u32,
    name: &'t str,
    /// Whether the line above gives its directory.
    carried: bool,
    /// The line with the heading or the branch that it stands below.
    below: Option<u32>,
}

#[derive(Debug)]
struct Directory<'t> {
    /// Its path, or the end of it.
    path: &'t str,
    depth: usize,
    made: bool,
    entries: usize,
    shown: usize,
}

#[derive(Debug, Default)]
struct Listing<'t> {
    entries: Vec<Option<Entry<'t>>>,
    directories: Vec<Directory<'t>>,
    by_path: FxHashMap<&'t str, u32>,
    /// The directory looked up last.
    last: Option<u32>,
}

/// Returns the parts that may be elided, in order and disjoint.
pub(super) fn gaps(text: &str, query: &Query<'_>) -> Vec<Omission> {
    let Some(view) = LineView::new(text, query, (tuning().listing.min_bytes, tuning().listing.min_lines))
    else {
        return Vec::new();
    };
    let mut listing = if text.starts_with(recursive::HEADER) {
        Listing::of_directories(&view)
    } else {
        Listing::from_view(&view)
    };
    let asked = view.query();
    let rare = listing.rare();
    let mut kept = listing.choose(&asked, &rare, usize::MAX);
    let mut depth = tuning().listing.shown_depth;
    while kept.iter().filter(|kept| **kept).count() > tuning().listing.max_shown && depth > 0 {
        kept = listing.choose(&asked, &rare, depth);
        depth -= 1;
    }
    let pays = |run: &Range<usize>| {
        run.len() >= tuning().listing.min_gap_lines && view.bytes(run) >= tuning().listing.min_gap_bytes
    };
    let runs = view.settle(kept, &listing.carriers(), pays);
    runs.into_iter().filter_map(|run| view.gap(&run, listing.summary(&run))).collect()
}

impl<'t> Listing<'t> {
    fn from_view(view: &LineView<'t>) -> Self {
        let mut listing = Self::default();
        let root = listing.directory("", 0, false);
        let mut here = root;
        let mut open: Vec<(u32, Option<u32>)> = vec![(root, None)];
        let mut heading = None;
        for (at, line) in (0_u32..).zip(view.lines()) {
            let entry = match ListingLine::parse(line) {
                ListingLine::Path(path) => {
                    let above = directory(path).unwrap_or_default();
                    here = listing.path(above);
                    Some(Entry {
                        directory: here,
                        name: path.get(above.len()..).unwrap_or(path),
                        carried: false,
                        below: None,
                    })
                }
                ListingLine::Name(name) => {
                    Some(Entry { directory: here, name, carried: line.starts_with(' '), below: heading })
                }
                ListingLine::Branch(depth, name) => {
                    let depth = depth.min(MAX_DEPTH);
                    open.truncate(depth);
                    let (above, below) = open.last().copied().unwrap_or((root, None));
                    let made = listing.directories.get(above as usize).is_some_and(|above| above.made);
                    let bare = name.split(" -> ").next().unwrap_or(name).trim_end_matches('/');
                    // Any name may turn out to be a directory; others remain without entries.
                    let own = listing.directory(bare, depth, made || is_made_directory(bare));
                    open.resize(depth, (above, below));
                    open.push((own, Some(at)));
                    Some(Entry { directory: above, name, carried: false, below })
                }
                ListingLine::Heading(path) => {
                    here = listing.path(path);
                    heading = Some(at);
                    None
                }
                ListingLine::Blank => None,
                ListingLine::Other => {
                    here = root;
                    heading = None;
                    None
                }
            };
            if let Some(directory) =
                entry.and_then(|entry| listing.directories.get_mut(entry.directory as usize))
            {
                directory.entries += 1;
            }
            listing.entries.push(entry);
        }
        listing
    }

    /// Reads the form with one line per directory, whose lines are entries of their parents.
    fn of_directories(view: &LineView<'t>) -> Self {
        let mut listing = Self::default();
        let mut above = listing.directory("", 0, false);
        for line in view.lines() {
            let entry = recursive::DirectoryEntry::parse(line).map(|row| {
                if !row.beside {
                    above = listing.path(directory(row.path).unwrap_or_default());
                }
                Entry { directory: above, name: row.path, carried: row.beside, below: None }
            });
            if let Some(directory) =
                entry.and_then(|entry| listing.directories.get_mut(entry.directory as usize))
            {
                directory.entries += 1;
            }
            listing.entries.push(entry);
        }
        listing
    }

    fn directory(&mut self, path: &'t str, depth: usize, made: bool) -> u32 {
        self.directories.push(Directory { path, depth, made, entries: 0, shown: 0 });
        u32::try_from(self.directories.len() - 1).unwrap_or_default()
    }

    /// Returns the directory of this path.
    fn path(&mut self, path: &'t str) -> u32 {
        let path = path.strip_suffix(['/', '\\']).unwrap_or(path);
        let last = self.last.and_then(|last| Some((self.directories.get(last as usize)?.path, last)));
        if let Some((_, last)) = last.filter(|(known, _)| *known == path) {
            return last;
        }
        if let Some(known) = self.by_path.get(path) {
            self.last = Some(*known);
            return *known;
        }
        let parts = || path.split(['/', '\\']);
        let id = self.directory(path, parts().count(), parts().any(is_made_directory));
        self.by_path.insert(path, id);
        self.last = Some(id);
        id
    }

    /// Chooses the lines that stay; those of directories deeper than `deepest` stay only if the query names them.
    fn choose(&mut self, asked: &[bool], rare: &[bool], deepest: usize) -> Vec<bool> {
        let lines = self.entries.len();
        for directory in &mut self.directories {
            directory.shown = 0;
        }
        let mut kept = Vec::with_capacity(lines);
        for (at, (entry, rare)) in self.entries.iter().zip(rare).enumerate() {
            let directory = entry.and_then(|entry| self.directories.get_mut(entry.directory as usize));
            let Some(directory) = directory else {
                // Lines between the entries of directories that are not shown.
                kept.push(deepest == usize::MAX || at < tuning().listing.min_lines);
                continue;
            };
            let most = if directory.depth > deepest {
                0
            } else if directory.made {
                tuning().listing.shown_of_generated
            } else if lines < tuning().listing.long_lines
                || directory.entries <= tuning().listing.whole_entries && lines < tuning().listing.huge_lines
            {
                usize::MAX
            } else if lines < tuning().listing.huge_lines {
                tuning().listing.shown
            } else {
                tuning().listing.shown_of_huge
            };
            let stays = directory.shown < most || *rare && !directory.made && most > 0;
            directory.shown += usize::from(stays);
            kept.push(stays || asked.get(at).copied().unwrap_or(true));
        }
        kept
    }

    /// Marks entries whose extension is rare in a directory with many entries.
    fn rare(&self) -> Vec<bool> {
        let mut counts: Vec<u32> = Vec::new();
        let mut ids: FxHashMap<(u32, &str), usize> = FxHashMap::default();
        let mut last = ((u32::MAX, "?"), 0);
        let kinds: Vec<usize> = self
            .entries
            .iter()
            .map(|entry| {
                let key = entry.map_or((u32::MAX, ""), |entry| {
                    (entry.directory, extension(entry.name).unwrap_or_default())
                });
                let id = if key == last.0 { last.1 } else { *ids.entry(key).or_insert(counts.len()) };
                last = (key, id);
                match counts.get_mut(id) {
                    Some(count) => *count += 1,
                    None => counts.push(1),
                }
                id
            })
            .collect();
        let is_rare = |(entry, kind): (&Option<Entry<'t>>, usize)| {
            let Some(entry) = entry else { return false };
            let all = self.directories.get(entry.directory as usize).map_or(0, |directory| directory.entries);
            counts.get(kind).is_some_and(|likes| *likes <= tuning().listing.rare_entries)
                && all > tuning().listing.entries_for_rare
                && extension(entry.name).is_some()
        };
        self.entries.iter().zip(kinds).map(is_rare).collect()
    }

    /// Returns, for each name after a space, the path that gives its directory, and for each other name the heading or
    /// the branch that it stands below.
    fn carriers(&self) -> Vec<Option<usize>> {
        let mut last = None;
        let carrier = |(at, entry): (usize, &Option<Entry<'_>>)| {
            if entry.is_some_and(|entry| entry.carried) {
                return last;
            }
            last = Some(at);
            entry.and_then(|entry| entry.below).map(|below| below as usize)
        };
        self.entries.iter().enumerate().map(carrier).collect()
    }

    /// `88 .py, 3 .txt in tests/functional`
    fn summary(&self, lines: &Range<usize>) -> String {
        let mut kinds: FxHashMap<&str, usize> = FxHashMap::default();
        let mut places: Vec<u32> = Vec::new();
        for entry in self.entries.get(lines.clone()).unwrap_or_default().iter().flatten() {
            *kinds.entry(extension(entry.name).unwrap_or_default()).or_default() += 1;
            if places.last() != Some(&entry.directory) {
                places.push(entry.directory);
            }
        }
        places.sort_unstable();
        places.dedup();
        let mut kinds: Vec<(usize, &str)> = kinds.into_iter().map(|(kind, count)| (count, kind)).collect();
        kinds.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let mut out = String::new();
        for (count, kind) in kinds.iter().take(tuning().listing.summary_kinds) {
            let comma = if out.is_empty() { "" } else { ", " };
            let dot = if kind.is_empty() { "names" } else { "." };
            // Writing to a string cannot fail.
            let _ = write!(out, "{comma}{count} {dot}{kind}");
        }
        let others: usize = kinds.iter().skip(tuning().listing.summary_kinds).map(|(count, _)| count).sum();
        if others > 0 {
            let _ = write!(out, ", {others} others");
        }
        let path = |id: &u32| self.directories.get(*id as usize).map_or("", |directory| directory.path);
        match places.as_slice() {
            [] => format!("{} lines", lines.len()),
            [place] if path(place).is_empty() => out,
            [place] => format!("{out} in {}", name(path(place), 40)),
            [first, ..] => {
                format!("{out} in {} and {} more directories", name(path(first), 30), places.len() - 1)
            }
        }
    }
}
