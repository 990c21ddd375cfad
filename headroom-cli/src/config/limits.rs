//! Timeouts and limits of the proxy.

use std::time::Duration;

use super::{Settings, first};

/// Timeouts and limits for clients and upstreams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// For a connection without a request, or a client that does not read its response.
    pub(crate) idle: Duration,
    /// For the next bytes of a request's body.
    pub(crate) body: Duration,
    /// For the next bytes from an upstream.
    pub(crate) answer: Duration,
    pub(crate) connections: usize,
    /// From one machine other than this one.
    pub(crate) connections_per_peer: usize,
    /// Bytes of request bodies at a time.
    pub(crate) buffered: u64,
    /// Bytes of originals that one tenant may store in a week; `None` without a limit.
    pub(crate) stored_per_tenant: Option<u64>,
}

impl Limits {
    pub(super) fn from_sources(sources: &[Settings; 3]) -> Self {
        let number = |get: fn(&Settings) -> Option<&u32>, default: u32| {
            first(sources, get).map_or(default, |number| number.max(1))
        };
        let seconds = |get, default| Duration::from_secs(number(get, default).into());
        let count = |get, default| usize::try_from(number(get, default)).unwrap_or(usize::MAX);
        Self {
            // Agents pause for minutes between two requests on one connection and expect it to stay open, as it does at
            // providers.
            idle: seconds(|source| source.idle_seconds.as_ref(), 600),
            body: seconds(|source| source.body_seconds.as_ref(), 60),
            // A model that thinks without streaming is silent for many minutes; streams have pings.
            answer: seconds(|source| source.answer_seconds.as_ref(), 3600),
            connections: count(|source| source.max_connections.as_ref(), 16_384),
            connections_per_peer: count(|source| source.max_connections_per_peer.as_ref(), 1024),
            buffered: u64::from(number(|source| source.max_buffered_mb.as_ref(), 1024)) << 20,
            stored_per_tenant: first(sources, |source| source.max_stored_mb_per_tenant.as_ref())
                .map(|mb| u64::from(mb) << 20),
        }
    }
}
