//! The folder that processes share: its layout, how files are created, and locks between processes.
//!
//! ```text
//! originals/
//!   lock      held shared by who relies on files to stay, exclusively by who deletes some
//!   sweep     held by the process that sweeps; its time says when somebody last began to
//!   written   one byte per block written since then
//!   tmp/      files on their way
//!   k3/       files whose handles start so; in a plaintext store, the files themselves
//! ```

mod lock;
mod stamp;

use std::{
    fs::{File, Metadata, ReadDir},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use blake3::Hash;
use tempfile::TempPath;

pub(super) use self::stamp::Stamp;
use super::{
    name::{self, Name},
    vfs::{Mode, Vfs},
};
use crate::entry;

/// The unit in which file systems allocate space, and in which it is counted here.
pub(super) const BLOCK: u64 = 4096;
/// The largest file: a little longer than the largest content, in case that cannot be compressed.
const MAX_FILE: u64 = entry::MAX_BYTES as u64 + (1 << 20);

/// The layout of files in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// In subfolders named by the first letters. Each file proves its own integrity.
    Shards,
    /// Side by side, for other programs, which cannot check integrity. So files reach the disk before they get their
    /// names.
    Flat,
}

pub(super) struct Folder {
    root: PathBuf,
    layout: Layout,
    vfs: Arc<dyn Vfs>,
    /// How old a file's time may be before a use is recorded.
    refresh: Duration,
    made: AtomicBool,
    /// Whether the last wait for the lock was in vain.
    is_lock_stuck: AtomicBool,
}

/// The content found under the name of an entry.
pub(super) enum Found {
    Missing,
    /// Content that is not proven to be the entry.
    Damaged,
    Whole {
        content: String,
        hash: Hash,
        stamp: Stamp,
    },
}

impl Folder {
    pub(super) fn new(root: PathBuf, layout: Layout, vfs: Arc<dyn Vfs>, refresh: Duration) -> Self {
        let (made, is_lock_stuck) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { root, layout, vfs, refresh, made, is_lock_stuck }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn now(&self) -> SystemTime {
        self.vfs.now()
    }

    pub(super) fn instant(&self) -> Instant {
        self.vfs.instant()
    }

    /// How old a file's time may be before a use is recorded.
    pub(super) const fn refresh(&self) -> Duration {
        self.refresh
    }

    /// Creates a missing folder, readable by its owner only.
    pub(super) fn make(&self) -> io::Result<()> {
        if self.made.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.layout {
            Layout::Shards => self.make_private(&self.root)?,
            Layout::Flat => self.make_or_check_private()?,
        }
        self.make_private(&self.temporary())?;
        self.made.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Runs `work`, and once more if it failed because the folder was removed meanwhile.
    pub(super) fn made<T>(&self, mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        self.make()?;
        match work() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.made.store(false, Ordering::Relaxed);
                self.make()?;
                work()
            }
            result => result,
        }
    }

    pub(super) fn temporary(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Returns the folders that contain files.
    pub(super) fn places(&self) -> io::Result<Vec<PathBuf>> {
        if self.layout == Layout::Flat {
            return Ok(vec![self.root.clone()]);
        }
        let mut places = Vec::new();
        for path in self.entries(&self.root)? {
            let path = path?;
            if name::is_shard(&path) {
                places.push(path);
            }
        }
        Ok(places)
    }

    /// Returns the paths in a folder.
    pub(super) fn entries(&self, folder: &Path) -> io::Result<Entries<'_>> {
        Ok(Entries { entries: self.vfs.read_dir(folder)?, vfs: &*self.vfs })
    }

    /// Whether this is a file name that the store gives.
    pub(super) fn owns(&self, file: &Path) -> bool {
        match self.layout {
            Layout::Shards => name::parse(file).is_some(),
            Layout::Flat => name::parse_bare(file).is_some(),
        }
    }

    /// Reads an entry and checks it.
    pub(super) fn read(&self, name: &Name) -> io::Result<Found> {
        let (bytes, stamp) = match self.read_bytes(&name.path(), MAX_FILE) {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(Found::Missing),
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(Found::Damaged),
            Err(error) => return Err(error),
        };
        Ok(match entry::decode(&bytes) {
            Some((content, hash)) if name.may_hold(&hash) => Found::Whole { content, hash, stamp },
            _ => Found::Damaged,
        })
    }

    /// Returns a file's content, at most `limit` bytes; `None` if there is no file.
    pub(super) fn read_bytes(&self, file: &Path, limit: u64) -> io::Result<Option<(Vec<u8>, Stamp)>> {
        let Some(file) = or_missing(self.vfs.open(&self.root.join(file), Mode::Read))? else {
            return Ok(None);
        };
        let stamp = Stamp::new(&self.vfs.file_metadata(&file)?)?;
        Ok(Some((self.vfs.read(&file, limit)?, stamp)))
    }

    /// Returns the state of a file; `None` if there is none.
    pub(super) fn stamp(&self, file: &Path) -> io::Result<Option<Stamp>> {
        match or_missing(self.vfs.metadata(&self.root.join(file)))? {
            Some(file) if file.is_file() => Stamp::new(&file).map(Some),
            _ => Ok(None),
        }
    }

    /// Records the use of a file in this state. Returns its new state.
    pub(super) fn see(&self, file: &Path, stamp: Stamp) -> io::Result<Stamp> {
        let now = self.now();
        if now.duration_since(stamp.modified).is_ok_and(|age| age < self.refresh) {
            return Ok(stamp);
        }
        let file = self.vfs.open(&self.root.join(file), Mode::Append)?;
        self.vfs.set_modified(&file, now)?;
        Stamp::new(&self.vfs.file_metadata(&file)?)
    }

    /// Writes a temporary file; returns how many blocks it takes.
    pub(super) fn prepare(&self, bytes: &[u8]) -> io::Result<(TempPath, u64)> {
        let path = self.made(|| {
            let create = |path: &Path| self.vfs.open(path, Mode::CreateNew);
            let file = tempfile::Builder::new().make_in(self.temporary(), create)?;
            self.vfs.write(file.as_file(), bytes)?;
            self.vfs.set_modified(file.as_file(), self.now())?;
            if self.layout == Layout::Flat {
                self.vfs.sync(file.as_file())?;
            }
            Ok(file.into_temp_path())
        });
        Ok((path?, blocks(bytes.len() as u64)))
    }

    /// Renames a prepared file, replacing anything with that name. Returns the file's state.
    pub(super) fn publish(&self, file: TempPath, name: &Path) -> io::Result<Stamp> {
        let path = self.root.join(name);
        match self.vfs.rename(&file, &path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.make_private(path.parent().unwrap_or(&self.root))?;
                self.vfs.rename(&file, &path)?;
            }
            // No file replaces a folder, and its content is not ours to delete.
            Err(_) if self.vfs.metadata(&path).is_ok_and(|found| found.is_dir()) => {
                self.vfs.rename(&path, &self.aside(&file))?;
                self.vfs.rename(&file, &path)?;
            }
            result => result?,
        }
        // The file is no longer where the guard would delete it.
        let _ = file.keep();
        self.stamp(name)?.ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Returns the new path for a folder that has the name of a file: next to the file's temporary file.
    fn aside(&self, file: &Path) -> PathBuf {
        file.with_extension("folder")
    }

    pub(super) fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.vfs.metadata(path)
    }

    pub(super) fn remove(&self, path: &Path) -> io::Result<()> {
        self.vfs.remove_file(path)
    }

    fn open(&self, name: &str) -> io::Result<File> {
        self.vfs.open(&self.root.join(name), Mode::Create)
    }

    fn make_private(&self, folder: &Path) -> io::Result<()> {
        self.vfs.create_dir(folder)?;
        if is_open_to_others(&self.vfs.target_metadata(folder)?) {
            self.vfs.make_private(folder)?;
        }
        Ok(())
    }

    /// Creates a folder that the user named. An existing one may serve other purposes, so it is left unchanged, and not
    /// used if others can look into it.
    fn make_or_check_private(&self) -> io::Result<()> {
        let Some(folder) = or_missing(self.vfs.target_metadata(&self.root))? else {
            return self.make_private(&self.root);
        };
        if is_open_to_others(&folder) {
            let message = "other users can open it; make it private (chmod 700) or name another";
            return Err(io::Error::new(ErrorKind::PermissionDenied, message));
        }
        Ok(())
    }
}

/// The paths in a folder.
pub(super) struct Entries<'a> {
    entries: ReadDir,
    vfs: &'a dyn Vfs,
}

impl Iterator for Entries<'_> {
    type Item = io::Result<PathBuf>;

    fn next(&mut self) -> Option<Self::Item> {
        self.vfs.next_entry(&mut self.entries)
    }
}

/// Returns `None` for a missing file.
pub(super) fn or_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// Returns the space that a file takes, in blocks.
pub(super) const fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK)
}

/// Whether other users have any permission on a folder.
fn is_open_to_others(folder: &Metadata) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::mode(&folder.permissions()) & 0o077 != 0;
    #[cfg(not(unix))]
    {
        let _ = folder;
        false
    }
}
