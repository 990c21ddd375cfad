use std::fmt;

use http::{HeaderMap, HeaderName, header};
use subtle::ConstantTimeEq;

/// The header for the secret of a client that needs `authorization` otherwise.
const TOKEN: HeaderName = HeaderName::from_static("x-headroom-token");
/// The shortest secret, so that it cannot be guessed.
const MIN_LENGTH_BYTES: usize = 32;

/// A secret that clients send to access [`Routes`](super::Routes): as `authorization: Bearer SECRET`, or, if they need
/// `authorization` otherwise, as `x-headroom-token: SECRET`.
///
/// Comparison takes constant time, so its duration does not reveal how much of a guess is right.
///
/// # Example
///
/// ```
/// use headroom_axum::BearerToken;
///
/// let secret = BearerToken::new("3f1c9a7be05d48e2a6b4c8d0f9e17a53")?;
/// assert!(secret.matches(b"3f1c9a7be05d48e2a6b4c8d0f9e17a53"));
/// assert!(BearerToken::new("guess me").is_err()); // shorter than 32 characters
/// # Ok::<(), headroom_axum::InvalidBearerToken>(())
/// ```
#[derive(Clone)]
pub struct BearerToken(String);

/// Error returned for an unusable secret: shorter than 32 characters, or not all visible ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidBearerToken;

impl fmt::Display for InvalidBearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a secret has {MIN_LENGTH_BYTES} visible ASCII characters or more")
    }
}

impl std::error::Error for InvalidBearerToken {}

impl BearerToken {
    /// Creates a token from a secret of 32 or more visible ASCII characters.
    ///
    /// # Errors
    ///
    /// If the text is shorter, or has characters that a header cannot hold.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidBearerToken> {
        let text = text.into();
        let is_secret = text.len() >= MIN_LENGTH_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_secret { Ok(Self(text)) } else { Err(InvalidBearerToken) }
    }

    /// Whether the given bytes are the secret.
    #[must_use]
    pub fn matches(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }

    /// Returns the secret itself, for a client.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Removes the secret from a request's headers, where it would count as a provider's key. Returns whether it was there.
    pub(super) fn take(&self, headers: &mut HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.as_bytes().split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
        });
        let is_bearer = bearer.is_some_and(|shown| self.matches(shown));
        if is_bearer {
            headers.remove(header::AUTHORIZATION);
        }
        let is_named = headers.get(TOKEN).is_some_and(|shown| self.matches(shown.as_bytes()));
        if is_named {
            headers.remove(TOKEN);
        }
        is_bearer || is_named
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(..)")
    }
}
