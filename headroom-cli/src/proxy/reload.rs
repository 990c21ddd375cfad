//! What may change while the proxy runs.

use std::sync::{Arc, PoisonError, RwLock};

use crate::config::{Config, ConfigError, Log, Upstreams};

/// Where requests go now. All clones see a change.
#[derive(Clone, Debug)]
pub(super) struct LiveUpstreams(Arc<RwLock<Arc<Upstreams>>>);

impl LiveUpstreams {
    pub(super) fn new(upstreams: Upstreams) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(upstreams))))
    }

    pub(super) fn get(&self) -> Arc<Upstreams> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, upstreams: Upstreams) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(upstreams);
    }
}

/// Reads the configuration again.
pub(super) struct Reloadable {
    pub(super) config: Config,
    pub(super) upstreams: LiveUpstreams,
    pub(super) read: Box<dyn Fn() -> Result<Config, ConfigError> + Send>,
    pub(super) set_log: Box<dyn Fn(Log) + Send>,
}

impl Reloadable {
    /// Takes over what may change. What cannot be used changes nothing.
    ///
    /// The tier stays: a conversation that is going on would be sent in another form than the provider has cached.
    pub(super) fn reload(&mut self) {
        let new = match (self.read)() {
            Ok(new) => new,
            Err(error) => {
                tracing::warn!("the configuration stays as it was: {:#}", anyhow::Error::from(error));
                return;
            }
        };
        let old = &self.config;
        for (name, differs) in [
            ("listen", new.listen != old.listen),
            ("bedrock_sign", new.bedrock_sign != old.bedrock_sign),
            ("tier", new.tier != old.tier),
            ("store", new.store != old.store),
            ("retrieval", new.retrieval != old.retrieval),
            ("originals_dir", new.originals_dir != old.originals_dir),
            ("allow_origins", new.allow_origins != old.allow_origins),
            ("dashboard_content", new.dashboard_content != old.dashboard_content),
        ] {
            if differs {
                tracing::warn!("{name} changes only when the proxy is started again");
            }
        }
        (self.set_log)(new.log);
        self.upstreams.set(new.upstreams.clone());
        tracing::info!("configuration read again; upstreams: {}", new.upstreams);
        (self.config.log, self.config.drain, self.config.upstreams) = (new.log, new.drain, new.upstreams);
    }
}
