use std::future::{Ready, ready};

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use headroom_tower::{
    CompressLayer, DefaultPredicate, Identity, Observer, Predicate,
    core::{Api, Means, Tier},
    store::OriginalStore,
};
use http::request::Parts;

use crate::HeadroomMiddleware;

/// Makes the prompts in LLM requests smaller before the inner service gets them.
///
/// It is [`CompressLayer`] for actix-web and has the same settings. Make it once, outside of the closure that makes
/// the `App`, and clone it into that: clones share the engine, the store and the places to work.
///
/// # Example
///
/// ```
/// use actix_web::App;
/// use headroom_actix::{Headroom, core::Tier};
///
/// let headroom = Headroom::new().tier(Tier::Context).max_body(8 << 20);
/// let app = App::new().wrap(headroom.clone());
/// # let _ = app;
/// ```
///
/// See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
#[must_use]
pub struct Headroom<P = DefaultPredicate> {
    layer: CompressLayer<Identity, P>,
}

impl Headroom {
    /// A middleware with the default settings and no store.
    pub fn new() -> Self {
        CompressLayer::new().into()
    }
}

impl Default for Headroom {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> From<CompressLayer<Identity, P>> for Headroom<P> {
    fn from(layer: CompressLayer<Identity, P>) -> Self {
        Self { layer }
    }
}

macro_rules! settings {
    ($($name:ident($($arg:ident: $type:ty),+);)+) => {$(
        #[doc = concat!("See [`CompressLayer::", stringify!($name), "`].")]
        pub fn $name(self, $($arg: $type),+) -> Self {
            self.layer.$name($($arg),+).into()
        }
    )+};
}

impl<P> Headroom<P> {
    settings! {
        engine(engine: headroom_tower::core::Headroom);
        store(store: impl OriginalStore);
        means(means: Means);
        observer(observer: impl Observer);
        api(api: Api);
        tier(tier: Tier);
        tenant_by(tenant: impl Fn(&Parts) -> String + Send + Sync + 'static);
        max_body(bytes: u64);
        max_decoded(bytes: u64);
        offload_above(bytes: u64);
        max_offloads(running: usize);
        max_buffered(bytes: u64);
    }

    /// See [`CompressLayer::spool`].
    #[cfg(feature = "spool")]
    #[cfg_attr(docsrs, doc(cfg(feature = "spool")))]
    pub fn spool(self, spool: headroom_tower::store::Spool) -> Self {
        self.layer.spool(spool).into()
    }

    /// Looks at the requests that this predicate wants. See [`CompressLayer::when`].
    ///
    /// Predicates see the head as the types of `http` 1, without actix-web's extensions.
    pub fn when<Q: Predicate>(self, predicate: Q) -> Headroom<Q> {
        self.layer.when(predicate).into()
    }
}

impl<S, B, P> Transform<S, ServiceRequest> for Headroom<P>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>> + 'static,
    S::Error: 'static,
    B: MessageBody + 'static,
    P: Predicate + Clone + 'static,
{
    type Response = ServiceResponse<B>;
    type Error = S::Error;
    type Transform = HeadroomMiddleware<S, P>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(HeadroomMiddleware::new(service, self.layer.clone())))
    }
}
