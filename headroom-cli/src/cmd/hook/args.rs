use super::agent::HookAgent;

pub(crate) const EXAMPLES: &str = "\
For agents that no proxy fits: signed in with an account, behind another gateway, or on a cloud. The agent calls this \
program after each tool, and what the tool returned becomes smaller before it enters the conversation. Requests are not \
touched, so nothing that the provider has cached changes.

In Claude Code that is the output of Bash, Grep and MCP tools. Results of Read stay as they are: Claude Code numbers their \
lines after the hook, and a line that left would give wrong numbers to all that follow. So do failed calls, instruction \
files, files that the agent has edited, and outputs that Claude Code itself stores in a file. The hook uses the settings of \
the proxy (`headroom config print`); it needs none that runs. Anything unexpected passes unchanged: a hook never fails a tool.

Originals are stored first. Markers name headroom_retrieve if Claude Code has the server of `headroom mcp install claude`, \
else a file, which the agent reads with its own tools.

Examples:
  Set it up for all projects, and undo that byte for byte:
    headroom hook install claude
    headroom hook uninstall claude
  For the project in this folder only:
    headroom hook install claude --project
  Show what would be added, and where:
    headroom hook install claude --print
  What the agent would be given for a recorded call:
    headroom hook run claude < call.json

Exit status: 0 success, 1 failure, 2 wrong usage. `headroom hook run` exits with 0, whatever happens.";

const INSTALL_HELP: &str = "\
Adds a hook for PostToolUse to the agent's settings, beside the hooks that are there, and the permission to retrieve \
originals without being asked. Comments, order and permissions of the file are preserved. The previous text is kept in \
$XDG_STATE_HOME/headroom (~/.local/state/headroom), and `headroom hook uninstall` restores it byte for byte. If the file \
was changed since, exactly what was added is removed. A file that cannot be changed safely is left alone, and the text to \
add by hand is printed. `headroom unwrap` removes hooks, too.

Exit status: 0 done, or there was nothing to do, 1 failure, 2 wrong usage.";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum HookCommand {
    /// Add the hook to an agent's settings
    #[command(after_help = INSTALL_HELP)]
    Install(HookInstallArgs),
    /// Remove the hook from an agent's settings
    #[command(after_help = INSTALL_HELP)]
    Uninstall(HookInstallArgs),
    /// Answer one call of an agent: its JSON on standard input, the smaller result on standard output
    Run(HookRunArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct HookInstallArgs {
    /// The agent
    #[arg(value_enum, value_name = "AGENT")]
    pub(super) agent: HookAgent,
    /// For the project in the current folder only, in its .claude/settings.local.json
    #[arg(long)]
    pub(super) project: bool,
    /// Print the file and what would change in it, and change nothing
    #[arg(long)]
    pub(super) print: bool,
    /// Report what was done, or with --print what would be, as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct HookRunArgs {
    /// The agent
    #[arg(value_enum, value_name = "AGENT")]
    pub(super) agent: HookAgent,
}
