use std::net::SocketAddr;

use tokio::runtime::Runtime;

use crate::{
    config::{Base, Config, Upstreams},
    proxy::{Embedded, ProxyError},
};

/// Gives the addresses that lead through the proxy.
#[derive(Debug)]
pub(super) enum BaseUrl<'a> {
    /// A proxy of our own, which opens a port for each upstream that is asked for.
    Own {
        runtime: &'a Runtime,
        proxy: Box<Embedded>,
        config: &'a Config,
        open: Vec<(Option<Base>, SocketAddr)>,
    },
    /// A proxy that has its upstreams already.
    Shared(SocketAddr),
}

impl BaseUrl<'_> {
    /// The base URL for an agent whose requests go to this upstream, `None` for the configured ones. There, `path` is
    /// what the agent expects in a base URL beside the host.
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

    /// Waits until what became of the turns is written down.
    pub(super) fn flush(&self) {
        if let Self::Own { proxy, .. } = self {
            proxy.flush();
        }
    }

    /// Whether the agent's own upstream can be served.
    pub(super) const fn is_own(&self) -> bool {
        matches!(self, Self::Own { .. })
    }
}
