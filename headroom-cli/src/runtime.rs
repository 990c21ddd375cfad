//! The runtime of servers, whose threads have names and ranks.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use tokio::runtime::{Builder, Runtime};

/// The threads that serve connections.
const SERVES: &str = "headroom-serve";
/// The threads that work on bodies and files.
const WORKS: &str = "headroom-work";
/// How much the threads that work give way to those that serve: a small request must not wait until large ones are done.
#[cfg(target_os = "linux")]
const GIVES_WAY: i32 = 4;

/// Creates a runtime for a server. The names of its threads show in `top -H`.
pub(crate) fn server() -> io::Result<Runtime> {
    let serving = thread::available_parallelism().map_or(1, usize::from);
    // The runtime starts the threads that serve first, and takes their names in the same order.
    let started = AtomicUsize::new(0);
    Builder::new_multi_thread()
        .worker_threads(serving)
        .thread_name_fn(move || {
            let serves = started.fetch_add(1, Ordering::Relaxed) < serving;
            if serves { SERVES } else { WORKS }.to_owned()
        })
        .on_thread_start(give_way)
        .enable_all()
        .build()
}

/// Lowers the rank of a thread that works. Elsewhere than on Linux, this would be the rank of the whole process.
fn give_way() {
    #[cfg(target_os = "linux")]
    if thread::current().name() == Some(WORKS) {
        let _ = rustix::process::nice(GIVES_WAY); // or it stays as it is
    }
}
