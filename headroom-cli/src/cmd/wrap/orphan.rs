//! An agent does not outlive its wrapper, even if that is killed by a signal that it cannot handle.
//!
//! Where the kernel can send a signal to a process whose parent died, the agent is started in two steps: this program
//! asks for the signal, and then becomes the agent. It keeps its process id, terminal, environment and open files.
//! Elsewhere a second process watches: it waits for the end of a pipe that the wrapper holds open.
//!
//! The signal is SIGTERM, which agents hand on to processes of their own and after which they restore the terminal.

use std::{
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, ExitCode, Stdio},
};

use rustix::process::{Pid, Signal, getppid, kill_process, setsid};

use crate::output;

/// Becomes the agent: `headroom __agent WRAPPER PROGRAM [ARGS...]`.
const AGENT_STEP: &str = "__agent";
/// Watches: `headroom __watch AGENT`.
const WATCH_STEP: &str = "__watch";
/// Whether the kernel tells a process of its parent's death.
const HAS_DEATH_SIGNAL: bool = cfg!(any(target_os = "linux", target_os = "android", target_os = "freebsd"));
/// What the wrapper writes to the one that watches when the agent has ended by itself.
const ENDED: u8 = b'.';
/// What shells report of a program that is not there, and of one that cannot be run.
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// Does one of the steps, if the arguments of this process ask for it.
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

/// The same command, as a child that ends with this process.
///
/// The signal comes when the *thread* ends that started the child, so the main thread has to.
pub(super) fn bound_to_us(command: Command) -> Command {
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

/// Returns only if that fails.
fn become_agent(wrapper: Pid, program: &OsStr, args: impl Iterator<Item = OsString>) -> u8 {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    {
        // Without it the agent runs all the same.
        let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    }
    // It may have died before the signal was asked for.
    if getppid() != Some(wrapper) {
        return NOT_RUN;
    }
    let error = Command::new(program).args(args).exec();
    output::note(&format_args!("headroom: cannot run {}: {error}", program.display()));
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN }
}

/// Ends the agent if its wrapper ends without a word.
fn watch(agent: Pid) {
    // Keys of the terminal are not for it.
    let _ = setsid();
    let mut word = [0];
    let ended = matches!(io::stdin().read(&mut word), Ok(1)) && word == [ENDED];
    if !ended {
        let _ = kill_process(agent, Signal::TERM);
    }
}

/// A process that watches, where one is needed.
pub(super) struct Watcher(Option<Child>);

impl Watcher {
    /// Watches over a child with this id.
    pub(super) fn over(child: Option<u32>) -> Self {
        let Some(id) = child.filter(|_| !HAS_DEATH_SIGNAL) else { return Self(None) };
        let watch = |own| {
            let mut command = Command::new(own);
            command.arg(WATCH_STEP).arg(id.to_string());
            command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        };
        Self(std::env::current_exe().ok().and_then(watch))
    }

    /// Says that the agent has ended, and that its id may be another's.
    pub(super) fn dismiss(self) {
        let Some(mut watcher) = self.0 else { return };
        if let Some(mut pipe) = watcher.stdin.take() {
            let _ = pipe.write_all(&[ENDED]);
        }
        let _ = watcher.wait();
    }
}
