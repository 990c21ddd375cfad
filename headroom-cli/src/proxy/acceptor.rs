//! Accepts connections on a thread of its own and answers probes there, so that neither waits while bodies are worked on.

use std::{convert::Infallible, future, io, net::SocketAddr, thread, time::Duration};

use http::{Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime, select,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use super::{
    Provider,
    answer::{self, ResponseBody},
    connections::{Connections, Place},
};
use crate::config::Limits;

/// Delay before the next accept after the machine ran out of a resource, usually file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How requests begin that are answered here: those of the routes `Live` and `Ready`.
const PROBES: [&[u8]; 4] = [b"GET /livez ", b"GET /readyz ", b"HEAD /livez ", b"HEAD /readyz "];
/// Bytes of the longest of them.
const PROBE_LENGTH: usize = 13;
/// The first byte of TLS: the type of a handshake's record ([RFC 8446], section 5.1).
///
/// [RFC 8446]: https://www.rfc-editor.org/rfc/rfc8446
const HANDSHAKE: u8 = 0x16;

/// A thread that accepts connections.
///
/// A connection that begins with a probe is closed after it, so that this thread never works on anything else.
#[derive(Debug)]
pub(super) struct Acceptor {
    /// Streams that belong to no runtime.
    arrivals: mpsc::UnboundedReceiver<Arrival<std::net::TcpStream>>,
    stopped: oneshot::Receiver<Infallible>,
}

/// A connection whose first bytes have arrived.
#[derive(Debug)]
pub(super) struct Arrival<S = TcpStream> {
    pub(super) stream: S,
    pub(super) peer: SocketAddr,
    pub(super) place: Place,
    pub(super) is_tls: bool,
}

/// How a connection begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Opening {
    /// With a request of the routes `Live` or `Ready`.
    Probe,
    /// With the record of a handshake.
    Tls,
    /// With anything else.
    Plain,
}

impl Acceptor {
    /// Accepts connections until [`stop`](Self::stop). `handle` answers probes.
    ///
    /// With `needs_tls`, nothing but probes is served to other machines without TLS.
    ///
    /// # Errors
    ///
    /// If the machine has no room for another thread.
    pub(super) fn start<H, F>(
        listener: TcpListener,
        limits: Limits,
        needs_tls: bool,
        handle: H,
    ) -> io::Result<Self>
    where
        H: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + 'static,
    {
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = listener.into_std()?;
        // It holds no more than there are places.
        let (sender, arrivals) = mpsc::unbounded_channel();
        let (running, stopped) = oneshot::channel();
        let entrance = Entrance { idle: limits.idle, needs_tls, handle, arrivals: sender };
        thread::Builder::new().name("headroom-accept".to_owned()).spawn(move || {
            let _running = running;
            runtime.block_on(async move {
                match TcpListener::from_std(listener) {
                    Ok(listener) => accept_all(listener, limits, &entrance).await,
                    Err(error) => tracing::error!("cannot accept connections: {error}"),
                }
            });
        })?;
        Ok(Self { arrivals, stopped })
    }

    /// The next connection that does not begin with a probe.
    pub(super) async fn next(&mut self) -> Arrival {
        while let Some(Arrival { stream, peer, place, is_tls }) = self.arrivals.recv().await {
            match TcpStream::from_std(stream) {
                Ok(stream) => return Arrival { stream, peer, place, is_tls },
                Err(error) => tracing::warn!("cannot serve a connection: {error}"),
            }
        }
        future::pending().await
    }

    /// Closes the listener.
    pub(super) async fn stop(self) {
        drop(self.arrivals);
        // The thread sends nothing: it drops its end.
        let _ = self.stopped.await;
    }
}

/// Accepts connections until nobody takes them.
async fn accept_all<H, F>(listener: TcpListener, limits: Limits, entrance: &Entrance<H>)
where
    H: Fn(SocketAddr, Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + 'static,
{
    let connections = Connections::new(limits.connections, limits.connections_per_peer);
    loop {
        let accepted = select! {
            accepted = accept(&listener, &connections) => accepted,
            () = entrance.arrivals.closed() => return,
        };
        match accepted {
            Ok((stream, peer, Some(place))) => {
                tokio::spawn(entrance.clone().let_in(stream, peer, place));
            }
            Ok((.., None)) => {
                tracing::debug!("connection closed: its machine reached max_connections_per_peer");
            }
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Accepts the next connection once there is room. Without a place if its machine has too many.
async fn accept(
    listener: &TcpListener,
    connections: &Connections,
) -> io::Result<(TcpStream, SocketAddr, Option<Place>)> {
    let room = connections.room().await;
    let (stream, peer) = listener.accept().await?;
    // Sends each event of a stream at once.
    let _ = stream.set_nodelay(true);
    Ok((stream, peer, connections.place(room, peer)))
}

/// Where a connection goes; cloned for each.
#[derive(Clone)]
struct Entrance<H> {
    idle: Duration,
    needs_tls: bool,
    handle: H,
    arrivals: mpsc::UnboundedSender<Arrival<std::net::TcpStream>>,
}

impl<H, F> Entrance<H>
where
    H: Fn(SocketAddr, Request<Incoming>) -> F,
    F: Future<Output = Result<Response<ResponseBody>, Infallible>>,
{
    async fn let_in(self, stream: TcpStream, peer: SocketAddr, place: Place) {
        let opening = match timeout(self.idle, opening(&stream)).await {
            Ok(Ok(opening)) => opening,
            Ok(Err(error)) => return tracing::debug!("connection ended: {error}"),
            Err(_) => return tracing::debug!("connection closed: no request came"),
        };
        match opening {
            Opening::Probe => self.answer(stream, |request| (self.handle)(peer, request)).await,
            Opening::Plain if self.needs_tls && !peer.ip().to_canonical().is_loopback() => {
                self.answer(stream, |_| future::ready(Ok(without_tls()))).await;
            }
            Opening::Plain | Opening::Tls => {
                let is_tls = opening == Opening::Tls;
                let arrival = stream.into_std().map(|stream| Arrival { stream, peer, place, is_tls });
                // Nobody takes it once the server stops.
                let _ = arrival.map(|arrival| self.arrivals.send(arrival));
            }
        }
    }

    /// Answers the first request of a connection.
    async fn answer<A>(&self, stream: TcpStream, handle: impl Fn(Request<Incoming>) -> A)
    where
        A: Future<Output = Result<Response<ResponseBody>, Infallible>>,
    {
        let mut server = http1::Builder::new();
        server.timer(TokioTimer::new()).header_read_timeout(self.idle).keep_alive(false);
        let connection = server.serve_connection(TokioIo::new(stream), service_fn(handle));
        if let Ok(Err(error)) = timeout(self.idle, connection).await {
            tracing::debug!("connection ended: {error}");
        }
    }
}

/// Waits for the first bytes and leaves them where they are. A probe that comes in pieces is served like everything else.
async fn opening(stream: &TcpStream) -> io::Result<Opening> {
    let mut first = [0; PROBE_LENGTH];
    let length = stream.peek(&mut first).await?;
    let first = first.get(..length).unwrap_or_default();
    Ok(match first {
        [HANDSHAKE, ..] => Opening::Tls,
        _ if PROBES.iter().any(|probe| first.starts_with(probe)) => Opening::Probe,
        _ => Opening::Plain,
    })
}

fn without_tls() -> Response<ResponseBody> {
    let message = "headroom: this address is served over TLS; use https://";
    answer::failure(Provider::OpenAi, StatusCode::BAD_REQUEST, message)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net,
    };

    use http_body_util::{BodyExt, Full};
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn start() -> (Acceptor, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let patience = Duration::from_secs(20);
        let limits = Limits {
            idle: patience,
            body: patience,
            answer: patience,
            connections: 8,
            connections_per_peer: 8,
            buffered: 0,
            stored_per_tenant: None,
        };
        let handle = |_, request: Request<Incoming>| async move {
            let path = request.uri().path().to_owned();
            let body = Full::from(path).map_err(Into::into).boxed_unsync();
            Ok(Response::new(body))
        };
        (Acceptor::start(listener, limits, false, handle).unwrap(), address)
    }

    fn send(address: SocketAddr, head: &str) -> net::TcpStream {
        let mut stream = net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }

    /// Nothing else runs on the test's runtime while it waits here.
    fn answer_of(mut stream: net::TcpStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[tokio::test]
    async fn probes_are_answered_while_the_server_does_not_run() {
        let (_acceptor, address) = start().await;
        for head in ["GET /livez", "GET /readyz"] {
            let answer = answer_of(send(address, &format!("{head} HTTP/1.1\r\nhost: x\r\n\r\n")));
            assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(&head[4..]), "{answer}");
        }
    }

    #[tokio::test]
    async fn what_follows_a_probe_is_not_worked_on_beside_it() {
        let (_acceptor, address) = start().await;
        let two = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\nPOST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n";
        let answer = answer_of(send(address, two));
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }

    #[tokio::test]
    async fn everything_else_goes_to_the_server_whole() {
        let (mut acceptor, address) = start().await;
        for head in [
            "POST /v1/messages HTTP/1.1\r\n",
            "GET /livezz HTTP/1.1\r\n",
            "GET",
            "PRI * HTTP/2.0",
            "\x16\x03\x01",
        ] {
            let _open = send(address, head);
            let mut arrival = timeout(Duration::from_secs(20), acceptor.next()).await.unwrap();
            let mut first = vec![0; head.len()];
            arrival.stream.read_exact(&mut first).await.unwrap();
            assert_eq!((first, arrival.is_tls), (head.as_bytes().to_vec(), head.starts_with('\x16')));
        }
    }

    #[tokio::test]
    async fn other_machines_are_served_over_tls_only_where_there_is_a_certificate() {
        for (peer, head, is_served) in [
            ("10.0.0.7:1", "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n", false),
            ("[::ffff:10.0.0.7]:1", "POST /v1/messages HTTP/1.1\r\nhost: x\r\n\r\n", false),
            ("10.0.0.7:1", "\x16\x03\x01", true),
            ("127.0.0.1:1", "GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n", true),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = send(listener.local_addr().unwrap(), head);
            let (stream, _) = listener.accept().await.unwrap();
            let (peer, idle) = (peer.parse().unwrap(), Duration::from_secs(20));
            let connections = Connections::new(1, 1);
            let place = connections.place(connections.room().await, peer).unwrap();
            let (arrivals, mut arrived) = mpsc::unbounded_channel();
            let handle = |_, _| future::ready(Ok(without_tls()));
            Entrance { idle, needs_tls: true, handle, arrivals }.let_in(stream, peer, place).await;
            assert_eq!(arrived.recv().await.is_some(), is_served, "{peer} {head:?}");
            if !is_served {
                let answer = answer_of(client);
                assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("use https://"), "{answer}");
            }
        }
    }

    #[tokio::test]
    async fn a_stopped_acceptor_has_closed_its_listener() {
        let (acceptor, address) = start().await;
        acceptor.stop().await;
        assert!(net::TcpStream::connect(address).is_err());
    }
}
