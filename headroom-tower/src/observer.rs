use std::{fmt, sync::Arc, time::Duration};

use headroom_core::{Api, Report};
use headroom_store::StoreError;

use crate::SkipReason;

/// Sees what becomes of requests. Every method does nothing unless it is implemented.
///
/// Methods are called on the request's own task, outside of any lock, and should return at once. They must not panic:
/// [`on_cancelled`](Self::on_cancelled) runs while a future is dropped. Nothing they are given holds content.
///
/// Two observers are one as a pair: `(a, b)`.
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
    /// A request goes on with a smaller body.
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        let _ = event;
    }

    /// A request goes on as it came.
    fn on_skipped(&self, event: &Skipped<'_>) {
        let _ = event;
    }

    /// The store failed. The request goes on as it came, and `on_skipped` follows.
    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        let _ = event;
    }

    /// Calls of `headroom_retrieve` were answered, and the answer that they belong to is complete.
    fn on_retrieved(&self, event: &Retrieved) {
        let _ = event;
    }

    /// The provider refused a rewritten request, or its answer came in an encoding that cannot be read, and the request
    /// was sent again as it came.
    fn on_fallback(&self, event: &Fallback) {
        let _ = event;
    }

    /// A request was dropped before it went on, usually because the client left.
    fn on_cancelled(&self, event: &Cancelled) {
        let _ = event;
    }
}

/// The observer that does nothing.
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
    /// Bytes of the body as it came, compressed if it came compressed.
    pub bytes_before: u64,
    /// Bytes of the body that goes on.
    pub bytes_after: u64,
    /// Time spent decoding and compressing, waiting excluded. `None` where the platform has no clock.
    pub elapsed: Option<Duration>,
}

/// See [`Observer::on_skipped`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Skipped<'a> {
    /// Why.
    pub reason: SkipReason,
    /// The wire format, if it is known.
    pub api: Option<Api>,
    /// What the engine saw, if it was asked.
    pub report: Option<&'a Report>,
    /// Bytes of the body as it came; `None` if it was not read to its end.
    pub bytes: Option<u64>,
    /// Time spent decoding and compressing. `None` if nothing was, or where the platform has no clock.
    pub elapsed: Option<Duration>,
}

/// See [`Observer::on_store_failure`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreFailure<'a> {
    /// The store's error; `None` if the store panicked.
    pub error: Option<&'a StoreError>,
    /// The wire format.
    pub api: Api,
}

/// See [`Observer::on_retrieved`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Retrieved {
    /// The wire format.
    pub api: Api,
    /// Requests that the provider got beyond the client's own.
    pub rounds: u32,
    /// Calls that were answered.
    pub calls: u32,
    /// Whether the answer ended with a call left open: the model would not stop calling, the provider said something
    /// that cannot be repeated to it, or it refused to go on.
    pub incomplete: bool,
}

/// See [`Observer::on_fallback`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Fallback {
    /// The wire format.
    pub api: Api,
    /// The status of the provider's answer to the rewritten request: how it refused it, or 200 if the answer came in an
    /// encoding that cannot be read.
    pub status: http::StatusCode,
    /// Whether it took the request as it came. If so the conversation goes on as it comes.
    pub accepted: bool,
    /// Whether it took neither, and then the rewritten request without thinking. Exchanges that the client does not know
    /// of were lost with the store, and the thinking that followed them goes no further in this conversation.
    pub unbound: bool,
}

/// See [`Observer::on_cancelled`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Cancelled {
    /// What was going on.
    pub stage: Stage,
}

/// What the layer does with a request before it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// Reading the body.
    Reading,
    /// Decoding and compressing it, or waiting for a place to do so.
    Compressing,
    /// Storing what was set aside.
    Storing,
}

impl Stage {
    /// The label used in events and metrics.
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
