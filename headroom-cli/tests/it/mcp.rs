//! `headroom mcp`: the protocol by hand, the official client, and the files of clients.
#![cfg(unix)]

mod http;
mod install;
mod server;
