use std::{error::Error, fmt};

/// Any error, as the source of a [`StoreError`].
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Error returned when a store fails.
///
/// A missing original is not an error: [`OriginalStore::get`](crate::OriginalStore::get) returns `None`. The message
/// never holds content or handles.
///
/// # Example
///
/// ```
/// use headroom_store::StoreError;
///
/// let error = StoreError::unavailable(std::io::Error::other("connection refused"));
/// assert!(error.is_unavailable());
/// assert_eq!(error.to_string(), "the store is unavailable");
/// ```
pub struct StoreError(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    source: Option<BoxError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    Unavailable,
    Collision,
    TooLarge,
    TenantLimit,
}

impl StoreError {
    /// The store cannot be reached or does not work, because of `source`.
    pub fn unavailable(source: impl Into<BoxError>) -> Self {
        Self(Box::new(Inner { kind: ErrorKind::Unavailable, source: Some(source.into()) }))
    }

    /// Other content already has this handle. The first content stays.
    #[must_use]
    pub fn collision() -> Self {
        Self(Box::new(Inner { kind: ErrorKind::Collision, source: None }))
    }

    /// An original is larger than the store can hold.
    #[must_use]
    pub fn too_large() -> Self {
        Self(Box::new(Inner { kind: ErrorKind::TooLarge, source: None }))
    }

    /// The tenant has stored as much as it may.
    #[must_use]
    pub fn tenant_limit() -> Self {
        Self(Box::new(Inner { kind: ErrorKind::TenantLimit, source: None }))
    }

    /// Whether the store cannot be reached or does not work.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.0.kind == ErrorKind::Unavailable
    }

    /// Whether other content already has one of the handles.
    #[must_use]
    pub fn is_collision(&self) -> bool {
        self.0.kind == ErrorKind::Collision
    }

    /// Whether an original is larger than the store can hold.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.0.kind == ErrorKind::TooLarge
    }

    /// Whether the tenant has stored as much as it may.
    #[must_use]
    pub fn is_tenant_limit(&self) -> bool {
        self.0.kind == ErrorKind::TenantLimit
    }

    /// A label for metrics: `unavailable`, `collision`, `too_large` or `tenant_limit`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.0.kind {
            ErrorKind::Unavailable => "unavailable",
            ErrorKind::Collision => "collision",
            ErrorKind::TooLarge => "too_large",
            ErrorKind::TenantLimit => "tenant_limit",
        }
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreError").field("kind", &self.0.kind).field("source", &self.0.source).finish()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.kind {
            ErrorKind::Unavailable => "the store is unavailable",
            ErrorKind::Collision => "other content already has this handle",
            ErrorKind::TooLarge => "the original is larger than the store can hold",
            ErrorKind::TenantLimit => "the tenant has stored as much as it may",
        })
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}
