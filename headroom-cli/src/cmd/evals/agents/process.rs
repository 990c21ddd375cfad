//! Runs a command of the shell within a time limit. What it starts ends with it.

use std::{
    fs::File,
    io,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::{process::Child, runtime::Runtime, time::timeout};

use crate::proxy::Signals;

/// How long a process that was asked to end may take for it.
const GRACE: Duration = Duration::from_secs(5);

/// How a command ended.
#[derive(Debug)]
pub(super) enum ProcessEnd {
    Exited(ExitStatus),
    /// Its time was up.
    TimedOut,
    /// A signal asked this program to stop.
    Stopped,
}

/// Runs commands, one after the other, on the main thread: they end if it does.
pub(super) struct Shell {
    runtime: Runtime,
    signals: Signals,
}

impl Shell {
    pub(super) fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signals = runtime.block_on(async { Signals::new() })?;
        Ok(Self { runtime, signals })
    }

    /// Runs a command in a folder with these variables. Returns how it ended, and how long it took.
    pub(super) fn run(
        &mut self,
        command: &str,
        folder: &Path,
        variables: &[(&str, String)],
        log: &File,
        limit: Duration,
    ) -> io::Result<(ProcessEnd, Duration)> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(command).envs(variables.iter().map(|(name, value)| (name, value)));
        let start = Instant::now();
        let Self { runtime, signals } = self;
        let end = runtime.block_on(async {
            let mut child = spawn(shell, folder, log)?;
            let group = Group::of(&child);
            let end = tokio::select! {
                biased;
                () = signals.stop() => ProcessEnd::Stopped,
                waited = timeout(limit, child.wait()) => match waited {
                    Ok(status) => ProcessEnd::Exited(status?),
                    Err(_) => ProcessEnd::TimedOut,
                },
            };
            group.end(&mut child).await;
            io::Result::Ok(end)
        })?;
        Ok((end, start.elapsed()))
    }
}

fn spawn(shell: Command, folder: &Path, log: &File) -> io::Result<Child> {
    #[cfg(unix)]
    let shell = crate::cmd::wrap::bound_to_us(shell);
    let mut shell = tokio::process::Command::from(shell);
    #[cfg(unix)]
    shell.process_group(0);
    shell.current_dir(folder).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
    shell.kill_on_drop(true).spawn()
}

/// The processes that a command has started and that have not left its group.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        Self { leader: child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?)) }
    }

    #[cfg(not(unix))]
    fn of(_: &Child) -> Self {
        Self {}
    }

    /// Asks them to end, and ends them if they do not.
    async fn end(&self, child: &mut Child) {
        #[cfg(unix)]
        {
            use rustix::process::{Signal, kill_process_group};
            let signal =
                |signal| self.leader.is_some_and(|leader| kill_process_group(leader, signal).is_ok());
            if signal(Signal::TERM) {
                let _ = timeout(GRACE, child.wait()).await;
                let start = Instant::now();
                // The leader may have ended before the others.
                while start.elapsed() < GRACE && self.has_members() {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                signal(Signal::KILL);
            }
        }
        let _ = child.start_kill();
        let _ = child.wait().await;
    }

    #[cfg(unix)]
    fn has_members(&self) -> bool {
        self.leader.is_some_and(|leader| rustix::process::test_kill_process_group(leader).is_ok())
    }
}
