//! Builds the proxy's own responses.

use bytes::Bytes;
use http::{Response, StatusCode, header, header::HeaderValue};
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use tower::BoxError;

use super::Provider;

pub(crate) type ResponseBody = UnsyncBoxBody<Bytes, BoxError>;

/// A complete response, private to the client and with a fixed content type.
pub(super) fn whole(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<ResponseBody> {
    let body = Full::from(body.into()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(super) fn json(body: impl Into<Bytes>) -> Response<ResponseBody> {
    whole(StatusCode::OK, "application/json", body)
}

pub(super) fn text(body: impl Into<Bytes>) -> Response<ResponseBody> {
    whole(StatusCode::OK, "text/plain; charset=utf-8", body)
}

/// An error in the shape that the provider's clients parse.
pub(crate) fn failure(provider: Provider, status: StatusCode, message: &str) -> Response<ResponseBody> {
    whole(status, "application/json", provider.error(status, message))
}
