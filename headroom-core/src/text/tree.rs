//! Reads the branches of drawn trees, as `npm ls`, `cargo tree` and `systemctl status` print them.

/// Signs of branches, besides spaces.
const SIGNS: [char; 7] = ['│', '├', '└', '╰', '─', '┬', '\u{a0}'];
/// Where a branch leaves its parent.
const CORNERS: [char; 3] = ['├', '└', '╰'];
/// The same in ASCII: `|-- name`.
const ASCII_SIGNS: [char; 5] = ['|', '+', '`', '\\', '-'];
const ASCII_ARMS: [&str; 4] = ["|-- ", "+-- ", "`-- ", "\\-- "];

/// Returns the length in bytes of the branches before a name.
pub(crate) fn branches(line: &str) -> Option<usize> {
    let first = line.trim_start_matches([' ', '\u{a0}']).chars().next()?;
    if ASCII_SIGNS.contains(&first) {
        let name = line.trim_start_matches(|c| c == ' ' || ASCII_SIGNS.contains(&c));
        let end = line.len() - name.len();
        let signs = line.get(..end).filter(|_| !name.is_empty())?;
        return ASCII_ARMS.iter().any(|arm| signs.ends_with(arm)).then_some(end);
    }
    if !SIGNS.contains(&first) {
        return None;
    }
    let name = line.trim_start_matches(|c| c == ' ' || SIGNS.contains(&c));
    let end = line.len() - name.len();
    let signs = line.get(..end)?;
    // A rule of a table goes on with other signs.
    let is_name = name.chars().next().is_some_and(|c| !('\u{2500}'..='\u{257f}').contains(&c));
    (is_name && signs.contains(CORNERS) && signs.contains('─')).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_of_many_programs_are_read() {
        for (line, name) in [
            ("├── a@1.0.0", "a@1.0.0"),
            ("│ ├─┬ b@2.0.0", "b@2.0.0"),
            ("  └── c", "c"),
            ("│   └── d v1.2 (*)", "d v1.2 (*)"),
            ("├─1234 /usr/sbin/sshd", "1234 /usr/sbin/sshd"),
            ("             └─99 nginx", "99 nginx"),
            ("|-- e", "e"),
            ("|   `-- f", "f"),
            ("+-- g", "g"),
            ("|  \\-- h", "h"),
        ] {
            assert_eq!(branches(line).and_then(|end| line.get(end..)), Some(name), "{line}");
        }
    }

    #[test]
    fn other_lines_have_no_branches() {
        for line in [
            "",
            "a ── b",
            "│ a │ b │",
            "├───┼───┤",
            "└────────┘",
            "────────",
            "| a | b |",
            "|---|---|",
            "-- comment",
            "+++ b/file",
            "- item",
            "│ text",
        ] {
            assert_eq!(branches(line), None, "{line}");
        }
    }
}
