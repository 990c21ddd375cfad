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
    let mut form = "";
    let mut directory = String::new();
    let mut paths: Vec<String> = Vec::new();
    let mut next = 0;
    let mut out = Vec::new();
    // Whether the last line was a directory with its entries.
    let mut was_directory = false;
    for line in after.split('\n') {
        if declares(line) && !known.contains(line) {
            form = ALL.into_iter().find(|form| line.starts_with(form)).unwrap();
            continue;
        }
        // An empty directory is written as its original line.
        if form == DIRECTORIES
            && (!known.contains(line) || line.ends_with(':'))
            && let Some((path, entries)) = line.split_once(':').filter(|(path, _)| !path.starts_with('['))
        {
            let path =
                path.strip_prefix(' ').map_or_else(|| path.to_owned(), |name| format!("{directory}{name}"));
            path[..path.rfind(['/', '\\']).map_or(0, |end| end + 1)].clone_into(&mut directory);
            if was_directory {
                out.push(String::new());
            }
            out.push(format!("{path}:"));
            out.extend(entries.split(' ').filter(|name| !name.is_empty()).map(str::to_owned));
            was_directory = true;
            continue;
        }
        was_directory = false;
        let full = match form {
            _ if known.contains(line) => None,
            LISTING => line.strip_prefix(' ').map(|name| format!("{directory}{name}")),
            SEARCH => {
                let mark = line.chars().find(|c| !c.is_ascii_digit()).filter(|_| !line.starts_with(':'));
                let rows = paths.iter().map(|path| match mark {
                    Some(mark) => format!("{path}{mark}{line}"),
                    None => format!("{path}{line}"),
                });
                rows.into_iter().find(|row| known.contains(row.as_str()))
            }
            TREE | COLUMNS => by_ink
                .get(&ink(line))
                .and_then(|places| places.iter().find(|at| **at >= next).map(|at| originals[*at].to_owned())),
            _ => None,
        };
        let full = full.unwrap_or_else(|| line.to_owned());
        if let Some(end) = full.rfind(['/', '\\']) {
            full[..=end].clone_into(&mut directory);
        }
        if form == SEARCH && known.contains(line) {
            for path in prefixes(line) {
                paths.retain(|other| other != path);
                paths.insert(0, path.to_owned());
            }
            paths.truncate(CARRIED);
        }
        if let Some(at) = by_ink.get(&ink(&full)).and_then(|places| places.iter().find(|at| **at >= next)) {
            next = at + 1;
        }
        out.push(full);
    }
    out.join("\n")
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
