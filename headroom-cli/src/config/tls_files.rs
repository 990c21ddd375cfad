use std::path::PathBuf;

use super::{FilePath, Settings, first};

/// The files of the proxy's certificate, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The certificate, and those that lead from it to a root.
    pub(crate) chain: PathBuf,
    /// The private key of the certificate.
    pub(crate) key: PathBuf,
}

impl TlsFiles {
    /// `None` unless both files are named.
    pub(super) fn from_sources(sources: &[Settings; 3]) -> Option<Self> {
        let [chain, key] = named(sources);
        Some(Self { chain: chain?.path().to_owned(), key: key?.path().to_owned() })
    }

    /// Whether one file is named without the other.
    pub(super) fn is_half(sources: &[Settings; 3]) -> bool {
        let [chain, key] = named(sources);
        chain.is_some() != key.is_some()
    }
}

fn named(sources: &[Settings; 3]) -> [Option<FilePath>; 2] {
    [first(sources, |source| source.tls_cert.as_ref()), first(sources, |source| source.tls_key.as_ref())]
}
