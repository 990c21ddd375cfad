//! The work on one request, and its two ends: rewritten or as it came.

use std::{mem, sync::Arc};

use bytes::Bytes;
use headroom_core::Report;
use headroom_retrieval::{Draft, drop_thread_beta};
use http::{HeaderValue, header};
use http_body::Body;

use super::Job;
use crate::{
    HeadroomBody, RequestReport, Rewritten, SkipReason, Skipped,
    blocking::{Task, Work},
    body::Tail,
    compress_task::{Input, MAX_NEW_AT_ONCE, Output},
    decode::Codec,
    server_tool::{RestoredRequest, Restoring, SentRequest, restore},
};

impl Job {
    /// Looks up hidden exchanges, if the layer sees responses at all.
    pub(super) fn restore(&self, original: &Bytes) -> Option<Restoring> {
        let config = &self.config;
        let wanted = config.sees_answers && config.exchanges.is_some();
        wanted.then(|| {
            let (api, tenant) = (self.api, self.tenant.clone());
            let body = (original.clone(), self.codec);
            restore(Arc::clone(config), &self.parts, api, tenant, body, self.memory.clone())
        })
    }

    /// Takes over the restored request and returns the body for the engine.
    pub(super) fn take_restored(&mut self, restored: RestoredRequest, original: &Bytes) -> Bytes {
        self.original = Some(original.clone());
        self.api = restored.api.or(self.api);
        if !restored.drop_tools.is_empty() {
            self.session.drop_tools(restored.drop_tools);
        }
        match &restored.restored {
            Some((restore, found)) => self.session.restored(restore, found),
            // The layer does not offer a tool whose calls it could not answer.
            None => self.session.withhold_tool(),
        }
        match restored.body {
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

    pub(super) fn start(&self, body: Bytes) -> Work<Output> {
        let engine = Arc::clone(&self.config.engine);
        let input = Input {
            body,
            codec: self.codec,
            api: self.api,
            options: self.session.options().clone(),
            max_decompressed_body: self.config.max_decompressed_body,
            memory: self.memory.clone(),
            max_new: usize::MAX,
        };
        let offload = &self.config.offload;
        let bytes = input.size();
        let mut is_large = engine.is_costly();
        if !is_large && bytes <= offload.threshold && offload.has_pool() {
            // Only the engine can tell how much is new. Its partial results are reused.
            let (engine, input) = (Arc::clone(&engine), Input { max_new: MAX_NEW_AT_ONCE, ..input.clone() });
            let work =
                offload.start(&self.turn, bytes, Box::new(move |cancelled| input.run(&*engine, cancelled)));
            if !matches!(&work, Work::Done(Some(Ok(output))) if output.is_unfinished()) {
                return work;
            }
            is_large = true;
        }
        let work: Task<Output> = Box::new(move |cancelled| input.run(&*engine, cancelled));
        match is_large {
            true => offload.start_large(&self.turn, bytes, work),
            false => offload.start(&self.turn, bytes, work),
        }
    }

    /// Sends the original request. `given` is the body that the engine got.
    pub(super) fn pass<B: Body>(
        &self,
        reason: SkipReason,
        report: Option<Arc<Report>>,
        given: Bytes,
    ) -> (HeadroomBody<B>, RequestReport) {
        let original = self.original.clone().unwrap_or(given);
        let report = self.skip(reason, Some(original.len()), report);
        (HeadroomBody::full(original), report)
    }

    pub(super) fn skip(
        &self,
        reason: SkipReason,
        bytes: Option<usize>,
        report: Option<Arc<Report>>,
    ) -> RequestReport {
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
    pub(super) fn send<B: Body>(&mut self, mut draft: Draft) -> (HeadroomBody<B>, RequestReport) {
        let (api, report) = (draft.api, Arc::clone(&draft.report));
        let rewritten = Bytes::from(mem::take(&mut draft.body));
        let bytes_after = rewritten.len() as u64;
        let rewritten = match &self.memory {
            Some(memory) => memory.hold(rewritten, self.decoded),
            None => rewritten,
        };
        let original = self.original.take().map(|body| (self.parts.clone(), body));
        let bytes_before = original.as_ref().map_or(draft.given.len(), |(_, body)| body.len()) as u64;
        let headers = &mut self.parts.headers;
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes_after));
        headers.remove(header::TRANSFER_ENCODING);
        headers.remove(header::CONTENT_ENCODING);
        if self.session.drops_thread() {
            drop_thread_beta(headers);
        }
        if let Some((parts, original)) = original {
            let request = self.session.request(original, rewritten.clone(), &draft);
            if request.serves {
                // An encoded answer cannot be stitched.
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            // What is sent again in this form is rewritten too.
            let mut sent = self.parts.clone();
            sent.extensions.insert(RequestReport::rewritten(Arc::clone(&report)));
            let config = Arc::clone(&self.config);
            self.sent = Some(Box::new(SentRequest { config, request, original: parts, sent }));
        }
        let event = Rewritten { api, report: &report, bytes_before, bytes_after, elapsed: self.elapsed };
        self.span.rewritten(&self.config, &event);
        (HeadroomBody::full(rewritten), RequestReport::rewritten(report))
    }
}

impl<B: Body> Tail<B> {
    /// Returns why a body with this tail is not rewritten.
    pub(super) fn reason(&self) -> SkipReason {
        match self {
            Self::Rest(_) => SkipReason::BodyTooLarge,
            Self::Trailers(..) => SkipReason::Trailers,
            Self::Error(..) => SkipReason::ReadFailed,
            Self::End => SkipReason::Internal,
        }
    }
}
