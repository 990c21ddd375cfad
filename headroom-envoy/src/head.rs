//! The head of a request, as Envoy tells it, and the changes that the layer made to it.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header, request::Parts};

use crate::proto;

/// Headers that describe the transfer of a body whose pieces are streamed.
const LENGTHS: [HeaderName; 2] = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING];

/// Builds the head of a request. `None` if any of it cannot be read: nothing is decided from a part of a head.
pub(crate) fn parts(headers: &proto::HeaderMap) -> Option<Parts> {
    let (mut parts, ()) = Request::new(()).into_parts();
    let (mut method, mut path) = (None, None);
    for header in &headers.headers {
        let value = value(header);
        match header.key.as_str() {
            ":method" => method = Some(Method::from_bytes(value).ok()?),
            ":path" => path = Some(Uri::try_from(value).ok()?),
            name if name.starts_with(':') => {}
            _ => append(&mut parts.headers, header)?,
        }
    }
    (parts.method, parts.uri) = (method?, path?);
    Some(parts)
}

/// Reads trailers. `None` if they cannot be read.
pub(crate) fn trailers(headers: &proto::HeaderMap) -> Option<HeaderMap> {
    let mut trailers = HeaderMap::new();
    headers.headers.iter().try_for_each(|header| append(&mut trailers, header))?;
    Some(trailers)
}

fn append(headers: &mut HeaderMap, header: &proto::HeaderValue) -> Option<()> {
    let name = HeaderName::from_bytes(header.key.as_bytes()).ok()?;
    let value = HeaderValue::from_bytes(value(header)).ok()?;
    headers.try_append(name, value).ok().map(|_| ())
}

/// Envoy fills one of two fields, by its version and settings.
fn value(header: &proto::HeaderValue) -> &[u8] {
    if header.raw_value.is_empty() { header.value.as_bytes() } else { &header.raw_value }
}

/// Returns the changes that make `after` of `before`; `None` if there are none.
pub(crate) fn changes(before: &HeaderMap, after: &HeaderMap) -> Option<proto::HeaderMutation> {
    let removed = before.keys().filter(|name| !after.contains_key(*name));
    let mutation = proto::HeaderMutation {
        set_headers: after.keys().filter_map(|name| set(name, before, after)).collect(),
        remove_headers: removed.map(|name| name.as_str().to_owned()).collect(),
    };
    let is_empty = mutation.set_headers.is_empty() && mutation.remove_headers.is_empty();
    (!is_empty).then_some(mutation)
}

/// Like [`changes`], for a body that is sent in pieces, whose length no header tells.
pub(crate) fn streamed_changes(before: &HeaderMap, after: &HeaderMap) -> Option<proto::HeaderMutation> {
    let mut after = after.clone();
    for name in LENGTHS {
        after.remove(name);
    }
    changes(before, &after)
}

/// Sets a header that has one value, other than before. The layer makes no other changes.
fn set(name: &HeaderName, before: &HeaderMap, after: &HeaderMap) -> Option<proto::HeaderValueOption> {
    let value = after.get(name).filter(|value| before.get(name) != Some(*value))?;
    Some(proto::HeaderValueOption {
        header: Some(proto::HeaderValue {
            key: name.as_str().to_owned(),
            raw_value: bytes::Bytes::copy_from_slice(value.as_bytes()),
            ..proto::HeaderValue::default()
        }),
        append_action: proto::HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> proto::HeaderMap {
        let header = |(key, value): &(&str, &str)| proto::HeaderValue {
            key: (*key).to_owned(),
            raw_value: bytes::Bytes::copy_from_slice(value.as_bytes()),
            ..proto::HeaderValue::default()
        };
        proto::HeaderMap { headers: headers.iter().map(header).collect() }
    }

    const HEAD: [(&str, &str); 4] =
        [(":method", "POST"), (":path", "/v1/messages?beta=true"), (":authority", "a"), ("x-api-key", "k")];

    #[test]
    fn a_head_is_read_from_either_field_of_a_value() {
        let raw = map(&HEAD);
        let mut text = raw.clone();
        for header in &mut text.headers {
            header.value = String::from_utf8(header.raw_value.to_vec()).unwrap();
            header.raw_value.clear();
        }
        for headers in [raw, text] {
            let parts = parts(&headers).unwrap();
            assert_eq!((parts.method.as_str(), parts.uri.path()), ("POST", "/v1/messages"));
            assert_eq!(parts.uri.query(), Some("beta=true"));
            assert_eq!(parts.headers.len(), 1);
            assert_eq!(parts.headers["x-api-key"], "k");
        }
    }

    #[test]
    fn of_a_head_that_cannot_be_read_nothing_is_decided() {
        assert!(parts(&map(&HEAD[..1])).is_none(), "without a path");
        assert!(parts(&map(&HEAD[1..])).is_none(), "without a method");
        for bad in [(":path", "a b"), (":method", "P OST"), ("na me", "x"), ("name", "a\nb"), ("", "x")] {
            let mut headers = HEAD.to_vec();
            headers.push(bad);
            assert!(parts(&map(&headers)).is_none(), "{bad:?}");
        }
        let mut crowd = map(&HEAD);
        let names = (0..40_000).map(|n| proto::HeaderValue { key: format!("x-{n}"), ..Default::default() });
        crowd.headers.extend(names);
        assert!(parts(&crowd).is_none(), "more than a map holds");
    }

    #[test]
    fn changes_name_what_differs_and_nothing_else() {
        let headers = |headers: &[(&str, &str)]| trailers(&map(headers)).unwrap();
        let before =
            headers(&[("content-length", "9"), ("content-encoding", "gzip"), ("a", "1"), ("a", "2")]);
        let after = headers(&[("content-length", "7"), ("a", "1"), ("a", "2")]);
        let mutation = changes(&before, &after).unwrap();
        assert_eq!(mutation.remove_headers, ["content-encoding"]);
        let set: Vec<_> = mutation.set_headers.iter().filter_map(|set| set.header.as_ref()).collect();
        assert_eq!(set.len(), 1);
        assert_eq!((set[0].key.as_str(), &set[0].raw_value[..]), ("content-length", &b"7"[..]));
        assert_eq!(changes(&before, &before), None);

        let mut streamed = streamed_changes(&before, &after).unwrap();
        streamed.remove_headers.sort();
        assert_eq!(streamed.remove_headers, ["content-encoding", "content-length"]);
        assert!(streamed.set_headers.is_empty());
    }
}
