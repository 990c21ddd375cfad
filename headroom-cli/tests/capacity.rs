//! What a request costs the proxy: processor time and memory, by size.
//!
//! ```sh
//! cargo test --release -p headroom-cli --test capacity -- --ignored --nocapture
//! ```
//!
//! Processor time is that of the proxy's process, so that what else the machine does matters little. `HEADROOM_LOAD_BINARY`
//! takes another build of the program.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

mod support;

use std::{
    env, fs,
    net::SocketAddr,
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use self::support::{
    Connection, Proxy, Upstream, ok, post,
    traffic::{conversation, log, request, resident},
};

const CONNECTIONS: usize = 4;
const LENGTH: Duration = Duration::from_secs(6);
const PATIENCE: Duration = Duration::from_secs(120);
/// Turns in which a conversation grows to its size.
const TURNS: usize = 10;

static SEED: AtomicU64 = AtomicU64::new(1);

fn fresh(bytes: usize) -> String {
    log(SEED.fetch_add(1, Ordering::Relaxed), bytes)
}

/// The requests of a conversation, each with all that came before.
fn growing(bytes: usize) -> Vec<String> {
    let outputs: Vec<_> = (0..TURNS).map(|_| fresh(bytes / TURNS)).collect();
    (1..=TURNS)
        .map(|turn| {
            let texts: Vec<_> = outputs[..turn]
                .iter()
                .map(|text| format!(r#"{{"type":"text","text":{}}}"#, serde_json::to_string(text).unwrap()))
                .collect();
            conversation(&format!("[{}]", texts.join(",")))
        })
        .collect()
}

#[test]
#[ignore = "takes minutes, to be read"]
fn what_a_request_costs() {
    eprintln!(
        "{:>22} {:>10} | {:>12} {:>15} {:>12} {:>12}",
        "", "bytes", "CPU ms", "per s and core", "MB resident", "p50 ms"
    );
    for (name, make) in [
        ("all of it new", (|bytes| vec![request(&fresh(bytes))]) as fn(usize) -> Vec<String>),
        ("a tenth of it new", growing),
    ] {
        for bytes in [10 << 10, 100 << 10, 1 << 20] {
            show(name, make, bytes);
        }
    }
    show("nothing to rewrite", |_| vec![r#"{"model":"m","messages":[]}"#.to_owned()], 0);
}

fn show(name: &str, make: fn(usize) -> Vec<String>, bytes: usize) {
    let upstream = Upstream::answering(ok(
        r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"next"}],"usage":{"input_tokens":9,"output_tokens":1}}"#,
    ));
    let home = tempfile::tempdir().unwrap();
    let binary =
        env::var("HEADROOM_LOAD_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_headroom").to_owned());
    let mut command = Command::new(binary);
    command.args(["proxy", "--listen", "127.0.0.1:0", "--log", "off", "--upstream"]);
    command.arg(format!("http://{}", upstream.address)).env_clear().env("HEADROOM_HOME", home.path());
    let proxy = Proxy::start(&mut command);
    let (before, end) = (processor_ms(proxy.id()), Instant::now() + LENGTH);
    let mut times: Vec<(f64, usize)> = thread::scope(|scope| {
        let clients: Vec<_> =
            (0..CONNECTIONS).map(|_| scope.spawn(|| client(proxy.address, end, make, bytes))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let spent = processor_ms(proxy.id()) - before;
    assert!(!times.is_empty());
    let size = times.iter().map(|(_, bytes)| bytes).sum::<usize>() / times.len();
    let each = spent / times.len() as f64;
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    eprintln!(
        "{name:>22} {size:>10} | {each:>12.2} {:>15.0} {:>12.0} {:>12.1}",
        1000.0 / each,
        resident(proxy.id()),
        times[times.len() / 2].0,
    );
}

/// The milliseconds and bytes of each request.
fn client(
    address: SocketAddr,
    end: Instant,
    make: fn(usize) -> Vec<String>,
    bytes: usize,
) -> Vec<(f64, usize)> {
    let mut connection = Connection::open(address).patiently(PATIENCE);
    let mut times = Vec::new();
    while Instant::now() < end {
        for body in make(bytes) {
            let start = Instant::now();
            connection.write(post("/v1/messages", "", body.as_bytes())).unwrap();
            assert_eq!(connection.read().unwrap().status(), 200);
            times.push((start.elapsed().as_secs_f64() * 1e3, body.len()));
        }
    }
    times
}

/// Processor time of a process in milliseconds.
fn processor_ms(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: f64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    // A hundred a second on every architecture that Linux tells programs of.
    ticks * 10.0
}
