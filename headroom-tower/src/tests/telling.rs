//! What is told about requests, and that it holds no content.

#[cfg(feature = "metrics")]
#[test]
fn metrics_count_what_became_of_requests() {
    use headroom_store::MemoryStore;
    use metrics_util::debugging::{DebugValue, DebuggingRecorder};

    use crate::{
        MetricsObserver, PromptCompressionLayer,
        test_support::{BadStore, TestBody, block_on, halve, post, set_aside, unchanged},
    };

    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, || {
        let layer = PromptCompressionLayer::new().observer(MetricsObserver::new()).store(MemoryStore::new());
        block_on(layer.clone().fake(halve).rewrite(post(TestBody::chunk("01234567"))));
        block_on(layer.clone().fake(unchanged).rewrite(post(TestBody::chunk("01234567"))));
        block_on(layer.clone().fake(set_aside).store(BadStore::Fails).rewrite(post(TestBody::chunk("0123"))));
        block_on(layer.clone().rewrite(http::Request::get("/").body(TestBody::new()).unwrap()));
        drop(layer.rewrite(post(TestBody::new())));
    });

    let mut found = Vec::new();
    let mut timed = 0;
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels = key.key().labels().map(|label| format!("{}={}", label.key(), label.value()));
        let labels = labels.collect::<Vec<_>>().join(",");
        match value {
            DebugValue::Counter(count) => found.push(format!("{}{{{labels}}} {count}", key.key().name())),
            DebugValue::Histogram(values) => timed += values.len(),
            DebugValue::Gauge(_) => {}
        }
    }
    found.sort();
    assert_eq!(
        found,
        [
            "headroom_cancelled_total{stage=reading} 1",
            "headroom_request_body_bytes_total{stage=after} 4",
            "headroom_request_body_bytes_total{stage=before} 8",
            "headroom_requests_total{api=openai,outcome=rewritten} 1",
            "headroom_requests_total{api=openai,outcome=skipped} 2",
            "headroom_skips_total{reason=method} 1",
            "headroom_skips_total{reason=no_saving} 1",
            "headroom_skips_total{reason=store_failure} 1",
            "headroom_store_errors_total{kind=unavailable} 1",
        ]
    );
    assert_eq!(timed, 3);
}

/// What is logged, as text.
#[cfg(feature = "tracing")]
#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(feature = "tracing")]
impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "tracing")]
#[test]
fn traces_say_what_happened_and_nothing_of_what_was_said() {
    use crate::{
        PromptCompressionLayer,
        test_support::{BadStore, TestBody, block_on, halve, post, set_aside},
    };

    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    let send = |layer: &PromptCompressionLayer| {
        let mut request = post(TestBody::chunk("a-secret-prompt, twice: a-secret-prompt"));
        request.headers_mut().insert("authorization", "Bearer secret-key".parse().unwrap());
        block_on(layer.rewrite(request))
    };
    // A lone subscriber is not asked about events that other threads meet first; they would stay off for it, too.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    tracing::subscriber::with_default(subscriber, || {
        tracing::callsite::rebuild_interest_cache();
        send(&PromptCompressionLayer::new().fake(halve));
        send(&PromptCompressionLayer::new().fake(set_aside).store(BadStore::Fails));
        send(&PromptCompressionLayer::new().fake(|_, _, _| panic!("secret panic message")));
        drop(PromptCompressionLayer::new().rewrite(post(TestBody::chunk("secret"))));
    });
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in [
        "headroom.compress",
        "headroom.outcome=\"rewritten\"",
        "bytes_before=39 bytes_after=19 tokens_saved=7",
        "the store failed",
        "reason=\"store_failure\"",
        "headroom.skip_reason=\"internal\"",
        "stage=\"reading\"",
        "headroom.outcome=\"cancelled\"",
    ] {
        assert!(log.contains(expected), "{expected} is not in:\n{log}");
    }
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn debug_output_holds_no_content_and_no_credential() {
    use headroom_store::MemoryStore;

    use crate::{
        HeadroomLayer, PromptCompressionLayer,
        test_support::{TestBody, block_on, halve, post},
    };

    let layer = PromptCompressionLayer::new().fake(halve);
    let request = post(TestBody::chunk("a-secret-prompt"));
    let future = layer.rewrite(request);
    assert!(!format!("{future:?} {layer:?}").contains("secret"));
    let body = block_on(future).into_body();
    assert!(!format!("{body:?}").contains("secret"));
    assert!(format!("{:?}", HeadroomLayer::with_store(MemoryStore::new())).len() < 1000);
}
