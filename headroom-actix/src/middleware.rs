use std::{fmt, rc::Rc};

use actix_web::{
    HttpMessage,
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, forward_ready},
};
use futures_util::future::LocalBoxFuture;
use headroom_tower::{
    DefaultPredicate, HeadroomBody, Identity, Predicate, PromptCompressionLayer, RequestReport,
};
use http::request::Parts;

use crate::{
    head::{describe, head},
    payload::SharedPayload,
};

/// The service created by [`Headroom`](crate::Headroom).
pub struct HeadroomMiddleware<S, P = DefaultPredicate> {
    service: Rc<S>,
    layer: PromptCompressionLayer<Identity, P>,
}

impl<S, P> HeadroomMiddleware<S, P> {
    pub(crate) fn new(service: S, layer: PromptCompressionLayer<Identity, P>) -> Self {
        Self { service: Rc::new(service), layer }
    }
}

impl<S, B, P> Service<ServiceRequest> for HeadroomMiddleware<S, P>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
    S::Error: 'static,
    B: MessageBody + 'static,
    P: Predicate + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = S::Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let Some(head) = head(&request) else {
            return Box::pin(self.service.call(request));
        };
        let payload = SharedPayload::new(request.take_payload());
        let rewrite = self.layer.rewrite(http::Request::from_parts(head, payload.clone()));
        let service = Rc::clone(&self.service);
        Box::pin(async move {
            let (head, body) = rewrite.await.into_parts();
            put_back(&mut request, head, body, &payload);
            service.call(request).await
        })
    }
}

fn put_back(
    request: &mut ServiceRequest,
    mut head: Parts,
    body: HeadroomBody<SharedPayload>,
    payload: &SharedPayload,
) {
    if let Some(untouched) = payload.take_unread() {
        request.set_payload(untouched);
        return;
    }
    request.set_payload(SharedPayload::replay(body));
    if let Some(report) = head.extensions.remove::<RequestReport>() {
        if report.is_rewritten() {
            describe(request.headers_mut(), &head.headers);
        }
        request.extensions_mut().insert(report);
    }
}

impl<S: fmt::Debug, P: fmt::Debug> fmt::Debug for HeadroomMiddleware<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadroomMiddleware")
            .field("service", &self.service)
            .field("layer", &self.layer)
            .finish()
    }
}
