use std::{io, net::SocketAddr, path::PathBuf};

/// Why the service cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    #[error(
        "{title} does not run for this user, so it cannot start the proxy; let your system run `{} proxy` when you log \
         in. Everything else is done", program.display()
    )]
    NoManager { title: &'static str, program: PathBuf },
    #[error("{} is not Headroom's; remove it, or start the proxy in another way", path.display())]
    OtherFile { path: PathBuf },
    #[error("{title} has a {service} that is not Headroom's; remove it, or start the proxy in another way")]
    OtherService { title: &'static str, service: &'static str },
    #[error("{name} has a control character, which the definition of a service cannot hold")]
    Control { name: String },
    #[error("{program} {arguments} failed: {message}")]
    Command { program: &'static str, arguments: String, message: String },
    #[error("the service does not answer at {address}; see {log}")]
    Silent { address: SocketAddr, log: String },
    #[error("cannot set up {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot find the path of this program")]
    Program(#[source] io::Error),
}
