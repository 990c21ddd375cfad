//! Computes the keys under which hidden exchanges are stored and found.
//!
//! Ids of calls, names and texts are not unique: servers count their calls, and agents repeat themselves. So a key is a
//! link of a hash chain through every item of the conversation from its opening on. Whoever has the link has the whole
//! conversation so far. Only ids and signatures that look random are keys by themselves: they find an exchange even if
//! a client has changed items before it.

use std::ops::Range;

use base64::{Engine, prelude::BASE64_STANDARD};
use blake3::Hasher;
use headroom_core::Api;
use headroom_json::Value;
use headroom_store::RecordKey;

use crate::{
    api::{Anchors, AssistantTurn},
    canonical::{hash_content, hash_item},
    chain::{Chain, Link},
};

impl Chain {
    /// Follows a conversation from its opening: everything in the request besides its items.
    pub(crate) fn new(api: Api, opening: &[Value<'_>], items: &[Value<'_>], turns: &[AssistantTurn]) -> Self {
        let mut link = hash("opening", |hasher| {
            hasher.update(api.as_str().as_bytes());
            for value in opening {
                // Claude Code writes a different line of this kind into each request.
                let texts = value.items().filter(|text| {
                    let text = text.get("text").and_then(Value::inner).unwrap_or_default();
                    !text.starts_with("x-anthropic-billing-header")
                });
                hasher.update(b"|");
                if value.is_array() {
                    texts.for_each(|text| hash_item(text, hasher));
                } else {
                    hash_content(*value, 1, hasher);
                }
            }
        });
        let mut before = Vec::with_capacity(turns.len());
        let mut turns = turns.iter().peekable();
        let mut skip: Range<usize> = 0..0;
        for item in items {
            if skip.contains(&item.start()) {
                continue;
            }
            if let Some(turn) = turns.next_if(|turn| turn.range.start == item.start()) {
                before.push(link);
                let visible = turn.anchors.visible();
                link = hash("turn", |hasher| {
                    hasher.update(&link.0).update(visible.as_bytes());
                });
                skip = turn.range.clone();
            } else {
                link = hash("item", |hasher| {
                    hash_item(*item, hasher.update(&link.0));
                });
            }
        }
        Self { before, end: link }
    }
}

/// The keys of a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Keys {
    /// Random keys, valid wherever the turn occurs.
    pub(crate) unique: Vec<RecordKey>,
    /// Keys of the turn's place in its conversation. A copy of the turn is looked up under the first.
    pub(crate) chained: Vec<RecordKey>,
}

pub(crate) fn keys(api: Api, anchors: &Anchors, link: Link) -> Keys {
    let id = anchors.unique_id();
    // For a turn with changed calls it still shows that something was hidden before it.
    let signature = anchors.signatures.last().filter(|signature| is_random(signature, ""));
    let unique =
        [id.map(|id| key(api, "call", id, &[])), signature.map(|own| key(api, "thinking", own, &[]))];
    let link = blake3::Hash::from_bytes(link.0).to_hex();
    let turn = |more: &str| key(api, "turn", &anchors.visible(), &[&link, more]);
    let signatures = anchors.signature_hashes().join(",");
    let chained = match id {
        // Clients change the arguments of calls, but never their ids.
        Some(id) => [Some(key(api, "call", id, &[&link])), None],
        _ if anchors.is_empty() => [None, None],
        None if signatures.is_empty() => [Some(turn("")), None],
        // Forks repeat a text after other thinking, and clients remove thinking.
        None => [Some(turn(&format!("{signatures} {}", anchors.order))), Some(turn(""))],
    };
    let list = |keys: [Option<RecordKey>; 2]| keys.into_iter().flatten().collect();
    Keys { unique: list(unique), chained: list(chained) }
}

/// Returns the key of the answer with this client-side id. A request that names an answer proves nothing else about the
/// conversation, so only a random id will do.
pub(crate) fn answer(api: Api, id: &str) -> Option<RecordKey> {
    is_random(id, "").then(|| key(api, "answer", id, &[]))
}

impl Anchors {
    /// Returns the first id, if it looks random.
    fn unique_id(&self) -> Option<&str> {
        let names = self.calls.iter().map(|(name, _)| name.as_str()).chain([""]);
        let id = self.ids.first()?;
        names.into_iter().all(|name| is_random(id, name)).then_some(id)
    }

    /// Whether every call has an id and the first looks random, so that ids identify the calls regardless of their
    /// arguments.
    pub(crate) fn has_unique_ids(&self) -> bool {
        !self.ids.is_empty() && self.ids.len() == self.calls.len() && self.unique_id().is_some()
    }

    fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.calls.is_empty() && self.text.trim().is_empty()
    }

    /// Hashes everything that a client sees and keeps of a turn.
    pub(crate) fn visible(&self) -> String {
        self.hash(true)
    }

    /// The same without the arguments of calls.
    pub(crate) fn visible_but_arguments(&self) -> String {
        self.hash(false)
    }

    fn hash(&self, with_arguments: bool) -> String {
        let hash = hash("visible", |hasher| {
            let mut add = |kind: &[u8], text: &str| {
                hasher.update(kind).update(&(text.len() as u64).to_be_bytes()).update(text.as_bytes());
            };
            add(b"t", self.text.trim());
            self.ids.iter().for_each(|id| add(b"i", id));
            for (name, arguments) in &self.calls {
                add(b"n", name);
                if with_arguments {
                    add(b"a", arguments);
                }
            }
        });
        short(&hash.0)
    }

    /// Hashes each signature of its thinking.
    pub(crate) fn signature_hashes(&self) -> Vec<String> {
        self.signatures.iter().map(|signature| short(blake3::hash(signature.as_bytes()).as_bytes())).collect()
    }
}

/// Whether an id or signature looks random: a long run of mixed letters and digits, not counting the name of the call.
///
/// The bar is high. A value below it costs nothing, because it is bound to its place.
fn is_random(id: &str, name: &str) -> bool {
    const LENGTH: usize = 20;
    const CHANGES: usize = 4;
    // Signatures of long thinking have a hundred kilobytes, and look no different further on.
    const LOOKED_AT: usize = 1024;

    let id = id.get(..LOOKED_AT).unwrap_or(id);
    let id = if name.is_empty() { id.to_owned() } else { id.replace(name, "_") };
    let id = id.replace('-', "");
    let is_word = |text: &str| {
        let digits = text.bytes().map(|byte| byte.is_ascii_digit());
        let changes = digits.clone().zip(digits.skip(1)).filter(|(a, b)| a != b).count();
        text.len() >= LENGTH && changes >= CHANGES
    };
    // Gateways put a constant in place of a missing signature: a sentence, also in base64.
    let is_sentence = BASE64_STANDARD.decode(&id).is_ok_and(|bytes| bytes.iter().all(u8::is_ascii_graphic));
    id.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_word) && !is_sentence
}

/// Returns a key that is distinct from the handles of all content.
pub(crate) fn key(api: Api, kind: &str, what: &str, more: &[&str]) -> RecordKey {
    let mut hasher = Hasher::new_derive_key("headroom-tower hidden exchange v2");
    for part in [api.as_str(), kind, what].iter().chain(more) {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
    }
    RecordKey::from_hash(hasher.finalize().as_bytes())
}

fn hash(kind: &str, add: impl FnOnce(&mut Hasher)) -> Link {
    let mut hasher = Hasher::new_derive_key("headroom-tower conversation v1");
    add(hasher.update(kind.as_bytes()));
    Link(*hasher.finalize().as_bytes())
}

/// The first 80 bits of a hash as text.
fn short(hash: &[u8; 32]) -> String {
    RecordKey::from_hash(hash).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "toolu_01A09q90qw90lq917835lq9Z";

    fn anchors(id: &str, signature: &str, text: &str) -> Anchors {
        let list = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty()).into_iter().collect();
        let calls = if id.is_empty() { Vec::new() } else { vec![("Bash".to_owned(), "{}".to_owned())] };
        Anchors {
            ids: list(id),
            signatures: list(signature),
            text: text.to_owned(),
            calls,
            ..Anchors::default()
        }
    }

    fn link(n: u8) -> Link {
        Link([n; 32])
    }

    #[test]
    fn only_what_is_random_is_a_key_by_itself() {
        let keys = |anchors: &Anchors, n| keys(Api::Anthropic, anchors, link(n));
        let long = anchors(ID, "", "x");
        assert_eq!((keys(&long, 1).unique.len(), keys(&long, 1).unique), (1, keys(&long, 7).unique));
        for short in [anchors("call_0", "", "x"), anchors("", "sig", "Done."), anchors("", "", "Done.")] {
            assert!(keys(&short, 1).unique.is_empty());
            assert!(!keys(&short, 1).chained.is_empty());
            assert_ne!(keys(&short, 1), keys(&short, 7));
        }
        assert_eq!(keys(&anchors("", "", " \n"), 1), Keys::default());
    }

    #[test]
    fn ids_that_servers_count_or_build_of_names_are_not_random() {
        for id in [
            "call_0",
            "functions.Bash:1",
            "functions.Bash_with_long_name:12",
            "functions.read_file_and_search_in_it:123",
            "functionsGetUserInfoByEmailAddressV2",
            "toolu_first_call_of_the_client",
            "call_00000000000000000000001",
            "get_weather_1732867200123",
            "skip_thought_signature_validator",
            "context_engineering_is_the_way_to_go",
            "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
        ] {
            assert!(!is_random(id, "Bash"), "{id}");
        }
        assert!(!is_random("functions.Base64ToSha256AndMd5Converter:1", "Base64ToSha256AndMd5Converter"));
        for id in [
            ID,
            "toolu_bdrk_01GVq8yZ5e9bq3XwR7cUkT2d",
            "call_0k2V8cXzq9T1mA7bR3yLp5Wd",
            "chatcmpl-tool-5f0c8a1be3d94c7aa2b6f9e01c34d578",
            "call_9b2f4e1c-7d3a-4f8b-b1c6-0e5a9d2f7c43",
            "resp_68a1f0c4b2d881938f7e5a6b0c9d1e2f3a4b5c6d7e8f9012",
        ] {
            assert!(is_random(id, "Bash"), "{id}");
        }
    }

    #[test]
    fn keys_are_apart_from_the_handles_of_content() {
        let handle = headroom_core::Handle::from_content("x");
        assert_ne!(key(Api::Gemini, "text", "x", &[]).as_bytes(), handle.as_bytes());
        assert_ne!(key(Api::Gemini, "text", "x", &["y"]), key(Api::Gemini, "text", "xy", &[]));
    }
}
