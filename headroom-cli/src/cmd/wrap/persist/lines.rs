//! Edits values that have a line of their own: dotenv files, and the keys of a YAML mapping.

use std::ops::Range;

use super::text::Unreadable;

/// The syntax of a key-value line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    is_yaml: bool,
}

pub(super) const YAML: Dialect = Dialect { is_yaml: true };
pub(super) const ENV: Dialect = Dialect { is_yaml: false };

pub(super) fn get<'a>(text: &'a str, path: &[&str], dialect: Dialect) -> Result<Option<&'a str>, Unreadable> {
    Ok(find(text, path, dialect)?.and_then(|line| text.get(line.value)))
}

/// Replaces the value, or appends a line.
pub(super) fn set(text: &str, path: &[&str], value: &str, dialect: Dialect) -> Option<String> {
    let [name] = path else { return None };
    match find(text, path, dialect).ok()? {
        Some(line) => {
            let mut after = text.to_owned();
            after.replace_range(line.value, value);
            Some(after)
        }
        None => {
            let newline = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            let between = if dialect.is_yaml { ": " } else { "=" };
            Some(format!("{text}{newline}{name}{between}{value}\n"))
        }
    }
}

pub(super) fn remove(text: &str, path: &[&str], dialect: Dialect) -> Option<String> {
    let line = find(text, path, dialect).ok()??;
    let mut after = text.to_owned();
    after.replace_range(line.whole, "");
    Some(after)
}

/// The position of a line and its value.
struct ConfigLine {
    whole: Range<usize>,
    value: Range<usize>,
}

/// Finds the line of a key. A duplicate key is unreadable.
fn find(text: &str, path: &[&str], dialect: Dialect) -> Result<Option<ConfigLine>, Unreadable> {
    let [name] = path else { return Err(Unreadable) };
    if dialect.is_yaml && !is_mapping(text) {
        return Err(Unreadable);
    }
    let mut found = None;
    let mut start = 0;
    let mut lines = text.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if let Some(value) = value(line, name, dialect) {
            let continues =
                dialect.is_yaml && lines.peek().is_some_and(|next| next.starts_with([' ', '\t', '-']));
            if found.is_some() || continues {
                return Err(Unreadable);
            }
            let value = start + value.start..start + value.end;
            found = Some(ConfigLine { whole: start..start + line.len(), value });
        }
        start += line.len();
    }
    Ok(found)
}

/// Finds the value of this key in a line.
fn value(line: &str, name: &str, dialect: Dialect) -> Option<Range<usize>> {
    let rest = if dialect.is_yaml {
        line.strip_prefix(name)?
            .strip_prefix(':')
            .filter(|rest| rest.starts_with([' ', '\r', '\n']) || rest.is_empty())?
    } else {
        let line = line.trim_start();
        let line = line.strip_prefix("export ").map_or(line, str::trim_start);
        line.strip_prefix(name)?.trim_start().strip_prefix('=')?
    };
    let start = line.len() - rest.trim_start_matches([' ', '\t']).len();
    Some(start..start + line.get(start..)?.trim_end().len())
}

/// Whether a YAML text is one mapping with its keys at the start of their lines, so that a line may be appended.
fn is_mapping(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')).peekable();
    lines.next_if(|line| line.trim_end() == "---");
    let is_key = |line: &str| {
        let key = line.split_once(':').filter(|(_, rest)| rest.is_empty() || rest.starts_with([' ', '\t']));
        key.is_some_and(|(key, _)| !key.starts_with(['{', '[', '-', '?', '&', '*', '|', '>', '%', '@', '`']))
    };
    let first = lines.peek().is_none_or(|line| is_key(line));
    first && lines.all(|line| line.starts_with([' ', '\t', '-']) && !line.starts_with("---") || is_key(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_as_their_readers_find_them() {
        let env = "# X=0\nXX=1\n  export X = 'two' \r\nY=3";
        assert_eq!(get(env, &["X"], ENV), Ok(Some("'two'")));
        assert_eq!(get(env, &["Z"], ENV), Ok(None));
        assert!(get("X=1\nX=2\n", &["X"], ENV).is_err());
        let yaml = "---\nGOOSE_MODEL: m\nX: 'two'\nlist:\n- a\n-  X: 1\nmap:\n  X: 1\n";
        assert_eq!(get(yaml, &["X"], YAML), Ok(Some("'two'")));
        assert_eq!(remove("X:\nY: 1\n", &["X"], YAML).as_deref(), Some("Y: 1\n"));
    }

    #[test]
    fn yaml_that_is_more_than_keys_and_values_is_left_alone() {
        for text in [
            "{X: 1}\n",
            "- X\n",
            "X: 1\n---\nX: 2\n",
            "X:\n  - 1\n",
            "X:\n- 1\n",
            "X: |\n  a\n",
            "text\n",
            "a: 1\n...\n",
        ] {
            assert!(get(text, &["X"], YAML).is_err(), "{text}");
        }
        assert_eq!(get("", &["X"], YAML), Ok(None));
        assert_eq!(set("# only\n", &["X"], "1", YAML).as_deref(), Some("# only\nX: 1\n"));
    }
}
