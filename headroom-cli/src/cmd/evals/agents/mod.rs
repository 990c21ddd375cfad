//! `headroom evals agents`: an agent does the same tasks with and without Headroom.

mod args;
mod error;
mod process;
mod record;
mod results;
mod run;
mod tasks;

use std::{env, time::Duration};

use headroom_evals::{Progress, report::Report};

pub(super) use self::args::EXAMPLES;
pub(crate) use self::{args::AgentsArgs, error::AgentsError};
use self::{
    record::{AgentRun, RunFile},
    results::{AgentPair, Missing},
    run::{RunError, Runner},
    tasks::Task,
};
use super::budget::Budget;
use crate::config::{Config, Settings};

/// The variables that configure an upstream of Headroom's.
const UPSTREAMS: [&str; 4] = [
    "HEADROOM_UPSTREAM",
    "HEADROOM_ANTHROPIC_UPSTREAM",
    "HEADROOM_OPENAI_UPSTREAM",
    "HEADROOM_GEMINI_UPSTREAM",
];

impl AgentsArgs {
    pub(super) fn settings(&self) -> Settings {
        Settings { upstream: self.upstream.clone(), ..Settings::default() }
    }
}

/// What was found, however the evaluation ended.
pub(super) struct AgentsFound {
    pub(super) report: Report,
    /// Whether all tasks that the budget allows were run.
    pub(super) end: Result<bool, AgentsError>,
    pub(super) pairs: usize,
    pub(super) tasks: usize,
}

/// Runs the agent twice on every task.
pub(super) fn run(
    args: &AgentsArgs,
    config: &Config,
    progress: &dyn Progress,
) -> Result<AgentsFound, AgentsError> {
    let tasks = tasks::read(&args.tasks)?;
    let file = RunFile::open(&args.out.join("runs.jsonl"))?;
    let temporary = tempfile::Builder::new().prefix("headroom-").tempdir();
    let copies = temporary.map_err(|source| AgentsError::Write { path: env::temp_dir(), source })?;
    let upstream_is_set = args.upstream.is_some() || UPSTREAMS.iter().any(|name| env::var_os(name).is_some());
    let limit = Duration::from_secs(args.timeout.get().into());
    let folders = (copies.path().to_owned(), args.out.join("logs"));
    let runner = Runner::new(config, &args.agent, upstream_is_set, limit, folders)?;
    let mut evaluation = Evaluation { runner, file, budget: Budget::new(args.budget), has_answer: false };
    progress.begin("tasks, each run with and without Headroom", tasks.len());
    let (mut pairs, mut missing, mut failed) = (Vec::new(), Missing::Nothing, None);
    for (n, task) in tasks.iter().enumerate() {
        if !evaluation.budget.has_room() {
            missing = Missing::Budget;
            break;
        }
        match evaluation.pair(task, n % 2 == 0) {
            Ok(pair) => pairs.push(pair),
            Err(RunError::Stopped) => {
                missing = Missing::Stopped;
                break;
            }
            // There is nothing to report.
            Err(RunError::Failed(error)) if pairs.is_empty() => return Err(error),
            Err(RunError::Failed(error)) => {
                (missing, failed) = (Missing::Failed, Some(error));
                break;
            }
        }
        progress.step();
    }
    let report = results::report(&pairs, tasks.len(), missing, &command(args));
    let end = failed.map_or(Ok(missing != Missing::Stopped), Err);
    Ok(AgentsFound { report, end, pairs: pairs.len(), tasks: tasks.len() })
}

/// The command that does the same again.
fn command(args: &AgentsArgs) -> String {
    let agent = crate::cmd::wrap::quoted(&args.agent);
    format!(
        "headroom evals agents --tasks {} --agent {agent} --timeout {}",
        args.tasks.display(),
        args.timeout
    )
}

struct Evaluation<'a> {
    runner: Runner<'a>,
    file: RunFile,
    budget: Budget,
    /// Whether the provider has answered any request of the agent.
    has_answer: bool,
}

impl Evaluation<'_> {
    /// Runs both arms of a task, in this order.
    fn pair(&mut self, task: &Task, is_without_first: bool) -> Result<AgentPair, RunError> {
        let arms = if is_without_first { [false, true] } else { [true, false] };
        let keys = arms.map(|with_headroom| self.key(task, with_headroom));
        let [first_key, second_key] = keys;
        let (first_key, second_key) = (first_key?, second_key?);
        let is_known = |key: &str| self.file.get(key).is_some();
        if !(is_known(&first_key) && is_known(&second_key)) && self.runner.is_solved_before(task)? {
            let (task, check) = (task.name.clone(), task.check.clone());
            return Err(AgentsError::SolvedBefore { task, check }.into());
        }
        let [first, second] = arms;
        let (first, second) = (self.arm(task, first, &first_key)?, self.arm(task, second, &second_key)?);
        let (without, with) = if is_without_first { (first, second) } else { (second, first) };
        Ok(AgentPair { without, with })
    }

    fn arm(&mut self, task: &Task, with_headroom: bool, key: &str) -> Result<AgentRun, RunError> {
        if let Some(run) = self.file.get(key) {
            self.has_answer = true;
            return Ok(run.clone());
        }
        let run = self.runner.run(task, with_headroom)?;
        self.budget.spend(run.paid);
        self.has_answer |= run.turns > 0;
        if !self.has_answer {
            let log = self.runner.log(task, if with_headroom { "with" } else { "without" });
            let (task, refused, ended) = (task.name.clone(), run.refused, run.ended());
            return Err(AgentsError::NoAnswer { task, refused, ended, log }.into());
        }
        // A run without an answer is repeated by the next call.
        if run.turns > 0 {
            self.file.put(key, &run)?;
        }
        Ok(run)
    }

    /// A hash of everything that a run depends on, but for the provider.
    fn key(&self, task: &Task, with_headroom: bool) -> Result<String, AgentsError> {
        let config = &self.runner.config;
        let engine = match with_headroom {
            true => format!(
                "{} {} {} {:?} {:?} {:?} {:?}",
                env!("CARGO_PKG_VERSION"),
                config.tier,
                config.retrieval,
                config.epochs(),
                config.models,
                config.drop_tools,
                config.cache_hints
            ),
            false => String::new(),
        };
        let mut hasher = blake3::Hasher::new();
        let limit = self.runner.limit.as_secs();
        hasher.update(format!("{engine}\n{limit} {:?}\n{}\n", task, self.runner.agent).as_bytes());
        hasher.update(config.upstreams.to_string().as_bytes());
        let failed =
            |source| AgentsError::Copy { task: task.name.clone(), path: task.folder.clone(), source };
        tasks::hash(&task.folder, &mut hasher).map_err(failed)?;
        Ok(hasher.finalize().to_hex().to_string())
    }
}
