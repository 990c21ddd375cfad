//! `headroom model`: manages the user's learned models. Only `pull` opens a connection.

mod args;
mod catalog;
mod fetch;
mod sum;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

pub(crate) use self::args::{EXAMPLES, ModelCommand};
use self::{
    args::{ListArgs, PullArgs},
    fetch::{FetchError, Fetcher},
    sum::{Checksums, ExpectedSum, Sha256, listed},
};
use crate::{
    config,
    output::{self, Count},
    secret::make_private,
};

/// The checksums of a model's files: written last, so that a model that has it is complete.
const SUMS: &str = "SHA256SUMS";

/// Errors of `headroom model`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ModelCommandError {
    #[error("no folder for models; set HEADROOM_HOME")]
    NoHome,
    #[error(
        "unknown model {name}; the known one is {}. To fetch another, pass its location with --from URL",
        catalog::KOMPRESS
    )]
    Unknown { name: String },
    #[error("there is no model {name} in {}; `headroom model list` shows those that exist", folder.display())]
    Missing { name: String, folder: PathBuf },
    #[error("the model has no file {file}; its files are tokenizer.json and model.onnx")]
    NoSuchFile { file: String },
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("cannot use {}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl ModelCommandError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoHome | Self::Unknown { .. } | Self::NoSuchFile { .. })
    }
}

pub(crate) fn run(command: &ModelCommand) -> Result<(), ModelCommandError> {
    let home = config::home().ok_or(ModelCommandError::NoHome)?.join("models");
    match command {
        ModelCommand::Pull(args) => pull(args, &home),
        ModelCommand::List(args) => list(args, &home),
        ModelCommand::Path(args) => print(&format!("{}\n", existing(&home, &args.name)?.display())),
        ModelCommand::Remove(args) => {
            let folder = existing(&home, &args.name)?;
            fs::remove_dir_all(&folder).map_err(|source| ModelCommandError::Folder { path: folder, source })
        }
    }
}

/// The folder of an existing model, complete or not.
fn existing(home: &Path, name: &str) -> Result<PathBuf, ModelCommandError> {
    let folder = home.join(name);
    let missing = || ModelCommandError::Missing { name: name.to_owned(), folder: home.to_owned() };
    folder.is_dir().then_some(folder).ok_or_else(missing)
}

fn print(text: &str) -> Result<(), ModelCommandError> {
    output::write(text.as_bytes()).map_err(ModelCommandError::Write)
}

fn pull(args: &PullArgs, home: &Path) -> Result<(), ModelCommandError> {
    let unknown = || ModelCommandError::Unknown { name: args.name.clone() };
    let files = catalog::files(&args.name, args.from.as_ref()).ok_or_else(unknown)?;
    if let Some((file, _)) = args.sha256.iter().find(|(file, _)| files.iter().all(|known| known.file != file))
    {
        return Err(ModelCommandError::NoSuchFile { file: file.clone() });
    }
    let folder = home.join(&args.name);
    let failed = |source| ModelCommandError::Folder { path: folder.clone(), source };
    make_private(&folder).map_err(failed)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(ModelCommandError::Runtime)?;
    let before = fs::read_to_string(folder.join(SUMS)).unwrap_or_default();
    let sums = runtime.block_on(async {
        let fetcher = Fetcher::new()?;
        let published = match &args.from {
            Some(from) => {
                let url = format!("{}/{SUMS}", from.to_string().trim_end_matches('/'));
                fetcher.text(&url).await?.unwrap_or_default()
            }
            None => String::new(),
        };
        let mut sums = String::new();
        for remote in &files {
            let given = args.sha256.iter().find(|(file, _)| file == remote.file).map(|(_, sum)| *sum);
            let wanted = given.or_else(|| listed(&published, remote.file));
            let sum =
                match listed(&before, remote.file).filter(|sum| wanted.is_none_or(|wanted| wanted == *sum)) {
                    // Downloaded already, and unchanged.
                    Some(sum) if sum_of(&folder.join(remote.file)).is_some_and(|found| found == sum) => sum,
                    _ => {
                        let bar = bar(remote.file);
                        let sum = fetcher.file(remote, &folder, wanted.map(ExpectedSum::Sha256), &bar).await;
                        bar.finish_and_clear();
                        sum?
                    }
                };
            sums.push_str(&format!("{sum}  {}\n", remote.file));
        }
        Ok::<_, FetchError>(sums)
    })?;
    fs::write(folder.join(SUMS), sums).map_err(failed)?;
    let bytes = size(&folder);
    print(&format!(
        "{} is in {} ({} bytes)\nuse it with: headroom proxy --prose-model {}\n",
        args.name,
        folder.display(),
        Count(bytes),
        args.name
    ))
}

/// A progress bar, hidden unless standard error is a terminal.
fn bar(file: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(0).with_message(file);
    let style = "{msg}  {bar:30} {bytes}/{total_bytes}  {bytes_per_sec}, {eta} left";
    match ProgressStyle::with_template(style) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn sum_of(path: &Path) -> Option<Sha256> {
    let mut file = fs::File::open(path).ok()?;
    let mut sums = Checksums::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match io::Read::read(&mut file, &mut buffer).ok()? {
            0 => return Some(sums.sha256()),
            read => sums.add(buffer.get(..read)?),
        }
    }
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// Whether the files in a folder match their recorded checksums; `None` if there are none.
pub(crate) fn is_intact(folder: &Path) -> Option<bool> {
    let sums = fs::read_to_string(folder.join(SUMS)).ok()?;
    let files = ["tokenizer.json", "model.onnx"];
    Some(files.iter().all(|file| {
        listed(&sums, file).is_some_and(|sum| sum_of(&folder.join(file)).is_some_and(|found| found == sum))
    }))
}

fn list(args: &ListArgs, home: &Path) -> Result<(), ModelCommandError> {
    let mut models: Vec<(String, PathBuf, u64, bool)> = Vec::new();
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        let folder = entry.path();
        if folder.is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_whole = folder.join(SUMS).is_file();
            models.push((name, folder.clone(), size(&folder), is_whole));
        }
    }
    models.sort();
    if args.json {
        let row = |(name, folder, bytes, whole): &(String, PathBuf, u64, bool)| json!({"name": name, "folder": folder, "bytes": bytes, "complete": whole});
        return print(&format!("{}\n", json!(models.iter().map(row).collect::<Vec<_>>())));
    }
    if models.is_empty() {
        let home = home.display();
        output::note(&format_args!(
            "headroom: there are no models in {home}; `headroom model pull` fetches one"
        ));
    }
    let width = models.iter().map(|(name, ..)| name.len()).max().unwrap_or_default();
    let row = |(name, folder, bytes, whole): &(String, PathBuf, u64, bool)| {
        let state = if *whole { "" } else { "  (incomplete: pull it again)" };
        format!("{name:width$}  {:>13} bytes  {}{state}\n", Count(*bytes).to_string(), folder.display())
    };
    print(&models.iter().map(row).collect::<String>())
}
