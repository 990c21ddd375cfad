//! Atomic changes of files that belong to other programs.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile};

/// The prefix of temporary files. A leftover was being written when its process was killed.
const PREFIX: &str = ".headroom-";
const SUFFIX: &str = ".tmp";

/// Reads a file; `None` if it does not exist.
pub(crate) fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces or creates a file atomically. Permissions and owner are preserved; a link stays a link. A new file is
/// readable for its owner only.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let target = target(path)?;
    let folder = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut file = Builder::new().prefix(PREFIX).suffix(SUFFIX).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(metadata) = fs::metadata(&target) {
        keep_owner(&file, &metadata)?;
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    // Makes the new name survive a power cut, where the system can sync a folder.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// Removes temporary files that a killed process left next to this file.
pub(crate) fn sweep(path: &Path) {
    let Ok(target) = target(path) else { return };
    for entry in target.parent().and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten()
    {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The file that the path resolves to.
fn target(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Ok(target) => Ok(target),
        // A dangling link must not become a file.
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => Ok(path.to_owned()),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn keep_owner(file: &NamedTempFile, metadata: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.as_file().metadata()?;
    let (user, group) = (metadata.uid(), metadata.gid());
    if (own.uid(), own.gid()) == (user, group) {
        return Ok(());
    }
    fchown(file.as_file(), Some(user), Some(group))
}

#[cfg(not(unix))]
fn keep_owner(_: &NamedTempFile, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}
