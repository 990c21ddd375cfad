//! Proxies that are killed at any moment, by a signal that they cannot handle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

mod support;

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use headroom_store::DiskStore;
use serde_json::{Value, json};

use self::support::{Connection, Message, Proxy, Upstream, headroom};

/// What a command printed; no two seeds share a line.
fn output(seed: usize) -> String {
    let line = |n: usize| {
        format!("2026-11-20T10:{:02}:{:02}Z INFO order {seed}-{n} took {} ms\n", n / 60, n % 60, n * 7 % 90)
    };
    (0..200).map(line).collect()
}

fn conversation(seed: usize) -> Value {
    let tool = json!({"name": "Bash", "description": "Runs a command.",
        "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}});
    json!({"model": "claude-opus-5-5", "max_tokens": 9, "stream": true, "tools": [tool], "messages": [
        {"role": "user", "content": "why?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "./run"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": output(seed)}]}]})
}

fn post(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head =
        "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-api-key: k";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn start(upstream: SocketAddr, store: &Path, address: Option<SocketAddr>, args: &[&str]) -> Proxy {
    let listen = address.map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
    let url = format!("http://{upstream}");
    let mut proxy = headroom(&["proxy", "--listen", &listen, "--upstream", &url, "--store"]);
    Proxy::start(proxy.arg(store).args(args))
}

/// The handles of all markers in what reached an upstream, however much of it.
fn handles(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(body).into_owned();
    let candidates = text.split("[headroom:").skip(1).filter_map(|rest| rest.get(..16));
    let is_handle = |text: &&str| text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    candidates.filter(is_handle).map(str::to_owned).collect()
}

fn http(kind: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn every_marker_that_was_forwarded_resolves_wherever_its_proxy_was_killed() {
    let store = tempfile::tempdir().unwrap();
    let bodies = forwarded_by_killed(100, store.path(), &[]);
    let found: Vec<_> = bodies.iter().flat_map(|body| handles(body)).collect();
    assert!(found.len() >= 100, "{} markers in {} requests", found.len(), bodies.len());
    let store = DiskStore::new(store.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for handle in found {
        let original = runtime.block_on(store.find(&handle.parse().unwrap())).unwrap();
        assert!(original.is_some(), "{handle} was forwarded and does not resolve");
    }
}

#[test]
fn every_file_that_a_marker_names_is_whole_wherever_its_proxy_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let originals_dir = folder.path().join("plaintext");
    let args = ["--retrieval", "file", "--originals-dir", originals_dir.to_str().unwrap()];
    let bodies = forwarded_by_killed(50, &folder.path().join("store"), &args);
    let found: Vec<_> = bodies.iter().flat_map(|body| handles(body)).collect();
    assert!(found.len() >= 50, "{} markers in {} requests", found.len(), bodies.len());
    for handle in found {
        let content =
            std::fs::read_to_string(originals_dir.join(&handle)).expect("forwarded, so it is there");
        assert_eq!(headroom_core::Handle::from_content(&content).to_string(), handle);
    }
}

/// Kills proxies at any moment, two at a time and twice as many as said, and gives the bodies of the requests that had
/// left them, however much of each.
fn forwarded_by_killed(kills: usize, store: &Path, args: &[&str]) -> Vec<Vec<u8>> {
    let got: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let seen = Arc::clone(&got);
    let upstream = Upstream::start(move |connection| {
        // What came before the proxy died counts too.
        let request = connection.read()?;
        seen.lock().unwrap().push(request.body.clone());
        connection.write(http("application/json", "{}"))?;
        Ok(request)
    });
    let exchange = |proxy: &Proxy, seed: usize| {
        let mut connection = Connection::open(proxy.address);
        let _ = connection.write(post(&conversation(seed)));
        connection
    };
    // How long it takes undisturbed.
    let proxy = start(upstream.address, store, None, args);
    let begin = Instant::now();
    exchange(&proxy, 1_000_000).read().unwrap();
    let whole = begin.elapsed();
    drop(proxy);

    // Whether the request with this output has arrived.
    let arrived = |seed: usize| {
        let order = format!("order {seed}-");
        got.lock().unwrap().iter().any(|body| String::from_utf8_lossy(body).contains(&order))
    };
    // Two at a time, on one store.
    thread::scope(|scope| {
        for side in 0..2 {
            let (exchange, arrived, upstream) = (&exchange, &arrived, upstream.address);
            scope.spawn(move || {
                for n in 0..kills {
                    let proxy = start(upstream, store, None, args);
                    let seed = side * kills + n;
                    let connection = exchange(&proxy, seed);
                    if n % 2 == 0 {
                        // As soon as anything of it can be known elsewhere.
                        let begin = Instant::now();
                        while !arrived(seed) && begin.elapsed() < support::PATIENCE {
                            thread::sleep(Duration::from_micros(100));
                        }
                    } else {
                        // Another moment each time, from before the request is read to after the answer.
                        thread::sleep(
                            whole * u32::try_from(n * 37 % kills).unwrap() * 12 / (10 * kills as u32),
                        );
                    }
                    proxy.signal("KILL");
                    drop(connection);
                }
            });
        }
    });
    let bodies = std::mem::take(&mut *got.lock().unwrap());
    assert!(bodies.len() <= 2 * kills, "none was killed in time");
    bodies
}

/// An answer as a stream: words, and a call of the tool for this handle.
fn round(id: &str, words: &str, handle: Option<&str>) -> String {
    let mut blocks = vec![json!({"type": "text", "text": words})];
    blocks.extend(handle.map(|hash| {
        json!({"type": "tool_use", "id": "toolu_own_0123456789abcdef", "name": "headroom_retrieve", "input": {"hash": hash}})
    }));
    let stop = if handle.is_some() { "tool_use" } else { "end_turn" };
    let mut events = vec![
        json!({"type": "message_start", "message": {"id": id, "type": "message", "role": "assistant", "content": [],
        "usage": {"input_tokens": 1, "output_tokens": 1}}}),
    ];
    for (index, block) in blocks.into_iter().enumerate() {
        events.push(json!({"type": "content_block_start", "index": index, "content_block": block}));
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(
        json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}}),
    );
    events.push(json!({"type": "message_stop"}));
    let event = |data: Value| format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap());
    events.into_iter().map(event).collect()
}

/// A provider whose hidden rounds do not end while `hang` says so.
fn hanging_provider(
    entered: mpsc::Sender<()>,
    hang: Arc<Mutex<bool>>,
    seen: Arc<Mutex<Vec<Message>>>,
) -> Upstream {
    Upstream::start(move |connection| {
        let request = connection.read()?;
        seen.lock().unwrap().push(request.clone());
        let handle = handles(&request.body).into_iter().next().expect("something was set aside");
        let text = String::from_utf8_lossy(&request.body).into_owned();
        let answer = if !text.contains("toolu_own") {
            round("msg_1", "Let me look.", Some(&handle))
        } else if *hang.lock().unwrap() {
            entered.send(()).unwrap();
            connection.is_ended();
            return Err(std::io::ErrorKind::ConnectionReset.into());
        } else {
            round("msg_2", "It broke.", None)
        };
        connection.write(http("text/event-stream", &answer))?;
        Ok(request)
    })
}

#[test]
fn a_proxy_that_is_killed_in_a_hidden_round_is_replaced_and_the_conversation_goes_on() {
    let store = tempfile::tempdir().unwrap();
    let (entered, hidden) = mpsc::channel();
    let hangs = Arc::new(Mutex::new(true));
    let got: Arc<Mutex<Vec<Message>>> = Arc::default();
    let upstream = hanging_provider(entered, Arc::clone(&hangs), Arc::clone(&got));
    let asked = conversation(7);
    let mut proxy = start(upstream.address, store.path(), None, &[]);
    let mut connection = Connection::open(proxy.address);
    connection.write(post(&asked)).unwrap();
    hidden.recv_timeout(support::PATIENCE).expect("a hidden round begins");
    proxy.signal("KILL");
    proxy.wait();
    let cut = connection.read().unwrap();
    assert!(!cut.complete && !String::from_utf8_lossy(&cut.body).contains("message_stop"));

    *hangs.lock().unwrap() = false;
    let first = got.lock().unwrap().len();
    let proxy = start(upstream.address, store.path(), Some(proxy.address), &[]);
    let answer = support::exchange(proxy.address, post(&asked));
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert!(answer.complete && text.contains("Let me look.") && text.contains("It broke."), "{text}");
    assert!(!text.contains("headroom_retrieve"));
    {
        let got = got.lock().unwrap();
        assert_eq!(got[first].body, got[0].body, "the same prefix");
        assert_eq!(got[first + 1].body, got[1].body, "and the same hidden round");
    }

    // Another process puts it back.
    drop(proxy);
    let proxy = start(upstream.address, store.path(), None, &[]);
    let mut next = asked;
    next["messages"].as_array_mut().unwrap().extend([
        json!({"role": "assistant", "content": [{"type": "text", "text": "Let me look."}, {"type": "text", "text": "It broke."}]}),
        json!({"role": "user", "content": "and then?"}),
    ]);
    support::exchange(proxy.address, post(&next));
    let got = got.lock().unwrap();
    let sent: Value = got.last().unwrap().json();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 7);
    assert_eq!(sent["messages"][3]["content"][1]["name"], "headroom_retrieve");
}
