//! Setup steps for agents that no variable points at the proxy.

use std::net::SocketAddr;

use super::agent::Agent;

/// The steps for a proxy at this address.
pub(super) fn instructions(agent: Agent, proxy: SocketAddr) -> String {
    let start = "1. Start the proxy, and leave it running:\n     headroom proxy\n";
    match agent {
        Agent::Copilot => "GitHub Copilot CLI uses GitHub's own service unless you configure a model provider. With one, wrap it:\n\
             1. Name the provider:\n     export COPILOT_PROVIDER_BASE_URL=https://api.openai.com/v1\n     \
             export COPILOT_PROVIDER_API_KEY=...\n     export COPILOT_MODEL=...\n   \
             (COPILOT_PROVIDER_TYPE=anthropic for the Anthropic API.)\n\
             2. Run it:\n     headroom wrap copilot\n"
            .to_owned(),
        Agent::Vibe => format!(
            "Vibe reads the address of a provider from its configuration only.\n\
             1. Start a proxy in front of Mistral, and leave it running:\n     \
             headroom proxy --openai-upstream https://api.mistral.ai\n\
             2. In ~/.vibe/config.toml, in the [[providers]] that you use, set\n     \
             api_base = \"http://{proxy}/v1\"\n"
        ),
        Agent::Cline => format!(
            "Cline keeps its settings inside the editor, where they cannot be set for one run.\n{start}\
             2. In Cline's settings, choose the API provider:\n     \
             Anthropic: tick \"Use custom base URL\" and enter http://{proxy}\n     \
             OpenAI Compatible: base URL http://{proxy}/v1\n     \
             Gemini: tick \"Use custom base URL\" and enter http://{proxy}\n   \
             A Cline account or OpenRouter bypasses the proxy.\n"
        ),
        Agent::Continue => format!(
            "Continue reads the address from its configuration only.\n{start}\
             2. In ~/.continue/config.yaml, add to each model that should go through it\n     \
             apiBase: http://{proxy}/v1\n   \
             for the providers anthropic and openai, and for gemini\n     \
             apiBase: http://{proxy}/v1beta\n"
        ),
        Agent::Cursor => "Cursor sends its requests from its own servers, which cannot reach a proxy on this machine, and \
             a proxy that they could reach would be open to everybody. So its models cannot use Headroom.\n\
             What works: give its agent the tools to retrieve elided content and to compress large texts:\n     \
             headroom mcp install cursor\n"
            .to_owned(),
        Agent::Claude | Agent::Codex | Agent::Opencode | Agent::Gemini | Agent::Aider | Agent::Goose
        | Agent::Openhands => format!("{start}2. Point {} at http://{proxy}\n", agent.program()),
    }
}
