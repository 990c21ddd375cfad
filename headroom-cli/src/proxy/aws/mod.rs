//! Signs requests to Amazon Bedrock after they were rewritten.
//!
//! A client's own signature covers the bytes and the host of its request, so it is of no use upstream. It is removed
//! before the layer runs, and the request that is sent is signed with the credentials of the proxy's environment.

mod credentials;
mod profile;

use std::{borrow::Cow, time::SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header, request::Parts};

pub(crate) use self::credentials::CredentialsError;
use self::credentials::Source;
use crate::config::aws_region;

/// The service name in signatures for Bedrock's runtime.
const SERVICE: &str = "bedrock";
/// Maximum size of a body: a signature covers all of it, so it must be in memory. AWS accepts less.
pub(super) const MAX_BODY: usize = 64 << 20;
/// The headers of a client's signature.
const SIGNATURE: [HeaderName; 3] = [
    HeaderName::from_static("x-amz-date"),
    HeaderName::from_static("x-amz-security-token"),
    HeaderName::from_static("x-amz-content-sha256"),
];

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    #[error("unknown region of {host}; set AWS_REGION")]
    Region { host: String },
    #[error("the request cannot be signed: {0}")]
    Sign(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Signs with the current credentials of the environment.
#[derive(Clone, Debug, Default)]
pub(super) struct Signer(Source);

impl Signer {
    /// Warns at the start of what would keep every request from being signed.
    pub(super) async fn check(&self) {
        if let Err(error) = self.0.get().await {
            tracing::warn!("requests to Bedrock cannot be signed: {error}");
        }
    }

    /// Signs this request, whose URI is the upstream's by now.
    pub(super) async fn sign(&self, parts: &mut Parts, body: &[u8]) -> Result<(), SignError> {
        let credentials = self.0.get().await?;
        let region = region(&parts.uri)?;
        sign_with(parts, body, &credentials, &region, SERVICE, SystemTime::now())
    }
}

/// Removes a client's signature.
pub(super) fn strip(headers: &mut HeaderMap) {
    let is_signed =
        headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"AWS4-"));
    if is_signed {
        headers.remove(header::AUTHORIZATION);
    }
    if is_signed || !headers.contains_key(header::AUTHORIZATION) {
        for name in &SIGNATURE {
            headers.remove(name);
        }
    }
}

/// Whether to sign the request: a bearer key, or a signature in the query, is the client's own.
pub(super) fn wants_signature(parts: &Parts) -> bool {
    !parts.headers.contains_key(header::AUTHORIZATION)
        && !parts.uri.query().is_some_and(|query| query.contains("X-Amz-Signature="))
}

fn sign_with(
    parts: &mut Parts,
    body: &[u8],
    credentials: &Credentials,
    region: &str,
    service: &str,
    time: SystemTime,
) -> Result<(), SignError> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| SignError::Sign(error);
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| failed(error.into()))?
        .into();
    // Signs what AWS requires, and what says how to read the body. Everything else may change on the way.
    let is_covered = |name: &str| name == "content-type" || name.starts_with("x-amz");
    let headers = parts.headers.iter().filter(|(name, _)| is_covered(name.as_str()));
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let uri = Cow::Owned(parts.uri.to_string());
    let request = SignableRequest::new(parts.method.as_str(), uri, headers, SignableBody::Bytes(body))
        .map_err(|error| failed(error.into()))?;
    let signed = sign(request, &params).map_err(|error| failed(error.into()))?;
    let (instructions, _) = signed.into_parts();
    for (name, value) in instructions.headers() {
        let mut value = HeaderValue::from_str(value).map_err(|error| failed(error.into()))?;
        value.set_sensitive(true);
        parts.headers.insert(HeaderName::try_from(name).map_err(|error| failed(error.into()))?, value);
    }
    Ok(())
}

/// The region in the name of an AWS host, or else in the environment.
fn region(upstream: &Uri) -> Result<String, SignError> {
    let host = upstream.host().unwrap_or_default();
    let mut labels = host.split('.').skip_while(|label| !label.starts_with("bedrock-runtime")).skip(1);
    let is_aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    let named = labels.next().filter(|_| is_aws).map(str::to_owned);
    named.or_else(aws_region).ok_or_else(|| SignError::Region { host: host.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use http::Request;

    use super::*;

    /// AWS's published signing test suite: its credentials, region, service and time, 2015-08-30 12:36:00.
    fn signed(method: &str, url: &str, headers: &[(&str, &str)], body: &str, token: Option<&str>) -> Parts {
        let request =
            headers.iter().fold(Request::builder().method(method).uri(url), |request, (name, value)| {
                request.header(*name, *value)
            });
        let mut parts = request.body(()).unwrap().into_parts().0;
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let credentials = Credentials::new("AKIDEXAMPLE", secret, token.map(str::to_owned), None, "test");
        let time = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        sign_with(&mut parts, body.as_bytes(), &credentials, "us-east-1", "service", time).unwrap();
        parts
    }

    fn signature(parts: &Parts) -> &str {
        let authorization = parts.headers[header::AUTHORIZATION].to_str().unwrap();
        authorization.rsplit_once("Signature=").unwrap().1
    }

    #[test]
    fn the_published_vectors_are_met() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        for (name, method, target, headers, body, expected) in [
            (
                "get-vanilla",
                "GET",
                "/",
                &[][..],
                "",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                "GET",
                "/?Param2=value2&Param1=value1",
                &[],
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "post-vanilla",
                "POST",
                "/",
                &[],
                "",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-x-www-form-urlencoded",
                "POST",
                "/",
                &form,
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let url = format!("http://example.amazonaws.com{target}");
            let parts = signed(method, &url, headers, body, None);
            assert_eq!(signature(&parts), expected, "{name}");
            assert_eq!(parts.headers["x-amz-date"], "20150830T123600Z");
        }
        let token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
        let parts = signed("GET", "http://example.amazonaws.com/", &[], "", Some(token));
        assert_eq!(signature(&parts), "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8");
        assert_eq!(parts.headers["x-amz-security-token"], token);
    }

    #[test]
    fn the_region_is_in_the_host() {
        for (url, expected) in [
            ("https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke", "us-east-1"),
            ("https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com/", "us-gov-west-1"),
            ("https://bedrock-runtime.cn-north-1.amazonaws.com.cn/", "cn-north-1"),
            ("https://vpce-1-2.bedrock-runtime.eu-west-1.vpce.amazonaws.com/", "eu-west-1"),
        ] {
            assert_eq!(region(&url.parse().unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn only_a_signature_is_taken_off() {
        let headers = |list: &[(&'static str, &'static str)]| -> HeaderMap {
            list.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
        };
        let mut signed = headers(&[
            ("authorization", "AWS4-HMAC-SHA256 Credential=x"),
            ("x-amz-date", "x"),
            ("x-amz-content-sha256", "x"),
            ("x-amzn-bedrock-trace", "ENABLED"),
        ]);
        strip(&mut signed);
        assert_eq!(signed, headers(&[("x-amzn-bedrock-trace", "ENABLED")]));
        let bearer = headers(&[("authorization", "Bearer k"), ("x-amz-date", "x")]);
        let mut same = bearer.clone();
        strip(&mut same);
        assert_eq!(same, bearer);
    }
}
