use std::fmt;

use crate::Handle;

/// Content that was removed and cannot be restored from the output alone.
///
/// Store it before sending the body.
///
/// ```
/// use headroom_core::{Handle, Original};
///
/// let original = Original::new("a long log");
/// assert_eq!(original.handle(), Handle::from_content("a long log"));
/// assert_eq!(original.into_content(), "a long log");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Original {
    handle: Handle,
    content: String,
}

impl Original {
    /// Takes the content, and computes its handle.
    #[must_use]
    pub fn new(content: impl Into<String>) -> Self {
        let content = content.into();
        Self { handle: Handle::from_content(&content), content }
    }

    /// Takes content whose handle is known. Not public, because a store must not get content under another's handle; tests
    /// of stores see to it that one which does refuses it.
    #[doc(hidden)]
    #[must_use]
    pub fn with_handle(handle: Handle, content: impl Into<String>) -> Self {
        Self { handle, content: content.into() }
    }

    /// Returns the handle that the marker in the body names.
    #[must_use]
    pub const fn handle(&self) -> Handle {
        self.handle
    }

    /// Returns the removed text, exactly, with JSON escapes decoded.
    #[must_use]
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Returns the removed text, exactly, with JSON escapes decoded.
    #[must_use]
    pub fn into_content(self) -> String {
        self.content
    }
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").field("handle", &self.handle).field("bytes", &self.content.len()).finish()
    }
}
