//! The six laws, over own fixtures, generated conversations and, where they are at hand, recordings of real clients.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

#[path = "laws/cache_hints.rs"]
mod cache_hints;
#[path = "laws/causality.rs"]
mod causality;
#[path = "laws/drop_tools.rs"]
mod drop_tools;
#[path = "laws/epochs.rs"]
mod epochs;
#[path = "laws/large.rs"]
mod large;
#[path = "laws/never_worse.rs"]
mod never_worse;
#[path = "laws/private.rs"]
mod private;
#[path = "laws/recoverable.rs"]
mod recoverable;
#[path = "laws/robustness.rs"]
mod robustness;
#[path = "laws/splice.rs"]
mod splice;
#[path = "laws/truthful.rs"]
mod truthful;

use headroom_core::{Api, CompressOptions, Retrieval};
use headroom_tests::{
    data::{self, Conversation},
    engine::real,
    laws::{Run, Violation},
};
use proptest::prelude::ProptestConfig;

/// The retrievals under which every law must hold.
const RETRIEVALS: [Retrieval; 4] =
    [Retrieval::Disabled, Retrieval::ClientTool, Retrieval::ServerTool, Retrieval::File];

/// How many requests of a recorded session are sent. Unoptimised builds send few.
const TURNS: usize = if cfg!(debug_assertions) { 4 } else { 40 };

/// Options with this retrieval, and a folder for originals where they need one.
fn options(retrieval: Retrieval) -> CompressOptions {
    CompressOptions::new().originals_dir("/var/spool/headroom").retrieval(retrieval).epochs(true)
}

/// `PROPTEST_CASES` asks for more cases, or fewer.
fn cases() -> ProptestConfig {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if asked {
        default
    } else {
        ProptestConfig { cases: if cfg!(debug_assertions) { 48 } else { 512 }, ..default }
    }
}

/// Own conversations first, then all that is recorded.
fn every_conversation(test: &str) -> Vec<Conversation> {
    let mut all = data::conversations();
    match (data::captures(), data::traces(TURNS)) {
        (Some(captures), Some(traces)) => {
            assert!(
                captures.len() > 10 && traces.len() > 10,
                "{} captures, {} traces",
                captures.len(),
                traces.len()
            );
            all.extend(captures);
            all.extend(traces);
        }
        _ => data::skipped(test),
    }
    all
}

/// Every fixture, and the last request of every conversation.
fn every_body(test: &str) -> Vec<(String, Api, Vec<u8>)> {
    let last = |mut c: Conversation| Some((c.name, c.api, c.bodies.pop()?));
    data::fixtures().into_iter().chain(every_conversation(test).into_iter().filter_map(last)).collect()
}

/// Checks a law on every body under every retrieval.
fn on_every_body(test: &str, law: impl Fn(&Run, &CompressOptions) -> Result<(), Violation>) {
    for (name, api, body) in every_body(test) {
        for retrieval in RETRIEVALS {
            let options = options(retrieval);
            let checked = Run::new(&*real(), api, &body, &options).and_then(|run| law(&run, &options));
            checked.unwrap_or_else(|violation| panic!("{name} with {retrieval}: {violation}"));
        }
    }
}
