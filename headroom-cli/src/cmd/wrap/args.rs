//! The arguments of `headroom wrap` and `headroom unwrap`.

use std::ffi::OsString;

use headroom_core::{Retrieval, Tier};

use super::{ServiceKind, agent::Agent, context::ContextTool};
use crate::config::{Base, Epochs, Holdout, OriginalsDir, Settings, Store};

pub(crate) const EXAMPLES: &str = "\
The agent runs as it would without Headroom: in the same folder, on the same terminal, with the same settings and keys. \
Only the API addresses in its environment (for codex, pi and droid: in its arguments) point at a proxy that lives inside \
this process and ends with it. None of the agent's files is changed.

The proxy sends requests to the address in the agent's own variable (ANTHROPIC_BASE_URL, OPENAI_BASE_URL, ...) or \
configuration: a gateway stays in between. --upstream and HEADROOM_*_UPSTREAM override that.

Signals are forwarded to the agent, and its exit status becomes that of this command. At the end one line on standard \
error says what was saved.

Cline, Continue, Cursor and Vibe have no variable for the address, and Copilot, Droid and Kimi have one only for models of \
your own. For these the setup steps are printed. Where no proxy fits, see `headroom hook --help`.

With --persist the agent is not run. Instead its own file (for claude ~/.claude/settings.json) points it at the shared \
proxy, however it is started. That proxy must run whenever the agent does: start `headroom proxy`, or let --service have \
systemd, launchd or the Task Scheduler do it. The file is recorded in $HEADROOM_HOME and then changed atomically; comments, order and permissions are \
preserved, and `headroom unwrap` restores it byte for byte. This works for claude, codex, opencode, gemini, aider and \
goose; for the others the steps are printed.

Examples:
  Claude Code, interactive:
    headroom wrap claude
  With arguments for the agent, after `--`:
    headroom wrap claude -- -p \"why do orders fail?\"
    headroom wrap codex -- exec \"fix the tests\"
  With an OpenAI-compatible server behind it:
    headroom wrap aider --upstream http://127.0.0.1:11434
  With files that the agent reads itself instead of a tool (Claude Code is given permission):
    headroom wrap claude --retrieval file
  With RTK in front of its shell commands, for this run:
    headroom wrap claude --context-tool rtk
  The variables to set by hand, for a proxy that runs already:
    headroom wrap gemini --print
  Permanent setup, and its removal:
    headroom wrap claude --persist --service
    headroom unwrap claude

Exit status: the agent's own; 128 + N if signal N ended it; 127 if it is not installed, 126 if it cannot be run; 1 if \
the proxy cannot start, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct WrapArgs {
    /// The agent to run
    #[arg(value_enum, value_name = "AGENT")]
    pub(super) agent: Agent,
    /// Upstream of the proxy [default: where the agent's requests would go without Headroom]
    #[arg(long, value_name = "URL")]
    pub(super) upstream: Option<Base>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(super) tier: Option<Tier>,
    /// Whether old results and old thinking may leave at new prompts: on or off [default: on]
    #[arg(long, value_name = "on|off")]
    pub(super) epochs: Option<Epochs>,
    /// Where originals are stored: a folder, memory, or the URL of a Redis or Valkey server [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory|URL")]
    pub(super) store: Option<Store>,
    /// How the model retrieves elided content: server-tool, client-tool, file or off [default: server-tool]
    #[arg(long)]
    pub(super) retrieval: Option<Retrieval>,
    /// Folder of plain-text originals, for `--retrieval file`; the agent must be allowed to read it [default: `plaintext` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(super) originals_dir: Option<OriginalsDir>,
    /// An installed tool that shrinks the output of shell commands before the agent sees it (claude only) [default: $HEADROOM_CONTEXT_TOOL, or none]
    #[arg(long, value_enum, value_name = "TOOL", conflicts_with_all = ["persist"])]
    pub(super) context_tool: Option<ContextTool>,
    /// Per cent of the conversations that are sent untouched, for their whole life, so that `headroom savings` can compare [default: 0]
    #[arg(long, value_name = "PERCENT", conflicts_with_all = ["join", "print", "persist"])]
    pub(super) holdout: Option<Holdout>,
    /// Use the proxy that runs at the configured address instead of starting one
    #[arg(long, conflicts_with_all = ["upstream", "tier", "epochs", "store", "retrieval", "originals_dir"])]
    pub(super) join: bool,
    /// Print the variables and arguments for the configured address instead of running the agent
    #[arg(long, conflicts_with_all = ["upstream", "tier", "epochs", "store", "retrieval", "originals_dir", "join"])]
    pub(super) print: bool,
    /// Point the agent's own configuration at the proxy at the configured address, until `headroom unwrap`
    #[arg(long, conflicts_with_all = ["upstream", "tier", "epochs", "store", "join", "args"])]
    pub(super) persist: bool,
    /// With --persist: have this system run the proxy whenever you are logged in [default: by systemd, on macOS by launchd, on Windows by schtasks]
    #[arg(long, value_enum, value_name = "MANAGER", num_args = 0..=1, require_equals = true, requires = "persist", conflicts_with = "print")]
    pub(super) service: Option<Option<ServiceKind>>,
    /// Print the summary, or with --print or --persist the settings, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Arguments of the agent
    #[arg(last = true, value_name = "ARGS")]
    pub(super) args: Vec<OsString>,
}

impl WrapArgs {
    /// The proxy settings among the flags.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            upstream: self.upstream.clone(),
            tier: self.tier,
            epochs: self.epochs,
            store: self.store.clone(),
            retrieval: self.retrieval,
            originals_dir: self.originals_dir.clone(),
            holdout: self.holdout,
            ..Settings::default()
        }
    }
}

pub(crate) const UNWRAP_EXAMPLES: &str = "\
Undoes `headroom wrap AGENT --persist`. A file that was not changed since is restored byte for byte, or deleted if \
it did not exist. In a changed file, only Headroom's keys are removed, except those that were changed. \
An interrupted `headroom wrap --persist` is undone in the same way, and so are the hooks of `headroom hook install`. With \
the last agent, the service that --service has set up is removed.

Examples:
  One agent, or all of them:
    headroom unwrap claude
    headroom unwrap
  What that would do:
    headroom unwrap --print

Exit status: 0 undone or nothing to undo, 1 something could not be undone, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct UnwrapArgs {
    /// The agents to undo [default: all]
    #[arg(value_enum, value_name = "AGENT")]
    pub(super) agents: Vec<Agent>,
    /// Print what would be done, and change nothing
    #[arg(long)]
    pub(super) print: bool,
    /// Print what was done as JSON
    #[arg(long)]
    pub(super) json: bool,
}
