use std::{convert::Infallible, fs, net::SocketAddr, sync::Arc};

use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tempfile::TempDir;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use crate::support::{Proxy, exchange, headroom};

const REQUEST: &str = "POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}";

/// An upstream that offers these protocols and answers with the one that it was asked in, and its certificate.
fn upstream(protocols: &[&[u8]]) -> (SocketAddr, TempDir) {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("roots.pem"), key.cert.pem()).unwrap();
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let mut config = config.with_single_cert(vec![key.cert.der().clone()], private).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serve(listener, TlsAcceptor::from(Arc::new(config))));
    });
    (address, folder)
}

async fn serve(listener: std::net::TcpListener, acceptor: TlsAcceptor) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let Ok(stream) = acceptor.accept(stream).await else { continue };
        tokio::spawn(async move {
            let server = auto::Builder::new(TokioExecutor::new());
            server.serve_connection(TokioIo::new(stream), service_fn(answer)).await
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<bytes::Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let text = format!("{:?} {} {}", parts.version, parts.uri.path(), body.len());
    Ok(Response::new(Full::from(text)))
}

fn proxy(upstream: SocketAddr, roots: &TempDir) -> Proxy {
    let url = format!("https://localhost:{}", upstream.port());
    let args = ["proxy", "--listen", "127.0.0.1:0", "--upstream", &url];
    Proxy::start(headroom(&args).env("SSL_CERT_FILE", roots.path().join("roots.pem")))
}

#[test]
fn upstreams_are_spoken_to_in_the_best_protocol_that_they_offer() {
    for (offered, version) in
        [(&[&b"h2"[..], b"http/1.1"][..], "HTTP/2.0"), (&[b"http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")]
    {
        let (upstream, roots) = upstream(offered);
        let proxy = proxy(upstream, &roots);
        for _ in 0..2 {
            let answer = exchange(proxy.address, REQUEST);
            assert!(answer.start.starts_with("HTTP/1.1 200"), "{answer:?}");
            assert_eq!(String::from_utf8_lossy(&answer.body), format!("{version} /v1/messages 2"));
        }
    }
}

#[test]
fn upstreams_without_a_trusted_certificate_get_nothing() {
    let (upstream, _) = upstream(&[b"http/1.1"]);
    let (_, other_roots) = self::upstream(&[]);
    let answer = exchange(proxy(upstream, &other_roots).address, REQUEST);
    assert_eq!(answer.status(), 502);
    assert!(answer.json()["error"]["message"].as_str().unwrap().contains("certificate"), "{answer:?}");
}
