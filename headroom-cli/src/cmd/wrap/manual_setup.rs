//! Setup steps for agents that no variable points at the proxy.

use std::net::SocketAddr;

use super::agent::Agent;

/// The steps for a proxy at this address.
pub(super) fn instructions(agent: Agent, proxy: SocketAddr) -> String {
    match agent.steps {
        Some(steps) => steps.replace("{proxy}", &proxy.to_string()),
        None => format!(
            "1. Start the proxy, and leave it running:\n     headroom proxy\n2. Point {} at http://{proxy}\n",
            agent.program
        ),
    }
}
