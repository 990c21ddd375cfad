use std::fmt;

use headroom_core::UnchangedReason;

/// Why a request is not rewritten.
///
/// A label, not an error: it is `Copy`, holds no content, and suits metrics.
///
/// # Example
///
/// ```
/// use headroom_core::UnchangedReason;
/// use headroom_tower::SkipReason;
///
/// assert_eq!(SkipReason::BodyTooLarge.as_str(), "body_too_large");
/// assert_eq!(SkipReason::Engine(UnchangedReason::NoSaving).as_str(), "no_saving");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SkipReason {
    /// A [`HeadroomOverride`](crate::HeadroomOverride) turned the layer off for this request.
    Disabled,
    /// The predicate rejected it.
    Predicate,
    /// Not a `POST`.
    Method,
    /// Not JSON by its `Content-Type`, and not on a path of a known API.
    ContentType,
    /// The path belongs to a known API whose requests are never rewritten: batches and compaction.
    Path,
    /// A protocol upgrade.
    Upgrade,
    /// The request carries a signature or a digest of its body.
    Signed,
    /// A `Content-Encoding` that is unknown or whose feature is off.
    Encoding,
    /// Another layer has already rewritten the request.
    AlreadyRewritten,
    /// The body is longer than the limit.
    BodyTooLarge,
    /// The body could not be read to its end.
    ReadFailed,
    /// The body ends with trailers, which usually sign it.
    Trailers,
    /// The body is not what its `Content-Encoding` says.
    DecodeFailed,
    /// The decoded body is longer than the limit.
    DecodedTooLarge,
    /// The provider refused the rewritten form of this conversation and accepted the original.
    Rejected,
    /// The conversation is in the control group of [`HeadroomLayer::holdout`](crate::HeadroomLayer::holdout).
    Holdout,
    /// The request continues a message thread, and its client was told to send the conversation in full.
    MessageThread,
    /// Neither path nor body identify a known API.
    UnknownApi,
    /// Content was to be elided, but there is no store.
    NoStore,
    /// The store failed.
    StoreFailure,
    /// A bug: something panicked.
    Internal,
    /// The engine left the body unchanged.
    Engine(UnchangedReason),
}

impl SkipReason {
    /// Whether the layer would have worked on the request: its head looks like that of an LLM request.
    #[must_use]
    pub const fn is_eligible(self) -> bool {
        !matches!(
            self,
            Self::Disabled
                | Self::Predicate
                | Self::Method
                | Self::ContentType
                | Self::Path
                | Self::Upgrade
                | Self::Signed
                | Self::Encoding
                | Self::AlreadyRewritten
        )
    }

    /// Returns the label used in events and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Predicate => "predicate",
            Self::Method => "method",
            Self::ContentType => "content_type",
            Self::Path => "path",
            Self::Upgrade => "upgrade",
            Self::Signed => "signed",
            Self::Encoding => "encoding",
            Self::AlreadyRewritten => "already_rewritten",
            Self::BodyTooLarge => "body_too_large",
            Self::ReadFailed => "read_failed",
            Self::Trailers => "trailers",
            Self::DecodeFailed => "decode_failed",
            Self::DecodedTooLarge => "decoded_too_large",
            Self::Rejected => "rejected",
            Self::Holdout => "holdout",
            Self::MessageThread => "message_thread",
            Self::UnknownApi => "unknown_api",
            Self::NoStore => "no_store",
            Self::StoreFailure => "store_failure",
            Self::Internal => "internal",
            Self::Engine(reason) => reason.as_str(),
        }
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
