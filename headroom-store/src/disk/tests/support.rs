//! Folders for tests, and what they hold.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{Arc, mpsc},
    time::Duration,
};

use headroom_core::Original;
use tempfile::TempDir;

use super::vfs::FaultVfs;
use crate::{RecordKey, disk::vfs::Vfs};

pub(in crate::disk) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Work that takes longer counts as stuck.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder, and the file system under it, whose clock the tests set.
pub(in crate::disk) struct TestFolder {
    pub(in crate::disk) folder: TempDir,
    pub(in crate::disk) vfs: Arc<FaultVfs>,
}

impl TestFolder {
    pub(in crate::disk) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), vfs: FaultVfs::new() }
    }

    pub(in crate::disk) fn shared_vfs(&self) -> Arc<dyn Vfs> {
        Arc::clone(&self.vfs) as Arc<dyn Vfs>
    }

    pub(in crate::disk) fn wait(&self, time: Duration) {
        self.vfs.wait(time);
    }
}

pub(in crate::disk) fn original(content: &str) -> Original {
    Original::new(content.to_owned())
}

pub(in crate::disk) fn record_key(name: &str) -> RecordKey {
    RecordKey::from_hash(blake3::hash(name.as_bytes()).as_bytes())
}

/// Returns chance that is the same in every run: numbers below a bound.
pub(in crate::disk) fn chance() -> impl FnMut(u64) -> u64 {
    let mut seed = 7_u64;
    move |below| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    }
}

/// Things that may take a file's place: pipes, sockets, devices, links and folders.
pub(in crate::disk) fn places() -> [fn(&Path); 8] {
    [
        |path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        |path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
        |path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        |path| std::os::unix::fs::symlink("/dev/tty", path).unwrap(),
        |path| std::os::unix::fs::symlink("leads/nowhere", path).unwrap(),
        |path| std::os::unix::fs::symlink(path, path).unwrap(),
        |path| fs::create_dir(path).unwrap(),
        |path| {
            fs::create_dir(path).unwrap();
            fs::write(path.join("somebody's"), "own").unwrap();
        },
    ]
}

/// Does work that must not block forever.
pub(in crate::disk) fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(work()));
    receive.recv_timeout(PATIENCE).expect("it waits for good, or panicked")
}
