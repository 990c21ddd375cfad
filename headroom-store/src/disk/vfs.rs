//! The system calls that a folder needs, one method each, so that tests can make any of them fail.

use std::{
    fs::{self, File, Metadata, OpenOptions, ReadDir, TryLockError},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

/// A way to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Read,
    /// For appending to an existing file.
    Append,
    /// For appending; creates a missing file.
    Create,
    /// For writing a file that does not exist.
    CreateNew,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockKind {
    Shared,
    Exclusive,
}

/// The operating system, or a test that stands in for it. [`System`] implements it with one call each.
pub(super) trait Vfs: Send + Sync {
    /// The wall clock, which may jump in both directions.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// The clock of this process, which never goes back.
    fn instant(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, time: Duration) {
        thread::sleep(time);
    }

    /// Opens a regular file only: a pipe, a device or a link under the name is an error of the kind
    /// [`ErrorKind::InvalidData`], and the call never waits for another process.
    fn open(&self, path: &Path, mode: Mode) -> io::Result<File> {
        open_regular(path, mode)
    }

    /// Returns the metadata of the path itself: links are not followed.
    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(path)
    }

    /// Returns the metadata of a link's target. The folder that a user names may be a link.
    fn target_metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::metadata(path)
    }

    fn file_metadata(&self, file: &File) -> io::Result<Metadata> {
        file.metadata()
    }

    /// Reads to the end of the file, but at most `limit` bytes.
    fn read(&self, file: &File, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn write(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn truncate(&self, file: &File) -> io::Result<()> {
        file.set_len(0)
    }

    fn set_modified(&self, file: &File, time: SystemTime) -> io::Result<()> {
        file.set_modified(time)
    }

    fn try_lock(&self, file: &File, kind: LockKind) -> Result<(), TryLockError> {
        match kind {
            LockKind::Shared => file.try_lock_shared(),
            LockKind::Exclusive => file.try_lock(),
        }
    }

    /// Renames a file, replacing anything with the new name except a folder.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    /// Creates a folder and its parents, readable by their owner only.
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(path)
    }

    /// Removes all permissions of other users.
    fn make_private(&self, folder: &Path) -> io::Result<()> {
        #[cfg(unix)]
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let _ = folder;
        Ok(())
    }

    fn read_dir(&self, folder: &Path) -> io::Result<ReadDir> {
        fs::read_dir(folder)
    }

    fn next_entry(&self, entries: &mut ReadDir) -> Option<io::Result<PathBuf>> {
        entries.next().map(|entry| entry.map(|entry| entry.path()))
    }
}

/// The operating system.
#[derive(Clone, Copy, Debug)]
pub(super) struct System;

impl Vfs for System {}

/// Returns the error for a path that is not a regular file.
fn not_regular() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "not a regular file")
}

fn open_regular(path: &Path, mode: Mode) -> io::Result<File> {
    let mut options = OpenOptions::new();
    match mode {
        Mode::Read => options.read(true),
        Mode::Append => options.append(true),
        Mode::Create => options.append(true).create(true),
        Mode::CreateNew => options.write(true).create_new(true),
    };
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;

        // Without `NONBLOCK`, opening a pipe waits until somebody opens its other end.
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        options.mode(0o600).custom_flags(flags.bits().cast_signed());
    }
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if is_special(path, &error) => return Err(not_regular()),
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_file() { Ok(file) } else { Err(not_regular()) }
}

/// Whether opening failed because the path is not a file: a link, a socket, a pipe without a reader, a folder.
fn is_special(path: &Path, error: &io::Error) -> bool {
    error.kind() != ErrorKind::NotFound && fs::symlink_metadata(path).is_ok_and(|file| !file.is_file())
}
