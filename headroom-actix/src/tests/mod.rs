//! Tests of the middleware outside actix-web's extractors.

mod storing;

use std::{
    cell::RefCell,
    collections::HashMap,
    future::ready,
    io::Write,
    rc::Rc,
    sync::{Arc, Mutex},
};

use actix_web::{
    App, HttpMessage, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{Payload, Service, ServiceResponse},
    error::PayloadError,
    http::{StatusCode, header},
    test::{TestRequest, call_and_read_body_json, call_service, init_service, read_body},
    web,
};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use headroom_tower::{
    HeadroomOverride, Observer, RequestReport, SkipReason, Skipped,
    headroom_core::{Handle, Original, Retrieval},
    headroom_store::{OriginalStore, StoreError},
};
use serde_json::{Value, json};

use crate::Headroom;

/// A request whose tool result has many similar records.
fn conversation() -> Vec<u8> {
    let rows =
        (0..400).map(|n| json!({"id": n, "state": "ready", "zone": "eu-central-1"})).collect::<Vec<_>>();
    let body = json!({"model": "claude-opus-4-5", "max_tokens": 1024, "messages": [
        {"role": "user", "content": "which are not ready?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "list", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1",
            "content": serde_json::to_string_pretty(&rows).unwrap()}]},
    ]});
    serde_json::to_vec(&body).unwrap()
}

fn post(body: impl Into<Bytes>) -> TestRequest {
    let body = body.into();
    TestRequest::post()
        .uri("/v1/messages")
        .insert_header(("content-type", "application/json"))
        .insert_header(("content-length", body.len()))
        .set_payload(body)
}

fn describe(request: &HttpRequest, bytes: usize) -> Value {
    let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let extensions = request.extensions();
    let report = extensions.get::<RequestReport>();
    json!({
        "bytes": bytes,
        "length": header("content-length"),
        "encoding": header("content-encoding"),
        "transfer": header("transfer-encoding"),
        "rewritten": report.is_some_and(RequestReport::is_rewritten),
        "skipped": report.and_then(|report| report.skip_reason()).map(SkipReason::as_str),
    })
}

async fn as_bytes(request: HttpRequest, body: web::Bytes) -> web::Json<Value> {
    web::Json(describe(&request, body.len()))
}

async fn as_string(request: HttpRequest, body: String) -> web::Json<Value> {
    web::Json(describe(&request, body.len()))
}

async fn as_json(request: HttpRequest, body: web::Json<Value>) -> web::Json<Value> {
    assert!(body["messages"].is_array());
    let length = request.headers().get("content-length").unwrap().to_str().unwrap().parse().unwrap();
    web::Json(describe(&request, length))
}

async fn as_payload(request: HttpRequest, mut body: web::Payload) -> web::Json<Value> {
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        bytes += chunk.unwrap().len();
    }
    web::Json(describe(&request, bytes))
}

fn is_smaller(answer: &Value) -> bool {
    let bytes = answer["bytes"].as_u64().unwrap();
    answer["rewritten"] == true
        && usize::try_from(bytes).unwrap() < conversation().len() / 2
        && answer["length"].as_str() == Some(&bytes.to_string())
        && answer["encoding"].is_null()
        && answer["transfer"].is_null()
}

async fn ask(headroom: Headroom, handler: actix_web::Route, request: TestRequest) -> Value {
    let app = App::new().wrap(headroom).service(web::resource("/v1/messages").route(handler));
    let app = init_service(app.app_data(web::PayloadConfig::new(1 << 20))).await;
    call_and_read_body_json(&app, request.to_request()).await
}

fn handlers() -> [fn() -> actix_web::Route; 4] {
    [|| web::to(as_bytes), || web::to(as_string), || web::to(as_json), || web::to(as_payload)]
}

/// A payload in pieces, which may end with an error.
fn pieces(body: &[u8], error: Option<PayloadError>) -> Payload {
    let data: Vec<_> = body.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let stream = stream::iter(data.into_iter().chain(error.map(Err)));
    let stream: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>> = Box::pin(stream);
    Payload::from(stream)
}

/// Puts another payload on the request, as the network would.
async fn ask_with(headroom: Headroom, payload: Payload, announced: Option<usize>) -> ServiceResponse {
    let payload = Rc::new(RefCell::new(Some(payload)));
    let app = App::new()
        .app_data(web::PayloadConfig::new(1 << 20))
        .route("/v1/messages", web::to(as_bytes))
        .wrap(headroom)
        .wrap_fn(move |mut request, service| {
            request.set_payload(payload.borrow_mut().take().unwrap());
            match announced {
                Some(bytes) => request.headers_mut().insert(header::CONTENT_LENGTH, bytes.into()),
                None => request.headers_mut().remove(header::CONTENT_LENGTH),
            };
            service.call(request)
        });
    call_service(&init_service(app).await, post("").to_request()).await
}

async fn json_of(response: ServiceResponse<impl MessageBody>) -> Value {
    serde_json::from_slice(&read_body(response).await).unwrap()
}

#[actix_web::test]
async fn every_extractor_gets_the_rewritten_body() {
    for handler in handlers() {
        assert!(is_smaller(&ask(Headroom::new(), handler(), post(conversation())).await));
        let pooled = Headroom::new().blocking_threshold(0);
        assert!(is_smaller(&ask(pooled, handler(), post(conversation())).await));
        let at_once = Headroom::new().blocking_threshold(u64::MAX);
        assert!(is_smaller(&ask(at_once, handler(), post(conversation())).await));
    }
}

#[actix_web::test]
async fn every_extractor_gets_a_body_over_the_limit_as_it_came() {
    for handler in handlers() {
        let answer = ask(Headroom::new().max_body(100), handler(), post(conversation())).await;
        assert_eq!(answer["bytes"], conversation().len());
        assert_eq!(answer["length"], conversation().len().to_string());
        assert_eq!(answer["rewritten"], false);
    }
    let chunked = ask_with(Headroom::new().max_body(1500), pieces(&conversation(), None), None).await;
    let answer = json_of(chunked).await;
    assert_eq!(answer["bytes"], conversation().len());
    assert_eq!(answer["skipped"], "body_too_large");
}

#[actix_web::test]
async fn a_chunked_body_becomes_one_of_known_length() {
    let response = ask_with(Headroom::new(), pieces(&conversation(), None), None).await;
    assert!(is_smaller(&json_of(response).await));
}

#[actix_web::test]
async fn a_failed_payload_fails_the_extractor_as_it_would_without() {
    let failed = || pieces(&conversation()[..5000], Some(PayloadError::Overflow));
    let response = ask_with(Headroom::new(), failed(), Some(conversation().len())).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let report = response.request().extensions().get::<RequestReport>().cloned().unwrap();
    assert_eq!(report.skip_reason(), Some(SkipReason::ReadFailed));
    let disabled = Headroom::new().when(|_: &http::request::Parts| false);
    let app = App::new().wrap(disabled).route("/v1/messages", web::to(as_bytes)).wrap_fn(
        move |mut request, service| {
            request.set_payload(failed());
            service.call(request)
        },
    );
    let app = init_service(app).await;
    assert_eq!(call_service(&app, post("").to_request()).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[actix_web::test]
async fn a_limit_of_an_extractor_counts_the_body_that_goes_on() {
    let limit = conversation().len() / 2;
    let app = || App::new().app_data(web::PayloadConfig::new(limit)).route("/v1/messages", web::to(as_bytes));
    let bare = init_service(app()).await;
    let refused = call_service(&bare, post(conversation()).to_request()).await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let app = init_service(app().wrap(Headroom::new())).await;
    let answer = call_and_read_body_json(&app, post(conversation()).to_request()).await;
    assert!(is_smaller(&answer));
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[actix_web::test]
async fn an_encoded_body_is_decoded_once() {
    let request = || post(gzip(&conversation())).insert_header(("content-encoding", "gzip"));
    let answer = ask(Headroom::new(), web::to(as_bytes), request()).await;
    assert!(is_smaller(&answer));
    let small = post(gzip(b"{\"messages\":[]}")).insert_header(("content-encoding", "gzip"));
    let answer = ask(Headroom::new(), web::to(as_string), small).await;
    assert_eq!(answer["encoding"], "gzip", "what is not rewritten stays encoded");
    assert_eq!(answer["bytes"], b"{\"messages\":[]}".len());
}

#[actix_web::test]
async fn what_is_not_wanted_keeps_its_own_payload() {
    let app =
        App::new().wrap(Headroom::new()).service(web::resource("/v1/messages").wrap_fn(|mut request, _| {
            let untouched = matches!(request.take_payload(), Payload::H1 { .. });
            let report = request.extensions().get::<RequestReport>().is_some();
            let answer = HttpResponse::Ok().json(json!({"untouched": untouched, "report": report}));
            ready(Ok(request.into_response(answer)))
        }));
    let app = init_service(app).await;
    let get = TestRequest::get().uri("/v1/messages").set_payload("x").to_request();
    let answer: Value = call_and_read_body_json(&app, get).await;
    assert_eq!(answer, json!({"untouched": true, "report": false}));
    let wanted: Value = call_and_read_body_json(&app, post(conversation()).to_request()).await;
    assert_eq!(wanted, json!({"untouched": false, "report": true}));
}

#[actix_web::test]
async fn an_override_from_a_middleware_outside_counts() {
    let app = App::new()
        .app_data(web::PayloadConfig::new(1 << 20))
        .route("/v1/messages", web::to(as_bytes))
        .wrap(Headroom::new())
        .wrap_fn(|request, service| {
            request.extensions_mut().insert(HeadroomOverride::disabled());
            service.call(request)
        });
    let answer: Value =
        call_and_read_body_json(&init_service(app).await, post(conversation()).to_request()).await;
    assert_eq!(answer["bytes"], conversation().len());
}

#[actix_web::test]
async fn wrapped_twice_it_rewrites_once() {
    #[derive(Clone, Default)]
    struct Reasons(Arc<Mutex<Vec<SkipReason>>>);
    impl Observer for Reasons {
        fn on_skipped(&self, event: &Skipped<'_>) {
            self.0.lock().unwrap().push(event.reason);
        }
    }
    let reasons = Reasons::default();
    let app = App::new()
        .route("/v1/messages", web::to(as_bytes))
        .wrap(Headroom::new().observer(reasons.clone()))
        .wrap(Headroom::new());
    let answer = call_and_read_body_json(&init_service(app).await, post(conversation()).to_request()).await;
    assert!(is_smaller(&answer));
    assert_eq!(*reasons.0.lock().unwrap(), [SkipReason::AlreadyRewritten]);
}

#[actix_web::test]
async fn it_works_on_scopes_and_resources() {
    let app = App::new()
        .service(web::scope("/a").wrap(Headroom::new()).route("/v1/messages", web::to(as_bytes)))
        .service(web::resource("/b/v1/messages").wrap(Headroom::new()).route(web::to(as_bytes)));
    let app = init_service(app).await;
    for path in ["/a/v1/messages", "/b/v1/messages"] {
        let answer = call_and_read_body_json(&app, post(conversation()).uri(path).to_request()).await;
        assert!(is_smaller(&answer), "{path}");
    }
}

#[actix_web::test]
async fn it_works_behind_a_real_socket() {
    let headroom = Headroom::new();
    let factory = move || {
        let app = App::new().wrap(headroom.clone()).app_data(web::PayloadConfig::new(1 << 20));
        app.route("/v1/messages", web::to(as_bytes))
    };
    let server = actix_web::HttpServer::new(factory).workers(1).bind("127.0.0.1:0").unwrap();
    let address = server.addrs()[0];
    let server = server.disable_signals().run();
    let handle = server.handle();
    actix_web::rt::spawn(server);
    let client = |body: Vec<u8>, head: String| async move {
        actix_web::rt::task::spawn_blocking(move || {
            let mut socket = std::net::TcpStream::connect(address).unwrap();
            socket.write_all(head.as_bytes()).unwrap();
            socket.write_all(&body).unwrap();
            let mut answer = String::new();
            std::io::Read::read_to_string(&mut socket, &mut answer).unwrap();
            let (_, json) = answer.split_once("\r\n\r\n").unwrap();
            serde_json::from_str::<Value>(json).unwrap()
        })
        .await
        .unwrap()
    };
    let start =
        "POST /v1/messages HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let body = conversation();
    let sized = client(body.clone(), format!("{start}content-length: {}\r\n\r\n", body.len())).await;
    assert!(is_smaller(&sized), "{sized}");
    let mut chunks = Vec::new();
    for chunk in body.chunks(4096) {
        write!(chunks, "{:x}\r\n", chunk.len()).unwrap();
        chunks.extend_from_slice(chunk);
        chunks.extend_from_slice(b"\r\n");
    }
    chunks.extend_from_slice(b"0\r\n\r\n");
    let chunked = client(chunks, format!("{start}transfer-encoding: chunked\r\n\r\n")).await;
    assert!(is_smaller(&chunked), "{chunked}");
    handle.stop(false).await;
}

#[actix_web::test]
async fn errors_of_the_inner_service_pass() {
    async fn fails() -> Result<HttpResponse, actix_web::Error> {
        Err(actix_web::error::ErrorImATeapot("no"))
    }
    let app = init_service(App::new().wrap(Headroom::new()).route("/v1/messages", web::to(fails))).await;
    let response = call_service(&app, post(conversation()).to_request()).await;
    assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
}
