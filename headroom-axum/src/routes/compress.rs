//! `POST /v1/compress`: returns messages made smaller, for services that call a provider themselves.

use axum::{body::Body, response::Response};
use bytes::Bytes;
use headroom_tower::{
    HeadroomOverride, PromptCompressionLayer, RequestReport,
    headroom_core::{Api, BlockReport, Report, Retrieval},
};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    answer::{self, failure},
    hexadecimal, webhook,
};

/// The longest body: the limit of providers.
const MAX_BODY: usize = 32 << 20;

/// The part of a request that is returned: the one of these members that it has.
#[derive(Debug, Deserialize)]
struct Conversation<'a> {
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    contents: Option<&'a RawValue>,
    #[serde(borrow, default)]
    model: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    #[serde(borrow, default)]
    config: Option<&'a RawValue>,
    #[serde(rename = "eventType", borrow, default)]
    event: Option<&'a RawValue>,
}

/// The answer. Tokens are those of the candidate tool results, counted by the model's tokenizer or, if that is not
/// public (`estimated` in the report), by another.
#[derive(Debug, Serialize)]
struct Compressed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a RawValue>,
    tokens_before: u64,
    tokens_after: u64,
    tokens_saved: u64,
    /// Mode `ccr`: the part of the tokens that is saved, and the handles of what was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    compression_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ccr_hashes: Option<Vec<String>>,
    /// Why it is unchanged, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
}

pub(super) async fn answer(
    layer: &PromptCompressionLayer,
    tenant: String,
    headers: &HeaderMap,
    body: Body,
) -> Response {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        let message = "send the body without a Content-Encoding";
        return failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("the body is longer than {MAX_BODY} bytes");
            return failure(StatusCode::PAYLOAD_TOO_LARGE, &message);
        }
        Err(_) => return failure(StatusCode::BAD_REQUEST, "the body ended before its announced end"),
    };
    match serde_json::from_slice(&body) {
        Ok(Conversation { messages: None, input: None, contents: None, event: Some(_), .. }) => {
            webhook::answer(layer, tenant, &body).await
        }
        Ok(Conversation { messages: None, input: None, contents: None, .. }) => {
            failure(StatusCode::BAD_REQUEST, "the body has no `messages` (nor `input`, nor `contents`)")
        }
        Ok(Conversation { messages, model, tools, config, .. }) if hexadecimal::is_asked(config) => {
            match messages.and_then(|messages| hexadecimal::request(messages, model, tools)) {
                Some(request) => smaller(layer, tenant, request.into(), true).await,
                None => failure(StatusCode::BAD_REQUEST, "mode ccr needs `messages`, and `tools` are a list"),
            }
        }
        Ok(_) => smaller(layer, tenant, body, false).await,
        // The error's own text may quote the body.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let message = format!(
                "the body is not the JSON object of a request, or has a key twice (line {line}, column {column})"
            );
            failure(StatusCode::BAD_REQUEST, &message)
        }
    }
}

/// Returns the body of a request made smaller, and what was done.
pub(super) async fn rewrite(
    layer: &PromptCompressionLayer,
    tenant: String,
    body: Bytes,
) -> (Bytes, Option<RequestReport>) {
    // The client sends its own request, so a tool added here would be lost: the model can retrieve only if the client
    // brought a tool.
    let mut settings = HeadroomOverride::new().tenant(tenant).retrieval(Retrieval::ClientTool);
    if let Some(api) = Api::detect(&body) {
        settings = settings.api(api);
    }
    let mut request = Request::new(Full::new(body.clone()));
    *request.method_mut() = http::Method::POST;
    request.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    request.extensions_mut().insert(settings);
    let (mut parts, sent) = layer.rewrite(request).await.into_parts();
    let sent = BodyExt::collect(sent).await.map_or(body, |sent| sent.to_bytes());
    (sent, parts.extensions.remove::<RequestReport>())
}

/// Returns the tokens of all candidates before and after.
pub(super) fn tokens(report: Option<&Report>) -> (u64, u64) {
    let sum = |get: fn(&BlockReport) -> Option<usize>| {
        let blocks = report.map_or(&[][..], |report| &report.blocks);
        blocks.iter().filter_map(get).map(|tokens| tokens as u64).sum::<u64>()
    };
    (sum(|block| block.tokens_before), sum(|block| block.tokens_after))
}

async fn smaller(
    layer: &PromptCompressionLayer,
    tenant: String,
    body: Bytes,
    is_hexadecimal: bool,
) -> Response {
    let (sent, result) = rewrite(layer, tenant, body.clone()).await;
    let (sent, hashes) = match (is_hexadecimal, str::from_utf8(&body), str::from_utf8(&sent)) {
        (true, Ok(before), Ok(after)) => {
            let (text, hashes) = hexadecimal::spell(before, after);
            (text.into(), Some(hashes))
        }
        _ => (sent, None),
    };
    let Ok(Conversation { messages, input, contents, model, .. }) = serde_json::from_slice(&sent) else {
        return failure(StatusCode::INTERNAL_SERVER_ERROR, "the result cannot be read");
    };
    let report = result.as_ref().and_then(RequestReport::report);
    let (tokens_before, tokens_after) = tokens(report);
    let tokens_saved = tokens_before.saturating_sub(tokens_after);
    let answer = Compressed {
        messages,
        input,
        contents,
        model,
        tokens_before,
        tokens_after,
        tokens_saved,
        compression_ratio: is_hexadecimal.then(|| tokens_saved as f64 / tokens_before.max(1) as f64),
        ccr_hashes: hashes,
        reason: result.as_ref().and_then(RequestReport::skip_reason).map(|reason| reason.as_str()),
        report: report.filter(|_| !is_hexadecimal),
    };
    match serde_json::to_vec(&answer) {
        Ok(json) => answer::json(StatusCode::OK, json),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the result cannot be written"),
    }
}
