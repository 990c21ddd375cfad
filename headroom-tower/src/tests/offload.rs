//! CPU work leaves the runtime's threads when there is much of it.
#![cfg(feature = "tokio")]

use std::{
    sync::{Arc, Condvar, Mutex, mpsc},
    thread::ThreadId,
    time::Duration,
};

use headroom_core::{CompressOptions, Outcome, UnchangedReason};
use http::Request;

use crate::{
    PromptCompressionLayer,
    test_support::{Recorder, TestBody, drain, halve, post, unchanged},
};

async fn thread_of(layer: PromptCompressionLayer, bytes: usize) -> ThreadId {
    let thread = Arc::new(Mutex::new(None));
    let seen = Arc::clone(&thread);
    let layer = layer.fake(move |api, body, options| {
        *seen.lock().unwrap() = Some(std::thread::current().id());
        unchanged(api, body, options)
    });
    layer.rewrite(post(TestBody::chunk("x".repeat(bytes)))).await;
    thread.lock().unwrap().unwrap()
}

#[tokio::test]
async fn only_bodies_above_the_threshold_are_worked_on_elsewhere() {
    let here = std::thread::current().id();
    let layer = PromptCompressionLayer::new();
    assert_eq!(thread_of(layer.clone(), 32 << 10).await, here);
    assert_ne!(thread_of(layer.clone(), (32 << 10) + 1).await, here);
    assert_eq!(thread_of(layer.blocking_threshold(u64::MAX), 1 << 20).await, here);
}

#[test]
fn without_a_runtime_the_work_is_done_at_once() {
    let layer = PromptCompressionLayer::new().fake(halve).blocking_threshold(0);
    let mut future = std::pin::pin!(layer.rewrite(post(TestBody::chunk("0123"))));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(request) = std::future::Future::poll(future.as_mut(), &mut cx) else {
        panic!("waits for a runtime that is not there");
    };
    assert_eq!(request.headers()["content-length"], "2");
}

#[tokio::test]
async fn small_requests_with_new_results_count_by_their_bytes() {
    // Which requests may be done, by the first byte of their bodies.
    let released = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let gate = Arc::clone(&released);
    let (entered, is_entered) = mpsc::channel();
    let here = std::thread::current().id();
    let layer = PromptCompressionLayer::new().max_blocking_tasks(1).fake(move |api, body, _| {
        if std::thread::current().id() == here {
            // More is new than may be worked on at once.
            let report = headroom_core::Report::default();
            return Outcome::Unchanged { reason: UnchangedReason::Cancelled, report };
        }
        entered.send(char::from(body[0])).unwrap();
        let first = char::from(body[0]);
        drop(gate.1.wait_while(gate.0.lock().unwrap(), |released| !released.contains(&first)).unwrap());
        unchanged(api, body, &CompressOptions::new())
    });
    let layer = layer.tenant_from(|parts| parts.uri.query().unwrap_or_default().to_owned());
    let begin = |tenant: &str, first: char, bytes: usize| {
        let body = format!("{first}{}", "x".repeat(bytes));
        let request = Request::post(format!("/v1/messages?{tenant}")).body(TestBody::chunk(body)).unwrap();
        tokio::spawn(layer.rewrite(request))
    };
    let mut all = Vec::new();
    for (tenant, first, bytes) in [
        ("flood", 'a', 100 << 10),
        ("small", 'b', 10 << 10),
        ("flood", 'c', 100 << 10),
        ("flood", 'd', 100 << 10),
        ("small", 'e', 10 << 10),
    ] {
        all.push(begin(tenant, first, bytes));
        tokio::task::yield_now().await;
    }
    let release = |first: char| {
        released.0.lock().unwrap().push(first);
        released.1.notify_all();
    };
    // The places that come free are given away on this thread.
    let next = async || {
        for _ in 0..10_000 {
            if let Ok(first) = is_entered.try_recv() {
                return first;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("nobody is next");
    };
    let mut first = [next().await, next().await];
    first.sort_unstable();
    assert_eq!(first, ['a', 'b'], "one of each tenant");
    release('a');
    assert_eq!(next().await, 'c', "the other tenant has a place");
    release('b');
    assert_eq!(next().await, 'e', "10 KB after 10 KB come before 100 KB after 200 KB");
    ['c', 'd', 'e'].into_iter().for_each(release);
    for running in all {
        running.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_wait_for_a_place() {
    let (entered, is_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let recorder = Recorder::default();
    let layer =
        PromptCompressionLayer::new().blocking_threshold(0).max_blocking_tasks(1).observer(recorder.clone());
    let layer = layer.fake(move |api, body, options| {
        entered.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        halve(api, body, options)
    });

    let running = tokio::spawn(layer.rewrite(post(TestBody::chunk("running!"))));
    is_entered.recv_timeout(Duration::from_secs(10)).unwrap();
    let mut waiting = Box::pin(layer.rewrite(post(TestBody::chunk("waiting!"))));
    std::future::poll_fn(|cx| {
        assert!(std::future::Future::poll(waiting.as_mut(), cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
    assert!(recorder.events().is_empty());

    release.send(()).unwrap();
    release.send(()).unwrap();
    assert_eq!(drain(running.await.unwrap().into_body()).await.data, b"runn");
    assert_eq!(drain(waiting.await.into_body()).await.data, b"wait");
}
