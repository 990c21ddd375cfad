//! `POST /v1/compress`: messages in, smaller ones out, for gateways that call their provider themselves.

use bytes::Bytes;
use headroom_core::{Means, Report};
use headroom_tower::{HeadroomLayer, HeadroomOverride, RequestReport};
use http::{Request, Response, StatusCode, header};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tower::BoxError;

use super::failure;
use crate::{
    compress,
    proxy::answer::{self, ResponseBody},
    store::LOCAL_TENANT,
    tokens::Tokens,
};

/// Most that a body may hold: what providers take.
const MAX_BODY: usize = 32 << 20;

/// The part of a request that is handed back: whichever of these it has.
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
}

/// The answer. Token counts are of the tool results that were in question, by the model's tokenizer or, where that is
/// not public (`estimated` in the report), by another.
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
    /// Why it is what came, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
}

pub(super) async fn answer<B>(layer: &HeadroomLayer, request: Request<B>) -> Response<ResponseBody>
where
    B: Body<Data = Bytes, Error: Into<BoxError>>,
{
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        let message = "headroom: send the body without a Content-Encoding";
        return failure(StatusCode::UNSUPPORTED_MEDIA_TYPE, message);
    }
    let body = match Limited::new(request.into_body(), MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let message = format!("headroom: the body is longer than {MAX_BODY} bytes");
            return failure(StatusCode::PAYLOAD_TOO_LARGE, &message);
        }
        Err(_) => {
            return failure(StatusCode::BAD_REQUEST, "headroom: the body ended before its announced end");
        }
    };
    match serde_json::from_slice(&body) {
        Ok(Conversation { messages: None, input: None, contents: None, .. }) => {
            let message = "headroom: the body has no `messages` (nor `input`, nor `contents`)";
            failure(StatusCode::BAD_REQUEST, message)
        }
        Ok(_) => smaller(layer, body).await,
        // The error's own text may quote the body.
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let message = format!(
                "headroom: the body is not the JSON object of a request, or has a key twice (line {line}, column \
                 {column})"
            );
            failure(StatusCode::BAD_REQUEST, &message)
        }
    }
}

async fn smaller(layer: &HeadroomLayer, body: Bytes) -> Response<ResponseBody> {
    // Whoever asks sends its own request: a tool that is put into it here would be lost, so only where the client has
    // brought one can the model fetch something back.
    let settings = HeadroomOverride::new().tenant(LOCAL_TENANT).means(Means::Client);
    let (sent, result) = compress::through(layer.clone(), settings, None, body.clone()).await;
    let sent = sent.unwrap_or(body);
    let Ok(Conversation { messages, input, contents, model }) = serde_json::from_slice(&sent) else {
        return failure(StatusCode::INTERNAL_SERVER_ERROR, "headroom: the result cannot be read");
    };
    let report = result.as_ref().and_then(RequestReport::report);
    let tokens = report.map(Tokens::of).unwrap_or_default();
    let answer = Compressed {
        messages,
        input,
        contents,
        model,
        tokens_before: tokens.before,
        tokens_after: tokens.after,
        tokens_saved: tokens.saved(),
        reason: result.as_ref().and_then(RequestReport::skip_reason).map(|reason| reason.as_str()),
        report,
    };
    match serde_json::to_vec(&answer) {
        Ok(json) => answer::json(json),
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "headroom: the result cannot be written"),
    }
}
