//! `headroom evals`: measures savings and answer quality.

mod agents;
mod args;
mod budget;
mod client;
mod conclusion;
mod live;
mod peer;
mod progress;
#[cfg(feature = "__tuning")]
mod tuning;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use headroom_evals::{
    Data, EvalError, Options, SECTIONS, Suite,
    compressor::Command,
    report::{self, Report},
};

pub(crate) use self::args::EvalsCommand;
use self::{
    agents::AgentsError,
    args::{Kind, SuiteArgs},
    live::RunEnd,
    progress::Bar,
};
use crate::{
    config::{Config, Settings},
    output,
};

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
    #[error(transparent)]
    Agents(#[from] AgentsError),
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
            Self::Agents(error) => error.is_usage(),
            _ => false,
        }
    }
}

impl EvalsCommand {
    /// The settings among the flags.
    pub(crate) fn settings(&self) -> Settings {
        match self {
            Self::Agents(args) => args.settings(),
            _ => Settings::default(),
        }
    }
}

/// Runs the evaluation and returns whether all checked goals are reached.
pub(crate) fn run(command: &EvalsCommand, config: &Config) -> Result<bool, EvalsError> {
    match command {
        EvalsCommand::Suite(args) => suite(args, config),
        EvalsCommand::Agents(args) => {
            let found = agents::run(args, config, &Bar::new())?;
            write(&found.report, &args.out, None, args.json)?;
            end(found.end.map_err(EvalsError::from), "tasks", (found.pairs, found.tasks))
        }
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
    let (report, end) = if args.live {
        let run = live::run(&args.model, data, &args.out, config, &Bar::new())?;
        let is_complete = match run.end {
            RunEnd::Finished | RunEnd::Budget => Ok(true),
            RunEnd::Stopped => Ok(false),
            // There is nothing to report.
            RunEnd::Failed(error) if run.pairs == 0 => return Err(error.into()),
            RunEnd::Failed(error) => Err(error.into()),
        };
        (run.report, end(is_complete, "questions", (run.pairs, run.questions)))
    } else {
        (offline(args, data, config.tier)?, Ok(true))
    };
    write(&report, &args.out, args.publish.as_deref(), args.json)?;
    let reached = report.goals.iter().all(|goal| goal.ok);
    Ok(end? && (!args.check || reached))
}

/// Says how far a run came that is not complete.
fn end(
    is_complete: Result<bool, EvalsError>,
    what: &str,
    (done, all): (usize, usize),
) -> Result<bool, EvalsError> {
    if !matches!(is_complete, Ok(true)) {
        output::note(&format_args!(
            "headroom: stopped after {done} of {all} {what}; the report is of these, and the same command continues"
        ));
    }
    is_complete
}

/// Writes the report's files, and a summary or the whole to standard output.
fn write(report: &Report, out: &Path, publish: Option<&Path>, is_json: bool) -> Result<(), EvalsError> {
    let json = report::json(report);
    let files = [
        ("report.md", report::markdown(report)),
        ("report.json", json.clone()),
        ("report.html", report::html(report)),
    ];
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| EvalsError::Report { path, source }
    };
    fs::create_dir_all(out).map_err(failed(out))?;
    for (name, text) in files {
        let path = out.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    if let Some(path) = publish {
        fs::write(path, report::markdown(&report.clone().without_quotes())).map_err(failed(path))?;
    }
    let shown = if is_json { json } else { summary(report, out) };
    output::write(shown.as_bytes()).map_err(EvalsError::Write)
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

/// Lists the goals, what was found and the report files.
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
    for line in report.sections.iter().flat_map(|section| &section.conclusions) {
        text.push_str(&format!("\n{line}\n"));
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
