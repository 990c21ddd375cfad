//! `headroom dashboard`: creates a link to the page that the proxy serves.

mod args;

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Command, Stdio},
};

use serde_json::json;

pub(crate) use self::args::{DashboardArgs, EXAMPLES};
use crate::{
    config::{self, Config, FilePath},
    output,
    proxy::{self, Listener, probe},
    secret::{Secret, SecretError},
};

/// Errors of `headroom dashboard`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DashboardError {
    #[error(
        "no Headroom proxy answers at {address}; start one with `headroom proxy`, or pass its address with --listen. \
         `headroom savings` shows the savings without a proxy"
    )]
    NoProxy { address: SocketAddr },
    #[error("{address} belongs to another program; pass the address of the proxy with --listen")]
    Other { address: SocketAddr },
    #[error("no token for the proxy; set HEADROOM_HOME or HOME to the value that the proxy has")]
    NoHome,
    #[error("no token for the proxy")]
    Secret(#[from] SecretError),
    #[error(
        "the proxy at {address} refuses a link: it was started with another HEADROOM_HOME, by another user, or is older \
         than this program"
    )]
    Refused { address: SocketAddr },
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot open a browser; open the link yourself: {url}")]
    Browser { url: String, source: io::Error },
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl DashboardError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoHome)
    }
}

/// Prints or opens the link.
pub(crate) fn run(args: &DashboardArgs, config: &Config) -> Result<(), DashboardError> {
    let address = reachable(config.listen.address());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(DashboardError::Runtime)?;
    match runtime.block_on(probe(address)) {
        Listener::Headroom { .. } => {}
        Listener::Other => return Err(DashboardError::Other { address }),
        Listener::Nobody => return Err(DashboardError::NoProxy { address }),
    }
    let file = config.token_file.as_ref().map(FilePath::path);
    let secret = Secret::configured(file, config::home().as_deref())?.ok_or(DashboardError::NoHome)?;
    let code = runtime.block_on(proxy::code(address, &secret)).ok_or(DashboardError::Refused { address })?;
    // Fragments are sent to no server and appear in no log.
    let url = format!("http://{address}/dashboard#{code}");
    if args.json {
        return print(&format!("{}\n", json!({"url": url})));
    }
    if args.open {
        return open(&url).map_err(|source| DashboardError::Browser { url, source });
    }
    print(&format!("{url}\n"))?;
    output::note(&"headroom: the link is good once, for two minutes; `headroom dashboard --open` opens it");
    Ok(())
}

fn print(text: &str) -> Result<(), DashboardError> {
    output::write(text.as_bytes()).map_err(DashboardError::Write)
}

/// An address that a browser on this machine can open.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    (ip, address.port()).into()
}

fn open(url: &str) -> io::Result<()> {
    let mut command = if cfg!(target_os = "macos") {
        Command::new("open")
    } else if cfg!(windows) {
        let mut command = Command::new("rundll32");
        command.arg("url.dll,FileProtocolHandler");
        command
    } else {
        Command::new("xdg-open")
    };
    let status =
        command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("the browser's starter ended with {status}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_all_is_reached_on_this_machine() {
        for (address, url) in [
            ("127.0.0.1:8787", "127.0.0.1:8787"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "127.0.0.1:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(reachable(address.parse().unwrap()).to_string(), url);
        }
    }
}
