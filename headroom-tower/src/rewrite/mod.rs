//! The request side as a future.

mod job;
mod storing;

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
use headroom_core::Api;
use headroom_retrieval::{Session, Tenant};
use http::{Request, header, request::Parts};
use http_body::Body;

use crate::{
    Cancelled, ConversationId, HeadroomBody, HeadroomOverride, Predicate, RequestReport, SkipReason, Stage,
    blocking::Work,
    compress_task::Output,
    config::Config,
    decode::Codec,
    files::{Looking, Storing},
    memory::{Reservation, Reserve},
    predicate::guard,
    read::{Read, ReadEnd},
    server_tool::{RestoredRequest, Restoring, SentRequest},
    store_call::poll_store,
    telemetry::{self, Span},
};

/// The future of [`PromptCompressionLayer::rewrite`](crate::PromptCompressionLayer::rewrite), which resolves to the
/// request to send.
#[must_use = "futures do nothing unless polled"]
pub struct Rewrite<B: Body> {
    step: RewriteStep<B>,
    job: Option<Box<Job>>,
    /// Data for the response side, once the request is ready.
    sent: Option<Box<SentRequest>>,
    rejects_thread: bool,
}

/// State that lasts while one request is rewritten.
struct Job {
    config: Arc<Config>,
    parts: Parts,
    codec: Codec,
    api: Option<Api>,
    session: Session,
    tenant: Tenant,
    /// The tenant's name, for its turns.
    turn: Arc<str>,
    span: Span,
    elapsed: Option<Duration>,
    /// The original body, for the response side.
    original: Option<Bytes>,
    /// Memory reserved for work on the body.
    memory: Option<Reservation>,
    /// Bytes of decoded or restored body held for the engine and the response side.
    decoded: u64,
    /// The conversation, if there is a control group.
    conversation: Option<ConversationId>,
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
    Restore {
        restoring: Restoring,
        original: Bytes,
    },
    Compress {
        work: Work<Output>,
        original: Bytes,
    },
    Store(Storing),
    /// Asks which originals are stored, after storing failed.
    Has(Looking),
    Done,
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
    let codec = admit_head(config, predicate, parts)?;
    if body.size_hint().lower() > config.max_body {
        return Err(SkipReason::BodyTooLarge);
    }
    Ok(codec)
}

/// Decides from the head alone, and returns the encoding of the body.
pub(crate) fn admit_head<P: Predicate>(
    config: &Config,
    predicate: &P,
    parts: &Parts,
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
    let announced = parts.headers.get(header::CONTENT_LENGTH);
    let announced: Option<u64> = announced.and_then(|value| value.to_str().ok()?.parse().ok());
    match announced.is_some_and(|bytes| bytes > config.max_body) {
        true => Err(SkipReason::BodyTooLarge),
        false => Ok(codec),
    }
}

impl<B: Body> Rewrite<B> {
    pub(crate) fn pass(request: Request<HeadroomBody<B>>) -> Self {
        Self { step: RewriteStep::Pass(request), job: None, sent: None, rejects_thread: false }
    }

    fn read(config: Arc<Config>, parts: Parts, body: B, codec: Codec) -> Self {
        let own = parts.extensions.get::<HeadroomOverride>();
        let tenant = config.tenant(&parts);
        let session = Session::new(tenant.name(), config.options(own, tenant.name()));
        let api = own.and_then(|own| own.api).or(config.api).or_else(|| Api::from_path(parts.uri.path()));
        let turn = Arc::from(tenant.name());
        let step = RewriteStep::Read(Read::new(body, config.max_body).metered(config.memory.meter(&turn)));
        let job = Job {
            config,
            parts,
            codec,
            api,
            session,
            tenant,
            turn,
            span: Span::new(),
            elapsed: None,
            original: None,
            memory: None,
            decoded: 0,
            conversation: None,
            sent: None,
        };
        Self { step, job: Some(Box::new(job)), sent: None, rejects_thread: false }
    }

    /// Whether the client must be told to send its conversation in full.
    pub(crate) fn rejects_thread(&self) -> bool {
        self.rejects_thread
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
                        let reserve = job.config.memory.reserve(&job.turn, decoded);
                        self.step = RewriteStep::Reserve { reserve, original };
                    }
                    ReadEnd::Partial(data, tail) => {
                        let report = job.skip(tail.reason(), None, None);
                        return Poll::Ready((HeadroomBody::replay(data, tail), report));
                    }
                },
                RewriteStep::Reserve { reserve, original } => {
                    job.memory = Some(ready!(reserve.poll(cx)));
                    let original = mem::take(original);
                    self.step = match job.restore(&original) {
                        Some(restoring) => RewriteStep::Restore { restoring, original },
                        None => RewriteStep::Compress { work: job.start(original.clone()), original },
                    };
                }
                RewriteStep::Restore { restoring, original } => {
                    // A panic in the store must not fail the request.
                    let restored = match catch_unwind(AssertUnwindSafe(|| restoring.as_mut().poll(cx))) {
                        Ok(restored) => ready!(restored),
                        Err(_) => RestoredRequest::default(),
                    };
                    let original = mem::take(original);
                    if let Some(done) = self.restored(job, restored, original) {
                        return Poll::Ready(done);
                    }
                }
                RewriteStep::Compress { work, original } => {
                    let output = ready!(work.poll(cx));
                    let original = mem::take(original);
                    match self.compressed(job, output, original) {
                        Some(done) => return Poll::Ready(done),
                        None => continue,
                    }
                }
                RewriteStep::Store(storing) => {
                    let stored = ready!(poll_store(storing.as_mut(), cx));
                    if let Some(done) = self.stored(job, &stored) {
                        return Poll::Ready(done);
                    }
                }
                RewriteStep::Has(looking) => {
                    let has = ready!(poll_store(looking.as_mut(), cx));
                    if let Some(done) = self.looked(job, has) {
                        return Poll::Ready(done);
                    }
                }
                RewriteStep::Pass(_) | RewriteStep::Done => return Poll::Pending,
            }
        }
    }

    /// Handles the restored request; returns `None` if the engine works on it.
    fn restored(
        &mut self,
        job: &mut Job,
        restored: RestoredRequest,
        original: Bytes,
    ) -> Option<(HeadroomBody<B>, RequestReport)> {
        self.rejects_thread = restored.rejects_thread();
        let holdout = job.config.holdout;
        // A conversation with hidden exchanges was not held out when it began, and stays as it is.
        let began_before = |id: &ConversationId| restored.is_spliced() && id.is_held_out(holdout);
        job.conversation = restored.conversation.filter(|id| !began_before(id));
        let is_held_out = job.conversation.is_some_and(|id| id.is_held_out(holdout));
        let reason = match self.rejects_thread {
            true => Some(SkipReason::MessageThread),
            false if restored.is_rejected() => Some(SkipReason::Rejected),
            false => is_held_out.then_some(SkipReason::Holdout),
        };
        if let Some(reason) = reason {
            job.api = restored.api;
            let report = job.skip(reason, Some(original.len()), None);
            return Some((HeadroomBody::full(original), report));
        }
        let body = job.take_restored(restored, &original);
        self.step = RewriteStep::Compress { work: job.start(body.clone()), original: body };
        None
    }

    /// Handles the engine's output; returns `None` if something must be stored first.
    fn compressed(
        &mut self,
        job: &mut Job,
        output: Result<Output, SkipReason>,
        original: Bytes,
    ) -> Option<(HeadroomBody<B>, RequestReport)> {
        let result = output.and_then(|output| {
            job.api = output.api;
            job.elapsed = output.elapsed;
            let outcome = output.result?;
            Ok((output.api.ok_or(SkipReason::Internal)?, outcome))
        });
        match result {
            Ok((api, outcome)) => {
                let step = job.session.compressed(&job.config.known, api, original, outcome);
                self.step(job, step)
            }
            Err(_) if job.session.store_failed() => Some(job.pass(SkipReason::StoreFailure, None, original)),
            Err(reason) => Some(job.pass(reason, None, original)),
        }
    }

    fn stage(&self) -> Option<Stage> {
        match self.step {
            RewriteStep::Read(_) => Some(Stage::Reading),
            RewriteStep::Reserve { .. } | RewriteStep::Compress { .. } => Some(Stage::Compressing),
            RewriteStep::Restore { .. } | RewriteStep::Store(_) | RewriteStep::Has(_) => Some(Stage::Storing),
            RewriteStep::Pass(_) | RewriteStep::Done => None,
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
            Poll::Ready((body, mut report)) => {
                self.step = RewriteStep::Done;
                report.conversation = job.conversation;
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
