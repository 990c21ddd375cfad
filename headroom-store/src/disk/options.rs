//! The settings that both stores in a folder have.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use super::{
    evict::Bounds,
    folder::BLOCK,
    vfs::{System, Vfs},
};

const TIME_TO_IDLE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A folder, its limits, and how it is reached.
#[derive(Clone)]
pub(super) struct FolderOptions {
    pub(super) folder: PathBuf,
    /// In bytes.
    pub(super) capacity: u64,
    pub(super) time_to_idle: Duration,
    pub(super) vfs: Arc<dyn Vfs>,
}

impl FolderOptions {
    pub(super) fn new(folder: PathBuf, capacity: u64) -> Self {
        Self { folder, capacity, time_to_idle: TIME_TO_IDLE, vfs: Arc::new(System) }
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds { blocks: self.capacity / BLOCK, idle: self.time_to_idle }
    }

    /// Formats a builder with these settings.
    pub(super) fn debug(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("folder", &self.folder)
            .field("capacity", &self.capacity)
            .field("time_to_idle", &self.time_to_idle)
            .finish_non_exhaustive()
    }
}
