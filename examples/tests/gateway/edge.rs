//! What the layers of the gateway for axum do.

use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    ANTHROPIC, PROGRAMS,
    client::{Gateway, PATIENCE, next, send, tenant},
    mock::Providers,
};

async fn start(providers: &Providers, tenants: &str) -> Gateway {
    Gateway::start(PROGRAMS[0], &providers.start().await, tenants)
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let providers = Providers::default();
    let gateway = start(&providers, &tenant("a", "")).await;
    let mut request = ANTHROPIC.request(&gateway, "a", b"{}");
    request.headers_mut().insert("x-request-id", "mine".parse().unwrap());
    assert_eq!(send(request).await.headers()["x-request-id"], "mine");
    assert_eq!(providers.got()[0].headers["x-request-id"], "mine");
    let refused = send(ANTHROPIC.request(&gateway, "stranger", b"{}")).await;
    assert_eq!(refused.headers()["x-request-id"].len(), 36, "one of its own");
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_send_requests() {
    let gateway = start(&Providers::default(), &tenant("a", "")).await;
    let preflight = async |origin: &str| {
        let request = Request::options(format!("{}/v1/messages", gateway.url))
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-api-key");
        send(request.body(Full::default()).unwrap()).await.headers().clone()
    };
    let allowed = preflight("https://chat.example").await;
    assert_eq!(allowed["access-control-allow-origin"], "https://chat.example");
    assert_eq!(allowed["access-control-allow-headers"], "x-api-key");
    assert!(!preflight("https://other.example").await.contains_key("access-control-allow-origin"));
    let mut request = ANTHROPIC.request(&gateway, "stranger", b"{}");
    request.headers_mut().insert("origin", "https://chat.example".parse().unwrap());
    let refused = send(request).await;
    assert_eq!(refused.headers()["access-control-allow-origin"], "https://chat.example", "it can read why");
}

#[tokio::test]
async fn whole_answers_are_encoded_and_streams_are_not() {
    let providers = Providers::default();
    let gateway = start(&providers, &tenant("a", "")).await;
    let encoded = |body: &[u8]| {
        let mut request = ANTHROPIC.request(&gateway, "a", body);
        request.headers_mut().insert("accept-encoding", "gzip".parse().unwrap());
        send(request)
    };
    let whole = encoded(b"{}").await;
    assert_eq!(whole.headers()["content-encoding"], "gzip");
    let whole = whole.into_body().collect().await.unwrap().to_bytes();
    let answer: Value = serde_json::from_reader(flate2::read::GzDecoder::new(&whole[..])).unwrap();
    assert_eq!(answer["id"], "m");

    let mut stream = encoded(br#"{"stream":true}"#).await;
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(encoding(stream.headers()), None);
    for event in ["data: 1\n\n", "data: 2\n\n"] {
        providers.say(event); // not before the last one has arrived
        assert_eq!(next(stream.body_mut()).await.unwrap(), event);
    }
}

fn encoding(headers: &HeaderMap) -> Option<&str> {
    headers.get("content-encoding")?.to_str().ok()
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused_before_and_while_it_is_read() {
    let providers = Providers::default();
    let gateway = start(&providers, &tenant("a", "")).await;
    // By what its head announces.
    let address = gateway.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head =
        "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: key-of-a\r\ncontent-length: 2000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    tokio::time::timeout(PATIENCE, stream.read_exact(&mut status)).await.unwrap().unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");

    let long = vec![b' '; (1 << 20) + 1];
    let request = ANTHROPIC.request(&gateway, "a", &long);
    let (parts, body) = request.into_parts();
    // Without a length, it is noticed on the way.
    let chunks = http_body_util::StreamBody::new(futures_util::stream::iter([Ok::<_, std::io::Error>(
        http_body::Frame::data(body.collect().await.unwrap().to_bytes()),
    )]));
    let client =
        hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
    let answer = client.request(Request::from_parts(parts, chunks)).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert!(providers.got().is_empty());
}

#[tokio::test]
async fn metrics_tell_what_tenants_use_and_no_content() {
    let gateway = start(&Providers::default(), &tenant("a", "")).await;
    for turn in ANTHROPIC.conversation() {
        assert_eq!(ANTHROPIC.ask(&gateway, "a", &turn).await.0, 200);
    }
    let metrics = send(Request::get(&gateway.admin).body(Full::default()).unwrap()).await;
    let metrics =
        String::from_utf8(metrics.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap();
    for line in [
        "gateway_tokens_total{tenant=\"a\"} 48",
        "gateway_requests_in_flight 0",
        "headroom_requests_total{api=\"anthropic\",outcome=\"rewritten\"} 2",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert!(!metrics.contains("scheduler") && !metrics.contains("key-of"), "{metrics}");
}

/// A line in the middle of the output of `long_output`.
const LINE: &str = "order 73323 served in 187 ms";

/// A request of an agent with tools and long output of a command.
fn long_output() -> String {
    let lines: String = (0..4000)
        .map(|n| {
            format!(
                "2026-11-20T10:00:{:02}Z INFO order {} served in {} ms\n",
                n % 60,
                n * 7919 % 99991,
                n * 31 % 900
            )
        })
        .collect();
    json!({"model": "m", "max_tokens": 9, "system": "You are an agent. ".repeat(300),
        "tools": [{"name": "Bash", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "which orders are slow?"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "./report"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": lines}]}]})
    .to_string()
}

#[tokio::test]
async fn a_model_gets_what_was_stored_for_its_tenant_and_for_no_other() {
    let providers = Providers::default();
    let gateway = start(&providers, &[tenant("a", ""), tenant("b", "")].concat()).await;
    let sent = async |tenant: &str, body: &str| {
        let before = providers.got().len();
        assert_eq!(ANTHROPIC.ask(&gateway, tenant, body.as_bytes()).await.0, 200);
        let got = providers.got().split_off(before);
        got.iter().map(|got| String::from_utf8(got.body.to_vec()).unwrap()).collect::<Vec<_>>()
    };
    let first = sent("a", &long_output()).await.remove(0);
    assert!(long_output().contains(LINE) && !first.contains(LINE), "it is not elided");
    let (_, rest) = first.split_once("[headroom:").unwrap();
    let hash = rest.split_once(' ').unwrap().0;
    for (tenant, has_it) in [("a", true), ("b", false)] {
        let asks = json!({"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use",
            "content": [{"type": "tool_use", "id": "r1", "name": "headroom_retrieve",
                "input": {"hash": hash, "lines": "1778"}}],
            "usage": {"input_tokens": 1, "output_tokens": 1}});
        providers.next(200, asks);
        // The other tenant's model has the tool too, and has somehow learned of the hash.
        let other = long_output().replace("served", "answered");
        let body = if has_it { long_output() } else { other };
        let rounds = sent(tenant, &body).await;
        assert_eq!(rounds.len(), 2, "{tenant}: the model's call is answered");
        assert_eq!(rounds[1].contains(LINE), has_it, "{tenant}");
    }
}
