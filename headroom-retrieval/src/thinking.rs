//! Removes thinking from the start of a conversation, which is valid wherever thinking is bound to what precedes it.

use headroom_core::Api;
use headroom_json::Value;

use crate::{
    api::{AssistantTurn, ProviderFormat, Root, provider_format},
    edit::Edits,
};

/// Returns the index of the newest prompt: the last item of the user's that answers no call.
pub(crate) fn newest_prompt(items: &[Value<'_>]) -> Option<usize> {
    items.iter().rposition(|item| item.get("role").is_some_and(|role| role.is("user")) && !answers(*item))
}

/// Whether a message holds results of tools.
fn answers(item: Value<'_>) -> bool {
    let parts = ["content", "parts"].into_iter().filter_map(|key| item.get(key)).flat_map(Value::items);
    let is_result = |part: Value<'_>| {
        part.get("type").is_some_and(|kind| kind.is("tool_result"))
            || part.get("functionResponse").or_else(|| part.get("function_response")).is_some()
    };
    parts.into_iter().any(is_result)
}

/// Removes the thinking of all turns before this item; `None` if there is none.
pub(crate) fn without_thinking_before(
    wire: &dyn ProviderFormat,
    body: &str,
    item: impl FnOnce(&[Value<'_>]) -> usize,
) -> Option<String> {
    let root = Root::parse(body, wire.list())?;
    let end = root.items.get(item(&root.items)).map_or(body.len(), |item| item.start());
    let mut edits = Edits::default();
    for turn in wire.assistant_turns(&root.items).iter().filter(|turn| turn.range.start < end) {
        unbind(wire, body.get(turn.range.clone())?, turn, &mut edits);
    }
    if edits.is_empty() { None } else { edits.apply(body) }
}

/// Removes the thinking of a turn.
pub(crate) fn unbind(wire: &dyn ProviderFormat, copy: &str, turn: &AssistantTurn, edits: &mut Edits) {
    let bare = wire.strip_thinking(copy);
    if bare != copy && !bare.is_empty() {
        edits.replace(turn.range.clone(), bare);
    }
}

/// Removes the thinking before this item of the conversation from a body, because the provider refused it:
/// [`Restored::bare_items`](crate::Restored::bare_items) says which item.
///
/// Apply it to the engine's output, not to its input: the thinking counts when the engine looks for epochs, and every
/// request of a conversation must show it the same.
#[must_use]
pub fn without_old_thinking(api: Api, body: Vec<u8>, item: usize) -> Vec<u8> {
    let bare = || {
        let wire = provider_format(api)?;
        without_thinking_before(wire, std::str::from_utf8(&body).ok()?, |_| item)
    };
    bare().map_or(body, String::into_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_prompt_answers_no_call() {
        for (list, newest) in [
            (r#"[{"role":"user","content":"a"}]"#, Some(0)),
            (
                r#"[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"tool_use"}]},
                    {"role":"user","content":[{"type":"tool_result"},{"type":"text","text":"reminder"}]}]"#,
                Some(0),
            ),
            (
                r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"},
                    {"role":"user","content":[{"type":"text","text":"c"}]},{"role":"assistant","content":"d"}]"#,
                Some(2),
            ),
            (r#"[{"type":"function_call_output"},{"role":"assistant","content":"b"}]"#, None),
            (
                r#"[{"role":"user","parts":[{"text":"a"}]},{"role":"user","parts":[{"functionResponse":{}}]}]"#,
                Some(0),
            ),
            ("[]", None),
        ] {
            let items: Vec<_> = Value::parse(list).unwrap().items().collect();
            assert_eq!(newest_prompt(&items), newest, "{list}");
        }
    }

    #[test]
    fn only_thinking_before_the_item_leaves() {
        let turn = |text: &str| {
            format!(
                r#"{{"role":"assistant","content":[{{"type":"thinking","thinking":"{text}","signature":"s"}},{{"type":"text","text":"{text}!"}}]}}"#
            )
        };
        let prompt = |text: &str| format!(r#"{{"role":"user","content":"{text}"}}"#);
        let body = format!(
            r#"{{ "messages": [{}, {}, {}, {}] }}"#,
            prompt("1"),
            turn("old"),
            prompt("2"),
            turn("new")
        );
        let bare = |item| {
            String::from_utf8(without_old_thinking(Api::Anthropic, body.clone().into(), item)).unwrap()
        };
        let count = |text: &str, word: &str| text.matches(&format!(r#""thinking":"{word}""#)).count();
        for (item, old, new) in [(0, 1, 1), (1, 1, 1), (2, 0, 1), (3, 0, 1), (4, 0, 0), (usize::MAX, 0, 0)] {
            let bare = bare(item);
            assert_eq!((count(&bare, "old"), count(&bare, "new")), (old, new), "{item}: {bare}");
            assert!(bare.contains("old!") && bare.contains("new!"), "{bare}");
        }
        assert_eq!(bare(0), body);
        assert_eq!(without_old_thinking(Api::Converse, body.clone().into(), 9), body.as_bytes());
    }
}
