//! The agent's process: it gets our signals, we get its exit status.

use std::{io, process::Command};

use tokio::runtime::Runtime;

/// Runs it to its end on our own terminal. The status is the one that a shell would report.
pub(super) fn run(command: Command, runtime: &Runtime) -> io::Result<u8> {
    let status = runtime.block_on(async {
        // Before the child is there: a signal that comes meanwhile is its, too.
        let mut signals = signals::Signals::new()?;
        let mut child = tokio::process::Command::from(command).spawn()?;
        loop {
            tokio::select! {
                // Once it is reaped, its id may be another's.
                biased;
                status = child.wait() => break status,
                signal = signals.next() => signals::send(&child, signal),
            }
        }
    })?;
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Ok(u8::try_from(128 + signal).unwrap_or(u8::MAX));
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

#[cfg(unix)]
mod signals {
    use std::{io, thread};

    use rustix::process::{Pid, Signal, kill_process};
    use signal_hook::{
        consts::signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2},
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

    /// The signals that were sent to us alone.
    pub(super) struct Signals(mpsc::UnboundedReceiver<Signal>);

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            let mut signals = SignalsInfo::<WithOrigin>::new(FORWARDED.map(|(number, _)| number))?;
            let (sender, receiver) = mpsc::unbounded_channel();
            thread::Builder::new().name("signals".to_owned()).spawn(move || {
                for origin in signals.forever() {
                    // Keys such as Ctrl-C reach every process in the foreground; the agent has had them, and a second
                    // one means "now" to most.
                    let from_terminal = origin.process.is_none();
                    let signal = FORWARDED.iter().find(|(number, _)| *number == origin.signal);
                    if let Some((_, signal)) = signal.filter(|_| !from_terminal)
                        && sender.send(*signal).is_err()
                    {
                        break;
                    }
                }
            })?;
            Ok(Self(receiver))
        }

        pub(super) async fn next(&mut self) -> Signal {
            match self.0.recv().await {
                Some(signal) => signal,
                None => std::future::pending().await,
            }
        }
    }

    pub(super) fn send(child: &Child, signal: Signal) {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        // It may have just ended.
        let _ = id.map(|id| kill_process(id, signal));
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;

    use tokio::process::Child;

    /// The console sends Ctrl-C to the agent itself; we outlive it for the receipt.
    pub(super) struct Signals;

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn next(&mut self) {
            let _ = tokio::signal::ctrl_c().await;
        }
    }

    pub(super) fn send(_: &Child, (): ()) {}
}
