//! The agents that `headroom wrap` knows. Each row is tried with the real program in `tests/clients`, or by a script that
//! stands for it in `tests/it/wrap`.

use super::{
    agent::{Agent, ApiVariables, PersistFile, Route},
    plan::{claude, codex, droid, kimi, opencode, openhands, pi},
};

/// The columns that most agents leave empty.
const PLAIN: Agent = Agent {
    name: "",
    title: "",
    program: "",
    install: "",
    route: Route::Steps,
    steps: None,
    file: None,
    variable: None,
    loses: None,
};

pub(super) static AGENTS: [Agent; 18] = [
    Agent {
        name: "claude",
        title: "Claude Code",
        program: "claude",
        install: "npm install -g @anthropic-ai/claude-code",
        route: Route::Plan(claude::plan),
        file: Some(PersistFile::Claude),
        variable: Some("ANTHROPIC_BASE_URL"),
        loses: Some(
            "with a custom base URL it fetches no managed settings and marks nothing for the provider's global cache; \
             old versions load all MCP tools at once, unless ENABLE_TOOL_SEARCH=true",
        ),
        ..PLAIN
    },
    Agent {
        name: "codex",
        title: "OpenAI Codex",
        program: "codex",
        install: "npm install -g @openai/codex",
        route: Route::Plan(codex::plan),
        file: Some(PersistFile::Codex),
        loses: Some("WebSockets are declined, so it uses HTTP"),
        ..PLAIN
    },
    Agent {
        name: "opencode",
        title: "OpenCode",
        program: "opencode",
        install: "npm install -g opencode-ai",
        route: Route::Plan(opencode::plan),
        file: Some(PersistFile::Opencode),
        loses: Some("only anthropic, openai, google and providers in its configuration use the proxy"),
        ..PLAIN
    },
    Agent {
        name: "gemini",
        title: "Gemini CLI",
        program: "gemini",
        install: "npm install -g @google/gemini-cli",
        route: Route::Variables(&[ApiVariables::new(&["GOOGLE_GEMINI_BASE_URL"], "")]),
        file: Some(PersistFile::Gemini),
        variable: Some("GOOGLE_GEMINI_BASE_URL"),
        loses: Some("only with an API key; signed in with Google it bypasses the proxy"),
        ..PLAIN
    },
    Agent {
        name: "aider",
        title: "aider",
        program: "aider",
        install: "python -m pip install aider-install && aider-install",
        // Both spellings: LiteLLM has changed more than once which one it reads.
        route: Route::Variables(&[
            ApiVariables::new(&["OPENAI_API_BASE", "OPENAI_BASE_URL"], "/v1"),
            ApiVariables::new(&["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"], ""),
        ]),
        file: Some(PersistFile::Aider),
        variable: Some("OPENAI_API_BASE"),
        loses: Some("it uses no tools, so there is little to save"),
        ..PLAIN
    },
    Agent {
        name: "goose",
        title: "Goose",
        program: "goose",
        install: "https://block.github.io/goose/docs/getting-started/installation",
        route: Route::Variables(&[
            ApiVariables::new(&["OPENAI_HOST"], ""),
            ApiVariables::new(&["ANTHROPIC_HOST"], ""),
            ApiVariables::new(&["GOOGLE_HOST"], ""),
        ]),
        file: Some(PersistFile::Goose),
        variable: Some("ANTHROPIC_HOST"),
        ..PLAIN
    },
    Agent {
        name: "openhands",
        title: "OpenHands",
        program: "openhands",
        install: "uv tool install openhands --python 3.12",
        route: Route::Plan(openhands::plan),
        variable: Some("LLM_BASE_URL"),
        ..PLAIN
    },
    Agent {
        name: "qwen",
        title: "Qwen Code",
        program: "qwen",
        install: "npm install -g @qwen-code/qwen-code",
        route: Route::Variables(&[ApiVariables::new(&["OPENAI_BASE_URL"], "/v1")]),
        variable: Some("OPENAI_BASE_URL"),
        loses: Some(
            "only with OPENAI_API_KEY; signed in, and with modelProviders in its settings, it bypasses the proxy",
        ),
        ..PLAIN
    },
    Agent {
        name: "kilo",
        title: "Kilo Code",
        program: "kilo",
        install: "npm install -g @kilocode/cli",
        route: Route::Plan(opencode::plan_kilo),
        loses: Some(
            "only anthropic, openai, google and providers in its configuration use the proxy; Kilo's own does not",
        ),
        ..PLAIN
    },
    Agent {
        name: "pi",
        title: "Pi",
        program: "pi",
        install: "npm install -g @mariozechner/pi-coding-agent",
        route: Route::Plan(pi::plan),
        loses: Some("only anthropic, openai, google and providers in its models.json use the proxy"),
        ..PLAIN
    },
    Agent {
        name: "kimi",
        title: "Kimi Code, with a model of your own (else prints the steps)",
        program: "kimi",
        install: "npm install -g @moonshot-ai/kimi-code",
        route: Route::Plan(kimi::plan),
        steps: Some(KIMI_STEPS),
        variable: Some("KIMI_MODEL_BASE_URL"),
        loses: Some("only with KIMI_MODEL_NAME; signed in it bypasses the proxy"),
        ..PLAIN
    },
    Agent {
        name: "grok",
        title: "Grok CLI (@vibe-kit/grok-cli)",
        program: "grok",
        install: "npm install -g @vibe-kit/grok-cli",
        route: Route::Variables(&[ApiVariables {
            names: &["GROK_BASE_URL"],
            path: "/v1",
            default: Some("https://api.x.ai/v1"),
        }]),
        variable: Some("GROK_BASE_URL"),
        ..PLAIN
    },
    Agent {
        name: "droid",
        title: "Factory Droid, with models of your own (else prints the steps)",
        program: "droid",
        install: "npm install -g droid",
        route: Route::Plan(droid::plan),
        steps: Some(DROID_STEPS),
        loses: Some("only your own models; Factory's bypass the proxy"),
        ..PLAIN
    },
    Agent {
        name: "vibe",
        title: "Mistral Vibe (prints the steps)",
        program: "vibe",
        install: "uv tool install mistral-vibe",
        steps: Some(VIBE_STEPS),
        ..PLAIN
    },
    Agent {
        name: "copilot",
        title: "GitHub Copilot CLI, with models of your own (else prints the steps)",
        program: "copilot",
        install: "npm install -g @github/copilot",
        route: Route::VariablesWith(
            "COPILOT_PROVIDER_BASE_URL",
            &[ApiVariables::new(&["COPILOT_PROVIDER_BASE_URL"], "")],
        ),
        steps: Some(COPILOT_STEPS),
        variable: Some("COPILOT_PROVIDER_BASE_URL"),
        loses: Some("only your own models; GitHub's bypass the proxy"),
        ..PLAIN
    },
    Agent {
        name: "cline",
        title: "Cline (prints the steps)",
        program: "cline",
        install: "npm install -g cline",
        steps: Some(CLINE_STEPS),
        ..PLAIN
    },
    Agent {
        name: "continue",
        title: "Continue (prints the steps)",
        program: "cn",
        install: "npm install -g @continuedev/cli",
        steps: Some(CONTINUE_STEPS),
        ..PLAIN
    },
    Agent {
        name: "cursor",
        title: "Cursor (prints what is possible)",
        program: "cursor",
        install: "https://cursor.com",
        steps: Some(CURSOR_STEPS),
        loses: Some("its requests come from Cursor's servers, which cannot reach a proxy here"),
        ..PLAIN
    },
];

const COPILOT_STEPS: &str = "\
GitHub Copilot CLI uses GitHub's own service unless you configure a model provider. With one, wrap it:
1. Name the provider:
     export COPILOT_PROVIDER_BASE_URL=https://api.openai.com/v1
     export COPILOT_PROVIDER_API_KEY=...
     export COPILOT_MODEL=...
   (COPILOT_PROVIDER_TYPE=anthropic for the Anthropic API.)
2. Run it:
     headroom wrap copilot
";
const KIMI_STEPS: &str = "\
Kimi Code uses the service that it is signed in to unless you name a model. With one, wrap it:
1. Name the model:
     export KIMI_MODEL_NAME=...
     export KIMI_MODEL_API_KEY=...
   (KIMI_MODEL_PROVIDER_TYPE=anthropic or openai, and KIMI_MODEL_BASE_URL, for another provider than Moonshot.)
2. Run it:
     headroom wrap kimi
";
const DROID_STEPS: &str = "\
Factory Droid uses Factory's own service unless you configure models of your own. With some, wrap it:
1. Add them to \"customModels\" in ~/.factory/settings.json, each with a \"baseUrl\".
2. Run it:
     headroom wrap droid
";
const VIBE_STEPS: &str = "\
Vibe reads the address of a provider from its configuration only.
1. Start a proxy in front of Mistral, and leave it running:
     headroom proxy --openai-upstream https://api.mistral.ai
2. In ~/.vibe/config.toml, in the [[providers]] that you use, set
     api_base = \"http://{proxy}/v1\"
";
const CLINE_STEPS: &str = "\
Cline keeps its settings inside the editor, where they cannot be set for one run.
1. Start the proxy, and leave it running:
     headroom proxy
2. In Cline's settings, choose the API provider:
     Anthropic: tick \"Use custom base URL\" and enter http://{proxy}
     OpenAI Compatible: base URL http://{proxy}/v1
     Gemini: tick \"Use custom base URL\" and enter http://{proxy}
   A Cline account or OpenRouter bypasses the proxy.
";
const CONTINUE_STEPS: &str = "\
Continue reads the address from its configuration only.
1. Start the proxy, and leave it running:
     headroom proxy
2. In ~/.continue/config.yaml, add to each model that should go through it
     apiBase: http://{proxy}/v1
   for the providers anthropic and openai, and for gemini
     apiBase: http://{proxy}/v1beta
";
const CURSOR_STEPS: &str = "\
Cursor sends its requests from its own servers, which cannot reach a proxy on this machine, and a proxy that they could reach \
would be open to everybody. So its models cannot use Headroom.
What works: give its agent the tools to retrieve elided content and to compress large texts:
     headroom mcp install cursor
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_whole() {
        for agent in &AGENTS {
            assert!(!agent.name.is_empty() && !agent.title.is_empty() && !agent.program.is_empty());
            assert!(!agent.install.is_empty(), "{}", agent.name);
            assert_eq!(AGENTS.iter().filter(|other| other.name == agent.name).count(), 1, "{}", agent.name);
            if matches!(agent.route, Route::Steps | Route::VariablesWith(..)) {
                assert!(agent.steps.is_some(), "{}", agent.name);
            }
        }
    }
}
