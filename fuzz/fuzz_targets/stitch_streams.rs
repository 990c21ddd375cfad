//! Any bytes as a provider's stream, of every API and framing, with every kind of line end: no panic, the same answer wherever the stream is cut,
//! nothing swallowed where nothing is ours, and no more calls than allowed.
#![no_main]

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use futures_util::stream;
use headroom_tower::{HeadroomBody, HeadroomLayer, headroom_store::MemoryStore};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use libfuzzer_sys::fuzz_target;
use tower::{Layer, ServiceExt, service_fn};

const TOOL: &str = r#""name":"Bash","description":"Runs","#;
const SCHEMA: &str = r#"{"type":"object","properties":{"command":{"type":"string"}}}"#;

fuzz_target!(|data: &[u8]| {
    let [api, cut, sent @ ..] = data else { return };
    let (path, ask, kind) = request(*api);
    let sent = if kind.contains("amazon") { sent.to_vec() } else { ended(sent, api / 5 % 4) };
    let sent = &*sent;
    let (whole, calls) = run(path, &ask, kind, sent, sent.len());
    assert!(calls <= 8, "{calls} calls of the provider");
    let (pieces, cut_calls) = run(path, &ask, kind, sent, usize::from(*cut) + 1);
    assert_eq!(pieces, whole, "where the stream is cut makes a difference");
    assert_eq!(cut_calls, calls);
    // Names may be escaped or come in pieces, and events may be in base64.
    let text = String::from_utf8_lossy(sent);
    let in_pieces = path.contains("chat") && text.contains("tool_calls");
    if !in_pieces && !kind.contains("amazon") && !text.contains("headroom_retrieve") && !text.contains("\\u")
    {
        assert_eq!(whole, sent, "something was swallowed that is not ours");
    }
});

/// The stream with its line ends as they are, as LF, as CRLF or as CR.
fn ended(stream: &[u8], kind: u8) -> Vec<u8> {
    let ending: &[u8] = match kind {
        0 => return stream.to_vec(),
        1 => b"\n",
        2 => b"\r\n",
        _ => b"\r",
    };
    stream.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(ending)
}

/// A request in which the tool is offered, and what its answer is called.
fn request(api: u8) -> (&'static str, String, &'static str) {
    const SSE: &str = "text/event-stream";

    let anthropic = format!(
        r#"{{"tools":[{{{TOOL}"input_schema":{SCHEMA}}}],"messages":[{{"role":"user","content":"x"}}]}}"#
    );
    match api % 5 {
        0 => ("/v1/messages", anthropic, SSE),
        1 => {
            let tool = format!(r#"{{"type":"function","function":{{{TOOL}"parameters":{SCHEMA}}}}}"#);
            let ask = format!(r#"{{"tools":[{tool}],"messages":[{{"role":"user","content":"x"}}]}}"#);
            ("/v1/chat/completions", ask, SSE)
        }
        2 => {
            let tool = format!(r#"{{"type":"function",{TOOL}"parameters":{SCHEMA}}}"#);
            ("/v1/responses", format!(r#"{{"tools":[{tool}],"input":"x"}}"#), SSE)
        }
        3 => {
            let tool = format!(r#"{{"functionDeclarations":[{{{TOOL}"parameters":{SCHEMA}}}]}}"#);
            let ask =
                format!(r#"{{"tools":[{tool}],"contents":[{{"role":"user","parts":[{{"text":"x"}}]}}]}}"#);
            ("/v1beta/models/m:streamGenerateContent?alt=sse", ask, SSE)
        }
        _ => ("/model/m/invoke-with-response-stream", anthropic, "application/vnd.amazon.eventstream"),
    }
}

/// What the client gets where the provider answers with this stream each time, and how often it was asked.
fn run(path: &str, ask: &str, kind: &'static str, sent: &[u8], cut: usize) -> (Vec<u8>, usize) {
    let calls = Arc::new(AtomicUsize::new(0));
    let chunks: Vec<_> = sent.chunks(cut.max(1)).map(Bytes::copy_from_slice).collect();
    let counter = Arc::clone(&calls);
    let service = service_fn(move |request: Request<HeadroomBody<Full<Bytes>>>| {
        drop(request);
        counter.fetch_add(1, Ordering::Relaxed);
        let frames = chunks.clone().into_iter().map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
        let body = StreamBody::new(stream::iter(frames));
        let response = Response::builder().header("content-type", kind).body(body).unwrap();
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let request = Request::post(path).header("content-type", "application/json");
    let request = request.body(Full::from(ask.to_owned())).unwrap();
    let answer = async {
        let response =
            HeadroomLayer::with_store(MemoryStore::new()).layer(service).oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes().to_vec()
    };
    let answer = block_on(answer);
    (answer, calls.load(Ordering::Relaxed))
}

/// Nothing in a run waits for anything outside of it.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}
