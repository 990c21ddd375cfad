use std::path::PathBuf;

use headroom_core::{Api, Retrieval, Tier};

pub(crate) const EXAMPLES: &str = "\
Every text that may be edited has a line: where it stands, whose result it is, what it was taken for, its tokens before \
and after, and what was done to it, or why nothing was. Nothing is sent and nothing is stored.

Examples:
  A request that was saved:
    headroom inspect request.json
  What changed in the texts:
    headroom inspect --diff request.json
  How far the tiers go:
    headroom inspect --tier lossless request.json
  For a program:
    headroom inspect --json < request.json | jq '.blocks[] | select(.tokens_after != .tokens_before)'

Exit status: 0 done, 1 failed, 2 called wrongly.";

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// A request body [default: standard input]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// The body's format: anthropic, openai, responses, gemini or converse [default: told by its shape]
    #[arg(long)]
    pub(super) api: Option<Api>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// How the model could fetch back what is set aside: server-tool, client-tool, file or off [default: what the proxy would do]
    #[arg(long)]
    pub(crate) retrieval: Option<Retrieval>,
    /// Show what changed in each text, line by line
    #[arg(long)]
    pub(super) diff: bool,
    /// Print the report as JSON; with --diff the texts, too
    #[arg(long)]
    pub(super) json: bool,
}
