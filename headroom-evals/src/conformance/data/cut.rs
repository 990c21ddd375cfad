use headroom_core::Api;

use crate::conformance::json::{Id, Json, Kind};

/// Reconstructs the requests that led to a request: the body cut before every turn of the model, each a slice of the
/// original bytes, and the whole body last.
#[must_use]
pub fn prefixes(api: Api, body: &[u8]) -> Vec<Vec<u8>> {
    let json = Json::parse(body).unwrap_or_else(|| panic!("a conversation is JSON"));
    let items = items(api, &json);
    let model = |id: &Id| match api {
        Api::Gemini => json.text_of(*id, "role").as_deref() == Some("model"),
        Api::OpenAiResponses => {
            json.text_of(*id, "role").as_deref() == Some("assistant")
                || json
                    .text_of(*id, "type")
                    .is_some_and(|kind| kind.ends_with("_call") || kind == "reasoning")
        }
        _ => json.text_of(*id, "role").as_deref() == Some("assistant"),
    };
    let mut out = Vec::new();
    for (k, pair) in items.windows(2).enumerate() {
        if model(&pair[1]) && !model(&pair[0]) {
            let (end, close) = (json.range(items[k]).end, json.range(items[items.len() - 1]).end);
            out.push([&body[..end], &body[close..]].concat());
        }
    }
    if items.last().is_some_and(|id| !model(id)) {
        out.push(body.to_vec());
    }
    out
}

/// Appends one message or item to the body.
#[must_use]
pub fn append(api: Api, body: &[u8], item: &str) -> Vec<u8> {
    let json = Json::parse(body).unwrap_or_else(|| panic!("a conversation is JSON"));
    let end = items(api, &json).last().map(|id| json.range(*id).end).unwrap_or_else(|| panic!("no messages"));
    [&body[..end], b",", item.as_bytes(), &body[end..]].concat()
}

fn items<'j>(api: Api, json: &'j Json<'_>) -> &'j [Id] {
    let key = match api {
        Api::OpenAiResponses => "input",
        Api::Gemini => "contents",
        _ => "messages",
    };
    let list = json.member(json.root(), key).one().filter(|id| json.kind(*id) == Kind::Array);
    list.map(|id| json.children(id)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_cut_before_every_turn_of_the_model() {
        let body = br#"{"messages": [ {"role":"user"},{"role":"assistant"} , {"role":"tool"}, {"role":"tool"},{"role":"assistant"}  ] ,"n":1}"#;
        let cut: Vec<_> =
            prefixes(Api::OpenAiChat, body).into_iter().map(|b| String::from_utf8(b).unwrap()).collect();
        assert_eq!(
            cut,
            [
                r#"{"messages": [ {"role":"user"}  ] ,"n":1}"#,
                r#"{"messages": [ {"role":"user"},{"role":"assistant"} , {"role":"tool"}, {"role":"tool"}  ] ,"n":1}"#,
            ]
        );
    }

    #[test]
    fn items_are_appended_behind_the_last() {
        let more = append(Api::Gemini, br#"{"contents":[1 ],"x":[2]}"#, "3");
        assert_eq!(more, br#"{"contents":[1,3 ],"x":[2]}"#);
    }
}
