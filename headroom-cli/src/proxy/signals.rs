use std::{future, io};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// SIGINT or SIGTERM.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals that the proxy listens to.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) -> Asked {
        #[cfg(unix)]
        let asked = tokio::select! {
            signal = self.interrupt.recv() => signal.map(|()| Asked::Stop),
            signal = self.terminate.recv() => signal.map(|()| Asked::Stop),
            signal = self.hangup.recv() => signal.map(|()| Asked::Reload),
        };
        #[cfg(not(unix))]
        let asked = tokio::signal::ctrl_c().await.ok().map(|()| Asked::Stop);
        match asked {
            Some(asked) => asked,
            None => future::pending().await,
        }
    }

    /// Waits for the next one that asks to stop.
    pub(super) async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}
