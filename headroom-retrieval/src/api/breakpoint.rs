//! Finds a place for cache breakpoints in Anthropic requests.
//!
//! A request has at most four, in the order tools, system, messages, and longer lifetimes come before shorter ones:
//! <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>.

use headroom_json::Value;

use super::Root;

const MAX_BREAKPOINTS: usize = 4;
/// Breakpoints are at most this deep in a member of the body.
const MAX_DEPTH: u32 = 10;

/// Returns a breakpoint for the end of the conversation, with the lifetime of the request's last one; `None` if the
/// client uses none, if all are used, or if the provider sets one at the end automatically.
pub(super) fn last(body: &Root<'_>) -> Option<String> {
    let mut found = Vec::new();
    for key in ["cache_control", "tools", "system", "messages"] {
        let members = body.members().iter().filter(|member| member.key.is(key));
        for value in members.map(|member| member.value).filter(|value| !value.is_null()) {
            if key == "cache_control" {
                return None;
            }
            collect(value, MAX_DEPTH, &mut found);
        }
    }
    let last = found.last().filter(|_| found.len() < MAX_BREAKPOINTS)?;
    let kind = last.get("type").filter(|kind| kind.is("ephemeral"))?.raw();
    let ttl = last.get("ttl").map(|ttl| format!(",\"ttl\":{}", ttl.raw())).unwrap_or_default();
    Some(format!("{{\"type\":{kind}{ttl}}}"))
}

/// Collects breakpoints in the provider's order: that of a block comes after those inside it.
fn collect<'a>(value: Value<'a>, depth: u32, found: &mut Vec<Value<'a>>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    value.items().for_each(|item| collect(item, depth, found));
    let (own, others): (Vec<_>, Vec<_>) = value.members().partition(|member| member.key.is("cache_control"));
    others.iter().for_each(|member| collect(member.value, depth, found));
    found.extend(own.iter().map(|member| member.value).filter(|value| value.is_object()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breakpoint(body: &str) -> Option<String> {
        last(&Root::parse(body, "messages").unwrap())
    }

    #[test]
    fn the_last_breakpoint_of_the_request_says_how_long_another_lives() {
        let body = r#"{"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}]}],
            "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral","ttl":"1h","scope":"global"}}]}"#;
        assert_eq!(breakpoint(body).as_deref(), Some(r#"{"type":"ephemeral"}"#));
        let body = body.replace("\"messages\"", "\"tools\"").replace("\"system\"", "\"messages\"");
        assert_eq!(breakpoint(&body).as_deref(), Some(r#"{"type":"ephemeral","ttl":"1h"}"#));
    }

    #[test]
    fn there_is_none_where_the_client_uses_none_or_all_or_leaves_it_to_the_provider() {
        let block = r#"{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}"#;
        let body = |n: usize, more: &str| {
            format!(
                "{{{more}\"messages\":[{{\"role\":\"user\",\"content\":[{}]}}]}}",
                vec![block; n].join(",")
            )
        };
        for n in 0..6 {
            assert_eq!(breakpoint(&body(n, "")).is_some(), (1..4).contains(&n), "{n}");
            assert_eq!(breakpoint(&body(n, "\"cache_control\":{\"type\":\"ephemeral\"},")), None);
        }
        assert_eq!(breakpoint(&body(0, "").replace("[]", "\"\\\"cache_control\\\":{}\"")), None);
    }
}
