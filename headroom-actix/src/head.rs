//! Converts between the types of `http` 0.2, which actix-web uses, and those of `http` 1, which the layer uses.

use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::{
        Version,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use headroom_tower::{HeadroomOverride, RequestReport};
use http::request::Parts;

/// Returns the head of a request for the layer; `None` if it cannot be converted.
pub(crate) fn head(request: &ServiceRequest) -> Option<Parts> {
    let head = http::Request::builder()
        .method(request.method().as_str())
        .uri(request.uri().to_string())
        .version(version(request.version()));
    let (mut head, ()) = head.body(()).ok()?.into_parts();
    head.headers.reserve(request.headers().len());
    for (name, value) in request.headers() {
        let name = http::HeaderName::from_bytes(name.as_ref()).ok()?;
        head.headers.append(name, http::HeaderValue::from_bytes(value.as_bytes()).ok()?);
    }
    let extensions = request.extensions();
    if let Some(own) = extensions.get::<HeadroomOverride>() {
        head.extensions.insert(own.clone());
    }
    if let Some(report) = extensions.get::<RequestReport>() {
        head.extensions.insert(report.clone());
    }
    Some(head)
}

/// Applies the layer's headers that describe the body.
pub(crate) fn describe(headers: &mut HeaderMap, rewritten: &http::HeaderMap) {
    for name in [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONTENT_ENCODING] {
        let value =
            rewritten.get(name.as_str()).and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
        set(headers, name, value);
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => drop(headers.insert(name, value)),
        None => drop(headers.remove(name)),
    }
}

fn version(version: Version) -> http::Version {
    match version {
        Version::HTTP_09 => http::Version::HTTP_09,
        Version::HTTP_10 => http::Version::HTTP_10,
        Version::HTTP_2 => http::Version::HTTP_2,
        Version::HTTP_3 => http::Version::HTTP_3,
        _ => http::Version::HTTP_11,
    }
}
