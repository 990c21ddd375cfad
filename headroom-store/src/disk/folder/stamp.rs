//! The state of a file.

use std::{fs::Metadata, io, time::SystemTime};

/// The state of a file, which changes with every write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::disk) struct Stamp {
    pub(super) modified: SystemTime,
    len: u64,
    /// The inode and its change time, which no program can set.
    #[cfg(unix)]
    inode: (u64, i64, i64),
}

impl Stamp {
    pub(super) fn new(file: &Metadata) -> io::Result<Self> {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Ok(Self {
            modified: file.modified()?,
            len: file.len(),
            #[cfg(unix)]
            inode: (file.ino(), file.ctime(), file.ctime_nsec()),
        })
    }
}
