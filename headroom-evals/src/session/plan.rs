//! What each request reads from the cache and writes to it, as recorded or with another lifetime.

use super::{CacheEvent, Rates, RecordedSession};

/// The lifetime of what is written to the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ttl {
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    Hour,
}

impl Ttl {
    /// Returns the lifetime.
    #[must_use]
    pub const fn seconds(self) -> f64 {
        match self {
            Self::FiveMinutes => 300.0,
            Self::Hour => 3_600.0,
        }
    }

    /// Returns the name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FiveMinutes => "5m",
            Self::Hour => "1h",
        }
    }
}

/// Where the prefix of one request ends that is read, and that which is written, and the price of a written token.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct CachePlan {
    pub(super) read: f64,
    pub(super) written: f64,
    pub(super) write_rate: f64,
}

/// The plan of each request. With a lifetime of another length, pauses decide whether what the request before left is
/// still there; a first request, a compaction, another model, a rewind and a miss without a pause keep what was read.
pub(super) fn plans(
    session: &RecordedSession,
    ttl: Option<Ttl>,
    rates: &dyn Fn(&str) -> Rates,
) -> Vec<CachePlan> {
    let own = session.ttl();
    let mut left = 0.0;
    let mut plans = Vec::with_capacity(session.requests.len());
    for request in &session.requests {
        let (counted, rates) = (request.counted, rates(&request.model));
        let price = |ttl: Ttl| if ttl == Ttl::Hour { rates.write_long } else { rates.write };
        let written = counted.written();
        let plan = match ttl {
            None => {
                let cost = counted.write * rates.write + counted.write_long * rates.write_long;
                let write_rate = if written > 0.0 { cost / written } else { price(own) };
                CachePlan { read: counted.read, written, write_rate }
            }
            Some(ttl) => {
                let cached = counted.prompt() - counted.input;
                let lives = request.pause <= ttl.seconds();
                let read = match request.event {
                    CacheEvent::Hit if lives => counted.read,
                    CacheEvent::Hit => 0.0,
                    CacheEvent::Expired | CacheEvent::Pause if lives => counted.read.max(cached.min(left)),
                    CacheEvent::Expired | CacheEvent::Pause => counted.read.min(session.head),
                    _ => counted.read,
                };
                CachePlan { read, written: (cached - read).max(0.0), write_rate: price(ttl) }
            }
        };
        left = counted.read + written;
        plans.push(plan);
    }
    plans
}
