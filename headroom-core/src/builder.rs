use crate::Headroom;

/// Configuration of [`Headroom`].
///
/// # Example
///
/// ```
/// use headroom_core::Headroom;
///
/// let headroom = Headroom::builder().max_body(8 << 20).memory(16 << 20).build();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    pub(crate) max_body: usize,
    pub(crate) memory: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self { max_body: 64 << 20, memory: 64 << 20 }
    }
}

impl Builder {
    /// Declines bodies longer than this many bytes. Default: 64 MiB, twice what Anthropic accepts.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// How many bytes the engine may keep of what it decided before. Default: 64 MiB.
    ///
    /// With 0 nothing is kept: every request costs as much as a new one, and becomes the same.
    pub fn memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }

    /// Builds the engine.
    #[must_use]
    pub fn build(self) -> Headroom {
        Headroom::with(self)
    }
}
