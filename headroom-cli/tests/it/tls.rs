use std::{
    convert::Infallible,
    fs,
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

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

use crate::support::{Connection, Proxy, Upstream, exchange, headroom};

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

/// A proxy that tunnels to wherever it is asked, and tells what it was asked.
fn tunnel() -> Upstream {
    Upstream::start(|connection| {
        let request = connection.read_head()?;
        let target =
            TcpStream::connect(("127.0.0.1", request.target().rsplit(':').next().unwrap().parse().unwrap()))?;
        connection.write("HTTP/1.1 200 OK\r\n\r\n")?;
        connection.join(target)?;
        Ok(request)
    })
}

#[test]
fn upstreams_with_tls_are_reached_through_the_proxy_of_the_environment() {
    let (upstream, roots) = upstream(&[b"http/1.1"]);
    let url = format!("https://localhost:{}", upstream.port());
    let start = |variables: &[(&str, String)]| {
        let mut command =
            headroom(&["proxy", "--listen", "127.0.0.1:0", "--upstream", &url, "--drain-seconds", "0"]);
        command.env("SSL_CERT_FILE", roots.path().join("roots.pem"));
        Proxy::start(command.envs(variables.iter().map(|(name, value)| (name, value))))
    };
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let tunnel = tunnel();
        let proxy = start(&[(name, format!("http://me:secret@{}", tunnel.address))]);
        let answer = exchange(proxy.address, REQUEST);
        assert_eq!(String::from_utf8_lossy(&answer.body), "HTTP/1.1 /v1/messages 2", "{name}");
        drop(proxy);
        let request = tunnel.request();
        assert_eq!(request.start, format!("CONNECT localhost:{} HTTP/1.1", upstream.port()));
        // me:secret
        assert_eq!(request.header("proxy-authorization"), Some("Basic bWU6c2VjcmV0"));
        // Nothing of the request itself.
        assert!(request.header("anthropic-version").is_none() && request.body.is_empty());
    }
    let tunnel = tunnel();
    let proxy = start(&[
        ("HTTPS_PROXY", format!("http://{}", tunnel.address)),
        ("NO_PROXY", "example.com,localhost".to_owned()),
    ]);
    assert_eq!(exchange(proxy.address, REQUEST).status(), 200);
    assert!(tunnel.is_untouched());
    let proxy = start(&[("HTTPS_PROXY", "socks5://me:secret@127.0.0.1:1".to_owned())]);
    let answer = exchange(proxy.address, REQUEST);
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("http://HOST:PORT") && !message.contains("secret"), "{message}");
}

#[test]
fn plain_upstreams_are_reached_directly() {
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let url = format!("http://{}", upstream.address);
    let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0", "--upstream", &url]);
    let proxy =
        Proxy::start(command.env("HTTP_PROXY", "http://127.0.0.1:1").env("ALL_PROXY", "http://127.0.0.1:1"));
    let mut client = Connection::open(proxy.address);
    client.write(REQUEST).unwrap();
    assert_eq!(client.read().unwrap().status(), 200);
}
