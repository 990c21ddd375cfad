//! A future that is dropped leaves nothing behind.

use std::{future::Future, pin::Pin, task::Poll};

use crate::{
    PromptCompressionLayer,
    test_support::{BadStore, Recorder, TestBody, halve, post, set_aside},
};

/// Polls a future once; whether it is ready.
async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

#[tokio::test]
async fn every_stage_reports_that_it_was_dropped() {
    let recorder = Recorder::default();
    let layer = PromptCompressionLayer::new().observer(recorder.clone());

    let reading = layer.clone().fake(halve);
    {
        let mut future = std::pin::pin!(reading.rewrite(post(TestBody::new().data("01").never())));
        assert!(!poll_once(future.as_mut()).await);
    }
    let storing = layer.clone().fake(set_aside).store(BadStore::Hangs);
    {
        let mut future = std::pin::pin!(storing.rewrite(post(TestBody::chunk("01"))));
        assert!(!poll_once(future.as_mut()).await);
    }
    drop(layer.fake(halve).rewrite(post(TestBody::chunk("01"))));
    assert_eq!(recorder.events(), ["cancelled reading", "cancelled storing", "cancelled reading"]);
}

#[tokio::test]
async fn a_finished_request_is_not_cancelled() {
    let recorder = Recorder::default();
    let layer = PromptCompressionLayer::new().fake(halve).observer(recorder.clone());
    drop(layer.rewrite(post(TestBody::chunk("0123"))).await);
    assert_eq!(recorder.events(), ["rewritten openai 4->2"]);
}

#[cfg(feature = "tokio")]
#[tokio::test(flavor = "multi_thread")]
async fn work_that_nobody_waits_for_is_not_started() {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };

    let (entered, is_entered) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let recorder = Recorder::default();
    let layer =
        PromptCompressionLayer::new().blocking_threshold(0).max_blocking_tasks(1).observer(recorder.clone());
    let layer = layer.fake(move |api, body, options| {
        count.fetch_add(1, Ordering::SeqCst);
        entered.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        crate::test_support::unchanged(api, body, options)
    });

    let first = tokio::spawn(layer.rewrite(post(TestBody::chunk("first"))));
    is_entered.recv_timeout(Duration::from_secs(10)).unwrap();
    {
        let mut second = std::pin::pin!(layer.rewrite(post(TestBody::chunk("second"))));
        assert!(!poll_once(second.as_mut()).await);
    }
    release.send(()).unwrap();
    first.await.unwrap();
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(recorder.events(), ["cancelled compressing", "skipped no_saving"]);
}
