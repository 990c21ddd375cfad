use std::{env, path::PathBuf};

use headroom_core::{Retrieval, Tier};

use crate::config::{Epochs, Settings};

pub(crate) const EXAMPLES: &str = "\
Shows the whole bill of recorded sessions as the provider counted it, where it went, and what Headroom would have made of \
it. Sessions of Claude Code (~/.claude/projects) and Codex (~/.codex/sessions) are understood; folders are searched. A \
conversation that was resumed or forked stands in several files and is counted once. Nothing is sent anywhere, and \
nothing is stored.

The bill is the `usage` of every answer at list prices. Logs hold no system prompt and no tool definitions: what the first \
prompt is longer than its messages is the head. Blocks are counted by o200k, scaled to the provider's counts; what a \
prompt grew by beyond its visible blocks is thinking. Every request is then sent through Headroom as the proxy would, and \
what its results became is priced by their place in the cache: what was read stays a read, what was written a write. \
What the model would have done otherwise is not in it.

With epochs, the size of thinking counts, which logs lack: an opaque block takes its place, as long as the output of its \
answer by the counts less what is visible of it, and at most as the next prompt grew. Where a later answer uses two names \
or more of a result that an epoch shrank, and they stand nowhere else, a round is charged that asks for it: the prompt is \
read once more, the whole result written and read with every request until the next epoch. Both are estimates.

Conversations without counts, and request bodies of the Anthropic, OpenAI and Gemini APIs as JSON, are replayed \
with a cache that never expires: content in the place of the previous request is read at 0.1 of the price, the rest \
written at 1.25. That measures what the results become when they arrive. It is not the bill.

Prices are a table with a date; HEADROOM_PRICES names one of your own, which goes first, model by model:
  as_of = \"2026-11-29\"
  [models]
  \"gpt-5.5\" = { input = 5, output = 30, read = 0.1, write = 1, write_long = 1 }

Examples:
  What the sessions on this machine cost, and would have cost:
    headroom simulate ~/.claude/projects
  The same as a picture:
    headroom simulate ~/.codex/sessions --svg bill.svg
  One session, for a program:
    headroom simulate --json session.jsonl
  Without epochs, which takes half the time:
    headroom simulate --epochs off ~/.claude/projects
  Without elision:
    headroom simulate --tier dedup ~/.codex/sessions
  With files that the agent reads, in place of a tool:
    headroom simulate --retrieval file ~/.claude/projects

Exit status: 0 success, 1 failure or nothing found, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    /// Recorded sessions: files, or folders of them
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// Whether old results and old thinking may leave at new prompts: on or off [default: on]
    #[arg(long, value_name = "on|off")]
    pub(crate) epochs: Option<Epochs>,
    /// How the model would retrieve elided content: server-tool, client-tool, file or off [default: server-tool]
    #[arg(long)]
    pub(crate) retrieval: Option<Retrieval>,
    /// Only the first requests of each session
    #[arg(long, value_name = "N")]
    pub(super) max_turns: Option<usize>,
    /// Print everything as JSON, session by session
    #[arg(long)]
    pub(super) json: bool,
    /// Draw where the money goes and what takes some of it off, as SVG
    #[arg(long, value_name = "FILE")]
    pub(super) svg: Option<PathBuf>,
}

impl SimulateArgs {
    /// The settings that these flags share with the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            tier: self.tier,
            epochs: self.epochs,
            retrieval: self.retrieval,
            // A stand-in: originals go to a folder that ends with the run.
            originals_dir: env::temp_dir().to_string_lossy().parse().ok(),
            ..Settings::default()
        }
    }
}
