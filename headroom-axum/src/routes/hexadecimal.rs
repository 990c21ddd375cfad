//! Handles as hexadecimal digits, for gateways that take no other letters: mode `ccr` of `/v1/compress`.

use std::collections::BTreeSet;

use headroom_tower::headroom_core::{Api, Handle, retrieve_tool};
use serde::Deserialize;
use serde_json::value::RawValue;

/// How every marker with a handle begins.
const OPENING: &str = "[headroom:";
/// Letters of a handle in a marker.
const HANDLE_BYTES: usize = 16;

/// The member `config` of a request.
#[derive(Debug, Deserialize)]
struct Settings<'a> {
    #[serde(borrow, default)]
    mode: Option<&'a str>,
}

/// Whether `config` asks for this mode. Whatever else it says is for others.
pub(super) fn is_asked(config: Option<&RawValue>) -> bool {
    let settings = config.and_then(|config| serde_json::from_str::<Settings<'_>>(config.get()).ok());
    settings.is_some_and(|settings| settings.mode == Some("ccr"))
}

/// Writes the request that the gateway will send, as far as it matters: it adds the tool only after it has seen
/// that something was stored.
pub(super) fn request(
    messages: &RawValue,
    model: Option<&RawValue>,
    tools: Option<&RawValue>,
) -> Option<String> {
    let tools: Vec<&RawValue> = match tools {
        Some(tools) => serde_json::from_str(tools.get()).ok()?,
        None => Vec::new(),
    };
    let api = Api::detect(messages_alone(messages).as_bytes()).unwrap_or(Api::OpenAiChat);
    let mut list = tools.iter().map(|tool| tool.get()).collect::<Vec<_>>();
    list.push(retrieve_tool(api));
    let model = model.map_or_else(String::new, |model| format!("\"model\":{},", model.get()));
    Some(format!("{{{model}\"tools\":[{}],\"messages\":{}}}", list.join(","), messages.get()))
}

fn messages_alone(messages: &RawValue) -> String {
    format!("{{\"messages\":{}}}", messages.get())
}

/// Writes the handles of new markers in hexadecimal digits. Returns the text, and the handles in the order of their first
/// markers.
///
/// A marker that the text had before stays: it belongs to whoever wrote it.
pub(super) fn spell(before: &str, after: &str) -> (String, Vec<String>) {
    let old: BTreeSet<Handle> = pieces(before).filter_map(|(handle, _)| handle).collect();
    let mut text = String::with_capacity(after.len() + 64);
    text.push_str(after.split(OPENING).next().unwrap_or_default());
    let (mut seen, mut hashes) = (BTreeSet::new(), Vec::new());
    for (handle, piece) in pieces(after) {
        text.push_str(OPENING);
        match handle.filter(|handle| !old.contains(handle)) {
            Some(handle) => {
                let hash = handle.to_hex();
                text.push_str(&hash);
                text.push_str(piece.get(HANDLE_BYTES..).unwrap_or_default());
                if seen.insert(handle) {
                    hashes.push(hash);
                }
            }
            None => text.push_str(piece),
        }
    }
    (text, hashes)
}

/// Returns the text after each opening, with its handle if it begins with one.
fn pieces(text: &str) -> impl Iterator<Item = (Option<Handle>, &str)> {
    let handle = |piece: &str| {
        let is_over = piece.get(HANDLE_BYTES..)?.starts_with(' ');
        piece.get(..HANDLE_BYTES)?.parse().ok().filter(|_| is_over)
    };
    text.split(OPENING).skip(1).map(move |piece| (handle(piece), piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_markers_are_spelled_in_hexadecimal_and_old_ones_stay() {
        let [new, old] = ["new", "old"].map(Handle::from_content);
        let before = format!("[\"a log\",\"[headroom:{old} lines 1-2 stored]\"]");
        let after = format!(
            "[\"[headroom:{new} lines 1-9 stored; [headroom: also lines [headroom:{new} x\",\"[headroom:{old} lines 1-2 stored]\"]"
        );
        let (text, hashes) = spell(&before, &after);
        let hex = new.to_hex();
        assert_eq!(hashes, [hex.as_str()]);
        assert_eq!(text, after.replace(&new.to_string(), &hex));
        assert!(hex.len() == 20 && text.contains(&old.to_string()));
        assert_eq!(spell("", "no marker [headroom:short"), ("no marker [headroom:short".to_owned(), vec![]));
    }

    #[test]
    fn the_mode_is_asked_for_by_its_name_only() {
        let is_asked = |json: &str| is_asked(Some(&RawValue::from_string(json.to_owned()).unwrap()));
        assert!(is_asked(r#"{"mode":"ccr","other":[1]}"#));
        for other in [r#"{"mode":"agent"}"#, r#"{"mode":1}"#, "{}", "[]", "null", "\"ccr\""] {
            assert!(!is_asked(other), "{other}");
        }
    }
}
