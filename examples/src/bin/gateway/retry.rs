//! Which requests are sent again.

use std::time::Duration;

use axum::body::Body;
use headroom_examples::gateway::is_safe_to_repeat;
use headroom_tower::HeadroomBody;
use http::{Request, Response};
use tokio::time::{Sleep, sleep};
use tower::{BoxError, retry::Policy};

use crate::upstream::UpstreamError;

const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Sends a request again that no provider has worked on: none was reached, or it says that it is too busy.
///
/// Everything else is final. After a broken connection or a timeout the model may have run, and running it again would
/// cost twice; and once an answer has begun, the client has seen a part of it.
#[derive(Clone, Debug)]
pub(crate) struct Unanswered {
    left: u32,
    pause: Duration,
}

impl Unanswered {
    /// Sends a request at most so many times.
    pub(crate) fn new(attempts: u32) -> Self {
        Self { left: attempts.saturating_sub(1), pause: FIRST_PAUSE }
    }
}

impl<R> Policy<Request<HeadroomBody<Body>>, Response<R>, BoxError> for Unanswered {
    type Future = Sleep;

    fn retry(
        &mut self,
        _: &mut Request<HeadroomBody<Body>>,
        result: &mut Result<Response<R>, BoxError>,
    ) -> Option<Sleep> {
        let is_safe = match result {
            Ok(response) => is_safe_to_repeat(response.status().as_u16()),
            Err(error) => error.downcast_ref().is_some_and(UpstreamError::is_unreached),
        };
        self.left = self.left.checked_sub(u32::from(is_safe))?;
        let pause = self.pause;
        self.pause *= 2;
        is_safe.then(|| sleep(pause))
    }

    /// A body that is in memory is sent again byte for byte. One that is still being read cannot be.
    fn clone_request(
        &mut self,
        request: &Request<HeadroomBody<Body>>,
    ) -> Option<Request<HeadroomBody<Body>>> {
        let mut clone = Request::new(request.body().try_clone()?);
        clone.method_mut().clone_from(request.method());
        clone.uri_mut().clone_from(request.uri());
        clone.headers_mut().clone_from(request.headers());
        clone.extensions_mut().clone_from(request.extensions());
        Some(clone)
    }
}
