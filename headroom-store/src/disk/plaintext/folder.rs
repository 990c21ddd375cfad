//! The operations of the plaintext store, for threads that may block.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use headroom_core::{Handle, Original};

use crate::{
    disk::{
        blocking::REFRESH,
        evict::{Bounds, Evictor},
        failure::Failure,
        folder::{Folder, Layout, Stamp},
        name,
        seen::SeenFiles,
        vfs::Vfs,
    },
    entry::MAX_BYTES,
};

/// A folder of originals in plain text.
pub(super) struct PlaintextFolder {
    folder: Folder,
    /// The files that are known to be undamaged.
    seen: SeenFiles<Handle, ()>,
    sweeper: Evictor,
}

impl PlaintextFolder {
    pub(super) fn new(root: PathBuf, vfs: Arc<dyn Vfs>, bounds: Bounds) -> Self {
        let folder = Folder::new(root, Layout::Flat, vfs, REFRESH.min(bounds.idle / 8));
        Self { folder, seen: SeenFiles::new(), sweeper: Evictor::new(bounds) }
    }

    pub(super) fn root(&self) -> &Path {
        self.folder.root()
    }

    pub(super) fn check(&self) -> Result<(), Failure> {
        self.folder.lock_shared()?;
        self.folder.prepare(b"")?;
        Ok(())
    }

    pub(super) fn put_many(&self, originals: &[Original]) -> Result<(), Failure> {
        if originals.is_empty() {
            return Ok(());
        }
        if originals.iter().any(|original| original.content().len() > MAX_BYTES) {
            return Err(Failure::TooLarge);
        }
        // A handle that is not its content's hash already belongs to other content.
        if originals.iter().any(|original| Handle::from_content(original.content()) != original.handle()) {
            return Err(Failure::Collision);
        }
        let lock = self.folder.lock_shared()?;
        let mut missing = Vec::new();
        for original in originals {
            if !self.has(&original.handle()) {
                missing.push(original);
            }
        }
        drop(lock);
        let (mut prepared, mut blocks) = (Vec::with_capacity(missing.len()), 0);
        for original in missing {
            let (file, size) = self.folder.prepare(original.content().as_bytes())?;
            blocks += size;
            if blocks > self.sweeper.bounds.kept() {
                return Err(Failure::TooLarge);
            }
            prepared.push((file, original));
        }
        if prepared.is_empty() {
            return Ok(());
        }
        let is_recent = |path: &Path| self.is_recent(path);
        if !self.sweeper.make_room(&self.folder, blocks, &is_recent)? {
            return Err(Failure::Full);
        }
        // Count first, as in the disk store.
        self.folder.count(blocks)?;
        // A sweep that chose a changed old file must not delete its replacement.
        let _lock = self.folder.lock_shared()?;
        for (file, original) in prepared {
            let stamp = self.folder.publish(file, &path(&original.handle()))?;
            self.seen.insert(original.handle(), (), stamp, self.folder.instant());
        }
        Ok(())
    }

    /// Whether the file holds the original of this handle, and records a use. A file that cannot be read must be
    /// written again.
    fn has(&self, handle: &Handle) -> bool {
        let Ok(Some(stamp)) = self.verify(handle) else { return false };
        let seen = self.folder.see(&path(handle), stamp);
        if let Ok(stamp) = seen {
            self.seen.insert(*handle, (), stamp, self.folder.instant());
        }
        seen.is_ok()
    }

    /// Returns the state of the file if it holds the original of this handle.
    fn verify(&self, handle: &Handle) -> Result<Option<Stamp>, Failure> {
        let Some(stamp) = self.folder.stamp(&path(handle))? else { return Ok(None) };
        match self.seen.get(handle, &stamp) {
            Some(()) => Ok(Some(stamp)),
            None => Ok(self.read(handle)?.map(|(_, stamp)| stamp)),
        }
    }

    pub(super) fn has_many(&self, handles: &[Handle]) -> Result<Vec<bool>, Failure> {
        let mut has = Vec::with_capacity(handles.len());
        for handle in handles {
            let found = self.verify(handle)?;
            has.push(found.is_some());
            if let Some(stamp) = found {
                // Reading works where writing does not.
                let stamp = self.folder.see(&path(handle), stamp).unwrap_or(stamp);
                self.seen.insert(*handle, (), stamp, self.folder.instant());
            }
        }
        Ok(has)
    }

    pub(super) fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, Failure> {
        let found = self.read(handle)?;
        if found.is_none() {
            self.seen.forget(handle);
        }
        Ok(found.map(|(content, _)| content.into()))
    }

    /// Returns the original of this handle, if the file holds it.
    fn read(&self, handle: &Handle) -> Result<Option<(String, Stamp)>, Failure> {
        let (bytes, stamp) = match self.folder.read_bytes(&path(handle), MAX_BYTES as u64 + 1) {
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(None),
            read => match read? {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        let content =
            String::from_utf8(bytes).ok().filter(|content| Handle::from_content(content) == *handle);
        Ok(content.map(|content| (content, stamp)))
    }

    fn is_recent(&self, file: &Path) -> bool {
        let time = self.sweeper.bounds.protected(self.folder.refresh());
        name::parse_bare(file).is_some_and(|handle| self.seen.is_recent(&handle, self.folder.instant(), time))
    }

    /// Whether the caller has to call [`sweep`](Self::sweep) now.
    pub(super) fn begin_sweep(&self) -> bool {
        self.sweeper.begin(&self.folder)
    }

    pub(super) fn sweep(&self) {
        self.sweeper.run(&self.folder, &|path| self.is_recent(path));
    }

    #[cfg(all(test, unix))]
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    #[cfg(all(test, unix))]
    pub(super) fn is_sweeping(&self) -> bool {
        self.sweeper.is_running()
    }
}

fn path(handle: &Handle) -> PathBuf {
    handle.to_string().into()
}
