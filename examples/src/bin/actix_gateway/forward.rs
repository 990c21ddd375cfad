//! Sends requests to their provider.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{StatusCode, header},
    rt::time::sleep,
    web::{Bytes, Data},
};
use awc::{
    ClientResponse,
    error::{ConnectError, SendRequestError},
};
use futures_util::{Stream, StreamExt};
use headroom_examples::gateway::{Account, KEPT_BACK, Live, Meter, Place, Provider, is_safe_to_repeat};

use crate::gate::error;

const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Sends a request on and streams the answer back.
pub(crate) async fn forward(
    request: HttpRequest,
    body: Bytes,
    client: Data<awc::Client>,
    live: Data<Live>,
) -> HttpResponse {
    let settings = live.load_full();
    let provider = Provider::from_path(request.path());
    let Some((provider, upstream)) = provider.and_then(|name| Some((name, settings.providers.get(&name)?)))
    else {
        let message = "the gateway has no upstream for this path";
        return error(Provider::OpenAi, StatusCode::NOT_FOUND, message);
    };
    let url = upstream.url_of(request.path(), request.uri().query());
    let send = || {
        let mut forwarded = client.request_from(url.as_str(), request.head()).no_decompress();
        for name in KEPT_BACK {
            forwarded.headers_mut().remove(name);
        }
        if let Some(key) = provider.credential(upstream) {
            forwarded = forwarded.insert_header(key);
        }
        forwarded.send_body(body.clone())
    };

    let mut pause = FIRST_PAUSE;
    let mut answer = send().await;
    for _ in 1..settings.limits.attempts {
        if !is_unanswered(&answer) {
            break;
        }
        sleep(pause).await;
        pause *= 2;
        answer = send().await;
    }
    match answer {
        Ok(answer) => pass(&request, answer),
        Err(SendRequestError::Timeout) => {
            error(provider, StatusCode::GATEWAY_TIMEOUT, "the provider did not begin to answer")
        }
        Err(_) => error(provider, StatusCode::BAD_GATEWAY, "the provider gave no answer"),
    }
}

/// Whether no provider has worked on the request, so that it may be sent again.
fn is_unanswered<S>(answer: &Result<ClientResponse<S>, SendRequestError>) -> bool {
    match answer {
        Ok(answer) => is_safe_to_repeat(answer.status().as_u16()),
        Err(SendRequestError::Connect(error)) => match error {
            ConnectError::Io(error) => error.kind() == ErrorKind::ConnectionRefused,
            ConnectError::Resolver(_) | ConnectError::NoRecords | ConnectError::Timeout => true,
            // A connection that ended while the answer was waited for is one of these, too.
            _ => false,
        },
        Err(_) => false,
    }
}

/// Passes an answer on, charges it to the tenant, and keeps the tenant's place until it ends.
fn pass<S>(request: &HttpRequest, answer: ClientResponse<S>) -> HttpResponse
where
    S: Stream<Item = Result<Bytes, actix_web::error::PayloadError>> + Unpin + 'static,
{
    let mut passed = HttpResponse::build(answer.status());
    for (name, value) in answer.headers() {
        if name != header::CONNECTION && name != header::TRANSFER_ENCODING {
            passed.append_header((name, value));
        }
    }
    let kind = answer.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let mut extensions = request.extensions_mut();
    let place = extensions.remove::<Place>();
    let mut meter =
        extensions.remove::<Arc<Account>>().map(|account| Meter::new(account, kind.unwrap_or_default()));
    passed.streaming(answer.map(move |data| {
        let _ = &place;
        if let (Some(meter), Ok(data)) = (&mut meter, &data) {
            meter.read(data);
        }
        data
    }))
}
