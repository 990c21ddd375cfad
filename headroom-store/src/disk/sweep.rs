//! Keeps the folder within its bounds: drops what was not seen for too long, then what was seen longest ago.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use super::folder::{Folder, blocks, or_missing};

/// Files that are deleted before others get their turn.
const AT_ONCE: usize = 64;
/// Longest time between two sweeps of a folder in use.
const PAUSE: Duration = Duration::from_secs(3 * 60 * 60);
/// A file that is on its way for longer was left by a process that died.
const ABANDONED: Duration = Duration::from_secs(60 * 60);

/// How much may be kept, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) blocks: u64,
    pub(super) idle: Duration,
}

impl Bounds {
    /// Most blocks that stay after a sweep. The rest is room until the next.
    pub(super) const fn kept(&self) -> u64 {
        self.blocks - self.blocks / 8
    }

    /// Whether it is time: enough was written, or it was long ago.
    pub(super) fn due(&self, written: u64, since: Option<Duration>) -> bool {
        written > self.blocks / 16 || since.is_none_or(|since| since > PAUSE.min(self.idle / 8))
    }
}

/// When to sweep, by one thread of this process at a time.
#[derive(Debug)]
pub(super) struct Sweeper {
    pub(super) bounds: Bounds,
    running: AtomicBool,
}

impl Sweeper {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, running: AtomicBool::new(false) }
    }

    /// Whether the caller has to call [`run`](Self::run) now.
    pub(super) fn begin(&self, folder: &Folder) -> io::Result<bool> {
        let due = self.bounds.due(folder.written()?, folder.since_sweep()?);
        Ok(due && !self.running.swap(true, Ordering::Relaxed))
    }

    pub(super) fn run(&self, folder: &Folder) {
        // A folder that cannot be swept cannot be written either, and that is reported.
        let _: io::Result<()> = sweep(folder, &self.bounds);
        self.running.store(false, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }
}

/// Sweeps unless another process does. Takes two walks over the folder and 16 bytes of memory per file.
fn sweep(folder: &Folder, bounds: &Bounds) -> io::Result<()> {
    let Some(_turn) = folder.begin_sweep()? else { return Ok(()) };
    let now = folder.now();
    remove_abandoned(folder, now)?;
    let mut files = Vec::new();
    for place in folder.places()? {
        each_file(folder, &place, |_, file| {
            let file = file.metadata()?;
            files.push((folder.age(&file, now)?, blocks(file.len())));
            Ok(())
        })?;
    }
    files.sort_unstable();
    let mut kept = 0;
    let oldest = files.iter().find_map(|(age, blocks)| {
        kept += blocks;
        (kept > bounds.kept() || *age > bounds.idle).then_some(*age)
    });
    let Some(oldest) = oldest else { return Ok(()) };
    for place in folder.places()? {
        let mut old = Vec::new();
        each_file(folder, &place, |path, file| {
            if folder.age(&file.metadata()?, now)? >= oldest {
                old.push(path);
            }
            Ok(())
        })?;
        for paths in old.chunks(AT_ONCE) {
            let _lock = folder.lock_exclusive()?;
            paths.iter().try_for_each(|path| remove_if_old(folder, path, now, oldest))?;
        }
    }
    Ok(())
}

/// Someone may have seen it since it was found to be old.
pub(super) fn remove_if_old(
    folder: &Folder,
    path: &Path,
    now: SystemTime,
    oldest: Duration,
) -> io::Result<()> {
    let remove = || {
        if folder.age(&fs::metadata(path)?, now)? >= oldest {
            fs::remove_file(path)?;
        }
        Ok(())
    };
    or_missing(remove()).map(drop)
}

fn remove_abandoned(folder: &Folder, now: SystemTime) -> io::Result<()> {
    for file in fs::read_dir(folder.temporary())? {
        let file = file?;
        let remove = || {
            if folder.age(&file.metadata()?, now)? > ABANDONED {
                fs::remove_file(file.path())?;
            }
            Ok(())
        };
        or_missing(remove())?;
    }
    Ok(())
}

/// Every file of ours in a place. One that goes away meanwhile is passed over.
fn each_file(
    folder: &Folder,
    place: &Path,
    mut visit: impl FnMut(PathBuf, &DirEntry) -> io::Result<()>,
) -> io::Result<()> {
    for file in fs::read_dir(place)? {
        let file = file?;
        let path = file.path();
        if folder.owns(&path) {
            or_missing(visit(path, &file))?;
        }
    }
    Ok(())
}
