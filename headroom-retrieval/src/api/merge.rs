//! Merges metadata of several rounds.

use headroom_json::{Value, compact_into};

use super::array;
use crate::edit::set;

/// Members of usage that are summed over all rounds; the others are taken from the last round only.
const SUMMED: [&str; 7] = [
    "output_tokens",
    "completion_tokens",
    "output_tokens_details",
    "completion_tokens_details",
    "server_tool_use",
    "candidatesTokenCount",
    "thoughtsTokenCount",
];

/// Returns usage with the context of the last round and the output of all.
pub(super) fn usage(last: Value<'_>, before: &[String]) -> String {
    let before: Vec<_> = before.iter().filter_map(|usage| Value::parse(usage)).collect();
    let mut members = Vec::new();
    let mut more = 0;
    for key in SUMMED {
        let earlier: Vec<_> = before.iter().filter_map(|usage| usage.get(key)).collect();
        if earlier.is_empty() {
            continue;
        }
        let all = earlier.iter().copied().chain(last.get(key));
        if last.get(key).or(earlier.first().copied()).is_some_and(Value::is_object) {
            members.push((key, Some(sum_members(&all.collect::<Vec<_>>()))));
        } else {
            more = earlier.iter().filter_map(|value| value.count()).fold(more, u64::saturating_add);
            members.push((key, Some(all.filter_map(Value::count).fold(0, u64::saturating_add).to_string())));
        }
    }
    for key in ["total_tokens", "totalTokenCount"] {
        if let Some(total) = last.get(key).and_then(Value::count) {
            members.push((key, Some(total.saturating_add(more).to_string())));
        }
    }
    let iterations: Vec<_> =
        before.iter().chain([&last]).filter_map(|usage| usage.get("iterations")).collect();
    if before.iter().any(|usage| usage.get("iterations").is_some_and(Value::is_array)) {
        let all = iterations.into_iter().flat_map(Value::items).map(|one| one.raw().to_owned());
        members.push(("iterations", Some(array(&all.collect::<Vec<_>>()))));
    }
    set(last, &members)
}

/// Sums the numeric members of these objects.
fn sum_members(all: &[Value<'_>]) -> String {
    let Some(last) = all.last() else { return "{}".to_owned() };
    let mut members: Vec<(&str, Option<String>)> = Vec::new();
    for member in all.iter().flat_map(|one| one.members()) {
        let Some(key) = member.key.inner() else { continue };
        if members.iter().any(|(known, _)| *known == key) {
            continue;
        }
        let counts = all.iter().filter_map(|one| one.get(key)?.count());
        if counts.clone().next().is_some() {
            members.push((key, Some(counts.fold(0, u64::saturating_add).to_string())));
        } else if last.get(key).is_none() {
            members.push((key, Some(member.value.raw().to_owned())));
        }
    }
    set(*last, &members)
}

/// Returns members of earlier rounds that the last one lacks, and lists joined over all rounds, except for members in
/// `own`, which are written separately.
pub(super) fn carried(last: Value<'_>, before: &[String], own: &[&str]) -> Vec<(String, String)> {
    let mut carried: Vec<(String, String)> = Vec::new();
    for round in before.iter().filter_map(|round| Value::parse(round)) {
        for member in round.members() {
            let Some(key) = member.key.inner() else { continue };
            if own.contains(&key) || member.value.is_null() {
                continue;
            }
            let known = carried.iter_mut().find(|(known, _)| known == key);
            match (known, member.value.is_array()) {
                (Some((_, value)), true) => *value = joined(value, member.value),
                (Some((_, value)), false) => *value = member.value.raw().to_owned(),
                (None, _) => carried.push((key.to_owned(), member.value.raw().to_owned())),
            }
        }
    }
    carried.retain_mut(|(key, value)| match last.get(key).filter(|own| !own.is_null()) {
        Some(own) if own.is_array() && value.starts_with('[') => {
            *value = joined(value, own);
            true
        }
        own => own.is_none(),
    });
    carried
}

/// Joins two lists.
fn joined(first: &str, second: Value<'_>) -> String {
    let items = Value::parse(first).into_iter().flat_map(Value::items).chain(second.items());
    array(&items.map(compact).collect::<Vec<_>>())
}

fn compact(value: Value<'_>) -> String {
    let mut out = String::new();
    compact_into(value, &mut out);
    out
}

/// Converts members for [`set`].
pub(super) fn members(carried: &[(String, String)]) -> Vec<(&str, Option<String>)> {
    carried.iter().map(|(key, value)| (key.as_str(), Some(value.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage_of(last: &str, before: &[&str]) -> String {
        let before: Vec<_> = before.iter().map(|&usage| usage.to_owned()).collect();
        usage(Value::parse(last).unwrap(), &before)
    }

    #[test]
    fn output_is_summed_in_all_its_parts_and_context_is_that_of_the_last_round() {
        let one = r#"{"input_tokens":5,"output_tokens":3,"output_tokens_details":{"thinking_tokens":2},"server_tool_use":{"web_search_requests":1},"iterations":[{"n":1}]}"#;
        let two = r#"{"input_tokens":9,"output_tokens":4,"output_tokens_details":{"thinking_tokens":1},"iterations":[{"n":2}]}"#;
        assert_eq!(
            usage_of(two, &[one]),
            r#"{"input_tokens":9,"output_tokens":7,"output_tokens_details":{"thinking_tokens":3},"iterations":[{"n":1},{"n":2}],"server_tool_use":{"web_search_requests":1}}"#
        );
        let chat = r#"{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"completion_tokens_details":{"reasoning_tokens":1}}"#;
        assert_eq!(
            usage_of(chat, &[chat, chat]),
            r#"{"prompt_tokens":10,"completion_tokens":6,"total_tokens":16,"completion_tokens_details":{"reasoning_tokens":3}}"#
        );
        assert_eq!(usage_of(chat, &[]), chat);
    }

    #[test]
    fn what_only_earlier_rounds_said_is_kept_and_lists_are_joined() {
        let before =
            [r#"{"a":1,"b":[1],"c":null,"d":[ {"x": 1} ],"own":1}"#.to_owned(), r#"{"a":2}"#.to_owned()];
        let last = Value::parse(r#"{"b":[2],"d":null,"e":3}"#).unwrap();
        let carried = carried(last, &before, &["own"]);
        assert_eq!(set(last, &members(&carried)), r#"{"b":[1,2],"d":[ {"x": 1} ],"e":3,"a":2}"#);
    }
}
