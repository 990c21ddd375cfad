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
    let leads =
        variable(agent).and_then(|name| Some((name, env::var(name).ok().filter(|value| !value.is_empty())?)));
    let (health, how) = match (leads, proxy) {
        (Some((name, value)), Some(proxy)) if leads_to(&value, proxy) => {
            (Health::Good, format!("goes through the proxy ({name})"))
        }
        (Some((name, value)), _) if value.contains("127.0.0.1:") || value.contains("localhost:") => {
            (Health::Note, format!("goes to {value} ({name}), which is not the configured proxy"))
        }
        _ if is_wrapped(agent) => (Health::Note, format!("run it as `headroom wrap {}`", agent.program())),
        _ => (Health::Note, format!("`headroom wrap {}` prints the setup steps", name(agent))),
    };
    let loses = loses(agent).map_or_else(String::new, |loses| format!("; {loses}"));
    Some(new(name(agent), health, format!("{}: {how}{loses}", program.display())))
}

fn name(agent: Agent) -> String {
    clap::ValueEnum::to_possible_value(&agent).map(|value| value.get_name().to_owned()).unwrap_or_default()
}

const fn is_wrapped(agent: Agent) -> bool {
    !matches!(agent, Agent::Vibe | Agent::Cline | Agent::Continue | Agent::Cursor)
}

/// The variable that sets its base URL.
const fn variable(agent: Agent) -> Option<&'static str> {
    Some(match agent {
        Agent::Claude => "ANTHROPIC_BASE_URL",
        Agent::Gemini => "GOOGLE_GEMINI_BASE_URL",
        Agent::Aider => "OPENAI_API_BASE",
        Agent::Goose => "ANTHROPIC_HOST",
        Agent::Openhands => "LLM_BASE_URL",
        Agent::Copilot => "COPILOT_PROVIDER_BASE_URL",
        _ => return None,
    })
}

/// What it does differently with a custom base URL, by its documentation or its behaviour.
const fn loses(agent: Agent) -> Option<&'static str> {
    Some(match agent {
        Agent::Claude => {
            "with a custom base URL it loads all MCP tools at once, unless ENABLE_TOOL_SEARCH=true"
        }
        Agent::Codex => "WebSockets are declined, so it uses HTTP",
        Agent::Opencode => "only anthropic, openai, google and providers in its configuration use the proxy",
        Agent::Gemini => "only with an API key; signed in with Google it bypasses the proxy",
        Agent::Aider => "it uses no tools, so there is little to save",
        Agent::Copilot => "only your own models; GitHub's bypass the proxy",
        Agent::Cursor => "its requests come from Cursor's servers, which cannot reach a proxy here",
        _ => return None,
    })
}
