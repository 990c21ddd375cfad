use crate::config::{Listen, Settings};

pub(crate) const EXAMPLES: &str = "\
The page shows savings, in dollars at cache prices and in tokens, by day, model, tool and project, and the latest \
requests: each tool result, what was sent in its place, and why. `headroom proxy` serves it. The sums include wrapped \
runs; their requests are listed if they used that proxy (`headroom wrap --join`).

The link admits one browser, once, within two minutes, on this machine only. The page loads nothing from elsewhere. \
Texts of requests are held in the proxy's memory, for the latest 100 requests and 16 MiB at most, and never written to \
disk; `dashboard_content = false` turns that off. The sums by tool and project start with the proxy; the ledger has \
neither. A request's project is the working directory that the agent states, or the value of an `x-headroom-project` \
header.

Examples:
  Print the link:
    headroom dashboard
  Open it:
    headroom dashboard --open
  For a program:
    headroom dashboard --json | jq -r .url

Exit status: 0 success, 1 no proxy answers or it refuses a link, 2 wrong usage or configuration.";

#[derive(Debug, clap::Args)]
pub(crate) struct DashboardArgs {
    /// Address of the proxy [default: the configured address]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<Listen>,
    /// Open the link in the browser
    #[arg(long)]
    pub(super) open: bool,
    /// Print a JSON object
    #[arg(long)]
    pub(super) json: bool,
}

impl DashboardArgs {
    /// The settings that these flags share with the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings { listen: self.listen, ..Settings::default() }
    }
}
