//! How each agent is told to leave tools out.

use serde::Serialize;

/// An agent, by the tools that it defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AgentKind {
    ClaudeCode,
    Codex,
    OpenCode,
}

impl AgentKind {
    /// Returns the agent whose tools these are.
    pub(super) fn from_tools(tools: &[&str]) -> Option<Self> {
        let has = |name: &str| tools.contains(&name);
        if has("Bash") && has("Read") && has("Edit") {
            Some(Self::ClaudeCode)
        } else if has("update_plan") && (has("shell") || has("exec_command") || has("shell_command")) {
            Some(Self::Codex)
        } else if has("bash") && has("read") && has("todowrite") {
            Some(Self::OpenCode)
        } else {
            None
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex",
            Self::OpenCode => "OpenCode",
        }
    }

    /// Says how this agent leaves these tools out. `server` is the MCP server that all of them are of.
    pub(super) fn without(self, tools: &[&str], server: Option<&str>) -> String {
        let quoted =
            |names: &[&str]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        match (self, server) {
            (Self::ClaudeCode, Some(server)) => format!(
                "`claude mcp remove {server}`, or \"permissions\": {{\"deny\": [\"mcp__{server}\"]}} in \
                 ~/.claude/settings.json; ENABLE_TOOL_SEARCH=true loads MCP tools only when they are wanted"
            ),
            (Self::ClaudeCode, None) => {
                format!("\"permissions\": {{\"deny\": [{}]}} in ~/.claude/settings.json", quoted(tools))
            }
            (Self::Codex, Some(server)) => {
                let own: Vec<&str> =
                    tools.iter().map(|tool| tool.rsplit_once("__").map_or(*tool, |(_, own)| own)).collect();
                format!(
                    "disabled_tools = [{}] under [mcp_servers.{server}] in ~/.codex/config.toml",
                    quoted(&own)
                )
            }
            (Self::OpenCode, _) => {
                let off: Vec<String> = tools.iter().map(|tool| format!("\"{tool}\": false")).collect();
                format!("\"tools\": {{{}}} in opencode.json", off.join(", "))
            }
            (Self::Codex, None) => "Codex has no setting for its own tools".to_owned(),
        }
    }
}

/// Returns the MCP server of a tool: `github` of `mcp__github__list_issues`.
pub(super) fn server_of(tool: &str) -> Option<&str> {
    let (server, _) = tool.strip_prefix("mcp__")?.split_once("__")?;
    (!server.is_empty()).then_some(server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_are_known_by_their_tools() {
        let agent = AgentKind::from_tools;
        assert_eq!(agent(&["Task", "Bash", "Read", "Edit", "mcp__x__y"]), Some(AgentKind::ClaudeCode));
        assert_eq!(agent(&["exec_command", "update_plan"]), Some(AgentKind::Codex));
        assert_eq!(agent(&["bash", "read", "todowrite"]), Some(AgentKind::OpenCode));
        assert_eq!(agent(&["bash", "weather"]), None);
        assert_eq!(agent(&[]), None);
    }

    #[test]
    fn servers_are_found_in_names() {
        assert_eq!(server_of("mcp__github__list_issues"), Some("github"));
        assert_eq!(server_of("mcp__my_server__a__b"), Some("my_server"));
        for tool in ["Bash", "mcp__", "mcp____x", "mcp__x"] {
            assert_eq!(server_of(tool), None, "{tool}");
        }
        let told = AgentKind::Codex.without(&["mcp__github__list_issues"], Some("github"));
        assert!(told.contains("disabled_tools = [\"list_issues\"] under [mcp_servers.github]"), "{told}");
    }
}
