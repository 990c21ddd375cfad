//! With the engine itself: what goes on is what came, or JSON that is smaller.

use headroom_core::Api;
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    PromptCompressionLayer, RequestReport,
    test_support::{TestBody, block_on, drain, post},
};

/// A request whose tool result is many like records.
fn records(count: usize) -> Vec<u8> {
    let rows =
        (0..count).map(|n| json!({"id": n, "state": "ready", "zone": "eu-central-1"})).collect::<Vec<_>>();
    let call = json!({"id": "c1", "type": "function", "function": {"name": "list", "arguments": "{}"}});
    let body = json!({"model": "gpt-4o", "messages": [
        {"role": "user", "content": "which are not ready?"},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": serde_json::to_string_pretty(&rows).unwrap()},
    ]});
    serde_json::to_vec(&body).unwrap()
}

#[tokio::test]
async fn the_engine_makes_a_request_smaller_through_the_layer() {
    for count in [100, 2000] {
        let body = records(count);
        let request = PromptCompressionLayer::new().rewrite(post(TestBody::chunk(body.clone()))).await;
        let report = request.extensions().get::<RequestReport>().unwrap().clone();
        assert!(report.is_rewritten(), "{:?}", report.skip_reason());
        assert_eq!(report.report().unwrap().api, Some(Api::OpenAiChat));
        let length = request.headers()["content-length"].to_str().unwrap().parse::<usize>().unwrap();
        let sent = drain(request.into_body()).await.data;
        assert_eq!(sent.len(), length);
        assert!(sent.len() < body.len() / 2);
        assert!(serde_json::from_slice::<Value>(&sent).is_ok());
    }
}

#[tokio::test]
async fn the_same_request_becomes_the_same_bytes_however_it_arrives() {
    let body = records(300);
    let layer = PromptCompressionLayer::new();
    let whole = drain(layer.rewrite(post(TestBody::chunk(body.clone()))).await.into_body()).await.data;
    for size in [1000, 4096, 1 << 20] {
        let chunked = body.chunks(size).fold(TestBody::new(), |to, chunk| to.data(chunk.to_vec()).pending());
        let again = PromptCompressionLayer::new().blocking_threshold(0).rewrite(post(chunked)).await;
        assert_eq!(drain(again.into_body()).await.data, whole);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn never_worse_whatever_comes(
        chunks in vec(vec(any::<u8>(), 0..40), 0..8),
        limit in 0_u64..200,
        encoding in prop::option::of(prop::sample::select(vec!["gzip", "deflate", "br", "zstd", "identity", "x"])),
        trailers in any::<bool>(),
        fails in any::<bool>(),
        path in prop::sample::select(vec!["/v1/messages", "/v1/responses", "/x"]),
    ) {
        let whole = chunks.concat();
        let mut body = chunks.into_iter().fold(TestBody::new(), |body, chunk| body.data(chunk).pending());
        if trailers {
            body = body.trailers("x-a", "b");
        }
        if fails {
            body = body.error("reset");
        }
        let mut request = post(body);
        *request.uri_mut() = path.parse().unwrap();
        if let Some(encoding) = encoding {
            request.headers_mut().insert("content-encoding", encoding.parse().unwrap());
        }
        let headers = request.headers().clone();
        let request = block_on(PromptCompressionLayer::new().max_body(limit).rewrite(request));
        prop_assert_eq!(request.headers(), &headers);
        let drained = block_on(drain(request.into_body()));
        prop_assert_eq!(drained.data, whole);
        // Nothing follows trailers, so an error behind them is only seen by who polls on.
        prop_assert_eq!(drained.trailers.is_some(), trailers);
        prop_assert!(drained.error.is_some() == fails || trailers);
    }
}
