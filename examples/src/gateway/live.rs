//! Settings that change while requests run.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;

use super::{Settings, Wrong};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// The settings of now. Clones see every change; whoever took the settings before a change keeps them.
pub type Live = Arc<ArcSwap<Settings>>;

/// Reads the file again whenever it changes, and on SIGHUP. A file with a mistake in it changes nothing.
///
/// Files that a key changed in, such as a mounted secret, are read with the file that names them: send SIGHUP.
///
/// The signal is listened for at once; the rest is up to the returned future, which never ends.
///
/// # Errors
///
/// If the signal cannot be listened for.
pub fn watch(
    path: PathBuf,
    live: Live,
    report: impl Fn(Result<(), Wrong>),
) -> io::Result<impl Future<Output = ()>> {
    let mut hangup = Hangup::new()?;
    let mut seen = modified(&path);
    Ok(async move {
        loop {
            let is_asked = tokio::select! {
                () = hangup.next() => true,
                () = tokio::time::sleep(LOOK) => false,
            };
            let now = modified(&path);
            if is_asked || now != seen {
                seen = now;
                report(Settings::read(&path).map(|settings| live.store(Arc::new(settings))));
            }
        }
    })
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}

#[cfg(unix)]
struct Hangup(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Hangup {
    fn new() -> io::Result<Self> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).map(Self)
    }

    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
struct Hangup;

#[cfg(not(unix))]
impl Hangup {
    const fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        std::future::pending().await
    }
}
