//! Processes that requests go through: this program plays the upstream and the bare proxy itself.

use std::{
    convert::Infallible,
    env,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::TcpListener;

use super::binary;

const ROLE: &str = "HEADROOM_BENCH_ROLE";
const ANSWER: &str = r#"{"id":"m","type":"message","role":"assistant","content":[{"type":"text","text":"next"}],"usage":{"input_tokens":9,"output_tokens":1},"stop":"end"}"#;

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    _home: Option<tempfile::TempDir>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub(crate) fn upstream() -> Self {
        Self::played("upstream")
    }

    pub(crate) fn bare(upstream: &Self) -> Self {
        Self::played(&upstream.address.to_string())
    }

    fn played(role: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(ROLE, role);
        Self::start(&mut command, None)
    }

    /// The program, and the time from its start to its first answer.
    pub(crate) fn headroom(upstream: &Self) -> (Self, Duration) {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(binary());
        command.args([
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--upstream",
            &format!("http://{}", upstream.address),
        ]);
        command.env("HEADROOM_HOME", home.path());
        let start = Instant::now();
        let server = Self::start(&mut command, Some(home));
        let mut stream = TcpStream::connect(server.address).unwrap();
        let request = "GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        assert!(line.contains("200"), "{line}");
        (server, start.elapsed())
    }

    /// The service for Envoy.
    pub(crate) fn extproc() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(binary());
        command.args(["extproc", "--listen", "127.0.0.1:0", "--log", "warn"]);
        command.env("HEADROOM_HOME", home.path());
        Self::start(&mut command, Some(home))
    }

    /// Starts a program that writes its address, and waits until it has.
    fn start(command: &mut Command, home: Option<tempfile::TempDir>) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (send, addresses) = std::sync::mpsc::channel();
        for stream in [Box::new(out) as Box<dyn std::io::Read + Send>, Box::new(err)] {
            let send = send.clone();
            // Read to the end, so that the program never waits for it.
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let found = line.find("127.0.0.1:").map(|at| &line[at..]);
                    let port = |c: char| !(c.is_ascii_digit() || c == '.' || c == ':');
                    if let Some(address) = found.and_then(|text| text.split(port).next()?.parse().ok()) {
                        let _ = send.send(address);
                    }
                }
            });
        }
        let address = addresses.recv_timeout(Duration::from_secs(20)).expect("an address");
        Self { child, address, _home: home }
    }

    /// Memory of the process in KB.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
    }
}

/// Plays the role that the environment names, for as long as the process lives.
pub(crate) fn played() -> bool {
    let Ok(role) = env::var(ROLE) else { return false };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(serve(role.parse().ok()));
    true
}

async fn serve(next: Option<SocketAddr>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    let client: Client<HttpConnector, Incoming> = Client::builder(TokioExecutor::new()).build_http();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = stream.set_nodelay(true);
        let client = client.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, next, client.clone()));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Passes the request on, or reads and answers it where there is nowhere to.
async fn answer(
    mut request: Request<Incoming>,
    next: Option<SocketAddr>,
    client: Client<HttpConnector, Incoming>,
) -> Result<Response<http_body_util::Either<Incoming, Full<Bytes>>>, Infallible> {
    use http_body_util::Either;
    if let Some(next) = next {
        *request.uri_mut() = format!("http://{next}{}", request.uri().path()).parse().unwrap();
        return Ok(client.request(request).await.unwrap().map(Either::Left));
    }
    let body = request.into_body();
    let _ = body.collect().await;
    let answer = Response::new(Either::Right(Full::from(ANSWER)));
    let (mut parts, body) = answer.into_parts();
    parts.headers.insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(Response::from_parts(parts, body))
}
