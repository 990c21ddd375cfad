use std::path::PathBuf;

use headroom_core::{Api, Retrieval, Tier};

use crate::config::{Epochs, Settings};

pub(crate) const EXAMPLES: &str = "\
Prints a line for each editable text: its place, the tool whose result it is, the detected kind, its tokens before and \
after, and the edits, or why there were none. Nothing is sent and nothing is stored.

Examples:
  A saved request:
    headroom inspect request.json
  The changes in its texts:
    headroom inspect --diff request.json
  The effect of a tier:
    headroom inspect --tier lossless request.json
  For a program:
    headroom inspect --json < request.json | jq '.blocks[] | select(.tokens_after != .tokens_before)'

Exit status: 0 success, 1 failure, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// File with a request body [default: standard input]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// Format of the body: anthropic, openai, responses, gemini or converse [default: detected from its shape]
    #[arg(long)]
    pub(super) api: Option<Api>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(super) tier: Option<Tier>,
    /// Whether old results and old thinking may leave at new prompts: on or off [default: on]
    #[arg(long, value_name = "on|off")]
    pub(super) epochs: Option<Epochs>,
    /// How the model retrieves elided content: server-tool, client-tool, file or off [default: as the proxy]
    #[arg(long)]
    pub(super) retrieval: Option<Retrieval>,
    /// Show the changes in each text, line by line
    #[arg(long)]
    pub(super) diff: bool,
    /// Print the report as JSON, with --diff including the texts
    #[arg(long)]
    pub(super) json: bool,
}

impl InspectArgs {
    /// The settings that these flags share with the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings { tier: self.tier, epochs: self.epochs, retrieval: self.retrieval, ..Settings::default() }
    }
}
