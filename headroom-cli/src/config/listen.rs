use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use serde::Deserialize;

/// An address to listen on. If other machines can reach it, every request needs the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Listen(SocketAddr);

impl Listen {
    #[cfg(feature = "envoy")]
    pub(crate) const fn new(address: SocketAddr) -> Self {
        Self(address)
    }

    pub(crate) const fn address(self) -> SocketAddr {
        self.0
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self((Ipv4Addr::LOCALHOST, 8787).into())
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whether a URL names the proxy at this address.
pub(crate) fn leads_to(url: &str, proxy: SocketAddr) -> bool {
    let rest = url.trim_start_matches("http://");
    let host = rest.split('/').next().unwrap_or_default().replace("localhost", "127.0.0.1");
    host == proxy.to_string()
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidListen {
    #[error("not an address; expected ADDRESS:PORT such as 127.0.0.1:8787 or [::1]:8787")]
    Syntax,
}

impl FromStr for Listen {
    type Err = InvalidListen;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(match text.strip_prefix("localhost:") {
            Some(port) => (Ipv4Addr::LOCALHOST, port.parse().map_err(|_| InvalidListen::Syntax)?).into(),
            None => text.parse::<SocketAddr>().map_err(|_| InvalidListen::Syntax)?,
        }))
    }
}

impl TryFrom<String> for Listen {
    type Error = InvalidListen;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken() {
        for (text, address) in [
            ("127.0.0.1:8787", "127.0.0.1:8787"),
            ("127.0.0.2:0", "127.0.0.2:0"),
            ("[::1]:80", "[::1]:80"),
            ("localhost:9", "127.0.0.1:9"),
            ("0.0.0.0:8787", "0.0.0.0:8787"),
        ] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), address);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in
            ["", "8787", "127.0.0.1", "localhost", "localhost:x", "example.com:80", "http://127.0.0.1:1"]
        {
            assert_eq!(text.parse::<Listen>(), Err(InvalidListen::Syntax), "{text}");
        }
    }

    #[test]
    fn a_url_leads_to_the_proxy_by_its_host() {
        let proxy = ([127, 0, 0, 1], 8787).into();
        for url in ["http://127.0.0.1:8787", "http://localhost:8787/", "http://127.0.0.1:8787/v1"] {
            assert!(leads_to(url, proxy), "{url}");
        }
        for url in ["http://127.0.0.1:87", "https://example.com", "http://127.0.0.1:87870"] {
            assert!(!leads_to(url, proxy), "{url}");
        }
    }
}
