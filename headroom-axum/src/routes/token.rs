use std::fmt;

use http::{HeaderMap, HeaderName, header};
use subtle::ConstantTimeEq;

/// Where a client that has another `authorization` puts the secret.
const TOKEN: HeaderName = HeaderName::from_static("x-headroom-token");
/// A secret must not be guessed.
const MIN_LENGTH_BYTES: usize = 32;

/// What a client shows to be let in at [`Routes`](super::Routes): as `authorization: Bearer SECRET`, or, where the
/// client has another `authorization`, as `x-headroom-token: SECRET`.
///
/// How long a comparison takes does not tell how much of what was shown is right.
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

/// What was given is no secret: shorter than 32 characters, or with others than visible ASCII.
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
    /// A secret of 32 visible ASCII characters or more.
    ///
    /// # Errors
    ///
    /// If the text is shorter, or has other characters: it could not stand in a header.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidBearerToken> {
        let text = text.into();
        let is_secret = text.len() >= MIN_LENGTH_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_secret { Ok(Self(text)) } else { Err(InvalidBearerToken) }
    }

    /// Whether this is it.
    #[must_use]
    pub fn matches(&self, shown: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(shown).into()
    }

    /// The secret itself, for a client.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a request shows it.
    pub(super) fn is_shown(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| {
            let (scheme, token) = value.as_bytes().split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
        });
        let named = headers.get(TOKEN).map(|value| value.as_bytes());
        [bearer, named].into_iter().flatten().any(|shown| self.matches(shown))
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
