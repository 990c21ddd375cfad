//! What reaches the provider.

use super::{
    conversation::{APIS, Api, Transfer, request},
    *,
};
use crate::{
    agent::handles,
    support::{Connection, Message, exchange, pipe},
};

/// Whether a request has the length and the encoding that its headers say.
fn check_headers(request: &Message, mode: Mode, context: &str) {
    assert!(request.complete, "{context}");
    assert_eq!(request.header("content-encoding"), None, "{context}");
    let length = request.body.len().to_string();
    let (told, chunked) = (request.header("content-length"), request.header("transfer-encoding"));
    match mode {
        Mode::Buffered => assert_eq!((told, chunked), (Some(&*length), None), "{context}"),
        Mode::Duplex => assert_eq!((told, chunked), (None, Some("chunked")), "{context}"),
    }
}

#[test]
#[ignore = "installs Envoy"]
fn turns_reach_the_provider_as_those_of_the_proxy_do() {
    let Some(program) = program() else { return };
    for args in [["--retrieval", "off", "--epochs", "off"], ["--retrieval", "client-tool", "--epochs", "on"]]
    {
        let store = tempfile::tempdir().unwrap();
        let path = store.path().to_str().unwrap();
        let service = service(&[&["--store", path][..], &args].concat());
        let provider = provider();
        let proxy = Proxy::to(provider.address, &[&["--store", "memory"][..], &args].concat());
        for mode in MODES {
            let envoy = Envoy::start(program, &Config::new(mode, service.address, provider.address));
            for api in APIS {
                let mut before = Vec::new();
                for turn in 0..4 {
                    let body = api.conversation(turn);
                    let context = format!("{args:?} {mode:?} {api:?} turn {turn}");
                    let expected = {
                        let answer = exchange(proxy.address, request(api.path(), &body, Transfer::Length));
                        assert_eq!(answer.status(), 200, "{context}");
                        provider.request().body
                    };
                    let answer =
                        exchange(envoy.address, request(api.path(), &body, Transfer::from_turn(turn)));
                    assert_eq!(answer.status(), 200, "{context}: {}", envoy.log());
                    let sent = provider.request();
                    if turn > 0 {
                        check_headers(&sent, mode, &context);
                        assert!(
                            sent.body.len() < body.len() * 9 / 10,
                            "{context}: {} bytes",
                            sent.body.len()
                        );
                    }
                    assert!(sent.body == expected, "{context}: not what the proxy sends");
                    let kept = before.strip_suffix(b"]}").unwrap_or(&before);
                    assert!(sent.body.starts_with(kept), "{context}: what was sent before has changed");
                    before = sent.body;
                }
                let markers = handles(&before);
                assert_eq!(markers.is_empty(), args[1] == "off", "{mode:?} {api:?}");
                for handle in markers {
                    let output = pipe(&mut headroom(&["retrieve", &handle, "--store", path]), b"");
                    let text = String::from_utf8_lossy(&output.stdout);
                    assert!(output.status.success() && text.contains("order "), "{handle}: {text}");
                }
            }
        }
    }
}

#[test]
#[ignore = "installs Envoy"]
fn what_is_no_prompt_and_all_answers_pass_untouched() {
    let Some(program) = program() else { return };
    let stream = "data: {\"type\":\"ping\"}\n\ndata: [DONE]\n\n";
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-own: 1\r\ncontent-length: {}\r\n\r\n{stream}",
        stream.len()
    );
    let provider = Upstream::answering(answer);
    let service = service(&["--store", "memory"]);
    let body = Api::Messages.conversation(2);
    for mode in MODES {
        // The service ends the exchange before the answer, whatever the filter would show of that.
        let mut config = Config::new(mode, service.address, provider.address);
        config.at(FILTER)["processing_mode"]["response_header_mode"] = json!("SEND");
        let envoy = Envoy::start(program, &config);
        let post = |path: &str, headers: &str| {
            let head = format!("POST {path} HTTP/1.1\r\nhost: llm.test\r\nconnection: close\r\n{headers}");
            [format!("{head}content-length: {}\r\n\r\n", body.len()).into_bytes(), body.clone()].concat()
        };
        let unread = [
            post("/v1/files", "content-type: application/octet-stream\r\n"),
            post("/v1/messages/batches", "content-type: application/json\r\n"),
            post("/v1/messages", "content-type: application/json\r\nx-amz-content-sha256: 0\r\n"),
            request("/upload", b"a=1&b=2", Transfer::Chunked),
        ];
        for request in unread {
            let answer = exchange(envoy.address, &request);
            assert_eq!(answer.status(), 200, "{mode:?}: {}", envoy.log());
            assert_eq!((answer.header("x-own"), &*answer.body), (Some("1"), stream.as_bytes()));
            let sent = provider.request();
            let data = if sent.target() == "/upload" { &b"a=1&b=2"[..] } else { &body[..] };
            assert!(sent.body == data, "{mode:?} {}", sent.target());
        }
        let answer =
            exchange(envoy.address, "GET /v1/models HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        assert_eq!(answer.status(), 200, "{mode:?}");
        assert_eq!(provider.request().target(), "/v1/models");

        let answer = exchange(envoy.address, request("/v1/messages", &body, Transfer::Length));
        assert_eq!((answer.header("x-own"), &*answer.body), (Some("1"), stream.as_bytes()));
        assert!(provider.request().body.len() < body.len());
    }
    let log = service.wait_for("POST /v1/messages in ");
    assert!(log.contains(" tokens, "), "{log}");
    assert!(!log.contains("/v1/files") && !log.contains("order 1-"), "no more than counts: {log}");
}

#[test]
#[ignore = "installs Envoy"]
fn long_bodies_are_refused_by_a_buffer_and_streamed_without_one() {
    let Some(program) = program() else { return };
    let provider = provider();
    let service = service(&["--store", "memory", "--max-buffered-mb", "256"]);
    let body = Api::Messages.conversation(150);
    assert!(body.len() > 2 << 20);
    for mode in MODES {
        let mut config = Config::new(mode, service.address, provider.address);
        config.set("/static_resources/listeners/0/per_connection_buffer_limit_bytes", json!(1 << 20));
        let envoy = Envoy::start(program, &config);
        let mut connection = Connection::open(envoy.address).patiently(PATIENCE);
        // What is too long may be refused before all of it is written.
        let _ = connection.write(request("/v1/messages", &body, Transfer::Length));
        let answer = connection.read().unwrap();
        match mode {
            Mode::Buffered => assert!(answer.status() == 413 && provider.is_untouched(), "{answer:?}"),
            Mode::Duplex => {
                assert_eq!(answer.status(), 200, "{}", envoy.log());
                assert!(provider.request().body.len() < body.len() * 9 / 10);
            }
        }
    }

    // Longer than the layer reads: on as it comes.
    let envoy = Envoy::start(program, &Config::new(Mode::Duplex, service.address, provider.address));
    let text = "0123456789 abcdef ".repeat(34 << 16);
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#);
    for transfer in [Transfer::Length, Transfer::Chunked] {
        let mut connection = Connection::open(envoy.address).patiently(PATIENCE);
        connection.write(request("/v1/messages", body.as_bytes(), transfer)).unwrap();
        assert_eq!(connection.read().unwrap().status(), 200, "{}", envoy.log());
        let sent = provider.request();
        assert!(sent.complete && sent.body == body.as_bytes(), "{transfer:?}: {} bytes", sent.body.len());
    }
}
