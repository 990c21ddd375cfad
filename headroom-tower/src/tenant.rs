use http::request::Parts;

/// Every header that carries a credential of a known provider.
const CREDENTIALS: [&str; 4] = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// The tenant that a request's credentials stand for: a hash of all of them, so that a request which shows only some
/// of another tenant's is another tenant. Requests without any share one tenant.
pub(crate) fn from_credentials(parts: &Parts) -> String {
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
}
