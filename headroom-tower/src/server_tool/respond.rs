//! Turns the provider's response into the client's.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
};

use bytes::Bytes;
use headroom_retrieval::{Command, Exchange, Input, Reply};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header, response::Parts};
use http_body::Body;

use super::{
    carrier::{Carrier, SentRequest, head},
    decoded::DecodedBody,
    stream::StitchedBody,
    time::sleep,
    upstream::Upstream,
};
use crate::{
    ResponseBody,
    body::Tail,
    decode::Codec,
    predicate::DIGESTS,
    read::{Read, ReadEnd},
};

/// The future of the client's response, once the request has been sent.
pub(crate) type Respond<R, E> = Pin<Box<dyn Future<Output = Result<Response<ResponseBody<R>>, E>> + Send>>;

/// Handles the provider's answer to a rewritten request.
pub(crate) async fn respond<R, U, F>(
    first: F,
    upstream: U,
    sent: SentRequest,
) -> Result<Response<ResponseBody<R>>, U::Error>
where
    F: Future<Output = Result<Response<R>, U::Error>> + Send,
    U: Upstream<R>,
    R: Body + Send + 'static,
    R::Data: Send,
    R::Error: Send,
{
    let (mut exchange, mut carrier) = sent.begin(upstream);
    let mut current = Received::new(&mut exchange, first.await?);
    let mut kept = None;
    loop {
        match exchange.poll() {
            Command::Send(request) => {
                // Another response comes in its place. Where it is not kept, its connection is freed first.
                kept = request.keeps_response.then_some(current);
                match carrier.send(request).await {
                    Ok(response) => current = Received::new(&mut exchange, response),
                    Err(error) => {
                        tell(&mut exchange, Input::Unreachable);
                        let reply = after_notes(&mut exchange, &carrier);
                        return match (kept, reply) {
                            (Some(kept), Command::Respond(Reply::Kept)) => Ok(kept.response()),
                            _ => Err(error),
                        };
                    }
                }
            }
            Command::Read { limit } => current.read(&mut exchange, limit).await,
            Command::Wait(pause) => match sleep(pause) {
                Some(pause) => {
                    current.body = None;
                    pause.await;
                    tell(&mut exchange, Input::Waited);
                }
                None => tell(&mut exchange, Input::CannotWait),
            },
            Command::Respond(Reply::Stream) => return Ok(current.stream(exchange, carrier)),
            Command::Respond(Reply::Kept) => return Ok(kept.unwrap_or(current).response()),
            Command::Respond(reply) => return Ok(current.answered(reply)),
            // A reply comes before these.
            Command::Write(_) | Command::Forward | Command::Fail | Command::Done => {
                return Ok(current.response());
            }
            command => {
                if let Some(input) = carrier.perform(command).await {
                    tell(&mut exchange, input);
                }
            }
        }
    }
}

/// Tells the exchange what it waits for.
pub(super) fn tell(exchange: &mut Exchange, input: Input) {
    let told = exchange.handle(input);
    debug_assert_eq!(told, Ok(()));
}

/// Carries out the commands that nothing waits for, and returns the next.
fn after_notes<U>(exchange: &mut Exchange, carrier: &Carrier<U>) -> Command {
    loop {
        match exchange.poll() {
            command @ (Command::Remember(_) | Command::Report(_)) => carrier.note(&command),
            command => return command,
        }
    }
}

/// Removes what describes the body that came, because another is sent.
fn forget_body(headers: &mut HeaderMap) {
    for name in ["content-encoding", "content-length", "transfer-encoding", "etag"].iter().chain(&DIGESTS) {
        headers.remove(*name);
    }
}

/// A response of the provider.
struct Received<R: Body> {
    parts: Parts,
    body: Option<R>,
    /// What was read of the body, as it came, and what follows.
    read: Option<(Bytes, Tail<R>)>,
}

impl<R: Body> Received<R> {
    fn new(exchange: &mut Exchange, response: Response<R>) -> Self {
        tell(exchange, Input::Head(head(&response)));
        let (parts, body) = response.into_parts();
        Self { parts, body: Some(body), read: None }
    }

    /// Reads the body, and gives it to the exchange.
    async fn read(&mut self, exchange: &mut Exchange, limit: u64) {
        let Some(body) = self.body.take() else {
            tell(exchange, Input::Broken);
            return;
        };
        let mut read = Read::new(body, limit);
        let (bytes, tail) = match poll_fn(|cx| read.poll(cx)).await {
            ReadEnd::Complete(bytes) => (bytes, Tail::End),
            ReadEnd::Partial(data, tail) => (data, tail),
        };
        match &tail {
            Tail::Rest(_) => tell(exchange, Input::Data(bytes.clone())),
            Tail::Error(..) => tell(exchange, Input::Broken),
            Tail::End | Tail::Trailers(..) => {
                let codec = Codec::from_headers(&self.parts.headers);
                match codec.and_then(|codec| codec.decode(&bytes, limit)) {
                    Ok(decoded) => {
                        let decoded = decoded.map_or_else(|| bytes.clone(), Bytes::from);
                        tell(exchange, Input::Data(decoded));
                        tell(exchange, Input::End);
                    }
                    Err(_) => tell(exchange, Input::Damaged),
                }
            }
        }
        self.read = Some((bytes, tail));
    }

    /// Returns the response as it was received.
    fn response(self) -> Response<ResponseBody<R>> {
        let body = match (self.read, self.body) {
            (Some((bytes, tail)), _) => ResponseBody::replay(bytes, tail),
            (None, Some(body)) => ResponseBody::untouched(body),
            (None, None) => ResponseBody::full(Bytes::new()),
        };
        Response::from_parts(self.parts, body)
    }

    /// Returns the client's response.
    fn answered(self, reply: Reply) -> Response<ResponseBody<R>> {
        match reply {
            Reply::Document(body) => self.document(body),
            Reply::Unfinished(body) => self.unfinished(body),
            Reply::Received | Reply::Kept | Reply::Stream => self.response(),
        }
    }

    /// Returns the response with another body.
    fn document(mut self, body: Bytes) -> Response<ResponseBody<R>> {
        forget_body(&mut self.parts.headers);
        self.parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len() as u64));
        Response::from_parts(self.parts, ResponseBody::full(body))
    }

    /// Returns the client's response if its answer cannot be completed.
    fn unfinished(mut self, body: Bytes) -> Response<ResponseBody<R>> {
        self.parts.status = StatusCode::BAD_GATEWAY;
        self.document(body)
    }

    /// Returns the response with the stitched stream as its body, without the provider's encoding.
    fn stream<U>(self, exchange: Exchange, carrier: Carrier<U>) -> Response<ResponseBody<R>>
    where
        U: Upstream<R>,
        R: Send + 'static,
        R::Data: Send,
        R::Error: Send,
    {
        let Self { mut parts, body, .. } = self;
        let body = body.map(|body| DecodedBody::new(&parts.headers, body));
        forget_body(&mut parts.headers);
        Response::from_parts(parts, ResponseBody::stitched(StitchedBody::new(exchange, carrier, body)))
    }
}
