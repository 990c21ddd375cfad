//! Originals as files that agents read with their own tools.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use headroom_core::{Handle, Original};
use moka::sync::Cache;
use tokio::task;

use super::{
    Failure, blocking,
    folder::{BLOCK, Clock, Folder, Layout, or_missing},
    shelf::{REFRESH, VERIFIED},
    sweep::{Bounds, Sweeper},
};
use crate::{StoreError, entry::MAX_BYTES};

const CAPACITY: u64 = 1 << 30;
const TIME_TO_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Writes originals as files under their handles, for agents that read them with their own tools: see
/// [`Means::File`](headroom_core::Means::File). Several processes may use the folder at once. Cloning a spool is cheap.
///
/// A file holds exactly the original. It is readable for the user who wrote it alone, as is the folder if it is made
/// here; a folder that is there and that others can open is not used. There are no tenants: whoever may read the
/// folder may read all that is in it, so a spool is for the agents of one user on one machine.
///
/// # Limits
///
/// | limit | default | what happens beyond it |
/// |---|---|---|
/// | [`capacity`](SpoolBuilder::capacity) | 1 GiB | the files that were needed longest ago are dropped |
/// | [`time_to_idle`](SpoolBuilder::time_to_idle) | 30 days | a file that no request needed again is dropped |
///
/// A request needs the files of its whole conversation, so they stay for as long as it goes on. Files that are not
/// named by a handle are never touched.
///
/// # Crashes
///
/// What [`put_many`](Self::put_many) acknowledged is there after the process was killed at any point. A file is on the
/// disk before it has its name, so none is ever seen in part, not even after a loss of power. A file that somebody
/// changed is written again when the next request needs it.
///
/// # Panics
///
/// The methods panic outside of a tokio runtime.
///
/// # Example
///
/// ```
/// use headroom_core::{Handle, Original};
/// use headroom_store::Spool;
///
/// # async fn example(folder: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
/// let spool = Spool::new(folder.join("spool"))?;
/// let content = "a long log".to_owned();
/// let handle = Handle::of(&content);
/// spool.put_many(vec![Original { handle, content }]).await?;
/// assert_eq!(std::fs::read_to_string(format!("{}/{handle}", spool.folder()))?, "a long log");
/// # Ok(())
/// # }
/// # fn main() {
/// #     let folder = tempfile::tempdir().unwrap();
/// #     let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// #     runtime.block_on(example(folder.path())).unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct Spool {
    folder: Arc<str>,
    rack: Arc<Rack>,
}

impl Spool {
    /// A spool in this folder with the default limits. The folder is made when something is written.
    ///
    /// # Errors
    ///
    /// See [`SpoolBuilder::build`].
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, InvalidSpool> {
        Self::builder(folder).build()
    }

    /// Starts a configuration.
    pub fn builder(folder: impl Into<PathBuf>) -> SpoolBuilder {
        SpoolBuilder {
            folder: folder.into(),
            capacity: CAPACITY,
            time_to_idle: TIME_TO_IDLE,
            clock: Arc::new(SystemTime::now),
        }
    }

    /// The folder as markers name it: an absolute path.
    #[must_use]
    pub fn folder(&self) -> &str {
        &self.folder
    }

    /// Says whether something can be written, for a message at the start: the spool works as soon as its folder does.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made or written, or others can open it.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.blocking(Rack::check).await
    }

    /// Writes the originals of one request. What is there already is left alone, and its expiry begins anew.
    ///
    /// # Errors
    ///
    /// When any of them may not be there afterwards. Which of the others were written is unspecified.
    pub async fn put_many(&self, originals: Vec<Original>) -> Result<(), StoreError> {
        let put = move |rack: &Rack| {
            rack.put_many(&originals).and_then(|()| Ok(rack.sweeper.begin(&rack.folder)?))
        };
        if self.blocking(put).await? {
            let rack = Arc::clone(&self.rack);
            task::spawn_blocking(move || rack.sweeper.run(&rack.folder));
        }
        Ok(())
    }

    /// The original under this handle, or `None` where there is none or what is there is something else.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read.
    pub async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let handle = *handle;
        self.blocking(move |rack| rack.find(&handle)).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Rack) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let rack = Arc::clone(&self.rack);
        blocking(self.rack.folder.root(), move || work(&rack)).await
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Configuration of [`Spool`].
#[derive(Clone)]
#[must_use]
pub struct SpoolBuilder {
    folder: PathBuf,
    capacity: u64,
    time_to_idle: Duration,
    clock: Clock,
}

impl SpoolBuilder {
    /// Keeps at most about this many bytes on the disk, whole blocks counted, for all processes together.
    /// Default: 1 GiB.
    pub fn capacity(mut self, bytes: u64) -> Self {
        self.capacity = bytes;
        self
    }

    /// Drops a file this long after a request last needed it. Default: 30 days.
    ///
    /// This bounds the time after which a conversation can be resumed with all that was set aside in it: its first
    /// request writes what is missing again. Up to an eighth of it, and at most ten minutes, pass before another sight
    /// is written down.
    pub fn time_to_idle(mut self, time: Duration) -> Self {
        self.time_to_idle = time;
        self
    }

    #[cfg(test)]
    pub(super) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Builds the spool. Nothing is read or written yet. A relative path is taken from the current folder.
    ///
    /// # Errors
    ///
    /// When markers cannot name the folder: its path is not UTF-8, or holds a bracket or a control character.
    pub fn build(self) -> Result<Spool, InvalidSpool> {
        let path = std::path::absolute(&self.folder).map_err(|_| InvalidSpool(()))?;
        let folder = path.to_str().map(|path| path.trim_end_matches(std::path::MAIN_SEPARATOR));
        let is_plain =
            |path: &&str| !path.is_empty() && !path.contains(|c: char| c.is_control() || "[]".contains(c));
        let folder = folder.filter(is_plain).ok_or(InvalidSpool(()))?;
        let bounds = Bounds { blocks: self.capacity / BLOCK, idle: self.time_to_idle };
        let rack = Rack {
            folder: Folder::new(folder.into(), Layout::Flat, self.clock, REFRESH.min(bounds.idle / 8)),
            written: Cache::new(VERIFIED),
            sweeper: Sweeper::new(bounds),
        };
        Ok(Spool { folder: folder.into(), rack: Arc::new(rack) })
    }
}

impl fmt::Debug for SpoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpoolBuilder")
            .field("folder", &self.folder)
            .field("capacity", &self.capacity)
            .field("time_to_idle", &self.time_to_idle)
            .finish_non_exhaustive()
    }
}

/// The error of a folder that markers cannot name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSpool(());

impl fmt::Display for InvalidSpool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a model could not be told this path; expected UTF-8 without brackets and control characters",
        )
    }
}

impl std::error::Error for InvalidSpool {}

/// What the spool does, on threads that may wait for the disk.
struct Rack {
    folder: Folder,
    /// The times of files that are known to hold what they should. Whoever changes a file changes its time.
    written: Cache<Handle, SystemTime>,
    sweeper: Sweeper,
}

impl Rack {
    fn check(&self) -> Result<(), Failure> {
        self.folder.lock_shared()?;
        self.folder.prepare(b"")?;
        Ok(())
    }

    fn put_many(&self, originals: &[Original]) -> Result<(), Failure> {
        if originals.is_empty() {
            return Ok(());
        }
        if originals.iter().any(|original| original.content.len() > MAX_BYTES) {
            return Err(Failure::TooLarge);
        }
        let lock = self.folder.lock_shared()?;
        let mut missing = Vec::new();
        for original in originals {
            if !self.has(original)? {
                missing.push(original);
            }
        }
        drop(lock);
        let (mut prepared, mut blocks) = (Vec::with_capacity(missing.len()), 0);
        for original in missing {
            // A handle is the hash of its content, so to anyone else it belongs already.
            if Handle::of(&original.content) != original.handle {
                return Err(Failure::Collision);
            }
            let (file, size) = self.folder.prepare(original.content.as_bytes())?;
            blocks += size;
            if blocks > self.sweeper.bounds.kept() {
                return Err(Failure::TooLarge);
            }
            prepared.push((file, original));
        }
        if prepared.is_empty() {
            return Ok(());
        }
        // Counted first, as in the store.
        self.folder.count(blocks)?;
        // A sweep that found a changed file old must not delete the one that takes its place.
        let _lock = self.folder.lock_shared()?;
        for (file, original) in prepared {
            let name = name(&original.handle);
            self.folder.publish(file, &name)?;
            self.remember(original, &name)?;
        }
        Ok(())
    }

    /// Whether the file is there and holds what it should, which counts as a sight of it.
    fn has(&self, original: &Original) -> Result<bool, Failure> {
        let name = name(&original.handle);
        let path = self.folder.root().join(&name);
        let Some(file) = or_missing(fs::metadata(&path))? else { return Ok(false) };
        if file.len() != original.content.len() as u64 {
            return Ok(false);
        }
        let is_known = self.written.get(&original.handle) == Some(file.modified()?);
        if !is_known && self.read(&name)?.as_deref() != Some(original.content.as_bytes()) {
            return Ok(false);
        }
        let is_there = self.folder.see(&name)?;
        if is_there {
            self.remember(original, &name)?;
        }
        Ok(is_there)
    }

    fn remember(&self, original: &Original, name: &Path) -> Result<(), Failure> {
        if let Some(file) = or_missing(fs::metadata(self.folder.root().join(name)))? {
            self.written.insert(original.handle, file.modified()?);
        }
        Ok(())
    }

    fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, Failure> {
        let content = self.read(&name(handle))?.and_then(|bytes| String::from_utf8(bytes).ok());
        Ok(content.filter(|content| Handle::of(content) == *handle).map(Arc::from))
    }

    fn read(&self, name: &Path) -> io::Result<Option<Vec<u8>>> {
        let Some(file) = or_missing(File::open(self.folder.root().join(name)))? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }
}

fn name(handle: &Handle) -> PathBuf {
    handle.to_string().into()
}

#[cfg(test)]
mod tests;
