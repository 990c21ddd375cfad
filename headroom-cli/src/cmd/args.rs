//! The command line.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue},
};

use super::{
    compress::{self, CompressArgs},
    config::{self, ConfigCommand},
    dashboard::{self, DashboardArgs},
    demo::{self, DemoArgs},
    doctor::{self, DoctorArgs},
    hook::{self, HookCommand},
    inspect::{self, InspectArgs},
    mcp::{self, McpArgs},
    model::{self, ModelCommand},
    proxy,
    retrieve::{self, RetrieveArgs},
    shell::{self, CompletionsArgs, ManArgs},
    simulate::{self, SimulateArgs},
    update::{self, UpdateArgs},
    wrap::{self, UnwrapArgs, WrapArgs},
};
use crate::config::{Settings, without_passwords};

/// Makes LLM prompts smaller without changing what the provider has cached.
#[derive(Debug, Parser)]
#[command(
    name = "headroom",
    version,
    propagate_version = true,
    after_help = "Start with one of:\n  headroom demo\n  headroom wrap claude\n  headroom proxy\n\n\
                  Settings come from flags, HEADROOM_* variables, the configuration file and defaults; the first source \
                  that has a setting wins. Colours are used on terminals only, and NO_COLOR turns them off.\n\n\
                  Exit status: 0 success, 1 failure, 2 wrong usage or configuration. `headroom wrap` exits with the \
                  status of the agent, and `headroom doctor` with 1 if something keeps Headroom from working."
)]
pub(crate) struct Args {
    /// Configuration file [default: $XDG_CONFIG_HOME/headroom/config.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Hides passwords in the value that an error quotes.
pub(crate) fn hide_passwords(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(value)) = error.get(ContextKind::InvalidValue) {
        let shown = without_passwords(value);
        error.insert(ContextKind::InvalidValue, ContextValue::String(shown));
    }
    error
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an agent through a proxy of its own, and report what that saved
    #[command(after_help = wrap::EXAMPLES)]
    Wrap(Box<WrapArgs>),
    /// Run a local proxy that makes requests smaller on their way to the provider
    #[command(after_help = proxy::EXAMPLES)]
    Proxy(Box<Settings>),
    /// Show on a recorded conversation what happens to a request
    #[command(after_help = demo::EXAMPLES)]
    Demo(DemoArgs),
    /// Show savings and recent requests in the browser
    #[command(after_help = dashboard::EXAMPLES)]
    Dashboard(DashboardArgs),
    /// Show the cost and the savings of requests through the proxy, by day and model
    #[command(visible_alias = "stats", after_help = SAVINGS_EXAMPLES)]
    Savings(SavingsArgs),
    /// Replay recorded conversations and show what Headroom would have saved
    #[command(after_help = simulate::EXAMPLES)]
    Simulate(SimulateArgs),
    /// Show what would change in a request, block by block, and why
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(InspectArgs),
    /// Diagnose the installation
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(DoctorArgs),
    /// Print the original behind a marker, or a part of it
    #[command(after_help = retrieve::EXAMPLES)]
    Retrieve(RetrieveArgs),
    /// Serve elided content to agents over the Model Context Protocol
    #[command(after_help = mcp::EXAMPLES)]
    Mcp(McpArgs),
    /// Make the results of tools smaller inside an agent, where no proxy fits
    #[command(subcommand, after_help = hook::EXAMPLES)]
    Hook(HookCommand),
    /// Read a request body on standard input, write the smaller one to standard output
    #[command(after_help = compress::EXAMPLES)]
    Compress(CompressArgs),
    /// Serve Envoy as an external processor that makes requests smaller
    #[cfg(feature = "envoy")]
    #[command(after_help = super::extproc::EXAMPLES)]
    Extproc(Box<super::extproc::ExtprocArgs>),
    /// Measure savings and answer quality
    #[cfg(feature = "evals")]
    #[command(subcommand)]
    Evals(super::evals::EvalsCommand),
    /// Fetch, list and remove learned models
    #[command(subcommand, after_help = model::EXAMPLES)]
    Model(ModelCommand),
    /// Check, print or describe the configuration
    #[command(subcommand, after_help = config::EXAMPLES)]
    Config(ConfigCommand),
    /// Undo `headroom wrap --persist`
    #[command(after_help = wrap::UNWRAP_EXAMPLES)]
    Unwrap(UnwrapArgs),
    /// Ask crates.io whether there is a newer version
    #[command(after_help = update::EXAMPLES)]
    Update(UpdateArgs),
    /// Print shell completions
    #[command(after_help = shell::COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = shell::MAN_EXAMPLES)]
    Man(ManArgs),
}

const SAVINGS_EXAMPLES: &str = "\
The proxy keeps a ledger in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom: for each request the time, the model, \
the provider's token counts and the savings, the names of tools, and where a head has changed. It holds no content, no \
paths and no keys.

Paid is the whole bill: every token that the providers counted, at list prices. What it would have been without Headroom \
is an estimate. Only requests that the provider accepted count. If a price is unknown, tokens are shown without dollars; \
HEADROOM_PRICES names a table of your own (see `headroom simulate --help`).

The proof is a control group: with `holdout = 5`, the proxy sends 5 % of the conversations untouched for their whole life. \
Which ones depends on how they begin. This command then compares what turns and conversations of both kinds cost, with an \
interval, as soon as there are 20 of each. Entries then have a number for the conversation, which tells nothing about it.

Examples:
  The last seven days:
    headroom savings --days 7
  A control group of one conversation in twenty:
    headroom proxy --holdout 5
  For a script:
    headroom savings --json | jq .total.saved

Exit status: 0 success, 1 the ledger cannot be read, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct SavingsArgs {
    /// Number of days, including today
    #[arg(long, value_name = "N", default_value = "30")]
    pub(crate) days: NonZeroU32,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
