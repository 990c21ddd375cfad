use clap::Subcommand;

pub(crate) const EXAMPLES: &str = "Exit status: 0 valid, 1 failure, 2 invalid.";

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
