//! Locks between processes, and what they tell each other.

use std::{
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    sync::atomic::Ordering,
    time::Duration,
};

use super::{Folder, or_missing};
use crate::disk::vfs::LockKind;

/// Longest wait for another process. Deletions hold the lock for a few milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
/// The longest wait after one was in vain, until the lock is acquired again: a stuck lock delays one request, not all.
const STUCK_LOCK_PATIENCE: Duration = Duration::from_millis(20);
const LOCK_PAUSE: Duration = Duration::from_millis(1);
/// The most blocks counted at once, 64 GiB of them.
const MAX_MARKS: usize = 16 << 20;

/// Holds a lock until it is dropped.
pub(in crate::disk) struct Lock {
    _file: File,
}

impl Folder {
    /// Prevents the deletion of files.
    pub(in crate::disk) fn lock_shared(&self) -> io::Result<Lock> {
        let is_stuck = self.is_lock_stuck.load(Ordering::Relaxed);
        let lock = self.lock(LockKind::Shared, || match self.is_lock_stuck.load(Ordering::Relaxed) {
            true => STUCK_LOCK_PATIENCE,
            false => LOCK_PATIENCE,
        });
        match &lock {
            Ok(_) if is_stuck => self.is_lock_stuck.store(false, Ordering::Relaxed),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                self.is_lock_stuck.store(true, Ordering::Relaxed);
            }
            _ => {}
        }
        lock
    }

    /// Waits until no process prevents deletion.
    pub(in crate::disk) fn lock_exclusive(&self) -> io::Result<Lock> {
        self.lock(LockKind::Exclusive, || LOCK_PATIENCE)
    }

    /// Locks the folder. `patience` is called repeatedly, since another thread may learn that waiting is in vain.
    fn lock(&self, kind: LockKind, patience: impl Fn() -> Duration) -> io::Result<Lock> {
        let file = self.made(|| self.open("lock"))?;
        let start = self.instant();
        loop {
            if self.try_lock(&file, kind)? {
                return Ok(Lock { _file: file });
            }
            if self.instant().duration_since(start) > patience() {
                let message = "another process holds its lock for too long";
                return Err(io::Error::new(ErrorKind::TimedOut, message));
            }
            self.vfs.sleep(LOCK_PAUSE);
        }
    }

    fn try_lock(&self, file: &File, kind: LockKind) -> io::Result<bool> {
        match self.vfs.try_lock(file, kind) {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => match error.kind() {
                ErrorKind::Interrupted => Ok(false),
                // Some file systems have no locks. There a sweep may delete a file that was just used for the first
                // time in days, and the next request of its conversation stores it again.
                ErrorKind::Unsupported => Ok(true),
                _ => Err(error),
            },
        }
    }

    /// Acquires the right to sweep; `None` while another process has it. Records the start of the sweep.
    pub(in crate::disk) fn begin_sweep(&self) -> io::Result<Option<Lock>> {
        let file = self.made(|| self.open("sweep"))?;
        if !self.try_lock(&file, LockKind::Exclusive)? {
            return Ok(None);
        }
        self.vfs.truncate(&self.open("written")?)?;
        self.vfs.set_modified(&file, self.now())?;
        Ok(Some(Lock { _file: file }))
    }

    /// Records that blocks are being written.
    pub(in crate::disk) fn count(&self, blocks: u64) -> io::Result<()> {
        let written = self.made(|| self.open("written"))?;
        let marks = vec![b'.'; usize::try_from(blocks).unwrap_or(usize::MAX).min(MAX_MARKS)];
        self.vfs.write(&written, &marks)
    }

    /// Returns how many blocks were written since the last sweep began.
    pub(in crate::disk) fn written(&self) -> io::Result<u64> {
        Ok(or_missing(self.vfs.metadata(&self.root.join("written")))?.map_or(0, |file| file.len()))
    }

    /// Returns how long ago a sweep last began; `None` if none did, or if that is in the future because the clock was
    /// set back.
    pub(in crate::disk) fn since_sweep(&self) -> io::Result<Option<Duration>> {
        let Some(file) = or_missing(self.vfs.metadata(&self.root.join("sweep")))? else { return Ok(None) };
        Ok(self.now().duration_since(file.modified()?).ok())
    }
}
