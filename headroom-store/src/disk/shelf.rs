//! What the store does, on threads that may wait for the disk.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use blake3::Hash;
use headroom_core::{Handle, Original};
use moka::sync::Cache;

use super::{
    Failure,
    folder::{Clock, Folder, Layout},
    name::{self, Kind, Name},
    sweep::{Bounds, Sweeper},
};
use crate::{
    entry::{self, Encoder, MAX_BYTES},
    tenant::Tenant,
};

/// Sights of an original closer together than this are one.
pub(super) const REFRESH: Duration = Duration::from_secs(10 * 60);
/// Files whose content this process has verified and need not read again; about 3 MB.
pub(super) const VERIFIED: u64 = 16 << 10;

pub(super) struct Shelf {
    folder: Folder,
    verified: Cache<Name, Hash>,
    sweeper: Sweeper,
}

/// What is to be stored under a name.
struct Item<'a> {
    name: Name,
    content: &'a str,
    hash: Hash,
}

impl<'a> Item<'a> {
    fn original(tenant: Tenant, original: &'a Original) -> Result<Self, Failure> {
        if original.content.len() > MAX_BYTES {
            return Err(Failure::TooLarge);
        }
        let hash = blake3::hash(original.content.as_bytes());
        // A handle is the hash of its content, so to anyone else it belongs already.
        if !entry::names(&original.handle, &hash) {
            return Err(Failure::Collision);
        }
        let name = Name { tenant, key: original.handle, kind: Kind::Original };
        Ok(Self { name, content: &original.content, hash })
    }
}

impl Shelf {
    pub(super) fn new(root: PathBuf, clock: Clock, bounds: Bounds) -> Self {
        let folder = Folder::new(root, Layout::Shards, clock, REFRESH.min(bounds.idle / 8));
        Self { folder, verified: Cache::new(VERIFIED), sweeper: Sweeper::new(bounds) }
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
        let items = originals.iter().map(|original| Item::original(tenant, original));
        self.put(items.collect::<Result<_, _>>()?)
    }

    pub(super) fn put_record(&self, tenant: Tenant, keys: &[Handle], record: &str) -> Result<(), Failure> {
        if record.len() > MAX_BYTES {
            return Err(Failure::TooLarge);
        }
        let hash = blake3::hash(record.as_bytes());
        let name = |key: &Handle| Name { tenant, key: *key, kind: Kind::Record };
        self.put(keys.iter().map(|key| Item { name: name(key), content: record, hash }).collect())
    }

    fn put(&self, items: Vec<Item<'_>>) -> Result<(), Failure> {
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
        // Counted first: what is counted and not written makes a sweep come early, the other way round it comes late.
        self.folder.count(blocks)?;
        // A sweep that found a damaged file old must not delete the one that takes its place.
        let _lock = self.folder.lock_shared()?;
        for (file, item) in prepared {
            self.folder.publish(file, &item.name.path())?;
            self.verified.insert(item.name, item.hash);
        }
        Ok(())
    }

    /// Whether this is stored, which counts as a sight of it.
    fn has(&self, item: &Item<'_>) -> Result<bool, Failure> {
        if self.verified.get(&item.name) == Some(item.hash) && self.folder.see(&item.name.path())? {
            return Ok(true);
        }
        match self.folder.read(&item.name)? {
            None => Ok(false),
            Some((_, hash)) if hash != item.hash && item.name.kind == Kind::Original => {
                Err(Failure::Collision)
            }
            Some((_, hash)) => {
                self.verified.insert(item.name, hash);
                Ok(self.folder.see(&item.name.path())?)
            }
        }
    }

    pub(super) fn get(&self, name: &Name) -> Result<Option<Arc<str>>, Failure> {
        let Some((content, _)) = self.folder.read(name)? else { return Ok(None) };
        // Reading works where writing does not.
        let _ = self.folder.see(&name.path());
        Ok(Some(content.into()))
    }

    pub(super) fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, Failure> {
        let files = match fs::read_dir(self.root().join(name::shard(handle))) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            files => files?,
        };
        for file in files {
            let Some(name) = name::parse(&file?.path()).filter(|name| name.is_original(handle)) else {
                continue;
            };
            if let Some(content) = self.get(&name)? {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    /// Whether the caller has to call [`sweep`](Self::sweep) now.
    pub(super) fn begin_sweep(&self) -> Result<bool, Failure> {
        Ok(self.sweeper.begin(&self.folder)?)
    }

    pub(super) fn sweep(&self) {
        self.sweeper.run(&self.folder);
    }

    #[cfg(test)]
    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }

    #[cfg(test)]
    pub(super) fn is_sweeping(&self) -> bool {
        self.sweeper.is_running()
    }
}
