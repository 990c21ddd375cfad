use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use bytes::Bytes;
use headroom_core::{Api, CompressOptions, Outcome, UnchangedReason};

use crate::{SkipReason, config::PromptEngine, decode::Codec, memory::Reservation};

/// New results are worked on at once if their total is below this many bytes: code is not parsed below it, and nothing
/// else takes a millisecond.
pub(crate) const MAX_NEW_AT_ONCE: usize = 2 << 10;

/// The input of the CPU work on one body.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) body: Bytes,
    pub(crate) codec: Codec,
    pub(crate) api: Option<Api>,
    pub(crate) options: CompressOptions,
    pub(crate) max_decompressed_body: u64,
    pub(crate) memory: Option<Reservation>,
    /// Bytes of new results from which the work moves to another thread.
    pub(crate) max_new: usize,
}

/// The output of the CPU work on one body.
pub(crate) struct Output {
    pub(crate) api: Option<Api>,
    pub(crate) elapsed: Option<Duration>,
    pub(crate) result: Result<Outcome, SkipReason>,
}

impl Output {
    /// Whether there was more work than [`Input::max_new`] allows.
    pub(crate) fn is_unfinished(&self) -> bool {
        let reason = match &self.result {
            Ok(Outcome::Unchanged { reason, .. }) | Err(SkipReason::Engine(reason)) => Some(*reason),
            _ => None,
        };
        reason == Some(UnchangedReason::Cancelled)
    }
}

impl Input {
    /// Returns the expected amount of work in bytes. An encoded body's decoded length is unknown; text shrinks about
    /// eightfold.
    pub(crate) fn size(&self) -> u64 {
        let bytes = self.body.len() as u64;
        if self.codec == Codec::Identity { bytes } else { bytes.saturating_mul(8) }
    }

    pub(crate) fn run(self, engine: &dyn PromptEngine, cancelled: &AtomicBool) -> Output {
        let clock = Clock::start();
        let mut output = self.compress(engine, cancelled);
        output.elapsed = clock.elapsed();
        output
    }

    fn compress(self, engine: &dyn PromptEngine, cancelled: &AtomicBool) -> Output {
        let skip = |api, reason| Output { api, elapsed: None, result: Err(reason) };
        let decoded = match self.codec.decode(&self.body, self.max_decompressed_body) {
            Ok(decoded) => decoded,
            Err(reason) => return skip(self.api, reason),
        };
        if let (Some(decoded), Some(memory)) = (&decoded, &self.memory) {
            memory.shrink_to_work_on(decoded.len() as u64);
        }
        let body = decoded.as_deref().unwrap_or(&self.body);
        let Some(api) = self.api.or_else(|| Api::detect(body)) else {
            return skip(None, SkipReason::UnknownApi);
        };
        if cancelled.load(Ordering::Relaxed) {
            return skip(Some(api), SkipReason::Engine(UnchangedReason::Cancelled));
        }
        let new = Cell::new(0_usize);
        let may_go_on = |bytes: usize| {
            new.set(new.get().saturating_add(bytes));
            new.get() < self.max_new && !cancelled.load(Ordering::Relaxed)
        };
        let outcome = engine.compress_while(api, body, &self.options, &may_go_on);
        Output { api: Some(api), elapsed: None, result: Ok(outcome) }
    }
}

/// Measures time for observers only; nothing depends on it.
struct Clock {
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    start: std::time::Instant,
}

impl Clock {
    fn start() -> Self {
        Self {
            #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
            start: std::time::Instant::now(),
        }
    }

    fn elapsed(&self) -> Option<Duration> {
        #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
        return Some(self.start.elapsed());
        #[cfg(all(target_family = "wasm", target_os = "unknown"))]
        None
    }
}
