//! An observer of one's own: counts what is saved, and why requests go on as they came.
//!
//! Sends nothing. Run with `cargo run -p headroom-examples --bin observer`.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints what it has counted")]

use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use headroom_examples::conversation;
use headroom_tower::{HeadroomBody, Observer, PromptCompressionLayer, Rewritten, Skipped};
use http::Request;
use http_body_util::Full;
use tower::{Service, ServiceBuilder, ServiceExt};

#[derive(Debug, Default)]
struct Counts {
    rewritten: usize,
    tokens_saved: usize,
    skipped: BTreeMap<&'static str, usize>,
}

#[derive(Clone, Debug, Default)]
struct Counter(Arc<Mutex<Counts>>);

impl Observer for Counter {
    fn on_rewritten(&self, event: &Rewritten<'_>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.rewritten += 1;
        counts.tokens_saved += event.report.tokens_saved;
    }

    fn on_skipped(&self, event: &Skipped<'_>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.skipped.entry(event.reason.as_str()).or_default() += 1;
    }
}

async fn upstream(_: Request<HeadroomBody<Full<Bytes>>>) -> Result<(), Infallible> {
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Infallible> {
    let counter = Counter::default();
    let layer = PromptCompressionLayer::new().observer(counter.clone());
    let mut service = ServiceBuilder::new().layer(layer).service_fn(upstream);

    for body in conversation() {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = http::Uri::from_static("/v1/messages");
        service.ready().await?.call(request).await?;
    }

    let counts = counter.0.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{} requests rewritten, {} tokens saved", counts.rewritten, counts.tokens_saved);
    for (reason, count) in &counts.skipped {
        println!("as they came, {reason}: {count}");
    }
    Ok(())
}
