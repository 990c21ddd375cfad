//! Whose request it is, and whether the tenant may send it.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};
use headroom_actix::HeadroomOverride;
use headroom_examples::gateway::{Accounts, Live, Provider, credential};

/// Lets a request of a known tenant through while the tenant is within its limits.
///
/// The tenant's account and its place go with the request; the handler ties the place to the answer.
pub(crate) async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match refusal(&request) {
        None => Ok(next.call(request).await?.map_into_boxed_body()),
        Some(refusal) => Ok(request.into_response(refusal)),
    }
}

/// The answer to a request that may not be sent. Otherwise, adds what belongs to its tenant.
fn refusal(request: &ServiceRequest) -> Option<HttpResponse> {
    let Some(provider) = Provider::from_path(request.path()) else {
        return Some(error(Provider::OpenAi, StatusCode::NOT_FOUND, "the gateway forwards no such path"));
    };
    let (Some(live), Some(accounts)) =
        (request.app_data::<Data<Live>>(), request.app_data::<Data<Accounts>>())
    else {
        return Some(HttpResponse::InternalServerError().finish());
    };
    let settings = live.load();
    let header = |name: &'static str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let key = credential(header, request.uri().query()).unwrap_or_default();
    let Some((name, tenant)) = settings.tenant_of(key) else {
        let message = "the key belongs to no tenant of this gateway";
        return Some(error(provider, StatusCode::UNAUTHORIZED, message));
    };
    let account = accounts.of(name);
    let place = match account.admit(tenant, Instant::now()) {
        Ok(place) => place,
        Err(refusal) => {
            let mut response = error(provider, StatusCode::TOO_MANY_REQUESTS, &refusal.to_string());
            response.headers_mut().insert(header::RETRY_AFTER, refusal.seconds().into());
            return Some(response);
        }
    };
    let mut extensions = request.extensions_mut();
    extensions.insert(HeadroomOverride::new().tenant(name));
    extensions.insert(account);
    extensions.insert(place);
    None
}

/// An error in the shape that the provider's clients read.
pub(crate) fn error(provider: Provider, status: StatusCode, message: &str) -> HttpResponse {
    HttpResponse::build(status).json(provider.error(status.as_u16(), message))
}
