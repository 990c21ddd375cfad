//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use headroom_core::{Api, Means, Tier};

use crate::config::Settings;

/// Makes LLM prompts smaller without changing what the provider has cached.
#[derive(Debug, Parser)]
#[command(
    name = "headroom",
    version,
    propagate_version = true,
    after_help = "Start with:\n  headroom proxy\n  ANTHROPIC_BASE_URL=http://127.0.0.1:8787 claude\n\n\
                  Settings come from, first to last: flags, HEADROOM_* variables, the configuration file, defaults."
)]
pub(crate) struct Args {
    /// Configuration file [default: $XDG_CONFIG_HOME/headroom/config.toml, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read a request body on standard input, write the smaller one on standard output
    #[command(after_help = COMPRESS_EXAMPLES)]
    Compress(CompressArgs),
    /// Run a local proxy that makes requests smaller on their way to the provider
    #[command(after_help = PROXY_EXAMPLES)]
    Proxy(Box<Settings>),
}

const COMPRESS_EXAMPLES: &str = "\
What is written is what `headroom proxy` would send to the provider. Where nothing can be saved it is what was read, \
byte for byte, and the report says why.

Parts that are set aside behind markers are not kept. To send the output yourself, use `--means none`: then nothing \
is set aside.

Examples:
  What would be sent, and what was done to each tool result:
    headroom compress --report - < request.json > smaller.json
  Only forms that can be read back from the output itself:
    headroom compress --tier lossless --means none < request.json
  A tool's output that is no request:
    cargo test 2>&1 | headroom compress --text --tool Bash --args '{\"command\":\"cargo test\"}'

Exit status: 0 done, 1 failed, 2 called wrongly.";

const PROXY_EXAMPLES: &str = "\
The path chooses the upstream: /v1/messages and /api/* go to Anthropic, /v1beta/* and /v1/models/MODEL:METHOD to \
Gemini, everything else to OpenAI. Requests that send `anthropic-version` or `x-goog-api-key` on other shared paths, \
such as /v1/models, go to that provider. An upstream may have a path; one that ends in the version (/v1) that the \
request's path starts with is joined without doubling it.

Keys are the client's own and pass through. The proxy keeps none.

Examples:
  Claude Code:
    headroom proxy &
    ANTHROPIC_BASE_URL=http://127.0.0.1:8787 claude
  Clients of the OpenAI and the Gemini API:
    OPENAI_BASE_URL=http://127.0.0.1:8787/v1 ...
    GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787 ...
  Codex, in ~/.codex/config.toml:
    openai_base_url = \"http://127.0.0.1:8787/v1\"
  An OpenAI-compatible server:
    headroom proxy --openai-upstream http://127.0.0.1:11434
  The same in the configuration file:
    openai_upstream = \"http://127.0.0.1:11434\"
  The same as a variable:
    HEADROOM_OPENAI_UPSTREAM=http://127.0.0.1:11434 headroom proxy";

#[derive(Debug, clap::Args)]
pub(crate) struct CompressArgs {
    /// The body's format: anthropic, openai, responses, gemini or converse [default: told by its shape]
    #[arg(long)]
    pub(crate) api: Option<Api>,
    /// How far edits may go: lossless, context or full [default: full]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// How the model can fetch back what is set aside: served, client, file or none [default: what the proxy would do; with --text: none]
    ///
    /// In a request, served and client count as none unless its tools have a `headroom_retrieve`. File counts as none
    /// here: which folder the agent reads is set in the library, with `Options::spool`.
    #[arg(long)]
    pub(crate) means: Option<Means>,
    /// Write what was done, as JSON, to this file (`-`: standard error)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// The input is the output of a tool, not a request
    #[arg(long, conflicts_with = "api")]
    pub(crate) text: bool,
    /// The tool whose output it is
    #[arg(long, value_name = "NAME", requires = "text")]
    pub(crate) tool: Option<String>,
    /// The arguments that the tool was called with
    #[arg(long, value_name = "JSON", requires = "text", value_parser = json)]
    pub(crate) args: Option<String>,
    /// What the user asked before the call
    #[arg(long, value_name = "TEXT", requires = "text")]
    pub(crate) query: Option<String>,
}

fn json(text: &str) -> Result<String, serde_json::Error> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| text.to_owned())
}
