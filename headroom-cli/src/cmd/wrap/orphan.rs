//! Ensures that an agent does not outlive its wrapper, even if a signal kills it that it cannot handle.
//!
//! Where the kernel can signal a process whose parent died, the agent is started in two steps: this program asks for
//! the signal and then executes the agent, which keeps its process id, terminal, environment and open files. Elsewhere
//! a second process watches: it waits for the end of a pipe that the wrapper holds open.
//!
//! The signal is SIGTERM: agents forward it to their own processes and then restore the terminal.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitCode, Stdio},
};

use rustix::process::{Pid, Signal, getppid, kill_process, setsid};

use crate::output;

/// Executes the agent: `headroom __agent WRAPPER PROGRAM [ARGS...]`.
const AGENT_STEP: &str = "__agent";
/// Watches the agent: `headroom __watch AGENT`.
const WATCH_STEP: &str = "__watch";
/// Whether the kernel can signal a process when its parent dies.
const HAS_DEATH_SIGNAL: bool = cfg!(any(target_os = "linux", target_os = "android", target_os = "freebsd"));
/// What the wrapper writes to the watcher after the agent ended by itself.
const ENDED: u8 = b'.';
/// The exit statuses of shells for a program that is missing, and for one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// Runs one of the steps if the arguments of this process name it.
pub(crate) fn step(mut args: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let step = args.next()?;
    let is = |name: &str| step == OsStr::new(name);
    if !is(AGENT_STEP) && !is(WATCH_STEP) {
        return None;
    }
    let pid = args.next().and_then(|pid| Pid::from_raw(pid.to_str()?.parse().ok()?));
    let Some(pid) = pid else { return Some(ExitCode::from(2)) };
    if is(WATCH_STEP) {
        watch(pid);
        return Some(ExitCode::SUCCESS);
    }
    Some(ExitCode::from(become_agent(pid, &args.next()?, args)))
}

/// Makes the command a child that ends with this process.
///
/// The signal is sent when the *thread* ends that started the child, so that must be the main thread. The working folder
/// is that of this process.
pub(crate) fn bound_to_us(command: Command) -> Command {
    let Some(own) = std::env::current_exe().ok().filter(|_| HAS_DEATH_SIGNAL) else { return command };
    let mut bound = Command::new(own);
    bound.arg(AGENT_STEP).arg(rustix::process::getpid().to_string()).arg(command.get_program());
    bound.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    bound
}

/// Executes the agent; returns only if that fails.
fn become_agent(wrapper: Pid, program: &OsStr, args: impl Iterator<Item = OsString>) -> u8 {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    {
        // If this fails, the agent runs without it.
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    }
    // The wrapper may have died before the request.
    if getppid() != Some(wrapper) {
        return NOT_RUN;
    }
    let error = Command::new(program).args(args).exec();
    output::note(&format_args!("headroom: cannot run {}: {error}", program.display()));
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN }
}

/// Ends the agent if its wrapper ends without writing `ENDED`.
fn watch(agent: Pid) {
    // Detaches it from the keys of the terminal.
    let _ = setsid();
    let mut word = [0];
    let ended = matches!(io::stdin().read(&mut word), Ok(1)) && word == [ENDED];
    if !ended {
        let _ = kill_process(agent, Signal::TERM);
    }
}

/// A process that watches the agent, where one is needed.
pub(super) struct Watcher(Option<Child>);

impl Watcher {
    /// Watches the child with this id.
    pub(super) fn over(child: Option<u32>) -> Self {
        let Some(id) = child.filter(|_| !HAS_DEATH_SIGNAL) else { return Self(None) };
        let watch = |own| {
            let mut command = Command::new(own);
            command.arg(WATCH_STEP).arg(id.to_string());
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        };
        Self(std::env::current_exe().ok().and_then(watch))
    }

    /// Tells the watcher that the agent ended, so that its id may belong to another process.
    pub(super) fn dismiss(self) {
        let Some(mut watcher) = self.0 else { return };
        if let Some(mut pipe) = watcher.stdin.take() {
            let _ = pipe.write_all(&[ENDED]);
        }
        let _ = watcher.wait();
    }
}
