//! Originals are stored before the request is sent.

use headroom_retrieval::{PassReason, SessionStep, UnexpectedInput};
use headroom_store::StoreError;
use http_body::Body;

use super::{Job, Rewrite, RewriteStep};
use crate::{HeadroomBody, RequestReport, SkipReason, StoreFailure, StoreOperation};

/// The body to send, and the report.
type Ready<B> = (HeadroomBody<B>, RequestReport);

impl<B: Body> Rewrite<B> {
    /// Carries out a step of the session; returns `None` while that is in progress.
    pub(super) fn step(&mut self, job: &mut Job, step: SessionStep) -> Option<Ready<B>> {
        let tenant = job.tenant.name();
        self.step = match step {
            SessionStep::Send(draft) => return Some(job.send(draft)),
            SessionStep::Pass { reason, report, given } => {
                let reason = match reason {
                    PassReason::Engine(reason) => SkipReason::Engine(reason),
                    _ => SkipReason::StoreFailure,
                };
                return Some(job.pass(reason, Some(report), given));
            }
            SessionStep::Compress { body } => {
                RewriteStep::Compress { work: job.start(body.clone()), original: body }
            }
            SessionStep::Put { retrieval, originals } => {
                match job.config.keep(retrieval, tenant, originals) {
                    Some(storing) => RewriteStep::Store(storing),
                    None => return self.without_store(job),
                }
            }
            SessionStep::Ask { retrieval, handles } => match job.config.has(retrieval, tenant, handles) {
                Some(looking) => RewriteStep::Has(looking),
                None => return self.without_store(job),
            },
        };
        None
    }

    /// Handles the end of storing; returns `None` if the store failed and is asked what it has.
    pub(super) fn stored(
        &mut self,
        job: &mut Job,
        stored: &Result<(), Option<StoreError>>,
    ) -> Option<Ready<B>> {
        if let Err(error) = stored
            && let Some(api) = job.api
        {
            job.span.store_failure(
                &job.config,
                &StoreFailure { operation: StoreOperation::Write, error: error.as_ref(), api },
            );
        }
        let step = job.session.put_ended(&job.config.known, stored.is_ok());
        self.follow(job, step)
    }

    /// Handles what the store has; returns `None` if the engine starts again without what it lacks.
    pub(super) fn looked(
        &mut self,
        job: &mut Job,
        has: Result<Vec<bool>, Option<StoreError>>,
    ) -> Option<Ready<B>> {
        let step = job.session.has_ended(&job.config.known, has.ok());
        self.follow(job, step)
    }

    /// Carries out the step that follows an answer of the store.
    fn follow(&mut self, job: &mut Job, step: Result<SessionStep, UnexpectedInput>) -> Option<Ready<B>> {
        // The session waits for exactly this answer.
        self.step = RewriteStep::Done;
        self.step(job, step.ok()?)
    }

    /// Sends the original request, because there is no place for its originals.
    fn without_store(&mut self, job: &mut Job) -> Option<Ready<B>> {
        let draft = job.session.cancel()?;
        Some(job.pass(SkipReason::NoStore, Some(draft.report), draft.given))
    }
}
