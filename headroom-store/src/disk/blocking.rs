//! The operations of the store, for threads that may block.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use blake3::Hash;
use headroom_core::{Handle, Original};

use super::{
    evict::{Bounds, Evictor},
    failure::Failure,
    folder::{Folder, Found, Layout, Stamp},
    name::{self, Name},
    seen::SeenFiles,
    vfs::Vfs,
};
use crate::{
    RecordKey,
    entry::{self, Encoder, MAX_BYTES},
    tenant::Tenant,
};

/// Uses of an original closer together than this count as one.
pub(super) const REFRESH: Duration = Duration::from_secs(10 * 60);

pub(super) struct BlockingDisk {
    folder: Folder,
    /// The files that this process has verified, and the hashes of their content.
    seen: SeenFiles<Name, Hash>,
    sweeper: Evictor,
}

/// Content to be stored under a name.
struct StoredFile<'a> {
    name: Name,
    content: &'a str,
    hash: Hash,
}

impl<'a> StoredFile<'a> {
    fn original(tenant: Tenant, original: &'a Original) -> Result<Self, Failure> {
        if original.content().len() > MAX_BYTES {
            return Err(Failure::TooLarge);
        }
        let hash = blake3::hash(original.content().as_bytes());
        // A handle that is not its content's hash already belongs to other content.
        if !entry::names(&original.handle(), &hash) {
            return Err(Failure::Collision);
        }
        Ok(Self { name: Name::original(tenant, &original.handle()), content: original.content(), hash })
    }
}

impl BlockingDisk {
    pub(super) fn new(root: PathBuf, vfs: Arc<dyn Vfs>, bounds: Bounds) -> Self {
        let folder = Folder::new(root, Layout::Shards, vfs, REFRESH.min(bounds.idle / 8));
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

    pub(super) fn put_many(&self, tenant: Tenant, originals: &[Original]) -> Result<(), Failure> {
        let items = originals.iter().map(|original| StoredFile::original(tenant, original));
        self.put(items.collect::<Result<_, _>>()?)
    }

    pub(super) fn put_record(&self, tenant: Tenant, keys: &[RecordKey], record: &str) -> Result<(), Failure> {
        if record.len() > MAX_BYTES {
            return Err(Failure::TooLarge);
        }
        let hash = blake3::hash(record.as_bytes());
        let file = |key| StoredFile { name: Name::record(tenant, key), content: record, hash };
        self.put(keys.iter().map(file).collect())
    }

    fn put(&self, items: Vec<StoredFile<'_>>) -> Result<(), Failure> {
        if items.is_empty() {
            return Ok(());
        }
        let lock = self.folder.lock_shared()?;
        let mut missing = Vec::new();
        for item in items {
            if !self.has(&item)? {
                missing.push(item);
            }
        }
        drop(lock);
        if missing.is_empty() {
            return Ok(());
        }
        let (mut encoder, mut blocks) = (Encoder::new()?, 0);
        let mut prepared = Vec::with_capacity(missing.len());
        for item in missing {
            let (file, size) = self.folder.prepare(&encoder.encode(item.content, &item.hash)?)?;
            blocks += size;
            if blocks > self.sweeper.bounds.kept() {
                return Err(Failure::TooLarge);
            }
            prepared.push((file, item));
        }
        self.make_room(blocks)?;
        // Count first: blocks counted but not written make a sweep come early, the reverse makes it late.
        self.folder.count(blocks)?;
        // A sweep that chose a damaged old file must not delete its replacement.
        let _lock = self.folder.lock_shared()?;
        for (file, item) in prepared {
            let stamp = self.folder.publish(file, &item.name.path())?;
            self.seen.insert(item.name, item.hash, stamp, self.folder.instant());
        }
        Ok(())
    }

    /// Whether this is stored, and records a use. A file that cannot be read must be written again.
    fn has(&self, item: &StoredFile<'_>) -> Result<bool, Failure> {
        let Ok(Some((hash, stamp))) = self.verify(&item.name) else { return Ok(false) };
        if hash != item.hash && !item.name.is_record() {
            return Err(Failure::Collision);
        }
        let seen = self.folder.see(&item.name.path(), stamp);
        if let Ok(stamp) = seen {
            self.seen.insert(item.name, hash, stamp, self.folder.instant());
        }
        Ok(seen.is_ok())
    }

    /// Returns the hash of the undamaged content under this name, and the state of its file.
    fn verify(&self, name: &Name) -> io::Result<Option<(Hash, Stamp)>> {
        let Some(stamp) = self.folder.stamp(&name.path())? else { return Ok(None) };
        if let Some(hash) = self.seen.get(name, &stamp) {
            return Ok(Some((hash, stamp)));
        }
        Ok(match self.folder.read(name)? {
            Found::Whole { hash, stamp, .. } => Some((hash, stamp)),
            Found::Missing | Found::Damaged => None,
        })
    }

    /// Returns which of these are stored, and records uses. It takes no lock, so it works where putting does not: a
    /// sweep spares files used in the last minutes.
    pub(super) fn has_many(&self, tenant: Tenant, handles: &[Handle]) -> Result<Vec<bool>, Failure> {
        let mut has = Vec::with_capacity(handles.len());
        for handle in handles {
            let name = Name::original(tenant, handle);
            let found = self.verify(&name)?;
            has.push(found.is_some());
            if let Some((hash, stamp)) = found {
                self.saw(name, hash, stamp);
            }
        }
        Ok(has)
    }

    /// Records a use. Errors are ignored, since reading works where writing does not.
    fn saw(&self, name: Name, hash: Hash, stamp: Stamp) {
        let stamp = self.folder.see(&name.path(), stamp).unwrap_or(stamp);
        self.seen.insert(name, hash, stamp, self.folder.instant());
    }

    pub(super) fn get(&self, name: &Name) -> Result<Option<Arc<str>>, Failure> {
        let Found::Whole { content, hash, stamp } = self.folder.read(name)? else {
            // Forget the file, so that the next put writes it again.
            self.seen.forget(name);
            return Ok(None);
        };
        self.saw(*name, hash, stamp);
        Ok(Some(content.into()))
    }

    pub(super) fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, Failure> {
        let files = match self.folder.entries(&self.root().join(name::shard(&handle.to_string()))) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            files => files?,
        };
        for file in files {
            let Some(name) = name::parse(&file?).filter(|name| name.is_original(handle)) else {
                continue;
            };
            if let Some(content) = self.get(&name)? {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    /// Evicts if these blocks do not fit, and refuses them if they still do not.
    fn make_room(&self, blocks: u64) -> Result<(), Failure> {
        match self.sweeper.make_room(&self.folder, blocks, &|path| self.is_recent(path))? {
            true => Ok(()),
            false => Err(Failure::Full),
        }
    }

    /// Whether this process used a file in the last minutes, by the clock that never jumps.
    fn is_recent(&self, file: &Path) -> bool {
        let time = self.sweeper.bounds.protected(self.folder.refresh());
        name::parse(file).is_some_and(|name| self.seen.is_recent(&name, self.folder.instant(), time))
    }

    /// Whether the caller has to call [`sweep`](Self::sweep) now.
    pub(super) fn begin_sweep(&self) -> bool {
        self.sweeper.begin(&self.folder)
    }

    pub(super) fn sweep(&self) {
        self.sweeper.run(&self.folder, &|path| self.is_recent(path));
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    #[cfg(test)]
    pub(super) fn bounds(&self) -> &Bounds {
        &self.sweeper.bounds
    }

    #[cfg(test)]
    pub(super) fn is_sweeping(&self) -> bool {
        self.sweeper.is_running()
    }
}
