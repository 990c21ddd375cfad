//! What the layer adds to a request that it does not rewrite, by size of the body. The engine's own part is shown too.
//!
//! Run with: `cargo bench -p headroom-tower --bench pass_through`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a benchmark prints, and what goes wrong ends it"
)]

use std::{
    convert::Infallible,
    hint::black_box,
    time::{Duration, Instant},
};

use bytes::Bytes;
use headroom_core::{Api, CompressOptions, Engine};
use headroom_store::MemoryStore;
use headroom_tower::{HeadroomBody, HeadroomLayer, PromptCompressionLayer};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full, StreamBody};
use tower::{Layer, Service, ServiceExt};

const ROUNDS: usize = 300;

async fn sink<B: Body<Data = Bytes>>(request: Request<B>) -> Result<usize, Infallible> {
    Ok(request.into_body().collect().await.map_or(0, |body| body.to_bytes().len()))
}

fn request<B>(path: &str, body: B) -> Request<B> {
    Request::post(path)
        .header("content-type", "application/json")
        .header("x-api-key", "k")
        .body(body)
        .unwrap()
}

/// A conversation without tool results: nothing in it may be edited. Its texts are as long as recorded ones: most
/// messages of coding agents have one to forty kilobytes.
fn conversation(bytes: usize) -> Bytes {
    let line = r#"    let order = store.find(id).await.ok_or_else(|| Error::missing(\"order\", id))?;\n"#;
    let turn = format!(r#"{{"role":"user","content":[{{"type":"text","text":"{}"}}]}},"#, line.repeat(24));
    let turns = turn.repeat(bytes.saturating_sub(60).div_ceil(turn.len()).max(1));
    Bytes::from(format!(r#"{{"model":"m","messages":[{}]}}"#, turns.trim_end_matches(',')))
}

async fn median<F: AsyncFnMut() -> usize>(mut call: F) -> Duration {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        black_box(call().await);
        times.push(start.elapsed());
    }
    times.sort_unstable();
    times[ROUNDS / 2]
}

fn chunks(body: &Bytes) -> Vec<Result<http_body::Frame<Bytes>, Infallible>> {
    body.chunks(16 << 10).map(|chunk| Ok(http_body::Frame::data(Bytes::copy_from_slice(chunk)))).collect()
}

#[tokio::main]
async fn main() {
    let columns = ["bytes", "engine", "bare", "not ours", "one chunk", "16K chunks", "both sides"];
    println!("{}", columns.map(|column| format!("{column:>11}")).join(" "));
    for bytes in [1 << 10, 10 << 10, 32 << 10, 100 << 10, 1 << 20, 10 << 20] {
        let body = conversation(bytes);
        let headroom = Engine::new();
        let compress =
            || headroom.compress(Api::Anthropic, &body, &CompressOptions::new()).report().bytes_after;
        let engine = median(async || compress()).await;
        let bare =
            median(async || sink(request("/v1/messages", Full::new(body.clone()))).await.unwrap()).await;

        let inner = tower::service_fn(sink::<HeadroomBody<Full<Bytes>>>);
        let mut service = PromptCompressionLayer::new().layer(inner);
        let other = median(async || {
            let request = Request::put("/v1/files").body(Full::new(body.clone())).unwrap();
            service.ready().await.unwrap().call(request).await.unwrap()
        });
        let other = other.await;
        let one = median(async || {
            let request = request("/v1/messages", Full::new(body.clone()));
            service.ready().await.unwrap().call(request).await.unwrap()
        });
        let one = one.await;

        let inner = tower::service_fn(sink::<HeadroomBody<_>>);
        let mut service = PromptCompressionLayer::new().layer(inner);
        let mut frames = (0..ROUNDS).map(|_| chunks(&body)).collect::<Vec<_>>();
        let many = median(async || {
            let body = StreamBody::new(futures_util::stream::iter(frames.pop().unwrap_or_default()));
            service.ready().await.unwrap().call(request("/v1/messages", body)).await.unwrap()
        });
        let many = many.await;
        let inner = tower::service_fn(async |request: Request<HeadroomBody<Full<Bytes>>>| {
            let bytes = sink(request).await?;
            Ok::<_, Infallible>(Response::new(bytes.to_string()))
        });
        let mut service = HeadroomLayer::with_store(MemoryStore::new()).layer(inner);
        let both = median(async || {
            let request = request("/v1/messages", Full::new(body.clone()));
            service.ready().await.unwrap().call(request).await.unwrap().headers().len()
        });
        let both = both.await;
        let times = [engine, bare, other, one, many, both].map(|time| format!("{time:>11.1?}"));
        println!("{:>11} {}", body.len(), times.join(" "));
    }
}
