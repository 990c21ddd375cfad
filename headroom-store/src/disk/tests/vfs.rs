//! A file system that fails, waits, jumps in time and loses power as tests demand, over real files in the tests'
//! folders.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{File, Metadata, ReadDir, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use crate::disk::vfs::{LockKind, Mode, System, Vfs};

/// A fault during one call.
#[derive(Clone, Copy, Debug)]
pub(in crate::disk) enum Fault {
    /// The call fails with this system error. A write fails after half of it.
    Error(i32),
    /// The call takes this long.
    Delay(Duration),
    /// The wall clock is moved by this many seconds before the call.
    Jump(i64),
}

/// Returns the faults for the n-th call of every operation. Errors that the store treats alike take turns.
pub(in crate::disk) fn faults(n: u64) -> [Fault; 7] {
    const ALIKE: [i32; 3] = [errno::ENOSPC, errno::EACCES, errno::EMFILE];
    [
        Fault::Error(errno::EIO),
        Fault::Error(ALIKE[usize::try_from(n % 3).unwrap()]),
        Fault::Error(errno::EINTR),
        Fault::Error(errno::ENOENT),
        Fault::Delay(Duration::from_secs(100)),
        Fault::Jump(-400 * 24 * 3600),
        Fault::Jump(400 * 24 * 3600),
    ]
}

mod errno {
    use rustix::io::Errno;

    pub(super) const EIO: i32 = Errno::IO.raw_os_error();
    pub(super) const ENOSPC: i32 = Errno::NOSPC.raw_os_error();
    pub(super) const EACCES: i32 = Errno::ACCESS.raw_os_error();
    pub(super) const EINTR: i32 = Errno::INTR.raw_os_error();
    pub(super) const EMFILE: i32 = Errno::MFILE.raw_os_error();
    pub(super) const ENOENT: i32 = Errno::NOENT.raw_os_error();
}

pub(in crate::disk) struct FaultVfs {
    start: Instant,
    state: Mutex<State>,
}

struct State {
    /// Seconds since 1970.
    wall: i64,
    elapsed: Duration,
    calls: u64,
    fault: Option<(u64, Fault)>,
    /// A corrupt file, and the byte that is wrong.
    bad_byte: Option<(u64, usize)>,
    journal: Option<Journal>,
}

impl FaultVfs {
    pub(in crate::disk) fn new() -> Arc<Self> {
        let state = State {
            wall: 1_700_000_000,
            elapsed: Duration::ZERO,
            calls: 0,
            fault: None,
            bad_byte: None,
            journal: None,
        };
        Arc::new(Self { start: Instant::now(), state: Mutex::new(state) })
    }

    /// Advances both clocks.
    pub(in crate::disk) fn wait(&self, time: Duration) {
        let mut state = self.state.lock().unwrap();
        state.wall += i64::try_from(time.as_secs()).unwrap();
        state.elapsed += time;
    }

    /// Moves the wall clock.
    pub(in crate::disk) fn jump(&self, seconds: i64) {
        self.state.lock().unwrap().wall += seconds;
    }

    /// Arms a fault for the n-th call from here, counted from 0.
    pub(in crate::disk) fn arm(&self, n: u64, fault: Fault) {
        let mut state = self.state.lock().unwrap();
        (state.calls, state.fault) = (0, Some((n, fault)));
    }

    /// Returns whether that call was reached.
    pub(in crate::disk) fn disarm(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        state.fault.take().is_some_and(|(n, _)| state.calls > n)
    }

    /// Corrupts a byte of a file on the disk without a trace in its metadata.
    pub(in crate::disk) fn rot(&self, file: &Path, byte: usize) {
        self.state.lock().unwrap().bad_byte = Some((std::fs::metadata(file).unwrap().ino(), byte));
    }

    /// Starts recording operations.
    pub(in crate::disk) fn record(&self) {
        self.state.lock().unwrap().journal = Some(Journal::default());
    }

    pub(in crate::disk) fn journal(&self) -> Journal {
        self.state.lock().unwrap().journal.take().unwrap()
    }

    fn call(&self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        let n = state.calls;
        state.calls += 1;
        match state.fault {
            Some((at, Fault::Error(errno))) if at == n => return Err(io::Error::from_raw_os_error(errno)),
            Some((at, Fault::Delay(time))) if at == n => {
                state.wall += i64::try_from(time.as_secs()).unwrap();
                state.elapsed += time;
            }
            Some((at, Fault::Jump(seconds))) if at == n => state.wall += seconds,
            _ => {}
        }
        Ok(())
    }

    fn note(&self, op: impl FnOnce(&mut Journal)) {
        if let Some(journal) = &mut self.state.lock().unwrap().journal {
            op(journal);
        }
    }
}

impl Vfs for FaultVfs {
    fn now(&self) -> SystemTime {
        let wall = self.state.lock().unwrap().wall;
        SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(wall).unwrap())
    }

    fn instant(&self) -> Instant {
        self.start + self.state.lock().unwrap().elapsed
    }

    /// Gives other threads their turn without waiting.
    fn sleep(&self, time: Duration) {
        self.state.lock().unwrap().elapsed += time;
        std::thread::yield_now();
    }

    fn open(&self, path: &Path, mode: Mode) -> io::Result<File> {
        self.call()?;
        let was_there = path.exists();
        let file = System.open(path, mode)?;
        let inode = file.metadata()?.ino();
        match mode {
            Mode::CreateNew => self.note(|journal| journal.create(inode, path)),
            Mode::Create if !was_there => self.note(|journal| journal.create(inode, path)),
            _ => {}
        }
        Ok(file)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.call()?;
        System.metadata(path)
    }

    fn target_metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.call()?;
        System.target_metadata(path)
    }

    fn file_metadata(&self, file: &File) -> io::Result<Metadata> {
        self.call()?;
        System.file_metadata(file)
    }

    fn read(&self, file: &File, limit: u64) -> io::Result<Vec<u8>> {
        self.call()?;
        let mut bytes = System.read(file, limit)?;
        let bad = self.state.lock().unwrap().bad_byte;
        if let Some((inode, at)) = bad
            && file.metadata()?.ino() == inode
        {
            bytes[at] ^= 0x40;
        }
        Ok(bytes)
    }

    fn write(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        let result = self.call();
        let written = if result.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        System.write(file, written)?;
        let inode = file.metadata()?.ino();
        self.note(|journal| journal.add(Op::Write(journal.file(inode), written.to_vec())));
        result
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.call()?;
        let inode = file.metadata()?.ino();
        self.note(|journal| journal.add(Op::Sync(journal.file(inode))));
        Ok(())
    }

    fn truncate(&self, file: &File) -> io::Result<()> {
        self.call()?;
        System.truncate(file)
    }

    fn set_modified(&self, file: &File, time: SystemTime) -> io::Result<()> {
        self.call()?;
        System.set_modified(file, time)
    }

    fn try_lock(&self, file: &File, kind: LockKind) -> Result<(), TryLockError> {
        self.call().map_err(TryLockError::Error)?;
        System.try_lock(file, kind)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        System.rename(from, to)?;
        self.note(|journal| journal.add(Op::Rename(from.to_owned(), to.to_owned())));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        System.remove_file(path)?;
        self.note(|journal| journal.add(Op::Remove(path.to_owned())));
        Ok(())
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        System.create_dir(path)?;
        self.note(|journal| journal.add(Op::CreateDir(path.to_owned())));
        Ok(())
    }

    fn make_private(&self, folder: &Path) -> io::Result<()> {
        self.call()?;
        System.make_private(folder)
    }

    fn read_dir(&self, folder: &Path) -> io::Result<ReadDir> {
        self.call()?;
        System.read_dir(folder)
    }

    fn next_entry(&self, entries: &mut ReadDir) -> Option<io::Result<PathBuf>> {
        match self.call() {
            Ok(()) => System.next_entry(entries),
            Err(error) => Some(Err(error)),
        }
    }
}

/// The operations so far, to lose power after any of them.
#[derive(Default)]
pub(in crate::disk) struct Journal {
    ops: Vec<Op>,
    /// Inodes are reused, so files have numbers of their own.
    files: HashMap<u64, usize>,
    count: usize,
}

enum Op {
    Create(usize, PathBuf),
    Write(usize, Vec<u8>),
    Sync(usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    CreateDir(PathBuf),
}

impl Journal {
    fn create(&mut self, inode: u64, path: &Path) {
        self.files.insert(inode, self.count);
        self.ops.push(Op::Create(self.count, path.to_owned()));
        self.count += 1;
    }

    fn file(&self, inode: u64) -> usize {
        self.files[&inode]
    }

    fn add(&mut self, op: Op) {
        self.ops.push(op);
    }

    pub(in crate::disk) fn len(&self) -> usize {
        self.ops.len()
    }

    /// Creates in a new folder the state after power was lost behind the first `done` operations in `from`. Everything
    /// synced is there. The rest is left to chance: names may be lost whatever came after them, and data may be
    /// missing, cut or zeros.
    pub(in crate::disk) fn lose_power(
        &self,
        done: usize,
        from: &Path,
        to: &Path,
        mut chance: impl FnMut(u64) -> u64,
    ) {
        let mut names = BTreeMap::new();
        let mut data: HashMap<usize, (Vec<u8>, usize)> = HashMap::new();
        for op in &self.ops[..done] {
            // A lost name leaves the old one.
            let is_lost = chance(8) == 0;
            match op {
                Op::Create(file, path) => _ = names.insert(path.clone(), *file),
                Op::Write(file, bytes) => data.entry(*file).or_default().0.extend(bytes),
                Op::Sync(file) => {
                    let (bytes, synced) = data.entry(*file).or_default();
                    *synced = bytes.len();
                }
                Op::Rename(from, to) if !is_lost => {
                    if let Some(file) = names.remove(from) {
                        names.insert(to.clone(), file);
                    }
                }
                Op::Remove(path) if !is_lost => _ = names.remove(path),
                Op::CreateDir(path) => {
                    std::fs::create_dir_all(to.join(path.strip_prefix(from).unwrap())).unwrap();
                }
                Op::Rename(..) | Op::Remove(_) => {}
            }
        }
        for (path, file) in names {
            let (mut bytes, synced) = data.get(&file).cloned().unwrap_or_default();
            let rest = bytes.len() - synced;
            match chance(4) {
                0 => bytes.truncate(synced),
                1 => bytes.truncate(synced + usize::try_from(chance(rest as u64 + 1)).unwrap()),
                2 => bytes[synced..].fill(0),
                _ => {}
            }
            let path = to.join(path.strip_prefix(from).unwrap());
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
}
