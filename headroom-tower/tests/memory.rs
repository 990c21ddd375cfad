//! The heap while many bodies come at once. Alone in its process, because the peak belongs to the process.
#![cfg(all(feature = "memory", feature = "tokio", feature = "decompression-gzip"))]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests may")]

use std::{convert::Infallible, io::Write};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headroom_tower::{HeadroomBody, HeadroomLayer};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use peak_alloc::PeakAlloc;
use tower::{ServiceBuilder, ServiceExt};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

const BODIES: usize = 24;
const BOUND: usize = 96 << 20;
/// Decoders, tables and the runtime.
const SLACK: usize = 16 << 20;

/// A request of so many megabytes that gzip makes this many times smaller, or thousandfold.
fn gzip(megabytes: usize, times: usize) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(br#"{"messages":[{"role":"user","content":""#).unwrap();
    let mut state = 7_u64;
    for _ in 0..megabytes * 64 {
        // Letters of four bits each take half a byte.
        let noise: String = (0..(16 << 10) / times)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b'a' + (state >> 60) as u8)
            })
            .collect();
        encoder.write_all(noise.as_bytes()).unwrap();
        encoder.write_all(&vec![b'x'; (16 << 10) - noise.len()]).unwrap();
    }
    encoder.write_all(br#""}]}"#).unwrap();
    encoder.finish().unwrap().into()
}

async fn upstream(request: Request<HeadroomBody<Full<Bytes>>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let size = request.into_body().collect().await.unwrap().to_bytes().len();
    Ok(Response::new(Full::new(Bytes::from(size.to_string()))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn many_bodies_that_decode_to_much_stay_within_the_bound() {
    let layer = HeadroomLayer::new().max_buffered(BOUND as u64).max_blocking_tasks(8);
    for (name, body) in [("bombs", gzip(64, 16 << 10)), ("bodies", gzip(8, 48))] {
        println!("{name}: {} KiB each", body.len() >> 10);
        HEAP.reset_peak_usage();
        let before = HEAP.current_usage();
        let requests: Vec<_> = (0..BODIES)
            .map(|_| {
                let service = ServiceBuilder::new().layer(layer.clone()).service_fn(upstream);
                let request = Request::post("/v1/messages")
                    .header("content-type", "application/json")
                    .header("content-encoding", "gzip")
                    .body(Full::new(body.clone()))
                    .unwrap();
                tokio::spawn(service.oneshot(request))
            })
            .collect();
        for request in requests {
            let response = request.await.unwrap().unwrap();
            let size = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(size, body.len().to_string(), "nothing is in it to make smaller");
        }
        let peak = HEAP.peak_usage().saturating_sub(before);
        println!("{name}: {} MiB at most", peak >> 20);
        assert!(peak <= BOUND + SLACK, "{name}: {} MiB", peak >> 20);
    }
}
