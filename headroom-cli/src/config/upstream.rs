use std::{fmt, str::FromStr};

use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};
use serde::Deserialize;

use super::provider::Provider;

/// The target of requests: scheme, host and, optionally, a path that is put in front of all requests' paths.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Base {
    scheme: Scheme,
    authority: Authority,
    /// Without a trailing slash; may be empty.
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidBase {
    #[error("not a URL; expected one such as https://api.example.com or http://127.0.0.1:11434/v1")]
    Syntax,
    #[error("an upstream URL has no user name or password; clients send their own keys")]
    UserInfo,
    #[error("an upstream URL has no query")]
    Query,
}

impl Base {
    pub(crate) fn fixed(host: &'static str) -> Self {
        Self { scheme: Scheme::HTTPS, authority: Authority::from_static(host), path: String::new() }
    }

    /// The runtime of Bedrock in a region.
    pub(super) fn bedrock(region: &str) -> Option<Self> {
        let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("https://bedrock-runtime.{region}.{domain}").parse().ok()
    }

    /// The upstream URL of a request with this path.
    pub(crate) fn join(&self, request: &Uri) -> Result<Uri, http::Error> {
        let target = request.path_and_query().map_or("/", PathAndQuery::as_str);
        let target = target.strip_prefix(self.shared_version(request.path())).unwrap_or(target);
        Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.authority.clone())
            .path_and_query(format!("{}{target}", self.path))
            .build()
    }

    /// The name or address of the server.
    #[cfg(feature = "otel")]
    pub(crate) fn host(&self) -> &str {
        self.authority.host()
    }

    /// The port, if it is named.
    #[cfg(feature = "otel")]
    pub(crate) fn port(&self) -> Option<u16> {
        self.authority.port_u16()
    }

    /// What a client puts in front of its paths so that they join to this as they would without a proxy: `/v1` if this
    /// ends in it.
    pub(crate) fn client_path(&self) -> &str {
        match self.path.rsplit_once('/') {
            Some((_, last)) if is_version(last) => {
                self.path.get(self.path.len() - last.len() - 1..).unwrap_or_default()
            }
            _ => "",
        }
    }

    /// `/v1` if this ends in it and the path starts with it: both a base URL and a client's path name the version.
    fn shared_version(&self, path: &str) -> &str {
        let version = self.client_path();
        if path.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            version
        } else {
            ""
        }
    }
}

fn is_version(segment: &str) -> bool {
    segment.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

impl fmt::Display for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

impl FromStr for Base {
    type Err = InvalidBase;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.contains('#') {
            return Err(InvalidBase::Syntax);
        }
        let parts = text.parse::<Uri>().map_err(|_| InvalidBase::Syntax)?.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(InvalidBase::Syntax);
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(InvalidBase::Syntax);
        }
        if authority.as_str().contains('@') {
            return Err(InvalidBase::UserInfo);
        }
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if path.query().is_some() {
            return Err(InvalidBase::Query);
        }
        Ok(Self { scheme, authority, path: path.path().trim_end_matches('/').to_owned() })
    }
}

impl TryFrom<String> for Base {
    type Error = InvalidBase;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The upstream of each provider's API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Upstreams {
    pub(super) anthropic: Option<Base>,
    pub(super) openai: Option<Base>,
    pub(super) gemini: Option<Base>,
    pub(super) bedrock: Option<Base>,
    pub(super) vertex: Option<Base>,
}

impl Upstreams {
    /// Uses the provider's own upstream if none is given and the provider has only one.
    pub(super) fn or_default(self) -> Self {
        let own = |given: Option<Base>, host| Some(given.unwrap_or_else(|| Base::fixed(host)));
        Self {
            anthropic: own(self.anthropic, "api.anthropic.com"),
            openai: own(self.openai, "api.openai.com"),
            gemini: own(self.gemini, "generativelanguage.googleapis.com"),
            ..self
        }
    }

    /// One upstream for every API.
    pub(crate) fn all(base: &Base) -> Self {
        let base = || Some(base.clone());
        Self { anthropic: base(), openai: base(), gemini: base(), bedrock: base(), vertex: base() }
    }

    /// Where the requests of a provider go; `None` if that is not configured.
    pub(crate) const fn for_provider(&self, provider: Provider) -> Option<&Base> {
        match provider {
            Provider::Anthropic => self.anthropic.as_ref(),
            Provider::OpenAi => self.openai.as_ref(),
            Provider::Gemini => self.gemini.as_ref(),
            Provider::Bedrock => self.bedrock.as_ref(),
            Provider::Vertex => self.vertex.as_ref(),
        }
    }
}

impl Upstreams {
    /// The configured upstreams, with the names of their providers.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &Base)> {
        let all = [
            ("anthropic", &self.anthropic),
            ("openai", &self.openai),
            ("gemini", &self.gemini),
            ("bedrock", &self.bedrock),
            ("vertex", &self.vertex),
        ];
        all.into_iter().filter_map(|(name, base)| Some((name, base.as_ref()?)))
    }
}

impl fmt::Display for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (name, base)) in self.named().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{name} {base}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_its_path_and_query_under_the_base() {
        for (base, target, url) in [
            ("https://a.example", "/v1/messages?beta=true", "https://a.example/v1/messages?beta=true"),
            ("http://127.0.0.1:1/", "/", "http://127.0.0.1:1/"),
            ("https://a.example/team/x/", "/v1/messages", "https://a.example/team/x/v1/messages"),
            ("https://a.example/api/v1", "/v1/responses?x=/v1", "https://a.example/api/v1/responses?x=/v1"),
            ("https://a.example/api/v1", "/v1", "https://a.example/api/v1"),
            ("https://a.example/v1", "/v1beta/models", "https://a.example/v1/v1beta/models"),
            ("https://a.example/api", "/api/hello", "https://a.example/api/api/hello"),
            ("https://a.example", "//evil.example/v1", "https://a.example//evil.example/v1"),
        ] {
            let base: Base = base.parse().unwrap();
            assert_eq!(base.join(&target.parse().unwrap()).unwrap().to_string(), url, "{base} {target}");
        }
    }

    #[test]
    fn what_is_no_base_is_refused() {
        for (text, error) in [
            ("api.example.com", InvalidBase::Syntax),
            ("/v1", InvalidBase::Syntax),
            ("ftp://a.example", InvalidBase::Syntax),
            ("https://a.example/#x", InvalidBase::Syntax),
            ("https://me:secret@a.example", InvalidBase::UserInfo),
            ("https://a.example/?key=1", InvalidBase::Query),
        ] {
            assert_eq!(text.parse::<Base>(), Err(error), "{text}");
        }
    }
}
