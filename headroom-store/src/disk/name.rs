//! Names of files.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use blake3::Hash;
use headroom_core::Handle;

use crate::{RecordKey, entry, key::EntryKey, tenant::Tenant};

/// Letters of the handle in the name of a file's folder.
const SHARD_CHARS: usize = 2;

/// The end of the names of records.
const RECORD_SUFFIX: &str = ".record";

/// The identity of a file: its key and tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) tenant: Tenant,
    pub(super) key: EntryKey,
}

impl Name {
    pub(super) fn original(tenant: Tenant, handle: &Handle) -> Self {
        Self { tenant, key: EntryKey::Original(*handle) }
    }

    pub(super) fn record(tenant: Tenant, key: &RecordKey) -> Self {
        Self { tenant, key: EntryKey::Record(*key) }
    }

    /// Returns the path of the file in the store's folder.
    pub(super) fn path(&self) -> PathBuf {
        let key = match &self.key {
            EntryKey::Original(handle) => handle.to_string(),
            EntryKey::Record(key) => key.to_string(),
        };
        shard(&key).join(self.to_string())
    }

    pub(super) fn is_record(&self) -> bool {
        matches!(self.key, EntryKey::Record(_))
    }

    /// Whether this is the original with this handle, of any tenant.
    pub(super) fn is_original(&self, handle: &Handle) -> bool {
        self.key == EntryKey::Original(*handle)
    }

    /// Whether the file may hold content of this hash. Any content may stand under a record's key.
    pub(super) fn may_hold(&self, hash: &Hash) -> bool {
        match &self.key {
            EntryKey::Original(handle) => entry::names(handle, hash),
            EntryKey::Record(_) => true,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            EntryKey::Original(handle) => write!(f, "{handle}-{}", self.tenant),
            EntryKey::Record(key) => write!(f, "{key}-{}{RECORD_SUFFIX}", self.tenant),
        }
    }
}

/// Returns the folder of everything under this key, for any tenant.
pub(super) fn shard(key: &str) -> PathBuf {
    key.chars().take(SHARD_CHARS).collect::<String>().into()
}

/// Whether this is the name of a shard.
pub(super) fn is_shard(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| {
        name.len() == SHARD_CHARS && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Parses the name of a file; `None` if it is not one of the store's.
pub(super) fn parse(file: &Path) -> Option<Name> {
    let (key, rest) = file.file_name()?.to_str()?.split_once('-')?;
    let (tenant, key) = match rest.strip_suffix(RECORD_SUFFIX) {
        Some(tenant) => (tenant, EntryKey::Record(RecordKey::parse(key)?)),
        None => (rest, EntryKey::Original(key.parse().ok()?)),
    };
    Some(Name { tenant: Tenant::parse(tenant)?, key })
}

/// Returns the handle that is the whole name of a file.
pub(super) fn parse_bare(file: &Path) -> Option<Handle> {
    file.file_name()?.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_show_no_tenant() {
        let tenant = Tenant::from_name("team-a");
        let names = [
            Name::original(tenant, &Handle::from_content("x")),
            Name::record(tenant, &RecordKey::from_hash(&[7; 32])),
        ];
        for name in names {
            let path = name.path();
            assert!(parse(&path) == Some(name), "{name}");
            assert!(is_shard(path.parent().unwrap()) && !path.to_str().unwrap().contains("team"));
        }
        assert!(Tenant::from_name("team-a") != Tenant::from_name("team-b"));
    }

    #[test]
    fn other_files_are_none_of_ours() {
        let name = Name::original(Tenant::from_name("a"), &Handle::from_content("x")).to_string();
        for other in ["", "-", "lock", "README.md", &name[1..], &name[..48], &format!("{name}.bak")] {
            assert!(parse(Path::new(other)).is_none(), "{other}");
        }
        assert!(!is_shard(Path::new("tmp")) && !is_shard(Path::new("..")));
    }
}
