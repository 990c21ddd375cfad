//! A provider that says what it is told, and a client that reads it.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use headroom_core::{Api, CompressOptions, Engine, Handle, Original, Outcome, Retrieval};
use headroom_json::Value;
use headroom_store::{MemoryStore, OriginalStore};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

use crate::{
    HeadroomBody, HeadroomLayer, ResponseBody,
    config::PromptEngine,
    test_support::{Recorder, TestBody},
};

/// The text that is omitted in these tests.
pub(super) const KEPT: &str = "first\nsecond\nthird\n";

pub(super) fn handle() -> Handle {
    Handle::from_content(KEPT)
}

/// Puts the tool last into `tools` where it is asked to serve, also where the engine would find it not worth it.
pub(super) struct Serving(pub(super) Engine);

impl PromptEngine for Serving {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
        let serve = *options == options.clone().retrieval(Retrieval::ServerTool);
        let text = std::str::from_utf8(body).unwrap();
        let tools = Value::parse(text).and_then(|root| root.get("tools")).filter(|tools| tools.is_array());
        let (Some(tools), true) = (tools, serve) else { return self.0.compress(api, body, options) };
        let (before, after) = text.split_at(tools.end() - 1);
        let body = format!("{before},{}{after}", tool(api)).into_bytes();
        let (body, originals, mut report) = match self.0.compress(api, &body, options) {
            Outcome::Rewritten { body, originals, report } => (body, originals, report),
            outcome => (body, Vec::new(), outcome.report().clone()),
        };
        // The engine takes the tool for the client's own.
        report.retrieval = Retrieval::ServerTool;
        Outcome::Rewritten { body, originals, report }
    }
}

pub(super) fn tool(api: Api) -> &'static str {
    match api {
        Api::OpenAiChat => r#"{"type":"function","function":{"name":"headroom_retrieve","parameters":{}}}"#,
        Api::OpenAiResponses => r#"{"type":"function","name":"headroom_retrieve","parameters":{}}"#,
        Api::Gemini => r#"{"functionDeclarations":[{"name":"headroom_retrieve"}]}"#,
        _ => r#"{"name":"headroom_retrieve","input_schema":{"type":"object"}}"#,
    }
}

/// One scripted answer.
#[derive(Clone, Debug)]
pub(super) struct Say {
    status: u16,
    kind: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    pub(super) chunks: Vec<Bytes>,
    end: End,
}

/// What follows the last chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Whole,
    Breaks,
    /// Nothing ever comes.
    Hangs,
    /// Not even a head comes.
    Silent,
}

impl Say {
    pub(super) fn events(stream: &str) -> Self {
        Self {
            status: 200,
            kind: "text/event-stream; charset=utf-8",
            headers: Vec::new(),
            chunks: vec![Bytes::copy_from_slice(stream.as_bytes())],
            end: End::Whole,
        }
    }

    pub(super) fn json(body: &str) -> Self {
        Self { kind: "application/json", ..Self::events(body) }
    }

    /// In frames of AWS.
    pub(super) fn frames(stream: Vec<u8>) -> Self {
        let kind = "application/vnd.amazon.eventstream";
        Self { kind, chunks: vec![stream.into()], ..Self::events("") }
    }

    pub(super) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// In pieces of this many bytes.
    pub(super) fn cut(mut self, size: usize) -> Self {
        let whole = self.chunks.concat();
        self.chunks = whole.chunks(size).map(Bytes::copy_from_slice).collect();
        self
    }

    /// The connection breaks behind it.
    pub(super) fn breaks(mut self) -> Self {
        self.end = End::Breaks;
        self
    }

    /// The connection stays open behind it.
    pub(super) fn hangs(mut self) -> Self {
        self.end = End::Hangs;
        self
    }

    /// The request is never answered.
    pub(super) fn silent() -> Self {
        Self { end: End::Silent, ..Self::events("") }
    }

    /// Holds `open` for as long as anybody waits for it.
    async fn response(self, open: Arc<Mutex<usize>>) -> Response<TestBody> {
        if self.end == End::Silent {
            let _held = open;
            return std::future::pending().await;
        }
        let mut body = TestBody::new();
        body.polls = open;
        for chunk in self.chunks {
            body = body.data(chunk).pending();
        }
        match self.end {
            End::Breaks => body = body.error("reset"),
            End::Hangs => body = body.never(),
            End::Whole | End::Silent => {}
        }
        let mut response = Response::builder()
            .status(self.status)
            .header("content-type", self.kind)
            .header("request-id", "r");
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        response.body(body).unwrap()
    }
}

/// What the provider got.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) body: String,
    pub(super) head: http::request::Parts,
}

/// A layer with a store, in front of a scripted provider.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) layer: HeadroomLayer,
    pub(super) recorder: Recorder,
    script: Arc<Mutex<VecDeque<Say>>>,
    got: Arc<Mutex<Vec<Got>>>,
    open: Arc<Mutex<usize>>,
    path: &'static str,
}

/// What the client got.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: String,
    pub(super) frames: Vec<Bytes>,
    pub(super) error: Option<String>,
}

impl Answer {
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.frames.concat()
    }
}

impl Setup {
    pub(super) fn new(path: &'static str) -> Self {
        let store = MemoryStore::new();
        let recorder = Recorder::default();
        let mut layer = HeadroomLayer::with_store(store.clone()).retrieval(Retrieval::ServerTool);
        layer = layer.observer(recorder.clone()).tenant_from(|_| "team".to_owned());
        layer.set(|config| config.engine = Arc::new(Serving(Engine::new())));
        let original = Original::with_handle(handle(), KEPT.to_owned());
        crate::test_support::block_on(store.put_many("team", vec![original])).unwrap();
        Self { layer, recorder, script: Arc::default(), got: Arc::default(), open: Arc::default(), path }
    }

    pub(super) fn says(self, says: impl IntoIterator<Item = Say>) -> Self {
        self.script.lock().unwrap().extend(says);
        self
    }

    pub(super) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    pub(super) fn take_got(&self) -> Vec<Got> {
        std::mem::take(&mut self.got.lock().unwrap())
    }

    /// Whether nobody waits for an answer of the provider, or for more of one.
    pub(super) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.open) == 1
    }

    pub(super) fn left(&self) -> usize {
        self.script.lock().unwrap().len()
    }

    /// The response before anything of its body is read.
    pub(super) async fn open(&self, body: &str) -> Response<ResponseBody<TestBody>> {
        self.open_with(body, &[]).await
    }

    pub(super) async fn open_with(
        &self,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Response<ResponseBody<TestBody>> {
        let (script, got, open) = (self.script.clone(), self.got.clone(), self.open.clone());
        let inner = service_fn(move |request: Request<HeadroomBody<TestBody>>| {
            let (script, got, open) = (script.clone(), got.clone(), open.clone());
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let length =
                    head.headers.get("content-length").map(|length| length.to_str().unwrap().to_owned());
                assert!(length.is_none_or(|length| length == body.len().to_string()), "content-length");
                got.lock().unwrap().push(Got { body: String::from_utf8(body.to_vec()).unwrap(), head });
                let say = script.lock().unwrap().pop_front().expect("one more answer in the script");
                Ok::<_, Infallible>(say.response(open).await)
            }
        });
        let request = Request::post(self.path)
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header("accept-encoding", "gzip, br");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = request.body(TestBody::chunk(body.to_owned())).unwrap();
        self.layer.layer(inner).oneshot(request).await.unwrap()
    }

    pub(super) async fn send(&self, body: &str) -> Answer {
        read(self.open(body).await).await
    }
}

/// Reads a response to its end.
pub(super) async fn read(response: Response<ResponseBody<TestBody>>) -> Answer {
    let (head, body) = response.into_parts();
    let mut body = std::pin::pin!(body);
    let mut answer = Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: String::new(),
        frames: Vec::new(),
        error: None,
    };
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => answer.frames.extend(frame.into_data().ok()),
            Err(error) => {
                answer.error = Some(error.to_string());
                break;
            }
        }
    }
    answer.body = String::from_utf8_lossy(&answer.frames.concat()).into_owned();
    if let Some(length) = answer.headers.get("content-length") {
        assert_eq!(length.to_str().unwrap(), answer.frames.concat().len().to_string());
    }
    answer
}

/// The data of every event that has any.
pub(super) fn data(stream: &str) -> Vec<serde_json::Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
}
