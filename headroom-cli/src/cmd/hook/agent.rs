use std::path::PathBuf;

use crate::dirs::named;

/// An agent whose hooks may replace the result of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lowercase")]
pub(crate) enum HookAgent {
    /// Claude Code
    Claude,
}

impl HookAgent {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
        }
    }

    /// The file of the user's settings; `None` if the user has no home.
    pub(super) fn user_file(self) -> Option<PathBuf> {
        match self {
            Self::Claude => Some(named("CLAUDE_CONFIG_DIR", ".claude")?.join("settings.json")),
        }
    }

    /// The file of the user's own settings for a project. It is not the one that a team shares: the hook names a program
    /// on this machine.
    pub(super) const fn project_file(self) -> &'static str {
        match self {
            Self::Claude => ".claude/settings.local.json",
        }
    }
}
