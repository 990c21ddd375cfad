//! What the layer adds to a stream, over loopback: the time to the first event and to each, and memory.
//!
//! An event says when it was sent, so what is shown is the time from the provider's write to the client's read. The
//! same is shown without anything between the two, and with a proxy that does nothing, since most is its part.
//!
//! Run with: `cargo bench -p headroom-tower --bench streams`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark prints, and what goes wrong ends it"
)]

use std::{
    convert::Infallible,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use headroom_store::MemoryStore;
use headroom_tower::{HeadroomBody, HeadroomLayer};
use http::{Request, Response, Uri};
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use peak_alloc::PeakAlloc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::{Layer, Service, ServiceExt};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const EVENTS: usize = 200;
const STREAMS: usize = 20;
/// Faster than any model.
const PAUSE: Duration = Duration::from_millis(1);

type Http<B> = Client<HttpConnector, B>;

fn client<B: http_body::Body<Data: Send> + Send>() -> Http<B> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

fn request(bytes: usize) -> Bytes {
    let text = "x".repeat(bytes);
    let tool =
        r#"{"name":"Bash","input_schema":{"type":"object","properties":{"command":{"type":"string"}}}}"#;
    format!(
        r#"{{"model":"m","stream":true,"tools":[{tool}],"messages":[{{"role":"user","content":"{text}"}}]}}"#
    )
    .into()
}

fn event(sent: Duration) -> String {
    let text = format!("{} words that a model says", sent.as_nanos());
    format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\"{text}\"}}}}\n\n"
    )
}

/// The time in an event.
fn sent(event: &str) -> Option<Duration> {
    let (_, text) = event.split_once("\"text\":\"")?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// A provider that writes each event when it has it.
async fn provider(clock: Instant) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 << 10];
                // The body comes in the same piece as the head, or in the next.
                while let Ok(read @ 1..) = stream.read(&mut buffer).await {
                    if !buffer[..read].ends_with(b"]}") {
                        continue;
                    }
                    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
                    stream.write_all(head.as_bytes()).await.unwrap();
                    for _ in 0..EVENTS {
                        let event = event(clock.elapsed());
                        stream
                            .write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes())
                            .await
                            .unwrap();
                        tokio::time::sleep(PAUSE).await;
                    }
                    stream.write_all(b"0\r\n\r\n").await.unwrap();
                }
            });
        }
    });
    address
}

/// A proxy to the provider with this service in it.
async fn proxy<S, B>(service: S) -> SocketAddr
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: std::error::Error + Send + Sync,
    B: http_body::Body<Data: Send, Error: std::error::Error + Send + Sync> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let service = service.clone();
            let handle = service_fn(move |request| service.clone().oneshot(request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), handle));
        }
    });
    address
}

/// Sends requests on to this address.
fn to<B>(address: SocketAddr) -> impl Fn(Request<B>) -> Request<B> + Clone {
    move |mut request| {
        *request.uri_mut() = format!("http://{address}{}", request.uri().path()).parse::<Uri>().unwrap();
        request
    }
}

struct Times {
    first: Vec<Duration>,
    events: Vec<Duration>,
}

/// Reads streams from this address, one after the other.
async fn measure(address: SocketAddr, clock: Instant) -> Times {
    let mut times = Times { first: Vec::new(), events: Vec::new() };
    let body = request(10 << 10);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 64 << 10];
    for _ in 0..STREAMS {
        let head =
            "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-api-key: k";
        let head = format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len());
        let asked = Instant::now();
        stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        let (mut seen, mut tail) = (0, String::new());
        while !tail.ends_with("0\r\n\r\n") {
            let read = stream.read(&mut buffer).await.unwrap();
            let now = clock.elapsed();
            tail.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
            while let Some((event, rest)) = tail.split_once("\n\n") {
                if let Some(sent) = sent(event) {
                    if seen == 0 {
                        times.first.push(asked.elapsed());
                    }
                    seen += 1;
                    times.events.push(now.saturating_sub(sent));
                }
                tail = rest.to_owned();
            }
        }
        assert_eq!(seen, EVENTS);
    }
    times.first.sort_unstable();
    times.events.sort_unstable();
    times
}

fn show(name: &str, times: &Times) {
    let at = |times: &[Duration], percent: usize| times[(times.len() - 1) * percent / 100];
    let columns = [at(&times.first, 50), at(&times.first, 99), at(&times.events, 50), at(&times.events, 99)];
    println!("{name:>18} {}", columns.map(|time| format!("{time:>12.1?}")).join(" "));
}

/// Bytes of the heap that one stream takes while it goes on, with a request of this size.
async fn memory(request_bytes: usize) -> usize {
    const OPEN: usize = 200;

    let body = request(request_bytes);
    let inner = tower::service_fn(async |request: Request<HeadroomBody<Full<Bytes>>>| {
        drop(request);
        let events =
            (0..50).map(|n| Ok::<_, Infallible>(Frame::data(Bytes::from(event(Duration::from_nanos(n))))));
        let open = futures_util::stream::pending();
        let body = StreamBody::new(futures_util::StreamExt::chain(futures_util::stream::iter(events), open));
        Ok::<_, Infallible>(
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap(),
        )
    });
    let layer = HeadroomLayer::with_store(MemoryStore::new());
    let mut bodies = Vec::with_capacity(OPEN);
    let before = HEAP.current_usage();
    for _ in 0..OPEN {
        let request = Request::post("/v1/messages").header("content-type", "application/json");
        let request = request.body(Full::new(Bytes::copy_from_slice(&body))).unwrap();
        let mut body = Box::pin(layer.layer(inner).oneshot(request).await.unwrap().into_body());
        for _ in 0..50 {
            body.frame().await.unwrap().unwrap();
        }
        bodies.push(body);
    }
    (HEAP.current_usage() - before) / OPEN
}

#[tokio::main]
async fn main() {
    let clock = Instant::now();
    let provider = provider(clock).await;
    let plain = {
        let (client, to) = (client::<Incoming>(), to(provider));
        proxy(tower::service_fn(move |request| client.request(to(request)))).await
    };
    let layered = {
        let (client, to) = (client::<HeadroomBody<Incoming>>(), to(provider));
        let service = tower::service_fn(move |request| client.request(to(request)));
        proxy(HeadroomLayer::with_store(MemoryStore::new()).layer(service)).await
    };
    let columns = ["first p50", "first p99", "event p50", "event p99"];
    println!("{:>18} {}", "", columns.map(|column| format!("{column:>12}")).join(" "));
    for (name, address) in [("direct", provider), ("a bare proxy", plain), ("with the layer", layered)] {
        measure(address, clock).await;
        show(name, &measure(address, clock).await);
    }
    for bytes in [1 << 10, 100 << 10, 1 << 20] {
        println!("{} bytes of heap for a stream whose request has {bytes}", memory(bytes).await);
    }
}
