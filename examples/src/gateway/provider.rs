//! The providers: their paths, their keys, and the shape of their errors.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Upstream;

/// Every header in which a client may show its key.
const CREDENTIALS: [&str; 3] = ["authorization", "x-api-key", "x-goog-api-key"];

/// Headers that do not go to a provider: the tenant's key, what belongs to the client's connection, and the encodings that
/// the client takes, because the gateway reads the answer and encodes it itself.
pub const KEPT_BACK: [&str; 7] = [
    "authorization",
    "x-api-key",
    "x-goog-api-key",
    "host",
    "connection",
    "transfer-encoding",
    "accept-encoding",
];

/// An API that the gateway forwards.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI Chat Completions and Responses.
    OpenAi,
    /// Gemini.
    Gemini,
}

impl Provider {
    /// The provider that a path belongs to; `None` for paths that the gateway does not forward.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let generates =
            |path: &str| path.contains(":generateContent") || path.contains(":streamGenerateContent");
        match path {
            "/v1/messages" | "/v1/messages/count_tokens" => Some(Self::Anthropic),
            "/v1/chat/completions" | "/v1/responses" => Some(Self::OpenAi),
            _ if path.starts_with("/v1beta/models/") && generates(path) => Some(Self::Gemini),
            _ => None,
        }
    }

    /// The name in messages and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
        }
    }

    /// The body of an error, in the shape that the provider's clients read.
    ///
    /// # Example
    ///
    /// ```
    /// use headroom_examples::gateway::Provider;
    ///
    /// let error = Provider::Anthropic.error(429, "later");
    /// assert_eq!(error["error"]["type"], "rate_limit_error");
    /// ```
    #[must_use]
    pub fn error(self, status: u16, message: &str) -> Value {
        let (kind, code) = match status {
            401 => ("authentication_error", "UNAUTHENTICATED"),
            404 => ("not_found_error", "NOT_FOUND"),
            413 => ("request_too_large", "INVALID_ARGUMENT"),
            429 => ("rate_limit_error", "RESOURCE_EXHAUSTED"),
            400..500 => ("invalid_request_error", "INVALID_ARGUMENT"),
            _ => ("api_error", "UNAVAILABLE"),
        };
        match self {
            Self::Anthropic => json!({"type": "error", "error": {"type": kind, "message": message}}),
            Self::OpenAi => json!({"error": {"message": message, "type": kind, "param": null, "code": null}}),
            Self::Gemini => json!({"error": {"code": status, "message": message, "status": code}}),
        }
    }

    /// The header with the provider's own key; `None` if it gets none.
    #[must_use]
    pub fn credential(self, upstream: &Upstream) -> Option<(&'static str, String)> {
        let key = Some(upstream.key()).filter(|key| !key.is_empty())?;
        Some(match self {
            Self::Anthropic => ("x-api-key", key.to_owned()),
            Self::OpenAi => ("authorization", format!("Bearer {key}")),
            Self::Gemini => ("x-goog-api-key", key.to_owned()),
        })
    }
}

/// The key that a client shows, wherever its SDK puts it.
pub fn credential<'a>(
    header: impl Fn(&'static str) -> Option<&'a str>,
    query: Option<&'a str>,
) -> Option<&'a str> {
    let shown = CREDENTIALS.into_iter().find_map(header);
    let shown = shown.map(|key| key.strip_prefix("Bearer ").unwrap_or(key));
    shown.or_else(|| query?.split('&').find_map(|pair| pair.strip_prefix("key=")))
}

/// Whether a request may be sent again after this status.
///
/// Only where the provider says that it did nothing. After any other failure a model may have run, and running it again
/// would cost twice.
#[must_use]
pub const fn is_safe_to_repeat(status: u16) -> bool {
    matches!(status, 503 | 529)
}

impl Upstream {
    /// The URL of a path and query at the provider. A key in the query stays here.
    #[must_use]
    pub fn url_of(&self, path: &str, query: Option<&str>) -> String {
        let pairs = query.unwrap_or_default().split('&');
        let pairs: Vec<_> = pairs.filter(|pair| !pair.is_empty() && !pair.starts_with("key=")).collect();
        let mark = if pairs.is_empty() { "" } else { "?" };
        format!("{}{path}{mark}{}", self.url.trim_end_matches('/'), pairs.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_tells_the_provider() {
        for (path, provider) in [
            ("/v1/messages", Some(Provider::Anthropic)),
            ("/v1/chat/completions", Some(Provider::OpenAi)),
            ("/v1/responses", Some(Provider::OpenAi)),
            ("/v1beta/models/gemini-3-pro:streamGenerateContent", Some(Provider::Gemini)),
            ("/v1beta/models/gemini-3-pro", None),
            ("/v1/files", None),
        ] {
            assert_eq!(Provider::from_path(path), provider, "{path}");
        }
    }

    #[test]
    fn a_key_is_found_wherever_an_sdk_puts_it() {
        for (shown, value) in [("x-api-key", "k"), ("authorization", "Bearer k"), ("x-goog-api-key", "k")] {
            assert!(KEPT_BACK.contains(&shown));
            let header = |name: &'static str| (name == shown).then_some(value);
            assert_eq!(credential(header, None), Some("k"), "{shown}");
        }
        assert_eq!(credential(|_| None, Some("alt=sse&key=k")), Some("k"));
        assert_eq!(credential(|_| None, Some("alt=sse")), None);
    }

    #[test]
    fn a_key_in_the_query_stays_here() {
        let upstream: Upstream = toml::from_str("url = 'https://a.example/base/'").unwrap();
        for (query, url) in [
            (None, "https://a.example/base/v1/messages"),
            (Some("key=k"), "https://a.example/base/v1/messages"),
            (Some("alt=sse&key=k&beta=1"), "https://a.example/base/v1/messages?alt=sse&beta=1"),
        ] {
            assert_eq!(upstream.url_of("/v1/messages", query), url);
        }
    }
}
