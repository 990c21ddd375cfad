use std::collections::BTreeSet;

use headroom_core::{CompressOptions, Handle, Retrieval};

use super::{Run, Violation};
use crate::conformance::json::{Json, Kind};

const OPENING: &str = "[headroom:";

/// Checks that every handle in an edit resolves to an original returned with the body.
///
/// # Errors
///
/// Returns a handle without an original, an original under the wrong name, or either if retrieval is disabled.
pub fn recoverable(run: &Run, options: &CompressOptions) -> Result<(), Violation> {
    let fail = |what: String| Err(Violation { law: "recoverable", what });
    let originals = &run.answer.originals;
    if let Some((handle, _)) =
        originals.iter().find(|(handle, text)| Handle::from_content(text).to_string() != *handle)
    {
        return fail(format!("{handle} is not the handle of its content"));
    }
    let stored: BTreeSet<&str> = originals.iter().map(|(handle, _)| handle.as_str()).collect();
    let mut written = BTreeSet::new();
    for edit in &run.diff.edits {
        let known: BTreeSet<&str> = handles(&edit.before).collect();
        if let Some(what) = further(&edit.before, &edit.after, originals) {
            return fail(format!("text {}: {what}", edit.index));
        }
        for marker in markers(&edit.after).filter(|marker| !edit.before.contains(marker.whole)) {
            let Some((_, text)) = originals.iter().find(|(handle, _)| handle == marker.handle) else {
                continue;
            };
            if let Some(what) = outside(marker.what, text) {
                return fail(format!("text {}: {what}: {}", edit.index, marker.whole));
            }
        }
        written.extend(handles(&edit.after).filter(|handle| !known.contains(handle)));
    }
    if let Some(handle) = written.difference(&stored).next() {
        return fail(format!("{handle} was written but its content is nowhere"));
    }
    if *options == options.clone().retrieval(Retrieval::Disabled)
        && !(written.is_empty() && stored.is_empty())
    {
        return fail("text was set aside though the model has no means to fetch it".to_owned());
    }
    Ok(())
}

/// A marker with a handle.
struct Marker<'a> {
    whole: &'a str,
    handle: &'a str,
    what: &'a str,
}

fn markers(text: &str) -> impl Iterator<Item = Marker<'_>> {
    text.lines().filter_map(|line| {
        let whole = &line[line.find(OPENING)?..];
        let (handle, what) = whole[OPENING.len()..].split_once(' ')?;
        handle.parse::<Handle>().is_ok().then_some(Marker { whole, handle, what })
    })
}

/// Explains why a marker for further lines does not name lines of the original that the marker before it names.
fn further(before: &str, after: &str, originals: &[(String, String)]) -> Option<String> {
    let mut original = None;
    for line in after.lines() {
        if let Some(marker) = markers(line).next() {
            original = originals.iter().find(|(handle, _)| handle == marker.handle).map(|(_, text)| text);
        }
        let Some((_, lines)) = line.split_once("[headroom: also ").filter(|_| !before.contains(line)) else {
            continue;
        };
        let Some(original) = original else { return Some(format!("of what are these? {line}")) };
        if let Some(what) = outside(lines, original) {
            return Some(format!("{what}: {line}"));
        }
    }
    None
}

/// Explains why the lines or rows that a marker names are not those of the original, if they are not.
fn outside(what: &str, original: &str) -> Option<String> {
    let number = |text: &str| text.parse::<usize>().ok();
    let (what, _) = what.split_once(" stored")?;
    if let Some((first, last)) = what.strip_prefix("lines ").and_then(|lines| lines.split_once('-')) {
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return Some("a range without numbers".to_owned());
        };
        let count = original.split('\n').count();
        // In a numbered view, markers use the printed numbers.
        let prints = |number: usize| {
            original.lines().any(|line| {
                let rest = line.trim_start().strip_prefix(&number.to_string());
                rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
            })
        };
        let counted = first > 0 && last <= count;
        let within = first <= last && (counted || prints(first) && prints(last));
        return (!within).then(|| format!("lines of an original of {count}"));
    }
    let mut words = what.split(' ');
    let (Some(aside), Some("of"), Some(all)) =
        (words.next().and_then(number), words.next(), words.next().and_then(number))
    else {
        return Some("neither lines nor rows".to_owned());
    };
    if aside == 0 || aside >= all {
        return Some("not a part of the rows".to_owned());
    }
    let json = Json::parse(original.as_bytes())?;
    let rows = json.children(json.root()).len();
    let nested = json.kind(json.root()) != Kind::Array || what.contains(" in ");
    (!nested && rows != all).then(|| format!("an original of {rows} rows"))
}

fn handles(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(OPENING).filter_map(|(at, _)| {
        let rest = &text[at + OPENING.len()..];
        let handle = rest.get(..rest.find(|c: char| !c.is_ascii_alphanumeric())?)?;
        handle.parse::<Handle>().is_ok().then_some(handle)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_lines_are_of_the_original_before_them() {
        let originals = [("abcdefghijklmnop".to_owned(), "a\nb\nc\nd\ne\n".to_owned())];
        let first = "[headroom:abcdefghijklmnop lines 2-3 stored; headroom_retrieve]";
        let also = |lines: &str| format!("a\n{first}\nd\n[headroom: also lines {lines}]");
        assert_eq!(further("", &also("5-5 stored: 1 line"), &originals), None);
        assert_eq!(further("", &also("5-5 stored"), &originals), None);
        assert!(further("", &also("5-9 stored"), &originals).is_some());
        assert!(further("", "a\n[headroom: also lines 2-3 stored]", &originals).is_some());
    }

    #[test]
    fn ranges_lie_within_the_original() {
        let lines = "a\nb\nc\nd\n";
        assert_eq!(outside("lines 2-3 stored; headroom_retrieve]", lines), None);
        assert_eq!(outside("lines 90-91 stored", "x\n    90\ta\n    91\tb"), None);
        for what in ["lines 0-2 stored", "lines 3-2 stored", "lines 2-9 stored", "some stored"] {
            assert!(outside(what, lines).is_some(), "{what}");
        }
        assert_eq!(outside("2 of 3 rows stored: x", "[1,2,3]"), None);
        assert_eq!(outside("2 of 9 rows in a.b stored", r#"{"a":{"b":[]}}"#), None);
        for what in ["3 of 3 rows stored", "0 of 3 rows stored", "2 of 4 rows stored"] {
            assert!(outside(what, "[1,2,3]").is_some(), "{what}");
        }
    }
}
