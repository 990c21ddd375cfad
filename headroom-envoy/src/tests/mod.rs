//! Streams of messages, in and out of order.

mod arriving;
mod calls;
mod orders;
mod streams;

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::StreamExt;
use headroom_tower::PromptCompressionLayer;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tokio_stream::Stream;
use tonic::Status;

use crate::{
    arrival::Release,
    exchange::Exchange,
    messages::{Interrupted, Messages},
    proto::{
        BodySendMode, HeaderMap, HeaderValue, HttpBody, HttpHeaders, HttpTrailers, Mutation, Part,
        PartResponse, ProcessingRequest, ProcessingResponse, ProtocolConfiguration,
    },
    replies::{Replies, ReplyStream},
};

const DUPLEX: BodySendMode = BodySendMode::FullDuplexStreamed;
const BUFFERED: BodySendMode = BodySendMode::Buffered;

/// Gives messages one after the other, and before each as many times nothing as it says.
struct Script {
    messages: std::vec::IntoIter<(usize, ProcessingRequest)>,
    next: Option<(usize, ProcessingRequest)>,
}

impl Script {
    fn new(messages: Vec<(usize, ProcessingRequest)>) -> Self {
        let mut messages = messages.into_iter();
        let next = messages.next();
        Self { messages, next }
    }
}

impl Stream for Script {
    type Item = Result<ProcessingRequest, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.next.take() {
            Some((0, message)) => {
                self.next = self.messages.next();
                Poll::Ready(Some(Ok(message)))
            }
            Some((pauses, message)) => {
                self.next = Some((pauses - 1, message));
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }
}

/// The answers to these messages, in one mode for the request's body.
fn answers(layer: &PromptCompressionLayer, mode: Option<BodySendMode>, parts: Vec<(usize, Part)>) -> Answers {
    let mut messages: Vec<_> = parts
        .into_iter()
        .map(|(pauses, part)| (pauses, ProcessingRequest { request: Some(part), ..Default::default() }))
        .collect();
    if let Some((_, first)) = messages.first_mut() {
        first.protocol_config = mode.map(|mode| ProtocolConfiguration {
            request_body_mode: mode.into(),
            response_body_mode: BodySendMode::None.into(),
        });
    }
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let watch = Arc::clone(&seen);
    let replies = Replies::default();
    let exchange = Exchange::new(
        layer.clone(),
        Arc::new(move |request| {
            let reason = request.report.skip_reason().map_or("rewritten", |reason| reason.as_str());
            watch.lock().unwrap().push(format!("{} {} {reason}", request.method, request.path));
        }),
        Messages::new(Script::new(messages), Release::default()),
        replies.clone(),
    );
    let work = async move { exchange.run(|_| {}).await.map_err(|Interrupted| Status::data_loss("")) };
    // An error is the last of all.
    let mut answers: Vec<Result<ProcessingResponse, Status>> =
        block_on(ReplyStream::new(replies, work).collect());
    let is_broken = answers.pop_if(|last| last.is_err()).is_some();
    let answers = answers.into_iter().map(|answer| answer.unwrap().response.unwrap()).collect();
    let seen = seen.lock().unwrap().clone();
    Answers { answers, seen, is_broken }
}

/// What came of a stream.
struct Answers {
    answers: Vec<PartResponse>,
    /// What the watch was told.
    seen: Vec<String>,
    /// Whether it ended with an error.
    is_broken: bool,
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn layer() -> PromptCompressionLayer {
    PromptCompressionLayer::new()
}

/// A request in which a tool printed this many records, which make a far smaller table.
fn request(records: usize) -> Vec<u8> {
    let record = |n: usize| {
        format!("  {{\n    \"id\": {n},\n    \"state\": \"open\",\n    \"zone\": \"eu-west-1\"\n  }}")
    };
    let output = format!("[\n{}\n]", (0..records).map(record).collect::<Vec<_>>().join(",\n"));
    json!({"model": "claude-opus-5-5", "max_tokens": 9, "messages": [
        {"role": "user", "content": "why?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": output}]}]})
    .to_string()
    .into_bytes()
}

/// What the layer makes of a body.
fn rewritten(layer: &PromptCompressionLayer, body: &[u8]) -> Vec<u8> {
    let request = http::Request::post("/v1/messages").body(Full::new(Bytes::copy_from_slice(body))).unwrap();
    block_on(async { layer.rewrite(request).await.into_body().collect().await.unwrap().to_bytes().to_vec() })
}

fn headers(headers: &[(&str, &str)]) -> HeaderMap {
    let header = |(key, value): &(&str, &str)| HeaderValue {
        key: (*key).to_owned(),
        raw_value: Bytes::copy_from_slice(value.as_bytes()),
        ..Default::default()
    };
    HeaderMap { headers: headers.iter().map(header).collect() }
}

fn head(path: &str, more: &[(&str, &str)]) -> Part {
    let mut all = vec![(":method", "POST"), (":path", path), (":scheme", "http"), (":authority", "a")];
    all.extend(more);
    Part::RequestHeaders(HttpHeaders { headers: Some(headers(&all)), end_of_stream: false })
}

fn body(data: &[u8], end_of_stream: bool) -> Part {
    Part::RequestBody(HttpBody { body: Bytes::copy_from_slice(data), end_of_stream })
}

fn trailers() -> Part {
    Part::RequestTrailers(HttpTrailers { trailers: Some(headers(&[("x-sum", "1")])) })
}

/// The pieces of a request's body in answers, and whether each is the last.
fn pieces(answers: &[PartResponse]) -> Vec<(Vec<u8>, bool)> {
    answers.iter().filter_map(piece).collect()
}

fn piece(answer: &PartResponse) -> Option<(Vec<u8>, bool)> {
    let PartResponse::RequestBody(body) = answer else { return None };
    match body.response.as_ref()?.body_mutation.as_ref()?.mutation.as_ref()? {
        Mutation::StreamedResponse(piece) => Some((piece.body.to_vec(), piece.end_of_stream)),
        Mutation::Body(_) => None,
    }
}
