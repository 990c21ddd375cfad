//! Ten thousand connections at once.
#![cfg(target_os = "linux")]

use std::{fs, net::SocketAddr};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::support::{Connection, Proxy, Upstream, exchange, ok, post, skipped};

const CONNECTIONS: usize = 10_000;
/// Of these, so many have had an answer.
const USED: usize = 2_000;
/// What a connection may cost in resident memory, in KiB. One that was used keeps its buffers.
const MOST: usize = 24;

#[test]
fn ten_thousand_idle_connections_cost_little_and_hold_nobody_up() {
    let mut limit = getrlimit(Resource::Nofile);
    // Those of the client, and as many in the proxy.
    if limit.maximum.is_some_and(|most| most < CONNECTIONS as u64 + 200) {
        return skipped("the limit of open files is below ten thousand");
    }
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    ask(proxy.address);
    let before = resident(proxy.id());
    let mut idle: Vec<_> = (0..CONNECTIONS).map(|_| Connection::open(proxy.address)).collect();
    for connection in &mut idle[..USED] {
        use_once(connection);
    }
    let each = (resident(proxy.id()) - before) * 1024 / CONNECTIONS;
    eprintln!("{CONNECTIONS} idle connections, {USED} of them used before: {each} bytes each");
    assert!(each <= MOST << 10, "{each} bytes for a connection");
    ask(proxy.address);
    for n in [0, USED - 1, USED, CONNECTIONS / 2, CONNECTIONS - 1] {
        use_once(&mut idle[n]);
    }
}

fn ask(proxy: SocketAddr) {
    assert_eq!(exchange(proxy, post("/v1/messages", "", b"{}")).status(), 200);
}

fn use_once(connection: &mut Connection) {
    connection.write(post("/v1/messages", "", b"{}")).unwrap();
    assert_eq!(connection.read().unwrap().status(), 200);
}

/// In KiB.
fn resident(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
