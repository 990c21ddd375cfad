use std::{collections::BTreeSet, fmt, sync::Arc};

use headroom_core::{Api, CacheHint, CompressOptions, Engine, Handle, Original, Outcome, Retrieval, Tier};
use headroom_retrieval::{KnownOriginals, Refusals, Tenant};
use headroom_store::{ExchangeStore, OriginalStore};
use http::request::Parts;

use crate::{
    HeadroomOverride, Observer,
    blocking::Offload,
    files::{Files, Looking, Storing},
    memory::Memory,
};

/// The default of `max_body`: 32 MiB, the most that providers accept.
const MAX_BODY: u64 = 32 << 20;
/// The default of `max_decompressed_body`: 64 MiB.
const MAX_DECOMPRESSED_BODY: u64 = 64 << 20;

/// The engine as the layer uses it, so that tests can put another in its place.
pub(crate) trait PromptEngine: Send + Sync + 'static {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Outcome;

    /// Like [`compress`](Self::compress), but asks before each new result whether to go on, with its bytes in the body.
    fn compress_while(
        &self,
        api: Api,
        body: &[u8],
        options: &CompressOptions,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Outcome {
        let _ = may_go_on;
        self.compress(api, body, options)
    }

    /// Whether a small body may take as long as a large one.
    fn is_costly(&self) -> bool {
        false
    }
}

impl PromptEngine for Engine {
    fn compress(&self, api: Api, body: &[u8], options: &CompressOptions) -> Outcome {
        Engine::compress(self, api, body, options)
    }

    fn compress_while(
        &self,
        api: Api,
        body: &[u8],
        options: &CompressOptions,
        may_go_on: &dyn Fn(usize) -> bool,
    ) -> Outcome {
        Engine::compress_while(self, api, body, options, may_go_on)
    }

    fn is_costly(&self) -> bool {
        Engine::is_costly(self)
    }
}

pub(crate) type TenantOf = Arc<dyn Fn(&Parts) -> String + Send + Sync>;

/// Settings and state that a layer and all its services share.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) engine: Arc<dyn PromptEngine>,
    /// The store for elided content.
    pub(crate) originals: Option<Arc<dyn OriginalStore>>,
    /// The store for hidden exchanges, if the layer sees responses.
    pub(crate) exchanges: Option<Arc<dyn ExchangeStore>>,
    pub(crate) files: Option<Files>,
    pub(crate) observer: Arc<dyn Observer>,
    /// Returns the tenant of a request; the credential's hash is used if unset.
    pub(crate) tenant: Option<TenantOf>,
    pub(crate) api: Option<Api>,
    pub(crate) tier: Tier,
    pub(crate) retrieval: Retrieval,
    /// Per cent of the conversations that are sent untouched.
    pub(crate) holdout: u8,
    pub(crate) epochs: bool,
    /// Tools whose definitions leave from the first request of a conversation on.
    pub(crate) drop_tools: Arc<BTreeSet<String>>,
    /// Settings for the provider's cache that are added where a request has none.
    pub(crate) cache_hints: Arc<BTreeSet<CacheHint>>,
    /// Whether the layer sees responses, so that it can answer calls of its own tool.
    pub(crate) sees_answers: bool,
    /// Conversations that are sent unchanged, or whose thinking up to some turn is no longer sent.
    pub(crate) refusals: Arc<Refusals>,
    /// What the store took and what it did not.
    pub(crate) known: Arc<KnownOriginals>,
    pub(crate) max_body: u64,
    pub(crate) max_decompressed_body: u64,
    pub(crate) memory: Memory,
    pub(crate) offload: Offload,
}

impl Config {
    pub(crate) fn new() -> Self {
        Self {
            engine: Arc::new(Engine::new()),
            originals: None,
            exchanges: None,
            files: None,
            observer: Arc::new(()),
            tenant: None,
            api: None,
            tier: Tier::default(),
            retrieval: Retrieval::default(),
            holdout: 0,
            epochs: false,
            drop_tools: Arc::default(),
            cache_hints: Arc::default(),
            sees_answers: false,
            refusals: Arc::default(),
            known: Arc::default(),
            max_body: MAX_BODY,
            max_decompressed_body: MAX_DECOMPRESSED_BODY,
            memory: Memory::default(),
            offload: Offload::new(),
        }
    }

    /// Returns the engine's options for one request.
    pub(crate) fn options(&self, own: Option<&HeadroomOverride>, tenant: &str) -> CompressOptions {
        let tier = own.and_then(|own| own.tier).unwrap_or(self.tier);
        let epochs = own.and_then(|own| own.epochs).unwrap_or(self.epochs);
        let options = CompressOptions::new().tier(tier).tenant(tenant).epochs(epochs);
        let options = options.cache_hints(self.cache_hints.iter().copied());
        match (self.retrieval(own), &self.files) {
            (Retrieval::File, Some(files)) => options.originals_dir(&*files.folder),
            (retrieval, _) => options.retrieval(retrieval),
        }
    }

    /// Whether requests are told which conversation they belong to: for a control group, to follow its epochs, or to leave
    /// tools out of all of it.
    pub(crate) fn follows_conversations(&self) -> bool {
        self.holdout > 0 || self.epochs || !self.drop_tools.is_empty()
    }

    /// Returns how elided content is retrieved: not at all if there is no place to keep it, or if nobody would answer the
    /// calls of the layer's tool.
    pub(crate) fn retrieval(&self, own: Option<&HeadroomOverride>) -> Retrieval {
        let retrieval = own.and_then(|own| own.retrieval).unwrap_or(self.retrieval);
        let is_possible = match retrieval {
            Retrieval::File => self.files.is_some(),
            Retrieval::ServerTool => self.sees_answers && self.originals.is_some(),
            _ => self.originals.is_some(),
        };
        if is_possible { retrieval } else { Retrieval::Disabled }
    }

    /// Stores originals where this retrieval finds them; `None` if there is no such place.
    pub(crate) fn keep(
        &self,
        retrieval: Retrieval,
        tenant: &str,
        originals: Vec<Original>,
    ) -> Option<Storing> {
        if retrieval == Retrieval::File {
            return Some((self.files.as_ref()?.write)(originals));
        }
        let (store, tenant) = (self.originals.clone()?, tenant.to_owned());
        Some(Box::pin(async move { store.put_many(&tenant, originals).await }))
    }

    /// Asks which originals are stored where this retrieval finds them; `None` if there is no such place.
    pub(crate) fn has(&self, retrieval: Retrieval, tenant: &str, handles: Vec<Handle>) -> Option<Looking> {
        if retrieval == Retrieval::File {
            return Some((self.files.as_ref()?.has)(handles));
        }
        let (store, tenant) = (self.originals.clone()?, tenant.to_owned());
        Some(Box::pin(async move { store.has_many(&tenant, &handles).await }))
    }

    pub(crate) fn tenant_of(&self, parts: &Parts) -> String {
        self.tenant(parts).name().to_owned()
    }

    /// Returns the tenant of a request.
    pub(crate) fn tenant(&self, parts: &Parts) -> Tenant {
        let own = parts.extensions.get::<HeadroomOverride>().and_then(|own| own.tenant.clone());
        let named = own.or_else(|| Some((self.tenant.as_ref()?)(parts)));
        named.map_or_else(|| Tenant::from_credentials(parts), Tenant::new)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("api", &self.api)
            .field("tier", &self.tier)
            .field("epochs", &self.epochs)
            .field("retrieval", &self.retrieval)
            .field("max_body", &self.max_body)
            .field("max_decompressed_body", &self.max_decompressed_body)
            .field("memory", &self.memory)
            .field("offload", &self.offload)
            .finish_non_exhaustive()
    }
}

/// The setters that the layers share. Expects `fn config(&self) -> &Config` and
/// `fn config_mut(&mut self) -> &mut Config`.
macro_rules! settings {
    () => {
        /// Uses this engine. Default: [`Engine::new`](headroom_core::Engine::new).
        pub fn engine(mut self, engine: headroom_core::Engine) -> Self {
            self.config_mut().engine = std::sync::Arc::new(engine);
            self
        }

        /// Writes elided content as files into this folder, for agents on this machine that read them with their own
        /// tools, and sets the retrieval to [`Retrieval::File`](headroom_core::Retrieval::File).
        ///
        /// Every original is on the disk before the request is sent. One that cannot be written is not elided, as with
        /// a failing [store](Self::store). Anyone who may open the folder may read its contents, so never do this for
        /// tenants on other machines, or for several users of this one.
        ///
        /// # Example
        ///
        /// ```
        /// use headroom_tower::{PromptCompressionLayer, headroom_store::PlaintextStore};
        ///
        /// # fn main() -> Result<(), headroom_tower::headroom_store::InvalidPlaintextStore> {
        /// let layer = PromptCompressionLayer::new().plaintext(PlaintextStore::new("/home/me/.cache/agent/kept")?);
        /// # let _ = layer;
        /// # Ok(())
        /// # }
        /// ```
        #[cfg(feature = "plaintext")]
        #[cfg_attr(docsrs, doc(cfg(feature = "plaintext")))]
        pub fn plaintext(mut self, plaintext: headroom_store::PlaintextStore) -> Self {
            let config = self.config_mut();
            config.files = Some(plaintext.into());
            config.retrieval = headroom_core::Retrieval::File;
            self
        }

        /// Reports events to this observer. Default: none.
        pub fn observer(mut self, observer: impl $crate::Observer) -> Self {
            self.config_mut().observer = std::sync::Arc::new(observer);
            self
        }

        /// Parses every body as a request of this API. Default: the API of the path, else the one that the body looks
        /// like.
        pub fn api(mut self, api: headroom_core::Api) -> Self {
            self.config_mut().api = Some(api);
            self
        }

        /// Sets how far edits may go. Default: [`Tier::Recoverable`](headroom_core::Tier::Recoverable).
        pub fn tier(mut self, tier: headroom_core::Tier) -> Self {
            self.config_mut().tier = tier;
            self
        }

        /// Sets whether old content may leave at new prompts of the user, where that is expected to be repaid; see
        /// [`CompressOptions::epochs`](headroom_core::CompressOptions::epochs). Default: `false`.
        pub fn epochs(mut self, may_begin: bool) -> Self {
            self.config_mut().epochs = may_begin;
            self
        }

        /// Adds these settings for the provider's prompt cache to requests that have none of their own; see
        /// [`CompressOptions::cache_hints`](headroom_core::CompressOptions::cache_hints). Default: none.
        pub fn cache_hints(mut self, hints: impl IntoIterator<Item = headroom_core::CacheHint>) -> Self {
            self.config_mut().cache_hints = std::sync::Arc::new(hints.into_iter().collect());
            self
        }

        /// Takes the tenant of a request from its head. Content elided for one tenant is never given to another.
        ///
        /// Default: a BLAKE3 hash of the credentials (`authorization`, `x-api-key`, `api-key`, `x-goog-api-key` and a
        /// `key` in the query). Requests without credentials share one tenant, so set this if your clients send none.
        ///
        /// Prefer a name that outlives a credential's renewal, if you have one.
        pub fn tenant_from<F>(mut self, tenant: F) -> Self
        where
            F: Fn(&http::request::Parts) -> String + Send + Sync + 'static,
        {
            self.config_mut().tenant = Some(std::sync::Arc::new(tenant));
            self
        }

        /// Returns the tenant of a request, as the store knows it.
        ///
        /// For handlers that answer from the same store, such as a retrieval endpoint.
        #[must_use]
        pub fn tenant_of(&self, parts: &http::request::Parts) -> String {
            self.config().tenant_of(parts)
        }

        /// Passes bodies longer than this many bytes through unchanged. Default: 32 MiB.
        ///
        /// This does not limit the inner service's requests: to reject long bodies, put a body limit layer outside.
        pub fn max_body(mut self, bytes: u64) -> Self {
            self.config_mut().max_body = bytes;
            self
        }

        /// Passes encoded bodies that decode to more than this many bytes through unchanged. Default: 64 MiB.
        ///
        /// The same applies to bodies that decode to more than 4 MiB and more than 200 times their length, as
        /// decompression bombs do and conversations do not.
        pub fn max_decompressed_body(mut self, bytes: u64) -> Self {
            self.config_mut().max_decompressed_body = bytes;
            self
        }

        /// Works on bodies longer than this many bytes in tokio's blocking pool, and on others at once. Default: 32
        /// KiB. An encoded body counts eightfold; with a token pruner in the engine, every body counts as long.
        ///
        /// A shorter body moves there too if it holds 2 KiB or more of results that are new to the engine: parsing a
        /// few kilobytes of broken code takes milliseconds.
        ///
        /// Without the feature `tokio`, or outside a tokio runtime, all work is done at once.
        pub fn blocking_threshold(mut self, bytes: u64) -> Self {
            self.config_mut().offload.threshold = bytes;
            self
        }

        /// Works on at most this many bodies at a time in the blocking pool, and on as many more of tenants of whose bodies
        /// none is worked on; further requests wait, and tenants take turns. Default: one per processor.
        ///
        /// No request passes through because of load: its rewritten form must not depend on load, or the provider's
        /// prompt cache misses. Limit the number of waiting requests with a `ConcurrencyLimit` outside.
        pub fn max_blocking_tasks(mut self, running: usize) -> Self {
            self.config_mut().offload.set_max(running);
            self
        }

        /// Holds at most about this many bytes for request bodies at a time. Default: 1 GiB.
        ///
        /// Half of it is for original bodies, from the first byte read until the end of their answer, since they may be
        /// sent once more. The other half is for the decoded body, the work on it (four times its size in all), and the
        /// rewritten body. One body at a time may be read beyond the first half, so that each is eventually read to its
        /// end.
        ///
        /// A body that finds no room waits, and its client is held back. None passes through for lack of room: its
        /// rewritten form must not depend on load, or the provider's prompt cache misses. Slow clients hold memory
        /// while they send, so set a deadline for bodies outside. One tenant gets three quarters of each half at most; the
        /// rest is for tenants that hold less than an eighth.
        ///
        /// Without the feature `tokio` nothing waits.
        pub fn max_buffered(mut self, bytes: u64) -> Self {
            self.config_mut().memory = $crate::memory::Memory::new(bytes);
            self
        }
    };
}

pub(crate) use settings;
