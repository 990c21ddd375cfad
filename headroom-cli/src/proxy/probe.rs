use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A proxy on this machine answers at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// Who listens at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// A proxy of ours.
    Headroom,
    /// Something else.
    Other,
    /// Nobody.
    Nobody,
}

/// Asks for what only this proxy refuses in its own words, and none passes on: a host that is not this machine.
pub(crate) async fn probe(address: SocketAddr) -> Listener {
    let Ok(Ok(mut stream)) = timeout(PATIENCE, TcpStream::connect(address)).await else {
        return Listener::Nobody;
    };
    let ask = async {
        stream.write_all(b"GET / HTTP/1.1\r\nhost: headroom.invalid\r\nconnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        (&mut stream).take(4096).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    match timeout(PATIENCE, ask).await {
        Ok(Ok(answer)) if is_ours(&answer) => Listener::Headroom,
        _ => Listener::Other,
    }
}

fn is_ours(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    answer.starts_with("HTTP/1.1 421 ") && answer.contains("headroom: the Host header names another machine")
}
