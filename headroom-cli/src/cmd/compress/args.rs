use std::path::PathBuf;

use headroom_core::{Api, Retrieval, Tier};

use crate::config::{Classifier, Epochs, OriginalsDir, Prose, Settings, Store};

pub(crate) const EXAMPLES: &str = "\
The output is what `headroom proxy --epochs off` would send to the provider. If nothing can be saved, it is the input, \
byte for byte, and the report says why. Epochs are off unless a flag, a variable or the configuration file turns them on: \
should the provider refuse a request after one, the proxy sends it again, and a filter cannot.

Originals are stored before anything is written; `headroom retrieve` prints them. If they cannot be stored, the input is \
passed on unchanged and standard error says why. With `--retrieval file`, markers name files, for an agent on this \
machine that reads them with its own tools; with `--retrieval off`, nothing is elided.

Examples:
  The request as the proxy would send it, and a report of each edit:
    headroom compress --report - < request.json > smaller.json
  Only lossless edits:
    headroom compress --tier lossless --retrieval off < request.json
  The output of a tool, outside a request:
    cargo test 2>&1 | headroom compress --text --tool Bash --args '{\"command\":\"cargo test\"}'
  The same, shorter, with a file that holds the rest:
    cargo test 2>&1 | headroom compress --text --tool Bash --retrieval file --originals-dir .kept

Exit status: 0 success, 1 failure, 2 wrong usage.";

#[derive(Debug, clap::Args)]
pub(crate) struct CompressArgs {
    /// Format of the body: anthropic, openai, responses, gemini or converse [default: detected from its shape]
    #[arg(long)]
    pub(crate) api: Option<Api>,
    /// How far edits may go: lossless, dedup or recoverable [default: recoverable]
    #[arg(long)]
    pub(crate) tier: Option<Tier>,
    /// Whether old results and old thinking may leave at new prompts: on or off [default: off]
    #[arg(long, value_name = "on|off")]
    pub(crate) epochs: Option<Epochs>,
    /// How the model retrieves elided content: server-tool, client-tool, file or off [default: as the proxy; with --text: off]
    ///
    /// In a request, client-tool counts as off unless its tools include a `headroom_retrieve`, and file unless they
    /// include one that runs commands or shows files.
    #[arg(long)]
    pub(crate) retrieval: Option<Retrieval>,
    /// Folder of plain-text originals, for `--retrieval file` [default: `plaintext` in $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR")]
    pub(crate) originals_dir: Option<OriginalsDir>,
    /// Where originals are stored: a folder, the URL of a Redis or Valkey server, or memory, which ends with this call [default: $HEADROOM_HOME, $XDG_DATA_HOME/headroom or ~/.headroom]
    #[arg(long, value_name = "DIR|memory|URL")]
    pub(crate) store: Option<Store>,
    /// Classifier for texts whose structure is ambiguous: magika or off [default: magika]
    #[arg(long, value_name = "NAME")]
    pub(crate) classifier: Option<Classifier>,
    /// Model that prunes words from prose: a folder, or the name of a model fetched by `headroom model pull` [default: off]
    #[arg(long, value_name = "FOLDER|NAME|off")]
    pub(crate) prose_model: Option<Prose>,
    /// Write a JSON report of what was done to this file (`-`: standard error)
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Treat the input as the output of a tool, not as a request
    #[arg(long, conflicts_with = "api")]
    pub(crate) text: bool,
    /// The tool that produced the output
    #[arg(long, value_name = "NAME", requires = "text")]
    pub(crate) tool: Option<String>,
    /// The arguments of the tool call
    #[arg(long, value_name = "JSON", requires = "text", value_parser = json)]
    pub(crate) args: Option<String>,
    /// What the user asked before the call
    #[arg(long, value_name = "TEXT", requires = "text")]
    pub(crate) query: Option<String>,
}

impl CompressArgs {
    /// The settings that these flags share with the configuration.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            tier: self.tier,
            epochs: self.epochs,
            store: self.store.clone(),
            retrieval: self.retrieval,
            originals_dir: self.originals_dir.clone(),
            classifier: self.classifier,
            prose_model: self.prose_model.clone(),
            ..Settings::default()
        }
    }
}

fn json(text: &str) -> Result<String, serde_json::Error> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map(|_| text.to_owned())
}
