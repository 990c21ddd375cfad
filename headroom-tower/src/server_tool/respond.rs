//! Turns the provider's response into the client's.

use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header, request::Parts};
use http_body::Body;
use tower_service::Service;

use super::{
    MAX_ERROR, SentRequest,
    api::provider_format,
    buffered,
    decoded::Decoded,
    events::{Framing, essence},
    exchange::Exchange,
    restore::unbound,
    stream,
};
use crate::{
    Fallback, HeadroomBody, MapBody, ResponseBody,
    decode::Codec,
    read::{Read, ReadEnd},
    telemetry,
};

/// The future of the client's response, once the request has been sent.
pub(crate) type Respond<R, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<R>>, E>> + Send>>;

/// A service that can be called again.
pub(crate) trait Upstream<R>: Send + 'static {
    type Error: Send;

    fn ask(
        &mut self,
        parts: Parts,
        body: Bytes,
    ) -> impl Future<Output = Result<Response<R>, Self::Error>> + Send;
}

/// The inner service, for further calls.
pub(crate) struct Replayer<S, M, B> {
    service: S,
    map_body: M,
    body: PhantomData<fn() -> B>,
}

impl<S, M, B> Replayer<S, M, B> {
    pub(crate) fn new(service: S, map_body: M) -> Self {
        Self { service, map_body, body: PhantomData }
    }
}

impl<S, M, B> fmt::Debug for Replayer<S, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replayer").finish_non_exhaustive()
    }
}

impl<S, M, B, R> Upstream<R> for Replayer<S, M, B>
where
    S: Service<Request<M::Body>, Response = Response<R>> + Send + 'static,
    S::Future: Send,
    S::Error: Send,
    M: MapBody<HeadroomBody<B>> + Send + 'static,
    B: Body + 'static,
{
    type Error = S::Error;

    async fn ask(&mut self, parts: Parts, body: Bytes) -> Result<Response<R>, S::Error> {
        poll_fn(|cx| self.service.poll_ready(cx)).await?;
        let request = Request::from_parts(parts, self.map_body.map_body(HeadroomBody::full(body)));
        let response = self.service.call(request);
        response.await
    }
}

/// Handles the provider's answer to a rewritten request.
pub(crate) async fn respond<R, U, F>(
    first: F,
    mut upstream: U,
    mut sent: SentRequest,
) -> Result<Response<ResponseBody<R>>, U::Error>
where
    F: Future<Output = Result<Response<R>, U::Error>> + Send,
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    let mut response = first.await?;
    if may_be_ours(response.status(), &sent) {
        match fall_back(response, &mut upstream, &mut sent).await? {
            Fallen::Raw(response) => return Ok(response.map(ResponseBody::untouched)),
            Fallen::Unbound(taken) => response = taken,
        }
    }
    let wire = provider_format(sent.api).filter(|_| sent.served && response.status() == StatusCode::OK);
    let Some(wire) = wire else { return Ok(response.map(ResponseBody::untouched)) };
    let headers = response.headers();
    let framing = Framing::from_headers(headers);
    if framing.is_none() && !essence(headers).eq_ignore_ascii_case("application/json") {
        return Ok(response.map(ResponseBody::untouched));
    }
    if Codec::from_headers(headers).is_err() {
        // A call in it would reach the client. The original request does not offer the tool.
        return send_original(response.status(), &mut upstream, &sent).await;
    }
    let Some(framing) = framing else {
        return buffered::stitched(response, Exchange::new(sent, wire, upstream)).await;
    };
    let (parts, body) = response.into_parts();
    let Ok(body) = Decoded::new(&parts.headers, body) else {
        return send_original(parts.status, &mut upstream, &sent).await;
    };
    let response = Response::from_parts(parts, body);
    Ok(stream::stitched(response, framing, Exchange::new(sent, wire, upstream)))
}

/// Whether the layer's rewriting may have caused the refusal, so that the original may be accepted.
fn may_be_ours(status: StatusCode, sent: &SentRequest) -> bool {
    match status.as_u16() {
        400 | 422 => true,
        413 => sent.sent.1.len() > sent.original.1.len(),
        _ => false,
    }
}

/// The result of falling back after a refusal.
enum Fallen<R> {
    /// The answer to the original request.
    Raw(Response<R>),
    /// The answer to the rewritten request without thinking.
    Unbound(Response<R>),
}

/// Sends the original request, once. If that is refused too, and the refusal was about thinking, sends the rewritten
/// request without thinking: the content that thinking followed is lost, and no other form of it is valid. Remembers
/// for the conversation which form the provider accepts.
async fn fall_back<R, U>(
    refusal: Response<R>,
    upstream: &mut U,
    sent: &mut SentRequest,
) -> Result<Fallen<R>, U::Error>
where
    U: Upstream<R>,
    R: Body,
{
    let status = refusal.status();
    let is_about_thinking = is_about_thinking(refusal).await;
    let (raw, mut event) = ask_original(status, upstream, sent).await?;
    let mut fallen = Fallen::Raw(raw);
    if is_about_thinking
        && let Fallen::Raw(raw) = &fallen
        && may_be_ours(raw.status(), sent)
        && let Some(taken) = ask_unbound(upstream, sent).await
    {
        sent.config.unbound.add(sent.ask.owner.lasting(), sent.ask.link);
        event.unbound = true;
        fallen = Fallen::Unbound(taken);
    }
    telemetry::fallback(&sent.config, &event);
    Ok(fallen)
}

/// Sends the original request, because the answer to the rewritten one cannot be decoded.
async fn send_original<R, U>(
    status: StatusCode,
    upstream: &mut U,
    sent: &SentRequest,
) -> Result<Response<ResponseBody<R>>, U::Error>
where
    U: Upstream<R>,
    R: Body,
{
    let (response, event) = ask_original(status, upstream, sent).await?;
    telemetry::fallback(&sent.config, &event);
    Ok(response.map(ResponseBody::untouched))
}

/// Sends the original request. If it is accepted, the rest of the conversation is sent unchanged.
async fn ask_original<R, U>(
    status: StatusCode,
    upstream: &mut U,
    sent: &SentRequest,
) -> Result<(Response<R>, Fallback), U::Error>
where
    U: Upstream<R>,
{
    let (parts, body) = sent.original.clone();
    let response = upstream.ask(parts, body).await?;
    let event = Fallback { api: sent.api, status, accepted: response.status().is_success(), unbound: false };
    if event.accepted && sent.ask.turns > 0 {
        // The first request of a conversation looks like that of any other with the same prompt.
        sent.config.rejected.add(sent.ask.owner.lasting(), sent.ask.link);
    }
    Ok((response, event))
}

/// Sends the rewritten request without thinking; returns the answer if it is accepted.
async fn ask_unbound<R, U>(upstream: &mut U, sent: &mut SentRequest) -> Option<Response<R>>
where
    U: Upstream<R>,
{
    let body = unbound(provider_format(sent.api)?, std::str::from_utf8(&sent.sent.1).ok()?)?;
    let (parts, bytes) = &mut sent.sent;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() as u64));
    *bytes = Bytes::from(body);
    let answer = upstream.ask(parts.clone(), bytes.clone()).await.ok()?;
    answer.status().is_success().then_some(answer)
}

/// Whether a provider's refusal mentions thinking. Each provider words this differently.
async fn is_about_thinking<R: Body>(refusal: Response<R>) -> bool {
    const WORDS: [&str; 3] = ["thinking", "signature", "reasoning"];

    let (parts, body) = refusal.into_parts();
    let mut read = Read::new(body, MAX_ERROR);
    let ReadEnd::Complete(bytes) = poll_fn(|cx| read.poll(cx)).await else { return false };
    let decoded = Codec::from_headers(&parts.headers).and_then(|codec| codec.decode(&bytes, MAX_ERROR));
    let text = match &decoded {
        Ok(Some(decoded)) => String::from_utf8_lossy(decoded),
        Ok(None) => String::from_utf8_lossy(&bytes),
        Err(_) => return false,
    };
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}
