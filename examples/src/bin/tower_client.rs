//! A client with tower: `PromptCompressionLayer` around a hyper client.
//!
//! Sends the last turn of a conversation and prints what the model says, as it comes.
//!
//! Run with `cargo run -p headroom-examples --bin tower-client`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints the answer")]

use std::error::Error;

use bytes::Bytes;
use headroom_examples::{api_key, conversation, set_up_tls, upstream};
use headroom_tower::{Observer, PromptCompressionLayer, Rewritten};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower::{ServiceBuilder, ServiceExt};

struct Print;

impl Observer for Print {
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        eprintln!("{} bytes instead of {}", event.bytes_after, event.bytes_before);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    set_up_tls();
    let connector =
        HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_all_versions().build();
    let client = ServiceBuilder::new()
        .layer(PromptCompressionLayer::new().observer(Print))
        .service(Client::builder(TokioExecutor::new()).build(connector));

    let body = conversation().pop().unwrap_or_default();
    let request = Request::post(format!("{}/v1/messages", upstream()))
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .header("x-api-key", api_key())
        .body(Full::new(Bytes::from(body)))?;
    let response = client.oneshot(request).await?;

    println!("{}", response.status());
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            print!("{}", String::from_utf8_lossy(&data));
        }
    }
    Ok(())
}
