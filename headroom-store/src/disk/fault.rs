//! A file system that fails, waits, jumps in time and loses power as tests tell it to. Files are real, in folders of
//! the tests.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{File, Metadata, ReadDir, TryLockError},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use super::vfs::{LockKind, Mode, System, Vfs};

/// What happens at one call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The call fails with this error of the system. A write fails when half of it is done.
    Error(i32),
    /// The call takes this long.
    Delay(Duration),
    /// The wall clock is set by so many seconds before the call.
    Jump(i64),
}

/// Faults that the n-th call of every operation has to live with. Errors that the store treats alike take turns.
pub(super) fn faults(n: u64) -> [Fault; 7] {
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

pub(super) struct FaultVfs {
    start: Instant,
    state: Mutex<State>,
}

struct State {
    /// Seconds since 1970.
    wall: i64,
    elapsed: Duration,
    calls: u64,
    fault: Option<(u64, Fault)>,
    /// A file that the disk no longer gives back as it was, and the byte that is wrong.
    bad_byte: Option<(u64, usize)>,
    journal: Option<Journal>,
}

impl FaultVfs {
    pub(super) fn new() -> Arc<Self> {
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

    /// Lets time pass on both clocks.
    pub(super) fn wait(&self, time: Duration) {
        let mut state = self.state.lock().unwrap();
        state.wall += i64::try_from(time.as_secs()).unwrap();
        state.elapsed += time;
    }

    /// Sets the wall clock.
    pub(super) fn jump(&self, seconds: i64) {
        self.state.lock().unwrap().wall += seconds;
    }

    /// Lets something happen at the n-th call from here, counted from 0.
    pub(super) fn arm(&self, n: u64, fault: Fault) {
        let mut state = self.state.lock().unwrap();
        (state.calls, state.fault) = (0, Some((n, fault)));
    }

    /// Says whether that call was reached.
    pub(super) fn disarm(&self) -> bool {
        let mut state = self.state.lock().unwrap();
        state.fault.take().is_some_and(|(n, _)| state.calls > n)
    }

    /// Damages a byte of a file on the disk without a trace in its metadata.
    pub(super) fn rot(&self, file: &Path, byte: usize) {
        self.state.lock().unwrap().bad_byte = Some((std::fs::metadata(file).unwrap().ino(), byte));
    }

    /// Writes down what is done from here on.
    pub(super) fn record(&self) {
        self.state.lock().unwrap().journal = Some(Journal::default());
    }

    pub(super) fn journal(&self) -> Journal {
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

    /// Other threads get their turn, but nobody waits.
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

/// What was done, for a loss of power at any point of it.
#[derive(Default)]
pub(super) struct Journal {
    ops: Vec<Op>,
    /// Inodes are given again, so files have numbers of their own.
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

    pub(super) fn len(&self) -> usize {
        self.ops.len()
    }

    /// Makes in a new folder what is found after the power was lost behind the first `done` operations that were made
    /// in `from`. What was synced is there. Of the rest, chance decides: names may be lost whatever came after them,
    /// data may be missing, cut or zeros.
    pub(super) fn lose_power(&self, done: usize, from: &Path, to: &Path, mut chance: impl FnMut(u64) -> u64) {
        let mut names = BTreeMap::new();
        let mut data: HashMap<usize, (Vec<u8>, usize)> = HashMap::new();
        for op in &self.ops[..done] {
            // A name that is lost leaves the old one.
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
                    std::fs::create_dir_all(to.join(path.strip_prefix(from).unwrap())).unwrap()
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
