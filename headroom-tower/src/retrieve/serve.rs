//! From the provider's response to the one that the client gets.

use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, request::Parts};
use http_body::Body;
use tower_service::Service;

use super::{
    Sent,
    api::wire,
    events::{Framing, essence},
    exchange::Exchange,
    recall::conversation,
    stream, whole,
};
use crate::{FellBack, HeadroomBody, MapBody, ResponseBody, emit};

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
    sent: Sent,
) -> Result<Response<ResponseBody<R>>, U::Error>
where
    F: Future<Output = Result<Response<R>, U::Error>> + Send,
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    let response = first.await?;
    let status = response.status();
    if may_be_ours(status, &sent) {
        drop(response);
        return fall_back(status, &mut upstream, sent).await;
    }
    let wire = wire(sent.api).filter(|_| sent.served && status == StatusCode::OK);
    let Some(wire) = wire else { return Ok(response.map(ResponseBody::untouched)) };
    let exchange = Exchange::new(sent, wire, upstream);
    let headers = response.headers();
    if let Some(framing) = Framing::of(headers) {
        Ok(stream::stitched(response, framing, exchange))
    } else if essence(headers).eq_ignore_ascii_case("application/json") {
        whole::stitched(response, exchange).await
    } else {
        Ok(response.map(ResponseBody::untouched))
    }
}

/// Whether the provider may have refused what the layer made of the request, and would not refuse what came.
fn may_be_ours(status: StatusCode, sent: &Sent) -> bool {
    match status.as_u16() {
        400 | 422 => true,
        413 => sent.sent.1.len() > sent.original.1.len(),
        _ => false,
    }
}

/// Sends the request as it came, once, and remembers the conversation if that is what the provider wants.
async fn fall_back<R, U>(
    status: StatusCode,
    upstream: &mut U,
    sent: Sent,
) -> Result<Response<ResponseBody<R>>, U::Error>
where
    U: Upstream<R>,
    R: Body,
{
    let (parts, body) = sent.original.clone();
    let response = upstream.ask(parts, body).await?;
    let accepted = response.status().is_success();
    let conversation = accepted.then(|| conversation(&sent)).flatten();
    let Sent { config, api, tenant, .. } = sent;
    if let Some(conversation) = conversation {
        config.rejected.add(&tenant, conversation);
    }
    emit::fell_back(&config, &FellBack { api, status, accepted });
    Ok(response.map(ResponseBody::untouched))
}
