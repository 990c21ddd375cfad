//! Tests of the middleware in a client, against a local server.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, body::Bytes, extract::Request as Received, http::StatusCode};
use futures_util::stream;
use headroom_tower::{
    HeadroomOverride, Observer, RequestReport, SkipReason, Skipped, headroom_core::UnchangedReason,
};
use http::{Extensions, HeaderMap};
use http_body_util::BodyExt;
use reqwest::{Body, Client, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
use serde_json::json;

use crate::HeadroomMiddleware;

/// A request whose tool result has many similar records.
fn conversation() -> Vec<u8> {
    let rows =
        (0..400).map(|n| json!({"id": n, "state": "ready", "zone": "eu-central-1"})).collect::<Vec<_>>();
    let call = json!({"id": "c1", "type": "function", "function": {"name": "list", "arguments": "{}"}});
    let body = json!({"model": "gpt-4o", "messages": [
        {"role": "user", "content": "which are not ready?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": serde_json::to_string_pretty(&rows).unwrap()},
    ]});
    serde_json::to_vec(&body).unwrap()
}

/// A server and the requests that it got.
#[derive(Clone, Default)]
struct Upstream {
    requests: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    failures: Arc<AtomicUsize>,
}

impl Upstream {
    /// Answers the first requests with 503.
    fn failing(failures: usize) -> Self {
        Self { failures: Arc::new(failures.into()), ..Self::default() }
    }

    async fn start(&self) -> String {
        let upstream = self.clone();
        let app = Router::new().fallback(async move |request: Received| {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            upstream.requests.lock().unwrap().push((parts.headers, body));
            let fails =
                upstream.failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
            if fails.is_ok() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        format!("http://{address}/v1/chat/completions")
    }

    fn requests(&self) -> Vec<(HeaderMap, Bytes)> {
        self.requests.lock().unwrap().clone()
    }
}

fn client() -> ClientBuilder {
    // Cargo unifies features: another crate may have enabled TLS without cryptography.
    let _ = rustls::crypto::ring::default_provider().install_default();
    ClientBuilder::new(Client::builder().no_proxy().build().unwrap())
}

async fn send(client: &ClientWithMiddleware, url: &str, body: impl Into<Body>) -> Response {
    client.post(url).header("content-type", "application/json").body(body).send().await.unwrap()
}

fn is_exact((headers, body): &(HeaderMap, Bytes)) -> bool {
    headers["content-length"].to_str().unwrap() == body.len().to_string()
        && headers.get_all("content-length").iter().count() == 1
        && !headers.contains_key("transfer-encoding")
}

/// Records its events, and the reasons that an inner middleware sees.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<SkipReason>>>);

impl Observer for Recorder {
    fn on_skipped(&self, event: &Skipped<'_>) {
        self.0.lock().unwrap().push(event.reason);
    }
}

#[tokio::test]
async fn a_rewritten_body_arrives_smaller_with_exact_headers() {
    let upstream = Upstream::default();
    let url = upstream.start().await;
    let client = client().with(HeadroomMiddleware::new()).build();
    assert_eq!(send(&client, &url, conversation()).await.status(), 200);
    let by_hand = client.post(&url).header("content-length", conversation().len()).body(conversation());
    assert_eq!(by_hand.send().await.unwrap().status(), 200);
    for request in upstream.requests() {
        assert!(request.1.len() < conversation().len() / 2);
        assert!(is_exact(&request), "{:?}", request.0);
    }
}

#[tokio::test]
async fn a_retry_sends_the_rewritten_body_again() {
    let upstream = Upstream::failing(1);
    let url = upstream.start().await;
    let retry = RetryTransientMiddleware::new_with_policy(
        ExponentialBackoff::builder()
            .retry_bounds(Default::default(), Default::default())
            .build_with_max_retries(2),
    );
    let before = client().with(HeadroomMiddleware::new()).with(retry).build();
    assert_eq!(send(&before, &url, conversation()).await.status(), 200);
    let [first, second] = &upstream.requests()[..] else { panic!("one attempt and one retry") };
    assert!(first.1.len() < conversation().len() / 2);
    assert_eq!(first.1, second.1);
    assert!(is_exact(second));
}

#[tokio::test]
async fn behind_retries_every_attempt_becomes_the_same_bytes() {
    let upstream = Upstream::failing(1);
    let url = upstream.start().await;
    let retry = RetryTransientMiddleware::new_with_policy(
        ExponentialBackoff::builder()
            .retry_bounds(Default::default(), Default::default())
            .build_with_max_retries(2),
    );
    let behind = client().with(retry).with(HeadroomMiddleware::new()).build();
    assert_eq!(send(&behind, &url, conversation()).await.status(), 200);
    let [first, second] = &upstream.requests()[..] else { panic!("one attempt and one retry") };
    assert!(first.1.len() < conversation().len() / 2);
    assert_eq!(first.1, second.1);
}

#[tokio::test]
async fn attached_twice_it_rewrites_once() {
    let upstream = Upstream::default();
    let url = upstream.start().await;
    let recorder = Recorder::default();
    let inner = HeadroomMiddleware::new().observer(recorder.clone());
    let client = client().with(HeadroomMiddleware::new()).with(inner).build();
    send(&client, &url, conversation()).await;
    assert_eq!(*recorder.0.lock().unwrap(), [SkipReason::AlreadyRewritten]);
    assert!(is_exact(&upstream.requests()[0]));
    assert!(upstream.requests()[0].1.len() < conversation().len() / 2);
}

#[tokio::test]
async fn a_streaming_body_passes_unread() {
    let upstream = Upstream::default();
    let url = upstream.start().await;
    let recorder = Recorder::default();
    let client = client().with(HeadroomMiddleware::new().observer(recorder.clone())).build();
    let pieces: Vec<_> =
        conversation().chunks(1000).map(|piece| Ok::<_, Infallible>(piece.to_vec())).collect();
    send(&client, &url, Body::wrap_stream(stream::iter(pieces))).await;
    assert_eq!(*recorder.0.lock().unwrap(), [SkipReason::ReadFailed]);
    let (headers, body) = &upstream.requests()[0];
    assert_eq!(body, &conversation());
    assert_eq!(headers["transfer-encoding"], "chunked");
}

#[tokio::test]
async fn middlewares_inside_see_the_report() {
    struct Inside(Arc<Mutex<Option<RequestReport>>>);
    #[async_trait::async_trait]
    impl Middleware for Inside {
        async fn handle(
            &self,
            request: Request,
            extensions: &mut Extensions,
            next: Next<'_>,
        ) -> Result<Response> {
            *self.0.lock().unwrap() = extensions.get().cloned();
            next.run(request, extensions).await
        }
    }
    let url = Upstream::default().start().await;
    let seen = Arc::default();
    let client = client().with(HeadroomMiddleware::new()).with(Inside(Arc::clone(&seen))).build();
    send(&client, &url, conversation()).await;
    assert!(seen.lock().unwrap().take().unwrap().report().unwrap().tokens_saved > 0);
}

#[tokio::test]
async fn an_override_among_the_extensions_counts() {
    let upstream = Upstream::default();
    let url = upstream.start().await;
    let client = client().with(HeadroomMiddleware::new()).build();
    let request = client.post(&url).body(conversation()).with_extension(HeadroomOverride::disabled());
    request.send().await.unwrap();
    assert_eq!(upstream.requests()[0].1, conversation());
}

fn request(body: impl Into<Body>) -> Request {
    let mut request =
        Request::new(reqwest::Method::POST, "https://u:p@a.example/v1/chat/completions#f".parse().unwrap());
    *request.body_mut() = Some(body.into());
    request
}

#[tokio::test]
async fn a_plain_request_is_rewritten_in_place() {
    let mut request = request(conversation());
    let report = HeadroomMiddleware::new().rewrite(&mut request).await.unwrap();
    assert!(report.is_rewritten());
    let body = request.body().unwrap().as_bytes().unwrap();
    assert!(body.len() < conversation().len() / 2);
    assert_eq!(request.headers()["content-length"].to_str().unwrap(), body.len().to_string());
    assert_eq!(request.url().as_str(), "https://u:p@a.example/v1/chat/completions#f");
}

#[tokio::test]
async fn what_is_not_rewritten_stays_the_very_request() {
    let headroom = HeadroomMiddleware::new();
    let mut without = request("");
    *without.body_mut() = None;
    assert!(headroom.rewrite(&mut without).await.is_some());
    assert!(without.body().is_none());

    let mut small = request("{\"model\":\"gpt-4o\",\"messages\":[]}");
    let report = headroom.rewrite(&mut small).await.unwrap();
    assert!(matches!(report.skip_reason(), Some(SkipReason::Engine(_))), "{report:?}");
    assert_ne!(report.skip_reason(), Some(SkipReason::Engine(UnchangedReason::Internal)));
    assert!(small.headers().is_empty());

    let mut signed = request(conversation());
    signed.headers_mut().insert("x-amz-content-sha256", "0".parse().unwrap());
    assert!(headroom.rewrite(&mut signed).await.is_none());
    assert_eq!(signed.body().unwrap().as_bytes(), Some(&conversation()[..]));
}

#[tokio::test]
async fn a_dropped_rewrite_leaves_the_request_as_it_was() {
    let mut request = request(conversation());
    let headroom = HeadroomMiddleware::new().blocking_threshold(0);
    {
        let mut rewrite = std::pin::pin!(headroom.rewrite(&mut request));
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(rewrite.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(request.body().unwrap().as_bytes(), Some(&conversation()[..]));
    assert!(request.headers().is_empty());
}

#[cfg(feature = "plaintext")]
#[tokio::test]
async fn with_a_spool_the_agent_finds_a_file_where_the_marker_points() {
    let folder = tempfile::tempdir().unwrap();
    let plaintext =
        headroom_tower::headroom_store::PlaintextStore::new(folder.path().join("plaintext")).unwrap();
    let upstream = Upstream::default();
    let client = client().with(HeadroomMiddleware::new().plaintext(plaintext)).build();
    let mut body: serde_json::Value = serde_json::from_slice(&conversation()).unwrap();
    send(&client, &upstream.start().await, body.to_string()).await;
    body["tools"] = json!([{"type": "function", "function": {"name": "read_file", "parameters": {}}}]);
    send(&client, &upstream.start().await, body.to_string()).await;
    let texts = upstream.requests().into_iter().map(|(_, body)| String::from_utf8(body.to_vec()).unwrap());
    let [without, with] = &texts.collect::<Vec<_>>()[..] else { panic!("two requests") };
    assert!(!without.contains("stored"), "nothing can read it there");
    let path = with.split_once("; /").and_then(|(_, rest)| rest.split_once(']')).expect(with).0;
    let original = body["messages"][2]["content"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(format!("/{path}")).unwrap(), original);
}

#[tokio::test]
async fn with_the_layer_around_a_client_calls_are_answered_unseen() {
    use headroom_tower::{HeadroomBody, HeadroomLayer, headroom_store::MemoryStore};
    use http_body_util::Full;
    use tower::{ServiceBuilder, ServiceExt, service_fn};

    // A provider that asks for elided content, and then reports what it got.
    let app = Router::new().fallback(async |body: String| {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let told = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
        let message = match told.split_once("[headroom:") {
            Some((_, marker)) => {
                let arguments = json!({"hash": &marker[..16], "rows": "200-201"}).to_string();
                let function = json!({"name": "headroom_retrieve", "arguments": arguments});
                json!({"role": "assistant", "content": null, "tool_calls": [{"id": "call_0123456789012345678", "type": "function", "function": function}]})
            }
            None => json!({"role": "assistant", "content": told}),
        };
        let finish = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
        let answer = json!({"id": "1", "choices": [{"index": 0, "message": message, "finish_reason": finish}]});
        ([("content-type", "application/json")], answer.to_string())
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/chat/completions", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });

    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().build().unwrap();
    let send = service_fn(move |request: http::Request<HeadroomBody<Full<Bytes>>>| {
        let client = client.clone();
        async move { client.execute(request.map(Body::wrap).try_into()?).await.map(http::Response::<Body>::from) }
    });
    let client = ServiceBuilder::new().layer(HeadroomLayer::with_store(MemoryStore::new())).service(send);
    let mut body: serde_json::Value = serde_json::from_slice(&conversation()).unwrap();
    body["tools"] = json!([{"type": "function", "function": {"name": "bash", "parameters": {}}}]);
    let request = http::Request::post(url).header("content-type", "application/json");
    let request = request.body(Full::from(body.to_string())).unwrap();
    let response = client.oneshot(request).await.unwrap();
    let answer = response.into_body().collect().await.unwrap().to_bytes();
    let answer: serde_json::Value = serde_json::from_slice(&answer).unwrap();
    let message = &answer["choices"][0]["message"];
    let said = message["content"].as_str().unwrap();
    assert!(said.contains("rows 200-201 of 400") && said.contains("199"), "{answer}");
    assert!(message["tool_calls"].as_array().is_none_or(Vec::is_empty), "{answer}");
}
