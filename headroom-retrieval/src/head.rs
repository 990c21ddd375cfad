//! What an exchange needs to know of a response's head.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};

use crate::{
    framing::{Framing, essence},
    limits::MAX_PAUSE_SECONDS,
};

/// The head of a response, as far as an exchange reads it.
///
/// # Example
///
/// ```
/// use headroom_retrieval::ResponseHead;
/// use http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE};
///
/// let mut headers = HeaderMap::new();
/// headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
/// assert!(ResponseHead::new(StatusCode::OK, &headers).is_stream());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) kind: BodyKind,
    pub(crate) is_unreadable: bool,
    /// Whether the provider says that asking again is no use.
    refuses_retries: bool,
    retry_after: Option<Duration>,
}

/// What a body is, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Stream(Framing),
    Json,
    Other,
}

impl ResponseHead {
    /// Reads a head.
    #[must_use]
    pub fn new(status: StatusCode, headers: &HeaderMap) -> Self {
        let kind = match Framing::from_headers(headers) {
            Some(framing) => BodyKind::Stream(framing),
            None if essence(headers).eq_ignore_ascii_case("application/json") => BodyKind::Json,
            None => BodyKind::Other,
        };
        let after =
            headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Self {
            status,
            kind,
            is_unreadable: false,
            refuses_retries: headers.get("x-should-retry").is_some_and(|value| value == "false"),
            retry_after: after.map(Duration::from_secs),
        }
    }

    /// Says that the body has a content encoding that the caller cannot decode. Such a body is not read.
    #[must_use]
    pub const fn unreadable(mut self) -> Self {
        self.is_unreadable = true;
        self
    }

    /// Whether the body is a stream of events: server-sent ones, or frames of AWS.
    #[must_use]
    pub const fn is_stream(&self) -> bool {
        matches!(self.kind, BodyKind::Stream(_))
    }

    /// Returns how long to wait before asking a busy provider once more; `None` if it is not busy or not worth it.
    pub(crate) fn pause(&self, tries: u32) -> Option<Duration> {
        let is_busy = matches!(self.status.as_u16(), 429 | 500 | 502 | 503 | 504 | 529);
        let pause = self.retry_after.unwrap_or(Duration::from_secs(u64::from(tries)));
        let is_short = pause <= Duration::from_secs(MAX_PAUSE_SECONDS);
        (is_busy && !self.refuses_retries && is_short).then_some(pause)
    }
}
