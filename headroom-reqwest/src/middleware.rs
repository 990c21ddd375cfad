use async_trait::async_trait;
use headroom_tower::{
    DefaultPredicate, Identity, Observer, Predicate, PromptCompressionLayer, RequestReport,
    headroom_core::{Api, CacheHint, Engine, Retrieval, Tier},
    headroom_store::OriginalStore,
};
use http::{Extensions, request::Parts};
use http_body_util::BodyExt;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use crate::request::{Sent, head, reusable, unreadable};

/// Makes the prompts in LLM requests smaller before they are sent.
///
/// It is [`PromptCompressionLayer`] for reqwest, with the same settings; create it [`from`](Self::from) a layer for
/// those that it has no setter for. Clones share everything.
///
/// # Example
///
/// ```no_run
/// use headroom_reqwest::{HeadroomMiddleware, headroom_core::Tier};
/// use reqwest_middleware::ClientBuilder;
///
/// let headroom = HeadroomMiddleware::new().tier(Tier::Dedup).max_body(8 << 20);
/// let client = ClientBuilder::new(reqwest::Client::new()).with(headroom).build();
/// # let _ = client;
/// ```
///
/// See the [crate docs](crate) for more details.
#[derive(Clone, Debug)]
#[must_use]
pub struct HeadroomMiddleware<P = DefaultPredicate> {
    layer: PromptCompressionLayer<Identity, P>,
}

impl HeadroomMiddleware {
    /// Creates a middleware with the default settings and no store.
    pub fn new() -> Self {
        PromptCompressionLayer::new().into()
    }
}

impl Default for HeadroomMiddleware {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> From<PromptCompressionLayer<Identity, P>> for HeadroomMiddleware<P> {
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

impl<P> HeadroomMiddleware<P> {
    settings! {
        engine(engine: Engine);
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
    pub fn when<Q: Predicate>(self, predicate: Q) -> HeadroomMiddleware<Q> {
        self.layer.when(predicate).into()
    }
}

impl<P: Predicate> HeadroomMiddleware<P> {
    /// Rewrites one request, for clients without middlewares.
    ///
    /// Returns `None` if the body was not read. The request is unchanged until the future is ready, and stays so if the
    /// future is dropped.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_reqwest::HeadroomMiddleware;
    ///
    /// async fn send(client: &reqwest::Client, mut request: reqwest::Request) -> reqwest::Result<reqwest::Response> {
    ///     HeadroomMiddleware::new().rewrite(&mut request).await; // make it once and keep it: it remembers its work
    ///     client.execute(request).await
    /// }
    /// # let _ = send;
    /// ```
    pub async fn rewrite(&self, request: &mut Request) -> Option<RequestReport> {
        let mut extensions = Extensions::new();
        self.rewrite_with(request, &mut extensions).await;
        extensions.remove()
    }

    async fn rewrite_with(&self, request: &mut Request, extensions: &mut Extensions) {
        if !Sent::is_body_of(request, extensions) {
            // Remove the report of an earlier attempt with the original body: retries keep the extensions, not the
            // request.
            extensions.remove::<RequestReport>();
        }
        let Some(head) = head(request, extensions) else {
            return;
        };
        let Some(body) = reusable(request) else {
            let mut head = self.layer.rewrite(unreadable(head)).await.into_parts().0;
            head.extensions.remove::<RequestReport>().map(|report| extensions.insert(report));
            return;
        };
        let (mut head, body) = self.layer.rewrite(http::Request::from_parts(head, body)).await.into_parts();
        let Some(report) = head.extensions.remove::<RequestReport>() else {
            return;
        };
        if report.is_rewritten() {
            let Ok(body) = body.collect().await else {
                return;
            };
            let body = body.to_bytes();
            *request.headers_mut() = head.headers;
            *request.body_mut() = Some(body.clone().into());
            extensions.insert(Sent::new(body));
        }
        extensions.insert(report);
    }
}

#[async_trait]
impl<P: Predicate + Send + Sync + 'static> Middleware for HeadroomMiddleware<P> {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        self.rewrite_with(&mut request, extensions).await;
        next.run(request, extensions).await
    }
}
