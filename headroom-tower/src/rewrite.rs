use std::{
    collections::BTreeSet,
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
use headroom_core::{Api, CompressOptions, Handle, Original, Report, Retrieval};
use headroom_store::StoreError;
use http::{HeaderValue, Request, header, request::Parts};
use http_body::Body;

use crate::{
    Cancelled, HeadroomBody, HeadroomOverride, Predicate, RequestReport, Rewritten, SkipReason, Skipped,
    Stage, StoreFailure,
    blocking::Work,
    body::Tail,
    compress_task::{Input, MAX_NEW_AT_ONCE, Output},
    config::Config,
    decode::Codec,
    files::{Answer, Asking, Storing},
    memory::{Reservation, Reserve},
    predicate::guard,
    read::{Read, ReadEnd},
    server_tool::{ResponseContext, Restore, RestoredRequest, SentRequest, ThreadState, drop_beta, restore},
    telemetry::{self, Span},
    tenant::Tenant,
};

/// The future of [`PromptCompressionLayer::rewrite`](crate::PromptCompressionLayer::rewrite), which resolves to the
/// request to send.
#[must_use = "futures do nothing unless polled"]
pub struct Rewrite<B: Body> {
    step: RewriteStep<B>,
    job: Option<Box<Job>>,
    /// Data for the response side, once the request is ready.
    sent: Option<Box<SentRequest>>,
    turned_away: bool,
}

/// State that lasts while one request is rewritten.
struct Job {
    config: Arc<Config>,
    parts: Parts,
    codec: Codec,
    api: Option<Api>,
    options: CompressOptions,
    tenant: Tenant,
    span: Span,
    elapsed: Option<Duration>,
    /// The original body, for the response side.
    came: Option<Bytes>,
    /// Memory reserved for work on the body.
    memory: Option<Reservation>,
    /// Bytes of decoded or restored body held for the engine and the response side.
    decoded: u64,
    /// Whether hidden exchanges were restored in the body.
    spliced: bool,
    /// State of the message thread that the client asks for.
    thread: Option<ThreadState>,
    /// Whether the store has failed, so that nothing new can be elided.
    store_failure: bool,
    /// Originals that the store still has despite its failure.
    stored: BTreeSet<Handle>,
    /// Originals that the engine was told not to need.
    unstored: BTreeSet<Handle>,
    ask: ResponseContext,
    /// Handles of content elided in this request.
    handles: Vec<Handle>,
    sent: Option<Box<SentRequest>>,
}

enum RewriteStep<B: Body> {
    Pass(Request<HeadroomBody<B>>),
    Read(Read<B>),
    /// Waits for memory.
    Reserve {
        reserve: Reserve,
        original: Bytes,
    },
    Recall {
        recall: Restore,
        original: Bytes,
    },
    Compress {
        work: Work<Output>,
        original: Bytes,
    },
    Store {
        storing: Storing,
        draft: Draft,
    },
    /// Asks which originals are stored, after storing failed.
    Ask {
        asking: Asking,
        draft: Draft,
    },
    Done,
}

/// A rewritten body that can be sent once its originals are stored.
struct Draft {
    original: Bytes,
    rewritten: Vec<u8>,
    report: Arc<Report>,
    api: Api,
    handles: Vec<Handle>,
}

/// Decides whether the body of a request is read.
pub(crate) enum Decision<B: Body> {
    Pass(Request<HeadroomBody<B>>),
    Read(Rewrite<B>),
}

/// Decides from the head of a request whether to read its body.
pub(crate) fn decide<B: Body, P: Predicate>(
    config: &Arc<Config>,
    predicate: &P,
    request: Request<B>,
) -> Decision<B> {
    let (parts, body) = request.into_parts();
    match admit(config, predicate, &parts, &body) {
        Ok(codec) => Decision::Read(Rewrite::read(Arc::clone(config), parts, body, codec)),
        Err(reason) => {
            telemetry::passed(config, reason);
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
    let codec = Codec::from_headers(&parts.headers)?;
    let announced =
        parts.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if body.size_hint().lower().max(announced.unwrap_or(0)) > config.max_body {
        return Err(SkipReason::BodyTooLarge);
    }
    Ok(codec)
}

impl<B: Body> Rewrite<B> {
    pub(crate) fn pass(request: Request<HeadroomBody<B>>) -> Self {
        Self { step: RewriteStep::Pass(request), job: None, sent: None, turned_away: false }
    }

    fn read(config: Arc<Config>, parts: Parts, body: B, codec: Codec) -> Self {
        let own = parts.extensions.get::<HeadroomOverride>();
        let tenant = config.tenant(&parts);
        let options = config.options(own, &tenant.name);
        let api = own.and_then(|own| own.api).or(config.api).or_else(|| Api::from_path(parts.uri.path()));
        let step = RewriteStep::Read(Read::new(body, config.max_body).metered(config.memory.meter()));
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
            store_failure: false,
            stored: BTreeSet::new(),
            unstored: BTreeSet::new(),
            ask: ResponseContext::default(),
            handles: Vec::new(),
            sent: None,
        };
        Self { step, job: Some(Box::new(job)), sent: None, turned_away: false }
    }

    /// Whether the client must be told to send its conversation in full.
    pub(crate) fn rejects_thread(&self) -> bool {
        self.turned_away
    }

    /// Takes the data for the response side, if the request was rewritten and the response is watched.
    pub(crate) fn take_sent(&mut self) -> Option<SentRequest> {
        self.sent.take().map(|sent| *sent)
    }

    fn poll_job(&mut self, job: &mut Job, cx: &mut Context<'_>) -> Poll<(HeadroomBody<B>, RequestReport)> {
        loop {
            match &mut self.step {
                RewriteStep::Read(read) => match ready!(read.poll(cx)) {
                    ReadEnd::Complete(original) => {
                        let decoded = job.codec.limit(original.len(), job.config.max_decompressed_body);
                        self.step =
                            RewriteStep::Reserve { reserve: job.config.memory.reserve(decoded), original };
                    }
                    ReadEnd::Partial(data, tail) => {
                        let report = job.skip(tail.reason(), None, None);
                        return Poll::Ready((HeadroomBody::replay(data, tail), report));
                    }
                },
                RewriteStep::Reserve { reserve, original } => {
                    job.memory = Some(ready!(reserve.poll(cx)));
                    let original = mem::take(original);
                    self.step = match job.recall(&original) {
                        Some(recall) => RewriteStep::Recall { recall, original },
                        None => RewriteStep::Compress { work: job.start(original.clone()), original },
                    };
                }
                RewriteStep::Recall { recall, original } => {
                    // A panic in the store must not fail the request.
                    let recalled = match catch_unwind(AssertUnwindSafe(|| recall.as_mut().poll(cx))) {
                        Ok(recalled) => ready!(recalled),
                        Err(_) => RestoredRequest::default(),
                    };
                    let original = mem::take(original);
                    self.turned_away = recalled.thread == Some(ThreadState::Unknown);
                    let reason = match self.turned_away {
                        true => Some(SkipReason::MessageThread),
                        false => recalled.rejected.then_some(SkipReason::Rejected),
                    };
                    if let Some(reason) = reason {
                        job.api = recalled.api;
                        let report = job.skip(reason, Some(original.len()), None);
                        return Poll::Ready((HeadroomBody::full(original), report));
                    }
                    let body = job.recalled(recalled, &original);
                    self.step = RewriteStep::Compress { work: job.start(body.clone()), original: body };
                }
                RewriteStep::Compress { work, original } => {
                    let output = ready!(work.poll(cx));
                    let original = mem::take(original);
                    match self.compressed(job, output, original) {
                        Some(done) => return Poll::Ready(done),
                        None => continue,
                    }
                }
                RewriteStep::Store { storing, .. } => {
                    let stored = ready!(poll_store(storing, cx));
                    let Some(draft) = self.take_draft() else { return Poll::Pending };
                    let Err(error) = stored else {
                        job.config.stored.extend(&job.tenant.name, &draft.handles);
                        return Poll::Ready(job.send_draft(draft));
                    };
                    job.span
                        .store_failure(&job.config, &StoreFailure { error: error.as_ref(), api: draft.api });
                    job.store_failure = true;
                    if let Some(done) = self.ask(job, draft) {
                        return Poll::Ready(done);
                    }
                }
                RewriteStep::Ask { asking, .. } => {
                    let has = ready!(poll_store(asking, cx));
                    let Some(draft) = self.take_draft() else { return Poll::Pending };
                    // Originals that the store acknowledged count as stored while it cannot answer.
                    let has = has.unwrap_or_else(|_| {
                        job.config.stored.contains_each(&job.tenant.name, &draft.handles)
                    });
                    let missing = job.note(&draft.handles, &has);
                    if missing.is_empty() {
                        return Poll::Ready(job.send_draft(draft));
                    }
                    self.step = job.leave(missing, draft.original);
                }
                RewriteStep::Pass(_) | RewriteStep::Done => return Poll::Pending,
            }
        }
    }

    /// Handles the engine's output; returns `None` if something must be stored first.
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
            // Nothing to make smaller, but the restored exchanges must be sent.
            (Err(SkipReason::Engine(_)), Some(_)) if job.spliced => (original.to_vec(), Vec::new()),
            (Err(_), _) if job.store_failure => return skip(job, SkipReason::StoreFailure, report),
            (Err(reason), _) => return skip(job, reason, report),
        };
        let (Some(api), Some(report)) = (job.api, report) else {
            return skip(job, SkipReason::Internal, None);
        };
        let handles: Vec<_> = originals.iter().map(|original| original.handle).collect();
        let draft = Draft { original, rewritten, report, api, handles };
        self.keep(job, draft, originals)
    }

    /// Stores the originals of a draft; returns `None` while that is in progress.
    fn keep(
        &mut self,
        job: &mut Job,
        draft: Draft,
        originals: Vec<Original>,
    ) -> Option<(HeadroomBody<B>, RequestReport)> {
        if draft.handles.iter().all(|handle| job.stored.contains(handle)) {
            return Some(job.send_draft(draft));
        }
        if draft.handles.iter().any(|handle| job.unstored.contains(handle)) {
            return Some(job.give_up(draft, SkipReason::StoreFailure));
        }
        // A block once sent without eliding stays in that form.
        let known = job.config.unstored.contains_each(&job.tenant.name, &draft.handles);
        let left: Vec<_> =
            draft.handles.iter().zip(known).filter_map(|(handle, known)| known.then_some(*handle)).collect();
        if !left.is_empty() {
            self.step = job.leave(left, draft.original);
            return None;
        }
        if job.store_failure {
            return self.ask(job, draft);
        }
        job.handles = draft.handles.clone();
        let Some(storing) = job.config.keep(draft.report.retrieval, &job.tenant.name, originals) else {
            return Some(job.give_up(draft, SkipReason::NoStore));
        };
        self.step = RewriteStep::Store { storing, draft };
        None
    }

    /// Asks which originals of a draft are stored.
    fn ask(&mut self, job: &mut Job, draft: Draft) -> Option<(HeadroomBody<B>, RequestReport)> {
        let Some(asking) = job.config.ask(draft.report.retrieval, &job.tenant.name, draft.handles.clone())
        else {
            return Some(job.give_up(draft, SkipReason::NoStore));
        };
        self.step = RewriteStep::Ask { asking, draft };
        None
    }

    fn take_draft(&mut self) -> Option<Draft> {
        match mem::replace(&mut self.step, RewriteStep::Done) {
            RewriteStep::Store { draft, .. } | RewriteStep::Ask { draft, .. } => Some(draft),
            _ => None,
        }
    }

    fn stage(&self) -> Option<Stage> {
        match self.step {
            RewriteStep::Read(_) => Some(Stage::Reading),
            RewriteStep::Reserve { .. } | RewriteStep::Compress { .. } => Some(Stage::Compressing),
            RewriteStep::Recall { .. } | RewriteStep::Store { .. } | RewriteStep::Ask { .. } => {
                Some(Stage::Storing)
            }
            RewriteStep::Pass(_) | RewriteStep::Done => None,
        }
    }
}

impl Job {
    /// Looks up hidden exchanges, if the layer sees responses at all.
    fn recall(&self, original: &Bytes) -> Option<Restore> {
        let config = &self.config;
        let wanted = config.serve && config.store.is_some();
        wanted.then(|| {
            let (api, tenant) = (self.api, self.tenant.clone());
            let body = (original.clone(), self.codec);
            restore(Arc::clone(config), &self.parts, api, tenant, body, self.memory.clone())
        })
    }

    /// Takes over the restored request and returns the body for the engine.
    fn recalled(&mut self, recalled: RestoredRequest, original: &Bytes) -> Bytes {
        self.came = Some(original.clone());
        self.api = recalled.api;
        self.ask = recalled.ask;
        self.spliced = recalled.spliced;
        self.thread = recalled.thread;
        // The layer does not offer a tool whose calls it could not answer.
        if !recalled.serves && self.config.retrieval(self.parts.extensions.get()) == Retrieval::ServerTool {
            self.options = mem::take(&mut self.options).retrieval(Retrieval::Disabled);
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
            max_decompressed_body: self.config.max_decompressed_body,
            memory: self.memory.clone(),
            max_new: usize::MAX,
        };
        let offload = &self.config.offload;
        let mut size = if engine.is_costly() { u64::MAX } else { input.size() };
        if size <= offload.threshold && offload.has_pool() {
            // Only the engine can tell how much is new. Its partial results are reused.
            let (engine, input) = (Arc::clone(&engine), Input { max_new: MAX_NEW_AT_ONCE, ..input.clone() });
            let work = offload.start(size, Box::new(move |cancelled| input.run(&*engine, cancelled)));
            if !matches!(&work, Work::Done(Some(Ok(output))) if output.is_unfinished()) {
                return work;
            }
            size = u64::MAX;
        }
        offload.start(size, Box::new(move |cancelled| input.run(&*engine, cancelled)))
    }

    /// Records which originals are stored. Returns the others.
    fn note(&mut self, handles: &[Handle], has: &[bool]) -> Vec<Handle> {
        let mut missing = Vec::new();
        for (at, handle) in handles.iter().enumerate() {
            if has.get(at) == Some(&true) {
                self.stored.insert(*handle);
            } else {
                missing.push(*handle);
            }
        }
        self.config.unstored.extend(&self.tenant.name, &missing);
        missing
    }

    /// Starts again without these originals. Blocks that need none of them keep their form.
    fn leave<B: Body>(&mut self, missing: Vec<Handle>, original: Bytes) -> RewriteStep<B> {
        self.options = mem::take(&mut self.options).without_originals(missing.iter().copied());
        self.unstored.extend(missing);
        RewriteStep::Compress { work: self.start(original.clone()), original }
    }

    /// Sends the original request.
    fn give_up<B: Body>(&self, draft: Draft, reason: SkipReason) -> (HeadroomBody<B>, RequestReport) {
        let original = self.came.clone().unwrap_or(draft.original);
        let report = self.skip(reason, Some(original.len()), Some(draft.report));
        (HeadroomBody::full(original), report)
    }

    fn send_draft<B: Body>(&mut self, draft: Draft) -> (HeadroomBody<B>, RequestReport) {
        self.send(draft.original.len(), draft.rewritten, draft.report, draft.api)
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

    /// Puts a new body and the headers that describe it on the request. Nothing else does.
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
            let served = report.retrieval == Retrieval::ServerTool;
            if served {
                // An encoded answer cannot be stitched.
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            self.sent = Some(Box::new(SentRequest {
                config: Arc::clone(&self.config),
                api,
                tenant: self.tenant.name.clone(),
                handles: mem::take(&mut self.handles),
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

/// Polls an answer of the store. A panic in the store must not fail the request.
fn poll_store<T>(answer: &mut Answer<T>, cx: &mut Context<'_>) -> Poll<Result<T, Option<StoreError>>> {
    match catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx))) {
        Ok(answer) => answer.map_err(Some),
        Err(_) => Poll::Ready(Err(None)),
    }
}

impl<B: Body> Tail<B> {
    /// Returns why a body with this tail is not rewritten.
    fn reason(&self) -> SkipReason {
        match self {
            Self::Rest(_) => SkipReason::BodyTooLarge,
            Self::Trailers(..) => SkipReason::Trailers,
            Self::Error(..) => SkipReason::ReadFailed,
            Self::End => SkipReason::Internal,
        }
    }
}

// No field is pinned in place: the body is boxed.
impl<B: Body> Unpin for Rewrite<B> {}

impl<B: Body> Future for Rewrite<B> {
    type Output = Request<HeadroomBody<B>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(mut job) = self.job.take() else {
            return match mem::replace(&mut self.step, RewriteStep::Done) {
                RewriteStep::Pass(request) => Poll::Ready(request),
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
                self.step = RewriteStep::Done;
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
