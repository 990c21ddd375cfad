//! `headroom compress` for a request: runs the layer itself, so that the output is what the proxy would send.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use headroom_core::{Api, Report, Retrieval, Tier};
use headroom_tower::{HeadroomLayer, HeadroomOverride, Observer, RequestReport, StoreFailure};
use http::{Request, Response, header};
use http_body_util::{BodyExt, Empty, Full};
use serde_json::{Value, json};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use super::{CompressArgs, CompressError, warn_not_stored, write_output, write_report};
use crate::{config::Config, setup::configured, store::LOCAL_TENANT};

pub(super) fn run(args: &CompressArgs, config: &Config, input: Vec<u8>) -> Result<(), CompressError> {
    let input = Bytes::from(input);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CompressError::Runtime)?;
    // This thread has nothing else to do meanwhile.
    let layer = configured(&config.for_filter(), config.store.open())
        .blocking_threshold(u64::MAX)
        .observer(StoreWarner);
    let (body, report) = runtime.block_on(through(layer, local(None), args.api, input.clone()));
    let written = write_output(body.as_ref().unwrap_or(&input));
    if let Some(path) = &args.report {
        write_report(path, &to_json(report.as_ref(), config.tier, &input))?;
    }
    written
}

/// The settings for a local request; without `retrieval`, the layer's own applies.
pub(crate) fn local(retrieval: Option<Retrieval>) -> HeadroomOverride {
    let settings = HeadroomOverride::new().tenant(LOCAL_TENANT);
    match retrieval {
        Some(retrieval) => settings.retrieval(retrieval),
        None => settings,
    }
}

/// Returns what an upstream behind the layer would get. Without a format, it is detected from the body.
pub(crate) async fn through(
    layer: HeadroomLayer,
    settings: HeadroomOverride,
    api: Option<Api>,
    input: Bytes,
) -> (Option<Bytes>, Option<RequestReport>) {
    let settings = match api.or_else(|| Api::detect(&input)) {
        Some(api) => settings.api(api),
        None => settings,
    };
    let request = Request::post("/").header(header::CONTENT_TYPE, "application/json").extension(settings);
    let Ok(request) = request.body(Full::new(input)) else { return (None, None) };

    let sent = Arc::new(Mutex::new((None, None)));
    let seen = Arc::clone(&sent);
    let upstream = service_fn(move |request: Request<_>| {
        let sent = Arc::clone(&seen);
        async move {
            let (mut parts, body) = request.into_parts();
            let body = BodyExt::collect(body).await.ok().map(|body| body.to_bytes());
            *sent.lock().unwrap_or_else(PoisonError::into_inner) = (body, parts.extensions.remove());
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let Ok(_) = ServiceBuilder::new().layer(layer).service(upstream).oneshot(request).await;
    std::mem::take(&mut sent.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Reports store errors on standard error.
#[derive(Debug)]
struct StoreWarner;

impl Observer for StoreWarner {
    fn on_store_failure(&self, event: &StoreFailure<'_>) {
        warn_not_stored(event.error);
    }
}

/// The engine's report; if the engine was not called, the reason.
fn to_json(result: Option<&RequestReport>, tier: Tier, input: &[u8]) -> Value {
    let not_asked = || {
        let mut report = Report::default();
        (report.tier, report.bytes_before, report.bytes_after) = (tier, input.len(), input.len());
        report
    };
    let report = result.and_then(RequestReport::report).cloned().unwrap_or_else(not_asked);
    let mut json = json!(report);
    if let (Some(reason), Some(fields)) = (result.and_then(RequestReport::skip_reason), json.as_object_mut())
    {
        fields.insert("reason".to_owned(), json!(reason.as_str()));
    }
    json
}
