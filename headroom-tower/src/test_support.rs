//! Bodies, engines, stores and observers for the tests.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use headroom_core::{Api, CompressOptions, Handle, Original, Outcome, Report, UnchangedReason};
use headroom_store::{OriginalStore, StoreError};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use crate::{
    Cancelled, Fallback, HeadroomBody, HeadroomLayer, Observer, PromptCompressionLayer, Retrieved, Rewritten,
    Skipped, StoreFailure,
    config::{Config, PromptEngine},
};

/// The path of a known API.
pub(crate) const PATH: &str = "/v1/chat/completions";

/// An engine that runs a test's function on each body.
pub(crate) struct FakeEngine<F>(F);

impl<F> PromptEngine for FakeEngine<F>
where
    F: Fn(Api, &[u8], &CompressOptions) -> Outcome + Send + Sync + 'static,
{
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
        self.0(api, body, options)
    }
}

impl<M, P> PromptCompressionLayer<M, P> {
    pub(crate) fn fake<F>(mut self, engine: F) -> Self
    where
        F: Fn(Api, &[u8], &CompressOptions) -> Outcome + Send + Sync + 'static,
    {
        self.config_mut().engine = Arc::new(FakeEngine(engine));
        self
    }
}

impl<M, P> HeadroomLayer<M, P> {
    pub(crate) fn set(&mut self, set: impl FnOnce(&mut Config)) {
        set(self.config_mut());
    }
}

/// Keeps the first half of every body.
pub(crate) fn halve(api: Api, body: &[u8], _: &CompressOptions) -> Outcome {
    Outcome::Rewritten {
        body: body[..body.len() / 2].to_vec(),
        originals: Vec::new(),
        report: report(api, body),
    }
}

/// Keeps the first half of every body and elides the other.
pub(crate) fn set_aside(api: Api, body: &[u8], _: &CompressOptions) -> Outcome {
    let (kept, dropped) = body.split_at(body.len() / 2);
    let content = String::from_utf8(dropped.to_vec()).unwrap();
    let original = Original::new(content);
    Outcome::Rewritten { body: kept.to_vec(), originals: vec![original], report: report(api, body) }
}

/// Whether the options forbid the elision that [`set_aside`] would make.
pub(crate) fn leaves_it(body: &[u8], options: &CompressOptions) -> bool {
    let dropped = String::from_utf8(body[body.len() / 2..].to_vec()).unwrap();
    *options == options.clone().without_originals([Handle::from_content(&dropped)])
}

pub(crate) fn unchanged(api: Api, body: &[u8], _: &CompressOptions) -> Outcome {
    Outcome::Unchanged { reason: UnchangedReason::NoSaving, report: report(api, body) }
}

fn report(api: Api, body: &[u8]) -> Report {
    let mut report = Report::default();
    report.api = Some(api);
    report.bytes_before = body.len();
    report.tokens_saved = 7;
    report
}

/// A body that runs a test's script, and panics when it is polled after its end.
#[derive(Debug, Default)]
pub(crate) struct TestBody {
    steps: VecDeque<BodyStep>,
    hint: SizeHint,
    ended: bool,
    pub(crate) polls: Arc<Mutex<usize>>,
}

#[derive(Debug)]
enum BodyStep {
    Data(Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
    Pending,
    Never,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadError(pub(crate) &'static str);

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ReadError {}

impl TestBody {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn chunk(data: impl Into<Bytes>) -> Self {
        let data = data.into();
        let hint = SizeHint::with_exact(data.len() as u64);
        Self { hint, ..Self::new().data(data) }
    }

    pub(crate) fn data(mut self, data: impl Into<Bytes>) -> Self {
        self.steps.push_back(BodyStep::Data(data.into()));
        self
    }

    pub(crate) fn trailers(mut self, name: &'static str, value: &'static str) -> Self {
        let mut trailers = HeaderMap::new();
        trailers.insert(name, value.parse().unwrap());
        self.steps.push_back(BodyStep::Trailers(trailers));
        self
    }

    pub(crate) fn error(mut self, message: &'static str) -> Self {
        self.steps.push_back(BodyStep::Error(message));
        self
    }

    pub(crate) fn pending(mut self) -> Self {
        self.steps.push_back(BodyStep::Pending);
        self
    }

    pub(crate) fn never(mut self) -> Self {
        self.steps.push_back(BodyStep::Never);
        self
    }

    pub(crate) fn hint(mut self, bytes: u64) -> Self {
        self.hint = SizeHint::with_exact(bytes);
        self
    }
}

impl Body for TestBody {
    type Data = Bytes;
    type Error = ReadError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReadError>>> {
        *self.polls.lock().unwrap() += 1;
        assert!(!self.ended, "polled after its end");
        match self.steps.pop_front() {
            Some(BodyStep::Data(data)) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Some(BodyStep::Trailers(trailers)) => Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
            Some(BodyStep::Error(message)) => {
                self.ended = true;
                Poll::Ready(Some(Err(ReadError(message))))
            }
            Some(BodyStep::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(BodyStep::Never) => {
                self.steps.push_front(BodyStep::Never);
                Poll::Pending
            }
            None => {
                self.ended = true;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

/// The content of a drained body: data, trailers and the error it ended with.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Drained {
    pub(crate) data: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
    pub(crate) error: Option<ReadError>,
}

pub(crate) async fn drain<B: Body<Data = Bytes, Error = ReadError>>(body: B) -> Drained {
    let mut body = std::pin::pin!(body);
    let mut drained = Drained::default();
    while let Some(frame) = body.frame().await {
        match frame {
            Err(error) => {
                drained.error = Some(error);
                break;
            }
            Ok(frame) => match frame.into_data() {
                Ok(data) => drained.data.extend_from_slice(&data),
                Err(frame) => drained.trailers = frame.into_trailers().ok(),
            },
        }
    }
    assert!(body.is_end_stream() || drained.error.is_some());
    drained
}

pub(crate) fn post(body: TestBody) -> Request<TestBody> {
    Request::post(PATH).header("content-type", "application/json").body(body).unwrap()
}

/// An inner service that returns its request to the test.
pub(crate) async fn echo(
    request: Request<HeadroomBody<TestBody>>,
) -> Result<Request<HeadroomBody<TestBody>>, Infallible> {
    Ok(request)
}

/// An inner service that answers.
pub(crate) async fn answer<B>(_: Request<B>) -> Result<Response<String>, Infallible> {
    Ok(Response::new("answer".to_owned()))
}

/// Records its events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    pub(crate) fn events(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn add(&self, event: String) {
        self.0.lock().unwrap().push(event);
    }
}

impl Observer for Recorder {
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        self.add(format!("rewritten {} {}->{}", event.api, event.bytes_before, event.bytes_after));
    }

    fn on_skipped(&self, event: &Skipped<'_>) {
        self.add(format!("skipped {}", event.reason));
    }

    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        self.add(format!("store {}", event.kind()));
    }

    fn on_retrieved(&self, event: &Retrieved) {
        let end = if event.incomplete { " gave up" } else { "" };
        self.add(format!("retrieved {} {} rounds {} calls{end}", event.api, event.rounds, event.calls));
    }

    fn on_fallback(&self, event: &Fallback) {
        let end = match (event.accepted, event.unbound) {
            _ if event.epoch => "without old thinking",
            (true, _) => "accepted",
            (_, true) => "unbound",
            _ => "refused",
        };
        self.add(format!("fell back {} {} {end}", event.api, event.status.as_u16()));
    }

    fn on_cancelled(&self, event: &Cancelled) {
        self.add(format!("cancelled {}", event.stage));
    }
}

/// A store that fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BadStore {
    Fails,
    Panics,
    Hangs,
}

#[async_trait]
impl OriginalStore for BadStore {
    async fn put_many(&self, _: &str, _: Vec<Original>) -> Result<(), StoreError> {
        match self {
            Self::Fails => Err(StoreError::unavailable("down")),
            Self::Panics => panic!("a bug in the store"),
            Self::Hangs => std::future::pending().await,
        }
    }

    async fn get(&self, tenant: &str, _: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        self.put_many(tenant, Vec::new()).await.map(|()| None)
    }
}

/// Encodes a body as clients do.
#[cfg(all(
    feature = "decompression-gzip",
    feature = "decompression-deflate",
    feature = "decompression-br",
    feature = "decompression-zstd"
))]
pub(crate) fn encode(name: &str, body: &[u8]) -> Vec<u8> {
    use std::io::Write;

    use flate2::{Compression, write};

    match name {
        "gzip" => {
            let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => {
            let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "raw-deflate" => {
            let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(body).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut encoded = Vec::new();
            brotli::CompressorWriter::new(&mut encoded, 4096, 5, 22).write_all(body).unwrap();
            encoded
        }
        "zstd" => zstd::encode_all(body, 3).unwrap(),
        _ => body.to_vec(),
    }
}

/// Runs a future that needs no runtime to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = Context::from_waker(std::task::Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}
