//! TLS on the proxy's own listener.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
};

use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring, pki_types::CertificateDer,
};

use crate::support::{PATIENCE, Proxy, Upstream, exchange, headroom, ok, stderr};

const REQUEST: &str =
    "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";

/// A folder with `cert.pem` and `key.pem`, and the certificate.
fn certificate(folder: &Path) -> CertificateDer<'static> {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    cert.der().clone()
}

fn proxy(folder: &TempDir, upstream: &Upstream) -> Proxy {
    let url = format!("http://{}", upstream.address);
    let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0", "--upstream", &url]);
    command.args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    Proxy::start(command.current_dir(folder.path()))
}

/// Sends a request over TLS to whoever has this certificate. Returns the answer and the protocol that was agreed on.
fn over_tls(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    offered: &[&[u8]],
) -> std::io::Result<(String, Option<Vec<u8>>)> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(REQUEST.as_bytes())?;
    let mut answer = [0; 12];
    stream.read_exact(&mut answer)?;
    Ok((String::from_utf8_lossy(&answer).into_owned(), stream.conn.alpn_protocol().map(<[u8]>::to_vec)))
}

#[test]
fn clients_are_served_over_tls_and_those_of_this_machine_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = certificate(folder.path());
    let upstream = Upstream::answering(ok("{}"));
    let proxy = proxy(&folder, &upstream);
    proxy.wait_for("ANTHROPIC_BASE_URL=https://127.0.0.1:");
    for (offered, agreed) in [(&[][..], None), (&[&b"http/1.1"[..]], Some(b"http/1.1".to_vec()))] {
        let answer = over_tls(proxy.address, &trusted, offered).unwrap();
        assert_eq!(answer, ("HTTP/1.1 200".to_owned(), agreed));
    }
    for plain in [REQUEST, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"] {
        assert_eq!(exchange(proxy.address, plain).status(), 200);
    }
    let other = certificate(tempfile::tempdir().unwrap().path());
    assert!(over_tls(proxy.address, &other, &[]).is_err(), "the proxy has no other certificate");
}

#[cfg(unix)]
#[test]
fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = certificate(folder.path());
    let upstream = Upstream::answering(ok("{}"));
    let proxy = proxy(&folder, &upstream);
    let key = fs::read(folder.path().join("key.pem")).unwrap();
    fs::write(folder.path().join("key.pem"), "no key").unwrap();
    proxy.signal("HUP");
    proxy.wait_for("the old certificate stays in use: key.pem has no private key");
    assert!(over_tls(proxy.address, &first, &[]).is_ok());
    fs::write(folder.path().join("key.pem"), key).unwrap();
    let second = certificate(folder.path());
    proxy.signal("HUP");
    proxy.wait_for("the certificate was read again");
    assert!(over_tls(proxy.address, &second, &[]).is_ok());
    assert!(over_tls(proxy.address, &first, &[]).is_err());
}

#[test]
fn files_that_cannot_be_served_end_the_start_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    certificate(path);
    let other = tempfile::tempdir().unwrap();
    certificate(other.path());
    fs::copy(other.path().join("key.pem"), path.join("other.pem")).unwrap();
    fs::write(path.join("empty.pem"), "").unwrap();
    for (args, status, message) in [
        (&["--tls-cert", "cert.pem"][..], 2, "set both tls_cert and tls_key"),
        (&["--tls-key", "key.pem"], 2, "set both tls_cert and tls_key"),
        (&["--tls-cert", "none.pem", "--tls-key", "key.pem"], 1, "cannot read none.pem"),
        (&["--tls-cert", "empty.pem", "--tls-key", "key.pem"], 1, "empty.pem has no certificate"),
        (&["--tls-cert", "cert.pem", "--tls-key", "cert.pem"], 1, "cert.pem has no private key"),
        (&["--tls-cert", "cert.pem", "--tls-key", "other.pem"], 1, "cannot be used together"),
    ] {
        let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0"]);
        let output = command.args(args).current_dir(path).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
}
