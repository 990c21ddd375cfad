//! Memory is bounded, and what nobody waits for ends.
#![cfg(feature = "tokio")]

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
    task::Poll,
    thread::ThreadId,
    time::Duration,
};

use headroom_core::{Api, CompressOptions, Engine, Outcome};

use crate::{
    PromptCompressionLayer,
    config::PromptEngine,
    test_support::{Recorder, TestBody, drain, halve, post},
};

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

fn bounded(bytes: u64) -> PromptCompressionLayer {
    PromptCompressionLayer::new().fake(halve).blocking_threshold(u64::MAX).max_buffered(bytes)
}

#[tokio::test]
async fn bodies_for_which_there_is_no_room_wait_and_become_what_they_would_have() {
    let recorder = Recorder::default();
    let layer = bounded(128 << 10).observer(recorder.clone());
    let start = || TestBody::new().data("x".repeat(40 << 10));
    // The first fits into half of the bound, the second may be read over it, and the third waits.
    let mut first = Box::pin(layer.rewrite(post(start().never())));
    let mut second = Box::pin(layer.rewrite(post(start().never())));
    let mut third = Box::pin(layer.rewrite(post(start().data("y"))));
    for _ in 0..3 {
        assert!(poll_once(first.as_mut()).await.is_pending());
        assert!(poll_once(second.as_mut()).await.is_pending());
        assert!(poll_once(third.as_mut()).await.is_pending());
    }
    assert!(recorder.events().is_empty(), "nothing was passed through");
    drop(second);
    let Poll::Ready(third) = poll_once(third.as_mut()).await else { panic!("there is room again") };
    assert_eq!(drain(third.into_body()).await.data.len(), 20 << 10);
    assert_eq!(recorder.events(), ["cancelled reading", "rewritten openai 40961->20480"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_for_which_there_is_no_room_waits_though_there_is_a_place() {
    let wait = Duration::from_secs(30);
    let (release, released) = mpsc::channel();
    let layer =
        PromptCompressionLayer::new().blocking_threshold(0).max_blocking_tasks(2).max_buffered(100 << 10);
    let (layer, is_entered) = watched(layer, Some(released));
    // Each takes four times its size of half of the bound.
    let requests: Vec<_> = (0..2)
        .map(|_| tokio::spawn(layer.rewrite(post(TestBody::chunk(conversation(&[8 << 10]))))))
        .collect();
    is_entered.recv_timeout(wait).unwrap();
    assert!(is_entered.recv_timeout(Duration::from_millis(200)).is_err(), "both are worked on");
    release.send(()).unwrap();
    // The first is known, and the second is the same.
    for request in requests {
        assert!(drain(request.await.unwrap().into_body()).await.data.len() < 1 << 10);
    }
}

#[tokio::test]
async fn a_body_that_stands_still_holds_what_it_sent_and_no_more() {
    let layer = bounded(128 << 10);
    let stalled = || TestBody::new().data("x".repeat(50 << 10)).never();
    let mut stopped = Vec::new();
    for _ in 0..10 {
        let mut future = Box::pin(layer.rewrite(post(stalled())));
        assert!(poll_once(future.as_mut()).await.is_pending());
        stopped.push(future);
    }
    let mut polls = Vec::new();
    for _ in 0..3 {
        let body = TestBody::new().data("x".repeat(10 << 10)).data("y".repeat(10 << 10));
        polls.push(Arc::clone(&body.polls));
        let mut future = Box::pin(layer.rewrite(post(body)));
        assert!(poll_once(future.as_mut()).await.is_pending());
        stopped.push(future);
    }
    assert!(polls.iter().all(|polls| *polls.lock().unwrap() <= 2), "the client is not held back");
    drop(stopped);
    let request = layer.rewrite(post(TestBody::chunk("x".repeat(40 << 10)))).await;
    assert_eq!(drain(request.into_body()).await.data.len(), 20 << 10);
}

#[tokio::test]
async fn a_body_larger_than_the_bound_is_worked_on_alone() {
    let layer = bounded(8 << 10);
    for _ in 0..3 {
        let body = TestBody::new().data("x".repeat(30 << 10)).data("y".repeat(30 << 10));
        let request = layer.rewrite(post(body)).await;
        assert_eq!(drain(request.into_body()).await.data.len(), 30 << 10);
    }
}

#[tokio::test]
async fn what_a_request_becomes_does_not_depend_on_the_bound() {
    let body = conversation(&[4 << 10, 300, 9 << 10]);
    let rewrite = |layer: PromptCompressionLayer| {
        let body = body.clone();
        async move { drain(layer.rewrite(post(TestBody::chunk(body))).await.into_body()).await.data }
    };
    let free = rewrite(PromptCompressionLayer::new()).await;
    assert!(free.len() < body.len());
    for bound in [0, 1 << 10, 16 << 10] {
        assert_eq!(rewrite(PromptCompressionLayer::new().max_buffered(bound)).await, free, "{bound}");
    }
}

/// An engine that says where it works, and lets a test in before each result.
struct Watched {
    headroom: Engine,
    entered: mpsc::Sender<ThreadId>,
    released: Option<Mutex<mpsc::Receiver<()>>>,
}

impl PromptEngine for Watched {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
        self.headroom.compress(api, body, options)
    }

    fn compress_while(
        &self,
        api: Api,
        body: &[u8],
        options: &CompressOptions,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Outcome {
        let watch = |bytes| {
            let goes_on = |goes_on| {
                self.entered.send(std::thread::current().id()).unwrap();
                goes_on
            };
            match &self.released {
                Some(released) => {
                    goes_on(true);
                    released.lock().unwrap().recv().unwrap();
                    may_go_on(bytes)
                }
                None => may_go_on(bytes) && goes_on(true),
            }
        };
        self.headroom.compress_while(api, body, options, &watch)
    }
}

fn watched(
    layer: PromptCompressionLayer,
    released: Option<mpsc::Receiver<()>>,
) -> (PromptCompressionLayer, mpsc::Receiver<ThreadId>) {
    let (entered, is_entered) = mpsc::channel();
    let mut layer = layer;
    let engine = Watched { headroom: Engine::new(), entered, released: released.map(Mutex::new) };
    layer.config_mut().engine = Arc::new(engine);
    (layer, is_entered)
}

/// A conversation whose results have so many bytes each.
fn conversation(results: &[usize]) -> String {
    let results: Vec<_> = results
        .iter()
        .map(|bytes| {
            format!(
                r#"{{"role":"tool","tool_call_id":"1","content":"{}"}}"#,
                "same line\\n".repeat(bytes / 11)
            )
        })
        .collect();
    format!(r#"{{"messages":[{}]}}"#, results.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_whose_client_is_gone_ends_before_its_next_result() {
    let wait = Duration::from_secs(30);
    let (release, released) = mpsc::channel();
    let layer = PromptCompressionLayer::new().blocking_threshold(0).max_blocking_tasks(1);
    let (layer, is_entered) = watched(layer, Some(released));
    {
        let body = conversation(&[300, 400, 500, 600]);
        let mut request = std::pin::pin!(layer.rewrite(post(TestBody::chunk(body))));
        assert!(poll_once(request.as_mut()).await.is_pending());
        is_entered.recv_timeout(wait).unwrap();
        release.send(()).unwrap();
        is_entered.recv_timeout(wait).unwrap();
    }
    release.send(()).unwrap();
    // The only place is free again, and the results behind the second were not looked at.
    let next = tokio::spawn(layer.rewrite(post(TestBody::chunk(conversation(&[700])))));
    is_entered.recv_timeout(wait).unwrap();
    release.send(()).unwrap();
    next.await.unwrap();
    assert_eq!(is_entered.try_recv().ok(), None);
}

#[tokio::test]
async fn only_small_results_are_worked_on_at_once() {
    let here = std::thread::current().id();
    let (layer, is_entered) = watched(PromptCompressionLayer::new(), None);
    let threads = |results: &'static [usize]| {
        let (layer, is_entered) = (&layer, &is_entered);
        async move {
            layer.rewrite(post(TestBody::chunk(conversation(results)))).await;
            is_entered.try_iter().map(|thread| thread == here).collect::<Vec<_>>()
        }
    };
    assert_eq!(threads(&[1000, 900]).await, [true; 2]);
    assert_eq!(threads(&[1000, 900, 5000]).await, [false]);
    assert_eq!(threads(&[1000, 900, 5000]).await, [true; 0], "all of it is known");
    assert_eq!(threads(&[1000, 900, 5000, 900]).await, [true]);
    assert_eq!(
        threads(&[1010, 1010, 1010, 1010]).await,
        [true, true, false, false],
        "together they are much"
    );
}
