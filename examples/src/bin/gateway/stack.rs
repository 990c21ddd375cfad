//! Every layer of the gateway.

use std::error::Error;

use axum::{
    Router, body::Body, error_handling::HandleErrorLayer, extract::Request, middleware::from_fn_with_state,
};
use headroom_examples::gateway::{Accounts, Live, Settings};
use headroom_tower::{HeadroomLayer, MetricsObserver};
use http::{HeaderName, HeaderValue, Method, header::InvalidHeaderValue};
use tower::{ServiceBuilder, limit::GlobalConcurrencyLimitLayer, retry::RetryLayer, timeout::TimeoutLayer};
use tower_http::{
    compression::CompressionLayer,
    cors::{AllowHeaders, CorsLayer},
    limit::RequestBodyLimitLayer,
    map_request_body::MapRequestBodyLayer,
    metrics::{InFlightRequestsLayer, in_flight_requests::InFlightRequestsCounter},
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    timeout::{RequestBodyTimeoutLayer, ResponseBodyTimeoutLayer},
    trace::{DefaultOnResponse, TraceLayer},
};
use tracing::{Level, Span, field::Empty, info_span};

use crate::{answer, gate, retry::Unanswered, upstream::UpstreamClient};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Builds the gateway. A request goes through the layers from the top to the bottom, an answer back up.
pub(crate) fn stack(live: &Live) -> Result<(Router, InFlightRequestsCounter), Box<dyn Error>> {
    let settings = live.load();
    let limits = settings.limits;
    let (count_in_flight, in_flight) = InFlightRequestsLayer::pair();
    let gate = gate::Gate::new(live.clone(), Accounts::default());

    let edge = ServiceBuilder::new()
        // First, so that all that follows can name the request.
        .layer(SetRequestIdLayer::new(REQUEST_ID, MakeRequestUuid))
        // Outside everything that may refuse: refusals are traced and counted too.
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_response(DefaultOnResponse::new().level(Level::INFO)),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(count_in_flight)
        // Outside the gate: a preflight carries no key, and a page must be able to read a refusal.
        .layer(cors(&settings)?)
        // Outside Headroom, which reads answers. Event streams stay as they are: an encoder holds events back.
        .layer(CompressionLayer::new())
        // Before anything is read.
        .layer(RequestBodyLimitLayer::new(limits.max_body_mb << 20))
        .layer(RequestBodyTimeoutLayer::new(limits.body()))
        .layer(MapRequestBodyLayer::new(Body::new))
        // Before Headroom: whoever is unknown, or has used its budget, costs no work, and Headroom must know whose
        // content it stores.
        .layer(from_fn_with_state(gate, gate::admit));

    let provider = ServiceBuilder::new()
        // Below here things fail; above, a failure is an answer.
        .layer(HandleErrorLayer::new(answer::failed))
        // Inside the gate, and outside all that sends: a request is rewritten once however often it is sent, and each
        // hidden round goes through the limits and retries below like a request of its own.
        .layer(HeadroomLayer::new().observer(MetricsObserver::new()))
        // A stalled stream ends, also in a hidden round.
        .layer(ResponseBodyTimeoutLayer::new(limits.answer()))
        // For all tenants together; what each may have open is the gate's.
        .layer(GlobalConcurrencyLimitLayer::new(limits.concurrent))
        // Around the timeout, which holds for each attempt.
        .layer(RetryLayer::new(Unanswered::new(limits.attempts)))
        .layer(TimeoutLayer::new(limits.answer()))
        .service(UpstreamClient::new(live.clone()));

    Ok((Router::new().fallback_service(provider).layer(edge), in_flight))
}

/// The path without the query, in which some SDKs send the key.
fn span(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    info_span!("request", id, method = %request.method(), path = request.uri().path(), tenant = Empty)
}

fn cors(settings: &Settings) -> Result<CorsLayer, InvalidHeaderValue> {
    let origins: Result<Vec<HeaderValue>, _> =
        settings.allow_origins.iter().map(|origin| HeaderValue::from_str(origin)).collect();
    Ok(CorsLayer::new()
        .allow_origin(origins?)
        .allow_methods([Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([REQUEST_ID]))
}
