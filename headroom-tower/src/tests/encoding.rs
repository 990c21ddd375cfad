//! Encoded bodies in.
#![cfg(all(
    feature = "decompression-gzip",
    feature = "decompression-deflate",
    feature = "decompression-br",
    feature = "decompression-zstd"
))]

use http::Request;
use tower::{ServiceBuilder, ServiceExt};

use crate::{
    HeadroomBody, PromptCompressionLayer,
    test_support::{Recorder, TestBody, drain, echo, encode, halve, post, unchanged},
};

const ENCODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

async fn send(layer: PromptCompressionLayer, encoding: &str, body: &[u8]) -> Request<HeadroomBody<TestBody>> {
    let mut request = post(TestBody::chunk(body.to_vec()));
    request.headers_mut().insert("content-encoding", encoding.parse().unwrap());
    request.headers_mut().insert("content-length", body.len().into());
    ServiceBuilder::new().layer(layer).service_fn(echo).oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_rewritten_body_goes_on_decoded_and_says_so() {
    let body = "0123456789".repeat(100);
    for encoding in ENCODINGS {
        let request =
            send(PromptCompressionLayer::new().fake(halve), encoding, &encode(encoding, body.as_bytes()))
                .await;
        assert!(!request.headers().contains_key("content-encoding"), "{encoding}");
        assert_eq!(request.headers()["content-length"], "500", "{encoding}");
        assert_eq!(drain(request.into_body()).await.data, body.as_bytes()[..500], "{encoding}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_rewritten_goes_on_encoded_as_it_came() {
    let body = "0123456789".repeat(100);
    for encoding in ENCODINGS {
        let encoded = encode(encoding, body.as_bytes());
        let request = send(PromptCompressionLayer::new().fake(unchanged), encoding, &encoded).await;
        assert_eq!(request.headers()["content-encoding"], encoding);
        assert_eq!(request.headers()["content-length"], encoded.len().to_string());
        assert_eq!(drain(request.into_body()).await.data, encoded, "{encoding}");
    }
}

#[tokio::test]
async fn bombs_and_rubbish_go_on_as_they_came() {
    for encoding in ENCODINGS {
        for (body, reason) in [
            (encode(encoding, &vec![b' '; 4 << 20]), "decoded_too_large"),
            (b"{\"a\":1}".to_vec(), "decode_failed"),
        ] {
            let recorder = Recorder::default();
            let layer = PromptCompressionLayer::new()
                .fake(halve)
                .max_decompressed_body(1 << 20)
                .observer(recorder.clone());
            let request = send(layer, encoding, &body).await;
            assert_eq!(request.headers()["content-encoding"], encoding);
            assert_eq!(drain(request.into_body()).await.data, body);
            assert_eq!(recorder.events(), [format!("skipped {reason}")], "{encoding}");
        }
    }
}

#[tokio::test]
async fn unknown_encodings_are_not_read() {
    let recorder = Recorder::default();
    let request =
        send(PromptCompressionLayer::new().fake(halve).observer(recorder.clone()), "aes128gcm", b"0123")
            .await;
    assert_eq!(drain(request.into_body()).await.data, b"0123");
    assert_eq!(recorder.events(), ["skipped encoding"]);
}
