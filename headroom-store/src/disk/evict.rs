//! Keeps the folder within its bounds: drops files unused for too long, then the least recently used.

use std::{
    collections::BinaryHeap,
    fs::Metadata,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use super::folder::{Folder, blocks, or_missing};

/// Files to delete before other processes get their turn.
const AT_ONCE: usize = 64;
/// Longest time between two sweeps of a folder in use.
const PAUSE: Duration = Duration::from_secs(3 * 60 * 60);
/// A temporary file older than this was left by a process that died.
const ABANDONED: Duration = Duration::from_secs(60 * 60);
/// Files used within this time stay, whatever the clock says and however full the folder is.
const PROTECTED: Duration = Duration::from_secs(5 * 60);
/// Shortest time between two sweeps of a folder full of protected files.
const FULL_PAUSE: Duration = Duration::from_secs(10);

/// The limits on space and age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) blocks: u64,
    pub(super) idle: Duration,
}

impl Bounds {
    /// The most blocks that a sweep leaves. The rest is room until the next one.
    pub(super) const fn kept(&self) -> u64 {
        self.blocks - self.blocks / 8
    }

    /// How old a file's time may be while the file is protected. Uses are recorded every `refresh` only.
    pub(super) fn protected(&self, refresh: Duration) -> Duration {
        (PROTECTED + refresh).min(self.idle / 4)
    }

    /// Whether a sweep is due: enough was written, or the last one was long ago.
    pub(super) fn due(&self, written: u64, since: Option<Duration>) -> bool {
        written > self.blocks / 16 || since.is_none_or(|since| since > PAUSE.min(self.idle / 8))
    }
}

/// Whether this process used a file in the last minutes.
pub(super) type IsRecent<'a> = dyn Fn(&Path) -> bool + 'a;

/// Decides when to sweep, with one thread of this process at a time.
#[derive(Debug)]
pub(super) struct Evictor {
    pub(super) bounds: Bounds,
    running: AtomicBool,
    /// The number of blocks after the last sweep of this process.
    left: AtomicU64,
    /// When the folder was last swept because it was full.
    made_room: Mutex<Option<Instant>>,
}

impl Evictor {
    pub(super) fn new(bounds: Bounds) -> Self {
        let (running, left) = (AtomicBool::new(false), AtomicU64::new(0));
        Self { bounds, running, left, made_room: Mutex::new(None) }
    }

    /// Whether the caller has to call [`run`](Self::run) now.
    pub(super) fn begin(&self, folder: &Folder) -> bool {
        let due = || io::Result::Ok(self.bounds.due(folder.written()?, folder.since_sweep()?));
        // The original is stored already, even if the folder cannot be swept.
        due().unwrap_or(false) && !self.running.swap(true, Ordering::Relaxed)
    }

    pub(super) fn run(&self, folder: &Folder, is_recent: &IsRecent<'_>) {
        let _running = Running(&self.running);
        // A folder that cannot be swept cannot be written either, and that is reported.
        if let Ok(Some(left)) = sweep(folder, &self.bounds, is_recent) {
            self.left.store(left, Ordering::Relaxed);
        }
    }

    /// Whether these blocks fit, if necessary after a sweep. They do not if the folder is full of files used in the
    /// last minutes.
    pub(super) fn make_room(
        &self,
        folder: &Folder,
        blocks: u64,
        is_recent: &IsRecent<'_>,
    ) -> io::Result<bool> {
        let fits = |written: u64| {
            let taken = self.left.load(Ordering::Relaxed).saturating_add(written);
            taken.saturating_add(blocks) <= self.bounds.blocks
        };
        let written = folder.written()?;
        if fits(written) {
            return Ok(true);
        }
        let may = self.may_make_room(written, folder.instant());
        if may && !self.running.swap(true, Ordering::Relaxed) {
            self.run(folder, is_recent);
        }
        Ok(fits(folder.written()?))
    }

    /// Whether a sweep may free anything: files were written since the last one, or time has passed.
    fn may_make_room(&self, written: u64, now: Instant) -> bool {
        let mut last = self.made_room.lock().unwrap_or_else(PoisonError::into_inner);
        let has_waited = last.is_none_or(|last| now.duration_since(last) >= FULL_PAUSE);
        let may = has_waited || written > self.bounds.blocks / 16;
        if may {
            *last = Some(now);
        }
        may
    }

    #[cfg(test)]
    pub(super) fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed)
    }
}

/// Says that a sweep has ended, also where it panics.
struct Running<'a>(&'a AtomicBool);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// Why a file is dropped before others, in order of priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Unused for longer than the limit.
    Idle,
    /// Last used in the future. The clock was set back since, so this use came before all others.
    Future,
    Past,
}

/// A file that may be dropped, ordered by priority, time of the last use, and path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate {
    class: Class,
    modified: SystemTime,
    path: PathBuf,
    blocks: u64,
}

/// The files to drop: all idle ones, and others by priority until enough space is free.
#[derive(Debug)]
struct EvictionCandidates {
    files: BinaryHeap<Candidate>,
    blocks: u64,
    wanted: u64,
}

impl EvictionCandidates {
    fn new(wanted: u64) -> Self {
        Self { files: BinaryHeap::new(), blocks: 0, wanted }
    }

    fn add(&mut self, file: Candidate) {
        self.blocks += file.blocks;
        self.files.push(file);
        while let Some(last) = self.files.peek()
            && last.class != Class::Idle
            && self.blocks - last.blocks >= self.wanted
        {
            self.blocks -= last.blocks;
            self.files.pop();
        }
    }
}

/// One pass of eviction.
pub(super) struct Sweep<'a> {
    folder: &'a Folder,
    bounds: &'a Bounds,
    is_recent: &'a IsRecent<'a>,
}

/// Sweeps unless another process does. Returns how many blocks are left. Walks the folder twice; memory is proportional
/// to the files that are dropped.
fn sweep(folder: &Folder, bounds: &Bounds, is_recent: &IsRecent<'_>) -> io::Result<Option<u64>> {
    let Some(_turn) = folder.begin_sweep()? else { return Ok(None) };
    let sweep = Sweep::new(folder, bounds, is_recent);
    sweep.remove_abandoned();
    let mut total = 0;
    sweep.each_file(|_, file| total += blocks(file.len()))?;
    let mut chosen = EvictionCandidates::new(total.saturating_sub(bounds.kept()));
    sweep.each_file(|path, file| {
        if let Some(candidate) = sweep.candidate(path, file) {
            chosen.add(candidate);
        }
    })?;
    for files in chosen.files.into_sorted_vec().chunks(AT_ONCE) {
        let _lock = folder.lock_exclusive()?;
        for file in files {
            if sweep.remove(file).is_ok_and(|removed| removed) {
                total = total.saturating_sub(file.blocks);
            }
        }
    }
    Ok(Some(total))
}

impl<'a> Sweep<'a> {
    pub(super) fn new(folder: &'a Folder, bounds: &'a Bounds, is_recent: &'a IsRecent<'a>) -> Self {
        Self { folder, bounds, is_recent }
    }

    /// Returns the candidate for a file; `None` if it must stay.
    pub(super) fn candidate(&self, path: PathBuf, file: &Metadata) -> Option<Candidate> {
        let modified = file.modified().ok()?;
        if self.is_protected(&path, modified) {
            return None;
        }
        let class = match self.folder.now().duration_since(modified) {
            Ok(age) if age > self.bounds.idle => Class::Idle,
            Ok(_) => Class::Past,
            Err(_) => Class::Future,
        };
        Some(Candidate { class, modified, path, blocks: blocks(file.len()) })
    }

    /// Whether a file was used in the last minutes: by its time, or by this process's clock, which never jumps.
    ///
    /// The time is read for each file: a sweep can take minutes, and what others write meanwhile must not look as if
    /// it came from the future.
    fn is_protected(&self, path: &Path, modified: SystemTime) -> bool {
        distance(self.folder.now(), modified) < self.bounds.protected(self.folder.refresh())
            || (self.is_recent)(path)
    }

    /// Deletes a file, unless it was used since it was chosen.
    pub(super) fn remove(&self, file: &Candidate) -> io::Result<bool> {
        let modified = self.folder.metadata(&file.path)?.modified()?;
        if modified != file.modified || self.is_protected(&file.path, modified) {
            return Ok(false);
        }
        self.folder.remove(&file.path)?;
        Ok(true)
    }

    fn remove_abandoned(&self) {
        let Ok(entries) = self.folder.entries(&self.folder.temporary()) else { return };
        for path in entries.map_while(Result::ok) {
            let Ok(file) = self.folder.metadata(&path) else { continue };
            let now = self.folder.now();
            let age = file.modified().map(|modified| now.duration_since(modified).unwrap_or_default());
            // A folder that had the name of a file is not ours to delete.
            if !file.is_dir() && age.is_ok_and(|age| age > ABANDONED) {
                let _ = self.folder.remove(&path);
            }
        }
    }

    /// Visits every file of the store. Files that vanish meanwhile are skipped.
    fn each_file(&self, mut visit: impl FnMut(PathBuf, &Metadata)) -> io::Result<()> {
        for place in self.folder.places()? {
            let Some(entries) = or_missing(self.folder.entries(&place))? else { continue };
            for path in entries {
                let path = path?;
                if !self.folder.owns(&path) {
                    continue;
                }
                match or_missing(self.folder.metadata(&path))? {
                    Some(file) if !file.is_dir() => visit(path, &file),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Returns the time between two moments in either order.
fn distance(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or_else(|error| error.duration())
}
