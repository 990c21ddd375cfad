pub(crate) const EXAMPLES: &str = "\
Checks the configuration, the data folder, the proxy's address and the agents in PATH. Nothing is changed and nothing \
leaves this machine.

Examples:
  What is active, and what is not:
    headroom doctor
  For a program:
    headroom doctor --json

Exit status: 0 all is well, 1 something keeps Headroom from working, 2 wrong usage or configuration.";

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// Print the findings as JSON
    #[arg(long)]
    pub(super) json: bool,
}
