//! Clients that speak HTTP/2 from the first byte, and connections that bring nothing.

use std::{
    io::{self, Read, Write},
    net::{self, SocketAddr},
    sync::{Mutex, mpsc},
    thread,
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::support::{PATIENCE, Proxy, Upstream, exchange};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
/// How HTTP/2 begins: its preface, and settings without any.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

type Client = SendRequest<Full<Bytes>>;

/// Runs `work` with a connection that speaks HTTP/2.
fn with<T>(address: SocketAddr, work: impl AsyncFnOnce(Client) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
        let (client, connection) = http2::handshake(TokioExecutor::new(), stream).await.unwrap();
        tokio::spawn(connection);
        tokio::time::timeout(PATIENCE, work(client)).await.unwrap()
    })
}

fn post(uri: &str, body: &str) -> Request<Full<Bytes>> {
    Request::post(uri).header("content-type", "application/json").body(Full::from(body.to_owned())).unwrap()
}

async fn send(client: &Client, request: Request<Full<Bytes>>) -> (Response<()>, Bytes) {
    let response = client.clone().send_request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    (Response::from_parts(parts, ()), body.collect().await.unwrap().to_bytes())
}

#[test]
fn requests_of_http2_go_on_and_are_made_smaller() {
    let upstream = Upstream::answering(OK);
    let proxy = Proxy::to(upstream.address, &[]);
    let output = "GET /orders 200\n".repeat(200).replace('\n', "\\n");
    let body = format!(
        r#"{{"model":"claude-opus-5-5","max_tokens":9,"messages":[{{"role":"user","content":"why?"}},{{"role":"assistant","content":[{{"type":"tool_use","id":"t","name":"Bash","input":{{}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t","content":"{output}"}}]}}]}}"#
    );
    with(proxy.address, async |client| {
        let uri = format!("http://{}/v1/messages?beta=true", proxy.address);
        for _ in 0..3 {
            let mut request = post(&uri, &body);
            for cookie in ["a=1", "b=2"] {
                request.headers_mut().append("cookie", cookie.parse().unwrap());
            }
            let (answer, text) = send(&client, request).await;
            assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
            assert_eq!(answer.headers()["x-headroom-outcome"], "rewritten");
            assert_eq!(text, "{}");
            let request = upstream.request();
            assert_eq!(request.start, "POST /v1/messages?beta=true HTTP/1.1");
            assert_eq!(request.header("host"), Some(upstream.address.to_string().as_str()));
            assert_eq!(request.header("cookie"), Some("a=1; b=2"));
            assert!(request.body.len() * 4 < body.len(), "{request:?}");
        }
    });
}

#[test]
fn events_pass_one_by_one_while_other_requests_are_answered() {
    let (seen, next) = mpsc::channel::<()>();
    let next = Mutex::new(next);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        if request.body.is_empty() {
            connection.write(OK)?;
            return Ok(request);
        }
        connection.write(
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
        )?;
        for n in 0..5 {
            connection.write_chunk(&format!("data: {{\"n\":{n}}}\n\n"))?;
            // Nothing more until the client has this one.
            next.lock().unwrap().recv_timeout(PATIENCE).map_err(io::Error::other)?;
        }
        connection.write("0\r\n\r\n")?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    with(proxy.address, async |client| {
        let request = post("http://localhost/v1/messages", r#"{"stream":true,"messages":[]}"#);
        let mut stream = client.clone().send_request(request).await.unwrap();
        for n in 0..5 {
            let frame = stream.body_mut().frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), format!("data: {{\"n\":{n}}}\n\n"));
            let request = Request::get("http://localhost/v1/models").body(Full::default()).unwrap();
            assert_eq!(send(&client, request).await.0.status(), StatusCode::OK);
            seen.send(()).unwrap();
        }
        assert_eq!(stream.into_body().collect().await.unwrap().to_bytes(), "");
    });
}

#[test]
fn names_of_other_machines_are_refused_in_http2_too() {
    let upstream = Upstream::answering(OK);
    let proxy = Proxy::to(upstream.address, &[]);
    with(proxy.address, async |client| {
        let (answer, _) = send(&client, post("http://evil.example/v1/messages", "{}")).await;
        assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
        let mut request = post("http://localhost/v1/messages", "{}");
        request.headers_mut().insert("host", "evil.example".parse().unwrap());
        assert_eq!(send(&client, request).await.0.status(), StatusCode::MISDIRECTED_REQUEST);
        let (answer, _) =
            send(&client, Request::get("http://localhost/stats").body(Full::default()).unwrap()).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    });
    assert!(upstream.is_untouched());
}

#[test]
fn requests_of_http2_finish_before_the_proxy_stops() {
    let (came, seen) = mpsc::channel::<()>();
    let (finish, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        let _ = came.send(());
        wait.lock().unwrap().recv_timeout(PATIENCE).map_err(io::Error::other)?;
        connection.write(OK)?;
        Ok(request)
    });
    let mut proxy = Proxy::to(upstream.address, &["--drain-seconds", "600"]);
    with(proxy.address, async |client| {
        let answer = tokio::spawn(client.clone().send_request(post("http://localhost/v1/messages", "{}")));
        let proxy = &proxy;
        tokio::task::block_in_place(|| {
            seen.recv_timeout(PATIENCE).unwrap();
            proxy.signal("TERM");
            proxy.wait_for("stopping");
            finish.send(()).unwrap();
        });
        assert_eq!(answer.await.unwrap().unwrap().status(), StatusCode::OK);
    });
    assert_eq!(proxy.wait().code(), Some(0));
}

/// Waits for the other side to end a connection on which no more is sent.
fn is_ended(stream: &mut net::TcpStream) -> bool {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut rest = Vec::new();
    let ended = stream.read_to_end(&mut rest);
    ended.is_ok() || ended.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

#[test]
fn connections_that_bring_nothing_are_closed() {
    let upstream = Upstream::answering(OK);
    let proxy = Proxy::to(upstream.address, &["--idle-seconds", "1"]);
    let whole = "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let half = &whole[..25];
    let starts: [&[u8]; 6] =
        [b"", b"P", &PREFACE[..10], PREFACE, half.as_bytes(), &[whole.as_bytes(), half.as_bytes()].concat()];
    let mut streams: Vec<net::TcpStream> =
        starts.iter().map(|_| net::TcpStream::connect(proxy.address).unwrap()).collect();
    for (stream, start) in streams.iter_mut().zip(starts) {
        stream.write_all(start).unwrap();
    }
    for (stream, start) in streams.iter_mut().zip(starts) {
        assert!(is_ended(stream), "{:?}", String::from_utf8_lossy(start));
    }
    assert_eq!(exchange(proxy.address, whole).status(), 200);
}

#[test]
fn slow_answers_do_not_count_as_nothing() {
    let upstream = Upstream::start(|connection| {
        let request = connection.read()?;
        thread::sleep(Duration::from_millis(2500));
        connection.write(OK)?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &["--idle-seconds", "1"]);
    let request = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";
    assert_eq!(exchange(proxy.address, request).status(), 200);
    with(proxy.address, async |client| {
        let (answer, _) = send(&client, post("http://localhost/v1/messages", "{}")).await;
        assert_eq!(answer.status(), StatusCode::OK);
    });
}
