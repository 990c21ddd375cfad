use std::path::PathBuf;

use headroom_core::Tier;

pub(crate) const EXAMPLES: &str = "\
Replays every turn as the proxy would send it, and prices it as providers do: content at the same place as in the \
previous request is read from the cache at 0.1 of the price, everything else is written at 1.25. Tokens are counted by \
o200k, so the shares are estimates for models with another tokenizer. Answers of the model are not counted.

Supported inputs are the sessions of Claude Code (~/.claude/projects) and Codex (~/.codex/sessions), and request bodies \
of the Anthropic, OpenAI and Gemini APIs as JSON; folders are searched. Sessions do not record the system prompt and the \
tool definitions: the real bill is higher by the same amount with and without Headroom. Nothing is sent anywhere, and \
nothing is stored.

Examples:
  What the sessions on this machine would have cost:
    headroom simulate ~/.claude/projects
  One of them, for a program:
    headroom simulate --json session.jsonl
  Without elision:
    headroom simulate --tier dedup ~/.codex/sessions

Exit status: 0 success, 1 failure or nothing found, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    /// Recorded conversations: files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// Only the first turns of each conversation
    #[arg(long, value_name = "N")]
    pub(super) max_turns: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
}
