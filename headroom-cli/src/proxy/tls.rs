//! The certificate of the proxy's own listener.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use tokio_rustls::TlsAcceptor;

use crate::{chain::Chain, config::TlsFiles};

/// Time between two looks at the files: what renews certificates does so days before they end.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// The protocols that clients can choose from, the first one preferred.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why the files are of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidCertificate {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} has no certificate in PEM (-----BEGIN CERTIFICATE-----)", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} has no private key in PEM (-----BEGIN PRIVATE KEY-----)", path.display())]
    NoKey { path: PathBuf },
    #[error("the certificate in {} and the key in {} cannot be used together", chain.display(), key.display())]
    Unusable { chain: PathBuf, key: PathBuf, source: rustls::Error },
}

/// The certificate in use. It is read again when its file has changed.
pub(super) struct Certificate {
    files: TlsFiles,
    acceptor: TlsAcceptor,
    /// When the files were written.
    written: [Option<SystemTime>; 2],
    looked: Instant,
}

impl Certificate {
    /// Reads the files.
    pub(super) fn read(files: TlsFiles) -> Result<Self, InvalidCertificate> {
        let written = written(&files);
        Ok(Self { acceptor: acceptor(&files)?, files, written, looked: Instant::now() })
    }

    /// Accepts connections with the newest certificate. One that is of no use leaves the old one in use.
    pub(super) fn acceptor(&mut self) -> TlsAcceptor {
        if self.looked.elapsed() >= LOOK_EVERY {
            self.refresh();
        }
        self.acceptor.clone()
    }

    /// Reads the files again if they have changed.
    pub(super) fn refresh(&mut self) {
        self.looked = Instant::now();
        let written = written(&self.files);
        if written == self.written {
            return;
        }
        match acceptor(&self.files) {
            Ok(acceptor) => {
                (self.acceptor, self.written) = (acceptor, written);
                tracing::info!("the certificate was read again");
            }
            // The other file may not be there yet.
            Err(error) => tracing::warn!("the old certificate stays in use: {}", Chain(&error)),
        }
    }
}

fn written(files: &TlsFiles) -> [Option<SystemTime>; 2] {
    [&files.chain, &files.key].map(|file| fs::metadata(file).and_then(|file| file.modified()).ok())
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, InvalidCertificate> {
    let TlsFiles { chain, key } = files;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes(chain)?).collect();
    let certificates = certificates.ok().filter(|certificates| !certificates.is_empty());
    let certificates =
        certificates.ok_or_else(|| InvalidCertificate::NoCertificate { path: chain.clone() })?;
    let private = PrivateKeyDer::from_pem_slice(&bytes(key)?)
        .map_err(|_: pem::Error| InvalidCertificate::NoKey { path: key.clone() })?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(certificates, private));
    let mut config = config.map_err(|source| InvalidCertificate::Unusable {
        chain: chain.clone(),
        key: key.clone(),
        source,
    })?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(Arc::new(config).into())
}

fn bytes(path: &Path) -> Result<Vec<u8>, InvalidCertificate> {
    fs::read(path).map_err(|source| InvalidCertificate::Unreadable { path: path.to_owned(), source })
}
