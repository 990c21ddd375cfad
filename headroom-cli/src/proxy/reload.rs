//! Reloads settings while the proxy runs.

use std::sync::{Arc, PoisonError, RwLock};

use super::tls::Certificate;
use crate::{
    chain::Chain,
    config::{Config, ConfigError, Log, Upstreams},
};

/// The current upstreams. All clones see a change.
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

/// Reloads the configuration.
pub(super) struct Reloadable {
    pub(super) config: Config,
    /// `None` without TLS.
    pub(super) certificate: Option<Certificate>,
    /// `None` if the service has none.
    pub(super) upstreams: Option<LiveUpstreams>,
    pub(super) read: Box<dyn Fn() -> Result<Config, ConfigError> + Send>,
    pub(super) set_log: Box<dyn Fn(Log) + Send>,
}

impl Reloadable {
    /// Applies the settings that may change. An invalid configuration changes nothing.
    ///
    /// The tier does not change: an open conversation would be sent differently from what the provider has cached.
    pub(super) fn reload(&mut self) {
        let new = match (self.read)() {
            Ok(new) => new,
            Err(error) => {
                tracing::warn!("the configuration is unchanged: {}", Chain(&error));
                return;
            }
        };
        let old = &self.config;
        for (name, differs) in [
            ("listen", new.listen != old.listen),
            ("tls_cert and tls_key", new.tls != old.tls),
            ("bedrock_sign", new.bedrock_sign != old.bedrock_sign),
            ("tier", new.tier != old.tier),
            ("epochs", new.epochs() != old.epochs()),
            ("cache_hints", new.cache_hints != old.cache_hints),
            ("drop_tools", new.drop_tools != old.drop_tools),
            ("store", new.store != old.store),
            ("retrieval", new.retrieval != old.retrieval),
            ("originals_dir", new.originals_dir != old.originals_dir),
            ("allow_origins", new.allow_origins != old.allow_origins),
            ("dashboard_content", new.dashboard_content != old.dashboard_content),
            ("log_format", new.log_format != old.log_format),
            ("otlp_endpoint", new.otlp_endpoint != old.otlp_endpoint),
        ] {
            if differs {
                tracing::warn!("{name} changes only when the proxy is restarted");
            }
        }
        (self.set_log)(new.log);
        if let Some(certificate) = &mut self.certificate {
            certificate.refresh();
        }
        match &self.upstreams {
            Some(upstreams) => {
                upstreams.set(new.upstreams.clone());
                tracing::info!("configuration read again; upstreams: {}", new.upstreams);
            }
            None => tracing::info!("configuration read again"),
        }
        (self.config.log, self.config.drain, self.config.upstreams) = (new.log, new.drain, new.upstreams);
    }
}
