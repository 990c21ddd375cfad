//! Simulates an agent that edits a file by the text that it read.

/// Counts of edits tried and edits that succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Runs of lines taken from the view.
    pub tried: usize,
    /// Runs that match the file exactly, and edit it in that place only.
    pub made: usize,
}

/// Formats a file as a read tool shows it, with a number and an arrow before each line.
#[must_use]
pub fn view(file: &str) -> String {
    file.lines().zip(1..).map(|(line, number)| format!("{number:>6}→{line}\n")).collect()
}

/// Takes every run of up to `most` adjacent lines from a compressed view, strips their numbers, and edits the file by
/// it.
///
/// ```
/// use headroom_evals::checks::{Edits, edits, view};
///
/// let file = "fn a() {\n\tb();\n}\n";
/// assert_eq!(edits(file, &view(file), 2), Edits { tried: 2, made: 2 });
/// assert_eq!(edits(file, &view(file).replace("\tb", "    b"), 1), Edits { tried: 3, made: 2 });
/// ```
#[must_use]
pub fn edits(file: &str, shown: &str, most: usize) -> Edits {
    let mut found = Edits::default();
    let is_shown = |line: &&str| !line.contains("[headroom") && !line.trim().is_empty();
    let mut run: Vec<&str> = Vec::new();
    for line in shown.lines() {
        if is_shown(&line) {
            run.push(line);
        } else {
            try_run(file, &run, &mut found);
            run.clear();
        }
        if run.len() == most {
            try_run(file, &run, &mut found);
            run.clear();
        }
    }
    try_run(file, &run, &mut found);
    found
}

fn try_run(file: &str, run: &[&str], found: &mut Edits) {
    if run.is_empty() {
        return;
    }
    found.tried += 1;
    // A line that begins with digits may be an unnumbered one.
    let lines =
        |numbered: bool| run.iter().map(|line| if numbered { bare(line) } else { line }).collect::<Vec<_>>();
    let spelled = [true, false].into_iter().map(|numbered| lines(numbered).join("\n"));
    let ends = file.replace("\r\n", "\n");
    let made = spelled.into_iter().any(|old| {
        let new = format!("{old} // edited");
        let edited = ends.replacen(&old, &new, 1);
        edited != ends && edited.replacen(&new, &old, 1) == ends
    });
    found.made += usize::from(made);
}

/// Strips the number before a line.
fn bare(line: &str) -> &str {
    let rest = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == line.trim_start().len() {
        return line;
    }
    ["→", "\t", ": ", ":"].iter().find_map(|mark| rest.strip_prefix(mark)).unwrap_or(line)
}

/// Recovers the file from a numbered view; returns the view itself if it has no numbers.
#[must_use]
pub(crate) fn of_view(view: &str) -> String {
    let lines: Vec<&str> = view.lines().map(bare).collect();
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_with_and_without_their_numbers() {
        let file = "a\n\tb\n12\tc\nd\n";
        assert_eq!(of_view(&view(file)), file);
        let thin = "     1→a\n\tb\n12\tc\n[headroom:x 1 line]\n     4→d";
        assert_eq!(edits(file, thin, 1), Edits { tried: 4, made: 4 });
        let altered = "     1→a\n    b\n";
        assert_eq!(edits(file, altered, 1), Edits { tried: 2, made: 1 });
    }
}
