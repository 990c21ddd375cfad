use std::sync::{Mutex, mpsc};

use crate::support::{Connection, Message, PATIENCE, Proxy, Upstream};

const STREAM: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";

const REQUEST: &str = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                       content-length: 29\r\n\r\n{\"stream\":true,\"messages\":[]}";

fn event(n: usize) -> String {
    format!("event: ping\ndata: {{\"type\":\"ping\",\"n\":{n}}}\n\n")
}

#[test]
fn each_event_passes_before_the_next_one_is_sent() {
    let (seen, next) = mpsc::channel::<()>();
    let next = Mutex::new(next);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        connection.write(STREAM)?;
        for n in 0..20 {
            connection.write_chunk(&event(n))?;
            // Nothing more until the client has this one.
            next.lock().unwrap().recv_timeout(PATIENCE).map_err(std::io::Error::other)?;
        }
        connection.write("0\r\n\r\n")?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let mut client = Connection::open(proxy.address);
    client.write(REQUEST).unwrap();
    let head = client.read_head().unwrap();
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    for n in 0..20 {
        assert_eq!(client.read_chunk().unwrap(), event(n).as_bytes());
        seen.send(()).unwrap();
    }
    assert!(client.read_chunk().unwrap().is_empty());
}

#[test]
fn the_head_passes_before_the_first_event() {
    let (seen, next) = mpsc::channel::<()>();
    let next = Mutex::new(next);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        connection.write(STREAM)?;
        next.lock().unwrap().recv_timeout(PATIENCE).map_err(std::io::Error::other)?;
        connection.write("0\r\n\r\n")?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let mut client = Connection::open(proxy.address);
    client.write(REQUEST).unwrap();
    assert_eq!(client.read_head().unwrap().status(), 200);
    seen.send(()).unwrap();
    assert!(client.read_chunk().unwrap().is_empty());
}

#[test]
fn uploads_that_are_no_conversation_are_not_held_back() {
    let (arrived, half) = mpsc::channel();
    let upstream = Upstream::start(move |connection| {
        let mut request = connection.read_head()?;
        request.body = connection.read_exact(5)?;
        arrived.send(()).map_err(std::io::Error::other)?;
        request.body.extend(connection.read_exact(5)?);
        connection.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let mut client = Connection::open(proxy.address);
    let head = "POST /v1/files HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=x\r\n\
                content-length: 10\r\n\r\n";
    client.write(format!("{head}first")).unwrap();
    half.recv_timeout(PATIENCE).expect("the first half is held back");
    client.write("other").unwrap();
    assert_eq!(client.read().unwrap().status(), 200);
    assert_eq!(upstream.request().body, b"firstother");
}

/// What a client sees directly and through the proxy when the upstream dies after these bytes.
fn cut_short(answer: &'static str) -> [Message; 2] {
    let upstream = Upstream::start(move |connection| {
        connection.read()?;
        connection.write(answer)?;
        Err(std::io::ErrorKind::ConnectionAborted.into())
    });
    let proxy = Proxy::to(upstream.address, &[]);
    [upstream.address, proxy.address].map(|address| {
        let mut client = Connection::open(address);
        client.write(REQUEST).unwrap();
        client.read().unwrap()
    })
}

#[test]
fn an_upstream_that_dies_in_a_stream_looks_the_same_through_the_proxy() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n6\r\ndata: \r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"half\":",
    ] {
        let [direct, proxied] = cut_short(answer);
        assert!(!direct.complete && !proxied.complete, "{proxied:?}");
        assert_eq!(direct.status(), proxied.status());
        assert_eq!(direct.body, proxied.body);
        assert_eq!(direct.header("content-length"), proxied.header("content-length"));
    }
}

#[test]
fn a_client_that_leaves_ends_the_upstream_request() {
    for answers in [true, false] {
        let (sender, ended) = mpsc::channel();
        let upstream = Upstream::start(move |connection| {
            let request = connection.read()?;
            if answers {
                connection.write(STREAM)?;
                connection.write_chunk(&event(0))?;
            }
            sender.send(None).map_err(std::io::Error::other)?;
            sender.send(Some(connection.is_ended())).map_err(std::io::Error::other)?;
            Ok(request)
        });
        let proxy = Proxy::to(upstream.address, &[]);
        let mut client = Connection::open(proxy.address);
        client.write(REQUEST).unwrap();
        if answers {
            client.read_head().unwrap();
            client.read_chunk().unwrap();
        }
        assert_eq!(ended.recv_timeout(PATIENCE), Ok(None));
        drop(client);
        assert_eq!(ended.recv_timeout(PATIENCE), Ok(Some(true)), "answering: {answers}");
    }
}
