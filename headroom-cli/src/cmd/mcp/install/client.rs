use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use crate::dirs::absolute;

/// A client whose configuration can list the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "lowercase")]
pub(in crate::cmd::mcp) enum McpClient {
    /// Claude Code
    Claude,
    /// OpenAI Codex
    Codex,
    /// OpenCode
    Opencode,
    /// Cursor
    Cursor,
    /// Visual Studio Code
    Vscode,
    /// Gemini CLI
    Gemini,
    /// Windsurf
    Windsurf,
    /// Zed
    Zed,
}

/// The entry for the server in a client's configuration.
pub(super) enum McpEntry {
    /// A member `headroom` of the object `parent`.
    Json { parent: &'static str, value: Value },
    /// A table appended to the file.
    Toml(String),
}

/// The name of the server in every configuration.
pub(super) const NAME: &str = "headroom";

impl McpClient {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Opencode => "opencode",
            Self::Cursor => "cursor",
            Self::Vscode => "vscode",
            Self::Gemini => "gemini",
            Self::Windsurf => "windsurf",
            Self::Zed => "zed",
        }
    }

    /// The user's configuration file of this client.
    pub(super) fn file(self) -> Option<PathBuf> {
        let home = absolute("HOME").or_else(|| absolute("USERPROFILE"))?;
        let config = absolute("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        let at = |variable, folder: &str, file: &str| {
            absolute(variable).unwrap_or_else(|| home.join(folder)).join(file)
        };
        Some(match self {
            // Without the variable the file is beside the folder, not in it.
            Self::Claude => {
                absolute("CLAUDE_CONFIG_DIR").unwrap_or_else(|| home.clone()).join(".claude.json")
            }
            Self::Codex => at("CODEX_HOME", ".codex", "config.toml"),
            Self::Opencode => {
                let folder = config.join("opencode");
                let commented = folder.join("opencode.jsonc");
                if commented.exists() { commented } else { folder.join("opencode.json") }
            }
            Self::Cursor => home.join(".cursor/mcp.json"),
            Self::Vscode => application_data(&home, &config).join("Code/User/mcp.json"),
            Self::Gemini => home.join(".gemini/settings.json"),
            Self::Windsurf => home.join(".codeium/windsurf/mcp_config.json"),
            Self::Zed => {
                let folder = if cfg!(target_os = "macos") { home.join(".config") } else { config };
                folder.join("zed/settings.json")
            }
        })
    }

    /// The entry for a server that is this program.
    pub(super) fn entry(self, program: &Path) -> McpEntry {
        let program = program.to_string_lossy();
        let (parent, value) = match self {
            Self::Codex => {
                // TOML strings have the escapes of JSON.
                let program = Value::from(program);
                return McpEntry::Toml(format!(
                    "\n[mcp_servers.{NAME}]\ncommand = {program}\nargs = [\"mcp\"]\n"
                ));
            }
            Self::Opencode => ("mcp", json!({"type": "local", "command": [program, "mcp"], "enabled": true})),
            Self::Vscode => ("servers", json!({"type": "stdio", "command": program, "args": ["mcp"]})),
            Self::Claude => ("mcpServers", json!({"type": "stdio", "command": program, "args": ["mcp"]})),
            Self::Zed => (
                "context_servers",
                json!({"source": "custom", "command": program, "args": ["mcp"], "env": {}}),
            ),
            Self::Cursor | Self::Gemini | Self::Windsurf => {
                ("mcpServers", json!({"command": program, "args": ["mcp"]}))
            }
        };
        McpEntry::Json { parent, value }
    }
}

/// Whether Claude Code has the server in the user's own list.
pub(crate) fn serves_claude() -> bool {
    #[derive(Deserialize)]
    struct Listed {
        #[serde(default, rename = "mcpServers")]
        servers: BTreeMap<String, IgnoredAny>,
    }
    let listed = McpClient::Claude.file().and_then(|file| fs::read_to_string(file).ok());
    listed
        .and_then(|text| serde_json::from_str::<Listed>(&text).ok())
        .is_some_and(|listed| listed.servers.contains_key(NAME))
}

/// The settings folder of desktop applications.
fn application_data(home: &Path, config: &Path) -> PathBuf {
    if cfg!(target_os = "macos") {
        home.join("Library/Application Support")
    } else if cfg!(windows) {
        absolute("APPDATA").unwrap_or_else(|| home.join("AppData/Roaming"))
    } else {
        config.to_owned()
    }
}
