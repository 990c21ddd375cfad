//! `headroom mcp`: serves elided content to agents over the Model Context Protocol.

mod args;
mod http;
mod install;
mod server;

use std::{io, net::SocketAddr};

use rmcp::{ServiceExt, transport::stdio};

use self::{args::McpCommand, install::InstallError, server::Server};
pub(crate) use self::{
    args::{EXAMPLES, McpArgs},
    install::serves_claude,
};
use crate::{
    config::{Config, OriginalsDir, Store},
    core_dumps,
    secret::SecretError,
    setup::engine,
};

/// Errors of `headroom mcp`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum McpError {
    #[error(
        "originals in memory are lost when a program ends; pass the folder of the proxy with --store, or set \
         HEADROOM_HOME"
    )]
    Memory,
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("the client did not start the protocol correctly")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("cannot listen on {address}: {}", http::in_use(.source))]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot handle signals")]
    Signals(#[source] io::Error),
    #[error("no folder for the token; set HEADROOM_HOME or HOME")]
    NoHome,
    #[error("no token to authenticate clients")]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Install(#[from] InstallError),
}

impl McpError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        match self {
            Self::Memory | Self::NoHome => true,
            Self::Install(error) => error.is_usage(),
            _ => false,
        }
    }
}

/// Runs the server, or changes a client's configuration.
pub(crate) fn run(args: &McpArgs, config: &Config) -> Result<(), McpError> {
    match &args.command {
        Some(McpCommand::Install(args)) => Ok(install::install(args)?),
        Some(McpCommand::Uninstall(args)) => Ok(install::uninstall(args)?),
        None => serve(config, args.http.map(|listen| listen.address())),
    }
}

fn serve(config: &Config, http: Option<SocketAddr>) -> Result<(), McpError> {
    if config.store == Store::Memory {
        return Err(McpError::Memory);
    }
    core_dumps::forbid();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.map_err(McpError::Runtime)?;
    let plaintext = config.originals_dir.as_ref().map(OriginalsDir::open);
    let server = Server::new(&config.store, plaintext, engine(&config.models));
    let served = runtime.block_on(async {
        if let Some(address) = http {
            return http::serve(address, server).await;
        }
        let running = server.serve(stdio()).await.map_err(|error| McpError::Start(Box::new(error)))?;
        // The client ends the server by closing standard input.
        let _ = running.waiting().await;
        Ok(())
    });
    // A pending read of standard input must not delay the exit.
    runtime.shutdown_background();
    served
}
