//! Detects the project of a request.

use memchr::memmem;

/// What Claude Code, OpenCode, Codex and Gemini CLI write before their working directory.
const BEFORE: [&str; 4] =
    ["Primary working directory: ", "Working directory: ", "<cwd>", "Workspace Directories:**\\n  - "];
/// Maximum length of a name in bytes.
const MAX_NAME: usize = 100;

/// The working directory that an agent states.
pub(in crate::proxy) fn find(body: &[u8]) -> Option<String> {
    let place = |before: &&str| Some(memmem::find(body, before.as_bytes())? + before.len());
    let mut places: Vec<_> = BEFORE.iter().filter_map(place).collect();
    // The first one counts: later ones may be in the output of a tool.
    places.sort_unstable();
    places.into_iter().find_map(|at| path(body.get(at..)?))
}

fn path(rest: &[u8]) -> Option<String> {
    let end = rest.iter().take(4 * MAX_NAME).position(|byte| matches!(byte, b'"' | b'\\' | b'<' | b'\n'))?;
    let path = std::str::from_utf8(rest.get(..end)?).ok()?.trim();
    let is_path = path.starts_with(['/', '~']) || path.get(1..3).is_some_and(|drive| drive.starts_with(':'));
    (is_path && path.len() > 1).then(|| shorten(path))
}

/// Shortens a long name to its end.
pub(super) fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let mut start = name.len() - MAX_NAME;
    while !name.is_char_boundary(start) {
        start += 1;
    }
    format!("…{}", name.get(start..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_say_where_they_work() {
        for (text, project) in [
            (
                r#"environment: \n - Primary working directory: /home/dev/shop\n - Is a git"#,
                Some("/home/dev/shop"),
            ),
            (r"<env>\n  Working directory: /home/dev/shop\n", Some("/home/dev/shop")),
            (r"<environment_context>\n  <cwd>/home/dev/shop</cwd>", Some("/home/dev/shop")),
            (r#"- **Workspace Directories:**\n  - /a b\n- **"#, Some("/a b")),
            (r#"<cwd>/first</cwd> and Working directory: /second""#, Some("/first")),
            ("Working directory: C:/work\"", Some("C:/work")),
            ("Working directory: for the command\"", None),
            ("Working directory: /\"", None),
            ("Working directory: /no end", None),
            ("current working directory.", None),
            ("", None),
        ] {
            assert_eq!(find(text.as_bytes()).as_deref(), project, "{text}");
        }
        let long = format!("Working directory: /{}é\"", "ä".repeat(80));
        let found = find(long.as_bytes()).unwrap();
        assert!(found.starts_with('…') && found.ends_with('é') && found.len() <= MAX_NAME + 3, "{found}");
    }
}
