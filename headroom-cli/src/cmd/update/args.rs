//! The arguments of `headroom update`.

use http::Uri;

pub(crate) const EXAMPLES: &str = "\
Asks the package index of crates.io for the versions of headroom-cli: one request, which says nothing about this machine, \
its configuration or its use. No other command asks, and none does by itself. HTTPS_PROXY and NO_PROXY apply. Nothing is \
installed: update Headroom the way you installed it.

Examples:
  headroom update --check
  For a script:
    headroom update --check --json | jq .is_newest

Exit status: 0 the index was read, 1 it could not be read, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Say whether there is a newer version
    #[arg(long, required = true)]
    pub(super) check: bool,
    /// Print a JSON object
    #[arg(long)]
    pub(super) json: bool,
    /// The sparse index to ask
    #[arg(long, value_name = "URL", hide = true, default_value = "https://index.crates.io")]
    pub(super) index: Uri,
}
