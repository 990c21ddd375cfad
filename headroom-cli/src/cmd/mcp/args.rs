use super::install::McpClient;
use crate::config::{Listen, Store};

pub(crate) const EXAMPLES: &str = "\
Without a subcommand this is a server of the Model Context Protocol on standard input and output: an agent starts it \
and ends it. Its tools are headroom_retrieve, which shows what stands behind a marker, or a part of it; \
headroom_compress, which makes a text smaller; and headroom_stats, which says what was saved, from the ledger that \
`headroom savings` shows.

It reads what the proxy and `headroom compress` of this user set aside, from the same folder. Where an agent has \
these tools, the proxy adds none of its own to its requests.

With --http it serves on an address instead, at the path /mcp (streamable HTTP), for clients that show the token in the \
file `token` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom. It keeps no sessions.

Examples:
  Let an agent know it:
    headroom mcp install claude
  See what that would change, and where:
    headroom mcp install cursor --print
  Take it out again, byte for byte:
    headroom mcp uninstall claude
  Serve it over HTTP, and let Claude Code know that:
    headroom mcp --http &
    claude mcp add --transport http headroom http://127.0.0.1:8788/mcp \\
      --header \"Authorization: Bearer $(cat ~/.headroom/token)\"

Exit status: 0 done, 1 failed, 2 called wrongly.";

pub(super) const INSTALL_HELP: &str = "\
The entry is put into the client's own file, whose comments, order and permissions stay. The file as it was is kept \
beside the change in $XDG_STATE_HOME/headroom (~/.local/state/headroom), and `headroom mcp uninstall` puts it back. If \
the file was changed since, only the entry is taken out. A file that cannot be changed safely is left alone, and what \
to write into it by hand is printed.

Exit status: 0 done, or there was nothing to do, 1 failed, 2 called wrongly.";

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct McpArgs {
    #[command(subcommand)]
    pub(super) command: Option<McpCommand>,
    /// The folder where things set aside are kept [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<Store>,
    /// Serve on this address instead of standard input and output [default: 127.0.0.1:8788]
    #[arg(long, value_name = "ADDRESS:PORT", num_args = 0..=1, default_missing_value = "127.0.0.1:8788")]
    pub(super) http: Option<Listen>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum McpCommand {
    /// Put the server into a client's configuration
    #[command(after_help = INSTALL_HELP)]
    Install(InstallArgs),
    /// Take it out again
    #[command(after_help = INSTALL_HELP)]
    Uninstall(InstallArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct InstallArgs {
    /// The client
    #[arg(value_enum, value_name = "CLIENT")]
    pub(super) client: McpClient,
    /// Print the file and what would stand in it instead of changing it
    #[arg(long)]
    pub(super) print: bool,
    /// Say what was done, or with --print what would be, as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}
