//! What is set aside is a file before the request goes on, where markers name files.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use headroom_core::{Api, CompressOptions, Handle, Outcome, Retrieval};
use headroom_store::{MemoryStore, PlaintextStore};
use http_body_util::{BodyExt, Full};
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    HeadroomLayer, HeadroomOverride, PromptCompressionLayer,
    test_support::{Recorder, TestBody, answer, drain, echo, halve, leaves_it, post, set_aside},
};

/// Sets half of a body aside where the means are files, else halves it.
fn as_files(api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
    if *options != options.clone().retrieval(Retrieval::File) || leaves_it(body, options) {
        return halve(api, body, options);
    }
    let Outcome::Rewritten { body, originals, mut report } = set_aside(api, body, options) else {
        panic!("it rewrites everything")
    };
    report.retrieval = Retrieval::File;
    Outcome::Rewritten { body, originals, report }
}

fn file(folder: &Path, content: &str) -> PathBuf {
    folder.join(Handle::from_content(content).to_string())
}

#[tokio::test]
async fn originals_are_files_before_the_inner_service_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("plaintext");
    let store = MemoryStore::new();
    let layer = PromptCompressionLayer::new()
        .fake(as_files)
        .store(store.clone())
        .plaintext(PlaintextStore::new(&root).unwrap());
    let path = file(&root, "4567");
    let service = ServiceBuilder::new().layer(layer).service_fn(move |request| {
        assert_eq!(fs::read_to_string(&path).unwrap(), "4567");
        echo(request)
    });
    let request = service.oneshot(post(TestBody::chunk("01234567"))).await.unwrap();
    assert_eq!(drain(request.into_body()).await.data, b"0123");
    assert_eq!(store.stored_bytes(), 0, "one place is enough");
}

#[tokio::test]
async fn if_a_file_cannot_be_written_no_marker_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("plaintext");
    fs::write(&root, "no folder").unwrap();
    let recorder = Recorder::default();
    let layer = PromptCompressionLayer::new().fake(as_files).plaintext(PlaintextStore::new(&root).unwrap());
    let layer = layer.observer(recorder.clone());
    let request = layer.rewrite(post(TestBody::chunk("01234567"))).await;
    // What needs no file is done.
    assert_eq!(drain(request.into_body()).await.data, b"0123");
    assert_eq!(recorder.events(), ["store unavailable", "rewritten openai 8->4"]);

    fs::remove_file(&root).unwrap();
    drain(layer.rewrite(post(TestBody::chunk("01234567"))).await.into_body()).await;
    assert!(!file(&root, "4567").exists(), "what went out without a file stays so");
    drain(layer.rewrite(post(TestBody::chunk("01238901"))).await.into_body()).await;
    assert!(file(&root, "8901").exists(), "it works again");
}

#[tokio::test]
async fn a_requests_own_means_come_first() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let layer = PromptCompressionLayer::new().tenant_from(|_| String::new()).fake(
        move |api, body, options: &CompressOptions| {
            seen.lock().unwrap().push(options.clone());
            halve(api, body, options)
        },
    );
    let send = async |layer: &PromptCompressionLayer, own: HeadroomOverride| {
        let mut request = post(TestBody::chunk("01234567"));
        request.extensions_mut().insert(own);
        layer.rewrite(request).await;
    };
    let own = HeadroomOverride::new;
    send(&layer, own().retrieval(Retrieval::File)).await;
    let layer = layer.plaintext(PlaintextStore::new("/tmp/spool").unwrap());
    send(&layer, own()).await;
    send(&layer, own().retrieval(Retrieval::ClientTool)).await;
    let layer = layer.store(MemoryStore::new()).retrieval(Retrieval::ClientTool);
    send(&layer, own()).await;
    send(&layer, own().retrieval(Retrieval::File)).await;
    let (none, client) = (CompressOptions::new(), CompressOptions::new().retrieval(Retrieval::ClientTool));
    let file = CompressOptions::new().originals_dir("/tmp/spool");
    assert_eq!(*asked.lock().unwrap(), [none.clone(), file.clone(), none, client, file]);
}

/// A request of an agent that runs commands, with a log of this many lines.
fn conversation(lines: usize) -> serde_json::Value {
    let row = |n: usize| match n % 97 {
        50 => format!("2026-11-20T10:00:{n:05}Z ERROR order {n} refused\n"),
        _ => format!("2026-11-20T10:00:{n:05}Z INFO order {n} took {} ms\n", n * 7 % 90),
    };
    let log: String = (0..lines).map(row).collect();
    let call =
        serde_json::json!({"id": "c1", "type": "function", "function": {"name": "bash", "arguments": "{}"}});
    serde_json::json!({"model": "gpt-5.5", "tools": [{"type": "function", "function": {"name": "bash"}}], "messages": [
        {"role": "user", "content": "why?"}, {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": log}]})
}

/// The paths that the markers of a body name.
fn named(body: &str) -> Vec<String> {
    let markers = body.split("[headroom:").skip(1);
    markers
        .filter_map(|marker| Some(marker.split_once("; /")?.1.split_once(']')?.0))
        .map(|path| format!("/{path}"))
        .collect()
}

#[tokio::test]
async fn every_path_that_the_model_is_told_holds_the_original() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a spool");
    let layer = HeadroomLayer::with_store(MemoryStore::new()).plaintext(PlaintextStore::new(&root).unwrap());
    let inner = tower::service_fn(async |request: http::Request<crate::HeadroomBody<Full<bytes::Bytes>>>| {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(!text.contains("headroom_retrieve"), "no tool is added");
        let named = named(&text);
        assert!(!named.is_empty(), "{text}");
        for path in named {
            let sent = fs::read_to_string(&path).unwrap();
            assert!(path.ends_with(&Handle::from_content(&sent).to_string()));
        }
        answer(http::Request::new(())).await
    });
    for lines in [400, 500] {
        let body = Full::from(conversation(lines).to_string());
        let request = http::Request::post("/v1/chat/completions").header("content-type", "application/json");
        let response =
            ServiceBuilder::new().layer(layer.clone()).service(inner).oneshot(request.body(body).unwrap());
        assert_eq!(response.await.unwrap().into_body().collect().await.unwrap().to_bytes(), "answer");
    }
    let whole = conversation(500)["messages"][2]["content"].as_str().unwrap().to_owned();
    assert_eq!(fs::read_to_string(file(&root, &whole)).unwrap(), whole);
}
