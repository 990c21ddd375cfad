//! A client with reqwest: `HeadroomMiddleware` before retries.
//!
//! Sends the last turn of a conversation and prints what the model says, as it comes.
//!
//! Run with `cargo run -p headroom-examples --bin reqwest-client`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints the answer")]

use std::error::Error;

use headroom_examples::{api_key, conversation, set_up_tls, upstream};
use headroom_reqwest::{HeadroomMiddleware, RequestReport};
use http::Extensions;
use reqwest_middleware::ClientBuilder;
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    set_up_tls();
    let retry = ExponentialBackoff::builder().build_with_max_retries(3);
    let client = ClientBuilder::new(reqwest::Client::builder().build()?)
        .with(HeadroomMiddleware::new())
        .with(RetryTransientMiddleware::new_with_policy(retry))
        .build();

    let request = client
        .post(format!("{}/v1/messages", upstream()))
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .header("x-api-key", api_key())
        .body(conversation().pop().unwrap_or_default())
        .build()?;
    let mut extensions = Extensions::new();
    let mut response = client.execute_with_extensions(request, &mut extensions).await?;

    let report = extensions.get::<RequestReport>().and_then(RequestReport::report);
    eprintln!("{} tokens saved", report.map_or(0, |report| report.tokens_saved));
    println!("{}", response.status());
    while let Some(data) = response.chunk().await? {
        print!("{}", String::from_utf8_lossy(&data));
    }
    Ok(())
}
