use std::{
    fmt,
    future::Future,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use headroom_core::{Api, Means, Options, Report};
use http::{HeaderValue, Request, header, request::Parts};
use http_body::Body;

use crate::{
    Cancelled, HeadroomBody, HeadroomOverride, Predicate, RequestReport, Rewritten, SkipReason, Skipped,
    Stage, StoreFailed,
    body::Tail,
    config::Config,
    decode::Codec,
    emit::{self, Span},
    files::Storing,
    memory::{Reservation, Reserve},
    offload::Work,
    predicate::guard,
    read::{Read, ReadEnd},
    retrieve::{Ask, Kept, Recall, Recalled, Sent, drop_beta, recall},
    work::{Input, MAX_NEW_AT_ONCE, Output},
};

/// The future of [`CompressLayer::rewrite`](crate::CompressLayer::rewrite): the request that is to go on.
#[must_use = "futures do nothing unless polled"]
pub struct Rewrite<B: Body> {
    step: Step<B>,
    job: Option<Box<Job>>,
    /// What the response side needs, once the request is ready.
    sent: Option<Box<Sent>>,
    turned_away: bool,
}

/// What stays the same while a request is worked on.
struct Job {
    config: Arc<Config>,
    parts: Parts,
    codec: Codec,
    api: Option<Api>,
    options: Options,
    tenant: String,
    span: Span,
    elapsed: Option<Duration>,
    /// The body as it came, for the response side.
    came: Option<Bytes>,
    /// What the work on the body may take.
    memory: Option<Reservation>,
    /// Bytes of the body that was decoded, or put together, for the engine and the response side.
    decoded: u64,
    /// Whether what was hidden from the client was put back into the body.
    spliced: bool,
    /// What becomes of a thread that the client asks for.
    thread: Option<Kept>,
    /// Whether the store has failed, so that nothing can be set aside.
    store_failed: bool,
    ask: Ask,
    sent: Option<Box<Sent>>,
}

enum Step<B: Body> {
    Pass(Request<HeadroomBody<B>>),
    Read(Read<B>),
    /// Waits for memory.
    Reserve {
        reserve: Reserve,
        original: Bytes,
    },
    Recall {
        recall: Recall,
        original: Bytes,
    },
    Compress {
        work: Work<Output>,
        original: Bytes,
    },
    Store {
        storing: Storing,
        original: Bytes,
        rewritten: Vec<u8>,
        report: Arc<Report>,
        api: Api,
    },
    Done,
}

/// Whether a request is to be read.
pub(crate) enum Decision<B: Body> {
    Pass(Request<HeadroomBody<B>>),
    Read(Rewrite<B>),
}

/// Looks at the head of a request.
pub(crate) fn decide<B: Body, P: Predicate>(
    config: &Arc<Config>,
    predicate: &P,
    request: Request<B>,
) -> Decision<B> {
    let (parts, body) = request.into_parts();
    match admit(config, predicate, &parts, &body) {
        Ok(codec) => Decision::Read(Rewrite::read(Arc::clone(config), parts, body, codec)),
        Err(reason) => {
            emit::passed(config, reason);
            Decision::Pass(Request::from_parts(parts, HeadroomBody::untouched(body)))
        }
    }
}

fn admit<B: Body, P: Predicate>(
    config: &Config,
    predicate: &P,
    parts: &Parts,
    body: &B,
) -> Result<Codec, SkipReason> {
    let extensions = &parts.extensions;
    if extensions.get::<HeadroomOverride>().is_some_and(|own| own.disabled) {
        return Err(SkipReason::Disabled);
    }
    if extensions.get::<RequestReport>().is_some_and(RequestReport::is_rewritten) {
        return Err(SkipReason::AlreadyRewritten);
    }
    predicate.check(parts)?;
    guard(parts)?;
    let codec = Codec::of(&parts.headers)?;
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if body.size_hint().lower().max(announced.unwrap_or(0)) > config.max_body {
        return Err(SkipReason::BodyTooLarge);
    }
    Ok(codec)
}

impl<B: Body> Rewrite<B> {
    pub(crate) fn pass(request: Request<HeadroomBody<B>>) -> Self {
        Self { step: Step::Pass(request), job: None, sent: None, turned_away: false }
    }

    fn read(config: Arc<Config>, parts: Parts, body: B, codec: Codec) -> Self {
        let own = parts.extensions.get::<HeadroomOverride>();
        let tenant = config.tenant_of(&parts);
        let options = config.options(own, &tenant);
        let api = own.and_then(|own| own.api).or(config.api).or_else(|| Api::from_path(parts.uri.path()));
        let step = Step::Read(Read::new(body, config.max_body).metered(config.memory.meter()));
        let job = Job {
            config,
            parts,
            codec,
            api,
            options,
            tenant,
            span: Span::new(),
            elapsed: None,
            came: None,
            memory: None,
            decoded: 0,
            spliced: false,
            thread: None,
            store_failed: false,
            ask: Ask::default(),
            sent: None,
        };
        Self { step, job: Some(Box::new(job)), sent: None, turned_away: false }
    }

    /// Whether the client is to be told to send its conversation in full.
    pub(crate) fn is_turned_away(&self) -> bool {
        self.turned_away
    }

    /// What the response side needs, if the request was rewritten and there is one.
    pub(crate) fn take_sent(&mut self) -> Option<Sent> {
        self.sent.take().map(|sent| *sent)
    }

    fn poll_job(&mut self, job: &mut Job, cx: &mut Context<'_>) -> Poll<(HeadroomBody<B>, RequestReport)> {
        loop {
            match &mut self.step {
                Step::Read(read) => match ready!(read.poll(cx)) {
                    ReadEnd::Complete(original) => {
                        let decoded = job.codec.limit(original.len(), job.config.max_decoded);
                        self.step = Step::Reserve { reserve: job.config.memory.reserve(decoded), original };
                    }
                    ReadEnd::Partial(data, tail) => {
                        let report = job.skip(tail.reason(), None, None);
                        return Poll::Ready((HeadroomBody::replay(data, tail), report));
                    }
                },
                Step::Reserve { reserve, original } => {
                    job.memory = Some(ready!(reserve.poll(cx)));
                    let original = mem::take(original);
                    self.step = match job.recall(&original) {
                        Some(recall) => Step::Recall { recall, original },
                        None => Step::Compress { work: job.start(original.clone()), original },
                    };
                }
                Step::Recall { recall, original } => {
                    // A panic in the store must not take the request down with it.
                    let recalled = match catch_unwind(AssertUnwindSafe(|| recall.as_mut().poll(cx))) {
                        Ok(recalled) => ready!(recalled),
                        Err(_) => Recalled::default(),
                    };
                    let original = mem::take(original);
                    self.turned_away = recalled.thread == Some(Kept::Unknown);
                    let reason = match self.turned_away {
                        true => Some(SkipReason::Thread),
                        false => recalled.rejected.then_some(SkipReason::Rejected),
                    };
                    if let Some(reason) = reason {
                        job.api = recalled.api;
                        let report = job.skip(reason, Some(original.len()), None);
                        return Poll::Ready((HeadroomBody::full(original), report));
                    }
                    let body = job.recalled(recalled, &original);
                    self.step = Step::Compress { work: job.start(body.clone()), original: body };
                }
                Step::Compress { work, original } => {
                    let output = ready!(work.poll(cx));
                    let original = mem::take(original);
                    match self.compressed(job, output, original) {
                        Some(done) => return Poll::Ready(done),
                        None => continue,
                    }
                }
                Step::Store { storing, .. } => {
                    // A panic in the store must not take the request down with it.
                    let stored = match catch_unwind(AssertUnwindSafe(|| storing.as_mut().poll(cx))) {
                        Ok(stored) => ready!(stored).map_err(Some),
                        Err(_) => Err(None),
                    };
                    let step = mem::replace(&mut self.step, Step::Done);
                    let Step::Store { original, rewritten, report, api, .. } = step else {
                        return Poll::Pending;
                    };
                    if let Err(error) = stored {
                        job.span.store_failed(&job.config, &StoreFailed { error: error.as_ref(), api });
                        // What needs no store can still be done.
                        job.store_failed = true;
                        job.options = mem::take(&mut job.options).means(Means::None);
                        self.step = Step::Compress { work: job.start(original.clone()), original };
                        continue;
                    }
                    return Poll::Ready(job.send(original.len(), rewritten, report, api));
                }
                Step::Pass(_) | Step::Done => return Poll::Pending,
            }
        }
    }

    /// What follows from the engine's answer; `None` if something is to be stored first.
    fn compressed(
        &mut self,
        job: &mut Job,
        output: Result<Output, SkipReason>,
        original: Bytes,
    ) -> Option<(HeadroomBody<B>, RequestReport)> {
        let (report, result) = match output {
            Ok(output) => {
                job.api = output.api;
                job.elapsed = output.elapsed;
                (output.report.map(Arc::new), output.result)
            }
            Err(reason) => (None, Err(reason)),
        };
        let skip = |job: &Job, reason, report| {
            let original = job.came.clone().unwrap_or_else(|| original.clone());
            let report = job.skip(reason, Some(original.len()), report);
            Some((HeadroomBody::full(original), report))
        };
        let (rewritten, originals) = match (result, &report) {
            (Ok(rewritten), _) => rewritten,
            // There was nothing to make smaller, but what was put back must go on.
            (Err(SkipReason::Engine(_)), Some(_)) if job.spliced => (original.to_vec(), Vec::new()),
            (Err(_), _) if job.store_failed => return skip(job, SkipReason::StoreFailed, report),
            (Err(reason), _) => return skip(job, reason, report),
        };
        let (Some(api), Some(report)) = (job.api, report) else {
            return skip(job, SkipReason::Internal, None);
        };
        if originals.is_empty() {
            return Some(job.send(original.len(), rewritten, report, api));
        }
        if job.store_failed {
            return skip(job, SkipReason::StoreFailed, Some(report));
        }
        let Some(storing) = job.config.keep(report.means, &job.tenant, originals) else {
            return skip(job, SkipReason::NoStore, Some(report));
        };
        self.step = Step::Store { storing, original, rewritten, report, api };
        None
    }

    fn stage(&self) -> Option<Stage> {
        match self.step {
            Step::Read(_) => Some(Stage::Reading),
            Step::Reserve { .. } | Step::Compress { .. } => Some(Stage::Compressing),
            Step::Recall { .. } | Step::Store { .. } => Some(Stage::Storing),
            Step::Pass(_) | Step::Done => None,
        }
    }
}

impl Job {
    /// Looks up what was hidden from the client, where the layer sees responses at all.
    fn recall(&self, original: &Bytes) -> Option<Recall> {
        let config = &self.config;
        let wanted = config.serve && config.store.is_some();
        wanted.then(|| {
            let (api, tenant) = (self.api, self.tenant.clone());
            let body = (original.clone(), self.codec);
            recall(Arc::clone(config), &self.parts, api, tenant, body, self.memory.clone())
        })
    }

    /// Goes on with what was found. The body that the engine gets.
    fn recalled(&mut self, recalled: Recalled, original: &Bytes) -> Bytes {
        self.came = Some(original.clone());
        self.api = recalled.api;
        self.ask = recalled.ask;
        self.spliced = recalled.spliced;
        self.thread = recalled.thread;
        // The layer does not offer what it could not answer.
        if !recalled.serves && self.config.means(self.parts.extensions.get()) == Means::Served {
            self.options = mem::take(&mut self.options).means(Means::None);
        }
        match recalled.body {
            Some(body) => {
                self.codec = Codec::Identity;
                self.decoded = body.len() as u64;
                if let Some(memory) = &self.memory {
                    memory.shrink_to_work_on(self.decoded);
                }
                body
            }
            None => original.clone(),
        }
    }

    fn start(&self, body: Bytes) -> Work<Output> {
        let engine = Arc::clone(&self.config.engine);
        let input = Input {
            body,
            codec: self.codec,
            api: self.api,
            options: self.options.clone(),
            max_decoded: self.config.max_decoded,
            memory: self.memory.clone(),
            max_new: usize::MAX,
        };
        let offload = &self.config.offload;
        let mut size = if engine.is_costly() { u64::MAX } else { input.size() };
        if size <= offload.threshold && offload.has_pool() {
            // Nobody knows how much is new before the engine has looked. What it finds out is not lost.
            let (engine, input) = (Arc::clone(&engine), Input { max_new: MAX_NEW_AT_ONCE, ..input.clone() });
            let work = offload.start(size, Box::new(move |cancelled| input.run(&*engine, cancelled)));
            if !matches!(&work, Work::Done(Some(Ok(output))) if output.is_unfinished()) {
                return work;
            }
            size = u64::MAX;
        }
        offload.start(size, Box::new(move |cancelled| input.run(&*engine, cancelled)))
    }

    fn skip(&self, reason: SkipReason, bytes: Option<usize>, report: Option<Arc<Report>>) -> RequestReport {
        let event = Skipped {
            reason,
            api: self.api,
            report: report.as_deref(),
            bytes: bytes.map(|bytes| bytes as u64),
            elapsed: self.elapsed,
        };
        self.span.skipped(&self.config, &event);
        RequestReport::skipped(reason, report)
    }

    /// The one place where a new body and the headers that describe it are put on the request.
    fn send<B: Body>(
        &mut self,
        bytes_before: usize,
        rewritten: Vec<u8>,
        report: Arc<Report>,
        api: Api,
    ) -> (HeadroomBody<B>, RequestReport) {
        let bytes_after = rewritten.len() as u64;
        let rewritten = match &self.memory {
            Some(memory) => memory.hold(Bytes::from(rewritten), self.decoded),
            None => Bytes::from(rewritten),
        };
        let came = self.came.take().map(|came| (self.parts.clone(), came));
        let bytes_before = came.as_ref().map_or(bytes_before, |(_, came)| came.len());
        let headers = &mut self.parts.headers;
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes_after));
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONTENT_ENCODING);
        if self.thread.is_some() {
            drop_beta(headers);
        }
        if let Some(original) = came {
            let served = report.means == Means::Served;
            if served {
                // An answer that is encoded cannot be stitched.
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            self.sent = Some(Box::new(Sent {
                config: Arc::clone(&self.config),
                api,
                tenant: self.tenant.clone(),
                original,
                sent: (self.parts.clone(), rewritten.clone()),
                served,
                ask: mem::take(&mut self.ask),
            }));
        }
        let bytes_before = bytes_before as u64;
        let event = Rewritten { api, report: &report, bytes_before, bytes_after, elapsed: self.elapsed };
        self.span.rewritten(&self.config, &event);
        (HeadroomBody::full(rewritten), RequestReport::rewritten(report))
    }
}

impl<B: Body> Tail<B> {
    /// Why a body with this tail is not rewritten.
    fn reason(&self) -> SkipReason {
        match self {
            Self::Rest(_) => SkipReason::BodyTooLarge,
            Self::Trailers(..) => SkipReason::Trailers,
            Self::Error(..) => SkipReason::ReadFailed,
            Self::End => SkipReason::Internal,
        }
    }
}

// Nothing in here is pinned in place: the body is boxed.
impl<B: Body> Unpin for Rewrite<B> {}

impl<B: Body> Future for Rewrite<B> {
    type Output = Request<HeadroomBody<B>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut job) = self.job.take() else {
            return match mem::replace(&mut self.step, Step::Done) {
                Step::Pass(request) => Poll::Ready(request),
                _ => Poll::Pending,
            };
        };
        let span = job.span.clone();
        match span.scope(|| self.poll_job(&mut job, cx)) {
            Poll::Pending => {
                self.job = Some(job);
                Poll::Pending
            }
            Poll::Ready((body, report)) => {
                self.step = Step::Done;
                self.sent = job.sent.take();
                job.parts.extensions.insert(report);
                Poll::Ready(Request::from_parts(job.parts, body))
            }
        }
    }
}

impl<B: Body> Drop for Rewrite<B> {
    fn drop(&mut self) {
        if let (Some(job), Some(stage)) = (&self.job, self.stage()) {
            job.span.cancelled(&job.config, &Cancelled { stage });
        }
    }
}

impl<B: Body> fmt::Debug for Rewrite<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rewrite").field("stage", &self.stage()).finish_non_exhaustive()
    }
}
