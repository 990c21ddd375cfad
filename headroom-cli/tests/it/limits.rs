//! What clients and upstreams may keep open, and for how long.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::support::{Connection, PATIENCE, Proxy, Upstream, exchange, ok, post};

fn proxy(args: &[&str]) -> (Proxy, Upstream) {
    let upstream = Upstream::answering(ok("{}"));
    (Proxy::to(upstream.address, &[&["--log", "off"], args].concat()), upstream)
}

/// The head of a request whose body does not follow.
fn head(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{body}\r\n\r\n")
}

#[test]
fn a_body_that_stands_still_ends_with_408() {
    let (proxy, _upstream) = proxy(&["--body-seconds", "1"]);
    for (path, body) in [
        ("/v1/messages", "content-length: 100"),
        ("/v1/messages", "transfer-encoding: chunked"),
        ("/v1/files", "content-length: 100000000"),
        ("/model/m/invoke", "content-length: 100"),
    ] {
        let start = Instant::now();
        let mut client = Connection::open(proxy.address);
        client.write(head(path, body)).unwrap();
        client.write("5\r\n{\"a\":\r\n").unwrap();
        let answer = client.read().unwrap();
        assert_eq!(answer.status(), 408, "{path} {body}: {answer:?}");
        assert!(String::from_utf8_lossy(&answer.body).contains("for 1 s"), "{answer:?}");
        assert!(client.is_ended(), "what comes of the body is not the next request");
        assert!(start.elapsed() >= Duration::from_secs(1), "{path} {body}");
    }
}

#[test]
fn a_body_that_goes_on_slowly_is_waited_for() {
    let (proxy, upstream) = proxy(&["--body-seconds", "1"]);
    let mut client = Connection::open(proxy.address);
    client.write(head("/v1/messages", "content-length: 8")).unwrap();
    for _ in 0..8 {
        thread::sleep(Duration::from_millis(400));
        client.write("1").unwrap();
    }
    assert_eq!(client.read().unwrap().status(), 200);
    assert_eq!(upstream.request().body, b"11111111");
}

#[cfg(target_os = "linux")]
#[test]
fn uploads_that_stopped_hold_no_memory_for_good() {
    const UPLOADS: usize = 24;
    const PIECE: usize = 20 << 20;
    let (proxy, _upstream) = proxy(&["--body-seconds", "2"]);
    let before = resident(proxy.id());
    let clients: Vec<_> = (0..UPLOADS)
        .map(|_| {
            let mut stream = TcpStream::connect(proxy.address).unwrap();
            stream.set_write_timeout(Some(PATIENCE)).unwrap();
            stream
                .write_all(head("/v1/messages", &format!("content-length: {}", 2 * PIECE)).as_bytes())
                .unwrap();
            // A limit on what is held at a time may end some early.
            let _ = stream.write_all(&vec![b'a'; PIECE]);
            stream
        })
        .collect();
    let start = Instant::now();
    let mut held = resident(proxy.id());
    // What an allocator keeps for the next ones is not held.
    while held > before + UPLOADS * PIECE / 4 {
        assert!(start.elapsed() < PATIENCE, "{} MB are held", (held - before) >> 20);
        thread::sleep(Duration::from_millis(100));
        held = resident(proxy.id());
    }
    for mut client in clients {
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = Vec::new();
        let _ = client.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
}

/// In bytes.
#[cfg(target_os = "linux")]
fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[test]
fn an_upstream_that_says_nothing_is_given_up_in_the_end() {
    let upstream = Upstream::start(|connection| {
        let request = connection.read()?;
        if request.target().contains("begun") {
            connection.write(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
            )?;
            // Pings keep it alive, for longer than the limit in all.
            for _ in 0..5 {
                connection.write_chunk("data: {\"type\":\"ping\"}\n\n")?;
                thread::sleep(Duration::from_millis(500));
            }
        }
        thread::sleep(PATIENCE);
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &["--log", "off", "--answer-seconds", "1"]);
    let answer = exchange(proxy.address, post("/v1/messages", "", b"{}"));
    assert_eq!(answer.status(), 504, "{answer:?}");
    assert!(String::from_utf8_lossy(&answer.body).contains("sent nothing for 1 s"), "{answer:?}");
    let answer = exchange(proxy.address, post("/v1/messages?begun", "", b"{}"));
    assert_eq!((answer.status(), answer.complete), (200, false), "it must not look complete");
    assert_eq!(answer.body.iter().filter(|byte| **byte == b'{').count(), 5);
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_is_let_go() {
    const MUCH: usize = 256 << 20;
    let (sender, ended) = std::sync::mpsc::channel();
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        connection.write(format!("HTTP/1.1 200 OK\r\ncontent-length: {MUCH}\r\n\r\n"))?;
        let piece = vec![b'a'; 1 << 20];
        let sent = (0..MUCH / piece.len()).try_for_each(|_| connection.write(&piece));
        sender.send(sent.is_err()).map_err(std::io::Error::other)?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &["--log", "off", "--idle-seconds", "1"]);
    let mut client = Connection::open(proxy.address);
    client.write(post("/v1/messages", "", b"{}")).unwrap();
    assert!(ended.recv_timeout(PATIENCE).unwrap(), "the upstream could send all of it");
}

#[test]
fn connections_above_the_limit_wait_for_their_turn() {
    let (proxy, _upstream) = proxy(&["--max-connections", "2"]);
    let mut open: Vec<_> = (0..2).map(|_| Connection::open(proxy.address)).collect();
    for client in &mut open {
        client.write(post("/v1/messages", "", b"{}")).unwrap();
        assert_eq!(client.read().unwrap().status(), 200);
    }
    let mut waiting = Connection::open(proxy.address).patiently(Duration::from_millis(300));
    waiting.write(post("/v1/messages", "", b"{}")).unwrap();
    assert!(waiting.read_head().is_err(), "a third one is served");
    drop(open);
    assert_eq!(waiting.patiently(PATIENCE).read().unwrap().status(), 200);
}

#[test]
fn limits_are_checked_and_described() {
    for (flag, value) in [
        ("--body-seconds", "0"),
        ("--answer-seconds", "-1"),
        ("--max-connections", "0"),
        ("--allow-origins", "*"),
    ] {
        let output = crate::support::headroom(&["proxy", flag, value]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{flag} {value}");
    }
    let schema = crate::support::headroom(&["config", "schema"]).output().unwrap();
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
    for name in
        ["body_seconds", "answer_seconds", "max_connections", "max_connections_per_peer", "max_buffered_mb"]
    {
        assert_eq!(schema["properties"][name]["minimum"], 1, "{name}");
    }
    assert_eq!(schema["properties"]["allow_origins"]["items"]["type"], "string");
}
