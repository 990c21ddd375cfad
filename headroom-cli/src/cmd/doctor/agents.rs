//! What each agent loses with a custom base URL, and whether it has one.

use std::{env, net::SocketAddr};

use super::{Finding, Health, finding as new};
use crate::{
    cmd::wrap::{Agent, find},
    config::leads_to,
};

/// Returns what is known of an installed agent.
pub(super) fn finding(agent: Agent, proxy: Option<SocketAddr>) -> Option<Finding> {
    let program = find(agent.program())?;
    let leads = agent
        .variable()
        .and_then(|name| Some((name, env::var(name).ok().filter(|value| !value.is_empty())?)));
    let (health, how) = match (leads, proxy) {
        (Some((name, value)), Some(proxy)) if leads_to(&value, proxy) => {
            (Health::Good, format!("goes through the proxy ({name})"))
        }
        (Some((name, value)), _) if value.contains("127.0.0.1:") || value.contains("localhost:") => {
            (Health::Note, format!("goes to {value} ({name}), which is not the configured proxy"))
        }
        _ if agent.is_wrapped() => (Health::Note, format!("run it as `headroom wrap {}`", agent.program())),
        _ => (Health::Note, format!("`headroom wrap {}` prints the setup steps", agent.name())),
    };
    let loses = agent.loses().map_or_else(String::new, |loses| format!("; {loses}"));
    Some(new(agent.name(), health, format!("{}: {how}{loses}", program.display())))
}
