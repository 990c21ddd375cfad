//! The folder that processes share: where files are, how they come to be, and who waits for whom.
//!
//! ```text
//! originals/
//!   lock      held shared by who relies on files to stay, exclusively by who deletes some
//!   sweep     held by the process that sweeps; its time says when somebody last began to
//!   written   one byte per block written since then
//!   tmp/      files on their way
//!   k3/       files whose handles start so; in a spool, the files themselves
//! ```

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use blake3::Hash;
use tempfile::TempPath;

use super::name::{self, Kind, Name};
use crate::entry;

/// The unit that file systems give space in, and the one that space is counted in here.
pub(super) const BLOCK: u64 = 4096;
/// Longest wait for another process. Deletions hold the lock for a few milliseconds.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_PAUSE: Duration = Duration::from_millis(1);
/// A file may be a little longer than its content where that cannot be compressed.
const MAX_FILE: u64 = entry::MAX_BYTES as u64 + (1 << 20);

/// What time it is.
pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// How files lie in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// In folders that the first letters name. Each says itself whether it is whole.
    Shards,
    /// Side by side, as somebody else will read them, who cannot tell whether they are whole. So they are on the disk
    /// before they have their names.
    Flat,
}

pub(super) struct Folder {
    root: PathBuf,
    layout: Layout,
    clock: Clock,
    /// How old the time of a file may be before a sight is written down.
    refresh: Duration,
    made: AtomicBool,
}

/// Holds a lock until it is dropped.
pub(super) struct Lock {
    _file: File,
}

impl Folder {
    pub(super) fn new(root: PathBuf, layout: Layout, clock: Clock, refresh: Duration) -> Self {
        Self { root, layout, clock, refresh, made: AtomicBool::new(false) }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// How long ago a file was last seen. A time to come counts as now.
    pub(super) fn age(&self, file: &Metadata, now: SystemTime) -> io::Result<Duration> {
        Ok(now.duration_since(file.modified()?).unwrap_or_default())
    }

    /// Makes the folder where it is missing, readable for its owner only.
    pub(super) fn make(&self) -> io::Result<()> {
        if self.made.load(Ordering::Relaxed) {
            return Ok(());
        }
        match self.layout {
            Layout::Shards => make_private(&self.root)?,
            Layout::Flat => make_or_check_private(&self.root)?,
        }
        make_private(&self.temporary())?;
        self.made.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Does this, and again if it failed because somebody removed the folder meanwhile.
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

    /// The folders that files are in.
    pub(super) fn places(&self) -> io::Result<Vec<PathBuf>> {
        if self.layout == Layout::Flat {
            return Ok(vec![self.root.clone()]);
        }
        let entries = fs::read_dir(&self.root)?.map(|entry| entry.map(|entry| entry.path()));
        entries.filter(|path| path.as_ref().map_or(true, |path| name::is_shard(path))).collect()
    }

    /// Whether the name of a file in such a folder is one that we give.
    pub(super) fn owns(&self, file: &Path) -> bool {
        match self.layout {
            Layout::Shards => name::parse(file).is_some(),
            Layout::Flat => name::parse_bare(file).is_some(),
        }
    }

    /// The content of a file and its hash; `None` where there is none or it is damaged.
    pub(super) fn read(&self, name: &Name) -> io::Result<Option<(String, Hash)>> {
        let Some(file) = or_missing(File::open(self.root.join(name.path())))? else { return Ok(None) };
        if file.metadata()?.len() > MAX_FILE {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut bytes)?;
        let whole = |(_, hash): &(String, Hash)| name.kind != Kind::Original || entry::names(&name.key, hash);
        Ok(entry::decode(&bytes).filter(whole))
    }

    /// Whether there is such a file, which counts as having been seen.
    pub(super) fn see(&self, file: &Path) -> io::Result<bool> {
        Ok(or_missing(self.try_see(file))?.is_some())
    }

    fn try_see(&self, file: &Path) -> io::Result<()> {
        let path = self.root.join(file);
        let (seen, now) = (fs::metadata(&path)?.modified()?, self.now());
        if now.duration_since(seen).is_ok_and(|age| age < self.refresh) {
            return Ok(());
        }
        OpenOptions::new().append(true).open(&path)?.set_modified(now)
    }

    /// Writes a file that nobody sees yet; says how many blocks it takes.
    pub(super) fn prepare(&self, bytes: &[u8]) -> io::Result<(TempPath, u64)> {
        let file = self.made(|| {
            let mut file = tempfile::Builder::new().tempfile_in(self.temporary())?;
            file.write_all(bytes)?;
            file.as_file().set_modified(self.now())?;
            if self.layout == Layout::Flat {
                file.as_file().sync_data()?;
            }
            Ok(file)
        });
        Ok((file?.into_temp_path(), blocks(bytes.len() as u64)))
    }

    /// Gives a prepared file its name, in place of whatever had it.
    pub(super) fn publish(&self, file: TempPath, name: &Path) -> io::Result<()> {
        let path = self.root.join(name);
        match file.persist(&path) {
            Err(error) if error.error.kind() == ErrorKind::NotFound => {
                make_private(path.parent().unwrap_or(&self.root))?;
                Ok(error.path.persist(&path)?)
            }
            result => Ok(result?),
        }
    }

    /// Keeps files from being deleted.
    pub(super) fn lock_shared(&self) -> io::Result<Lock> {
        self.lock(File::try_lock_shared)
    }

    /// Waits until nobody relies on files to stay.
    pub(super) fn lock_exclusive(&self) -> io::Result<Lock> {
        self.lock(File::try_lock)
    }

    fn lock(&self, lock: fn(&File) -> Result<(), TryLockError>) -> io::Result<Lock> {
        let file = self.made(|| self.open("lock"))?;
        let start = Instant::now();
        loop {
            if try_lock(&file, lock)? {
                return Ok(Lock { _file: file });
            }
            if start.elapsed() > LOCK_PATIENCE {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    "another process holds its lock for too long",
                ));
            }
            thread::sleep(LOCK_PAUSE);
        }
    }

    /// The right to sweep; `None` while another has it. Writes down that it begins.
    pub(super) fn begin_sweep(&self) -> io::Result<Option<Lock>> {
        let file = self.made(|| self.open("sweep"))?;
        if !try_lock(&file, File::try_lock)? {
            return Ok(None);
        }
        self.open("written")?.set_len(0)?;
        file.set_modified(self.now())?;
        Ok(Some(Lock { _file: file }))
    }

    /// Writes down that blocks are being written.
    pub(super) fn count(&self, blocks: u64) -> io::Result<()> {
        let mut written = self.made(|| self.open("written"))?;
        io::copy(&mut io::repeat(b'.').take(blocks), &mut written)?;
        Ok(())
    }

    /// How many blocks were written since the last sweep began.
    pub(super) fn written(&self) -> io::Result<u64> {
        or_missing(fs::metadata(self.root.join("written"))).map(|file| file.map_or(0, |file| file.len()))
    }

    /// How long ago a sweep last began; `None` where none ever did.
    pub(super) fn since_sweep(&self) -> io::Result<Option<Duration>> {
        let file = or_missing(fs::metadata(self.root.join("sweep")))?;
        file.map(|file| self.age(&file, self.now())).transpose()
    }

    fn open(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(self.root.join(name))
    }
}

/// `None` for what is not there.
pub(super) fn or_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// The space that a file takes.
pub(super) const fn blocks(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK)
}

fn try_lock(file: &File, lock: fn(&File) -> Result<(), TryLockError>) -> io::Result<bool> {
    match lock(file) {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some file systems have no locks. There a sweep may delete what was seen a moment ago for the first time in
        // days, and the next request of its conversation stores it again.
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
    }
    Ok(())
}

/// Makes a folder that the user named. One that is there already may be used for other things, so it is left as it is,
/// and not used where others can look into it.
fn make_or_check_private(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return make_private(folder);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
            let message = "other users can open it; make it private (chmod 700) or name another";
            return Err(io::Error::new(ErrorKind::PermissionDenied, message));
        }
    }
    Ok(())
}
