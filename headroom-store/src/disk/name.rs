//! Names of files.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use headroom_core::Handle;

use crate::tenant::Tenant;

/// Letters of the handle in the name of a file's folder.
const SHARD_CHARS: usize = 2;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum FileKind {
    /// Content whose hash is the key.
    Original,
    /// Content under a caller's key.
    Record,
}

impl FileKind {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Original => "",
            Self::Record => ".record",
        }
    }
}

/// The identity of a file: its key, kind and tenant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) tenant: Tenant,
    pub(super) key: Handle,
    pub(super) kind: FileKind,
}

impl Name {
    /// Returns the path of the file in the store's folder.
    pub(super) fn path(&self) -> PathBuf {
        shard(&self.key).join(self.to_string())
    }

    /// Whether this is the original with this handle, of any tenant.
    pub(super) fn is_original(&self, handle: &Handle) -> bool {
        self.kind == FileKind::Original && self.key == *handle
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}{}", self.key, self.tenant, self.kind.suffix())
    }
}

/// Returns the folder of everything under this key, for any tenant.
pub(super) fn shard(key: &Handle) -> PathBuf {
    key.to_string().chars().take(SHARD_CHARS).collect::<String>().into()
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
    let (tenant, kind) = match rest.strip_suffix(FileKind::Record.suffix()) {
        Some(tenant) => (tenant, FileKind::Record),
        None => (rest, FileKind::Original),
    };
    Some(Name { tenant: Tenant::parse(tenant)?, key: key.parse().ok()?, kind })
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
        for kind in [FileKind::Original, FileKind::Record] {
            let name = Name { tenant: Tenant::from_name("team-a"), key: Handle::from_content("x"), kind };
            let path = name.path();
            assert!(parse(&path) == Some(name), "{name}");
            assert!(is_shard(path.parent().unwrap()) && !path.to_str().unwrap().contains("team"));
        }
        assert!(Tenant::from_name("team-a") != Tenant::from_name("team-b"));
    }

    #[test]
    fn other_files_are_none_of_ours() {
        let name =
            Name { tenant: Tenant::from_name("a"), key: Handle::from_content("x"), kind: FileKind::Original }
                .to_string();
        for other in ["", "-", "lock", "README.md", &name[1..], &name[..48], &format!("{name}.bak")] {
            assert!(parse(Path::new(other)).is_none(), "{other}");
        }
        assert!(!is_shard(Path::new("tmp")) && !is_shard(Path::new("..")));
    }
}
