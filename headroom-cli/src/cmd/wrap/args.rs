use std::ffi::OsString;

use headroom_core::{Retrieval, Tier};

use super::{agent::Agent, context::ContextTool};
use crate::config::{Base, OriginalsDir, Settings, Store};

pub(crate) const EXAMPLES: &str = "\
The agent runs as it would without this: in the same folder, on the same terminal, with the same settings and keys. \
Only the addresses of the APIs in its environment (for codex: in its arguments) lead to a proxy that lives inside \
this process and ends with it. None of the agent's files is changed.

What the agent's own variable named as its address (ANTHROPIC_BASE_URL, OPENAI_BASE_URL, ...), or its configuration, \
is where the proxy sends its requests: a gateway stays in between. --upstream and HEADROOM_*_UPSTREAM go before that.

Signals go on to the agent, and its exit status becomes that of this command. At the end one line on standard error \
says what was saved.

Cline, Continue, Cursor and Vibe have no variable for the address, and Copilot has one only for models of your own. \
There the steps are printed.

With --persist the agent is not run. Its own file (for claude ~/.claude/settings.json) leads to the shared proxy from \
then on, however the agent is started; that proxy must run whenever the agent does: start `headroom proxy`, or let \
--service have systemd do it. The file is noted in $HEADROOM_HOME before it is changed, in one step; comments, order \
and permissions stay, and `headroom unwrap` takes it back byte for byte. This is for claude, codex, opencode, gemini, \
aider and goose; for the others the steps are printed.

Examples:
  Claude Code, interactive:
    headroom wrap claude
  With arguments of its own, behind `--`:
    headroom wrap claude -- -p \"why do orders fail?\"
    headroom wrap codex -- exec \"fix the tests\"
  With an OpenAI-compatible server behind it:
    headroom wrap aider --upstream http://127.0.0.1:11434
  With files that the agent reads itself in place of a tool (Claude Code is told that it may):
    headroom wrap claude --retrieval file
  With RTK before its shell commands, for this run:
    headroom wrap claude --context-tool rtk
  The variables to set by hand, for a proxy that runs already:
    headroom wrap gemini --print
  Set up for good, and undone:
    headroom wrap claude --persist --service
    headroom unwrap claude

Exit status: the agent's own; 128 + N where signal N ended it; 127 where it is not installed, 126 where it cannot be \
run; 1 where the proxy cannot start, 2 called wrongly.";

#[derive(Debug, clap::Args)]
pub(crate) struct WrapArgs {
    /// The agent to run
    #[arg(value_enum, value_name = "AGENT")]
    pub(super) agent: Agent,
    /// Where its requests go [default: where they would go without Headroom]
    #[arg(long, value_name = "URL")]
    pub(super) upstream: Option<Base>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(super) tier: Option<Tier>,
    /// Where what is set aside is kept: a folder, or memory [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory")]
    pub(super) store: Option<Store>,
    /// How the model fetches back what is set aside: server-tool, client-tool, file or off [default: server-tool]
    #[arg(long)]
    pub(super) retrieval: Option<Retrieval>,
    /// The folder of the files, with `--retrieval file`; the agent must be allowed to read it [default: `plaintext` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(super) originals_dir: Option<OriginalsDir>,
    /// Let this tool, which is installed, make the output of shell commands smaller before the agent sees it (claude only) [default: $HEADROOM_CONTEXT_TOOL, or none]
    #[arg(long, value_enum, value_name = "TOOL", conflicts_with_all = ["persist"])]
    pub(super) context_tool: Option<ContextTool>,
    /// Use the proxy that runs at the configured address instead of one of its own
    #[arg(long, conflicts_with_all = ["upstream", "tier", "store", "retrieval", "originals_dir"])]
    pub(super) join: bool,
    /// Print the variables and arguments for the configured address instead of running the agent
    #[arg(long, conflicts_with_all = ["upstream", "tier", "store", "retrieval", "originals_dir", "join"])]
    pub(super) print: bool,
    /// Let the agent's own configuration lead to the proxy at the configured address, until `headroom unwrap`
    #[arg(long, conflicts_with_all = ["upstream", "tier", "store", "join", "args"])]
    pub(super) persist: bool,
    /// With --persist: let systemd run the proxy whenever you are logged in
    #[arg(long, requires = "persist", conflicts_with = "print")]
    pub(super) service: bool,
    /// Write the receipt, or with --print or --persist what is set, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// What the agent is called with
    #[arg(last = true, value_name = "ARGS")]
    pub(super) args: Vec<OsString>,
}

impl WrapArgs {
    /// What the flags say about the proxy.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            upstream: self.upstream.clone(),
            tier: self.tier,
            store: self.store.clone(),
            retrieval: self.retrieval,
            originals_dir: self.originals_dir.clone(),
            ..Settings::default()
        }
    }
}
