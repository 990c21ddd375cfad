//! Runs the agent's process: forwards signals to it and returns its exit status.

#[cfg(unix)]
use std::{env, ffi::OsStr};
use std::{io, process::Command};

use tokio::{process::Child, runtime::Runtime};

#[cfg(unix)]
use super::orphan;
use crate::core_dumps;

/// How the agent ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct AgentExit {
    /// The status that a shell would report.
    pub(super) status: u8,
    /// Whether a signal, or a key of the terminal, asked it to end: it may have been in the middle of a line.
    pub(super) is_interrupted: bool,
}

/// Runs the agent on this terminal until it ends. Called on the main thread; the agent ends with that thread.
pub(super) fn run(command: Command, runtime: &Runtime) -> io::Result<AgentExit> {
    let (status, is_interrupted) = runtime.block_on(async {
        // Before the child exists, so that no signal for it is lost.
        let mut signals = signals::Signals::new()?;
        let mut child = spawn(command)?;
        // Only after the spawn, so that the agent keeps its own limit. There are no prompts here before it runs.
        core_dumps::forbid();
        #[cfg(unix)]
        let watcher = orphan::Watcher::over(child.id());
        let status = loop {
            tokio::select! {
                // Polled first: once the child is reaped, its id may belong to another process.
                biased;
                status = child.wait() => break status,
                signal = signals.next() => signals::send(&child, signal),
            }
        };
        #[cfg(unix)]
        watcher.dismiss();
        io::Result::Ok((status?, signals.is_interrupted()))
    })?;
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let status = u8::try_from(128 + signal).unwrap_or(u8::MAX);
        return Ok(AgentExit { status, is_interrupted: true });
    }
    let status = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(AgentExit { status, is_interrupted })
}

#[cfg(unix)]
fn spawn(command: Command) -> io::Result<Child> {
    can_be_run(command.get_program())?;
    tokio::process::Command::from(orphan::bound_to_us(command)).spawn()
}

#[cfg(not(unix))]
fn spawn(command: Command) -> io::Result<Child> {
    tokio::process::Command::from(command).spawn()
}

/// Whether `PATH` has an executable of this name.
#[cfg(unix)]
fn can_be_run(program: &OsStr) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    // Without PATH the system has default folders.
    let Some(path) = env::var_os("PATH") else { return Ok(()) };
    let mut found =
        env::split_paths(&path).filter_map(|folder| folder.join(program).metadata().ok()).peekable();
    if found.peek().is_none() {
        return Err(io::ErrorKind::NotFound.into());
    }
    match found.any(|file| file.is_file() && file.permissions().mode() & 0o111 != 0) {
        true => Ok(()),
        false => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

#[cfg(unix)]
mod signals {
    use std::{
        io,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        thread,
    };

    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::{
        consts::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2},
        flag,
        iterator::{SignalsInfo, exfiltrator::WithOrigin},
    };
    use tokio::{process::Child, sync::mpsc};

    const FORWARDED: [(i32, Signal); 6] = [
        (SIGHUP, Signal::HUP),
        (SIGINT, Signal::INT),
        (SIGQUIT, Signal::QUIT),
        (SIGTERM, Signal::TERM),
        (SIGUSR1, Signal::USR1),
        (SIGUSR2, Signal::USR2),
    ];

    /// The signals that were sent to this process only.
    pub(super) struct Signals {
        sent: mpsc::UnboundedReceiver<Signal>,
        is_interrupted: Arc<AtomicBool>,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            let mut signals = SignalsInfo::<WithOrigin>::new(FORWARDED.map(|(number, _)| number))?;
            let (sender, sent) = mpsc::unbounded_channel();
            // Set by the handler itself: the thread below may hear of a key only after the agent has ended.
            let is_interrupted = Arc::new(AtomicBool::new(false));
            for number in [SIGINT, SIGQUIT] {
                flag::register(number, Arc::clone(&is_interrupted))?;
            }
            thread::Builder::new().name("signals".to_owned()).spawn(move || {
                for origin in signals.forever() {
                    // Keys such as Ctrl-C reach every process in the foreground, so the agent has received them; most
                    // agents take a second one for "now".
                    let from_terminal = origin.process.is_none();
                    let signal = FORWARDED.iter().find(|(number, _)| *number == origin.signal);
                    if let Some((_, signal)) = signal.filter(|_| !from_terminal)
                        && sender.send(*signal).is_err()
                    {
                        break;
                    }
                }
            })?;
            Ok(Self { sent, is_interrupted })
        }

        pub(super) async fn next(&mut self) -> Signal {
            match self.sent.recv().await {
                Some(signal) => signal,
                None => std::future::pending().await,
            }
        }

        /// Whether a signal, such as the one of Ctrl-C, asked the foreground processes to end.
        pub(super) fn is_interrupted(&self) -> bool {
            self.is_interrupted.load(Ordering::Relaxed)
        }
    }

    pub(super) fn send(child: &Child, signal: Signal) {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // The process may have just ended.
        let _ = id.map(|id| kill_process(id, signal));
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    use tokio::process::Child;

    /// The console sends Ctrl-C to the agent itself; this process outlives it for the summary.
    pub(super) struct Signals;

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) {
            let _ = tokio::signal::ctrl_c().await;
        }

        pub(super) const fn is_interrupted(&self) -> bool {
            false
        }
    }

    pub(super) fn send(_: &Child, (): ()) {}
}
