//! Decodes the forms that write lines in fewer words, back to the original lines.

use std::collections::{HashMap, HashSet};

const LISTING: &str = "[names after a space are in the directory of the path above]";
const SEARCH: &str = "[rows without a path are of the file above]";
const TREE: &str = "[indented where a tree was drawn with ";
const COLUMNS: &str = "[columns were at ";
const DIRECTORIES: &str =
    "[entries stand behind their directory; a directory after a space is beside the one above]";
const ALL: [&str; 5] = [LISTING, SEARCH, TREE, COLUMNS, DIRECTORIES];

/// Number of paths that rows of a search result may refer to.
const CARRIED: usize = 4;

/// Restores each line as in the original, and drops the lines that declare a form. Lines that cannot be decoded are
/// left alone.
#[must_use]
pub fn decoded(before: &str, after: &str) -> String {
    let declares = |line: &str| ALL.iter().any(|form| line.starts_with(form));
    let originals: Vec<&str> = before.split('\n').collect();
    let known: HashSet<&str> = originals.iter().copied().collect();
    if !after.split('\n').any(|line| declares(line) && !known.contains(line)) {
        return after.to_owned();
    }
    let mut by_ink: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, line) in originals.iter().enumerate() {
        by_ink.entry(ink(line)).or_default().push(at);
    }
    let mut reader = Reader { originals, known, by_ink, ..Reader::default() };
    for line in after.split('\n') {
        if declares(line) && !reader.known.contains(line) {
            reader.form = ALL.into_iter().find(|form| line.starts_with(form)).unwrap();
        } else {
            reader.read(line);
        }
    }
    reader.out.join("\n")
}

/// Reads line after line, in the form that was declared last.
#[derive(Default)]
struct Reader<'a> {
    originals: Vec<&'a str>,
    known: HashSet<&'a str>,
    /// Where the original has a line with this ink.
    by_ink: HashMap<String, Vec<usize>>,
    form: &'static str,
    /// The directory of the last path, with its last separator.
    directory: String,
    /// Paths that rows of a search result may refer to, the newest first.
    paths: Vec<String>,
    /// The next line of the original.
    next: usize,
    /// Whether the last line was a directory with its entries.
    was_directory: bool,
    out: Vec<String>,
}

impl Reader<'_> {
    fn read(&mut self, line: &str) {
        if self.directory_with_entries(line) {
            return;
        }
        self.was_directory = false;
        let full = self.full(line).unwrap_or_else(|| line.to_owned());
        if let Some(end) = full.rfind(['/', '\\']) {
            full[..=end].clone_into(&mut self.directory);
        }
        if self.form == SEARCH && self.known.contains(line) {
            for path in prefixes(line) {
                self.paths.retain(|other| other != path);
                self.paths.insert(0, path.to_owned());
            }
            self.paths.truncate(CARRIED);
        }
        if let Some(at) = self.place(&full) {
            self.next = at + 1;
        }
        self.out.push(full);
    }

    /// Reads a directory with its entries behind it. An empty directory is written as its original line.
    fn directory_with_entries(&mut self, line: &str) -> bool {
        if self.form != DIRECTORIES || self.known.contains(line) && !line.ends_with(':') {
            return false;
        }
        let Some((path, entries)) = line.split_once(':').filter(|(path, _)| !path.starts_with('[')) else {
            return false;
        };
        let path = match path.strip_prefix(' ') {
            Some(name) => format!("{}{name}", self.directory),
            None => path.to_owned(),
        };
        path[..path.rfind(['/', '\\']).map_or(0, |end| end + 1)].clone_into(&mut self.directory);
        if self.was_directory {
            self.out.push(String::new());
        }
        self.out.push(format!("{path}:"));
        self.out.extend(entries.split(' ').filter(|name| !name.is_empty()).map(str::to_owned));
        self.was_directory = true;
        true
    }

    /// Returns the original line, if this one is written in fewer words.
    fn full(&self, line: &str) -> Option<String> {
        match self.form {
            _ if self.known.contains(line) => None,
            LISTING => line.strip_prefix(' ').map(|name| format!("{}{name}", self.directory)),
            SEARCH => {
                let mark = line.chars().find(|c| !c.is_ascii_digit()).filter(|_| !line.starts_with(':'));
                let mark = mark.map_or_else(String::new, String::from);
                let mut rows = self.paths.iter().map(|path| format!("{path}{mark}{line}"));
                rows.find(|row| self.known.contains(row.as_str()))
            }
            TREE | COLUMNS => self.place(line).map(|at| self.originals[at].to_owned()),
            _ => None,
        }
    }

    /// Returns the next line of the original with the same ink.
    fn place(&self, line: &str) -> Option<usize> {
        self.by_ink.get(&ink(line))?.iter().copied().find(|at| *at >= self.next)
    }
}

/// Returns the possible paths of a row: the text before a number between colons or hyphens.
fn prefixes(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices([':', '-']).filter_map(|(at, mark)| {
        let rest = line[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
        (rest.len() < line.len() - at - 1 && rest.starts_with(mark)).then_some(&line[..at])
    })
}

/// Strips alignment and tree drawing from a line.
fn ink(line: &str) -> String {
    line.chars().filter(|c| !c.is_whitespace() && !"│├└─|`-".contains(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_back() {
        for (before, after) in [
            ("a/b.rs\na/c.rs\nd/e.rs", format!("{LISTING}\na/b.rs\n c.rs\nd/e.rs")),
            ("a:1:x\na:2:y\na-3-z", format!("{SEARCH}\na:1:x\n2:y\n3-z")),
            ("p/a:\nx\ny\n\np/b:\nz\n\np/c:\n", format!("{DIRECTORIES}\np/a: x y\n b: z\n c:\n")),
            ("NAME   AGE\nx      1d", format!("{COLUMNS}1 8]\nNAME AGE\nx 1d")),
        ] {
            assert_eq!(decoded(before, &after), before);
        }
        let wrong = format!("{LISTING}\na/b.rs\n c.rs");
        assert_eq!(decoded("a/b.rs\nd/c.rs", &wrong), "a/b.rs\na/c.rs", "which is no line of the original");
    }
}
