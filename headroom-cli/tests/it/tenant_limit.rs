//! What one tenant may store.

use crate::support::{Proxy, Upstream, exchange, ok, post};

/// A request of an agent with two megabytes of output that no other has.
fn request(seed: u64) -> String {
    let lines: String = (0..30_000)
        .map(|n| {
            format!(
                "2026-11-20T10:00:{:02}Z INFO order {} of {seed} served in {} ms\\n",
                n % 60,
                n * 7919 % 99_991,
                n * 31 % 900
            )
        })
        .collect();
    format!(
        r#"{{"model":"claude-opus-5-5","max_tokens":9,"tools":[{{"name":"Bash","input_schema":{{"type":"object"}}}}],"system":"{}","messages":[{{"role":"user","content":"which orders are slow?"}},{{"role":"assistant","content":[{{"type":"tool_use","id":"t1","name":"Bash","input":{{"command":"./report"}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t1","content":"{lines}"}}]}}]}}"#,
        "You are an agent. ".repeat(300)
    )
}

#[test]
fn a_tenant_that_has_stored_its_share_sends_the_rest_in_full_and_others_do_not() {
    let upstream = Upstream::answering(ok("{}"));
    let arguments = ["--store", "memory", "--max-stored-mb-per-tenant", "3", "--log", "warn"];
    let proxy = Proxy::to(upstream.address, &arguments);
    let elides = |tenant: &str, seed| {
        let body = request(seed);
        let key = format!("x-api-key: {tenant}\r\n");
        assert_eq!(exchange(proxy.address, post("/v1/messages", &key, body.as_bytes())).status(), 200);
        let got = upstream.request().body;
        got.len() < body.len() / 4
    };
    assert!(elides("a", 1));
    assert!(!elides("a", 2), "its share is used");
    assert!(elides("b", 2));
    assert!(elides("a", 1), "what it has stored stays elided");
    assert!(!proxy.stderr().contains("cannot store"), "{}", proxy.stderr());
}
