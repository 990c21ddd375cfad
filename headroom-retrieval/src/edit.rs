//! Edits JSON text without changing any other byte.

use std::ops::Range;

use headroom_json::Value;

/// Replacements of ranges in one text.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(crate) fn replace(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.0.push((range, with.into()));
    }

    pub(crate) fn value(&mut self, value: Value<'_>, with: impl Into<String>) {
        self.replace(value.start()..value.end(), with);
    }

    /// Returns where a place of the text will be that no replacement covers.
    pub(crate) fn moved(&self, place: usize) -> usize {
        let before = self.0.iter().filter(|(range, _)| range.end <= place);
        before.fold(place, |place, (range, with)| (place + with.len()).saturating_sub(range.len()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes every replacement; `None` if two of them overlap or lie outside the text.
    pub(crate) fn apply(mut self, text: &str) -> Option<String> {
        // A stable sort keeps the order of insertions at one place.
        self.0.sort_by_key(|(range, _)| range.start);
        let added: usize = self.0.iter().map(|(_, with)| with.len()).sum();
        let mut out = String::with_capacity(text.len() + added);
        let mut from = 0;
        for (range, with) in self.0 {
            out.push_str(text.get(from..range.start)?);
            out.push_str(&with);
            from = range.end;
        }
        out.push_str(text.get(from..)?);
        Some(out)
    }
}

/// Sets members of an object: `None` removes a member. New members go last.
pub(crate) fn set(object: Value<'_>, members: &[(&str, Option<String>)]) -> String {
    let mut parts = Vec::new();
    let mut done = vec![false; members.len()];
    for member in object.members() {
        let set = members.iter().zip(&mut done).find(|((key, _), _)| member.key.is(key));
        match set {
            None => parts.push(format!("{}:{}", member.key.raw(), member.value.raw())),
            Some(((_, with), done)) => {
                *done = true;
                if let Some(with) = with {
                    parts.push(format!("{}:{with}", member.key.raw()));
                }
            }
        }
    }
    for ((key, with), done) in members.iter().zip(done) {
        if let (Some(with), false) = (with, done) {
            parts.push(format!("\"{key}\":{with}"));
        }
    }
    format!("{{{}}}", parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_apply_in_order_and_refuse_to_overlap() {
        let mut edits = Edits::default();
        edits.replace(4..4, "x");
        edits.replace(1..2, "");
        edits.replace(4..4, "y");
        assert_eq!(edits.apply("01234").as_deref(), Some("023xy4"));
        let mut edits = Edits::default();
        edits.replace(1..3, "");
        edits.replace(2..4, "");
        assert_eq!(edits.apply("01234"), None);
    }

    #[test]
    fn members_are_set_taken_out_and_added() {
        let object = Value::parse(r#"{"a": 1.0, "b":[ 2 ],"c":"x"}"#).unwrap();
        let set = set(object, &[("b", None), ("c", Some("3".into())), ("d", Some("4".into())), ("e", None)]);
        assert_eq!(set, r#"{"a":1.0,"c":3,"d":4}"#);
    }
}
