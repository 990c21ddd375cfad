use headroom_core::Api;
use http::{HeaderMap, Method, header, request::Parts};

use crate::SkipReason;

/// Selects the requests that the layer reads.
///
/// Implemented for [`DefaultPredicate`] and for every `Fn(&Parts) -> bool`. Some requests pass through regardless of
/// the predicate: see [`PromptCompressionLayer`](crate::PromptCompressionLayer#which-requests).
///
/// # Example
///
/// ```
/// use headroom_tower::{PromptCompressionLayer, DefaultPredicate, Predicate};
///
/// let only_claude = |parts: &http::request::Parts| parts.uri.path().starts_with("/anthropic/");
/// let layer = PromptCompressionLayer::new().when(DefaultPredicate::new().and(only_claude));
/// # let _ = layer;
/// ```
pub trait Predicate {
    /// Decides whether to read this request.
    ///
    /// # Errors
    ///
    /// Returns the reason for not reading it.
    fn check(&self, parts: &Parts) -> Result<(), SkipReason>;

    /// Returns a predicate that accepts what both accept.
    fn and<P: Predicate>(self, other: P) -> And<Self, P>
    where
        Self: Sized,
    {
        And { first: self, second: other }
    }
}

impl<F> Predicate for F
where
    F: Fn(&Parts) -> bool,
{
    fn check(&self, parts: &Parts) -> Result<(), SkipReason> {
        if self(parts) { Ok(()) } else { Err(SkipReason::Predicate) }
    }
}

/// Accepts `POST` requests on the path of a known API, or with a JSON body on an unknown path.
///
/// Batch and compaction requests are excluded: the model cannot call a tool there.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct DefaultPredicate;

impl DefaultPredicate {
    /// Creates the predicate.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Predicate for DefaultPredicate {
    fn check(&self, parts: &Parts) -> Result<(), SkipReason> {
        if parts.method != Method::POST {
            return Err(SkipReason::Method);
        }
        let path = parts.uri.path();
        if Api::from_path(path).is_some() {
            Ok(())
        } else if is_excluded(path) {
            Err(SkipReason::Path)
        } else if is_json(&parts.headers) {
            Ok(())
        } else {
            Err(SkipReason::ContentType)
        }
    }
}

/// Two predicates that must both accept a request. Created by [`Predicate::and`].
#[derive(Clone, Copy, Debug, Default)]
pub struct And<A, B> {
    first: A,
    second: B,
}

impl<A: Predicate, B: Predicate> Predicate for And<A, B> {
    fn check(&self, parts: &Parts) -> Result<(), SkipReason> {
        self.first.check(parts)?;
        self.second.check(parts)
    }
}

/// Rejects requests that must not be rewritten, regardless of the predicate.
pub(crate) fn guard(parts: &Parts) -> Result<(), SkipReason> {
    let headers = &parts.headers;
    // An offer of HTTP/2 on the same connection, which a server may ignore (RFC 7540, section 3.2).
    let is_upgrade = |value: &http::HeaderValue| !value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"h2c");
    if parts.method == Method::CONNECT || headers.get_all(header::UPGRADE).iter().any(is_upgrade) {
        Err(SkipReason::Upgrade)
    } else if is_signed(parts) {
        Err(SkipReason::Signed)
    } else {
        Ok(())
    }
}

/// Whether this is the path of a known API's request whose model cannot call a tool.
fn is_excluded(path: &str) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let ends = ["/batches", "/responses/compact", ":batchGenerateContent"];
    ends.into_iter().any(|end| path.ends_with(end)) || path.contains("/batches/")
}

/// Headers that hold for the bytes of a body alone.
pub(crate) const DIGESTS: [&str; 6] =
    ["x-amz-content-sha256", "content-digest", "repr-digest", "digest", "content-md5", "signature-input"];

/// Whether a signature or digest covers the body, so that other bytes would be refused.
fn is_signed(parts: &Parts) -> bool {
    let sigv4 = |value: &http::HeaderValue| value.as_bytes().starts_with(b"AWS4-");
    DIGESTS.into_iter().any(|name| parts.headers.contains_key(name))
        || parts.headers.get_all(header::AUTHORIZATION).iter().any(sigv4)
        || parts.uri.query().is_some_and(|query| query.contains("X-Amz-Signature="))
}

/// `application/json` or any `+json`, with or without parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = Request::builder().method(method).uri(uri);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn posts_on_known_paths_or_with_json_are_wanted() {
        let check = |method, uri, headers: &[_]| DefaultPredicate::new().check(&parts(method, uri, headers));
        assert_eq!(check("POST", "/v1/messages", &[]), Ok(()));
        assert_eq!(check("POST", "/custom", &[("content-type", "application/json; charset=utf-8")]), Ok(()));
        assert_eq!(check("POST", "/custom", &[("content-type", "application/vnd.x+JSON")]), Ok(()));
        assert_eq!(check("POST", "/custom", &[("content-type", "text/plain")]), Err(SkipReason::ContentType));
        assert_eq!(check("POST", "/custom", &[]), Err(SkipReason::ContentType));
        assert_eq!(check("GET", "/v1/messages", &[]), Err(SkipReason::Method));
        let json = [("content-type", "application/json")];
        for path in ["/v1/responses/compact", "/v1/messages/batches", "/v1/messages/batches/b/cancel/"] {
            assert_eq!(check("POST", path, &json), Err(SkipReason::Path), "{path}");
        }
    }

    #[test]
    fn signed_and_digested_requests_are_refused() {
        for (uri, name, value) in [
            ("/", "authorization", "AWS4-HMAC-SHA256 Credential=a"),
            ("/", "x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("/", "content-digest", "sha-256=:x:"),
            ("/", "signature-input", "sig1=()"),
            ("/?X-Amz-Signature=a", "accept", "*/*"),
        ] {
            assert_eq!(guard(&parts("POST", uri, &[(name, value)])), Err(SkipReason::Signed), "{name}");
        }
        assert_eq!(guard(&parts("POST", "/", &[("authorization", "Bearer AWS4-")])), Ok(()));
    }

    #[test]
    fn upgrades_are_refused() {
        assert_eq!(
            guard(&parts("GET", "/v1/responses", &[("upgrade", "websocket")])),
            Err(SkipReason::Upgrade)
        );
        assert_eq!(guard(&parts("CONNECT", "example.com:443", &[])), Err(SkipReason::Upgrade));
    }

    #[test]
    fn both_of_two_predicates_must_want_a_request() {
        let narrow = DefaultPredicate::new().and(|parts: &Parts| parts.headers.contains_key("x-want"));
        assert_eq!(narrow.check(&parts("POST", "/v1/messages", &[])), Err(SkipReason::Predicate));
        assert_eq!(narrow.check(&parts("POST", "/v1/messages", &[("x-want", "1")])), Ok(()));
        assert_eq!(narrow.check(&parts("GET", "/v1/messages", &[("x-want", "1")])), Err(SkipReason::Method));
    }
}
