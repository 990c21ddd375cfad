//! Runs the engine, and stores what its output needs, on the calling thread.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use headroom_core::{
    Api, CompressOptions, Engine, Handle, Hints, Outcome, Report, Retrieval, TextOutcome, UnchangedReason,
};
use headroom_retrieval::{
    Commit, CommitStep, Draft, KnownOriginals, PassReason, Refusals, Session, SessionStep,
};

use crate::{CallOptions, store::BlockingStore};

/// An engine with its memory of what is stored and of what providers refused. Clones share all of it.
#[derive(Clone)]
pub struct BlockingEngine {
    engine: Engine,
    known: Arc<KnownOriginals>,
    pub(crate) refusals: Arc<Refusals>,
}

impl fmt::Debug for BlockingEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingEngine").finish_non_exhaustive()
    }
}

/// A body that was compressed, and what of it is stored.
pub struct Compressed {
    /// The new body; `None` if nothing changed.
    pub body: Option<Vec<u8>>,
    /// What the engine looked at and did.
    pub report: Report,
    /// The stored originals, in order.
    pub handles: Vec<Handle>,
    /// Whether the store failed, so that something may have been left in full.
    pub store_failed: bool,
}

impl fmt::Debug for Compressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressed").field("report", &self.report).finish_non_exhaustive()
    }
}

/// A text that was compressed, and what of it is stored.
#[derive(Debug)]
pub struct CompressedText {
    /// The text with what was done.
    pub outcome: TextOutcome,
    /// The stored originals, in order.
    pub handles: Vec<Handle>,
    /// Whether the store failed, so that something may have been left in full.
    pub store_failed: bool,
}

impl BlockingEngine {
    /// Creates an engine. Bodies longer than `max_body` bytes pass as they are; the cache holds `cache_capacity` bytes.
    #[must_use]
    pub fn new(max_body: usize, cache_capacity: usize) -> Self {
        let engine = Engine::builder().max_body(max_body).cache_capacity(cache_capacity).build();
        Self { engine, known: Arc::default(), refusals: Arc::default() }
    }

    /// Whether a body of this length is compressed fast enough for an event loop: in about a millisecond.
    #[must_use]
    pub const fn is_quick(bytes: usize) -> bool {
        bytes <= 32 << 10
    }

    /// Compresses a body whose answer the caller reads itself.
    #[must_use]
    pub fn compress(&self, store: &BlockingStore, call: &CallOptions, api: Api, body: Bytes) -> Compressed {
        let mut session = Session::new(&call.tenant, call.options.clone());
        let run = self.run(store, &mut session, api, body);
        let store_failed = session.store_failed();
        match run {
            Ok(Draft { body, report, handles, .. }) => {
                Compressed { body: Some(body), report: Arc::unwrap_or_clone(report), handles, store_failed }
            }
            Err((_, report)) => {
                let report = Arc::unwrap_or_clone(report);
                Compressed { body: None, report, handles: Vec::new(), store_failed }
            }
        }
    }

    /// Compresses a text that stands alone. `hints` say where it is from; their options are those of the call.
    #[must_use]
    pub fn compress_text(
        &self,
        store: &BlockingStore,
        call: &CallOptions,
        text: &str,
        hints: &Hints,
    ) -> CompressedText {
        let compress = |options: &CompressOptions| {
            let hints = hints.clone().options(options.clone());
            self.engine.compress_text(text, &hints)
        };
        let mut commit = Commit::new(&call.tenant);
        let mut outcome = compress(&call.options);
        let originals = std::mem::take(&mut outcome.originals);
        let mut step = Ok(commit.draft(&self.known, outcome, originals));
        if let Ok(CommitStep::Put(originals)) = step {
            let stored = store.put_many(&call.tenant, originals);
            step = commit.put_ended(&self.known, stored.is_ok());
        }
        if let Ok(CommitStep::Ask(handles)) = &step {
            let has = store.has_many(&call.tenant, handles);
            step = commit.has_ended(&self.known, has.ok());
        }
        let store_failed = commit.store_failed();
        match step {
            Ok(CommitStep::Done { draft, handles }) => {
                CompressedText { outcome: draft, handles, store_failed }
            }
            // It is one block, which is written without any of its originals.
            _ => {
                let outcome = compress(&call.options.clone().retrieval(Retrieval::Disabled));
                CompressedText { outcome, handles: Vec::new(), store_failed }
            }
        }
    }

    /// Compresses a body until everything that the output needs is stored; `Err` if the body stays as it is.
    pub(crate) fn run(
        &self,
        store: &BlockingStore,
        session: &mut Session,
        api: Api,
        body: Bytes,
    ) -> Result<Draft, (PassReason, Arc<Report>)> {
        let mut step = SessionStep::Compress { body };
        loop {
            let told = match step {
                SessionStep::Compress { body } => {
                    let outcome = guarded(&self.engine, api, &body, session.options());
                    Ok(session.compressed(&self.known, api, body, outcome))
                }
                SessionStep::Put { originals, .. } => {
                    let stored = store.put_many(session.tenant(), originals);
                    session.put_ended(&self.known, stored.is_ok())
                }
                SessionStep::Ask { handles, .. } => {
                    let has = store.has_many(session.tenant(), &handles);
                    session.has_ended(&self.known, has.ok())
                }
                SessionStep::Send(draft) => return Ok(draft),
                SessionStep::Pass { reason, report, .. } => return Err((reason, report)),
            };
            step = match told {
                Ok(step) => step,
                Err(_) => return Err((PassReason::StoreFailure, Arc::default())),
            };
        }
    }
}

/// Runs the engine. A bug in it must not fail the call.
fn guarded(engine: &Engine, api: Api, body: &Bytes, options: &CompressOptions) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| engine.compress(api, body, options))).unwrap_or_else(|_| {
        let mut report = Report::default();
        (report.bytes_before, report.bytes_after) = (body.len(), body.len());
        report.reason = Some(UnchangedReason::Internal);
        Outcome::Unchanged { reason: UnchangedReason::Internal, report }
    })
}
