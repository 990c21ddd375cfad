use std::{env, path::PathBuf};

/// An agent that can run behind the proxy, or for which the setup steps can be printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lowercase")]
pub(crate) enum Agent {
    /// Claude Code
    Claude,
    /// OpenAI Codex
    Codex,
    /// OpenCode
    Opencode,
    /// Gemini CLI
    Gemini,
    /// aider
    Aider,
    /// Goose
    Goose,
    /// OpenHands
    Openhands,
    /// Mistral Vibe (prints the steps)
    Vibe,
    /// GitHub Copilot CLI, with models of your own (else prints the steps)
    Copilot,
    /// Cline (prints the steps)
    Cline,
    /// Continue (prints the steps)
    Continue,
    /// Cursor (prints what is possible)
    Cursor,
}

impl Agent {
    /// The name of its executable.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Opencode => "opencode",
            Self::Gemini => "gemini",
            Self::Aider => "aider",
            Self::Goose => "goose",
            Self::Openhands => "openhands",
            Self::Vibe => "vibe",
            Self::Copilot => "copilot",
            Self::Cline => "cline",
            Self::Continue => "cn",
            Self::Cursor => "cursor",
        }
    }

    /// The command that installs it.
    pub(super) const fn install(self) -> &'static str {
        match self {
            Self::Claude => "npm install -g @anthropic-ai/claude-code",
            Self::Codex => "npm install -g @openai/codex",
            Self::Opencode => "npm install -g opencode-ai",
            Self::Gemini => "npm install -g @google/gemini-cli",
            Self::Aider => "python -m pip install aider-install && aider-install",
            Self::Goose => "https://block.github.io/goose/docs/getting-started/installation",
            Self::Openhands => "uv tool install openhands --python 3.12",
            Self::Vibe => "uv tool install mistral-vibe",
            Self::Copilot => "npm install -g @github/copilot",
            Self::Cline => "npm install -g cline",
            Self::Continue => "npm install -g @continuedev/cli",
            Self::Cursor => "https://cursor.com",
        }
    }
}

/// Searches `PATH` for a program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}
