//! Thirty-two conversations of up to 1 MB at once, growing turn by turn, for as long as asked, while the proxy's memory
//! is sampled.
//!
//! ```sh
//! HEADROOM_SOAK_MINUTES=60 cargo test --release -p headroom-cli --test soak -- --ignored --nocapture
//! ```
//!
//! `HEADROOM_SOAK_BINARY` takes another build of the program; `HEADROOM_SOAK_FIGURE` names a file for the figure (SVG).
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
    env,
    fmt::Write,
    fs,
    net::SocketAddr,
    process::Command,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use self::support::{Connection, Proxy, Upstream, ok, post};

const CONVERSATIONS: u64 = 32;
/// A conversation that has grown to this begins anew.
const LONGEST: usize = 1 << 20;
/// What one tool result brings.
const LINES: u64 = 400;
/// Between two turns of a conversation.
const PAUSE: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct Sample {
    seconds: f64,
    resident: f64,
}

#[test]
#[ignore = "takes as long as it is told"]
fn memory_stays_flat_while_conversations_come_and_go() {
    let minutes: f64 =
        env::var("HEADROOM_SOAK_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(2.0);
    let length = Duration::from_secs_f64(minutes * 60.0);
    let upstream = Upstream::answering(ok(
        r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"next"}],"usage":{"input_tokens":9,"output_tokens":1}}"#,
    ));
    let home = tempfile::tempdir().unwrap();
    let binary =
        env::var("HEADROOM_SOAK_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_headroom").to_owned());
    let mut command = Command::new(binary);
    command.args(["proxy", "--listen", "127.0.0.1:0", "--log", "off", "--upstream"]);
    command.arg(format!("http://{}", upstream.address)).env_clear().env("HEADROOM_HOME", home.path());
    let proxy = Proxy::start(&mut command);
    let (over, turns, bytes, saved) =
        (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let mut samples = Vec::new();
    thread::scope(|scope| {
        let (over, turns, bytes, saved) = (&over, &turns, &bytes, &saved);
        scope.spawn(move || {
            // What comes is counted and let go.
            while !over.load(Ordering::Relaxed) {
                if let Some(request) = upstream.request_within(Duration::from_millis(100)) {
                    saved.fetch_add(request.body.len() as u64, Ordering::Relaxed);
                }
            }
        });
        for conversation in 0..CONVERSATIONS {
            let address = proxy.address;
            scope.spawn(move || converse(address, conversation, over, turns, bytes));
        }
        let start = Instant::now();
        while start.elapsed() < length {
            thread::sleep(Duration::from_secs(5).min(length / 20));
            samples.push(Sample { seconds: start.elapsed().as_secs_f64(), resident: resident(proxy.id()) });
        }
        over.store(true, Ordering::Relaxed);
    });
    let (turns, bytes) = (turns.into_inner(), bytes.into_inner());
    let median = |samples: &[Sample]| {
        let mut resident: Vec<f64> = samples.iter().map(|sample| sample.resident).collect();
        resident.sort_by(f64::total_cmp);
        resident[resident.len() / 2]
    };
    let quarter = samples.len() / 4;
    let (second, last) = (median(&samples[quarter..2 * quarter]), median(&samples[3 * quarter..]));
    let highest = samples.iter().map(|sample| sample.resident).fold(0.0, f64::max);
    eprintln!(
        "{minutes} minutes, {turns} turns, {} MB of requests, {} MB of them sent on; resident: {second:.0} MB in the \
         second quarter, {last:.0} MB in the last, {highest:.0} MB at most",
        bytes >> 20,
        saved.into_inner() >> 20,
    );
    if let Ok(path) = env::var("HEADROOM_SOAK_FIGURE") {
        fs::write(path, figure(&samples, highest)).unwrap();
    }
    assert!(turns > CONVERSATIONS, "hardly anything was sent");
    assert!(last <= second * 1.15 + 8.0, "memory grows: {second:.0} MB, then {last:.0} MB");
}

/// Turns of one conversation after another, each with all that went before.
fn converse(address: SocketAddr, conversation: u64, over: &AtomicBool, turns: &AtomicU64, bytes: &AtomicU64) {
    let mut connection = Connection::open(address).patiently(Duration::from_secs(300));
    let mut seed = conversation + 1;
    while !over.load(Ordering::Relaxed) {
        seed += CONVERSATIONS;
        let mut messages = format!(r#"{{"role":"user","content":"why do orders of run {seed} fail?"}}"#);
        let mut turn = 0;
        while messages.len() < LONGEST && !over.load(Ordering::Relaxed) {
            turn += 1;
            let output = serde_json::to_string(&output(seed, turn)).unwrap();
            write!(
                messages,
                r#",{{"role":"assistant","content":[{{"type":"tool_use","id":"t{turn}","name":"Bash","input":{{"command":"./report {turn}"}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{turn}","content":{output}}}]}}"#
            )
            .unwrap();
            let body = format!(
                r#"{{"model":"claude-opus-5-5","max_tokens":9,"tools":[{{"name":"Bash","input_schema":{{"type":"object"}}}}],"system":"{}","messages":[{messages}]}}"#,
                "You are an agent. ".repeat(600)
            );
            connection.write(post("/v1/messages", "", body.as_bytes())).unwrap();
            assert_eq!(connection.read().unwrap().status(), 200);
            turns.fetch_add(1, Ordering::Relaxed);
            bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
            thread::sleep(PAUSE);
        }
    }
}

/// What a tool says, another each time.
fn output(seed: u64, turn: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ turn;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let mut text = String::new();
    for line in 0..LINES {
        let (level, what) = if next() % 61 == 0 { ("ERROR", "refused") } else { ("INFO", "served") };
        let (order, took, span) = (next() % 100_000, next() % 900, next());
        writeln!(
            text,
            "2026-11-20T10:{:02}:{:02}Z {level} request of order {order} {what} in {took} ms, span {span:08x}",
            line / 60 % 60,
            line % 60
        )
        .unwrap();
    }
    text
}

/// In MB of 2^20 bytes.
fn resident(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

fn figure(samples: &[Sample], highest: f64) -> String {
    let (width, height) = (720.0, 240.0);
    let last = samples.last().map_or(1.0, |sample| sample.seconds);
    let top = (highest / 50.0).ceil() * 50.0;
    let x = |seconds: f64| 50.0 + seconds / last * (width - 70.0);
    let y = |resident: f64| height - 30.0 - resident / top * (height - 50.0);
    let points: String =
        samples.iter().map(|sample| format!("{:.1},{:.1} ", x(sample.seconds), y(sample.resident))).collect();
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"11\" fill=\"#555\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for line in 0..=4 {
        let value = top * f64::from(line) / 4.0;
        let at = y(value);
        writeln!(
            text,
            "<path d=\"M50 {at:.1}H{}\" stroke=\"#ddd\"/><text x=\"44\" y=\"{:.1}\" text-anchor=\"end\">{value:.0}</text>",
            width - 20.0,
            at + 4.0
        )
        .unwrap();
        let seconds = last * f64::from(line) / 4.0;
        writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{:.0} min</text>",
            x(seconds),
            height - 12.0,
            seconds / 60.0
        )
        .unwrap();
    }
    writeln!(text, "<text x=\"50\" y=\"12\">resident memory of the proxy, MB</text>").unwrap();
    text + &format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#2a6f97\" stroke-width=\"1.5\"/>\n</svg>\n",
        points.trim()
    )
}
