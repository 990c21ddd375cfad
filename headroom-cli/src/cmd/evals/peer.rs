//! Measures tools that are proxies by what they send upstream.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use headroom_core::Api;
use headroom_evals::{
    Compressor,
    compressor::{Failed, Sent, Turn},
    ordered_json::Node,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use super::client::EvalClient;
use crate::config::Base;

/// Why a proxy cannot be measured.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("cannot listen on {0} as the provider of other tools; choose another with --capture")]
    Listen(SocketAddr, #[source] io::Error),
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
}

/// A proxy, and the provider behind it, which is this process: it records each request and answers with the model's
/// next message of the conversation, so that a proxy that remembers answers remembers the real ones.
pub(super) struct Proxy {
    name: String,
    client: EvalClient,
    runtime: Runtime,
    provider: Arc<Mutex<CaptureProvider>>,
}

#[derive(Default)]
struct CaptureProvider {
    answer: Bytes,
    got: Option<Bytes>,
}

impl Proxy {
    pub(super) fn new(name: &str, base: Base, capture: SocketAddr) -> Result<Self, PeerError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(PeerError::Runtime)?;
        let provider = Arc::new(Mutex::new(CaptureProvider::default()));
        let listener = runtime
            .block_on(TcpListener::bind(capture))
            .map_err(|source| PeerError::Listen(capture, source))?;
        runtime.spawn(serve(listener, Arc::clone(&provider)));
        Ok(Self { name: name.to_owned(), client: EvalClient::new(base)?, runtime, provider })
    }

    fn provider(&self) -> std::sync::MutexGuard<'_, CaptureProvider> {
        self.provider.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Compressor for Proxy {
    fn name(&self) -> &str {
        &self.name
    }

    fn compress(&mut self, turn: &Turn<'_>) -> Result<Sent, Failed> {
        let failed = |what: String| Failed(what);
        let path = if turn.api == Api::Anthropic { "/v1/messages" } else { "/v1/chat/completions" };
        let body = whole(turn).map_err(|error| failed(error.to_string()))?;
        *self.provider() = CaptureProvider { answer: answer(turn), got: None };
        let sent = self.client.post(path, headers(turn), body);
        let answer = self.runtime.block_on(sent).map_err(|error| failed(error.to_string()))?;
        let Some(got) = self.provider().got.take() else {
            return Err(failed(format!("{path}: {} and nothing was sent on to the provider", answer.status)));
        };
        Ok(Sent { body: got.to_vec(), ..Sent::default() })
    }

    fn is_peer(&self) -> bool {
        true
    }
}

/// A request with what proxies require: a model, and for Anthropic `max_tokens`.
fn whole(turn: &Turn<'_>) -> serde_json::Result<Bytes> {
    let mut request: Node = serde_json::from_slice(turn.body)?;
    if let Node::Object(members) = &mut request {
        let model = if turn.api == Api::Anthropic { "claude-sonnet-4-5" } else { "gpt-4o" };
        let mut add = |key: &str, value: Node| {
            if !members.iter().any(|(known, _)| known == key) {
                members.push((key.to_owned(), value));
            }
        };
        add("model", Node::from_text(model));
        if turn.api == Api::Anthropic {
            add("max_tokens", Node::Scalar(json!(1024)));
        }
    }
    serde_json::to_vec(&request).map(Bytes::from)
}

fn headers(turn: &Turn<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    add("content-type", "application/json".to_owned());
    // Makes each conversation a session of its own.
    add("x-session-id", turn.conversation.to_owned());
    if turn.api == Api::Anthropic {
        add("x-api-key", format!("sk-ant-{}", turn.conversation));
        add("anthropic-version", "2023-06-01".to_owned());
    } else {
        add("authorization", format!("Bearer sk-{}", turn.conversation));
    }
    headers
}

/// The model's next message in the provider's format.
fn answer(turn: &Turn<'_>) -> Bytes {
    let message = turn.answer.and_then(|answer| serde_json::to_value(answer).ok());
    let content = message.as_ref().and_then(|message| message.get("content")).cloned();
    let value = if turn.api == Api::Anthropic {
        let content = match content {
            Some(Value::Array(blocks)) => Value::Array(blocks),
            Some(Value::String(text)) => json!([{"type": "text", "text": text}]),
            _ => json!([{"type": "text", "text": "Yes."}]),
        };
        let calls = content
            .as_array()
            .is_some_and(|blocks| blocks.iter().any(|block| block.get("type") == Some(&json!("tool_use"))));
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5", "content": content,
            "stop_reason": if calls { "tool_use" } else { "end_turn" }, "stop_sequence": null,
            "usage": {"input_tokens": 10, "output_tokens": 10, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0},
        })
    } else {
        let message = message.unwrap_or_else(|| json!({"role": "assistant", "content": "Yes."}));
        let calls = message.get("tool_calls").is_some_and(|calls| !calls.is_null());
        let finish = if calls { "tool_calls" } else { "stop" };
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o",
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20},
        })
    };
    Bytes::from(value.to_string())
}

async fn serve(listener: TcpListener, provider: Arc<Mutex<CaptureProvider>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let provider = Arc::clone(&provider);
        let service = service_fn(move |request| take(request, Arc::clone(&provider)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// Records the body of a turn. Token counts and other requests get a minimal answer.
async fn take(
    request: Request<Incoming>,
    provider: Arc<Mutex<CaptureProvider>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_turn = request.method() == Method::POST && !request.uri().path().ends_with("count_tokens");
    let encoding = request.headers().get(header::CONTENT_ENCODING).cloned();
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let answer = if is_turn {
        let mut provider = provider.lock().unwrap_or_else(PoisonError::into_inner);
        provider.got = Some(decoded(encoding.as_ref(), body));
        provider.answer.clone()
    } else {
        Bytes::from_static(br#"{"input_tokens":1,"data":[],"object":"list"}"#)
    };
    let mut response = Response::new(Full::new(answer));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// Decodes a body; returns it unchanged if the encoding is unknown.
fn decoded(encoding: Option<&HeaderValue>, body: Bytes) -> Bytes {
    use std::io::Read;
    let mut out = Vec::new();
    let read = match encoding.map(HeaderValue::as_bytes) {
        Some(b"gzip") => flate2::read::MultiGzDecoder::new(&*body).read_to_end(&mut out),
        Some(b"zstd") => {
            zstd::stream::read::Decoder::new(&*body).and_then(|mut body| body.read_to_end(&mut out))
        }
        _ => return body,
    };
    if read.is_ok() { out.into() } else { body }
}
