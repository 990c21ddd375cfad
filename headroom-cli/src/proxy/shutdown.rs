use std::{future, io};

/// The signals that ask the proxy to stop.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    asked: Option<(tokio::signal::unix::Signal, tokio::signal::unix::Signal)>,
    #[cfg(not(unix))]
    asked: Option<()>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { asked: Some((signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)) })
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { asked: Some(()) })
    }

    /// None: the proxy ends with the process that it is a part of.
    pub(super) const fn never() -> Self {
        Self { asked: None }
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        let signal = match &mut self.asked {
            Some((interrupt, terminate)) => tokio::select! {
                signal = interrupt.recv() => signal,
                signal = terminate.recv() => signal,
            },
            None => None,
        };
        #[cfg(not(unix))]
        let signal = if self.asked.is_some() { tokio::signal::ctrl_c().await.ok() } else { None };
        if signal.is_none() {
            future::pending::<()>().await;
        }
    }
}
