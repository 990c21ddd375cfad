//! Runs sessions to their end on the calling thread.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use headroom_core::{Api, CompressOptions, Handle, Outcome, Report, Retrieval, TextOutcome, UnchangedReason};
use headroom_retrieval::{Commit, CommitStep, Draft, KnownOriginals, PassReason, Session, SessionStep};

use super::store::StoreHandle;

/// Where originals are kept, and what is known of it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) store: StoreHandle,
    pub(super) known: Arc<KnownOriginals>,
}

/// A body that was compressed, and what of it is stored.
pub(super) struct Compressed {
    /// The new body; `None` if nothing changed.
    pub(super) body: Option<Vec<u8>>,
    pub(super) report: Report,
    /// The stored originals, in order.
    pub(super) handles: Vec<Handle>,
    /// Whether the store failed, so that something may have been left in full.
    pub(super) store_failed: bool,
}

impl Place {
    /// Compresses a body until everything that the output needs is stored; `Err` if the body stays as it is.
    pub(super) fn run(
        &self,
        engine: &headroom_core::Engine,
        session: &mut Session,
        api: Api,
        body: Bytes,
    ) -> Result<Draft, (PassReason, Arc<Report>)> {
        let mut step = SessionStep::Compress { body };
        loop {
            let told = match step {
                SessionStep::Compress { body } => {
                    let outcome = compress(engine, api, &body, session.options());
                    Ok(session.compressed(&self.known, api, body, outcome))
                }
                SessionStep::Put { originals, .. } => {
                    let stored = self.store.put_many(session.tenant(), originals);
                    session.put_ended(&self.known, stored.is_ok())
                }
                SessionStep::Ask { handles, .. } => {
                    let has = self.store.has_many(session.tenant(), &handles);
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

    /// Compresses a body whose answer nobody reads.
    pub(super) fn compress(
        &self,
        engine: &headroom_core::Engine,
        (options, tenant): (CompressOptions, &str),
        api: Api,
        body: Bytes,
    ) -> Compressed {
        let mut session = Session::new(tenant, options);
        let run = self.run(engine, &mut session, api, body);
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

    /// Compresses a text that stands alone, and returns its stored originals and whether the store failed.
    pub(super) fn compress_text(
        &self,
        (options, tenant): (CompressOptions, &str),
        compress: impl Fn(&CompressOptions) -> TextOutcome,
    ) -> (TextOutcome, Vec<Handle>, bool) {
        let mut commit = Commit::new(tenant);
        let mut outcome = compress(&options);
        let originals = std::mem::take(&mut outcome.originals);
        let mut step = Ok(commit.draft(&self.known, outcome, originals));
        if let Ok(CommitStep::Put(originals)) = step {
            let stored = self.store.put_many(tenant, originals);
            step = commit.put_ended(&self.known, stored.is_ok());
        }
        if let Ok(CommitStep::Ask(handles)) = &step {
            let has = self.store.has_many(tenant, handles);
            step = commit.has_ended(&self.known, has.ok());
        }
        match step {
            Ok(CommitStep::Done { draft, handles }) => (draft, handles, commit.store_failed()),
            // It is one block, which is written without any of its originals.
            _ => (compress(&options.retrieval(Retrieval::Disabled)), Vec::new(), commit.store_failed()),
        }
    }
}

/// Runs the engine. A bug in it must not fail the call.
fn compress(engine: &headroom_core::Engine, api: Api, body: &Bytes, options: &CompressOptions) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| engine.compress(api, body, options))).unwrap_or_else(|_| {
        let mut report = Report::default();
        (report.bytes_before, report.bytes_after) = (body.len(), body.len());
        report.reason = Some(UnchangedReason::Internal);
        Outcome::Unchanged { reason: UnchangedReason::Internal, report }
    })
}
