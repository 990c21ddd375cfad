//! Sends exports with the proxy's own client.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Handle;

use crate::proxy::upstream::connect::Connector;

/// Nothing that a collector answers is long.
const MAX_ANSWER: usize = 1 << 20;

/// Sends exports on the proxy's runtime, because the SDK calls from threads that have none.
#[derive(Clone)]
pub(super) struct CollectorClient {
    client: Client<Connector, Full<Bytes>>,
    runtime: Handle,
    timeout: Duration,
    /// Whether a failure was said.
    has_warned: Arc<AtomicBool>,
}

impl CollectorClient {
    /// Creates a client. Must be called within the runtime.
    pub(super) fn new(connector: Connector, timeout: Duration) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            runtime: Handle::current(),
            timeout,
            has_warned: Arc::default(),
        }
    }

    /// Says that exports fail, once: requests go on, and a collector may be away for long.
    fn warn(&self, reason: &dyn fmt::Display) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!("exports to OpenTelemetry fail ({reason}); there is no further warning");
        }
    }
}

#[async_trait]
impl HttpClient for CollectorClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (client, timeout) = (self.client.clone(), self.timeout);
        let exchange = async move {
            let response = client.request(request.map(Full::new)).await?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
            Ok::<_, HttpError>(Response::from_parts(parts, body))
        };
        let sent = self.runtime.spawn(async move { tokio::time::timeout(timeout, exchange).await }).await;
        let response = match sent {
            Ok(Ok(response)) => response,
            Ok(Err(_)) => {
                Err(format!("the collector did not answer within {} ms", timeout.as_millis()).into())
            }
            Err(_) => return Err("the proxy stops".into()),
        };
        match &response {
            Ok(response) if !response.status().is_success() => {
                self.warn(&format_args!("the collector answered {}", response.status()));
            }
            Ok(_) => {}
            Err(error) => self.warn(&innermost(&**error)),
        }
        response
    }
}

/// The wrapping errors say no more than that sending failed.
fn innermost<'a>(mut error: &'a (dyn std::error::Error + 'static)) -> &'a (dyn std::error::Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

impl fmt::Debug for CollectorClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectorClient").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
