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
                  Settings come from, first to last: flags, HEADROOM_* variables, the configuration file, defaults. Colours are for \
                  terminals only, and NO_COLOR turns them off.\n\n\
                  Exit status: 0 done, 1 failed, 2 called or configured wrongly. `headroom wrap` gives that of the agent, \
                  and `headroom doctor` 1 where something keeps Headroom from working."
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
    /// Print completions for a shell
    #[command(after_help = shell::COMPLETIONS_EXAMPLES)]
    Completions(CompletionsArgs),
    /// Check the configuration, print what holds, or describe what may be said
    #[command(subcommand, after_help = "Exit status: 0 it can be used, 1 failed, 2 it cannot be used.")]
    Config(ConfigCommand),
    /// Show savings and recent requests in the browser
    #[command(after_help = dashboard::EXAMPLES)]
    Dashboard(DashboardArgs),
    /// Say what is active, what is not, and why
    #[command(after_help = doctor::EXAMPLES)]
    Doctor(DoctorArgs),
    /// Measure what is saved, and whether answers stay right
    #[command(subcommand)]
    Evals(EvalsCommand),
    /// Show what would become of a request, block by block, and why
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(InspectArgs),
    /// Print the manual page
    #[command(after_help = shell::MAN_EXAMPLES)]
    Man(ManArgs),
    /// Serve what was set aside to agents, over the Model Context Protocol
    #[command(after_help = mcp::EXAMPLES)]
    Mcp(McpArgs),
    /// Fetch, list and remove learned models
    #[command(subcommand, after_help = model::EXAMPLES)]
    Model(ModelCommand),
    /// Run a local proxy that makes requests smaller on their way to the provider
    #[command(after_help = PROXY_EXAMPLES)]
    Proxy(Box<Settings>),
    /// Print what was set aside behind a marker, or a part of it
    #[command(after_help = RETRIEVE_EXAMPLES)]
    Retrieve(RetrieveArgs),
    /// Show what turns through the proxy cost and what was saved in them, by day and model
    #[command(visible_alias = "stats", after_help = SAVINGS_EXAMPLES)]
    Savings(SavingsArgs),
    /// Replay recorded conversations and show what would have been saved
    #[command(after_help = simulate::EXAMPLES)]
    Simulate(SimulateArgs),
    /// Undo what `headroom wrap --persist` has set up
    #[command(after_help = wrap::UNWRAP_EXAMPLES)]
    Unwrap(UnwrapArgs),
    /// Run an agent behind a proxy of its own, and say what that saved
    #[command(after_help = wrap::EXAMPLES)]
    Wrap(Box<WrapArgs>),
}

/// Looks at flags of none but `--config`, at the environment and at the file.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether it can be used; if not, where and why, with exit status 2
    Check {
        /// Print a JSON object: ok, and the error if there is one
        #[arg(long)]
        json: bool,
    },
    /// Print every setting that holds, as a configuration file
    Print {
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the configuration file
    Schema,
}

const COMPRESS_EXAMPLES: &str = "\
What is written is what `headroom proxy` would send to the provider. Where nothing can be saved it is what was read, \
byte for byte, and the report says why.

What is set aside behind markers is stored before anything is written, and `headroom retrieve` prints it. Where it \
cannot be stored, the input is passed on and standard error says why. With `--retrieval file` markers name files, for an \
agent on this machine that reads them with its own tools; with `--retrieval off` nothing is set aside.

Examples:
  What would be sent, and what was done to each tool result:
    headroom compress --report - < request.json > smaller.json
  Only forms that can be read back from the output itself:
    headroom compress --tier lossless --retrieval off < request.json
  A tool's output that is no request:
    cargo test 2>&1 | headroom compress --text --tool Bash --args '{\"command\":\"cargo test\"}'
  The same with less of it, and a file that holds the rest:
    cargo test 2>&1 | headroom compress --text --tool Bash --retrieval file --originals-dir .kept

Exit status: 0 done, 1 failed, 2 called wrongly.";

const RETRIEVE_EXAMPLES: &str = "\
Where a text says [headroom:k3v4q2x7m5tzabcd rows 4-396 of 400 kept aside ...], the rows are under \
k3v4q2x7m5tzabcd. The proxy, `headroom compress` and other Headroom programs of this user keep what they set aside in \
one folder; this looks in all of it, whatever credential a request had.

The original is what the tool sent, or the part of it that the marker stands in: a JSON document among other lines, a \
long string of one. Lines and rows that a marker names are those of the original. A page that is shown as Markdown is \
kept as HTML, and the Markdown as well where lines of it are missing.

Without an option, the original is printed whole, byte for byte. The options narrow it, and each other: a path picks \
a JSON value, rows or lines a range of that, a query what of it is worth showing. Then the first line says what is \
shown and what else there is.

Examples:
  All of it:
    headroom retrieve k3v4q2x7m5tzabcd > original.json
  A range, of lines or of the rows of a JSON array:
    headroom retrieve k3v4q2x7m5tzabcd --lines 120-180
    headroom retrieve k3v4q2x7m5tzabcd --rows 4-40
  A value, and what in it matches a word or a regular expression:
    headroom retrieve k3v4q2x7m5tzabcd --path 'logs[3].message'
    headroom retrieve k3v4q2x7m5tzabcd --query 'timeout|refused' --max-bytes 4000

Exit status: 0 printed, 1 not there or not readable, 2 called wrongly.";

const SAVINGS_EXAMPLES: &str = "\
The proxy keeps a ledger in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom: for each request the time, the model, \
what the provider counted and what was saved. It holds no content, no paths and no keys.

Only turns that the provider accepted count. Where no price is known, there are tokens and no dollars.

Examples:
  The last seven days:
    headroom savings --days 7
  For a script:
    headroom savings --json | jq .total.saved

Exit status: 0 printed, 1 the ledger cannot be read, 2 called wrongly.";

const PROXY_EXAMPLES: &str = "\
The path chooses the upstream: /v1/messages and /api/* go to Anthropic, /v1beta/* and /v1/models/MODEL:METHOD to \
Gemini, /model/* to Bedrock, /v1/projects/* to Vertex AI, everything else to OpenAI. Requests that send `anthropic-version` or `x-goog-api-key` on other shared paths, \
such as /v1/models, go to that provider. An upstream may have a path; one that ends in the version (/v1) that the \
request's path starts with is joined without doubling it.

Keys are the client's own and pass through. The proxy keeps none. Requests that are signed (AWS SigV4) pass as they are, \
and are refused by AWS since their signature names another host: use a bearer key with Bedrock, or --bedrock-sign. Then \
the client's signature is taken off and the request is signed after it was rewritten, with the credentials that AWS_* \
variables, ~/.aws/credentials or a credential_process give; AWS_PROFILE names a profile. Who can reach the proxy can \
use them. No server is asked for credentials.

What is set aside is fetched back by a tool that the proxy adds to requests of agents and answers itself (`--retrieval \
server-tool`). With `--retrieval file` no tool is added: markers name files in the plaintext store, which agents read with their own \
tools. They hold the originals in clear, readable for you alone, for 30 days after they were last needed, 1 GiB at \
most. Agents ask before they read outside of their project, unless the folder is allowed (for Claude Code: --add-dir). \
Requests from other machines, or forwarded ones, are served.

On SIGHUP the configuration file is read again: upstreams, log and drain_seconds change, for requests that come then; \
everything else stays until the proxy is started again.

Upstreams with https are reached through the proxy that HTTPS_PROXY or ALL_PROXY names (http://HOST:PORT), if NO_PROXY \
does not except them.

Routes of its own, which go to no provider:
  GET  /livez, /readyz         whether it runs
  GET  /v1/retrieve/HASH       what was set aside; ?lines=, rows=, path=, query=, max_bytes= for a part
  POST /v1/compress            {\"model\", \"messages\"} in, smaller messages and token counts out
  GET  /stats, /metrics        what was done, as JSON and for Prometheus
  GET  /dashboard              the page that `headroom dashboard` opens
All but the first and the page, which shows nothing by itself, need the token in the file `token` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom, as \
`authorization: Bearer TOKEN` or `x-headroom-token: TOKEN`. Where --listen is an address that other machines can reach, \
everything does, as `x-headroom-token`; put TLS in front of it.

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

Exit status: 0 ended by a signal, 1 cannot listen or start, 2 called or configured wrongly.";

#[derive(Debug, clap::Args)]
pub(crate) struct CompressArgs {
    /// The body's format: anthropic, openai, responses, gemini or converse [default: told by its shape]
    #[arg(long)]
    pub(crate) api: Option<Api>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// How the model can fetch back what is set aside: server-tool, client-tool, file or off [default: what the proxy would do; with --text: off]
    ///
    /// In a request, client-tool counts as off unless its tools have a `headroom_retrieve`, and file unless they have one
    /// that runs commands or shows files.
    #[arg(long)]
    pub(crate) retrieval: Option<Retrieval>,
    /// The folder of the files, with `--retrieval file` [default: `plaintext` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(crate) originals_dir: Option<OriginalsDir>,
    /// Where what is set aside is kept: a folder, or memory, which ends with this call [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory")]
    pub(crate) store: Option<Store>,
    /// What tells texts apart where their structure does not: magika or off [default: magika]
    #[arg(long, value_name = "NAME")]
    pub(crate) classifier: Option<Classifier>,
    /// The model that leaves words out of prose: a folder, or the name of one that `headroom model pull` fetched [default: off]
    #[arg(long, value_name = "FOLDER|NAME|off")]
    pub(crate) prose_model: Option<Prose>,
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

impl CompressArgs {
    /// What the flags say that the configuration has too.
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
    /// How many days, today included
    #[arg(long, value_name = "N", default_value = "30")]
    pub(crate) days: NonZeroU32,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RetrieveArgs {
    /// What stands behind `[headroom:` in the marker; the whole marker will do
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
    /// Only what this finds, best first: words, or a regular expression
    #[arg(long, value_name = "TEXT")]
    pub(crate) query: Option<String>,
    /// At most about this many bytes [default: all; of a part 32768]
    #[arg(long, value_name = "N")]
    pub(crate) max_bytes: Option<usize>,
    /// The folder where it is kept [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<Store>,
    /// Print a JSON object: hash, the original's bytes and lines, and the text
    #[arg(long)]
    pub(crate) json: bool,
}

/// The handle in what was pasted: with or without the marker around it.
fn handle(text: &str) -> Result<Handle, headroom_core::InvalidHandle> {
    let text = text.trim().trim_start_matches('[');
    let text = text.strip_prefix("headroom:").unwrap_or(text);
    text.split([' ', ']', ':', ';']).next().unwrap_or_default().parse()
}

fn json(text: &str) -> Result<String, serde_json::Error> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| text.to_owned())
}
