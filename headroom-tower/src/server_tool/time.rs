//! Timers, if the runtime has them.

use std::{future::Future, pin::Pin, time::Duration};

pub(super) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns a future that is ready after this time; `None` if there is no timer.
pub(super) fn sleep(time: Duration) -> Option<Sleep> {
    #[cfg(feature = "tokio")]
    if tokio::runtime::Handle::try_current().is_ok() {
        // A runtime without a timer panics; there is no other way to find out.
        let sleep = std::panic::catch_unwind(|| tokio::time::sleep(time));
        return sleep.ok().map(|sleep| Box::pin(sleep) as Sleep);
    }
    let _ = time;
    None
}
