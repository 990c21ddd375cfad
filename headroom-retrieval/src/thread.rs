//! Avoids threads that the provider keeps.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};

const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// The prefix of the feature's names in the beta header.
const THREADS: &str = "message-threads-";

/// Removes message threads from the beta features that a request asks for; see
/// [`ThreadState::Dropped`](crate::ThreadState::Dropped).
pub fn drop_thread_beta(headers: &mut HeaderMap) {
    let features = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains(THREADS));
    if !headers.get_all(&BETA).iter().any(features) {
        return;
    }
    let values: Vec<_> = headers.get_all(&BETA).iter().cloned().collect();
    headers.remove(&BETA);
    for value in values {
        let Ok(text) = value.to_str() else {
            headers.append(BETA, value);
            continue;
        };
        let left: Vec<_> =
            text.split(',').map(str::trim).filter(|feature| !feature.starts_with(THREADS)).collect();
        if let (false, Ok(left)) = (left.is_empty(), HeaderValue::from_str(&left.join(","))) {
            headers.append(BETA, left);
        }
    }
}

/// Returns the provider's own answer for an unknown thread, upon which clients send the whole conversation.
#[must_use]
pub fn unknown_thread() -> Response<Bytes> {
    const BODY: &str = concat!(
        r#"{"type":"error","error":{"type":"not_found_error","message":"thread_not_found","#,
        r#""details":{"error_code":"thread_not_found"}}}"#
    );
    let mut response = Response::new(Bytes::from_static(BODY.as_bytes()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(BODY.len() as u64));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_feature_leaves_the_header() {
        let mut headers = HeaderMap::new();
        let values = ["a-1, message-threads-2026-08-12,b-2", "message-threads-2026-08-12", "c-3"];
        for value in values {
            headers.append(BETA, HeaderValue::from_static(value));
        }
        drop_thread_beta(&mut headers);
        let left: Vec<_> = headers.get_all(&BETA).iter().collect();
        assert_eq!(left, ["a-1,b-2", "c-3"]);
        drop_thread_beta(&mut headers);
        assert_eq!(headers.get_all(&BETA).iter().count(), 2);
    }
}
