//! The log as objects, for programs that read it.

use serde_json::Value;

use crate::support::{Proxy, Upstream, exchange, ok, post, request};

#[test]
fn every_line_of_a_json_log_is_an_object_with_fields() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--log-format", "json", "--store", "memory"]);
    let path = "/v1/messages?key=secret-in-the-query";
    assert_eq!(exchange(proxy.address, post(path, "", &request("anthropic"))).status(), 200);
    let stderr = proxy.wait_for("/v1/messages");
    let records: Vec<Value> = stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let record = records.iter().find(|record| record["message"] == "request").unwrap();
    assert_eq!((&record["level"], &record["method"]), (&"INFO".into(), &"POST".into()));
    assert_eq!((&record["path"], &record["status"]), (&"/v1/messages".into(), &200.into()));
    assert_eq!(record["outcome"], "rewritten");
    let tokens = |name: &str| record[name].as_u64().unwrap();
    assert!(tokens("tokens_after") < tokens("tokens_before") && record["ms"].is_u64(), "{record}");
    assert!(record["timestamp"].is_string());
    assert!(!stderr.contains("secret"), "{stderr}");
}

#[test]
fn the_default_is_a_text_for_people() {
    let upstream = Upstream::answering(ok("{}"));
    let proxy = Proxy::to(upstream.address, &["--store", "memory"]);
    assert_eq!(exchange(proxy.address, post("/v1/messages", "", &request("anthropic"))).status(), 200);
    let stderr = proxy.wait_for("POST /v1/messages 200 in ");
    assert!(stderr.contains("tokens, ") && !stderr.contains('{'), "{stderr}");
}
