use super::install::McpClient;
use crate::config::{Listen, Settings, Store};

pub(crate) const EXAMPLES: &str = "\
Without a subcommand this is a server of the Model Context Protocol on standard input and output, started and ended by \
an agent. Its tools are headroom_retrieve, which shows the original behind a marker, or a part of it; headroom_compress, \
which makes a text smaller; and headroom_stats, which reports savings from the ledger that `headroom savings` shows.

It reads the originals that the proxy and `headroom compress` of this user stored. The proxy adds no tool of its own to \
requests of agents that have these tools.

With --http it serves on an address instead, at the path /mcp (streamable HTTP), to clients that send the token in the \
file `token` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom. It keeps no sessions.

Examples:
  Add it to an agent:
    headroom mcp install claude
  Show what that would change, and where:
    headroom mcp install cursor --print
  Remove it, byte for byte:
    headroom mcp uninstall claude
  Serve it over HTTP, and add that to Claude Code:
    headroom mcp --http &
    claude mcp add --transport http headroom http://127.0.0.1:8788/mcp \\
      --header \"Authorization: Bearer $(cat ~/.headroom/token)\"

Exit status: 0 success, 1 failure, 2 wrong usage.";

pub(super) const INSTALL_HELP: &str = "\
The entry is added to the client's own file; comments, order and permissions are preserved. The previous text is kept in \
$XDG_STATE_HOME/headroom (~/.local/state/headroom), and `headroom mcp uninstall` restores it. If the file was changed \
since, only the entry is removed. A file that cannot be changed safely is left alone, and the text to add by hand is \
printed.

Exit status: 0 done, or there was nothing to do, 1 failure, 2 wrong usage.";

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct McpArgs {
    #[command(subcommand)]
    pub(super) command: Option<McpCommand>,
    /// The store of the proxy: a folder, or the URL of a Redis or Valkey server [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|URL")]
    pub(super) store: Option<Store>,
    /// Serve on this address instead of standard input and output [default: 127.0.0.1:8788]
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:8788")]
    pub(super) http: Option<Listen>,
}

impl McpArgs {
    /// The settings that these flags share with the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings { store: self.store.clone(), ..Settings::default() }
    }
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum McpCommand {
    /// Add the server to a client's configuration
    #[command(after_help = INSTALL_HELP)]
    Install(InstallArgs),
    /// Remove the server from a client's configuration
    #[command(after_help = INSTALL_HELP)]
    Uninstall(InstallArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct InstallArgs {
    /// The client
    #[arg(value_enum, value_name = "CLIENT")]
    pub(super) client: McpClient,
    /// Print the file and its new content instead of changing it
    #[arg(long)]
    pub(super) print: bool,
    /// Report what was done, or with --print what would be, as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}
