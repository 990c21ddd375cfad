//! The health of the process, for probes.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::Body;
use tonic::server::NamedService;
use tonic_health::{
    ServingStatus,
    pb::health_server::HealthServer,
    server::{HealthReporter, HealthService},
};
use tower_service::Service;

use crate::ExternalProcessor;

/// The service `grpc.health.v1.Health`, which probes and balancers ask.
///
/// The whole server, which has no name, and the [`ExternalProcessor`] are `SERVING` until the process [stops](Self::stop).
/// Clones share the state.
///
/// # Example
///
/// ```
/// use headroom_envoy::Health;
///
/// # async fn serve() {
/// let health = Health::new().await; // served beside the ExternalProcessor
/// // ... a signal asks the process to end:
/// health.stop().await;
/// # }
/// ```
#[derive(Clone)]
pub struct Health {
    reporter: HealthReporter,
    server: HealthServer<HealthService>,
}

impl Health {
    /// Creates the service.
    #[must_use = "it is to be served"]
    pub async fn new() -> Self {
        let reporter = HealthReporter::new();
        reporter.set_serving::<ExternalProcessor>().await;
        let service = HealthService::from_health_reporter(reporter.clone());
        Self { reporter, server: HealthServer::new(service) }
    }

    /// Says from now on that the process serves nothing new.
    pub async fn stop(&self) {
        self.reporter.set_not_serving::<ExternalProcessor>().await;
        self.reporter.set_service_status("", ServingStatus::NotServing).await;
    }
}

impl NamedService for Health {
    const NAME: &'static str = "grpc.health.v1.Health";
}

impl<B> Service<http::Request<B>> for Health
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        self.server.call(request)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}
