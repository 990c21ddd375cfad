//! Adds settings for the provider's prompt cache that a client leaves out.
//!
//! They stand at the same place with the same value in every request of a conversation, so that they cost no cache entry.
//! A client that sets any of its own manages its cache itself, and nothing is added.
//!
//! - Anthropic caches nothing without a breakpoint; `cache_control` at the top level sets one at the end of each request:
//!   <https://platform.claude.com/docs/en/build-with-claude/prompt-caching>. Bedrock and Vertex do not know it there.
//! - OpenAI leads requests with the same `prompt_cache_key` to the same cache:
//!   <https://platform.openai.com/docs/guides/prompt-caching>.

mod system;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeSet, ops::Range};

use headroom_json::TapeValue;

use super::answered;
use crate::{Api, CacheHint};

const BREAKPOINT: &str = r#""cache_control":{"type":"ephemeral"},"#;
/// Bytes of a hash in a key: enough that two conversations never share one by chance.
const KEY_BYTES: usize = 16;

/// A change of the request's head.
#[derive(Debug)]
pub(crate) struct Addition {
    pub(crate) hint: CacheHint,
    /// The bytes that are replaced.
    pub(crate) range: Range<usize>,
    pub(crate) json: Cow<'static, str>,
}

/// Finds what to add, in the order of the body.
pub(crate) fn find(
    api: Api,
    body: &str,
    root: TapeValue<'_, '_>,
    wanted: &BTreeSet<CacheHint>,
    tenant: &str,
) -> Vec<Addition> {
    match api {
        Api::Anthropic => anthropic(body, root, wanted),
        Api::OpenAiChat | Api::OpenAiResponses if wanted.contains(&CacheHint::PromptCacheKey) => {
            key(api, body, root, tenant)
                .map(|json| added(root, CacheHint::PromptCacheKey, json))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    }
}

fn anthropic(body: &str, root: TapeValue<'_, '_>, wanted: &BTreeSet<CacheHint>) -> Vec<Addition> {
    // Quoted like this it is a member wherever it stands, or a text that is nothing else.
    let manages_its_own = memchr::memmem::find(body.as_bytes(), br#""cache_control""#).is_some();
    let Ok([version, thread, previous]) = root.fields(["anthropic_version", "thread", "previous_message_id"])
    else {
        return Vec::new();
    };
    if manages_its_own || version.or(thread).or(previous).is_some() || !goes_on(Api::Anthropic, root) {
        return Vec::new();
    }
    let mut found = Vec::new();
    if wanted.contains(&CacheHint::Breakpoint) {
        found.push(added(root, CacheHint::Breakpoint, BREAKPOINT.into()));
    }
    if wanted.contains(&CacheHint::SystemSplit)
        && let Some((range, json)) = system::split(root)
    {
        found.push(Addition { hint: CacheHint::SystemSplit, range, json: json.into() });
    }
    found
}

/// Adds a member at the start of the body.
fn added(root: TapeValue<'_, '_>, hint: CacheHint, json: Cow<'static, str>) -> Addition {
    let at = root.start() + 1;
    Addition { hint, range: at..at, json }
}

/// Whether more requests of the conversation are to be expected: the model has tools, or it has answered before. The price
/// of writing to the cache is lost on a single question, and one of many questions about the same text would be
/// led away from the cache that has the text.
fn goes_on(api: Api, root: TapeValue<'_, '_>) -> bool {
    let has_tools =
        root.fields(["tools"]).is_ok_and(|[tools]| tools.is_some_and(|tools| tools.items().next().is_some()));
    has_tools || answered(api, root).is_some()
}

/// Returns a key of the conversation: a hash of all that comes before the model's first answer.
fn key(api: Api, body: &str, root: TapeValue<'_, '_>, tenant: &str) -> Option<Cow<'static, str>> {
    let names = ["prompt_cache_key", "previous_response_id", "conversation", "messages", "input"];
    let [own, previous, conversation, messages, input] = root.fields(names).ok()?;
    let is_set = |value: Option<TapeValue<'_, '_>>| value.is_some_and(|value| !value.is_null());
    if own.is_some() || is_set(previous) || is_set(conversation) || !goes_on(api, root) {
        return None;
    }
    let list = if api == Api::OpenAiChat { messages } else { input }.filter(|list| list.is_array())?;
    let end = answered(api, root).map_or(list.end(), |answered| answered.start);
    let head = list.items().take_while(|item| item.start() < end);
    let mut hash = blake3::Hasher::new();
    hash.update(tenant.as_bytes());
    for item in head {
        hash.update(b"\n").update(body.get(item.start()..item.end())?.as_bytes());
    }
    let digest = hash.finalize().to_hex();
    Some(format!(r#""prompt_cache_key":"headroom-{}","#, digest.get(..2 * KEY_BYTES)?).into())
}
