//! Runs an agent once on one task, behind a proxy of its own.

use std::{
    env,
    fs::{self, File},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::runtime::Runtime;

use super::{
    AgentsError,
    process::{ProcessEnd, Shell},
    record::AgentRun,
    tasks::{self, Task},
};
use crate::{
    config::{Base, Config, Holdout, Upstreams},
    ledger::LedgerTotals,
    proxy::EmbeddedProxy,
};

/// How long the proxy may take to end its connections.
const SHUTDOWN: Duration = Duration::from_secs(2);
/// The variables that point agents at the proxy, and what they expect after the host.
const VARIABLES: [(&str, &str); 5] = [
    ("ANTHROPIC_BASE_URL", ""),
    ("ANTHROPIC_API_BASE", ""),
    ("OPENAI_BASE_URL", "/v1"),
    ("OPENAI_API_BASE", "/v1"),
    ("GOOGLE_GEMINI_BASE_URL", ""),
];
/// Exit statuses of `sh` for a command that is missing, and one that cannot be run.
const CANNOT_RUN: [i32; 2] = [126, 127];

/// Runs agents and checks.
pub(super) struct Runner<'a> {
    pub(super) config: Config,
    pub(super) agent: &'a str,
    /// Whether the user has configured an upstream of Headroom's.
    pub(super) upstream_is_set: bool,
    pub(super) limit: Duration,
    pub(super) shell: Shell,
    /// Holds the copies of the tasks' folders.
    pub(super) copies: PathBuf,
    pub(super) logs: PathBuf,
    /// Copies so far: each has a path of its own, of the same length.
    pub(super) count: u32,
}

/// Why a run ended early.
#[derive(Debug)]
pub(super) enum RunError {
    /// A signal asked to stop.
    Stopped,
    Failed(AgentsError),
}

impl<E: Into<AgentsError>> From<E> for RunError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Runner<'_> {
    pub(super) fn new<'a>(
        config: &Config,
        agent: &'a str,
        upstream_is_set: bool,
        limit: Duration,
        (copies, logs): (PathBuf, PathBuf),
    ) -> Result<Runner<'a>, AgentsError> {
        // Which conversations are compressed is decided here.
        let mut config = config.clone();
        config.holdout = Holdout::default();
        let shell = Shell::new().map_err(AgentsError::Signals)?;
        fs::create_dir_all(&logs).map_err(|source| AgentsError::Write { path: logs.clone(), source })?;
        Ok(Runner { config, agent, upstream_is_set, limit, shell, copies, logs, count: 0 })
    }

    /// Whether the check of a task succeeds where no agent has run.
    pub(super) fn is_solved_before(&mut self, task: &Task) -> Result<bool, RunError> {
        let copy = self.copy(task)?;
        let log = self.log(task, "before");
        let is_solved = self.check(task, &copy, &log)?;
        remove(&copy);
        Ok(is_solved)
    }

    /// Runs the agent, and then the check.
    pub(super) fn run(&mut self, task: &Task, with_headroom: bool) -> Result<AgentRun, RunError> {
        let copy = self.copy(task)?;
        let name = if with_headroom { "with" } else { "without" };
        let log = self.log(task, name);
        let file = File::create(&log).map_err(|source| AgentsError::Write { path: log.clone(), source })?;
        let proxy = EmbeddedProxy::new(&self.config, |_| {})?;
        let mut proxy = RunProxy {
            proxy: if with_headroom { proxy } else { proxy.untouched() },
            runtime: Runtime::new().map_err(AgentsError::Runtime)?,
            open: Vec::new(),
        };
        let variables = self.variables(task, &mut proxy)?;
        let limit = self.limit(task);
        let ended = self.shell.run(self.agent, &copy, &variables, &file, limit);
        let bill = proxy.end();
        let (end, time) = ended.map_err(AgentsError::Spawn)?;
        let (exit, is_timed_out) = match end {
            ProcessEnd::Stopped => return Err(RunError::Stopped),
            ProcessEnd::TimedOut => (None, true),
            ProcessEnd::Exited(status) => (status.code(), false),
        };
        let checks = self.log(task, &format!("{name}.check"));
        let solved = !is_timed_out && self.check(task, &copy, &checks)?;
        remove(&copy);
        Ok(AgentRun::new(task, with_headroom, solved, (exit, is_timed_out), &bill, time))
    }

    /// The file with the output of a run.
    pub(super) fn log(&self, task: &Task, name: &str) -> PathBuf {
        self.logs.join(format!("{}.{name}.log", task.name))
    }

    fn limit(&self, task: &Task) -> Duration {
        task.timeout.map_or(self.limit, |seconds| Duration::from_secs(seconds.into()))
    }

    fn copy(&mut self, task: &Task) -> Result<PathBuf, AgentsError> {
        self.count += 1;
        let copy = self.copies.join(format!("{:04}", self.count)).join(&task.name);
        let failed =
            |source| AgentsError::Copy { task: task.name.clone(), path: task.folder.clone(), source };
        tasks::copy(&task.folder, &copy).map_err(failed)?;
        Ok(copy)
    }

    fn check(&mut self, task: &Task, folder: &Path, log: &Path) -> Result<bool, RunError> {
        let file = File::create(log).map_err(|source| AgentsError::Write { path: log.to_owned(), source })?;
        let limit = self.limit(task);
        let (end, _) = self.shell.run(&task.check, folder, &[], &file, limit).map_err(AgentsError::Spawn)?;
        let status = match end {
            ProcessEnd::Stopped => return Err(RunError::Stopped),
            ProcessEnd::TimedOut => return Ok(false),
            ProcessEnd::Exited(status) => status,
        };
        match status.code().filter(|status| CANNOT_RUN.contains(status)) {
            Some(status) => {
                let said = fs::read_to_string(log).unwrap_or_default().trim().chars().take(300).collect();
                let (task, check) = (task.name.clone(), task.check.clone());
                Err(AgentsError::Check { task, check, status, said }.into())
            }
            None => Ok(status.success()),
        }
    }

    /// The variables of the agent's environment.
    fn variables(
        &self,
        task: &Task,
        proxy: &mut RunProxy,
    ) -> Result<Vec<(&'static str, String)>, AgentsError> {
        let configured = self.config.upstreams.clone();
        let own = format!("http://{}", proxy.address(None, &configured)?);
        let mut variables = vec![("TASK_PROMPT", task.prompt.clone()), ("PROXY_URL", own.clone())];
        for (variable, path) in VARIABLES {
            let set = env::var(variable).ok().filter(|url| !url.is_empty() && !self.upstream_is_set);
            let url = match set {
                None => format!("{own}{path}"),
                Some(url) => {
                    let base: Base =
                        url.parse().map_err(|source| AgentsError::Upstream { variable, source })?;
                    format!("http://{}{}", proxy.address(Some(&base), &configured)?, base.client_path())
                }
            };
            variables.push((variable, url));
        }
        // The proxy is on this machine, whatever stands before other addresses.
        let except = ["NO_PROXY", "no_proxy"].iter().find_map(|name| env::var(name).ok());
        let except = except.filter(|except| !except.is_empty());
        let except = except.map_or_else(String::new, |except| format!("{except},")) + "127.0.0.1,localhost";
        variables.extend([("NO_PROXY", except.clone()), ("no_proxy", except)]);
        Ok(variables)
    }
}

/// The proxy of one run.
struct RunProxy {
    proxy: EmbeddedProxy,
    runtime: Runtime,
    /// The addresses in front of other upstreams than the configured ones.
    open: Vec<(Option<Base>, SocketAddr)>,
}

impl RunProxy {
    /// The address that leads to this upstream, or to the configured ones.
    fn address(
        &mut self,
        upstream: Option<&Base>,
        configured: &Upstreams,
    ) -> Result<SocketAddr, AgentsError> {
        if let Some((_, address)) = self.open.iter().find(|(base, _)| base.as_ref() == upstream) {
            return Ok(*address);
        }
        let upstreams = upstream.map_or_else(|| configured.clone(), Upstreams::all);
        let address = self.runtime.block_on(self.proxy.listen(upstreams))?;
        self.open.push((upstream.cloned(), address));
        Ok(address)
    }

    /// Ends the proxy, and with it every request, so that the bill is complete.
    fn end(self) -> LedgerTotals {
        self.runtime.shutdown_timeout(SHUTDOWN);
        self.proxy.flush();
        self.proxy.sums()
    }
}

/// Removes a copy; what cannot be removed goes with the folder of all copies.
fn remove(copy: &Path) {
    let _ = copy.parent().map(fs::remove_dir_all);
}
