//! Derives the tenant of a request.
//!
//! Originals belong to the credential that sent them: only its holder can retrieve them. Credentials of subscriptions
//! and clouds last an hour, and conversations last longer, so hidden exchanges are also stored under the account that a
//! request claims. The claim is not verified, and a false one gains nothing: such an exchange is found only by a hash
//! of the whole conversation before it, and holds only content of that conversation.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use headroom_json::Value;
use http::{HeaderMap, header, request::Parts};

/// Every header that carries a credential of a known provider.
const CREDENTIALS: [&str; 4] = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// Hashes all credentials of a request into its tenant, so that a request with only some of another tenant's
/// credentials has another tenant.
fn from_credentials(parts: &Parts) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("headroom-tower tenant v1");
    let mut add = |name: &str, value: &[u8]| {
        hasher.update(name.as_bytes()).update(&(value.len() as u64).to_be_bytes()).update(value);
    };
    for name in CREDENTIALS {
        parts.headers.get_all(name).iter().for_each(|value| add(name, value.as_bytes()));
    }
    let query = parts.uri.query().unwrap_or_default();
    query.split('&').filter_map(|pair| pair.strip_prefix("key=")).for_each(|key| add("key=", key.as_bytes()));
    hasher.finalize().to_hex().as_str().get(..32).unwrap_or_default().to_owned()
}

/// Headers that name an account, regardless of the credential.
const ACCOUNTS: [&str; 3] = ["chatgpt-account-id", "openai-organization", "openai-project"];

/// Whose originals and exchanges these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    name: String,
    /// Whether the name is derived from a credential, so that it ends when the credential is renewed.
    is_credential: bool,
}

impl Tenant {
    /// Creates a tenant of a name that outlives credentials.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), is_credential: false }
    }

    /// Creates the tenant of whoever has the credentials of this request: a hash of `authorization`, `x-api-key`,
    /// `api-key`, `x-goog-api-key` and a `key` in the query. Requests without credentials share one tenant.
    #[must_use]
    pub fn from_credentials(parts: &Parts) -> Self {
        Self { name: from_credentials(parts), is_credential: true }
    }

    /// Returns the name under which the store has what is this tenant's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The account that a request claims, unverified; empty if it claims none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Account(String);

/// The names under which the hidden exchanges of a request are stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) tenant: String,
    /// The name that outlives the tenant's; `None` if the tenant's own does.
    pub(crate) account: Option<String>,
}

impl Account {
    /// Reads the claims in the head and the `metadata` of a request.
    pub(crate) fn new(parts: &Parts, metadata: Option<Value<'_>>) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("headroom-tower account v1");
        let mut add = |name: &str, value: &[u8]| {
            hasher.update(name.as_bytes()).update(&(value.len() as u64).to_be_bytes()).update(value);
        };
        for name in ACCOUNTS {
            parts.headers.get_all(name).iter().for_each(|value| add(name, value.as_bytes()));
        }
        if let Some(subject) = subject(&parts.headers) {
            add("subject", subject.as_bytes());
        }
        if let Some(user) = metadata.and_then(user) {
            add("user", user.as_bytes());
        }
        Self(hasher.finalize().to_hex().as_str().get(..32).unwrap_or_default().to_owned())
    }
}

impl Owner {
    pub(crate) fn new(tenant: Tenant, account: &Account) -> Self {
        // The prefix keeps the name distinct from any credential's hash.
        let account = tenant.is_credential.then(|| format!("account-{}", account.0));
        Self { tenant: tenant.name, account }
    }

    /// Returns the name that lasts as long as the conversation.
    pub(crate) fn lasting(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.tenant)
    }
}

/// Returns issuer and subject of a bearer token that is a JWT. They survive its renewal.
fn subject(headers: &HeaderMap) -> Option<String> {
    let token = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut parts = token.trim().split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let payload =
        String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
    let claims = Value::parse(&payload)?;
    let member = |key: &str| claims.get(key).and_then(Value::text).unwrap_or_default();
    Some(format!("{} {}", member("iss"), member("sub")))
}

/// Returns the user of an Anthropic request without the session, which changes when the client restarts.
fn user(metadata: Value<'_>) -> Option<String> {
    let id = metadata.get("user_id")?.text()?;
    if let Some(members) = Value::parse(&id).filter(|id| id.is_object()) {
        let members = members.members().filter(|member| !member.key.is("session_id"));
        return Some(members.map(|member| format!("{}:{} ", member.key.raw(), member.value.raw())).collect());
    }
    Some(id.split("_session_").next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn tenant(uri: &str, headers: &[(&str, &str)]) -> String {
        let request =
            headers.iter().fold(Request::post(uri), |request, (name, value)| request.header(*name, *value));
        from_credentials(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn the_same_credential_is_the_same_tenant_whatever_else_differs() {
        let tenant_a = tenant("/v1/messages", &[("x-api-key", "a")]);
        assert_eq!(tenant_a, tenant("/v1/messages?beta=true", &[("user-agent", "x"), ("x-api-key", "a")]));
        assert_ne!(tenant_a, tenant("/v1/messages", &[("x-api-key", "b")]));
        assert_ne!(tenant_a, tenant("/v1/messages", &[]));
    }

    #[test]
    fn showing_one_of_two_credentials_is_another_tenant() {
        let both = tenant("/", &[("authorization", "Bearer a"), ("x-api-key", "b")]);
        assert_ne!(both, tenant("/", &[("authorization", "Bearer a")]));
        assert_ne!(both, tenant("/", &[("x-api-key", "b")]));
        assert_ne!(both, tenant("/", &[("authorization", "Bearer a"), ("x-api-key", "c")]));
    }

    #[test]
    fn a_key_in_the_query_counts() {
        assert_ne!(tenant("/m:generateContent?key=a", &[]), tenant("/m:generateContent?key=b", &[]));
        assert_eq!(tenant("/m:generateContent?alt=sse&key=a", &[]), tenant("/m:generateContent?key=a", &[]));
    }

    #[test]
    fn the_tenant_does_not_show_the_credential() {
        let secret = "sk-ant-secret";
        assert!(!tenant("/", &[("x-api-key", secret)]).contains(secret));
    }

    fn account(headers: &[(&str, &str)], user: &str) -> Account {
        let request =
            headers.iter().fold(Request::post("/"), |request, (name, value)| request.header(*name, *value));
        let metadata = format!("{{\"user_id\":{}}}", headroom_json::quote(user));
        Account::new(
            &request.body(()).unwrap().into_parts().0,
            Value::parse(&metadata).filter(|_| !user.is_empty()),
        )
    }

    /// Returns a token with these claims; its signature is not verified.
    fn jwt(claims: &str, signature: &str) -> String {
        format!("Bearer e30.{}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn an_account_outlives_its_token() {
        let at = |expires: u32, subject: &str| {
            let claims = format!(r#"{{"iss":"https://auth","exp":{expires},"sub":"{subject}"}}"#);
            account(&[("authorization", &jwt(&claims, &expires.to_string()))], "")
        };
        assert_eq!(at(1, "me"), at(2, "me"));
        assert_ne!(at(1, "me"), at(1, "you"));
        let codex = |token: &str| account(&[("authorization", token), ("chatgpt-account-id", "a")], "");
        assert_eq!(codex("Bearer 1"), codex("Bearer 2"));
        assert_ne!(codex("Bearer 1"), account(&[("chatgpt-account-id", "b")], ""));
    }

    #[test]
    fn a_user_is_the_same_in_every_session() {
        let json = |account: &str, session: &str| {
            account_of(&format!(r#"{{"device_id":"d","account_uuid":"{account}","session_id":"{session}"}}"#))
        };
        assert_eq!(json("a", "1"), json("a", "2"));
        assert_ne!(json("a", "1"), json("b", "1"));
        assert_eq!(account_of("user_1_account_a_session_1"), account_of("user_1_account_a_session_2"));
        assert_ne!(account_of("user_1_account_a_session_1"), account_of("user_1_account_b_session_1"));
        assert_ne!(account_of("x"), account_of(""));
    }

    fn account_of(user: &str) -> Account {
        account(&[], user)
    }

    #[test]
    fn tokens_that_are_none_are_no_claim() {
        for token in ["Bearer a.b", "Bearer a.!.c", "Bearer a.bm8.c", "Basic a.e30.c", "Bearer "] {
            assert_eq!(account(&[("authorization", token)], ""), account(&[], ""), "{token}");
        }
    }
}
