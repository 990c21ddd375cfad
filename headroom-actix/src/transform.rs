use std::future::{Ready, ready};

use actix_web::{
    body::MessageBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
};
use headroom_tower::{
    DefaultPredicate, Identity, Observer, Predicate, PromptCompressionLayer,
    headroom_core::{Api, CacheHint, Retrieval, Tier},
    headroom_store::OriginalStore,
};
use http::request::Parts;

use crate::HeadroomMiddleware;

/// Makes the prompts in LLM requests smaller before the inner service gets them.
///
/// It is [`PromptCompressionLayer`] for actix-web, with the same settings. Create it once, outside the closure that
/// creates the `App`, and clone it into that: clones share the engine, the store and the limit on concurrent tasks.
///
/// # Example
///
/// ```
/// use actix_web::App;
/// use headroom_actix::{Headroom, headroom_core::Tier};
///
/// let headroom = Headroom::new().tier(Tier::Dedup).max_body(8 << 20);
/// let app = App::new().wrap(headroom.clone());
/// # let _ = app;
/// ```
///
/// See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
#[must_use]
pub struct Headroom<P = DefaultPredicate> {
    layer: PromptCompressionLayer<Identity, P>,
}

impl Headroom {
    /// Creates a middleware with the default settings and no store.
    pub fn new() -> Self {
        PromptCompressionLayer::new().into()
    }
}

impl Default for Headroom {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> From<PromptCompressionLayer<Identity, P>> for Headroom<P> {
    fn from(layer: PromptCompressionLayer<Identity, P>) -> Self {
        Self { layer }
    }
}

macro_rules! settings {
    ($($name:ident($($arg:ident: $type:ty),+);)+) => {$(
        #[doc = concat!("See [`PromptCompressionLayer::", stringify!($name), "`].")]
        pub fn $name(self, $($arg: $type),+) -> Self {
            self.layer.$name($($arg),+).into()
        }
    )+};
}

impl<P> Headroom<P> {
    settings! {
        engine(engine: headroom_tower::headroom_core::Engine);
        store(store: impl OriginalStore);
        retrieval(retrieval: Retrieval);
        observer(observer: impl Observer);
        api(api: Api);
        tier(tier: Tier);
        epochs(may_begin: bool);
        cache_hints(hints: impl IntoIterator<Item = CacheHint>);
        tenant_from(tenant: impl Fn(&Parts) -> String + Send + Sync + 'static);
        max_body(bytes: u64);
        max_decompressed_body(bytes: u64);
        blocking_threshold(bytes: u64);
        max_blocking_tasks(running: usize);
        max_buffered(bytes: u64);
    }

    /// See [`PromptCompressionLayer::plaintext`].
    #[cfg(feature = "plaintext")]
    #[cfg_attr(docsrs, doc(cfg(feature = "plaintext")))]
    pub fn plaintext(self, plaintext: headroom_tower::headroom_store::PlaintextStore) -> Self {
        self.layer.plaintext(plaintext).into()
    }

    /// Uses this predicate to select requests. See [`PromptCompressionLayer::when`].
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
