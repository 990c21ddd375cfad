use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The origins, as browsers write them, of web pages that may send requests through the proxy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct Origins(Vec<String>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not an origin; expected SCHEME://HOST or SCHEME://HOST:PORT as a browser sends it, or null"
)]
pub(crate) struct InvalidOrigin(String);

impl Origins {
    pub(crate) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Whether this `Origin` header names one of them.
    pub(crate) fn contains(&self, origin: &[u8]) -> bool {
        self.0.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(origin))
    }

    fn parse<'a>(origins: impl Iterator<Item = &'a str>) -> Result<Self, InvalidOrigin> {
        origins.map(origin).collect::<Result<_, _>>().map(Self)
    }
}

/// Browsers send no path, not even a slash. There is no wildcard, since it would allow every page.
fn origin(text: &str) -> Result<String, InvalidOrigin> {
    let is_host = |host: &str| {
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@*,\\\"".contains(&byte))
    };
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    };
    match text.split_once("://") {
        Some((scheme, host)) if is_scheme(scheme) && is_host(host) => Ok(text.to_owned()),
        None if text == "null" => Ok(text.to_owned()),
        _ => Err(InvalidOrigin(text.to_owned())),
    }
}

impl fmt::Display for Origins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl FromStr for Origins {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.split(',').map(str::trim).filter(|origin| !origin.is_empty()))
    }
}

impl TryFrom<Vec<String>> for Origins {
    type Error = InvalidOrigin;

    fn try_from(origins: Vec<String>) -> Result<Self, Self::Error> {
        Self::parse(origins.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_browsers_send() {
        let text = "https://app.example, http://localhost:3000,chrome-extension://abcdef,null,http://[::1]:1";
        let origins: Origins = text.parse().unwrap();
        for origin in ["https://app.example", "HTTPS://App.Example", "http://localhost:3000", "null"] {
            assert!(origins.contains(origin.as_bytes()), "{origin}");
        }
        for origin in [
            "",
            "http://app.example",
            "https://app.example:8443",
            "https://app.example.evil",
            "http://localhost",
        ] {
            assert!(!origins.contains(origin.as_bytes()), "{origin}");
        }
        assert!(!Origins::default().contains(b"null"));
        assert_eq!(origins.to_string().parse(), Ok(origins));
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for text in [
            "*",
            "https://*",
            "https://*.example",
            "app.example",
            "https://",
            "https://a.example/",
            "https://a.example/x",
            "https://me@a.example",
            "://a",
            "1a://b",
            "https://a b",
        ] {
            assert!(text.parse::<Origins>().is_err(), "{text}");
        }
    }
}
