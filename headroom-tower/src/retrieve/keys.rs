//! Under which keys a hidden exchange is kept, and found again.
//!
//! Keys are made of what the client sends back whatever else it changes: ids of its calls, signatures of thinking, and
//! text together with its place. A conversation that is rewound or forked keeps what it has in common.

use headroom_core::{Api, Handle};

use super::api::Anchors;

/// Ids from this length on are unique by themselves; some servers count their calls.
const UNIQUE: usize = 20;

/// Where in the list of a request an assistant's turn stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(super) index: usize,
    /// What the item before it brought.
    pub(super) cue: String,
}

/// The keys of a turn, surest first.
pub(super) fn keys(api: Api, anchors: &Anchors, place: &Place) -> Vec<Handle> {
    let index = place.index.to_string();
    let here = [index.as_str(), place.cue.as_str()];
    let mut keys = Vec::new();
    if let Some(id) = anchors.ids.first() {
        let here = if id.len() >= UNIQUE { &[][..] } else { &here[..] };
        keys.extend(key(api, "call", id, here));
    }
    // Of a turn whose calls were changed it still tells that something was hidden before it.
    if let Some(signature) = anchors.signatures.last() {
        keys.extend(key(api, "thinking", signature, &[]));
    }
    let text = anchors.text.trim();
    if !text.is_empty() && anchors.ids.is_empty() {
        keys.extend(key(api, "text", text, &here));
    }
    keys
}

/// The key of the answer that the client knows by this id.
pub(super) fn answer(api: Api, id: &str) -> Option<Handle> {
    key(api, "answer", id, &[])
}

/// What a conversation is known by from its beginning to each of its turns.
pub(super) fn chain<'a>(
    api: Api,
    opening: &[String],
    turns: impl Iterator<Item = (&'a Anchors, &'a Place)>,
) -> Vec<Handle> {
    let opening: Vec<&str> = opening.iter().map(String::as_str).collect();
    let mut link = key(api, "conversation", "", &opening);
    let mut links: Vec<Handle> = link.into_iter().collect();
    for (anchors, place) in turns {
        let turn = keys(api, anchors, place).first().map(Handle::to_string).unwrap_or_default();
        let before = link.map(|link| link.to_string()).unwrap_or_default();
        link = key(api, "turn", &turn, &[&before]);
        links.extend(link);
    }
    links
}

/// A key of its own kind, apart from the handles of all content.
pub(super) fn key(api: Api, kind: &str, what: &str, more: &[&str]) -> Option<Handle> {
    let mut hasher = blake3::Hasher::new_derive_key("headroom-tower hidden exchange v1");
    for part in [api.as_str(), kind, what].iter().chain(more) {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
    }
    base32(hasher.finalize().as_bytes()).parse().ok()
}

/// The letters of a handle with the first 80 of these bits.
fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

    let mut text = String::with_capacity(16);
    for group in bytes.chunks_exact(5).take(2) {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for shift in (0..8).rev().map(|n| n * 5) {
            let letter = ALPHABET.get((bits >> shift & 31) as usize).copied().unwrap_or(b'a');
            text.push(char::from(letter));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchors(id: &str, signature: &str, text: &str) -> Anchors {
        let list = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty()).into_iter().collect();
        Anchors { ids: list(id), signatures: list(signature), text: text.to_owned() }
    }

    fn at(index: usize) -> Place {
        Place { index, cue: "go on".to_owned() }
    }

    #[test]
    fn ids_and_signatures_are_known_in_any_place_and_text_in_its_own() {
        let keys = |anchors: &Anchors, index| keys(Api::Anthropic, anchors, &at(index));
        let long = anchors("toolu_01A09q90qw90lq917835lq9", "", "x");
        assert_eq!(keys(&long, 1), keys(&long, 7));
        let short = anchors("call_0", "", "x");
        assert_ne!(keys(&short, 1), keys(&short, 7), "servers that count their calls repeat ids");
        let thought = anchors("", "sig", "Done.");
        assert_eq!(keys(&thought, 1)[0], keys(&thought, 7)[0]);
        assert_ne!(keys(&thought, 1)[1], keys(&thought, 7)[1]);
        assert!(keys(&anchors("", "", " \n"), 1).is_empty());
    }

    #[test]
    fn a_chain_goes_on_where_a_conversation_does() {
        let turns = [(anchors("a", "", ""), at(1)), (anchors("b", "", ""), at(3))];
        let chain = |n: usize| {
            chain(Api::OpenAiChat, &["hello".to_owned()], turns.iter().take(n).map(|(a, p)| (a, p)))
        };
        assert_eq!(chain(1), chain(2)[..2]);
        assert_eq!(chain(2).len(), 3);
    }

    #[test]
    fn keys_are_apart_from_the_handles_of_content() {
        assert_ne!(key(Api::Gemini, "text", "x", &[]), Some(Handle::of("x")));
        assert_ne!(key(Api::Gemini, "text", "x", &["y"]), key(Api::Gemini, "text", "xy", &[]));
    }
}
