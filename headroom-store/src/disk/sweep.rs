//! Keeps the folder within its bounds: drops what was not seen for too long, then what was seen longest ago.

use std::{
    fs::{self, DirEntry},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    folder::{Folder, blocks, or_missing},
    name,
};

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

/// Sweeps unless another process does. Takes two walks over the folder and 16 bytes of memory per file.
pub(super) fn sweep(folder: &Folder, bounds: &Bounds) -> io::Result<()> {
    let Some(_turn) = folder.begin_sweep()? else { return Ok(()) };
    let now = folder.now();
    remove_abandoned(folder, now)?;
    let mut files = Vec::new();
    for shard in shards(folder)? {
        each_file(&shard, |_, file| {
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
    for shard in shards(folder)? {
        let mut old = Vec::new();
        each_file(&shard, |path, file| {
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

fn shards(folder: &Folder) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder.root())?.map(|entry| entry.map(|entry| entry.path()));
    entries.filter(|path| path.as_ref().map_or(true, |path| name::is_shard(path))).collect()
}

/// Every file of ours in a shard. One that goes away meanwhile is passed over.
fn each_file(shard: &Path, mut visit: impl FnMut(PathBuf, &DirEntry) -> io::Result<()>) -> io::Result<()> {
    for file in fs::read_dir(shard)? {
        let file = file?;
        let path = file.path();
        if name::parse(&path).is_some() {
            or_missing(visit(path, &file))?;
        }
    }
    Ok(())
}
