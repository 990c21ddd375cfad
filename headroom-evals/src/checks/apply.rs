use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path},
    process::{Command, Stdio},
};

/// The result of applying a compressed diff with `git apply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Files without a marker end up the same as with the original diff.
    Same {
        /// Number of files compared.
        files: usize,
        /// Number of files skipped because they have a marker.
        marked: usize,
    },
    /// The diff does not apply, or has another result.
    Other,
    /// The original does not apply to its own base: it is incomplete, or spans several commits.
    NotWhole,
}

/// Applies a compressed diff to files reconstructed from the original diff, and compares the result with the
/// original's.
///
/// # Errors
///
/// Fails if `git` cannot be run, or files cannot be written.
pub fn apply(original: &str, forwarded: &str) -> io::Result<Applied> {
    let (before, after) = (sections(original), sections(forwarded));
    let mut kept: (String, String) = Default::default();
    let mut bases: BTreeMap<String, String> = BTreeMap::new();
    let (mut files, mut marked) = (0, 0);
    for (head, section) in &before {
        match after.iter().find(|(other, _)| other == head) {
            Some((_, forwarded)) if !forwarded.contains("[headroom") => {
                if let Some((path, base)) = base(section)
                    && bases.insert(path, base).is_some()
                {
                    return Ok(Applied::NotWhole);
                }
                kept.0.push_str(section);
                kept.1.push_str(forwarded);
                files += 1;
            }
            _ => marked += 1,
        }
    }
    if files == 0 {
        return Ok(if marked == 0 { Applied::NotWhole } else { Applied::Same { files, marked } });
    }
    let Some(expected) = patched(&bases, &kept.0)? else { return Ok(Applied::NotWhole) };
    Ok(match patched(&bases, &kept.1)? {
        Some(found) if found == expected => Applied::Same { files, marked },
        _ => Applied::Other,
    })
}

/// Splits a diff by file, each section with its first line.
fn sections(diff: &str) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for line in diff.split_inclusive('\n') {
        if line.starts_with("diff --git ") {
            all.push((line.trim_end().to_owned(), String::new()));
        }
        if let Some((_, section)) = all.last_mut() {
            section.push_str(line);
        }
    }
    if let Some((_, section)) = all.last_mut()
        && !section.ends_with('\n')
    {
        section.push('\n');
    }
    all
}

/// Reconstructs the path and the old text of a file from its section, with filler where the diff shows nothing. `None`
/// if the diff creates the file.
fn base(section: &str) -> Option<(String, String)> {
    let path = section.lines().find_map(|line| line.strip_prefix("--- a/"))?;
    let mut lines: Vec<String> = Vec::new();
    let mut ends_open = false;
    let mut in_hunk = false;
    for line in section.lines() {
        if let Some(head) = line.strip_prefix("@@ -") {
            let start: usize = head.split([',', ' ']).next()?.parse().ok()?;
            while lines.len() + 1 < start {
                lines.push(format!("line {} that the diff does not show", lines.len() + 1));
            }
            in_hunk = true;
        } else if in_hunk {
            match line.as_bytes().first() {
                Some(b' ' | b'-') => {
                    lines.push(line.get(1..)?.to_owned());
                    ends_open = false;
                }
                // Some tools strip the space of an empty line.
                None => lines.push(String::new()),
                Some(b'\\') => ends_open = true,
                _ => {}
            }
        }
    }
    // Whether the new file ends in a line end says nothing about the old one.
    let is_old = section
        .lines()
        .collect::<Vec<_>>()
        .windows(2)
        .any(|pair| matches!(pair, [line, end] if end.starts_with('\\') && line.starts_with([' ', '-'])));
    let end = if ends_open && is_old { "" } else { "\n" };
    Some((path.trim_end().to_owned(), lines.join("\n") + end))
}

/// Returns every file after the diff is applied; `None` if it does not apply.
fn patched(bases: &BTreeMap<String, String>, diff: &str) -> io::Result<Option<BTreeMap<String, Vec<u8>>>> {
    let folder = tempfile::tempdir()?;
    for (path, text) in bases {
        let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside {
            return Ok(None);
        }
        let path = folder.path().join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)?;
    }
    let patch = tempfile::NamedTempFile::new()?;
    fs::write(patch.path(), diff)?;
    let status = Command::new("git")
        .args(["apply", "--whitespace=nowarn", "--unsafe-paths", "--directory=."])
        .arg(patch.path())
        .current_dir(folder.path())
        // Do not find the repository that this may run in.
        .env("GIT_CEILING_DIRECTORIES", folder.path())
        .env("GIT_DIR", folder.path().join("none"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    if !status.success() {
        return Ok(None);
    }
    let mut found = BTreeMap::new();
    collect(folder.path(), folder.path(), &mut found)?;
    Ok(Some(found))
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, found)?;
        } else {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            found.insert(name, fs::read(&path)?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(path: &str, old: &str, new: &str) -> String {
        format!(
            "diff --git a/{path} b/{path}\nindex 1..2 100644\n--- a/{path}\n+++ b/{path}\n@@ -4,3 +4,3 @@ fn x()\n one\n-{old}\n+{new}\n three\n"
        )
    }

    #[test]
    fn a_diff_applies_as_the_original_does_or_it_does_not() {
        let original = diff("src/a.rs", "two", "2") + &diff("b.rs", "zwei", "II");
        let same = Applied::Same { files: 2, marked: 0 };
        assert_eq!(apply(&original, &original).unwrap(), same);
        let marked = original.replace("+II\n", "[headroom: 1 line]\n");
        assert_eq!(apply(&original, &marked).unwrap(), Applied::Same { files: 1, marked: 1 });
        for broken in [
            original.replace("+2\n", "+3\n"),
            original.replace("-two\n", "-tw\n"),
            original.replace(" one\n", ""),
        ] {
            assert_eq!(apply(&original, &broken).unwrap(), Applied::Other);
        }
        assert_eq!(apply("no diff", "no diff").unwrap(), Applied::NotWhole);
    }

    #[test]
    fn files_that_are_made_and_files_without_a_last_line_end_apply() {
        let made = "diff --git a/n.txt b/n.txt\nnew file mode 100644\nindex 0000000..2\n--- /dev/null\n+++ b/n.txt\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n";
        let open = "diff --git a/o.txt b/o.txt\nindex 1..2 100644\n--- a/o.txt\n+++ b/o.txt\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n";
        let both = format!("{made}{open}");
        assert_eq!(apply(&both, &both).unwrap(), Applied::Same { files: 2, marked: 0 });
    }
}
