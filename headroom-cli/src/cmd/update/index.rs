//! Reads the versions of this program from a sparse package index.

use std::time::Duration;

use bytes::Bytes;
use http::{
    Request, StatusCode, Uri,
    header::{ACCEPT_ENCODING, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{
    client::legacy::{self, Client},
    rt::TokioExecutor,
};
use semver::Version;
use serde::Deserialize;
use tokio::time::timeout;

use crate::proxy::Connector;

/// The whole request may take this long.
const PATIENCE: Duration = Duration::from_secs(10);
/// A version takes about 2 KB of the entry.
const MAX_ENTRY_BYTES: usize = 4 << 20;
/// The entry of `headroom-cli`, by the index's rule for names.
const ENTRY: &str = "he/ad/headroom-cli";
/// Names the program, as the index asks of its clients, and nothing about its user.
const CLIENT: &str = concat!("headroom (", env!("CARGO_PKG_REPOSITORY"), ")");

/// Why the newest version is unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IndexError {
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("{url} is not the address of a web server")]
    Address { url: String },
    #[error(
        "{url} did not answer within {} seconds; check the network, or set HTTPS_PROXY if there is a proxy", PATIENCE.as_secs()
    )]
    Silent { url: String },
    #[error("cannot reach {url}; check the network, or set HTTPS_PROXY if there is a proxy")]
    Unreachable { url: String, source: legacy::Error },
    #[error("{url}: the server answers {status}")]
    Refused { url: String, status: StatusCode },
    #[error("{url}: no version of headroom-cli has been published")]
    NotPublished { url: String },
    #[error("{url} is not the entry of a package index")]
    Unreadable { url: String },
}

/// One version in the index, which has a line for each.
#[derive(Deserialize)]
struct IndexLine {
    vers: String,
    yanked: bool,
}

/// Asks the index for the newest version that is neither yanked nor a pre-release.
pub(super) async fn newest(index: &Uri) -> Result<Version, IndexError> {
    let url = format!("{}/{ENTRY}", index.to_string().trim_end_matches('/'));
    match timeout(PATIENCE, entry(&url)).await {
        Ok(entry) => newest_in(&entry?).ok_or(IndexError::Unreadable { url }),
        Err(_) => Err(IndexError::Silent { url }),
    }
}

async fn entry(url: &str) -> Result<Bytes, IndexError> {
    let own = || url.to_owned();
    let request = Request::get(url).header(USER_AGENT, CLIENT).header(ACCEPT_ENCODING, "identity");
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| IndexError::Address { url: own() })?;
    let client = Client::builder(TokioExecutor::new()).build(Connector::new()?);
    let response = client.request(request).await;
    let response = response.map_err(|source| IndexError::Unreachable { url: own(), source })?;
    match response.status() {
        // The index answers any of these for a name that it does not have.
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS => {
            return Err(IndexError::NotPublished { url: own() });
        }
        status if !status.is_success() => return Err(IndexError::Refused { url: own(), status }),
        _ => {}
    }
    let body = Limited::new(response.into_body(), MAX_ENTRY_BYTES).collect().await;
    body.map(|body| body.to_bytes()).map_err(|_| IndexError::Unreadable { url: own() })
}

fn newest_in(entry: &[u8]) -> Option<Version> {
    let lines = entry.split(|byte| *byte == b'\n');
    let versions = lines.filter_map(|line| {
        let line: IndexLine = serde_json::from_slice(line).ok()?;
        Version::parse(&line.vers).ok().filter(|version| !line.yanked && version.pre.is_empty())
    });
    versions.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_is_neither_yanked_nor_a_pre_release() {
        let entry =
            br#"{"name":"headroom-cli","vers":"0.9.0","deps":[],"cksum":"00","features":{},"yanked":false}
{"vers":"0.10.0","yanked":false}
{"vers":"0.10.1","yanked":true}
{"vers":"0.11.0-rc.1","yanked":false}
{"vers":"new","yanked":false}
{"vers":"0.2.0","yanked":false}
"#;
        assert_eq!(newest_in(entry), Some(Version::new(0, 10, 0)));
        for entry in [&b""[..], b"<html>", br#"{"vers":"1.0.0"}"#, br#"{"vers":"1.0.0","yanked":true}"#] {
            assert_eq!(newest_in(entry), None);
        }
    }
}
