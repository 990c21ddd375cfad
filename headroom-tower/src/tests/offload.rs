//! CPU work leaves the runtime's threads when there is much of it.
#![cfg(feature = "tokio")]

use std::{
    sync::{Arc, Mutex, mpsc},
    thread::ThreadId,
    time::Duration,
};

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
