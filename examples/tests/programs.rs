//! Runs the examples as programs, against an upstream on this machine.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what goes wrong in a test ends it")]

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    response::Response,
};
use futures_util::stream;
use headroom_examples::conversation;
use http::HeaderMap;
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const PROGRAMS: [&str; 2] = [env!("CARGO_BIN_EXE_axum-gateway"), env!("CARGO_BIN_EXE_actix-edge")];

/// What the upstream got.
#[derive(Clone)]
struct Got {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Clone, Default)]
struct Upstream {
    got: Arc<Mutex<Vec<Got>>>,
    /// Says one event to the answer that is open.
    say: Arc<Mutex<Option<UnboundedSender<&'static str>>>>,
}

impl Upstream {
    async fn start(&self) -> String {
        let upstream = self.clone();
        let app = Router::new().fallback(async move |request: Request| {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let path = parts.uri.to_string();
            upstream.got.lock().unwrap().push(Got { path, headers: parts.headers, body });
            let (sender, receiver) = unbounded_channel();
            sender.send("event: message_start\ndata: {}\n\n").unwrap();
            *upstream.say.lock().unwrap() = Some(sender);
            let events = stream::unfold(receiver, async |mut receiver| {
                Some((Ok::<_, std::io::Error>(receiver.recv().await?), receiver))
            });
            Response::builder()
                .header("content-type", "text/event-stream")
                .body(Body::from_stream(events))
                .unwrap()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}")
    }

    fn say(&self, event: &'static str) {
        self.say.lock().unwrap().as_ref().unwrap().send(event).unwrap();
    }

    fn end(&self) {
        self.say.lock().unwrap().take();
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

/// A gateway that runs until the test ends.
struct Gateway {
    child: Child,
    url: String,
}

impl Gateway {
    fn start(program: &str, upstream: &str) -> Self {
        Self::with(Command::new(program), upstream)
    }

    fn with(mut command: Command, upstream: &str) -> Self {
        let mut child = command
            .env("UPSTREAM_URL", upstream)
            .env("LISTEN", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url =
            line.trim().strip_prefix("listening on ").expect("the program says where it listens").to_owned();
        Self { child, url }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

async fn send(url: &str, body: Vec<u8>) -> Response {
    let request = Request::post(format!("{url}/v1/messages?beta=true"))
        .header("content-type", "application/json")
        .header("x-api-key", "key")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::time::timeout(PATIENCE, client.request(request)).await.unwrap().unwrap();
    answer.map(Body::new)
}

async fn next(body: &mut Body) -> Option<Bytes> {
    let frame = tokio::time::timeout(PATIENCE, body.frame()).await.expect("the event passes at once")?;
    Some(frame.unwrap().into_data().unwrap())
}

/// A body without the tool that the layer adds.
fn without_tool(body: &[u8]) -> Vec<u8> {
    const START: &str = r#",{"name":"headroom_retrieve""#;
    const END: &str = r#""required":["hash"]}}"#;
    let text = std::str::from_utf8(body).unwrap();
    let Some((before, tool)) = text.split_once(START) else { return body.to_vec() };
    let (_, after) = tool.split_once(END).unwrap();
    [before, after].concat().into_bytes()
}

fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[tokio::test]
async fn through_a_gateway_a_conversation_gets_smaller_and_keeps_its_prefix() {
    for program in PROGRAMS {
        let upstream = Upstream::default();
        let gateway = Gateway::start(program, &upstream.start().await);
        for turn in conversation() {
            let mut answer = send(&gateway.url, turn).await;
            assert_eq!(answer.status(), 200);
            upstream.end();
            while next(answer.body_mut()).await.is_some() {}
        }
        let (turns, got) = (conversation(), upstream.got());
        assert_eq!(got.len(), turns.len());
        assert_eq!(without_tool(&got[0].body), turns[0], "{program}: nothing to rewrite");
        assert_eq!(without_tool(&got[1].body), turns[1], "{program}: a first read stays whole");
        for (got, turn) in got.iter().zip(&turns).skip(2) {
            assert!(got.body.len() < turn.len() * 2 / 3, "{program}: {} of {}", got.body.len(), turn.len());
            assert!(serde_json::from_slice::<serde_json::Value>(&got.body).is_ok());
        }
        for (got, turn) in got.iter().zip(&turns) {
            assert_eq!(got.path, "/v1/messages?beta=true");
            assert_eq!(got.headers["x-api-key"], "key");
            assert_eq!(got.headers["content-length"].to_str().unwrap(), got.body.len().to_string());
            assert!(without_tool(&got.body).len() <= turn.len());
        }
        // What a provider has cached for one turn is the beginning of the next: all but what closes the arrays.
        for (pair, sent) in turns.windows(2).zip(got.windows(2)) {
            let closing = pair[0].len() - common(&pair[0], &pair[1]);
            let (sent, next) = (without_tool(&sent[0].body), without_tool(&sent[1].body));
            assert_eq!(sent.len() - common(&sent, &next), closing, "{program}");
        }
    }
}

#[tokio::test]
async fn a_gateway_has_routes_of_its_own_for_who_shows_the_secret() {
    const SECRET: &str = "3f1c9a7be05d48e2a6b4c8d0f9e17a53";
    let upstream = Upstream::default();
    let mut command = Command::new(PROGRAMS[0]);
    command.env("GATEWAY_SECRET", SECRET);
    let gateway = Gateway::with(command, &upstream.start().await);
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let ask = async |method: &str, path: &str, secret: &str, body: Vec<u8>| {
        let request = Request::builder().method(method).uri(format!("{}{path}", gateway.url));
        let request = request.header("x-headroom-token", secret).body(Full::from(body)).unwrap();
        let answer = client.request(request).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    };
    assert_eq!(ask("GET", "/stats", "other", Vec::new()).await.0, 401);
    let body = conversation().pop().unwrap();
    let (status, smaller) = ask("POST", "/v1/compress", SECRET, body.clone()).await;
    assert!(status == 200 && smaller.len() < body.len(), "{status}: {} of {}", smaller.len(), body.len());
    let (status, stats) = ask("GET", "/stats", SECRET, Vec::new()).await;
    let stats: serde_json::Value = serde_json::from_slice(&stats).unwrap();
    assert!(status == 200 && stats["requests"]["rewritten"] == 1, "{status}: {stats}");
    assert!(upstream.got().is_empty(), "none of these is the provider's");
}

/// The request bodies of a recorded Claude Code conversation, in order.
fn recorded(conversation: &str) -> Vec<Vec<u8>> {
    let shared = std::env::var_os("HEADROOM_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let folder = shared.join("captures").join(conversation);
    let entries = folder.read_dir().expect("HEADROOM_SHARED names the folder of recorded data");
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with("_v1_messages.body"))
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[tokio::test]
#[ignore = "needs HEADROOM_SHARED"]
async fn recorded_conversations_of_claude_code_get_smaller_through_a_gateway() {
    for program in PROGRAMS {
        let upstream = Upstream::default();
        let gateway = Gateway::start(program, &upstream.start().await);
        for (name, smaller) in
            [("claude-code", 0), ("claude-code-mcp-toolsearch", 5_000), ("claude-code-compact", 5_000)]
        {
            let turns = recorded(name);
            let before = upstream.got().len();
            for turn in &turns {
                assert_eq!(send(&gateway.url, turn.clone()).await.status(), 200);
                upstream.end();
            }
            let got = &upstream.got()[before..];
            for (got, turn) in got.iter().zip(&turns) {
                assert!(without_tool(&got.body).len() <= turn.len());
                assert!(serde_json::from_slice::<serde_json::Value>(&got.body).is_ok());
            }
            let (last, sent) = (turns.last().unwrap().len(), without_tool(&got.last().unwrap().body).len());
            assert!(sent + smaller <= last, "{program} {name}: {sent} of {last} bytes");
        }
    }
}

#[tokio::test]
async fn through_a_gateway_every_event_passes_as_it_comes() {
    for program in PROGRAMS {
        let upstream = Upstream::default();
        let gateway = Gateway::start(program, &upstream.start().await);
        let mut answer = send(&gateway.url, conversation().pop().unwrap()).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(next(answer.body_mut()).await.unwrap(), "event: message_start\ndata: {}\n\n");
        for event in ["data: 1\n\n", "data: 2\n\n"] {
            upstream.say(event); // not before the last one has arrived
            assert_eq!(next(answer.body_mut()).await.unwrap(), event, "{program}");
        }
        upstream.end();
        assert!(next(answer.body_mut()).await.is_none());
    }
}

#[tokio::test]
async fn a_gateway_without_its_upstream_says_so() {
    for program in PROGRAMS {
        let gateway = Gateway::start(program, "http://127.0.0.1:1");
        assert_eq!(send(&gateway.url, conversation().remove(0)).await.status(), 502, "{program}");
    }
}

async fn run(program: &'static str, upstream: &str) -> Output {
    let mut command = Command::new(program);
    command.env("UPSTREAM_URL", upstream).env("ANTHROPIC_API_KEY", "key");
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_send_less_and_print_the_answer() {
    for program in [env!("CARGO_BIN_EXE_tower-client"), env!("CARGO_BIN_EXE_reqwest-client")] {
        let upstream = Upstream::default();
        let url = upstream.start().await;
        let running = tokio::spawn(async move { run(program, &url).await });
        while upstream.say.lock().unwrap().is_none() {
            assert!(!running.is_finished(), "{program} ended before it sent anything");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        upstream.say("data: the answer\n\n");
        upstream.end();
        let output = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("the answer"));
        let got = upstream.got().remove(0);
        assert!(got.body.len() < conversation().pop().unwrap().len() / 2);
        assert_eq!(got.headers["x-api-key"], "key");
    }
}

#[tokio::test]
async fn the_observer_counts() {
    let output = run(env!("CARGO_BIN_EXE_observer"), "").await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("3 requests rewritten, "), "{text}");
    assert!(!text.contains(" 0 tokens saved"), "{text}");
    assert!(text.contains("as they came, nothing_editable: 1"), "{text}");
}
