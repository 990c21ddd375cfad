//! What goes wrong on either side looks as it would without the proxy.

use std::{
    io::{ErrorKind, Write},
    net::TcpStream,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use crate::support::{Connection, PATIENCE, Proxy, Upstream, exchange, ok, post, request};

const PATHS: [&str; 4] =
    ["/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1beta/models/m:generateContent"];

#[test]
fn odd_bodies_pass_byte_for_byte() {
    let deep =
        |open: &str, close: &str| format!("{{\"messages\":{}{}}}", open.repeat(10_000), close.repeat(10_000));
    let result = |content: &str| {
        let mut body = b"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"".to_vec();
        body.extend(content.as_bytes());
        body.extend(b"\"}]}]}");
        body
    };
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "0",
        "\"text\"",
        "[]",
        "{",
        "{\"messages\":[",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"cut off",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800 lone \\udc00\"}]}",
        "{\"messages\":[],\"n\":9223372036854775809,\"m\":1e400,\"z\":-0,\"y\":0.10,\"x\":1E+2}",
        "{\"messages\":[],\"messages\":[{\"role\":\"user\",\"content\":\"twice\"}],\"model\":1,\"model\":null}",
        "\u{feff}{\"messages\":[]}",
        "{\"messages\":[]} trailing",
        "{\"messages\":[]}\n{\"messages\":[]}",
        "{\"messages\":{\"role\":\"user\"},\"tools\":\"none\",\"system\":7}",
        "{\"messages\":[null,1,\"x\",[],{\"content\":[null,{\"type\":\"tool_result\",\"content\":{\"a\":1}}]}]}",
    ]
    .iter()
    .map(|body| body.as_bytes().to_vec())
    .collect();
    bodies.extend([
        deep("[", "]").into_bytes(),
        deep("{\"a\":", "}").into_bytes(),
        deep("[", "").into_bytes(),
        result("\\ud83d"),
        result("\\u0000\\u001f"),
        result("\\x"),
        b"{\"messages\":[{\"role\":\"user\",\"content\":\"\xe2\x82\"}]}".to_vec(),
        b"\xff\xfe{\x00}\x00".to_vec(),
        b"\x1f\x8b\x08 no gzip".to_vec(),
    ]);
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    for path in PATHS {
        for body in &bodies {
            let shown = String::from_utf8_lossy(body.get(..80.min(body.len())).unwrap()).into_owned();
            assert_eq!(exchange(proxy.address, post(path, "", body)).status(), 200, "{path} {shown}");
            assert!(upstream.request().body == *body, "{path} {shown}");
        }
    }
    for encoding in ["gzip", "br", "zstd", "deflate", "unheard-of", "gzip, gzip"] {
        let body = b"not encoded at all";
        let answer =
            exchange(proxy.address, post(PATHS[0], &format!("content-encoding: {encoding}\r\n"), body));
        assert_eq!(answer.status(), 200, "{encoding}");
        let request = upstream.request();
        assert_eq!((request.header("content-encoding"), &*request.body), (Some(encoding), &body[..]));
    }
}

#[test]
fn errors_reach_the_client_as_they_are_when_its_request_was_rewritten() {
    for status in [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503, 504, 529] {
        let body = format!(
            r#"{{"type":"error","error":{{"type":"e{status}","message":"as sent"}},"request_id":"r"}}"#
        );
        let upstream = Upstream::answering(format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\nretry-after: 17\r\nrequest-id: r\r\n\
             x-should-retry: false\r\nanthropic-ratelimit-requests-reset: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ));
        let proxy = Proxy::to(upstream.address, &["--log", "off"]);
        for (api, path) in ["anthropic", "openai", "responses", "gemini"].into_iter().zip(PATHS) {
            let answer = exchange(proxy.address, post(path, "", &request(api)));
            assert_eq!(
                (answer.status(), String::from_utf8_lossy(&answer.body).as_ref()),
                (status, body.as_str()),
                "{path}"
            );
            for (name, value) in [("retry-after", "17"), ("request-id", "r"), ("x-should-retry", "false")] {
                assert_eq!(answer.header(name), Some(value), "{path} {status}");
            }
            assert!(upstream.request().body.len() < request(api).len(), "{path}: it was not rewritten");
            // It may be the rewriting that is refused, so it is sent as it came.
            if matches!(status, 400 | 422) {
                assert!(upstream.request().body == request(api), "{path} {status}");
            }
            assert!(upstream.is_untouched(), "{path} {status}");
        }
    }
}

#[test]
fn an_answer_that_ends_with_its_connection_passes_whole() {
    let upstream = Upstream::start(|connection| {
        connection.read()?;
        connection.write("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nall of")?;
        thread::sleep(Duration::from_millis(20));
        connection.write(" it")?;
        Err(ErrorKind::ConnectionAborted.into())
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let answer = exchange(proxy.address, post(PATHS[0], "", b"{}"));
    assert_eq!((answer.status(), &*answer.body, answer.complete), (200, &b"all of it"[..], true));
}

#[test]
fn an_answer_with_chunks_and_a_length_passes_whole() {
    for heads in
        ["content-length: 3\r\ntransfer-encoding: chunked", "Transfer-Encoding: Chunked\r\ncontent-length: 3"]
    {
        let upstream =
            Upstream::answering(format!("HTTP/1.1 200 OK\r\n{heads}\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
        let proxy = Proxy::to(upstream.address, &[]);
        let answer = exchange(proxy.address, post(PATHS[0], "", b"{}"));
        assert_eq!((answer.status(), &*answer.body, answer.complete), (200, &b"hello"[..], true), "{heads}");
        assert_eq!(answer.header("content-length"), None, "{heads}");
    }
}

#[test]
fn an_answer_whose_end_is_in_doubt_is_refused() {
    let ends: [(&str, u16); 6] = [
        ("content-length: 3\r\ncontent-length: 5\r\n\r\nhello", 502),
        ("content-length: 3, 5\r\n\r\nhello", 502),
        ("content-length: +5\r\n\r\nhello", 502),
        ("transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 502),
        ("transfer-encoding: gzip\r\n\r\nhello", 502),
        ("content-length: 5\r\ncontent-length: 5\r\n\r\nhello", 200),
    ];
    for (end, status) in ends {
        let upstream = Upstream::answering(format!("HTTP/1.1 200 OK\r\n{end}"));
        let proxy = Proxy::to(upstream.address, &[]);
        let answer = exchange(proxy.address, post(PATHS[0], "", b"{}"));
        assert_eq!((answer.status(), answer.complete), (status, true), "{end}: {answer:?}");
        let lengths = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        assert_eq!(lengths.count(), 1, "{answer:?}");
    }
}

#[test]
fn an_upstream_that_changes_the_protocol_unasked_gives_502() {
    let upstream = Upstream::start(|connection| {
        let request = connection.read()?;
        connection
            .write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\nanything")?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let answer = exchange(proxy.address, post(PATHS[0], "", b"{}"));
    assert_eq!((answer.status(), answer.header("upgrade")), (502, None), "{answer:?}");
}

#[test]
fn malformed_chunks_are_the_clients_fault() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &[]);
    for path in PATHS.into_iter().chain(["/v1/files", "/model/m/invoke"]) {
        for body in
            ["zz\r\n{}\r\n0\r\n\r\n", "2\r\n{}zz", "ffffffffffffffffff\r\n{}\r\n", "-2\r\n{}\r\n0\r\n\r\n"]
        {
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 transfer-encoding: chunked\r\n\r\n"
            );
            let answer = exchange(proxy.address, format!("{head}{body}"));
            assert_eq!(answer.status(), 400, "{path} {body:?}: {answer:?}");
            assert!(String::from_utf8_lossy(&answer.body).contains("body is malformed"), "{answer:?}");
        }
    }
}

#[test]
fn an_upstream_that_stalls_is_waited_for_and_holds_up_nobody_else() {
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        if request.target().contains("stall") {
            gone.lock().unwrap().recv_timeout(PATIENCE).map_err(std::io::Error::other)?;
        }
        connection.write(ok("{}"))?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let mut stalled = Connection::open(proxy.address);
    stalled.write(post("/v1/messages?stall", "", b"{}")).unwrap();
    for _ in 0..20 {
        assert_eq!(exchange(proxy.address, post(PATHS[0], "", b"{}")).status(), 200);
    }
    thread::sleep(Duration::from_millis(500));
    go.send(()).unwrap();
    assert_eq!(stalled.read().unwrap().status(), 200);
}

#[test]
fn a_client_that_reads_slowly_slows_the_upstream_down() {
    const TOTAL: usize = 64 << 20;
    let written = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&written);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        connection.write(format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {TOTAL}\r\n\r\n"
        ))?;
        let piece = format!("data: {}\n\n", "x".repeat((64 << 10) - 8));
        for _ in 0..TOTAL / piece.len() {
            connection.write(&piece)?;
            counter.fetch_add(piece.len(), Ordering::Relaxed);
        }
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let mut client = Connection::open(proxy.address);
    client.write(post(PATHS[0], "", br#"{"stream":true,"messages":[]}"#)).unwrap();
    client.read_head().unwrap();
    thread::sleep(Duration::from_millis(700));
    // What the sockets of two connections hold, and no more.
    let held = written.load(Ordering::Relaxed);
    assert!(held < TOTAL / 2, "{held} bytes are held for a client that reads nothing");
    assert_eq!(client.read_exact(TOTAL).unwrap().len(), TOTAL);
}

#[test]
fn a_client_that_writes_slowly_is_waited_for() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &[]);
    let body = request("anthropic");
    let mut client = Connection::open(proxy.address);
    for piece in post(PATHS[0], "", &body).chunks(500) {
        client.write(piece).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(client.read().unwrap().status(), 200);
    assert!(upstream.request().body.len() < body.len() / 2);
}

#[test]
fn half_a_request_is_not_taken_for_a_whole_one() {
    for announced in ["content-length: 100", "transfer-encoding: chunked"] {
        let (sender, seen) = mpsc::channel();
        let upstream = Upstream::start(move |connection| {
            let request = connection.read()?;
            sender.send(request.complete).map_err(std::io::Error::other)?;
            Ok(request)
        });
        let proxy = Proxy::to(upstream.address, &[]);
        let mut client = TcpStream::connect(proxy.address).unwrap();
        let head = format!(
            "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{announced}\r\n\r\n"
        );
        client.write_all(format!("{head}a\r\n{{\"messages\"").as_bytes()).unwrap();
        drop(client);
        // It may not come at all.
        assert_ne!(seen.recv_timeout(Duration::from_millis(700)), Ok(true), "{announced}");
    }
}

#[test]
fn idle_connections_are_kept_and_cost_nobody_a_turn() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    let mut idle: Vec<_> = (0..300).map(|_| Connection::open(proxy.address)).collect();
    for connection in &mut idle[..50] {
        connection.write(post(PATHS[0], "", b"{}")).unwrap();
        assert_eq!(connection.read().unwrap().status(), 200);
    }
    thread::sleep(Duration::from_millis(300));
    for connection in &mut idle {
        connection.write(post(PATHS[0], "", b"{}")).unwrap();
        assert_eq!(connection.read().unwrap().status(), 200);
    }
}

/// As most servers have it: who has closed its side waits for nothing, so its request costs nothing any more.
#[test]
fn a_client_that_closes_its_side_cancels_its_request_upstream() {
    let (sender, ended) = mpsc::channel();
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        sender.send(connection.is_ended()).map_err(std::io::Error::other)?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let mut client = TcpStream::connect(proxy.address).unwrap();
    client.write_all(&post(PATHS[0], "", b"{}")).unwrap();
    thread::sleep(Duration::from_millis(100));
    client.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(ended.recv_timeout(PATIENCE).unwrap(), "the upstream goes on for nobody");
}

#[test]
fn an_upstream_that_closes_its_side_after_an_answer_is_asked_again_on_another_connection() {
    let upstream = Upstream::start(|connection| {
        connection.read()?;
        connection.write(ok("{}"))?;
        connection.close_writing()?;
        // Its other side stays open.
        let _ = connection.is_ended();
        Err(ErrorKind::ConnectionAborted.into())
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let mut client = Connection::open(proxy.address);
    for _ in 0..5 {
        client.write(post(PATHS[0], "", b"{}")).unwrap();
        assert_eq!(client.read().unwrap().status(), 200);
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn heads_without_end_are_refused() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log", "off"]);
    for (header, count) in [("a: b\r\n", 200_000), ("a: b\r\n", 150)] {
        let mut client = Connection::open(proxy.address);
        let _ = client
            .write(format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{}\r\n", header.repeat(count)));
        assert!(client.read().map_or(true, |answer| answer.status() == 431), "{count}");
    }
    assert!(upstream.is_untouched());
}
