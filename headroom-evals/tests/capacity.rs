//! What a store holds of many conversations, drawn from recorded ones.
//!
//! ```sh
//! HEADROOM_SESSIONS=FOLDER cargo test --release -p headroom-evals --test capacity -- --ignored --nocapture
//! ```
//!
//! The folder has logs of agents, as `headroom simulate` reads them.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "tests may")]

use std::{
    collections::HashMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};

use headroom_core::{Api, CompressOptions, Engine, Handle, Outcome, Retrieval};
use headroom_evals::{
    replay::recording,
    session::{self, Client, RecordedSession},
};
use headroom_store::{MemoryStore, OriginalStore};

/// How often each number of conversations is drawn.
const DRAWS: usize = 20;

/// What one conversation leaves in a store.
#[derive(Clone, Copy, Debug, Default)]
struct Footprint {
    /// Bytes of the bodies that the client sent in all its requests.
    requests: usize,
    sent: usize,
    originals: usize,
    /// Bytes of their content.
    content: usize,
    /// Bytes in a store in memory, bookkeeping included.
    stored: u64,
    /// Blocks of 4 KiB that their files would take.
    blocks: usize,
}

#[tokio::test]
#[ignore = "needs HEADROOM_SESSIONS, a folder with logs of agents"]
async fn what_a_store_holds_of_many_conversations() {
    let Some(folder) = env::var_os("HEADROOM_SESSIONS").map(PathBuf::from) else {
        let _ =
            std::io::stderr().write_all(b"skipped: HEADROOM_SESSIONS names no folder with logs of agents\n");
        return;
    };
    let mut footprints = Vec::new();
    for file in logs(&folder) {
        let Some(session) = session::read(&recording::lines(&file).unwrap()) else { continue };
        footprints.push(footprint(&session).await);
    }
    assert!(footprints.len() > 9, "too few to draw from");
    show(&footprints);
    simulate(&footprints);
}

fn logs(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(logs(&path)),
            false if path.extension().is_some_and(|end| end == "jsonl") => files.push(path),
            false => {}
        }
    }
    files.sort();
    files
}

async fn footprint(session: &RecordedSession) -> Footprint {
    let (engine, store, tools) = (Engine::new(), MemoryStore::new(), session.tools());
    let api = if session.client == Client::Codex { Api::OpenAiResponses } else { Api::Anthropic };
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let mut found = Footprint { requests: session.requests.len(), ..Footprint::default() };
    let mut kept: HashMap<Handle, usize> = HashMap::new();
    for at in 0..session.requests.len() {
        let body = session.body(at, &tools).bytes;
        found.sent += body.len();
        if let Outcome::Rewritten { originals, .. } = engine.compress(api, &body, &options) {
            kept.extend(originals.iter().map(|original| (original.handle(), original.content().len())));
            store.put_many("one", originals.clone()).await.unwrap();
        }
    }
    found.originals = kept.len();
    found.content = kept.values().sum();
    found.blocks = kept.values().map(|bytes| bytes.div_ceil(4096)).sum();
    found.stored = store.stored_bytes();
    found
}

/// A name, and the number under it.
type Measure = (&'static str, fn(&Footprint) -> f64);

/// Prints how what conversations leave is distributed.
fn show(footprints: &[Footprint]) {
    println!("{} conversations", footprints.len());
    println!(
        "{:>28} | {:>10} {:>10} {:>10} {:>10} {:>10}",
        "a conversation", "mean", "median", "p90", "p99", "most"
    );
    let measures: [Measure; 5] = [
        ("requests", |one| one.requests as f64),
        ("KB sent in all requests", |one| one.sent as f64 / 1e3),
        ("originals", |one| one.originals as f64),
        ("KB of originals", |one| one.content as f64 / 1e3),
        ("KB in memory", |one| one.stored as f64 / 1e3),
    ];
    for (name, measure) in measures {
        let mut values: Vec<f64> = footprints.iter().map(measure).collect();
        values.sort_by(f64::total_cmp);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        println!(
            "{name:>28} | {mean:>10.1} {:>10.1} {:>10.1} {:>10.1} {:>10.1}",
            at(0.5),
            at(0.9),
            at(0.99),
            at(1.0)
        );
    }
}

/// Prints what a store holds of so many conversations, each drawn from the recorded ones.
fn simulate(footprints: &[Footprint]) {
    println!(
        "\n{:>14} | {:>12} {:>12} {:>22} {:>12}",
        "conversations", "originals", "GB, content", "GB in memory, 5-95 %", "GB as files"
    );
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        footprints[(state >> 33) as usize % footprints.len()]
    };
    for conversations in [1_000, 10_000, 100_000, 1_000_000] {
        let mut sums: Vec<[f64; 4]> = (0..DRAWS)
            .map(|_| {
                let mut sum = [0.0; 4];
                for _ in 0..conversations {
                    let one = draw();
                    sum[0] += one.originals as f64;
                    sum[1] += one.content as f64 / 1e9;
                    sum[2] += one.stored as f64 / 1e9;
                    sum[3] += one.blocks as f64 * 4096.0 / 1e9;
                }
                sum
            })
            .collect();
        sums.sort_by(|a, b| a[2].total_cmp(&b[2]));
        let mean = |at: usize| sums.iter().map(|sum| sum[at]).sum::<f64>() / DRAWS as f64;
        println!(
            "{conversations:>14} | {:>12.0} {:>12.2} {:>10.2} {:>5.2}-{:<5.2} {:>12.2}",
            mean(0),
            mean(1),
            mean(2),
            sums[DRAWS / 20][2],
            sums[DRAWS - 1 - DRAWS / 20][2],
            mean(3),
        );
    }
}
