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

/// What browsers send for pages of other origins. No page can leave these headers out or write them itself.
const FOREIGN_PAGES: [&str; 11] = [
    "origin: https://evil.example\r\nsec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\n",
    "origin: https://evil.example\r\n",
    "origin: null\r\n",
    "origin:\r\n",
    "origin: http://localhost:3000\r\nsec-fetch-site: same-site\r\n",
    "origin: http://localhost.evil.example\r\n",
    "origin: https://app.evil.example/app://\r\n",
    "origin: http://localhost\r\norigin: https://evil.example\r\n",
    "sec-fetch-site: cross-site\r\n",
    "sec-fetch-site: same-site\r\n",
    "sec-fetch-site: none\r\nsec-fetch-site: cross-site\r\n",
];

/// What clients send that are no page of another origin.
const CLIENTS: [&str; 9] = [
    "",
    // Node's fetch.
    "sec-fetch-mode: cors\r\n",
    "sec-fetch-site: none\r\n",
    "origin: http://localhost\r\nsec-fetch-site: same-origin\r\n",
    "origin: vscode-file://vscode-app\r\nsec-fetch-site: cross-site\r\n",
    "origin: vscode-webview://1a2b\r\n",
    "origin: app://obsidian.md\r\n",
    "origin: tauri://localhost\r\n",
    "referer: https://client.example/\r\nhttp-referer: https://client.example/\r\n",
];

/// Requests that a page can have sent without being asked for its name first, and the question for it.
fn requests(headers: &str) -> [(&'static str, String); 4] {
    let post = |path: &str, kind: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\ncontent-length: 2\r\n{headers}\r\n{{}}"
        )
    };
    [
        ("GET", format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n")),
        ("text/plain", post("/model/m/invoke", "text/plain")),
        ("application/json", post("/v1/messages", "application/json")),
        (
            "preflight",
            format!(
                "OPTIONS /v1/messages HTTP/1.1\r\nhost: localhost\r\naccess-control-request-method: POST\r\n{headers}\r\n"
            ),
        ),
    ]
}

#[test]
fn no_page_of_another_origin_reaches_a_provider() {
    let (proxy, upstream) = proxy();
    for headers in FOREIGN_PAGES {
        for (kind, request) in requests(headers) {
            let answer = exchange(proxy.address, request);
            assert_eq!(answer.status(), 403, "{kind} {headers}");
            assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{answer:?}");
            let json: Value = answer.json();
            let text = json["error"]["message"].as_str().or(json["message"].as_str()).unwrap();
            assert!(text.contains("--allow-origins"), "{answer:?}");
        }
    }
    assert!(upstream.is_untouched());
}

#[test]
fn clients_that_are_no_foreign_page_reach_their_provider() {
    let (proxy, upstream) = proxy();
    for headers in CLIENTS {
        for (kind, request) in requests(headers) {
            assert_eq!(exchange(proxy.address, request).status(), 200, "{kind} {headers}");
            upstream.request();
        }
    }
}

#[test]
fn pages_that_the_user_allows_reach_their_provider_and_nothing_of_ours() {
    let upstream = Upstream::answering(OK);
    let proxy =
        Proxy::to(upstream.address, &["--allow-origins", "https://chat.example, http://localhost:3000"]);
    for (origin, status) in [
        ("https://chat.example", 200),
        ("http://localhost:3000", 200),
        ("http://localhost:3001", 403),
        ("http://chat.example", 403),
        ("https://chat.example.evil", 403),
        ("null", 403),
    ] {
        let headers = format!("origin: {origin}\r\nsec-fetch-site: cross-site\r\n");
        for (kind, request) in requests(&headers) {
            assert_eq!(exchange(proxy.address, request).status(), status, "{kind} {origin}");
        }
        let own = format!("GET /livez HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        assert_eq!(exchange(proxy.address, own).status(), 403, "{origin}");
    }
}

/// A page whose name was made to point here has an origin that looks like ours, but for the name.
#[test]
fn a_page_whose_name_points_here_reaches_nothing() {
    let (proxy, upstream) = proxy();
    for request in requests("origin: http://evil.example\r\nsec-fetch-site: same-origin\r\n") {
        let request = request.1.replace("host: localhost", "host: evil.example");
        assert_eq!(exchange(proxy.address, request).status(), 421);
    }
    assert!(upstream.is_untouched());
}

#[test]
fn requests_are_not_repeated_to_whoever_sends_them() {
    let (proxy, upstream) = proxy();
    for target in ["/v1/models", "/livez", "/stats"] {
        let request = format!("TRACE {target} HTTP/1.1\r\nhost: localhost\r\nx-api-key: key\r\n\r\n");
        let answer = exchange(proxy.address, request);
        assert_eq!(answer.status(), 405, "{target}");
        assert!(answer.header("allow").is_some_and(|methods| !methods.contains("TRACE")), "{answer:?}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("key\r"), "{answer:?}");
    }
    assert!(upstream.is_untouched());
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
