//! An agent's conversation against a provider that enforces the rules: `mock/strict_anthropic.py` of the shared data.

use std::{
    fmt::Write,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Child, Command},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use headroom_core::{Engine, Retrieval};
use headroom_store::MemoryStore;
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tower::{Layer, ServiceExt};

use super::{anthropic::accumulate, support::Serving};
use crate::{HeadroomBody, HeadroomLayer};

/// The provider, until it is dropped.
struct Strict {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Strict {
    /// `None`, and a message past the test harness, where Python has no aiohttp.
    async fn start(name: &str, arguments: &[&str]) -> Option<Self> {
        let shared = std::env::var_os("HEADROOM_SHARED").map(PathBuf::from);
        let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"));
        let script = shared.join("mock/strict_anthropic.py");
        let python = std::env::var_os("HEADROOM_PYTHON").unwrap_or_else(|| "python3".into());
        let aiohttp = Command::new(&python).args(["-c", "import aiohttp"]).output();
        assert!(script.exists(), "HEADROOM_SHARED names the folder with {}", script.display());
        if !aiohttp.is_ok_and(|output| output.status.success()) {
            let _ = std::io::stderr()
                .write_all(b"skipped: there is no aiohttp for python3, or for HEADROOM_PYTHON\n");
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = std::env::temp_dir().join(format!("headroom-strict-{name}-{port}.jsonl"));
        let child = Command::new(&python)
            .arg(script)
            .arg(port.to_string())
            .arg(&log)
            .args(arguments)
            .spawn()
            .unwrap();
        let strict = Self { child, port, log };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(strict);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the provider does not start");
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.log).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}

type Http = Client<HttpConnector, HeadroomBody<Full<Bytes>>>;

fn layer() -> HeadroomLayer {
    let mut layer = HeadroomLayer::with_store(MemoryStore::new()).retrieval(Retrieval::ServerTool);
    layer.set(|config| config.engine = Arc::new(Serving(Engine::new())));
    layer
}

/// What a tool prints: long enough that parts are set aside.
fn output(n: usize) -> String {
    let mut out = String::new();
    for line in 0..400 {
        let level = if line == 200 + n { "ERROR refused" } else { "INFO served" };
        let _ = writeln!(
            out,
            "2026-01-{:02}T10:{:02}:{:02} {level} request {line} in {} ms",
            n + 1,
            line / 60,
            line % 60,
            line % 7
        );
    }
    out
}

async fn send(layer: &HeadroomLayer, port: u16, body: &Value) -> Value {
    let client: Http = Client::builder(TokioExecutor::new()).build_http();
    let service = layer.layer(client);
    let uri: Uri = format!("http://127.0.0.1:{port}/v1/messages").parse().unwrap();
    let request = Request::post(uri)
        .header("content-type", "application/json")
        .header("x-api-key", "dummy")
        .body(Full::new(Bytes::from(body.to_string())))
        .unwrap();
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(status.is_success(), "{text}");
    if body["stream"] == true { accumulate(&text) } else { serde_json::from_str(&text).unwrap() }
}

/// A view of a file, of which nothing is elided when it arrives.
fn view(n: usize) -> String {
    (1..200).fold(String::new(), |mut view, line| {
        let _ = writeln!(view, "{line:6}\tlet setting_{n}_{line} = make(\"part {line}\", {});", line * n);
        view
    })
}

/// Runs an agent to the end of its task and on with another question. The transcript, and what the provider saw.
async fn converse(name: &str, parallel: bool, streaming: bool) -> Option<(Value, Vec<Value>)> {
    let arguments: &[&str] = if parallel { &["--parallel"] } else { &[] };
    let strict = Strict::start(name, arguments).await?;
    run(&strict, &layer(), ("claude-opus-5", streaming, 1), output).await
}

/// Runs an agent of this model, with so many further questions.
async fn run(
    strict: &Strict,
    layer: &HeadroomLayer,
    (model, streaming, questions): (&str, bool, usize),
    output: fn(usize) -> String,
) -> Option<(Value, Vec<Value>)> {
    let mut body = json!({
        "model": model, "max_tokens": 1000, "stream": streaming,
        "thinking": {"type": "adaptive"},
        "system": [{"type": "text", "text": "You are an agent.", "cache_control": {"type": "ephemeral"}}],
        "tools": [
            {"name": "fly_kite", "description": "Flies a kite.", "input_schema": {"type": "object"}},
            {"name": "get_weather", "description": "Tells the weather.", "input_schema": {"type": "object"}}],
        "messages": [{"role": "user", "content": "Why do requests fail?"}],
    });
    let mut asked = 0;
    for n in 0..40 {
        let message = send(layer, strict.port, &body).await;
        let content = message["content"].as_array().unwrap();
        let calls: Vec<_> = content.iter().filter(|block| block["type"] == "tool_use").cloned().collect();
        let messages = body["messages"].as_array_mut().unwrap();
        messages.push(json!({"role": "assistant", "content": content}));
        if calls.is_empty() {
            if asked == questions {
                break;
            }
            asked += 1;
            messages.push(json!({"role": "user", "content": "And since when?"}));
            continue;
        }
        // As agents do: the marker of the cache moves to the newest result.
        for message in messages.iter_mut() {
            for block in message["content"].as_array_mut().into_iter().flatten() {
                block.as_object_mut().unwrap().remove("cache_control");
            }
        }
        let results = calls.iter().map(|call| {
            json!({"type": "tool_result", "tool_use_id": call["id"], "content": output(n),
                "cache_control": {"type": "ephemeral"}})
        });
        messages.push(json!({"role": "user", "content": results.collect::<Vec<_>>()}));
    }
    assert_eq!(asked, questions, "the agent came to an end");
    Some((body, strict.log()))
}

#[tokio::test]
#[ignore = "needs HEADROOM_SHARED"]
async fn at_an_epoch_no_thinking_is_refused_and_hidden_exchanges_are_found() {
    for streaming in [false, true] {
        let Some(strict) = Strict::start("epochs", &["--steps", "16"]).await else { return };
        // This model writes its cache at the price of reading it, so that the next prompt is an epoch.
        let layer = layer().epochs(true);
        let Some((transcript, log)) = run(&strict, &layer, ("gpt-5-pro", streaming, 3), view).await else {
            return;
        };
        assert!(!transcript.to_string().contains("headroom_retrieve"), "the client sees nothing of it");
        let (mut cached, mut lost, mut retrieved) = (0, 0, 0);
        for entry in &log {
            assert!(entry.get("err").is_none(), "{entry}");
            assert_eq!(entry["dropped"], json!([]), "no thinking is lost");
            let read = entry["usage"]["cache_read_input_tokens"].as_u64().unwrap();
            lost += usize::from(read < cached);
            cached = read;
            retrieved += usize::from(entry["calls"].to_string().contains("headroom_retrieve"));
        }
        assert!(retrieved >= 3, "what left is fetched: {log:#?}");
        assert!((1..=3).contains(&lost), "the cache is written anew at prompts only: {log:#?}");
    }
}

#[tokio::test]
#[ignore = "needs HEADROOM_SHARED"]
async fn a_tool_that_leaves_costs_no_read_of_the_cache() {
    let Some(strict) = Strict::start("dropping", &[]).await else { return };
    let question = ("claude-opus-5", false, 1);
    let Some((_, whole)) = run(&strict, &layer(), question, output).await else { return };
    let Some(strict) = Strict::start("dropping", &[]).await else { return };
    let Some((_, log)) = run(&strict, &layer().drop_tools(["fly_kite"]), question, output).await else {
        return;
    };
    assert_eq!(log.len(), whole.len());
    let of = |entry: &Value, what: &str| entry["usage"][what].as_u64().unwrap();
    let mut cached = 0;
    for (entry, before) in log.iter().zip(&whole) {
        assert!(entry.get("err").is_none(), "{entry}");
        assert!(of(entry, "cache_read_input_tokens") >= cached, "{log:#?}");
        cached = of(entry, "cache_read_input_tokens");
        let prompt = |entry: &Value| {
            of(entry, "cache_read_input_tokens")
                + of(entry, "cache_creation_input_tokens")
                + of(entry, "input_tokens")
        };
        assert!(prompt(entry) < prompt(before), "{entry}, {before}");
    }
    assert!(cached > 0);
}

async fn check(name: &str, parallel: bool, streaming: bool) {
    let Some((transcript, log)) = converse(name, parallel, streaming).await else { return };
    assert!(!transcript.to_string().contains("headroom_retrieve"), "the client sees nothing of it");
    let retrieved =
        log.iter().filter(|entry| entry["calls"].to_string().contains("headroom_retrieve")).count();
    assert!(retrieved >= 3, "each result is fetched: {log:#?}");
    let mut cached = 0;
    for entry in &log {
        assert!(entry.get("err").is_none(), "{entry}");
        assert_eq!(entry["dropped"], json!([]), "no thinking is lost");
        let read = entry["usage"]["cache_read_input_tokens"].as_u64().unwrap();
        assert!(read >= cached, "the cache keeps growing: {log:#?}");
        cached = read;
    }
    assert!(cached > 0);
}

#[tokio::test]
#[ignore = "needs HEADROOM_SHARED"]
async fn a_streamed_conversation_keeps_cache_and_thinking() {
    check("stream", false, true).await;
}

#[tokio::test]
#[ignore = "needs HEADROOM_SHARED"]
async fn a_conversation_in_one_piece_keeps_cache_and_thinking() {
    check("whole", false, false).await;
}

#[tokio::test]
#[ignore = "needs HEADROOM_SHARED"]
async fn a_conversation_with_parallel_calls_keeps_cache_and_thinking() {
    check("parallel-stream", true, true).await;
    check("parallel-whole", true, false).await;
}
