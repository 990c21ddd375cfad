//! `headroom evals`: measures savings and answer quality.

mod args;
mod client;
mod live;
mod peer;
#[cfg(feature = "__tuning")]
mod tuning;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use headroom_evals::{
    Data, EvalError, Options, Progress, SECTIONS, Suite,
    compressor::Command,
    report::{self, Report},
};
use indicatif::{ProgressBar, ProgressStyle};

pub(crate) use self::args::EvalsCommand;
use self::args::{Kind, SuiteArgs};
use crate::{config::Config, output};

/// Errors of `headroom evals`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvalsError {
    #[error("{} is no folder; --data and HEADROOM_SHARED need one that contains `workloads` or `corpora`", .0.display())]
    NoData(PathBuf),
    #[error(transparent)]
    Suite(#[from] EvalError),
    #[error(transparent)]
    Peer(#[from] peer::PeerError),
    #[error(transparent)]
    Live(#[from] live::LiveError),
    #[error("cannot write {}", path.display())]
    Report { path: PathBuf, source: io::Error },
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl EvalsError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        match self {
            Self::NoData(_) | Self::Suite(EvalError::UnknownNumber(_)) => true,
            Self::Live(error) => error.is_usage(),
            _ => false,
        }
    }
}

/// Runs the evaluation and returns whether all checked goals are reached.
pub(crate) fn run(command: &EvalsCommand, config: &Config) -> Result<bool, EvalsError> {
    match command {
        EvalsCommand::Suite(args) => suite(args, config),
        #[cfg(feature = "__tuning")]
        EvalsCommand::Tuning(args) => tuning::run(args),
    }
}

/// Returns the recorded data in this folder, or in the one that the environment names.
fn data(folder: Option<&PathBuf>) -> Result<Data, EvalsError> {
    let folder = folder.cloned().or_else(|| env::var_os("HEADROOM_SHARED").map(PathBuf::from));
    if let Some(missing) = folder.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(EvalsError::NoData(missing.clone()));
    }
    Ok(Data::new(folder))
}

fn suite(args: &SuiteArgs, config: &Config) -> Result<bool, EvalsError> {
    let data = data(args.data.as_ref())?;
    let report = if args.live {
        live::run(&args.model, data, &args.out, config, &Bar::new())?
    } else {
        offline(args, data, config.tier)?
    };
    let json = report::json(&report);
    let files = [
        ("report.md", report::markdown(&report)),
        ("report.json", json.clone()),
        ("report.html", report::html(&report)),
    ];
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| EvalsError::Report { path, source }
    };
    fs::create_dir_all(&args.out).map_err(failed(&args.out))?;
    for (name, text) in files {
        let path = args.out.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    let reached = report.goals.iter().all(|goal| goal.ok);
    let summary = summary(&report, &args.out);
    if let Some(path) = &args.publish {
        fs::write(path, report::markdown(&report.without_quotes())).map_err(failed(path))?;
    }
    let shown = if args.json { json } else { summary };
    output::write(shown.as_bytes()).map_err(EvalsError::Write)?;
    Ok(!args.check || reached)
}

fn offline(args: &SuiteArgs, data: Data, tier: headroom_core::Tier) -> Result<Report, EvalsError> {
    let mut only = args.only.clone();
    if args.no_timings {
        let all = SECTIONS.iter().map(|name| (*name).to_owned());
        only = if only.is_empty() { all.collect() } else { only };
        only.retain(|name| name != "speed");
    }
    let options = Options { only, quick: args.quick, tier, ..Options::default() };
    let mut suite = Suite::new(data, options);
    for peer in &args.compressor {
        suite = suite.with(match &peer.kind {
            Kind::Command(command) => Box::new(Command::new(&peer.name, command)),
            Kind::Proxy(base) => Box::new(peer::Proxy::new(&peer.name, base.clone(), args.capture)?),
        });
    }
    Ok(suite.run(&Bar::new())?)
}

/// Lists the goals and the report files.
fn summary(report: &Report, out: &Path) -> String {
    let width = report.goals.iter().map(|goal| goal.what.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for goal in &report.goals {
        let mark = if goal.ok { "ok  " } else { "MISS" };
        text.push_str(&format!(
            "{mark}  {:width$}  {}  (to reach: {})\n",
            goal.what, goal.reached, goal.target
        ));
    }
    for section in report.sections.iter().filter(|section| section.skipped.is_some()) {
        text.push_str(&format!(
            "left out: {}: {}\n",
            section.id,
            section.skipped.as_deref().unwrap_or_default()
        ));
    }
    text.push_str(&format!("\n{}, report.json, report.html\n", out.join("report.md").display()));
    text
}

/// A progress bar, hidden unless standard error is a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, steps: usize) {
        self.0.set_message(what.to_owned());
        self.0.set_length(steps as u64);
        self.0.set_position(0);
    }

    fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
