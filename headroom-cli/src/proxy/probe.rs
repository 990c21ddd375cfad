use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::secret::Secret;

/// A proxy on this machine answers at once.
const PATIENCE: Duration = Duration::from_secs(2);
/// Maximum bytes of a response that are read.
const MAX_ANSWER: usize = 4096;
/// The name in the identity of Headroom's proxies.
const NAME: &str = "headroom";

/// What listens at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    /// A Headroom proxy.
    Headroom {
        /// The version that it reports.
        version: String,
    },
    /// Another program.
    Other,
    /// Nothing.
    Nobody,
}

impl Listener {
    /// Whether it is a Headroom proxy, of any version.
    pub(crate) const fn is_ours(&self) -> bool {
        matches!(self, Self::Headroom { .. })
    }
}

/// The identity that `/livez` reports.
#[derive(Debug, Deserialize, Serialize)]
struct Identity {
    name: String,
    version: String,
}

/// The body of `/livez`.
pub(super) fn identity() -> String {
    let own = Identity { name: NAME.to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
    serde_json::to_string(&own).unwrap_or_default() + "\n"
}

/// Asks the program at this address for its identity.
pub(crate) async fn probe(address: SocketAddr) -> Listener {
    let Ok(Ok(mut stream)) = timeout(PATIENCE, TcpStream::connect(address)).await else {
        return Listener::Nobody;
    };
    let answer = ask(&mut stream, "GET /livez", "").await;
    let version = answer.and_then(|answer| version(&answer));
    version.map_or(Listener::Other, |version| Listener::Headroom { version })
}

/// Requests a login code for a browser; `None` if the proxy gives none.
pub(crate) async fn code(address: SocketAddr, secret: &Secret) -> Option<String> {
    #[derive(Deserialize)]
    struct Code {
        code: String,
    }
    let mut stream = timeout(PATIENCE, TcpStream::connect(address)).await.ok()?.ok()?;
    let headers = format!("x-headroom-token: {}\r\ncontent-length: 0\r\n", secret.reveal());
    let answer = ask(&mut stream, "POST /dashboard/code", &headers).await?;
    parse::<Code>(&answer).map(|answer| answer.code)
}

/// Sends a request and returns the response; `headers` are lines with their ends.
async fn ask(stream: &mut TcpStream, request: &str, headers: &str) -> Option<Vec<u8>> {
    let request = format!("{request} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n");
    let ask = async {
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // Not every server closes the connection when asked to.
        while answer.len() < MAX_ANSWER && !is_whole(&answer) && stream.read_buf(&mut answer).await? > 0 {}
        Ok::<_, std::io::Error>(answer)
    };
    timeout(PATIENCE, ask).await.ok()?.ok()
}

/// Whether the response has the length that it announces.
fn is_whole(answer: &[u8]) -> bool {
    let Some((head, body)) = std::str::from_utf8(answer).ok().and_then(|text| text.split_once("\r\n\r\n"))
    else {
        return false;
    };
    let length = head.lines().filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| body.len() >= length)
}

/// Parses the body of a successful response.
fn parse<T: DeserializeOwned>(answer: &[u8]) -> Option<T> {
    let (head, body) = std::str::from_utf8(answer).ok()?.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200 ").then(|| serde_json::from_str(body).ok())?
}

/// The version in a response of a Headroom proxy.
fn version(answer: &[u8]) -> Option<String> {
    let identity: Identity = parse(answer)?;
    let is_ours = identity.name == NAME;
    // It is printed on a terminal.
    let is_plain =
        identity.version.len() <= 64 && identity.version.bytes().all(|byte| byte.is_ascii_graphic());
    (is_ours && is_plain).then_some(identity.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_words_are_ours() {
        let answer =
            |head: &str, body: &str| format!("{head}\r\ncontent-type: application/json\r\n\r\n{body}");
        let version = |text: String| version(text.as_bytes());
        assert_eq!(
            version(answer("HTTP/1.1 200 OK", &identity())).as_deref(),
            Some(env!("CARGO_PKG_VERSION"))
        );
        for (head, body) in [
            ("HTTP/1.1 200 OK", "ok\n"),
            ("HTTP/1.1 200 OK", r#"{"name":"other","version":"1"}"#),
            ("HTTP/1.1 404 Not Found", r#"{"name":"headroom","version":"1"}"#),
            ("HTTP/1.1 200 OK", "{\"name\":\"headroom\",\"version\":\"\\u001b[31m\"}"),
            ("SSH-2.0", ""),
        ] {
            assert_eq!(version(answer(head, body)), None, "{head} {body}");
        }
        assert_eq!(version("\r\n".to_owned()), None);
    }
}
