//! The providers, on this machine.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// What a provider got.
#[derive(Clone)]
pub(crate) struct Got {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Answers every request with a whole answer or a stream, as the request wants, unless it has something else to say.
#[derive(Clone, Default)]
pub(crate) struct Providers {
    got: Arc<Mutex<Vec<Got>>>,
    instead: Arc<Mutex<VecDeque<(u16, Value)>>>,
    say: Arc<Mutex<Option<UnboundedSender<String>>>>,
}

impl Providers {
    pub(crate) async fn start(&self) -> String {
        let providers = self.clone();
        let app = Router::new().fallback(async move |request: Request| providers.answer(request).await);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        // A request that was cut off on the way is none.
        let Ok(body) = body.collect().await else { return Response::default() };
        let body = body.to_bytes();
        let path = parts.uri.to_string();
        let streams = path.contains(":stream") || body.windows(13).any(|part| part == br#""stream":true"#);
        self.got.lock().unwrap().push(Got { path: path.clone(), headers: parts.headers, body });
        let instead = self.instead.lock().unwrap().pop_front();
        if let Some((status, answer)) = instead {
            return whole(status, &answer);
        }
        if !streams {
            return whole(200, &answer(&path));
        }
        let (sender, receiver) = unbounded_channel();
        *self.say.lock().unwrap() = Some(sender);
        let events = stream::unfold(receiver, async |mut receiver| {
            Some((Ok::<_, std::io::Error>(receiver.recv().await?), receiver))
        });
        Response::builder()
            .header("content-type", "text/event-stream")
            .body(Body::from_stream(events))
            .unwrap()
    }

    /// Answers the next request with this.
    pub(crate) fn next(&self, status: u16, answer: Value) {
        self.instead.lock().unwrap().push_back((status, answer));
    }

    /// Says an event in the stream that began last.
    pub(crate) fn say(&self, event: &str) {
        self.say.lock().unwrap().as_ref().unwrap().send(event.to_owned()).unwrap();
    }

    /// Ends the stream that began last.
    pub(crate) fn end(&self) {
        self.say.lock().unwrap().take();
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

fn whole(status: u16, answer: &Value) -> Response {
    let mut response = Response::new(Body::from(answer.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert("content-type", "application/json".parse().unwrap());
    response
}

/// An answer of 12 tokens.
fn answer(path: &str) -> Value {
    match path {
        _ if path.starts_with("/v1/messages") => json!({
            "id": "m", "type": "message", "role": "assistant", "model": "claude",
            "content": [{"type": "text", "text": "A word. ".repeat(40)}], "stop_reason": "end_turn",
            "usage": {"input_tokens": 4, "cache_read_input_tokens": 6, "output_tokens": 2}}),
        _ if path.starts_with("/v1beta") => json!({
            "candidates": [{"content": {"role": "model", "parts": [{"text": "A word."}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 2}}),
        _ => json!({
            "id": "c", "object": "chat.completion", "model": "gpt",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "A word."}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 2}}),
    }
}
