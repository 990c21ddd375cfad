//! The webhook of Portkey's gateway: its check `default.webhook` posts what a client asks for, and sends on what the answer
//! has in its place.

use axum::response::Response;
use bytes::Bytes;
use headroom_tower::{PromptCompressionLayer, RequestReport};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    answer::{self, failure},
    compress::{rewrite, tokens},
};

/// The event in which a request can be changed.
const BEFORE: &str = "beforeRequestHook";

#[derive(Debug, Deserialize)]
struct Hook<'a> {
    #[serde(rename = "eventType")]
    event: String,
    #[serde(borrow, default)]
    request: Option<Content<'a>>,
}

/// What is sent to the provider. The gateway itself writes it in the provider's API afterwards.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Content<'a> {
    #[serde(borrow, default)]
    json: Option<&'a RawValue>,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    /// Whether the request may go on: always.
    verdict: bool,
    #[serde(rename = "transformedData", skip_serializing_if = "Option::is_none")]
    transformed: Option<Transformed<'a>>,
    data: Counts,
}

#[derive(Debug, Serialize)]
struct Transformed<'a> {
    request: Content<'a>,
}

/// The gateway puts them into its log.
#[derive(Debug, Default, Serialize)]
struct Counts {
    tokens_before: u64,
    tokens_after: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

pub(super) async fn answer(layer: &PromptCompressionLayer, tenant: String, body: &Bytes) -> Response {
    let Ok(Hook { event, request }) = serde_json::from_slice(body) else {
        return failure(
            StatusCode::BAD_REQUEST,
            "the body is not the JSON of a webhook: `eventType`, `request`",
        );
    };
    let asked = request.and_then(|request| request.json).filter(|_| event == BEFORE);
    let Some(asked) = asked.map(|asked| body.slice_ref(asked.get().as_bytes())) else {
        return written(&Answer { verdict: true, transformed: None, data: Counts::default() });
    };
    let (sent, result) = rewrite(layer, tenant, asked.clone()).await;
    let (tokens_before, tokens_after) = tokens(result.as_ref().and_then(RequestReport::report));
    let reason = result.as_ref().and_then(RequestReport::skip_reason).map(|reason| reason.as_str());
    let transformed = serde_json::from_slice(&sent).ok().filter(|_| sent != asked);
    written(&Answer {
        verdict: true,
        transformed: transformed.map(|json| Transformed { request: Content { json: Some(json) } }),
        data: Counts { tokens_before, tokens_after, reason },
    })
}

fn written(answer: &Answer<'_>) -> Response {
    match serde_json::to_vec(answer) {
        Ok(json) => answer::json(StatusCode::OK, json),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the result cannot be written"),
    }
}
