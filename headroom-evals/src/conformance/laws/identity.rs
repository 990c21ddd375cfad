//! Checks that what is shown of a part of a text stands below the line that names the part.
//!
//! Reads some forms by their heads: logs of commits, rows of databases, dumps of files, plans, groups of builds. Knows
//! nothing of how the engine finds them.

use std::collections::HashMap;

use headroom_core::Transform;

use super::{Run, Violation, truthful::TruthCase};

/// Checks every edit that elides lines of such a text.
///
/// # Errors
///
/// Returns the first line that is shown below the head of another part.
pub fn identity(run: &Run) -> Result<(), Violation> {
    for (n, edit) in run.diff.edits.iter().enumerate() {
        let steps = run.answer.edited.get(n).map_or(&[][..], |said| &said.steps);
        let case = TruthCase { before: &edit.before, after: &edit.after, steps };
        if let Some(what) = misplaced(&case) {
            return Err(Violation { law: "identity", what: format!("text {}: {what}", edit.index) });
        }
    }
    Ok(())
}

/// Returns what is wrong with an edit, if anything is.
fn misplaced(case: &TruthCase<'_>) -> Option<String> {
    // Other forms write lines in other words. What a reference stands for is seen elsewhere.
    let others = [Transform::Json, Transform::HtmlToMarkdown, Transform::Reference, Transform::Ansi];
    if !case.has(Transform::Elision) || others.into_iter().any(|step| case.has(step)) {
        return None;
    }
    let head = HEADS.into_iter().find(|head| case.before.lines().filter(|line| head(line)).count() > 1)?;
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for line in case.before.lines() {
        *counts.entry(line).or_default() += 1;
    }
    let mut owners: HashMap<&str, &str> = HashMap::new();
    let mut owner = "";
    for line in case.before.lines() {
        owner = if head(line) { line } else { owner };
        if line.trim().len() > 5 && counts.get(line) == Some(&1) && counts.get(owner) == Some(&1) {
            owners.insert(line, owner);
        }
    }
    let mut owner = "";
    for line in case.after.lines() {
        owner = if head(line) { line } else { owner };
        if let Some(own) = owners.get(line).filter(|own| **own != owner) {
            return Some(format!("`{line}` of `{own}` stands below `{owner}`"));
        }
    }
    None
}

/// How the head of a part is told.
const HEADS: [fn(&str) -> bool; 6] = [is_commit, is_file, is_row, is_resource, is_task, is_group];

fn is_commit(line: &str) -> bool {
    let hash = line.trim_start_matches(['*', '|', ' ']).strip_prefix("commit ").unwrap_or_default();
    let hash = hash.split(' ').next().unwrap_or_default();
    hash.len() == 40 && hash.chars().all(|c| c.is_ascii_hexdigit())
}

fn is_file(line: &str) -> bool {
    line.starts_with("==> ") && line.ends_with(" <==")
}

fn is_row(line: &str) -> bool {
    line.starts_with("*****") && line.ends_with("*****") && line.contains(". row ")
        || line.starts_with("-[ RECORD ")
}

fn is_resource(line: &str) -> bool {
    line.starts_with("  # ") && (line.contains(" will be ") || line.contains(" must be "))
}

fn is_task(line: &str) -> bool {
    line.starts_with("TASK [") && line.ends_with("***")
}

fn is_group(line: &str) -> bool {
    line.contains("##[group]") || line.contains("::group::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(before: &str, after: &str) -> bool {
        misplaced(&TruthCase { before, after, steps: &[Transform::Elision] }).is_none()
    }

    #[test]
    fn lines_stand_below_their_own_head() {
        let row = |n: u32| format!("*****  {n}. row *****\nid: 100{n}\nstate: waiting {n}\n");
        let before: String = (1..5).map(row).collect();
        let mark = "[headroom:abcdefghijklmnop lines 4-9 stored: 2 rows: id 1002, 1003; headroom_retrieve]\n";
        assert!(holds(&before, &format!("{}{mark}{}", row(1), row(4))));
        let headless = row(4).split_once('\n').unwrap().1.to_owned();
        assert!(!holds(&before, &format!("{}{mark}{headless}", row(1))));
        assert!(!holds(&before, &format!("{}{mark}state: waiting 4\n", row(1))));
    }

    #[test]
    fn every_form_is_read() {
        for head in [
            |n: u32| format!("commit {n:040x}"),
            |n: u32| format!("* commit {n:040x} (tag: v{n})"),
            |n: u32| format!("==> /var/log/{n}.log <=="),
            |n: u32| format!("-[ RECORD {n} ]------"),
            |n: u32| format!("  # aws_instance.web{n} will be created"),
            |n: u32| format!("TASK [copy {n}] *****"),
            |n: u32| format!("2031-01-01T10:00:00Z ##[group]step {n}"),
        ] {
            let before: String = (1..4).map(|n| format!("{}\nit took {n} s in all\n", head(n))).collect();
            let mark = "[headroom:abcdefghijklmnop lines 2-5 stored; headroom_retrieve]\n";
            assert!(holds(&before, &before), "{}", head(1));
            assert!(!holds(&before, &format!("{}\n{mark}it took 3 s in all\n", head(1))), "{}", head(1));
        }
    }
}
