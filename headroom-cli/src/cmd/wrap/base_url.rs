use std::net::SocketAddr;

use tokio::runtime::Runtime;

use crate::{
    config::{Base, Config, Upstreams},
    ledger::LedgerTotals,
    proxy::{EmbeddedProxy, ProxyError},
};

/// Provides base URLs that lead through the proxy.
#[derive(Debug)]
pub(super) enum BaseUrl<'a> {
    /// A proxy inside this process, which opens a port for each requested upstream.
    Own {
        runtime: &'a Runtime,
        proxy: Box<EmbeddedProxy>,
        config: &'a Config,
        open: Vec<(Option<Base>, SocketAddr)>,
    },
    /// A running proxy, whose upstreams are fixed.
    Shared(SocketAddr),
}

impl BaseUrl<'_> {
    /// The base URL for an agent whose requests go to this upstream; `None` stands for the configured ones, for which
    /// `path` is what the agent expects in a base URL after the host.
    pub(super) fn url(&mut self, upstream: Option<&Base>, path: &str) -> Result<String, ProxyError> {
        let (address, path) = match self {
            Self::Shared(address) => (*address, path),
            Self::Own { runtime, proxy, config, open } => {
                let known =
                    open.iter().find(|(base, _)| base.as_ref() == upstream).map(|(_, address)| *address);
                let address = match known {
                    Some(address) => address,
                    None => {
                        let upstreams = upstream.map_or_else(|| config.upstreams.clone(), Upstreams::all);
                        let address = runtime.block_on(proxy.listen(upstreams))?;
                        open.push((upstream.cloned(), address));
                        address
                    }
                };
                (address, upstream.map_or(path, Base::client_path))
            }
        };
        Ok(format!("http://{address}{path}"))
    }

    /// Waits until all turns are in the ledger.
    pub(super) fn flush(&self) {
        if let Self::Own { proxy, .. } = self {
            proxy.flush();
        }
    }

    /// What the turns cost and saved, if the proxy is this process's own.
    pub(super) fn sums(&self) -> Option<LedgerTotals> {
        match self {
            Self::Own { proxy, .. } => Some(proxy.sums()),
            Self::Shared(_) => None,
        }
    }

    /// Whether the agent's own upstream can be used.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self, Self::Own { .. })
    }
}
