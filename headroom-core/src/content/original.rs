use std::fmt;

use crate::Handle;

/// Content that was removed and cannot be restored from the output alone.
///
/// Store it before sending the body.
#[derive(Clone, PartialEq, Eq)]
pub struct Original {
    /// The handle that the marker in the body names.
    pub handle: Handle,
    /// The removed text, exactly, with JSON escapes decoded.
    pub content: String,
}

impl fmt::Debug for Original {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Original").field("handle", &self.handle).field("bytes", &self.content.len()).finish()
    }
}
