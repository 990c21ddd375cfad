//! Tests the store under every fault: failing calls, damage, losses of power, and names without a file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test ends it"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock, mpsc},
    time::Duration,
};

use headroom_core::{Handle, Original};
use tempfile::TempDir;

use super::{
    Failure,
    blocking::BlockingDisk,
    evict::Bounds,
    fault::{Fault, FaultVfs, faults},
    folder::BLOCK,
    name::{FileKind, Name},
    vfs::{System, Vfs},
};
use crate::tenant::Tenant;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Work that takes longer counts as stuck.
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    folder: TempDir,
    vfs: Arc<FaultVfs>,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), vfs: FaultVfs::new() }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("originals")
    }

    /// Opens the folder like another process.
    fn shelf(&self) -> BlockingDisk {
        let bounds = Bounds { blocks: 64, idle: 30 * DAY };
        BlockingDisk::new(self.root(), Arc::clone(&self.vfs) as Arc<dyn Vfs>, bounds)
    }

    fn file(&self, content: &str) -> PathBuf {
        self.root().join(name(content).path())
    }
}

fn tenant() -> Tenant {
    Tenant::from_name("a")
}

fn name(content: &str) -> Name {
    Name { tenant: tenant(), key: Handle::from_content(content), kind: FileKind::Original }
}

fn original(content: &str) -> Original {
    Original { handle: Handle::from_content(content), content: content.to_owned() }
}

fn put(shelf: &BlockingDisk, contents: &[&str]) -> Result<(), Failure> {
    shelf.put_many(tenant(), &contents.iter().map(|content| original(content)).collect::<Vec<_>>())
}

/// Returns whether the store has the content; it never returns other content.
fn get(shelf: &BlockingDisk, content: &str) -> Result<bool, Failure> {
    let found = shelf.get(&name(content))?;
    assert!(found.as_deref().is_none_or(|found| found == content), "a wrong original");
    Ok(found.is_some())
}

const SEEN: &str = "seen a moment ago";
const AGED: &str = "seen twenty days ago, so that a sight is written down";
const IDLE: &str = "seen for too long not";
const DAMAGED: &str = "damaged on the disk";
const NEW: [&str; 2] = ["new", "and another that is new"];
const KEY: &str = "a record's key";
const RECORD: &str = "a record";

/// Returns a folder with all sorts of files, as a new process finds it.
fn filled() -> World {
    static MADE: OnceLock<World> = OnceLock::new();
    let made = MADE.get_or_init(fill);
    let world = World::new();
    world.vfs.wait(40 * DAY);
    copy(&made.root(), &world.root());
    world
}

fn fill() -> World {
    let world = World::new();
    let shelf = world.shelf();
    put(&shelf, &[IDLE]).unwrap();
    world.vfs.wait(20 * DAY);
    put(&shelf, &[AGED, DAMAGED]).unwrap();
    world.vfs.wait(20 * DAY);
    put(&shelf, &[SEEN]).unwrap();
    let mut bytes = fs::read(world.file(DAMAGED)).unwrap();
    bytes[20] ^= 1;
    fs::write(world.file(DAMAGED), bytes).unwrap();
    world
}

/// Copies a folder with the times of its files.
fn copy(from: &Path, to: &Path) {
    Vfs::create_dir(&System, to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
            let time = entry.metadata().unwrap().modified().unwrap();
            fs::File::options().append(true).open(&to).unwrap().set_modified(time).unwrap();
        }
    }
}

type Work = fn(&BlockingDisk) -> Result<(), Failure>;

/// All operations of the store.
const WORK: [(&str, Work); 10] = [
    ("put", |shelf| put(shelf, &[NEW[0], NEW[1], SEEN, AGED, DAMAGED])),
    ("put again", |shelf| put(shelf, &[SEEN, AGED])),
    ("put a record", |shelf| shelf.put_record(tenant(), &[Handle::from_content(KEY)], RECORD)),
    ("get", |shelf| {
        get(shelf, SEEN)?;
        get(shelf, AGED)?;
        get(shelf, DAMAGED)?;
        get(shelf, NEW[0]).map(drop)
    }),
    ("find", |shelf| {
        let found = shelf.find(&Handle::from_content(AGED))?;
        assert!(found.as_deref().is_none_or(|found| found == AGED), "a wrong original");
        Ok(())
    }),
    ("has", |shelf| {
        let has = shelf.has_many(tenant(), &[SEEN, AGED, DAMAGED, NEW[0]].map(Handle::from_content))?;
        assert!(!has[2] && !has[3], "{has:?}");
        Ok(())
    }),
    ("check", |shelf| shelf.check()),
    ("begin a sweep", |shelf| {
        shelf.begin_sweep();
        Ok(())
    }),
    ("sweep", |shelf| {
        shelf.sweep();
        Ok(())
    }),
    ("put into a folder that is gone", |shelf| {
        let _ = fs::remove_dir_all(shelf.root());
        put(shelf, &[NEW[0], NEW[1], SEEN, AGED, DAMAGED])
    }),
];

#[test]
fn whatever_call_of_a_put_fails_nothing_wrong_is_read_and_the_store_works_again() {
    WORK.iter()
        .filter(|(label, _)| label.starts_with("put"))
        .for_each(|(label, work)| survives_all(label, *work));
}

#[test]
fn whatever_other_call_fails_nothing_wrong_is_read_and_the_store_works_again() {
    WORK.iter()
        .filter(|(label, _)| !label.starts_with("put"))
        .for_each(|(label, work)| survives_all(label, *work));
}

/// Exposes every call of some work to every fault.
fn survives_all(label: &str, work: Work) {
    for kind in 0..faults(0).len() {
        let calls = (0..).take_while(|n| survives(label, work, faults(*n)[kind], *n)).count();
        assert!(calls > 0, "{label} makes no calls");
    }
}

/// Exposes the n-th call of some work to a fault. Returns whether there was such a call.
fn survives(label: &str, work: Work, fault: Fault, n: u64) -> bool {
    let world = filled();
    let shelf = world.shelf();
    world.vfs.arm(n, fault);
    let result = work(&shelf);
    let reached = world.vfs.disarm();
    let what = format!("{label}, {fault:?} at {n}: {result:?}");
    let is_put = label.starts_with("put");

    // Acknowledged originals are there, for this process and for others.
    for shelf in [&shelf, &world.shelf()] {
        if is_put && result.is_ok() && !label.contains("record") {
            assert!(get(shelf, SEEN).unwrap() && get(shelf, AGED).unwrap(), "{what}");
        }
        if label == "put" && result.is_ok() {
            assert!(NEW.iter().chain([&DAMAGED]).all(|content| get(shelf, content).unwrap()), "{what}");
        }
        if label.contains("record") && result.is_ok() {
            let record = Name { tenant: tenant(), key: Handle::from_content(KEY), kind: FileKind::Record };
            assert_eq!(shelf.get(&record).unwrap().as_deref(), Some(RECORD), "{what}");
        }
        if !label.contains("gone") && !matches!(fault, Fault::Jump(_)) {
            assert!(get(shelf, SEEN).unwrap(), "{what}");
        }
        for content in [NEW[0], NEW[1], SEEN, AGED, IDLE, DAMAGED] {
            get(shelf, content).unwrap();
        }
    }
    // All of the work again, without faults.
    work(&shelf).unwrap_or_else(|error| panic!("{what}, then {error:?}"));
    put(&shelf, &[NEW[0], NEW[1], SEEN, AGED, IDLE, DAMAGED]).unwrap();
    for content in [NEW[0], NEW[1], SEEN, AGED, IDLE, DAMAGED] {
        assert!(get(&shelf, content).unwrap() && get(&world.shelf(), content).unwrap(), "{what}");
    }
    reached
}

/// Returns copies with every byte changed, cut to every length, and with bytes appended.
fn damages(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut damages: Vec<Vec<u8>> = (0..bytes.len()).map(|len| bytes[..len].to_vec()).collect();
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut bytes = bytes.to_vec();
            bytes[at] ^= mask;
            damages.push(bytes);
        }
    }
    damages.extend([&b"\0"[..], b"more", bytes].map(|more| [bytes, more].concat()));
    damages
}

#[test]
fn every_damage_reads_as_missing_and_is_mended_by_the_next_put() {
    let content = "start\nworking\nworking\ndone\n".repeat(3);
    let world = World::new();
    let shelf = world.shelf();
    put(&shelf, &[&content]).unwrap();
    let whole = fs::read(world.file(&content)).unwrap();
    for (n, damage) in damages(&whole).into_iter().enumerate() {
        fs::write(world.file(&content), &damage).unwrap();
        // Half of the time nothing reads it before it is put again.
        if n % 2 == 0 {
            // Some bits of a frame's header do not affect its content.
            let is_whole = get(&shelf, &content).unwrap();
            let has = shelf.has_many(tenant(), &[Handle::from_content(&content)]).unwrap();
            assert_eq!(has, [is_whole], "damage {n}");
        }
        put(&shelf, &[&content]).unwrap();
        assert!(get(&shelf, &content).unwrap(), "damage {n}: the next put mends it");
    }
}

#[test]
fn damage_that_leaves_no_trace_is_mended_once_it_was_read() {
    let content = "start\nworking\ndone\n";
    let world = World::new();
    let shelf = world.shelf();
    put(&shelf, &[content]).unwrap();
    let len = fs::read(world.file(content)).unwrap().len();
    for byte in 4..len {
        world.vfs.rot(&world.file(content), byte);
        let mended = get(&shelf, content).unwrap();
        put(&shelf, &[content]).unwrap();
        assert!(get(&shelf, content).unwrap(), "byte {byte}, {mended}");
    }
}

#[test]
fn after_a_loss_of_power_originals_are_whole_or_missing() {
    let contents: Vec<_> = (0..4).map(|n| format!("{n} {}", "line\n".repeat(50 * n))).collect();
    let world = World::new();
    world.vfs.record();
    let shelf = world.shelf();
    for content in &contents {
        put(&shelf, &[content, SEEN]).unwrap();
        world.vfs.wait(Duration::from_secs(1000));
    }
    let journal = world.vfs.journal();
    let (mut seed, mut whole, mut missing) = (7_u64, 0, 0);
    let mut chance = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    for done in 0..=journal.len() {
        for _ in 0..20 {
            let after = World::new();
            journal.lose_power(done, &world.root(), &after.root(), &mut chance);
            let shelf = after.shelf();
            for content in &contents {
                match get(&shelf, content).unwrap() {
                    true => whole += 1,
                    false => missing += 1,
                }
            }
            let all: Vec<_> = contents.iter().map(String::as_str).collect();
            put(&shelf, &all).unwrap();
            assert!(contents.iter().all(|content| get(&after.shelf(), content).unwrap()), "after {done}");
            shelf.sweep();
        }
    }
    assert!(whole > 100 && missing > 100, "{whole} whole, {missing} missing");
}

/// Things that may take a file's place: pipes, sockets, devices, links and folders.
pub(super) fn places() -> [fn(&Path); 8] {
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
pub(super) fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(work()));
    receive.recv_timeout(PATIENCE).expect("it waits for good, or panicked")
}

#[test]
fn what_is_no_file_holds_nobody_up_and_is_replaced() {
    let world = World::new();
    let shelf = Arc::new(world.shelf());
    put(&shelf, &[SEEN]).unwrap();
    let file = world.file(SEEN);
    for place in places() {
        fs::remove_file(&file).unwrap();
        place(&file);
        let shelf = Arc::clone(&shelf);
        soon(move || {
            assert!(!get(&shelf, SEEN).unwrap());
            assert!(shelf.find(&Handle::from_content(SEEN)).unwrap().is_none());
            shelf.sweep();
            put(&shelf, &[SEEN]).unwrap();
            assert!(get(&shelf, SEEN).unwrap());
        });
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
    }
}

#[test]
fn a_link_to_an_original_is_no_original() {
    let world = World::new();
    let shelf = world.shelf();
    put(&shelf, &[SEEN]).unwrap();
    let elsewhere = world.folder.path().join("elsewhere");
    fs::rename(world.file(SEEN), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, world.file(SEEN)).unwrap();
    assert!(!get(&shelf, SEEN).unwrap());
    put(&shelf, &[SEEN]).unwrap();
    fs::remove_file(&elsewhere).unwrap();
    assert!(get(&shelf, SEEN).unwrap());
}

#[test]
fn a_pipe_in_place_of_the_folders_own_files_is_an_error_and_no_wait() {
    for own in ["lock", "written", "sweep"] {
        let world = World::new();
        put(&world.shelf(), &[SEEN]).unwrap();
        let file = world.root().join(own);
        let _ = fs::remove_file(&file);
        assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        let shelf = world.shelf();
        let stored = soon(move || {
            let stored = put(&shelf, &[NEW[0]]).is_ok();
            shelf.begin_sweep();
            shelf.sweep();
            assert!(get(&shelf, SEEN).unwrap());
            stored
        });
        assert_eq!(stored, own == "sweep", "{own}");
        fs::remove_file(&file).unwrap();
        put(&world.shelf(), &[NEW[0]]).unwrap();
    }
}

#[test]
fn a_file_that_cannot_be_read_is_written_again() {
    let world = World::new();
    let shelf = world.shelf();
    put(&shelf, &[SEEN]).unwrap();
    // Larger than any file of the store.
    fs::File::options().write(true).open(world.file(SEEN)).unwrap().set_len(BLOCK << 20).unwrap();
    assert!(!get(&shelf, SEEN).unwrap());
    put(&shelf, &[SEEN]).unwrap();
    assert!(get(&shelf, SEEN).unwrap());
}
