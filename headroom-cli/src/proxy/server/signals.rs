use std::{future, io};

/// What a signal requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShutdownRequest {
    /// SIGINT or SIGTERM, or SIGHUP when the terminal that the proxy writes to is closed.
    Stop,
    /// Any other SIGHUP.
    Reload,
}

/// The signals that the proxy handles.
#[derive(Debug)]
pub(crate) struct Signals(Option<SignalListener>);

#[cfg(unix)]
#[derive(Debug)]
struct SignalListener {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
    /// Whether the proxy was started to be watched on a terminal, and ends with it.
    is_watched: bool,
}

#[cfg(not(unix))]
#[derive(Debug)]
struct SignalListener {
    interrupt: tokio::signal::windows::CtrlC,
    stop: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Some(SignalListener::new()?)))
    }

    /// No signals: the proxy ends with the process that it is part of.
    pub(crate) const fn never() -> Self {
        Self(None)
    }

    /// Waits for the next signal.
    pub(crate) async fn next(&mut self) -> ShutdownRequest {
        let asked = match &mut self.0 {
            Some(listening) => listening.next().await,
            None => None,
        };
        match asked {
            Some(asked) => asked,
            None => future::pending().await,
        }
    }

    /// Waits for the next signal that asks to stop.
    pub(crate) async fn stop(&mut self) {
        while self.next().await != ShutdownRequest::Stop {}
    }
}

#[cfg(unix)]
impl SignalListener {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            is_watched: io::IsTerminal::is_terminal(&io::stderr()),
        })
    }

    async fn next(&mut self) -> Option<ShutdownRequest> {
        tokio::select! {
            signal = self.interrupt.recv() => signal.map(|()| ShutdownRequest::Stop),
            signal = self.terminate.recv() => signal.map(|()| ShutdownRequest::Stop),
            signal = self.hangup.recv() => signal.map(|()| match self.is_watched && !has_terminal() {
                true => ShutdownRequest::Stop,
                false => ShutdownRequest::Reload,
            }),
        }
    }
}

#[cfg(not(unix))]
impl SignalListener {
    fn new() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    async fn next(&mut self) -> Option<ShutdownRequest> {
        let asked = tokio::select! {
            asked = self.interrupt.recv() => asked,
            asked = self.stop.recv() => asked,
            asked = self.close.recv() => asked,
            asked = self.shutdown.recv() => asked,
        };
        asked.map(|()| ShutdownRequest::Stop)
    }
}

/// Whether the terminal of the process still exists.
#[cfg(unix)]
fn has_terminal() -> bool {
    std::fs::File::open("/dev/tty").is_ok()
}
