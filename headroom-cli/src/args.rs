//! The command line.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Parser, Subcommand};
use headroom_core::{Api, Handle, Retrieval, Tier};

use crate::{
    cmd::{
        dashboard::{self, DashboardArgs},
        doctor::{self, DoctorArgs},
        evals::EvalsCommand,
        inspect::{self, InspectArgs},
        mcp::{self, McpArgs},
        model::{self, ModelCommand},
        shell::{self, CompletionsArgs, ManArgs},
        simulate::{self, SimulateArgs},
        wrap::{self, UnwrapArgs, WrapArgs},
    },
    config::{Classifier, OriginalsDir, Prose, Settings, Store},
};

/// Makes LLM prompts smaller without changing what the provider has cached.
#[derive(Debug, Parser)]
#[command(
    name = "headroom",
    version,
    propagate_version = true,
    after_help = "Start with one of:\n  headroom wrap claude\n  headroom proxy\n\n\
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

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an agent through a proxy of its own, and report what that saved
    #[command(after_help = wrap::EXAMPLES)]
    Wrap(Box<WrapArgs>),
    /// Run a local proxy that makes requests smaller on their way to the provider
    #[command(after_help = PROXY_EXAMPLES)]
    Proxy(Box<Settings>),
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
    #[command(after_help = RETRIEVE_EXAMPLES)]
    Retrieve(RetrieveArgs),
    /// Serve elided content to agents over the Model Context Protocol
    #[command(after_help = mcp::EXAMPLES)]
    Mcp(McpArgs),
    /// Read a request body on standard input, write the smaller one to standard output
    #[command(after_help = COMPRESS_EXAMPLES)]
    Compress(CompressArgs),
    /// Measure savings and answer quality
    #[command(subcommand)]
    Evals(EvalsCommand),
    /// Fetch, list and remove learned models
    #[command(subcommand, after_help = model::EXAMPLES)]
    Model(ModelCommand),
    /// Check, print or describe the configuration
    #[command(subcommand, after_help = "Exit status: 0 valid, 1 failure, 2 invalid.")]
    Config(ConfigCommand),
    /// Undo `headroom wrap --persist`
    #[command(after_help = wrap::UNWRAP_EXAMPLES)]
    Unwrap(UnwrapArgs),
    /// Print shell completions
    #[command(after_help = shell::COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Print the manual page
    #[command(after_help = shell::MAN_EXAMPLES)]
    Man(ManArgs),
}

/// Uses `--config`, the environment and the file; no other flag applies.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check that the configuration is valid; exit with status 2 and say where it is not
    Check {
        /// Print a JSON object with `ok` and, if the check failed, `error`
        #[arg(long)]
        json: bool,
    },
    /// Print every effective setting as a configuration file
    Print {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}

const COMPRESS_EXAMPLES: &str = "\
The output is what `headroom proxy` would send to the provider. If nothing can be saved, it is the input, byte for \
byte, and the report says why.

Originals are stored before anything is written; `headroom retrieve` prints them. If they cannot be stored, the input is \
passed on unchanged and standard error says why. With `--retrieval file`, markers name files, for an agent on this \
machine that reads them with its own tools; with `--retrieval off`, nothing is elided.

Examples:
  The request as the proxy would send it, and a report of each edit:
    headroom compress --report - < request.json > smaller.json
  Only lossless edits:
    headroom compress --tier lossless --retrieval off < request.json
  The output of a tool, outside a request:
    cargo test 2>&1 | headroom compress --text --tool Bash --args '{\"command\":\"cargo test\"}'
  The same, shorter, with a file that holds the rest:
    cargo test 2>&1 | headroom compress --text --tool Bash --retrieval file --originals-dir .kept

Exit status: 0 success, 1 failure, 2 wrong usage.";

const RETRIEVE_EXAMPLES: &str = "\
A marker such as [headroom:k3v4q2x7m5tzabcd 393 of 400 rows stored ...] names its original by the handle \
k3v4q2x7m5tzabcd. The proxy, `headroom compress` and other Headroom programs of this user store originals in one folder. \
This command searches all of it, whatever credential a request had.

The original is the tool's output, or the part of it that holds the marker: a JSON document among other lines, or one \
of its long strings. Line and row numbers in a marker are those of the original. For a page shown as Markdown, the HTML \
is stored, and also the Markdown if lines of it were elided.

Without options, the whole original is printed, byte for byte. Options narrow it and can be combined: a path selects a \
JSON value, rows or lines a range of it, a query the matching parts. The first line of the output then says what is \
shown and what was left out.

Examples:
  All of it:
    headroom retrieve k3v4q2x7m5tzabcd > original.json
  A range of lines, or of the rows of a JSON array:
    headroom retrieve k3v4q2x7m5tzabcd --lines 120-180
    headroom retrieve k3v4q2x7m5tzabcd --rows 4-40
  A value, and the parts that match a word or a regular expression:
    headroom retrieve k3v4q2x7m5tzabcd --path 'logs[3].message'
    headroom retrieve k3v4q2x7m5tzabcd --query 'timeout|refused' --max-bytes 4000

Exit status: 0 success, 1 not found or unreadable, 2 wrong usage.";

const SAVINGS_EXAMPLES: &str = "\
The proxy keeps a ledger in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom: for each request the time, the model, \
the provider's token counts and the savings. It holds no content, no paths and no keys.

Only requests that the provider accepted count. If a price is unknown, tokens are shown without dollars.

Examples:
  The last seven days:
    headroom savings --days 7
  For a script:
    headroom savings --json | jq .total.saved

Exit status: 0 success, 1 the ledger cannot be read, 2 wrong usage.";

const PROXY_EXAMPLES: &str = "\
The path selects the upstream: /v1/messages and /api/* go to Anthropic, /v1beta/* and /v1/models/MODEL:METHOD to \
Gemini, /model/* to Bedrock, /v1/projects/* to Vertex AI, everything else to OpenAI. On other shared paths, such as \
/v1/models, requests with the header `anthropic-version` or `x-goog-api-key` go to that provider. An upstream may have a \
path; if it ends in the version (/v1) that the request's path starts with, the version is not repeated.

Clients send their own keys, which pass through; the proxy keeps none. Requests signed for AWS (SigV4) pass unchanged, but \
AWS refuses them because the signature covers another host: use a bearer key with Bedrock, or --bedrock-sign. That \
replaces the client's signature, after the rewrite, by one with the credentials from AWS_* variables, ~/.aws/credentials \
or a credential_process; AWS_PROFILE selects a profile. Anyone who can reach the proxy can use them. No server is asked \
for credentials.

The model retrieves elided content by a tool that the proxy adds to requests of agents and answers itself (`--retrieval \
server-tool`). With `--retrieval file`, no tool is added: markers name plain-text files, which agents read with their \
own tools. These files hold the originals in clear, readable for you alone, for 30 days after their last use, 1 GiB at \
most. Agents ask before they read outside of their project, unless the folder is allowed (for Claude Code: --add-dir). \
Requests from other machines, and forwarded ones, get the tool instead.

On SIGHUP the proxy reads the configuration file again: upstreams, log and drain_seconds change for new requests; \
everything else needs a restart.

Upstreams with https are reached through the proxy in HTTPS_PROXY or ALL_PROXY (http://HOST:PORT), unless NO_PROXY \
exempts them.

The proxy's own routes, which go to no provider:
  GET  /livez, /readyz         whether it runs
  GET  /v1/retrieve/HASH       an original; ?lines=, rows=, path=, query=, max_bytes= for a part
  POST /v1/compress            {\"model\", \"messages\"} in, smaller messages and token counts out
  GET  /stats, /metrics        activity, as JSON and for Prometheus
  GET  /dashboard              the page that `headroom dashboard` opens
All but the first and the page, which contains no data by itself, need the token in the file `token` in $HEADROOM_HOME, \
$XDG_DATA_HOME/headroom or ~/.headroom, as `authorization: Bearer TOKEN` or `x-headroom-token: TOKEN`. If other machines \
can reach the --listen address, every request needs it, as `x-headroom-token`; put TLS in front of it.

Examples:
  Claude Code:
    headroom proxy &
    ANTHROPIC_BASE_URL=http://127.0.0.1:8787 claude
  Clients of the OpenAI and the Gemini API:
    OPENAI_BASE_URL=http://127.0.0.1:8787/v1 ...
    GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787 ...
  Codex, in ~/.codex/config.toml:
    openai_base_url = \"http://127.0.0.1:8787/v1\"
  An OpenAI-compatible server, OpenRouter, Azure:
    headroom proxy --openai-upstream http://127.0.0.1:11434
    headroom proxy --openai-upstream https://openrouter.ai/api/v1
    headroom proxy --openai-upstream https://RESOURCE.openai.azure.com
  The same in the configuration file:
    openai_upstream = \"http://127.0.0.1:11434\"
  The same as a variable:
    HEADROOM_OPENAI_UPSTREAM=http://127.0.0.1:11434 headroom proxy

Exit status: 0 ended by a signal, 1 cannot listen or start, 2 wrong usage or configuration.";

#[derive(Debug, clap::Args)]
pub(crate) struct CompressArgs {
    /// Format of the body: anthropic, openai, responses, gemini or converse [default: detected from its shape]
    #[arg(long)]
    pub(crate) api: Option<Api>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// How the model retrieves elided content: server-tool, client-tool, file or off [default: as the proxy; with --text: off]
    ///
    /// In a request, client-tool counts as off unless its tools include a `headroom_retrieve`, and file unless they
    /// include one that runs commands or shows files.
    #[arg(long)]
    pub(crate) retrieval: Option<Retrieval>,
    /// Folder of plain-text originals, for `--retrieval file` [default: `plaintext` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(crate) originals_dir: Option<OriginalsDir>,
    /// Where originals are stored: a folder, or memory, which ends with this call [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory")]
    pub(crate) store: Option<Store>,
    /// Classifier for texts whose structure is ambiguous: magika or off [default: magika]
    #[arg(long, value_name = "NAME")]
    pub(crate) classifier: Option<Classifier>,
    /// Model that prunes words from prose: a folder, or the name of a model fetched by `headroom model pull` [default: off]
    #[arg(long, value_name = "FOLDER|NAME|off")]
    pub(crate) prose_model: Option<Prose>,
    /// Write a JSON report of what was done to this file (`-`: standard error)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Treat the input as the output of a tool, not as a request
    #[arg(long, conflicts_with = "api")]
    pub(crate) text: bool,
    /// The tool that produced the output
    #[arg(long, value_name = "NAME", requires = "text")]
    pub(crate) tool: Option<String>,
    /// The arguments of the tool call
    #[arg(long, value_name = "JSON", requires = "text", value_parser = json)]
    pub(crate) args: Option<String>,
    /// What the user asked before the call
    #[arg(long, value_name = "TEXT", requires = "text")]
    pub(crate) query: Option<String>,
}

impl CompressArgs {
    /// The settings that these flags share with the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            tier: self.tier,
            store: self.store.clone(),
            retrieval: self.retrieval,
            originals_dir: self.originals_dir.clone(),
            classifier: self.classifier,
            prose_model: self.prose_model.clone(),
            ..Settings::default()
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct SavingsArgs {
    /// Number of days, including today
    #[arg(long, value_name = "N", default_value = "30")]
    pub(crate) days: NonZeroU32,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RetrieveArgs {
    /// The handle after `[headroom:` in the marker, or the whole marker
    #[arg(value_name = "HASH", value_parser = handle)]
    pub(crate) hash: Handle,
    /// Only these lines: 120-180, 120 or 120-
    #[arg(long, value_name = "A-B", conflicts_with = "rows")]
    pub(crate) lines: Option<String>,
    /// Only these rows of a JSON array or of JSON lines, counted from 1
    #[arg(long, value_name = "A-B")]
    pub(crate) rows: Option<String>,
    /// Only the JSON value at this path, as in `logs[3].message`
    #[arg(long, value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Only what these words or this regular expression find, best matches first
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
    /// At most about this many bytes [default: all; 32768 for a part]
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<usize>,
    /// Folder of the store [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<Store>,
    /// Print a JSON object: hash, size of the original in bytes and lines, and the text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Parses the handle from pasted text, with or without the marker around it.
fn handle(text: &str) -> Result<Handle, headroom_core::InvalidHandle> {
    let text = text.trim().trim_start_matches('[');
    let text = text.strip_prefix("headroom:").unwrap_or(text);
    text.split([' ', ']', ':', ';']).next().unwrap_or_default().parse()
}

fn json(text: &str) -> Result<String, serde_json::Error> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| text.to_owned())
}
