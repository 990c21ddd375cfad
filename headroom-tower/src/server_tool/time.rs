//! Waiting, where there is a runtime to wait with.

use std::{future::Future, pin::Pin, time::Duration};

pub(super) type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A future that is ready after this time; `None` where nothing keeps time.
pub(super) fn sleep(time: Duration) -> Option<Sleep> {
    #[cfg(feature = "tokio")]
    if tokio::runtime::Handle::try_current().is_ok() {
        // A runtime may have no timer, which shows in a panic only.
        let sleep = std::panic::catch_unwind(|| tokio::time::sleep(time));
        return sleep.ok().map(|sleep| Box::pin(sleep) as Sleep);
    }
    let _ = time;
    None
}
