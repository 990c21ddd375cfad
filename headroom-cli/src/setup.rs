//! The engine and the layer, made from the configuration.

use std::sync::Arc;

use headroom_core::{Engine, Retrieval};
use headroom_store::{Store, TenantLimits};
use headroom_tower::HeadroomLayer;

use crate::{
    config::{Config, Models},
    output,
};

/// The configured layer, the same in the proxy and the filter.
pub(crate) fn configured(config: &Config, store: Arc<dyn Store>) -> HeadroomLayer {
    let store: Arc<dyn Store> = match config.limits.stored_per_tenant {
        Some(bytes) => Arc::new(TenantLimits::new(store).bytes(bytes)),
        None => store,
    };
    let mut layer = layer(config, store).max_buffered(config.limits.buffered);
    if let Some(tenant) = config.tenant.clone() {
        layer = layer.tenant_from(move |_| tenant.clone());
    }
    match &config.originals_dir {
        Some(originals_dir) if config.retrieval == Retrieval::File => layer.plaintext(originals_dir.open()),
        _ => layer.retrieval(config.retrieval),
    }
}

/// The layer with the default retrieval.
pub(crate) fn layer(config: &Config, store: Arc<dyn Store>) -> HeadroomLayer {
    HeadroomLayer::with_store(store)
        .tier(config.tier)
        .epochs(config.epochs().is_on())
        .cache_hints(config.cache_hints.iter())
        .drop_tools(config.drop_tools.iter())
        .engine(engine(&config.models))
}

/// The engine with its models. Models that cannot be loaded stay off in this process.
pub(crate) fn engine(models: &Models) -> Engine {
    let (engine, failed) = models.engine();
    for reason in failed {
        output::note(&format_args!("headroom: {reason}"));
    }
    engine
}
