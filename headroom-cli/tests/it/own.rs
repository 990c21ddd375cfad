//! The routes that go to no provider.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Message, Proxy, Upstream, exchange, headroom, ok, pipe, post, records, request};

struct Setup {
    proxy: Proxy,
    upstream: Upstream,
    home: TempDir,
    token: String,
}

fn setup(args: &[&str]) -> Setup {
    let upstream = Upstream::answering(ok("{}"));
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, args);
    let token = token(home.path());
    Setup { proxy, upstream, home, token }
}

fn token(home: &Path) -> String {
    fs::read_to_string(home.join("token")).unwrap().trim().to_owned()
}

impl Setup {
    fn get(&self, target: &str) -> Message {
        self.send("GET", target, &format!("authorization: Bearer {}\r\n", self.token))
    }

    fn send(&self, method: &str, target: &str, headers: &str) -> Message {
        let request = format!("{method} {target} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n");
        exchange(self.proxy.address, request)
    }

    fn compress(&self, body: &[u8]) -> Message {
        let token = format!("x-headroom-token: {}\r\n", self.token);
        exchange(self.proxy.address, post("/v1/compress", &token, body))
    }
}

#[test]
fn nothing_of_ours_is_shown_without_the_token() {
    let setup = setup(&[]);
    let routes = [
        ("GET", "/stats"),
        ("GET", "/metrics"),
        ("GET", "/v1/retrieve/abcdefghijklmnop"),
        ("POST", "/v1/compress"),
    ];
    for (method, target) in routes {
        for headers in [
            "",
            "authorization: Bearer sk-ant-some-key\r\n",
            "x-headroom-token: 0123456789012345678901234567890123456789\r\n",
            &format!("x-api-key: {}\r\n", setup.token),
            &format!("authorization: Basic {}\r\n", setup.token),
            &format!("authorization: Bearer {}0\r\n", setup.token),
        ] {
            let answer = setup.send(method, target, headers);
            assert_eq!(answer.status(), 401, "{target} {headers}");
            assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"), "{target}");
            let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(message.contains("~/.headroom") && !message.contains(&setup.token), "{message}");
        }
    }
    for headers in [
        format!("authorization: Bearer {}\r\n", setup.token),
        format!("authorization: bearer  {}\r\n", setup.token),
        format!("authorization: Bearer sk-other\r\nx-headroom-token: {}\r\n", setup.token),
    ] {
        assert_eq!(setup.send("GET", "/stats", &headers).status(), 200, "{headers}");
    }
    assert!(setup.upstream.is_untouched());
}

#[test]
fn web_pages_have_no_access_even_with_the_token() {
    let setup = setup(&[]);
    let token = format!("x-headroom-token: {}\r\n", setup.token);
    for (headers, status) in [
        ("origin: http://evil.example\r\n", 403),
        ("origin: null\r\n", 403),
        ("origin: http://localhost:3000\r\n", 403),
        ("sec-fetch-site: cross-site\r\n", 403),
        ("sec-fetch-site: same-site\r\n", 403),
        ("origin: http://localhost\r\nsec-fetch-site: same-origin\r\n", 200),
        ("sec-fetch-site: none\r\n", 200),
    ] {
        let answer = setup.send("GET", "/stats", &format!("{headers}{token}"));
        assert_eq!(answer.status(), status, "{headers}");
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{answer:?}");
    }
    let request = format!("GET /stats HTTP/1.1\r\nhost: evil.example\r\n{token}\r\n");
    assert_eq!(exchange(setup.proxy.address, request).status(), 421);
}

#[test]
fn health_needs_no_token_and_asks_no_provider() {
    let setup = setup(&[]);
    for target in ["/livez", "/readyz", "/readyz/"] {
        assert_eq!(setup.send("GET", target, "").status(), 200, "{target}");
        assert_eq!(setup.send("HEAD", target, "connection: close\r\n").status(), 200, "{target}");
    }
    let answer = setup.send("POST", "/livez", "content-length: 0\r\n");
    assert_eq!((answer.status(), answer.header("allow")), (405, Some("GET")));
    assert!(setup.upstream.is_untouched());
}

#[test]
fn our_token_never_leaves_the_machine() {
    let setup = setup(&[]);
    let bearer = format!("authorization: Bearer {}\r\n", setup.token);
    for target in ["/v1/models", "/v1/compressed", "//stats", "/v1/%63ompress", "/v1/messages"] {
        assert_eq!(setup.send("GET", target, &bearer).status(), 404, "{target}");
    }
    for header in [
        "x-api-key: TOKEN",
        "x-goog-api-key: TOKEN",
        "api-key: TOKEN",
        "authorization: TOKEN",
        "authorization: bearer  TOKEN",
        "proxy-authorization: Bearer TOKEN",
        "cookie: a=1; key=TOKEN",
        "x-anything: \"TOKEN\"",
    ] {
        let header = header.replace("TOKEN", &setup.token);
        for named in ["".to_owned(), format!("x-headroom-token: {}\r\n", setup.token)] {
            let answer = setup.send("GET", "/v1/models", &format!("{header}\r\n{named}"));
            assert_eq!(answer.status(), 404, "{header}");
        }
    }
    for query in ["key=TOKEN", "a=b&api_key=TOKEN", "key=%54OKEN"] {
        let first = format!("%{:02x}", setup.token.as_bytes()[0]);
        let query = query.replace("%54OKEN", &format!("{first}{}", &setup.token[1..]));
        let query = query.replace("TOKEN", &setup.token);
        assert_eq!(setup.send("GET", &format!("/v1beta/models?{query}"), "").status(), 404, "{query}");
    }
    assert!(setup.upstream.is_untouched());
    let headers = format!("x-headroom-token: {}\r\nX-Headroom-Other: 1\r\nx-custom: 1\r\n", setup.token);
    assert_eq!(setup.send("GET", "/v1/models", &headers).status(), 200);
    let request = setup.upstream.request();
    assert_eq!(request.header("x-custom"), Some("1"));
    assert!(
        request.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("x-headroom")),
        "{request:?}"
    );
}

#[test]
fn what_was_set_aside_comes_back_whole_and_in_parts() {
    for store in [&["--store", "memory"][..], &[]] {
        let setup = setup(store);
        // A client that brings the tool itself.
        let log: String = (0..1500)
            .map(|n| format!("2026-11-20T10:00:00Z INFO order {n} took {} ms\n", n * 7 % 90))
            .collect();
        let body = json!({"model": "claude-opus-5-5", "max_tokens": 9, "tools": [
            {"name": "mcp__headroom__headroom_retrieve", "input_schema": {"type": "object"}}], "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": log}]}]});
        exchange(setup.proxy.address, post("/v1/messages", "x-api-key: k\r\n", body.to_string().as_bytes()));
        let sent = setup.upstream.request().json();
        let text = sent["messages"][2]["content"][0]["content"].as_str().unwrap();
        let at = text.find("[headroom:").expect("something is set aside") + "[headroom:".len();
        let hash = &text[at..at + 16];

        let whole = setup.get(&format!("/v1/retrieve/{hash}")).json();
        let content = whole["text"].as_str().unwrap();
        assert!(log.contains(content) && content.len() > 10_000, "{content}");
        assert_eq!((&whole["hash"], &whole["bytes"]), (&json!(hash), &json!(content.len())));

        let part = |query: &str| {
            setup.get(&format!("/v1/retrieve/{hash}?{query}")).json()["text"].as_str().unwrap().to_owned()
        };
        assert!(part("lines=20-21").starts_with("lines 20-21 of"));
        assert!(part("query=order%20700+took").contains("order 700 took"));
        assert!(part("max_bytes=200").len() < 500);
        assert!(part("path=a.b").contains("no JSON"));
        assert!(part("rows=1").contains("no rows"));
    }
}

#[test]
fn wrong_questions_get_a_helpful_answer() {
    let setup = setup(&[]);
    for (target, status, expected) in [
        ("/v1/retrieve/abcdefghijklmnop", 404, "nothing is kept under abcdefghijklmnop"),
        ("/v1/retrieve", 400, "16 letters"),
        ("/v1/retrieve/", 400, "16 letters"),
        ("/v1/retrieve/UPPER", 400, "16 letters"),
        ("/v1/retrieve/abcdefghijklmnop?line=1", 400, "lines, rows, path, query and max_bytes"),
        ("/v1/retrieve/abcdefghijklmnop?max_bytes=all", 400, "max_bytes"),
        ("/v1/retrieve/abcdefghijklmnop?lines=1&rows=1", 400, "not both"),
    ] {
        let answer = setup.get(target);
        assert_eq!(answer.status(), status, "{target}");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(expected), "{target}: {message}");
    }
    assert!(setup.upstream.is_untouched());
}

#[test]
fn messages_go_in_and_smaller_ones_come_out() {
    let setup = setup(&[]);
    for (api, list) in
        [("anthropic", "messages"), ("openai", "messages"), ("responses", "input"), ("gemini", "contents")]
    {
        let body = request(api);
        let answer = setup.compress(&body);
        assert_eq!(answer.status(), 200, "{api}: {answer:?}");
        let answer = answer.json();
        let came: Value = serde_json::from_slice(&body).unwrap();
        let (before, after) = (came[list].to_string(), answer[list].to_string());
        assert!(after.len() < before.len() / 2, "{api}: {answer}");
        assert_eq!(answer["model"], came["model"], "{api}");
        let count = |name: &str| answer[name].as_u64().unwrap();
        assert!(count("tokens_after") < count("tokens_before"), "{api}: {answer}");
        assert_eq!(count("tokens_saved"), count("tokens_before") - count("tokens_after"), "{api}");
        // The same as on the command line.
        let piped = pipe(&mut headroom(&["compress", "--retrieval", "client-tool"]), &body);
        let piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
        assert_eq!(answer[list], piped[list], "{api}");
    }
    assert!(setup.upstream.is_untouched());
    assert!(fs::read_dir(setup.home.path()).unwrap().count() > 0);
}

#[test]
fn messages_with_nothing_to_save_come_back_as_they_are() {
    let setup = setup(&[]);
    for body in [
        r#"{"model":"m","messages":[{"role":"user","content":"hi é \ud83d\ude00","n":1.50}]}"#,
        r#"{"messages":[]}"#,
        r#"{"messages":"no list"}"#,
    ] {
        let answer = setup.compress(body.as_bytes());
        assert_eq!(answer.status(), 200, "{body}");
        let text = String::from_utf8(answer.body.clone()).unwrap();
        let list = &body[body.find("\"messages\"").unwrap()..body.len() - 1];
        assert!(text.contains(list), "{text}");
        assert_eq!(answer.json()["tokens_saved"], 0);
        assert!(answer.json()["reason"].is_string(), "{text}");
    }
    for (body, status) in [
        ("", 400),
        ("[]", 400),
        ("{\"messages\":[", 400),
        ("{\"model\":\"m\"}", 400),
        ("{\"messages\":[],\"messages\":[]}", 400),
        ("secret-text", 400),
    ] {
        let answer = setup.compress(body.as_bytes());
        assert_eq!(answer.status(), status, "{body}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret"), "{body}");
    }
    let long = format!("{{\"messages\":\"{}\"}}", "x".repeat(33 << 20));
    assert_eq!(setup.compress(long.as_bytes()).status(), 413);
}

#[test]
fn stats_and_metrics_tell_what_was_done() {
    let usage = r#"{"model":"claude-opus-5-5","usage":{"input_tokens":100,"cache_read_input_tokens":50,"output_tokens":7}}"#;
    let upstream = Upstream::answering(ok(usage));
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, &[]);
    let setup = Setup { proxy, upstream, token: token(home.path()), home };
    exchange(setup.proxy.address, post("/v1/messages", "", &request("anthropic")));
    exchange(setup.proxy.address, post("/v1/messages", "", br#"{"messages":[]}"#));

    let stats = setup.get("/stats").json();
    let sums = &stats["since_start"];
    assert_eq!(
        (&sums["turns"], &sums["rewritten"], &sums["refused"]),
        (&json!(2), &json!(1), &json!(0)),
        "{stats}"
    );
    assert_eq!(sums["usage"]["input"], 200);
    assert!(sums["saved_new"].as_i64().unwrap() + sums["saved_cached"].as_i64().unwrap() > 500, "{stats}");
    assert!(sums["paid"].as_f64().unwrap() > 0.0);

    let answer = setup.get("/metrics");
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        "headroom_requests_total{api=\"anthropic\",outcome=\"rewritten\"} 1",
        "headroom_requests_total{api=\"anthropic\",outcome=\"skipped\"} 1",
        "# TYPE headroom_compress_duration_seconds histogram",
        "headroom_compress_duration_seconds_bucket{le=\"+Inf\"}",
        "headroom_response_seconds_count{provider=\"anthropic\",status=\"2xx\"} 2",
        "headroom_usage_tokens_total{provider=\"anthropic\",kind=\"cache_read\"} 100",
        "headroom_tokens_saved_total{content=\"json\"}",
    ] {
        assert!(text.contains(line), "no {line} in {text}");
    }
    assert!(!text.contains("secret") && !records().is_empty());
}

#[test]
fn the_proxy_serves_without_a_folder_and_its_own_routes_say_why_they_are_closed() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &[]);
    let answer =
        exchange(proxy.address, "GET /stats HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer x\r\n\r\n");
    assert_eq!(answer.status(), 401);
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("HEADROOM_HOME"));
    assert_eq!(exchange(proxy.address, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").status(), 200);
    assert_eq!(exchange(proxy.address, post("/v1/messages", "", b"{}")).status(), 200);
}

#[test]
fn where_others_can_reach_it_everything_needs_the_token() {
    let upstream = Upstream::answering(ok("{}"));
    let home = tempfile::tempdir().unwrap();
    let url = format!("http://{}", upstream.address);
    let mut command = headroom(&["proxy", "--listen", "0.0.0.0:0", "--upstream", &url]);
    let proxy = Proxy::start(command.env("HEADROOM_HOME", home.path()));
    let address = format!("127.0.0.1:{}", proxy.address.port()).parse().unwrap();
    let token = token(home.path());
    let ask = |target: &str, headers: &str| {
        exchange(address, format!("GET {target} HTTP/1.1\r\nhost: build.example\r\n{headers}\r\n")).status()
    };
    for headers in ["", "authorization: Bearer sk-key\r\n", &format!("authorization: Bearer {token}\r\n")] {
        assert_eq!(ask("/v1/models", headers), 401, "{headers}");
    }
    assert_eq!(ask("/livez", ""), 200);
    assert_eq!(ask("/stats", ""), 401);
    assert!(upstream.is_untouched());
    assert_eq!(
        ask("/v1/models", &format!("authorization: Bearer sk-key\r\nx-headroom-token: {token}\r\n")),
        200
    );
    let request = upstream.request();
    assert_eq!(
        (request.header("authorization"), request.header("x-headroom-token")),
        (Some("Bearer sk-key"), None)
    );
}

/// The body that reaches the provider, and the answer, with these headers.
fn sent_with(setup: &Setup, address: std::net::SocketAddr, headers: &str) -> (Vec<u8>, Message) {
    let answer = exchange(address, post("/v1/messages", headers, &request("anthropic")));
    let sent = setup.upstream.request();
    assert!(sent.headers.iter().all(|(name, _)| !name.to_lowercase().starts_with("x-headroom")), "{sent:?}");
    (sent.body, answer)
}

#[test]
fn a_request_sets_what_holds_for_it() {
    let setup = setup(&[]);
    let body = request("anthropic");
    let send = |headers: &str| sent_with(&setup, setup.proxy.address, headers);
    let (rewritten, _) = send("");
    assert!(rewritten.len() < body.len() / 2);
    let (sent, answer) = send("X-Headroom-Bypass: true\r\n");
    assert_eq!((sent == body, answer.header("x-headroom-outcome")), (true, Some("disabled")));
    assert_eq!(answer.header("x-headroom-ignored"), None);
    let (sent, answer) = send("x-headroom-bypass: yes\r\n");
    assert_eq!((sent, answer.header("x-headroom-ignored")), (rewritten.clone(), Some("x-headroom-bypass")));

    // Another server sends it on: from anywhere.
    let forwarded = "x-headroom-bypass: true\r\nx-forwarded-for: 10.0.0.7\r\n";
    let (sent, answer) = send(forwarded);
    assert_eq!((sent, answer.header("x-headroom-ignored")), (rewritten.clone(), Some("x-headroom-bypass")));
    let (sent, _) = send(&format!("{forwarded}x-headroom-token: {}\r\n", setup.token));
    assert_eq!(sent, body);
    let (sent, _) = send(&format!("{forwarded}x-headroom-token: {}0\r\n", setup.token));
    assert_eq!(sent, rewritten);
}

#[test]
fn the_tenant_of_a_request_is_named_with_the_token_only() {
    let setup = setup(&[]);
    let (_, answer) = sent_with(&setup, setup.proxy.address, "x-headroom-tenant: team\r\n");
    assert_eq!(answer.header("x-headroom-ignored"), Some("x-headroom-tenant"));
    let headers = format!("x-headroom-tenant: team\r\nx-headroom-token: {}\r\n", setup.token);
    let (_, answer) = sent_with(&setup, setup.proxy.address, &headers);
    assert_eq!(answer.header("x-headroom-ignored"), None);
}
