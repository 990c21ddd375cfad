//! What callers set for one request by headers. The headers go to no provider.

use std::{net::SocketAddr, str::FromStr};

use headroom_core::{Retrieval, Tier};
use headroom_tower::HeadroomOverride;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::config::Epochs;

const BYPASS: &str = "x-headroom-bypass";
const EPOCHS: &str = "x-headroom-epochs";
const RETRIEVAL: &str = "x-headroom-retrieval";
const TENANT: &str = "x-headroom-tenant";
const TIER: &str = "x-headroom-tier";
/// The response's header that names the ones without effect.
const IGNORED: HeaderName = HeaderName::from_static("x-headroom-ignored");
const OUTCOME: HeaderName = HeaderName::from_static("x-headroom-outcome");

const MAX_TENANT_BYTES: usize = 128;

/// Where a request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    /// Whether it runs on this machine, as far as visible.
    pub(super) is_here: bool,
    /// Whether it showed the proxy's token.
    pub(super) has_token: bool,
}

impl Caller {
    pub(super) fn new(peer: SocketAddr, headers: &HeaderMap, has_token: bool) -> Self {
        Self { is_here: is_here(peer, headers), has_token }
    }
}

/// The settings of one request.
#[derive(Debug, Default)]
pub(super) struct RequestSettings {
    settings: Option<HeadroomOverride>,
    is_bypass: bool,
    ignored: Vec<&'static str>,
}

impl RequestSettings {
    /// Reads the headers. `retrieval` is the configured one.
    pub(super) fn new(headers: &HeaderMap, caller: Caller, retrieval: Retrieval) -> Self {
        let mut reader = Reader { headers, caller, ignored: Vec::new() };
        let mut settings = None;
        if let Some(epochs) = reader.read::<Epochs>(EPOCHS) {
            set(&mut settings, |own| own.epochs(epochs.is_on()));
        }
        if let Some(tier) = reader.read::<Tier>(TIER) {
            set(&mut settings, |own| own.tier(tier));
        }
        if let Some(Tenant(name)) = reader.read(TENANT) {
            set(&mut settings, |own| own.tenant(name));
        }
        // An agent elsewhere cannot read files of this machine.
        let elsewhere = (retrieval == Retrieval::File && !caller.is_here).then_some(Retrieval::ServerTool);
        if let Some(way) = reader.read(RETRIEVAL).map(|Way(way)| way).or(elsewhere) {
            set(&mut settings, |own| own.retrieval(way));
        }
        let is_bypass = reader.read(BYPASS) == Some(Bypass(true));
        if is_bypass {
            settings = Some(HeadroomOverride::disabled());
        }
        Self { settings, is_bypass, ignored: reader.ignored }
    }

    /// Returns the settings for the layer, if there are any.
    pub(super) fn take(&mut self) -> Option<HeadroomOverride> {
        self.settings.take()
    }

    /// Says in a response what had no effect, and that the request was sent as it came.
    pub(super) fn describe(&self, headers: &mut HeaderMap) {
        if self.is_bypass {
            headers.insert(OUTCOME, HeaderValue::from_static("disabled"));
        }
        if let Ok(names) = HeaderValue::from_str(&self.ignored.join(", "))
            && !self.ignored.is_empty()
        {
            headers.insert(IGNORED, names);
        }
    }
}

fn set(settings: &mut Option<HeadroomOverride>, change: impl FnOnce(HeadroomOverride) -> HeadroomOverride) {
    *settings = Some(change(settings.take().unwrap_or_default()));
}

/// Reads headers that are there once, have a value that can be parsed, and come from a caller who may set them.
struct Reader<'a> {
    headers: &'a HeaderMap,
    caller: Caller,
    ignored: Vec<&'static str>,
}

impl Reader<'_> {
    fn read<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        let mut values = self.headers.get_all(name).iter();
        let (value, more) = (values.next()?, values.next());
        // Whoever names a tenant gets what is stored for it.
        let may_set = self.caller.has_token || self.caller.is_here && name != TENANT;
        let parsed = value.to_str().ok().and_then(|value| value.trim().parse().ok());
        let parsed = parsed.filter(|_| may_set && more.is_none());
        if parsed.is_none() {
            self.ignored.push(name);
        }
        parsed
    }
}

/// `true` or `false`.
#[derive(Debug, PartialEq, Eq)]
struct Bypass(bool);

impl FromStr for Bypass {
    type Err = std::str::ParseBoolError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_ascii_lowercase().parse().map(Self)
    }
}

/// A way of retrieval that a caller may choose: any but files, which depend on the configuration.
struct Way(Retrieval);

impl FromStr for Way {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let way = text.parse().map_err(|_| ())?;
        if way == Retrieval::File { Err(()) } else { Ok(Self(way)) }
    }
}

struct Tenant(String);

impl FromStr for Tenant {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_name = (1..=MAX_TENANT_BYTES).contains(&text.len());
        if is_name { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

/// Whether a client runs on this machine, as far as visible: forwarded requests may come from anywhere.
fn is_here(peer: SocketAddr, headers: &HeaderMap) -> bool {
    const FORWARDED: [&str; 4] = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];
    peer.ip().to_canonical().is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Caller = Caller { is_here: true, has_token: false };
    const ELSEWHERE: Caller = Caller { is_here: false, has_token: false };
    const WITH_TOKEN: Caller = Caller { is_here: false, has_token: true };

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    /// The layer's settings as they print, and what the response says.
    fn read(lines: &[(&'static str, &'static str)], caller: Caller) -> (String, HeaderMap) {
        let mut settings = RequestSettings::new(&headers(lines), caller, Retrieval::ServerTool);
        let mut response = HeaderMap::new();
        settings.describe(&mut response);
        (settings.take().map_or_else(String::new, |own| format!("{own:?}")), response)
    }

    #[test]
    fn a_caller_sets_what_holds_for_its_request() {
        for (name, value, expected) in [
            (EPOCHS, "off", "epochs: Some(false)"),
            (EPOCHS, "on", "epochs: Some(true)"),
            (TIER, "lossless", "tier: Some(Lossless)"),
            (RETRIEVAL, "client-tool", "retrieval: Some(ClientTool)"),
            (RETRIEVAL, "off", "retrieval: Some(Disabled)"),
            (BYPASS, "true", "disabled: true"),
            (BYPASS, "True", "disabled: true"),
        ] {
            for caller in [HERE, WITH_TOKEN] {
                let (settings, response) = read(&[(name, value)], caller);
                assert!(settings.contains(expected), "{name}: {value}: {settings}");
                assert!(!response.contains_key(IGNORED), "{name}: {value}");
                assert_eq!(response.contains_key(OUTCOME), name == BYPASS);
            }
            let (settings, response) = read(&[(name, value)], ELSEWHERE);
            assert_eq!((settings.as_str(), response[IGNORED].to_str().unwrap()), ("", name));
        }
        let all = [(EPOCHS, "on"), (TIER, "dedup"), (BYPASS, "false")];
        let (settings, response) = read(&all, HERE);
        assert!(settings.contains("Dedup") && settings.contains("epochs: Some(true)"), "{settings}");
        assert!(response.is_empty() && read(&[], HERE) == (String::new(), HeaderMap::new()));
    }

    #[test]
    fn a_tenant_is_named_by_whoever_has_the_token_and_by_nobody_else() {
        let (settings, _) = read(&[(TENANT, "team-a")], WITH_TOKEN);
        assert!(settings.contains("team-a"), "{settings}");
        for caller in [HERE, ELSEWHERE] {
            let (settings, response) = read(&[(TENANT, "team-a")], caller);
            assert_eq!((settings.as_str(), response[IGNORED].to_str().unwrap()), ("", TENANT));
        }
    }

    #[test]
    fn what_cannot_be_read_has_no_effect_and_is_named() {
        for (name, value) in
            [(EPOCHS, "perhaps"), (TIER, "most"), (RETRIEVAL, "file"), (BYPASS, "1"), (TENANT, "")]
        {
            let (settings, response) = read(&[(name, value)], WITH_TOKEN);
            assert_eq!((settings.as_str(), response[IGNORED].to_str().unwrap()), ("", name));
        }
        let (settings, response) = read(&[(TIER, "dedup"), (TIER, "lossless"), (EPOCHS, "?")], HERE);
        assert!(settings.is_empty() && response[IGNORED] == "x-headroom-epochs, x-headroom-tier");
    }

    #[test]
    fn files_are_for_agents_on_this_machine() {
        let settings = |caller| RequestSettings::new(&HeaderMap::new(), caller, Retrieval::File).take();
        assert!(settings(HERE).is_none());
        assert!(settings(WITH_TOKEN).is_some_and(|own| format!("{own:?}").contains("ServerTool")));
    }

    #[test]
    fn clients_elsewhere_are_told_from_those_on_this_machine() {
        let is_here = |peer: &str, name: Option<&'static str>| {
            let lines = name.map(|name| (name, "10.0.0.7"));
            is_here(peer.parse().unwrap(), &headers(lines.as_slice()))
        };
        for peer in ["127.0.0.1:9", "127.8.0.1:9", "[::1]:9", "[::ffff:127.0.0.1]:9"] {
            assert!(is_here(peer, None), "{peer}");
            assert!(!is_here(peer, Some("x-forwarded-for")) && !is_here(peer, Some("via")));
        }
        for peer in ["10.0.0.7:9", "[::ffff:10.0.0.7]:9", "[fe80::1]:9", "0.0.0.0:9"] {
            assert!(!is_here(peer, None), "{peer}");
        }
    }
}
