use clap::Subcommand;

use super::sum::Sha256;
use crate::config::check_name;

pub(crate) const EXAMPLES: &str = "\
A model that scores the tokens of a text lets `headroom` prune words from prose, behind a marker that names the whole \
text. That needs a build with `--features models`, and is off unless --prose-model, HEADROOM_PROSE_MODEL or \
`prose_model` in the configuration names a model. Only `pull` fetches models.

Examples:
  Fetch the model that is known by name (261 MB), or resume its download:
    headroom model pull
  Use it:
    headroom proxy --prose-model kompress-v2-base
  Fetch another, from a folder of a web server that holds model.onnx, tokenizer.json and SHA256SUMS:
    headroom model pull mine --from https://models.example/mine

Exit status: 0 success, 1 failure, 2 wrong usage.";

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Fetch a model, verify it, and store it in Headroom's folder
    ///
    /// Interrupted downloads are resumed. A file is accepted only with the checksum that --sha256, a SHA256SUMS file
    /// next to it or the hub gives. HTTPS_PROXY and NO_PROXY apply; HF_ENDPOINT names a mirror of the hub.
    Pull(PullArgs),
    /// List the models in Headroom's folder
    List(ListArgs),
    /// Print the folder of a model
    Path(NameArgs),
    /// Remove a model and its partial downloads
    Remove(NameArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct PullArgs {
    /// Name of the model
    #[arg(default_value = super::catalog::KOMPRESS, value_parser = name)]
    pub(super) name: String,
    /// URL of the folder that holds model.onnx and tokenizer.json
    #[arg(long, value_name = "URL")]
    pub(super) from: Option<http::Uri>,
    /// SHA-256 of a file, such as model.onnx=9f86d081...; may be given for each file
    #[arg(long, value_name = "FILE=HEX", value_parser = sum)]
    pub(super) sha256: Vec<(String, Sha256)>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Print a JSON array
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct NameArgs {
    /// Name of the model
    #[arg(value_parser = name)]
    pub(super) name: String,
}

fn name(text: &str) -> Result<String, crate::config::InvalidName> {
    check_name(text).map(str::to_owned)
}

fn sum(text: &str) -> Result<(String, Sha256), String> {
    let (file, hex) = text.split_once('=').ok_or("expected FILE=HEX")?;
    Ok((file.to_owned(), hex.parse()?))
}
