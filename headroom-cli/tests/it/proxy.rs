//! What goes through unchanged, and where it goes.

use std::io::Write;

use serde_json::json;

use crate::support::{Message, Proxy, Upstream, exchange, headroom, post, request};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

#[test]
fn answers_of_every_status_reach_the_client_as_they_are() {
    for status in [200, 400, 401, 403, 404, 413, 429, 500, 529] {
        let body =
            format!(r#"{{"type":"error","error":{{"type":"e{status}","message":"as sent"}}, "n":1.0}}"#);
        let upstream = Upstream::answering(format!(
            "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\nretry-after: 17\r\nrequest-id: req_1\r\n\
             x-should-retry: false\r\nanthropic-ratelimit-requests-remaining: 0\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        ));
        let proxy = Proxy::to(upstream.address, &[]);
        for path in
            ["/v1/messages", "/v1/chat/completions", "/v1/responses", "/v1beta/models/m:generateContent"]
        {
            let answer = exchange(proxy.address, post(path, "", br#"{"messages":[]}"#));
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(String::from_utf8_lossy(&answer.body), body, "{path} {status}");
            for (name, value) in [
                ("retry-after", "17"),
                ("request-id", "req_1"),
                ("x-should-retry", "false"),
                ("anthropic-ratelimit-requests-remaining", "0"),
                ("content-type", "application/json"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{path} {status}");
            }
            let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie").count();
            assert_eq!(cookies, 2);
        }
    }
}

#[test]
fn requests_reach_the_upstream_as_they_are() {
    let upstream = Upstream::answering(OK);
    let proxy = Proxy::to(upstream.address, &[]);
    let body = br#"{ "messages":[ {"role":"user","content":"hi \u00e9"}], "model":"m","x":1.50 }"#;
    let headers = "authorization: Bearer key\r\nx-api-key: k\r\naccept-encoding: gzip, br, zstd\r\n\
                   anthropic-beta: a,b\r\nx-custom: 1\r\nconnection: keep-alive, x-hop\r\nx-hop: 1\r\nkeep-alive: 5\r\n\
                   te: trailers\r\nproxy-authorization: Basic secret\r\n";
    exchange(proxy.address, post("/v1/messages?beta=true&x=%2F", headers, body));
    let request = upstream.request();
    assert_eq!(request.start, "POST /v1/messages?beta=true&x=%2F HTTP/1.1");
    assert_eq!(request.body, body);
    let host = upstream.address.to_string();
    for (name, value) in [
        ("authorization", "Bearer key"),
        ("x-api-key", "k"),
        ("accept-encoding", "gzip, br, zstd"),
        ("anthropic-beta", "a,b"),
        ("x-custom", "1"),
        ("host", host.as_str()),
    ] {
        assert_eq!(request.header(name), Some(value));
    }
    for name in ["connection", "x-hop", "keep-alive", "te", "proxy-authorization", "transfer-encoding"] {
        assert_eq!(request.header(name), None);
    }
}

#[test]
fn compressed_bodies_pass_with_their_encoding() {
    let body = br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body).unwrap();
    let gzip = encoder.finish().unwrap();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", gzip.len())
            .into_bytes();
    answer.extend(&gzip);

    let upstream = Upstream::answering(answer);
    let proxy = Proxy::to(upstream.address, &[]);
    let answer = exchange(proxy.address, post("/v1/messages", "content-encoding: gzip\r\n", &gzip));
    let request = upstream.request();
    assert_eq!((request.header("content-encoding"), &request.body), (Some("gzip"), &gzip));
    assert_eq!((answer.header("content-encoding"), &answer.body), (Some("gzip"), &gzip));
}

#[test]
fn bodies_without_a_known_length_and_large_ones_pass() {
    let upstream = Upstream::answering(OK);
    let proxy = Proxy::to(upstream.address, &[]);
    let chunked = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                   transfer-encoding: chunked\r\n\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n";
    assert_eq!(exchange(proxy.address, chunked).status(), 200);
    assert_eq!(upstream.request().body, b"{\"a\":1}");

    let large = format!(r#"{{"messages":[{{"role":"user","content":"{}"}}]}}"#, "y".repeat(20 << 20));
    assert_eq!(exchange(proxy.address, post("/v1/messages", "", large.as_bytes())).status(), 200);
    assert!(upstream.request().body == large.as_bytes());

    let odd = b"\xff\x00{\"messages\":[";
    assert_eq!(exchange(proxy.address, post("/v1/messages", "", odd)).status(), 200);
    assert_eq!(upstream.request().body, odd);
}

#[test]
fn other_methods_and_paths_pass() {
    let upstream = Upstream::start(|connection| {
        let request = connection.read()?;
        let body = if request.start.starts_with("HEAD") { "" } else { "{}" };
        connection
            .write(format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-from: upstream\r\n\r\n{body}"))?;
        Ok(request)
    });
    let proxy = Proxy::to(upstream.address, &[]);
    for start in
        ["GET /v1/models", "DELETE /v1/files/f1", "GET /", "OPTIONS /v1/messages", "PUT /any/path?x=%20y"]
    {
        let answer = exchange(proxy.address, format!("{start} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
        assert_eq!((answer.status(), answer.header("x-from")), (200, Some("upstream")), "{start}");
        assert_eq!(upstream.request().start, format!("{start} HTTP/1.1"));
    }
    let head =
        exchange(proxy.address, "HEAD /api/hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    assert_eq!((head.status(), head.header("content-length")), (200, Some("2")));
}

#[test]
fn the_path_chooses_the_upstream() {
    let named = |name: &str| {
        Upstream::answering(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{name}", name.len()))
    };
    let (anthropic, openai, gemini) = (named("anthropic"), named("openai"), named("gemini"));
    let proxy = Proxy::start(&mut headroom(&[
        "proxy",
        "--listen=127.0.0.1:0",
        &format!("--anthropic-upstream=http://{}", anthropic.address),
        &format!("--openai-upstream=http://{}/api/v1", openai.address),
        &format!("--gemini-upstream=http://{}/team", gemini.address),
    ]));
    let ask = |path: &str, headers: &str| {
        let answer = exchange(proxy.address, post(path, headers, b"{}"));
        String::from_utf8(answer.body).unwrap()
    };
    assert_eq!(ask("/v1/messages", ""), "anthropic");
    assert_eq!(ask("/api/hello", ""), "anthropic");
    assert_eq!(ask("/v1/models", "anthropic-version: 2023-06-01\r\n"), "anthropic");
    assert_eq!(ask("/v1/chat/completions", ""), "openai");
    assert_eq!(openai.request().target(), "/api/v1/chat/completions");
    assert_eq!(ask("/v1/models", ""), "openai");
    assert_eq!(ask("/v1beta/models/g:generateContent?alt=sse", ""), "gemini");
    assert_eq!(gemini.request().target(), "/team/v1beta/models/g:generateContent?alt=sse");
}

#[test]
fn clouds_have_their_own_upstreams() {
    let upstream = Upstream::answering(OK);
    let url = format!("http://{}", upstream.address);
    let start = |flag: &str, path: &str| {
        Proxy::start(&mut headroom(&[
            "proxy",
            "--listen=127.0.0.1:0",
            &format!("--{flag}-upstream={url}{path}"),
        ]))
    };
    let azure = start("openai", "");
    let path = "/openai/deployments/d-1/chat/completions?api-version=2025-04-01-preview";
    exchange(azure.address, post(path, "api-key: secret\r\n", &request("openai")));
    let sent = upstream.request();
    assert_eq!((sent.target(), sent.header("api-key")), (path, Some("secret")));
    assert!(sent.body.len() < request("openai").len() / 2);

    let openrouter = start("openai", "/api/v1");
    exchange(openrouter.address, post("/v1/chat/completions", "", &request("openai")));
    assert_eq!(upstream.request().target(), "/api/v1/chat/completions");

    let bedrock = start("bedrock", "");
    for (path, api) in [
        ("/model/eu.anthropic.claude-opus-5-5-v1%3A0/invoke", "anthropic"),
        ("/model/eu.anthropic.claude-opus-5-5-v1%3A0/converse-stream", "converse"),
    ] {
        exchange(bedrock.address, post(path, "authorization: Bearer bedrock-key\r\n", &request(api)));
        let sent = upstream.request();
        assert_eq!((sent.target(), sent.header("authorization")), (path, Some("Bearer bedrock-key")));
        assert!(sent.body.len() < request(api).len() / 2, "{path}");
    }
    let path = "/model/m/invoke";
    let signed = "authorization: AWS4-HMAC-SHA256 Credential=a\r\nx-amz-content-sha256: b\r\n";
    exchange(bedrock.address, post(path, signed, &request("anthropic")));
    assert!(upstream.request().body == request("anthropic"), "a signed body was altered");

    let vertex = start("vertex", "");
    for (method, api) in
        [("anthropic/models/m:streamRawPredict", "anthropic"), ("google/models/g:generateContent", "gemini")]
    {
        let path = format!("/v1/projects/p/locations/us-east5/publishers/{method}");
        exchange(vertex.address, post(&path, "authorization: Bearer ya29\r\n", &request(api)));
        let sent = upstream.request();
        assert_eq!(sent.target(), path);
        assert!(sent.body.len() < request(api).len() / 2, "{path}");
        // No cloud is guessed.
        let answer = exchange(azure.address, post(&path, "", b"{}"));
        assert_eq!(answer.status(), 502);
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains("--vertex-upstream"), "{message}");
    }
    let answer = exchange(azure.address, post("/model/m/invoke", "", b"{}"));
    assert!(answer.json()["message"].as_str().unwrap().contains("--bedrock-upstream"));
    assert!(upstream.is_untouched());
}

#[test]
fn tool_results_arrive_smaller_and_the_log_says_so_without_content() {
    let upstream = Upstream::answering(OK);
    let proxy = Proxy::to(upstream.address, &["--log", "info"]);
    let body = request("anthropic");
    exchange(proxy.address, post("/v1/messages?key=secret-query", "x-api-key: secret-key\r\n", &body));
    let request: Message = upstream.request();
    assert!(request.body.len() < body.len() / 2, "{} of {}", request.body.len(), body.len());
    assert_eq!(request.header("content-length").unwrap(), request.body.len().to_string());

    let text = proxy.wait_for("POST /v1/messages 200");
    assert!(text.contains("tokens") && text.contains("saved"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn an_upstream_that_is_down_gives_502_in_the_providers_own_shape() {
    // Nothing listens there, and no test can be given that port.
    let closed = ([127, 0, 0, 1], 1).into();
    let proxy = Proxy::to(closed, &[]);
    let ask = |path: &str| {
        let answer = exchange(proxy.address, post(path, "", b"{}"));
        assert_eq!(
            (answer.status(), answer.header("content-type")),
            (502, Some("application/json")),
            "{path}"
        );
        answer.json()
    };
    let anthropic = ask("/v1/messages");
    assert_eq!((&anthropic["type"], &anthropic["error"]["type"]), (&json!("error"), &json!("api_error")));
    let message = anthropic["error"]["message"].as_str().unwrap();
    assert!(message.contains(&closed.to_string()) && message.contains("refused"), "{message}");
    let openai = ask("/v1/responses");
    assert!(openai["error"]["message"].is_string() && openai["error"]["code"].is_null(), "{openai}");
    let gemini = ask("/v1beta/models/g:generateContent");
    assert_eq!((&gemini["error"]["code"], &gemini["error"]["status"]), (&json!(502), &json!("UNAVAILABLE")));
}

#[test]
fn an_upstream_that_hangs_up_gives_502() {
    let upstream = Upstream::start(|connection| {
        connection.read()?;
        Err(std::io::ErrorKind::ConnectionAborted.into())
    });
    let proxy = Proxy::to(upstream.address, &[]);
    let answer = exchange(proxy.address, post("/v1/messages", "", b"{}"));
    assert_eq!(answer.status(), 502);
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("gave no answer"));
}
