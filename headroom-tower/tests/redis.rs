//! The layer with a store on a server that stops.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::{
    convert::Infallible,
    fmt::Write as _,
    io::Write as _,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use headroom_store::RedisStore;
use headroom_tower::{HeadroomBody, HeadroomLayer, Observer, StoreFailure};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tempfile::TempDir;
use tower::{Layer, ServiceExt, service_fn};

/// A server on a port of this machine, until it is dropped.
struct Server(Child);

impl Server {
    fn start(port: u16, folder: &TempDir) -> Option<Self> {
        let start = |name: &&str| {
            let port = port.to_string();
            let args = ["--port", &port, "--bind", "127.0.0.1", "--save", "", "--dir"];
            Command::new(name).args(args).arg(folder.path()).stdout(Stdio::null()).spawn().ok()
        };
        let Some(child) = ["redis-server", "valkey-server"].iter().find_map(start) else {
            let _ =
                writeln!(std::io::stderr(), "skipped: neither redis-server nor valkey-server is installed");
            return None;
        };
        let server = Self(child);
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(20), "the server does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Clone, Debug, Default)]
struct Failures(Arc<Mutex<usize>>);

impl Observer for Failures {
    fn on_store_failure(&self, _: &StoreFailure<'_>) {
        *self.0.lock().unwrap() += 1;
    }
}

/// A log of which parts are set aside, and a list that gets smaller without that.
fn request_body(seed: usize) -> String {
    let mut log = String::new();
    for n in 0..300 {
        let _ = writeln!(
            log,
            "2026-01-01T10:{:02}:{:02} INFO served request {n} in {} ms",
            n / 60,
            n % 60,
            (n + seed) * 7919 % 97
        );
    }
    let records: Vec<_> = (0..40).map(|n| json!({"id": n, "state": "open", "zone": "eu-west-1"})).collect();
    let records = serde_json::to_string_pretty(&records).unwrap();
    let call =
        |id: &str| json!({"type": "tool_use", "id": id, "name": "Bash", "input": {"command": "./run"}});
    let result = |id: &str, text: String| json!({"type": "tool_result", "tool_use_id": id, "content": text});
    json!({"model": "claude-opus-5-5", "max_tokens": 9,
        "tools": [{"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {}}}}],
        "messages": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": [call("a"), call("b")]},
            {"role": "user", "content": [result("a", log), result("b", records)]}]})
    .to_string()
}

#[tokio::test]
async fn with_its_server_stopped_a_layer_leaves_new_results_as_they_are_and_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Server::start(port, &folder) else { return };
    let url = format!("redis://127.0.0.1:{port}");
    let store = RedisStore::builder(url).timeout(Duration::from_secs(20)).build().unwrap();
    let failures = Failures::default();
    let layer = HeadroomLayer::with_store(store).observer(failures.clone());
    let send = async |seed| {
        let got = Arc::new(Mutex::new(String::new()));
        let upstream = got.clone();
        let service = layer.layer(service_fn(move |request: Request<HeadroomBody<Full<Bytes>>>| {
            let upstream = upstream.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes();
                *upstream.lock().unwrap() = String::from_utf8(body.to_vec()).unwrap();
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"{}"))))
            }
        }));
        let request = Request::post("/v1/messages").header("content-type", "application/json");
        service.oneshot(request.body(Full::from(request_body(seed))).unwrap()).await.unwrap();
        got.lock().unwrap().clone()
    };
    let before = send(1).await;
    assert!(before.contains("stored") && before.contains("headroom_retrieve"));
    drop(server);
    assert_eq!(send(1).await, before, "what was stored stays as it was sent");
    let without = send(2).await;
    assert!(!without.contains("stored") && without.contains("headroom_retrieve"));
    assert!(
        without.len() < request_body(2).len() && without.len() > before.len(),
        "the list still gets smaller"
    );
    assert!(*failures.0.lock().unwrap() > 0);

    let _server = Server::start(port, &folder).unwrap();
    let begin = Instant::now();
    while !send(3).await.contains("stored") {
        assert!(begin.elapsed() < Duration::from_secs(20), "the server that came back is not used");
    }
}
