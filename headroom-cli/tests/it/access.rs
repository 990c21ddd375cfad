use serde_json::Value;

use crate::support::{Message, Proxy, Upstream, exchange};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

fn proxy() -> (Proxy, Upstream) {
    let upstream = Upstream::answering(OK);
    (Proxy::to(upstream.address, &[]), upstream)
}

fn message(answer: &Message) -> String {
    let json: Value = answer.json();
    json["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn only_names_of_this_machine_are_served() {
    let (proxy, upstream) = proxy();
    let port = proxy.address.port();
    for host in [
        "localhost",
        "LocalHost:1",
        "127.0.0.1",
        "127.0.0.1:8787",
        "[::1]:1",
        "127.0.0.2",
        &format!("localhost:{port}"),
    ] {
        let answer = exchange(proxy.address, format!("GET /v1/models HTTP/1.1\r\nhost: {host}\r\n\r\n"));
        assert_eq!(answer.status(), 200, "{host}");
        upstream.request();
    }
    for head in [
        "GET /v1/models HTTP/1.1\r\nhost: evil.example\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: evil.example:8787\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: localhost.evil.example\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1.evil.example\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: evil.example@localhost\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: 192.168.0.1\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: 0.0.0.0\r\n",
        "GET /v1/models HTTP/1.1\r\nhost:\r\n",
        "GET /v1/models HTTP/1.1\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n",
        "GET http://evil.example/v1/models HTTP/1.1\r\nhost: localhost\r\n",
    ] {
        let answer = exchange(proxy.address, format!("{head}\r\n"));
        assert_eq!(answer.status(), 421, "{head}");
        assert!(message(&answer).contains("Host"), "{head}");
    }
    assert!(upstream.is_untouched());
}

#[test]
fn no_page_of_another_origin_is_let_in() {
    let (proxy, upstream) = proxy();
    let request = "OPTIONS /v1/messages HTTP/1.1\r\nhost: localhost\r\norigin: http://evil.example\r\n\
                   access-control-request-method: POST\r\n\r\n";
    let answer = exchange(proxy.address, request);
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{answer:?}");
    upstream.request();
}

#[test]
fn tunnels_are_refused() {
    let (proxy, upstream) = proxy();
    let answer = exchange(proxy.address, "CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert_eq!(answer.status(), 405);
    assert!(message(&answer).contains("base URL"));
    assert!(upstream.is_untouched());
}

#[test]
fn websockets_are_told_to_use_http() {
    let (proxy, upstream) = proxy();
    let request = "GET /v1/responses HTTP/1.1\r\nhost: localhost\r\nconnection: keep-alive, Upgrade\r\n\
                   upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\
                   openai-beta: responses_websockets=2026-02-06\r\n\r\n";
    let answer = exchange(proxy.address, request);
    assert_eq!(answer.status(), 426);
    assert_eq!(answer.header("upgrade"), Some("HTTP/1.1"));
    assert!(message(&answer).contains("WebSocket"));
    assert!(upstream.is_untouched());
}

#[test]
fn other_upgrades_are_ignored() {
    let (proxy, upstream) = proxy();
    let request = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n\
                   http2-settings: x\r\n\r\n";
    assert_eq!(exchange(proxy.address, request).status(), 200);
    let request = upstream.request();
    assert_eq!((request.header("upgrade"), request.header("http2-settings")), (None, None));
}
