//! Stitches answers that are not streamed.

use std::future::poll_fn;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, response::Parts};
use http_body::Body;

use super::{
    MAX_ANSWER,
    api::Failure,
    exchange::{Exchange, ExchangeStep},
    respond::Upstream,
};
use crate::{
    ResponseBody,
    body::Tail,
    decode::Codec,
    read::{Read, ReadEnd},
};

/// Answers our calls until the provider makes no more, and merges all rounds into one answer.
pub(super) async fn stitched<R, U>(
    response: Response<R>,
    mut exchange: Exchange<U>,
) -> Result<Response<ResponseBody<R>>, U::Error>
where
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    let mut whole = exchange.wire.buffered(exchange.sent.ask.head);
    let mut response = response;
    loop {
        let (parts, body) = response.into_parts();
        let mut read = Read::new(body, MAX_ANSWER);
        let bytes = match poll_fn(|cx| read.poll(cx)).await {
            ReadEnd::Complete(bytes) => bytes,
            ReadEnd::Partial(_, Tail::Rest(_)) if exchange.is_hidden() => return Ok(failed(parts)),
            ReadEnd::Partial(data, tail) => {
                return Ok(Response::from_parts(parts, ResponseBody::replay(data, tail)));
            }
        };
        let decoded = Codec::from_headers(&parts.headers).and_then(|codec| codec.decode(&bytes, MAX_ANSWER));
        let text = match &decoded {
            Ok(Some(decoded)) => std::str::from_utf8(decoded).ok(),
            Ok(None) => std::str::from_utf8(&bytes).ok(),
            Err(_) => None,
        };
        if text.is_none() && exchange.is_hidden() {
            return Ok(failed(parts));
        }
        let round = text.and_then(|text| whole.add(text));
        let Some(round) = round.filter(|round| exchange.is_hidden() || !round.calls.is_empty()) else {
            return Ok(Response::from_parts(parts, ResponseBody::full(bytes)));
        };
        match exchange.turn(round).await {
            ExchangeStep::Next(next) => response = next,
            ExchangeStep::Last { give_up } => {
                let mut parts = parts;
                let bytes = match whole.finish(give_up) {
                    Some(stitched) => {
                        parts.headers.remove(header::CONTENT_ENCODING);
                        parts.headers.remove(header::TRANSFER_ENCODING);
                        Bytes::from(stitched)
                    }
                    None => bytes,
                };
                let length = HeaderValue::from(bytes.len() as u64);
                parts.headers.insert(header::CONTENT_LENGTH, length);
                return Ok(Response::from_parts(parts, ResponseBody::full(bytes)));
            }
            ExchangeStep::Empty => return Ok(failed(parts)),
            ExchangeStep::Refused(refusal) => return Ok(refusal.map(ResponseBody::untouched)),
            ExchangeStep::Failed(error) => return Err(error),
        }
    }
}

/// Returns the client's response if its answer cannot be completed.
fn failed<R: Body>(mut parts: Parts) -> Response<ResponseBody<R>> {
    let body = Failure::unfinished().body.unwrap_or_default();
    parts.status = StatusCode::BAD_GATEWAY;
    for name in [header::CONTENT_ENCODING, header::TRANSFER_ENCODING, header::ETAG] {
        parts.headers.remove(name);
    }
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() as u64));
    Response::from_parts(parts, ResponseBody::full(Bytes::from(body)))
}
