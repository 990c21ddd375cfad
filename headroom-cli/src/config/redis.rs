//! The URL of a Redis or Valkey server as the store, whose password is never shown.

use std::fmt;

use headroom_store::RedisStore;

/// The schemes of such URLs.
const SCHEMES: [&str; 4] = ["redis://", "rediss://", "valkey://", "valkeys://"];
/// Shown in place of a password.
const HIDDEN: &str = "***";
const MAX_PREFIX_BYTES: usize = 64;

/// A server that several proxies share. It displays without its password.
#[derive(Clone)]
pub(crate) struct RedisServer {
    text: String,
    store: RedisStore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRedis {
    #[error(
        "not the URL of a Redis or Valkey server; expected redis://USER:PASSWORD@HOST:PORT/DATABASE?prefix=NAME, or \
         rediss:// for TLS, of which only the host is needed"
    )]
    Url,
    #[error("a prefix is 1 to {MAX_PREFIX_BYTES} letters, digits and any of `-_.:`")]
    Prefix,
    #[error("`***` stands for a password that was hidden; write the password itself")]
    Hidden,
}

impl RedisServer {
    /// Whether a text is meant as such a URL.
    pub(super) fn is_meant(text: &str) -> bool {
        SCHEMES
            .iter()
            .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
    }

    pub(super) fn parse(text: &str) -> Result<Self, InvalidRedis> {
        let (rest, query) = text.split_once('?').map_or((text, None), |(rest, query)| (rest, Some(query)));
        // Certificates are checked: the client's own `#insecure` would turn that off.
        if text.contains('#') {
            return Err(InvalidRedis::Url);
        }
        if rest.contains(&format!(":{HIDDEN}@")) {
            return Err(InvalidRedis::Hidden);
        }
        let mut builder = RedisStore::builder(rest);
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if name != "prefix" {
                return Err(InvalidRedis::Url);
            }
            if !is_prefix(&value) {
                return Err(InvalidRedis::Prefix);
            }
            builder = builder.prefix(value);
        }
        let store = builder.build().map_err(|_| InvalidRedis::Url)?;
        Ok(Self { text: text.to_owned(), store })
    }

    /// The store on this server. All of them share one connection, which is made on first use.
    pub(crate) fn open(&self) -> RedisStore {
        self.store.clone()
    }
}

fn is_prefix(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=MAX_PREFIX_BYTES).contains(&text.len()) && text.bytes().all(is_plain)
}

/// Hides the user's part of every URL in a text, all but the name before a password.
///
/// A password may hold any character, so all up to the last `@` of a line is hidden.
pub(crate) fn without_passwords(text: &str) -> String {
    let hide = |line: &str| {
        let shown = || {
            let (scheme, rest) = line.split_once("://")?;
            let (user, rest) = rest.rsplit_once('@')?;
            let name = user.split_once(':').map_or("", |(name, _)| name);
            let colon = if user.contains(':') { ":" } else { "" };
            Some(format!("{scheme}://{name}{colon}{HIDDEN}@{rest}"))
        };
        shown().unwrap_or_else(|| line.to_owned())
    };
    text.split('\n').map(hide).collect::<Vec<_>>().join("\n")
}

impl PartialEq for RedisServer {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RedisServer {}

impl fmt::Display for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&without_passwords(&self.text))
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisServer({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_shows_no_password() {
        for (url, shown) in [
            ("redis://127.0.0.1", "redis://127.0.0.1"),
            ("redis://h:1/2?prefix=a", "redis://h:1/2?prefix=a"),
            ("redis://:hunter2@h", "redis://:***@h"),
            ("rediss://me:hunter2@h:6380/1?prefix=team-a", "rediss://me:***@h:6380/1?prefix=team-a"),
            ("VALKEY://me:p%40ss@h", "VALKEY://me:***@h"),
            ("valkeys://me@h", "valkeys://***@h"),
        ] {
            assert!(RedisServer::is_meant(url), "{url}");
            let server = RedisServer::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!(server.to_string(), shown, "{url}");
            assert!(!format!("{server:?}").contains("hunter2"), "{url}");
        }
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for (url, error) in [
            ("redis://", InvalidRedis::Url),
            ("redis://h:port", InvalidRedis::Url),
            ("redis://h/database", InvalidRedis::Url),
            ("rediss://h#insecure", InvalidRedis::Url),
            ("redis://h?timeout=1", InvalidRedis::Url),
            ("redis://h?prefix=", InvalidRedis::Prefix),
            ("redis://h?prefix=a*", InvalidRedis::Prefix),
            ("redis://:***@h", InvalidRedis::Hidden),
        ] {
            assert_eq!(RedisServer::parse(url).unwrap_err(), error, "{url}");
        }
        for text in ["redis", "/redis://", "http://h", "memory"] {
            assert!(!RedisServer::is_meant(text), "{text}");
        }
    }

    #[test]
    fn passwords_in_messages_are_hidden_whatever_they_hold() {
        let message = "line 1\n1 | store = 'redis://me:a/b?c#d@e@h'\n  | ^^^";
        assert_eq!(without_passwords(message), "line 1\n1 | store = 'redis://me:***@h'\n  | ^^^");
        assert_eq!(without_passwords("see https://a.example"), "see https://a.example");
    }
}
