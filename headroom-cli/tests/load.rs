//! Clients with a megabyte of fresh output each, first among themselves and then beside one that sends whatever takes
//! most time and memory.
//!
//! ```sh
//! HEADROOM_LOAD_SECONDS=60 cargo test --release -p headroom-cli --test load -- --ignored --nocapture
//! ```
//!
//! And one client beside a tenant that floods:
//!
//! ```sh
//! cargo test --release -p headroom-cli --test load tenant -- --ignored --nocapture
//! ```
//!
//! `HEADROOM_LOAD_CLIENTS` says how many clients there are, and `HEADROOM_LOAD_BINARY` takes another build of the program.
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
    net::SocketAddr,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use self::support::{
    Connection, Proxy, Upstream, exchange, ok, post,
    traffic::{conversation, log, request, resident},
};

/// Bytes of fresh output in each request.
const FRESH: usize = 1 << 20;
/// What the layer may hold for request bodies, in MB.
const BOUND: f64 = 1024.0;
/// What the proxy takes besides: its memories of decisions, of originals, and what the allocator keeps.
const REST: f64 = 400.0;
/// How much slower others may be beside a hostile client.
const MOST_TIMES: f64 = 2.0;
/// Between two looks at the proxy.
const PAUSE: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(120);

/// What was measured in one phase.
#[derive(Debug, Default)]
struct Phase {
    requests: Vec<f64>,
    livez: Vec<f64>,
    /// The same of a proxy without load: what the machine takes.
    idle: Vec<f64>,
    resident: f64,
}

#[test]
#[ignore = "takes as long as it is told"]
fn others_are_served_beside_a_hostile_client_and_memory_stays_within_its_bound() {
    let (seconds, clients) = (number("HEADROOM_LOAD_SECONDS", 16.0), number("HEADROOM_LOAD_CLIENTS", 32.0));
    let (proxy, upstream, _home) = start();
    let (idle, _unused, _other_home) = start();
    let over = AtomicBool::new(false);
    let phases = thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || {
            // What comes is let go.
            while !over.load(Ordering::Relaxed) {
                let _ = upstream.request_within(Duration::from_millis(50));
            }
        });
        let length = Duration::from_secs_f64(seconds / 2.0);
        let seed = AtomicU64::new(1);
        let phases =
            [false, true].map(|hostile| phase([&proxy, &idle], clients as usize, length, &seed, hostile));
        over.store(true, Ordering::Relaxed);
        phases
    });
    for (name, phase) in ["alone", "beside a hostile client"].iter().zip(&phases) {
        let [p50, p99] = [0.5, 0.99].map(|share| quantile(&phase.requests, share));
        let [live50, live99] = [0.5, 0.99].map(|share| quantile(&phase.livez, share) * 1000.0);
        let [idle50, idle99] = [0.5, 0.99].map(|share| quantile(&phase.idle, share) * 1000.0);
        eprintln!(
            "{name}: {} requests, p50 {p50:.2} s, p99 {p99:.2} s; livez p50 {live50:.1} ms, p99 {live99:.1} ms, \
             of an idle proxy {idle50:.1} and {idle99:.1} ms; {:.0} MB resident at most",
            phase.requests.len(),
            phase.resident
        );
    }
    let [alone, beside] = &phases;
    assert!(alone.requests.len() >= clients as usize && beside.requests.len() >= clients as usize);
    let (usual, slow) = (quantile(&alone.requests, 0.99), quantile(&beside.requests, 0.99));
    assert!(slow <= usual * MOST_TIMES, "others wait {slow:.2} s instead of {usual:.2} s");
    for phase in &phases {
        assert!(phase.resident <= BOUND + REST, "{:.0} MB", phase.resident);
    }
}

fn number(name: &str, default: f64) -> f64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn start() -> (Proxy, Upstream, tempfile::TempDir) {
    let upstream = Upstream::answering(ok(
        r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"next"}],"usage":{"input_tokens":9,"output_tokens":1}}"#,
    ));
    let home = tempfile::tempdir().unwrap();
    let binary =
        env::var("HEADROOM_LOAD_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_headroom").to_owned());
    let mut command = Command::new(binary);
    command.args(["proxy", "--listen", "127.0.0.1:0", "--log", "off", "--upstream"]);
    command.arg(format!("http://{}", upstream.address)).env_clear().env("HEADROOM_HOME", home.path());
    (Proxy::start(&mut command), upstream, home)
}

/// Prints what one tenant waits for alone, and beside another that has many requests open all the time.
#[test]
#[ignore = "takes as long as it is told"]
fn a_tenant_beside_one_that_floods() {
    let (seconds, clients) = (number("HEADROOM_LOAD_SECONDS", 20.0), number("HEADROOM_LOAD_CLIENTS", 32.0));
    let length = Duration::from_secs_f64(seconds / 2.0);
    let seed = AtomicU64::new(1);
    let next = || seed.fetch_add(1, Ordering::Relaxed);
    for bytes in [100 << 10, FRESH] {
        let (proxy, _upstream, _home) = start();
        let address = proxy.address;
        let send = |key: &str, connection: &mut Connection, body: &str| {
            let start = Instant::now();
            connection
                .write(post("/v1/messages", &format!("x-api-key: {key}\r\n"), body.as_bytes()))
                .unwrap();
            assert_eq!(connection.read().unwrap().status(), 200);
            start.elapsed().as_secs_f64()
        };
        // Made before, and changed in each line when they are sent: making them would take the processors.
        let floods: Vec<String> = (0..4).map(|_| request(&log(next(), FRESH))).collect();
        let others: Vec<String> = (0..200).map(|_| request(&log(next(), bytes))).collect();
        let mut others = others.iter().cycle();
        let [alone, beside] = [false, true].map(|is_flooded| {
            let end = Instant::now() + length;
            thread::scope(|scope| {
                for _ in 0..if is_flooded { clients as usize } else { 0 } {
                    scope.spawn(|| {
                        stand_back();
                        let mut connection = Connection::open(address).patiently(PATIENCE);
                        while Instant::now() < end {
                            let number = next();
                            let body = &floods[number as usize % floods.len()];
                            send("flood", &mut connection, &body.replace("span ", &format!("span{number} ")));
                        }
                    });
                }
                let mut connection = Connection::open(address).patiently(PATIENCE);
                let mut waits = Vec::new();
                while Instant::now() < end {
                    waits.push(send("other", &mut connection, others.next().unwrap()));
                    thread::sleep(PAUSE);
                }
                waits
            })
        });
        let [p50, p99] =
            [0.5, 0.99].map(|share| [&alone, &beside].map(|waits| quantile(waits, share) * 1000.0));
        eprintln!(
            "{} KB of fresh output, alone and beside {clients} clients of a tenant that floods: p50 {:.1} and {:.1} ms, \
             p99 {:.1} and {:.1} ms, {:.1} times; {} and {} requests",
            bytes >> 10,
            p50[0],
            p50[1],
            p99[0],
            p99[1],
            p99[1] / p99[0],
            alone.len(),
            beside.len(),
        );
        assert!(alone.len() > 3 && beside.len() > 3, "too few to say anything");
    }
}

/// What clients wait for in this time.
fn phase(
    [proxy, idle]: [&Proxy; 2],
    clients: usize,
    length: Duration,
    seed: &AtomicU64,
    hostile: bool,
) -> Phase {
    let (address, end) = (proxy.address, Instant::now() + length);
    let requests = Mutex::new(Vec::new());
    let mut phase = Phase::default();
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                stand_back();
                let mut connection = Connection::open(address).patiently(PATIENCE);
                while Instant::now() < end {
                    let body = request(&log(seed.fetch_add(1, Ordering::Relaxed), FRESH));
                    let start = Instant::now();
                    connection.write(post("/v1/messages", "", body.as_bytes())).unwrap();
                    assert_eq!(connection.read().unwrap().status(), 200);
                    requests.lock().unwrap().push(start.elapsed().as_secs_f64());
                }
            });
        }
        if hostile {
            for attack in ATTACKS {
                scope.spawn(move || {
                    stand_back();
                    attack(address, end);
                });
            }
        }
        while Instant::now() < end {
            phase.livez.push(live(address));
            phase.idle.push(live(idle.address));
            phase.resident = resident(proxy.id()).max(phase.resident);
            thread::sleep(PAUSE);
        }
    });
    phase.requests = requests.into_inner().unwrap();
    phase
}

/// The time until a proxy says that it lives.
fn live(address: SocketAddr) -> f64 {
    let start = Instant::now();
    let answer = exchange(address, "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!(answer.status(), 200);
    start.elapsed().as_secs_f64()
}

/// Lets this thread work where nobody else does: clients have processors of their own, and dozens of threads that make bodies
/// would be what the proxy waits for.
fn stand_back() {
    let _ = rustix::process::nice(10);
}

/// What the hostile client does on connections of its own, until the end.
const ATTACKS: [fn(SocketAddr, Instant); 4] = [
    |address, end| send_and_leave(address, end, "", &many_texts()),
    |address, end| send_and_leave(address, end, "content-encoding: gzip\r\n", &bomb()),
    |address, end| send_and_leave(address, end, "", request(&broken_code()).as_bytes()),
    |address, end| {
        // Bodies that stand still.
        let body = vec![b' '; 20 << 20];
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len() + 1
        );
        let mut open = Vec::new();
        while Instant::now() < end {
            if open.len() < 24 {
                let mut connection = Connection::open(address).patiently(Duration::from_millis(200));
                // Held back once there is no room.
                let _ = connection.write(&head).and_then(|()| connection.write(&body));
                open.push(connection);
            }
            thread::sleep(PAUSE);
        }
    },
];

/// Sends a body again and again, and closes the connection before it is answered.
fn send_and_leave(address: SocketAddr, end: Instant, headers: &str, body: &[u8]) {
    while Instant::now() < end {
        let mut connection = Connection::open(address).patiently(Duration::from_secs(1));
        if connection.write(post("/v1/messages", headers, body)).is_ok() {
            let _ = connection.read();
        }
    }
}

/// A result of very many short texts.
fn many_texts() -> Vec<u8> {
    let texts: Vec<_> =
        (0..45_000).map(|n| format!(r#"{{"type":"text","text":"text number {n}, of very many"}}"#)).collect();
    conversation(&format!("[{}]", texts.join(","))).into_bytes()
}

/// Some 300 KB that decode to some 50 MB.
fn bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let noise = log(0, FRESH);
    let text: String = noise
        .as_bytes()
        .chunks(100)
        .take(6_000)
        .map(|part| String::from_utf8_lossy(part).into_owned() + &"y".repeat(8_000))
        .collect();
    std::io::Write::write_all(&mut encoder, request(&text).as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Short enough to be worked on at once, and code in which hardly anything fits together.
fn broken_code() -> String {
    let mut text = String::from("#include <vector>\nnamespace broken {\nclass Broken {\npublic:\n");
    for n in 0..600 {
        writeln!(text, "  std::vector<int> part{n}( {{ < return (static )) if ( part{n}->next [ {n} ;")
            .unwrap();
    }
    text.truncate(28 << 10);
    text
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = ((values.len().max(1) - 1) as f64 * share).round() as usize;
    values.get(at).copied().unwrap_or_default()
}
