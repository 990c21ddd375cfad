pub(crate) const EXAMPLES: &str = "\
Shows on a small recorded conversation what Headroom does to a request: its tool results before and after, why each of \
them changes or stays, and how the model gets back what was left out. The conversation is in this program. No key is \
needed, nothing is sent and nothing is stored.

Examples:
  See it:
    headroom demo
  All texts, before and after:
    headroom demo --json | jq -r '.blocks[0].text_after'
  The same for a request of your own:
    headroom inspect --diff request.json

Exit status: 0 success, 1 failure, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Print all of it as a JSON object
    #[arg(long)]
    pub(super) json: bool,
}
