use std::{fmt, sync::Arc, time::Duration};

use headroom_core::{Api, Report};
use headroom_store::StoreError;

use crate::SkipReason;

/// Receives an event for each outcome of a request. Every method does nothing unless it is implemented.
///
/// Methods are called on the request's own task, outside any lock, and should return at once. They must not panic:
/// [`on_cancelled`](Self::on_cancelled) runs while a future is dropped. Events hold no content.
///
/// A pair of observers is an observer: `(a, b)`.
///
/// # Example
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use headroom_tower::{PromptCompressionLayer, Observer, Rewritten};
///
/// #[derive(Default)]
/// struct Saved(AtomicUsize);
///
/// impl Observer for Saved {
///     fn on_rewritten(&self, event: &Rewritten<'_>) {
///         self.0.fetch_add(event.report.tokens_saved, Ordering::Relaxed);
///     }
/// }
///
/// let layer = PromptCompressionLayer::new().observer(Saved::default());
/// # let _ = layer;
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A smaller body is sent.
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        let _ = event;
    }

    /// The original body is sent, or the client is told to send its conversation in full
    /// ([`SkipReason::MessageThread`]).
    fn on_skipped(&self, event: &Skipped<'_>) {
        let _ = event;
    }

    /// The store failed.
    ///
    /// Nothing that it could not store is elided: the request is rewritten without, or skipped. What it could not read is
    /// missing: an original that the model asks for, or a hidden exchange.
    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        let _ = event;
    }

    /// Calls of `headroom_retrieve` were answered, and the answer that they belong to is complete.
    fn on_retrieved(&self, event: &Retrieved) {
        let _ = event;
    }

    /// The provider refused a rewritten request, or its answer came in an encoding that cannot be decoded, and the
    /// original request was sent, or the rewritten one without old thinking.
    fn on_fallback(&self, event: &Fallback) {
        let _ = event;
    }

    /// A request was dropped before it was sent, usually because the client left.
    fn on_cancelled(&self, event: &Cancelled) {
        let _ = event;
    }
}

/// Does nothing.
impl Observer for () {}

impl<A: Observer, B: Observer> Observer for (A, B) {
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        self.0.on_rewritten(event);
        self.1.on_rewritten(event);
    }

    fn on_skipped(&self, event: &Skipped<'_>) {
        self.0.on_skipped(event);
        self.1.on_skipped(event);
    }

    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        self.0.on_store_failure(event);
        self.1.on_store_failure(event);
    }

    fn on_retrieved(&self, event: &Retrieved) {
        self.0.on_retrieved(event);
        self.1.on_retrieved(event);
    }

    fn on_fallback(&self, event: &Fallback) {
        self.0.on_fallback(event);
        self.1.on_fallback(event);
    }

    fn on_cancelled(&self, event: &Cancelled) {
        self.0.on_cancelled(event);
        self.1.on_cancelled(event);
    }
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        (**self).on_rewritten(event);
    }

    fn on_skipped(&self, event: &Skipped<'_>) {
        (**self).on_skipped(event);
    }

    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        (**self).on_store_failure(event);
    }

    fn on_retrieved(&self, event: &Retrieved) {
        (**self).on_retrieved(event);
    }

    fn on_fallback(&self, event: &Fallback) {
        (**self).on_fallback(event);
    }

    fn on_cancelled(&self, event: &Cancelled) {
        (**self).on_cancelled(event);
    }
}

/// See [`Observer::on_rewritten`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rewritten<'a> {
    /// The wire format.
    pub api: Api,
    /// What the engine did.
    pub report: &'a Report,
    /// Bytes of the original body, compressed if it came compressed.
    pub bytes_before: u64,
    /// Bytes of the body that is sent.
    pub bytes_after: u64,
    /// Time spent decoding and compressing, without waiting. `None` if the platform has no clock.
    pub elapsed: Option<Duration>,
}

/// See [`Observer::on_skipped`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Skipped<'a> {
    /// Why the body is unchanged.
    pub reason: SkipReason,
    /// The wire format, if known.
    pub api: Option<Api>,
    /// The engine's report, if it ran.
    pub report: Option<&'a Report>,
    /// Bytes of the original body; `None` if it was not read to its end.
    pub bytes: Option<u64>,
    /// Time spent decoding and compressing. `None` if none was, or if the platform has no clock.
    pub elapsed: Option<Duration>,
}

/// See [`Observer::on_store_failure`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreFailure<'a> {
    /// What the store should have done.
    pub operation: StoreOperation,
    /// The store's error; `None` if the store panicked.
    pub error: Option<&'a StoreError>,
    /// The wire format.
    pub api: Api,
}

impl StoreFailure<'_> {
    /// Returns the kind of the failure, for a label: that of the error, or `panic`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.error.map_or("panic", StoreError::as_str)
    }
}

/// What a store is asked to do. See [`StoreFailure::operation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreOperation {
    /// To keep originals or hidden exchanges.
    Write,
    /// To return them.
    Read,
}

/// See [`Observer::on_retrieved`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Retrieved {
    /// The wire format.
    pub api: Api,
    /// Requests sent to the provider beyond the client's own.
    pub rounds: u32,
    /// Calls that were answered.
    pub calls: u32,
    /// Whether the answer ended with an unanswered call: the model kept calling, the provider's turn cannot be repeated
    /// to it, or it refused to continue.
    pub incomplete: bool,
}

/// See [`Observer::on_fallback`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Fallback {
    /// The wire format.
    pub api: Api,
    /// The status of the provider's answer to the rewritten request: its refusal, or 200 if the answer's encoding
    /// cannot be decoded.
    pub status: http::StatusCode,
    /// Whether the provider accepted the original request. If so, the rest of the conversation is sent unchanged.
    pub accepted: bool,
    /// Whether the provider refused both and accepted the rewritten request without thinking. Exchanges hidden from the
    /// client were lost with the store, and the thinking that followed them is no longer sent in this conversation.
    pub unbound: bool,
    /// Whether the refusal was about thinking after an epoch, and the provider accepted the rewritten request without the
    /// thinking before the newest prompt. That thinking is no longer sent in this conversation, and the original was not.
    pub epoch: bool,
}

/// See [`Observer::on_cancelled`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cancelled {
    /// The work that was interrupted.
    pub stage: Stage,
}

/// A step of the layer's work on a request before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Reading the body.
    Reading,
    /// Decoding and compressing it, or waiting to do so.
    Compressing,
    /// Storing elided content.
    Storing,
}

impl Stage {
    /// Returns the label used in events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Compressing => "compressing",
            Self::Storing => "storing",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
