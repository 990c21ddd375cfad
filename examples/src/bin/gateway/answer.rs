//! Errors in the shape that the provider's clients read.

use std::error::Error;

use axum::{body::Body, response::Response};
use headroom_examples::gateway::{Provider, Refusal};
use http::{HeaderValue, StatusCode, Uri, header};
use http_body_util::LengthLimitError;
use tower::{BoxError, timeout::error::Elapsed};
use tower_http::timeout::TimeoutError;

use crate::upstream::UpstreamError;

/// An error.
pub(crate) fn error(provider: Provider, status: StatusCode, message: &str) -> Response {
    let body = provider.error(status.as_u16(), message).to_string();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The answer to a tenant that has to wait. SDKs read `retry-after`.
pub(crate) fn refused(provider: Provider, refusal: &Refusal) -> Response {
    let mut response = error(provider, StatusCode::TOO_MANY_REQUESTS, &refusal.to_string());
    response.headers_mut().insert(header::RETRY_AFTER, refusal.seconds().into());
    response
}

/// The answer to a request that could not be sent or was not answered. Says nothing of the network behind the gateway.
pub(crate) async fn failed(uri: Uri, failure: BoxError) -> Response {
    let provider = Provider::from_path(uri.path()).unwrap_or(Provider::OpenAi);
    let (status, message) = match failure.downcast_ref::<UpstreamError>() {
        _ if failure.is::<Elapsed>() => (StatusCode::GATEWAY_TIMEOUT, "the provider did not begin to answer"),
        _ if has::<LengthLimitError>(&*failure) => (StatusCode::PAYLOAD_TOO_LARGE, "the request is too long"),
        _ if has::<TimeoutError>(&*failure) => (StatusCode::REQUEST_TIMEOUT, "the request's body stalled"),
        Some(UpstreamError::Unknown | UpstreamError::Path(_)) => {
            (StatusCode::NOT_FOUND, "the gateway has no upstream for this path")
        }
        Some(UpstreamError::Unreached(_)) => (StatusCode::BAD_GATEWAY, "the provider cannot be reached"),
        _ => (StatusCode::BAD_GATEWAY, "the provider gave no answer"),
    };
    tracing::warn!(status = status.as_u16(), "{failure}");
    error(provider, status, message)
}

/// Whether this is the cause.
fn has<E: Error + 'static>(failure: &(dyn Error + 'static)) -> bool {
    let mut next = Some(failure);
    while let Some(error) = next {
        if error.is::<E>() {
            return true;
        }
        next = error.source();
    }
    false
}
