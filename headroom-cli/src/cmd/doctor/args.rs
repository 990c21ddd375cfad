use std::{num::NonZeroU32, path::PathBuf};

pub(crate) const EXAMPLES: &str = "\
Checks the configuration, the data folder, the proxy's address and the agents in PATH. Nothing is changed and nothing \
leaves this machine.

With --bill it reads your own records instead, the logs of Claude Code and Codex and the ledger of the proxy, and says what \
would make your bill smaller, with what each is worth by these records: the lifetime of the cache that fits your pauses, \
models that change within a session, files that are read again, commands with long outputs, tools that are defined and never \
called, and text in the system prompt or the tools that changes from request to request, so that the provider writes the \
conversation again. The last two are known for requests through Headroom. Of a head only hashes are compared, and only the \
place and the kind of a change are recorded.

Examples:
  What is active, and what is not:
    headroom doctor
  What would make the bill smaller:
    headroom doctor --bill
  By the logs in a folder:
    headroom doctor --bill ~/old-laptop/.claude/projects
  For a program:
    headroom doctor --json

Exit status: 0 all is well, 1 something keeps Headroom from working, 2 wrong usage or configuration.";

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Say what would make your bill smaller, by your own records
    #[arg(long)]
    pub(super) bill: bool,
    /// Logs to read: files, or folders of them [default: $CLAUDE_CONFIG_DIR/projects or ~/.claude/projects, and $CODEX_HOME/sessions or ~/.codex/sessions]
    #[arg(value_name = "PATH", requires = "bill")]
    pub(super) paths: Vec<PathBuf>,
    /// With --bill: number of days, including today
    #[arg(long, value_name = "N", default_value = "30", requires = "bill")]
    pub(super) days: NonZeroU32,
    /// Print the findings as JSON
    #[arg(long)]
    pub(super) json: bool,
}
