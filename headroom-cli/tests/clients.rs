//! Real agents through the proxy, against scripted upstreams.
//!
//! The agents are installed with npm and the upstreams' Python packages with pip, into `target/clients` or the folder
//! that `HEADROOM_CLIENTS` names. The upstreams are in the folder that `HEADROOM_SHARED` names. Where any of this
//! cannot be had, a test says so and passes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

#[path = "clients/aimock.rs"]
mod aimock;
#[path = "clients/claude.rs"]
mod claude;
#[path = "clients/codex.rs"]
mod codex;
#[path = "clients/epochs.rs"]
mod epochs;
#[path = "clients/hooks.rs"]
mod hooks;
#[path = "clients/others.rs"]
mod others;
#[path = "clients/sdk.rs"]
mod sdk;
#[path = "clients/setup.rs"]
mod setup;
mod support;
#[path = "clients/wrapped.rs"]
mod wrapped;

use std::{fs, net::SocketAddr, path::Path, process::Command, time::Duration};

use serde_json::Value;

use self::support::{Proxy, headroom};

const TASK: &str = "Find out why orders fail.";
/// An agent takes seconds; more than this and it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What stands in the agents' environment, and nothing else does.
fn clean(command: &mut Command, home: &Path, folder: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home).current_dir(folder);
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The bodies that an upstream recorded, in their order.
fn bodies(recorded: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(recorded).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "body")).collect();
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// A proxy with a store that outlives it, on this address or any.
fn stored(upstream: SocketAddr, store: &Path, address: Option<SocketAddr>) -> Proxy {
    let listen = address.map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
    let url = format!("http://{upstream}");
    let mut proxy = headroom(&["proxy", "--log", "info", "--listen", &listen, "--upstream", &url, "--store"]);
    Proxy::start(proxy.arg(store))
}

/// Whether a strict upstream refused nothing, dropped no thinking, read more from its cache each time, and was asked
/// for what was set aside.
fn check(requests: &[Value]) {
    let (mut read, mut fetched) = (0, 0);
    for request in requests {
        assert!(request["err"].is_null(), "refused: {request}");
        assert_eq!(request["dropped"].as_array().map(Vec::len), Some(0), "thinking was dropped: {request}");
        assert!(
            request["thread"].is_null(),
            "the provider keeps what the client does not know of: {request}"
        );
        let now = request["usage"]["cache_read_input_tokens"].as_u64().unwrap();
        assert!(now >= read, "the prompt cache was missed: {requests:?}");
        read = now;
        fetched += usize::from(request["calls"].to_string().contains("headroom_retrieve"));
    }
    assert!(fetched > 0 && read > 0, "{requests:?}");
}
