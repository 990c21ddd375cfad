//! Edits values in TOML, at the positions that the parser reports.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::text::Unreadable;

/// The position of a key and its value.
struct TablePath {
    key: usize,
    value: Range<usize>,
}

pub(super) fn get<'a>(text: &'a str, path: &[&str]) -> Result<Option<&'a str>, Unreadable> {
    Ok(find(text, path)?.and_then(|place| text.get(place.value)))
}

/// Replaces the value, or inserts a first line, where keys belong to no table.
pub(super) fn set(text: &str, path: &[&str], value: &str) -> Option<String> {
    let after = match (find(text, path).ok()?, path) {
        (Some(place), _) => {
            let mut after = text.to_owned();
            after.replace_range(place.value, value);
            after
        }
        (None, [name]) => {
            let (mark, rest) = text.strip_prefix('\u{feff}').map_or(("", text), |rest| ("\u{feff}", rest));
            format!("{mark}{name} = {value}\n{rest}")
        }
        (None, _) => return None,
    };
    only_differs(text, &after, path).then_some(after)
}

/// Removes the key, with its line if it has one of its own.
pub(super) fn remove(text: &str, path: &[&str]) -> Option<String> {
    let place = find(text, path).ok()??;
    let start = text.get(..place.key)?.rfind('\n').map_or(0, |end| end + 1);
    let end = text.get(place.value.end..)?.find('\n').map_or(text.len(), |end| place.value.end + end + 1);
    let mark = if text.get(start..place.key)? == "\u{feff}" { "\u{feff}" } else { "" };
    let after = format!("{}{mark}{}", text.get(..start)?, text.get(end..)?);
    only_differs(text, &after, path).then_some(after)
}

fn find(text: &str, path: &[&str]) -> Result<Option<TablePath>, Unreadable> {
    let root = DeTable::parse(text).map_err(|_| Unreadable)?;
    let mut table = root.get_ref();
    let Some((last, parents)) = path.split_last() else { return Ok(None) };
    for name in parents {
        let next = table.iter().find(|(key, _)| key.get_ref() == name);
        let Some(DeValue::Table(next)) = next.map(|(_, value)| value.get_ref()) else { return Ok(None) };
        table = next;
    }
    let found = table.iter().find(|(key, _)| key.get_ref() == last);
    Ok(found.map(|(key, value)| TablePath { key: key.span().start, value: value.span() }))
}

/// Whether the two texts are equal except for this key.
fn only_differs(before: &str, after: &str, path: &[&str]) -> bool {
    let without = |text: &str| {
        let mut root: toml::Value = toml::from_str::<toml::Table>(text).ok()?.into();
        let (last, parents) = path.split_last()?;
        let table = parents.iter().try_fold(&mut root, |value, name| value.get_mut(*name));
        if let Some(table) = table.and_then(toml::Value::as_table_mut) {
            table.remove(*last);
        }
        Some(root)
    };
    without(before).is_some_and(|rest| without(after) == Some(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROVIDER: [&str; 3] = ["model_providers", "mine", "base_url"];

    #[test]
    fn a_value_in_a_table_is_replaced_where_it_stands() {
        for (text, after) in [
            (
                "[model_providers.mine]\nbase_url = 'https://g/x' # gate\nname = 'm'\n",
                "[model_providers.mine]\nbase_url = \"http://p\" # gate\nname = 'm'\n",
            ),
            (
                "model_providers.mine = { base_url = \"https://g\", n = 1 }",
                "model_providers.mine = { base_url = \"http://p\", n = 1 }",
            ),
        ] {
            assert_eq!(set(text, &PROVIDER, "\"http://p\"").as_deref(), Some(after));
        }
        assert_eq!(set("a = 1", &PROVIDER, "\"http://p\""), None, "a provider is more than its address");
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        assert!(get("a = ", &["a"]).is_err());
        // It shares its line with others.
        assert_eq!(remove("t = { a = 1, b = 2 }", &["t", "a"]), None);
        assert_eq!(set("\u{feff}b = 1\n", &["a"], "1").as_deref(), Some("\u{feff}a = 1\nb = 1\n"));
    }
}
