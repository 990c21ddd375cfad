//! From the provider's response to the one that the client gets.

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
    MAX_ERROR, Sent,
    api::wire,
    decoded::Decoded,
    events::{Framing, essence},
    exchange::Exchange,
    recall::unbound,
    stream, whole,
};
use crate::{
    FellBack, HeadroomBody, MapBody, ResponseBody,
    decode::Codec,
    emit,
    read::{Read, ReadEnd},
};

/// The rest of a request's life once it has been sent.
pub(crate) type Serving<R, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<R>>, E>> + Send>>;

/// Who is asked again.
pub(crate) trait Upstream<R>: Send + 'static {
    type Error: Send;

    fn ask(
        &mut self,
        parts: Parts,
        body: Bytes,
    ) -> impl Future<Output = Result<Response<R>, Self::Error>> + Send;
}

/// The inner service, to be asked again.
pub(crate) struct Again<S, M, B> {
    service: S,
    map_body: M,
    body: PhantomData<fn() -> B>,
}

impl<S, M, B> Again<S, M, B> {
    pub(crate) fn new(service: S, map_body: M) -> Self {
        Self { service, map_body, body: PhantomData }
    }
}

impl<S, M, B> fmt::Debug for Again<S, M, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again").finish_non_exhaustive()
    }
}

impl<S, M, B, R> Upstream<R> for Again<S, M, B>
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

/// Takes the provider's answer to a request that was rewritten.
pub(crate) async fn serve<R, U, F>(
    first: F,
    mut upstream: U,
    mut sent: Sent,
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
    let wire = wire(sent.api).filter(|_| sent.served && response.status() == StatusCode::OK);
    let Some(wire) = wire else { return Ok(response.map(ResponseBody::untouched)) };
    let headers = response.headers();
    let framing = Framing::of(headers);
    if framing.is_none() && !essence(headers).eq_ignore_ascii_case("application/json") {
        return Ok(response.map(ResponseBody::untouched));
    }
    if Codec::of(headers).is_err() {
        // A call in it would reach the client. Without the tool there is none.
        return send_original(response.status(), &mut upstream, &sent).await;
    }
    let Some(framing) = framing else {
        return whole::stitched(response, Exchange::new(sent, wire, upstream)).await;
    };
    let (parts, body) = response.into_parts();
    let Ok(body) = Decoded::new(&parts.headers, body) else {
        return send_original(parts.status, &mut upstream, &sent).await;
    };
    let response = Response::from_parts(parts, body);
    Ok(stream::stitched(response, framing, Exchange::new(sent, wire, upstream)))
}

/// Whether the provider may have refused what the layer made of the request, and would not refuse what came.
fn may_be_ours(status: StatusCode, sent: &Sent) -> bool {
    match status.as_u16() {
        400 | 422 => true,
        413 => sent.sent.1.len() > sent.original.1.len(),
        _ => false,
    }
}

/// What became of a request that was refused.
enum Fallen<R> {
    /// The answer to it as it came.
    Raw(Response<R>),
    /// The answer to it rewritten, without thinking.
    Unbound(Response<R>),
}

/// Sends the request as it came, once. Where that is refused too, and the refusal was about thinking, it is sent
/// rewritten but without thinking: what that followed cannot be found any more, and no other form of it is right. What
/// the provider takes is remembered for the conversation.
async fn fall_back<R, U>(
    refusal: Response<R>,
    upstream: &mut U,
    sent: &mut Sent,
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
    emit::fell_back(&sent.config, &event);
    Ok(fallen)
}

/// Sends the request as it came, because the answer to the rewritten one cannot be read.
async fn send_original<R, U>(
    status: StatusCode,
    upstream: &mut U,
    sent: &Sent,
) -> Result<Response<ResponseBody<R>>, U::Error>
where
    U: Upstream<R>,
    R: Body,
{
    let (response, event) = ask_original(status, upstream, sent).await?;
    emit::fell_back(&sent.config, &event);
    Ok(response.map(ResponseBody::untouched))
}

/// The provider's answer to the request as it came. Where it takes that, the rest of the conversation goes on so.
async fn ask_original<R, U>(
    status: StatusCode,
    upstream: &mut U,
    sent: &Sent,
) -> Result<(Response<R>, FellBack), U::Error>
where
    U: Upstream<R>,
{
    let (parts, body) = sent.original.clone();
    let response = upstream.ask(parts, body).await?;
    let event = FellBack { api: sent.api, status, accepted: response.status().is_success(), unbound: false };
    if event.accepted && sent.ask.turns > 0 {
        // The first request of a conversation is that of every other with the same prompt.
        sent.config.rejected.add(sent.ask.owner.lasting(), sent.ask.link);
    }
    Ok((response, event))
}

/// The provider's answer to the rewritten request without thinking, if it takes it.
async fn ask_unbound<R, U>(upstream: &mut U, sent: &mut Sent) -> Option<Response<R>>
where
    U: Upstream<R>,
{
    let body = unbound(wire(sent.api)?, std::str::from_utf8(&sent.sent.1).ok()?)?;
    let (parts, bytes) = &mut sent.sent;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() as u64));
    *bytes = Bytes::from(body);
    let answer = upstream.ask(parts.clone(), bytes.clone()).await.ok()?;
    answer.status().is_success().then_some(answer)
}

/// Whether a provider's refusal speaks of thinking. Each has its own words for what it is bound to or lacks.
async fn is_about_thinking<R: Body>(refusal: Response<R>) -> bool {
    const WORDS: [&str; 3] = ["thinking", "signature", "reasoning"];

    let (parts, body) = refusal.into_parts();
    let mut read = Read::new(body, MAX_ERROR);
    let ReadEnd::Complete(bytes) = poll_fn(|cx| read.poll(cx)).await else { return false };
    let decoded = Codec::of(&parts.headers).and_then(|codec| codec.decode(&bytes, MAX_ERROR));
    let text = match &decoded {
        Ok(Some(decoded)) => String::from_utf8_lossy(decoded),
        Ok(None) => String::from_utf8_lossy(&bytes),
        Err(_) => return false,
    };
    let text = text.to_ascii_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}
