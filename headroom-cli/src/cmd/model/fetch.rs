//! Downloads one file: resumes interrupted downloads, and renames the file only after its checksum is verified.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{
    HeaderMap, Request, Response, StatusCode, Uri,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LOCATION, RANGE, USER_AGENT},
};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use indicatif::ProgressBar;
use tokio::time::timeout;

use super::{
    catalog::Remote,
    sum::{Checksums, ExpectedSum, Sha256, git_name},
};
use crate::{chain::Chain, proxy::Connector};

/// A server that is silent for this long is considered gone.
const PATIENCE: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 5;
/// Attempts in a row without progress before the download fails.
const MAX_ATTEMPTS: u32 = 5;
const MAX_SUMS: usize = 64 << 10;
/// Maximum size of files that are read whole for verification: those that the hub lists by git hash.
const MAX_SMALL: u64 = 64 << 20;
/// The header in which the hub gives the checksum of a large file, on the redirect to it.
const LINKED_TAG: &str = "x-linked-etag";

/// Errors of a download. Downloaded parts are kept unless they are wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("{url} is not the address of a web server")]
    Address { url: String },
    #[error("{url}: the server answers {status}")]
    Refused { url: String, status: StatusCode },
    #[error("{url}: {reason}; {kept} bytes are kept, and the same command resumes the download")]
    Interrupted { url: String, reason: String, kept: u64 },
    #[error("no checksum found for {file}; pass --sha256 {file}=HEX or publish a SHA256SUMS file next to it")]
    NoSum { file: String },
    #[error("{url} has the wrong checksum: {found} where {expected} is expected; it was removed")]
    WrongSum { url: String, expected: String, found: String },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// An HTTP client.
pub(super) struct Fetcher {
    client: Client<Connector, Empty<Bytes>>,
}

impl Fetcher {
    pub(super) fn new() -> Result<Self, FetchError> {
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(Connector::new()?) })
    }

    /// Returns the text at this address, if it exists.
    pub(super) async fn text(&self, url: &str) -> Result<Option<String>, FetchError> {
        let interrupted = |reason: String| FetchError::Interrupted { url: url.to_owned(), reason, kept: 0 };
        let answer = self.get(url, 0).await.map_err(|error| error.into_fetch(url, 0))?;
        if answer.response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = answer.accepted(url)?;
        let body = timeout(PATIENCE, Limited::new(response.into_body(), MAX_SUMS).collect()).await;
        let body = body.map_err(|_| interrupted("the server says nothing more".to_owned()))?;
        let bytes = body.map_err(|error| interrupted(error.to_string()))?.to_bytes();
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Downloads a file into a folder and returns its checksum.
    pub(super) async fn file(
        &self,
        remote: &Remote,
        folder: &Path,
        expected: Option<ExpectedSum>,
        bar: &ProgressBar,
    ) -> Result<Sha256, FetchError> {
        let url = &remote.url;
        if expected.is_none() && !remote.is_hub {
            return Err(FetchError::NoSum { file: remote.file.to_owned() });
        }
        let mut part = Part::open(folder, remote.file)?;
        // A part from an earlier call may be of another version; if so, the file is downloaded again.
        let mut is_old = part.sums.bytes() > 0;
        loop {
            let stated = self.whole(remote, &mut part, bar).await?;
            let expected = expected.or(stated.filter(|_| remote.is_hub));
            let expected = expected.ok_or_else(|| FetchError::NoSum { file: remote.file.to_owned() })?;
            match part.check(expected)? {
                Ok(()) => return part.finish(),
                Err(_) if is_old => {
                    is_old = false;
                    part.restart()?;
                }
                Err((expected, found)) => {
                    part.remove()?;
                    return Err(FetchError::WrongSum { url: url.clone(), expected, found });
                }
            }
        }
    }

    /// Downloads the missing bytes, with retries, and returns the checksum that the server gives.
    async fn whole(
        &self,
        remote: &Remote,
        part: &mut Part,
        bar: &ProgressBar,
    ) -> Result<Option<ExpectedSum>, FetchError> {
        let mut attempts = 0;
        loop {
            let had = part.sums.bytes();
            let failed = match self.more(remote, part, bar).await {
                Ok(stated) => return Ok(stated),
                Err(More::Stop(error)) => return Err(error),
                Err(More::Again(reason)) => reason,
            };
            attempts = if part.sums.bytes() > had { 1 } else { attempts + 1 };
            if attempts >= MAX_ATTEMPTS {
                let kept = part.sums.bytes();
                return Err(FetchError::Interrupted { url: remote.url.clone(), reason: failed, kept });
            }
            tokio::time::sleep(Duration::from_millis(200) * attempts).await;
        }
    }

    /// Sends one request for the missing bytes.
    async fn more(
        &self,
        remote: &Remote,
        part: &mut Part,
        bar: &ProgressBar,
    ) -> Result<Option<ExpectedSum>, More> {
        let url = &remote.url;
        let have = part.sums.bytes();
        let answer = self.get(url, have).await?;
        let stated = answer.stated;
        let status = answer.response.status();
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            // The file has no more bytes than this; the checksum decides.
            return Ok(stated);
        }
        let response = match answer.accepted(url) {
            Err(FetchError::Refused { status, .. }) if status.is_server_error() => {
                return Err(More::Again(format!("the server answers {status}")));
            }
            response => response?,
        };
        if status != StatusCode::PARTIAL_CONTENT || starts_at(response.headers()) != Some(have) {
            if status == StatusCode::PARTIAL_CONTENT {
                return Err(More::Again("the server sent another part than requested".to_owned()));
            }
            part.restart()?;
        }
        if let Some(length) = length(response.headers()) {
            bar.set_length(part.sums.bytes() + length);
        }
        bar.set_position(part.sums.bytes());
        let mut body = response.into_body();
        loop {
            let frame = timeout(PATIENCE, body.frame()).await;
            let Some(frame) = frame.map_err(|_| More::Again("the server says nothing more".to_owned()))?
            else {
                return Ok(stated);
            };
            let frame = frame.map_err(|error| More::Again(Chain(&error).to_string()))?;
            if let Ok(data) = frame.into_data() {
                part.add(&data)?;
                bar.inc(data.len() as u64);
            }
        }
    }

    /// Requests the bytes from `from` on, following redirects.
    async fn get(&self, url: &str, from: u64) -> Result<FetchResponse, More> {
        let address = || More::Stop(FetchError::Address { url: url.to_owned() });
        let mut uri: Uri = url.parse().map_err(|_| address())?;
        let mut stated = None;
        for _ in 0..=MAX_REDIRECTS {
            let mut request = Request::get(&uri)
                .header(USER_AGENT, concat!("headroom/", env!("CARGO_PKG_VERSION")))
                .header(ACCEPT_ENCODING, "identity");
            if from > 0 {
                request = request.header(RANGE, format!("bytes={from}-"));
            }
            let request = request.body(Empty::new()).map_err(|_| address())?;
            let response = timeout(PATIENCE, self.client.request(request)).await;
            let response = response.map_err(|_| More::Again("the server does not answer".to_owned()))?;
            let response = response.map_err(|error| More::Again(Chain(&error).to_string()))?;
            stated = stated.or_else(|| tag(response.headers()));
            if !response.status().is_redirection() {
                return Ok(FetchResponse { response, stated });
            }
            let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
            uri = to.and_then(|to| joined(&uri, to)).ok_or_else(address)?;
        }
        Err(More::Again("too many redirects".to_owned()))
    }
}

/// Why one request did not complete the file.
enum More {
    /// A retry may succeed.
    Again(String),
    Stop(FetchError),
}

impl More {
    fn into_fetch(self, url: &str, kept: u64) -> FetchError {
        match self {
            Self::Again(reason) => FetchError::Interrupted { url: url.to_owned(), reason, kept },
            Self::Stop(error) => error,
        }
    }
}

impl From<FetchError> for More {
    fn from(error: FetchError) -> Self {
        Self::Stop(error)
    }
}

struct FetchResponse {
    response: Response<Incoming>,
    /// The checksum in the entity tags.
    stated: Option<ExpectedSum>,
}

impl FetchResponse {
    fn accepted(self, url: &str) -> Result<Response<Incoming>, FetchError> {
        let status = self.response.status();
        match status.is_success() {
            true => Ok(self.response),
            false => Err(FetchError::Refused { url: url.to_owned(), status }),
        }
    }
}

fn tag(headers: &HeaderMap) -> Option<ExpectedSum> {
    let of = |name: &str| headers.get(name).and_then(|tag| tag.to_str().ok()).and_then(ExpectedSum::of_tag);
    of(LINKED_TAG).or_else(|| of(ETAG.as_str()))
}

fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The first byte of a part: `bytes 100-199/200`.
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}

/// The target of a redirect. Never from `https` to `http`.
fn joined(from: &Uri, to: &str) -> Option<Uri> {
    let absolute = if to.contains("://") {
        to.to_owned()
    } else {
        let scheme = from.scheme_str()?;
        let authority = from.authority()?;
        match to.starts_with('/') {
            true => format!("{scheme}://{authority}{to}"),
            false => {
                let (folder, _) = from.path().rsplit_once('/')?;
                format!("{scheme}://{authority}{folder}/{to}")
            }
        }
    };
    let to: Uri = absolute.parse().ok()?;
    (from.scheme_str() != Some("https") || to.scheme_str() == Some("https")).then_some(to)
}

/// A partial download.
struct Part {
    file: File,
    sums: Checksums,
    path: PathBuf,
    name: PathBuf,
}

impl Part {
    /// Opens the part that an earlier call left, if any.
    fn open(folder: &Path, file: &str) -> Result<Self, FetchError> {
        let (name, path) = (folder.join(file), folder.join(format!("{file}.part")));
        let failed = |source| FetchError::Write { path: path.clone(), source };
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&path).map_err(failed)?;
        let mut sums = Checksums::new();
        let mut buffer = vec![0; 1 << 20];
        // A device has no length, and reading it does not return what was written.
        let mut left = file.metadata().map_err(failed)?.len();
        while left > 0 {
            let read = file.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                break;
            }
            sums.add(buffer.get(..read).unwrap_or_default());
            left = left.saturating_sub(read as u64);
        }
        Ok(Self { file, sums, path, name })
    }

    fn failed(&self, source: io::Error) -> FetchError {
        FetchError::Write { path: self.path.clone(), source }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes).map_err(|source| self.failed(source))?;
        self.sums.add(bytes);
        Ok(())
    }

    /// Discards the downloaded bytes.
    fn restart(&mut self) -> Result<(), FetchError> {
        if self.sums.bytes() > 0 {
            self.file.set_len(0).map_err(|source| self.failed(source))?;
            self.sums = Checksums::new();
        }
        Ok(())
    }

    /// Verifies the file; otherwise returns what was expected and found.
    fn check(&self, expected: ExpectedSum) -> Result<Result<(), (String, String)>, FetchError> {
        let hex = |name: [u8; 20]| HEXLOWER.encode(&name);
        let (expected, found) = match expected {
            ExpectedSum::Sha256(sum) => (sum.to_string(), self.sums.sha256().to_string()),
            ExpectedSum::Git(name) if self.sums.bytes() <= MAX_SMALL => {
                let content = std::fs::read(&self.path).map_err(|source| self.failed(source))?;
                (hex(name), hex(git_name(&content)))
            }
            ExpectedSum::Git(name) => (hex(name), format!("{} bytes", self.sums.bytes())),
        };
        Ok(if expected == found { Ok(()) } else { Err((expected, found)) })
    }

    fn remove(self) -> Result<(), FetchError> {
        std::fs::remove_file(&self.path).map_err(|source| self.failed(source))
    }

    /// Renames the part to its final name.
    fn finish(self) -> Result<Sha256, FetchError> {
        let renamed = self.file.sync_all().and_then(|()| std::fs::rename(&self.path, &self.name));
        renamed.map_err(|source| self.failed(source))?;
        Ok(self.sums.sha256())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_followed_but_not_out_of_tls() {
        let joined = |from: &str, to: &str| joined(&from.parse().unwrap(), to).map(|uri| uri.to_string());
        assert_eq!(joined("https://a/b/c?d", "/e").as_deref(), Some("https://a/e"));
        assert_eq!(joined("https://a/b/c", "e?f").as_deref(), Some("https://a/b/e?f"));
        assert_eq!(joined("http://a/b", "https://c/d").as_deref(), Some("https://c/d"));
        assert_eq!(joined("https://a/b", "http://c/d"), None);
    }
}
