//! Tests the store under every fault: failing calls, damage, losses of power, and names without a file.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
    time::Duration,
};

use headroom_core::Handle;

use super::{
    support::{DAY, TestFolder, chance, original, places, record_key, soon},
    vfs::{Fault, faults},
};
use crate::{
    disk::{
        blocking::BlockingDisk,
        evict::Bounds,
        failure::Failure,
        folder::BLOCK,
        name::Name,
        vfs::{System, Vfs},
    },
    tenant::Tenant,
};

struct World(TestFolder);

impl Deref for World {
    type Target = TestFolder;

    fn deref(&self) -> &TestFolder {
        &self.0
    }
}

impl World {
    fn new() -> Self {
        Self(TestFolder::new())
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("originals")
    }

    /// Opens the folder like another process.
    fn disk(&self) -> BlockingDisk {
        let bounds = Bounds { blocks: 64, idle: 30 * DAY };
        BlockingDisk::new(self.root(), self.shared_vfs(), bounds)
    }

    fn file(&self, content: &str) -> PathBuf {
        self.root().join(name(content).path())
    }
}

fn tenant() -> Tenant {
    Tenant::from_name("a")
}

fn name(content: &str) -> Name {
    Name::original(tenant(), &Handle::from_content(content))
}

fn put(disk: &BlockingDisk, contents: &[&str]) -> Result<(), Failure> {
    disk.put_many(tenant(), &contents.iter().map(|content| original(content)).collect::<Vec<_>>())
}

/// Returns whether the store has the content; it never returns other content.
fn get(disk: &BlockingDisk, content: &str) -> Result<bool, Failure> {
    let found = disk.get(&name(content))?;
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
    let disk = world.disk();
    put(&disk, &[IDLE]).unwrap();
    world.vfs.wait(20 * DAY);
    put(&disk, &[AGED, DAMAGED]).unwrap();
    world.vfs.wait(20 * DAY);
    put(&disk, &[SEEN]).unwrap();
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
    ("put", |disk| put(disk, &[NEW[0], NEW[1], SEEN, AGED, DAMAGED])),
    ("put again", |disk| put(disk, &[SEEN, AGED])),
    ("put a record", |disk| disk.put_record(tenant(), &[record_key(KEY)], RECORD)),
    ("get", |disk| {
        get(disk, SEEN)?;
        get(disk, AGED)?;
        get(disk, DAMAGED)?;
        get(disk, NEW[0]).map(drop)
    }),
    ("find", |disk| {
        let found = disk.find(&Handle::from_content(AGED))?;
        assert!(found.as_deref().is_none_or(|found| found == AGED), "a wrong original");
        Ok(())
    }),
    ("has", |disk| {
        let has = disk.has_many(tenant(), &[SEEN, AGED, DAMAGED, NEW[0]].map(Handle::from_content))?;
        assert!(!has[2] && !has[3], "{has:?}");
        Ok(())
    }),
    ("check", |disk| disk.check()),
    ("begin a sweep", |disk| {
        disk.begin_sweep();
        Ok(())
    }),
    ("sweep", |disk| {
        disk.sweep();
        Ok(())
    }),
    ("put into a folder that is gone", |disk| {
        let _ = fs::remove_dir_all(disk.root());
        put(disk, &[NEW[0], NEW[1], SEEN, AGED, DAMAGED])
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
    let disk = world.disk();
    world.vfs.arm(n, fault);
    let result = work(&disk);
    let reached = world.vfs.disarm();
    let what = format!("{label}, {fault:?} at {n}: {result:?}");
    let is_put = label.starts_with("put");

    // Acknowledged originals are there, for this process and for others.
    for disk in [&disk, &world.disk()] {
        if is_put && result.is_ok() && !label.contains("record") {
            assert!(get(disk, SEEN).unwrap() && get(disk, AGED).unwrap(), "{what}");
        }
        if label == "put" && result.is_ok() {
            assert!(NEW.iter().chain([&DAMAGED]).all(|content| get(disk, content).unwrap()), "{what}");
        }
        if label.contains("record") && result.is_ok() {
            let record = Name::record(tenant(), &record_key(KEY));
            assert_eq!(disk.get(&record).unwrap().as_deref(), Some(RECORD), "{what}");
        }
        if !label.contains("gone") && !matches!(fault, Fault::Jump(_)) {
            assert!(get(disk, SEEN).unwrap(), "{what}");
        }
        for content in [NEW[0], NEW[1], SEEN, AGED, IDLE, DAMAGED] {
            get(disk, content).unwrap();
        }
    }
    // All of the work again, without faults.
    work(&disk).unwrap_or_else(|error| panic!("{what}, then {error:?}"));
    put(&disk, &[NEW[0], NEW[1], SEEN, AGED, IDLE, DAMAGED]).unwrap();
    for content in [NEW[0], NEW[1], SEEN, AGED, IDLE, DAMAGED] {
        assert!(get(&disk, content).unwrap() && get(&world.disk(), content).unwrap(), "{what}");
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
    let disk = world.disk();
    put(&disk, &[&content]).unwrap();
    let whole = fs::read(world.file(&content)).unwrap();
    for (n, damage) in damages(&whole).into_iter().enumerate() {
        fs::write(world.file(&content), &damage).unwrap();
        // Half of the time nothing reads it before it is put again.
        if n % 2 == 0 {
            // Some bits of a frame's header do not affect its content.
            let is_whole = get(&disk, &content).unwrap();
            let has = disk.has_many(tenant(), &[Handle::from_content(&content)]).unwrap();
            assert_eq!(has, [is_whole], "damage {n}");
        }
        put(&disk, &[&content]).unwrap();
        assert!(get(&disk, &content).unwrap(), "damage {n}: the next put mends it");
    }
}

#[test]
fn damage_that_leaves_no_trace_is_mended_once_it_was_read() {
    let content = "start\nworking\ndone\n";
    let world = World::new();
    let disk = world.disk();
    put(&disk, &[content]).unwrap();
    let len = fs::read(world.file(content)).unwrap().len();
    for byte in 4..len {
        world.vfs.rot(&world.file(content), byte);
        let mended = get(&disk, content).unwrap();
        put(&disk, &[content]).unwrap();
        assert!(get(&disk, content).unwrap(), "byte {byte}, {mended}");
    }
}

#[test]
fn after_a_loss_of_power_originals_are_whole_or_missing() {
    let contents: Vec<_> = (0..4).map(|n| format!("{n} {}", "line\n".repeat(50 * n))).collect();
    let world = World::new();
    world.vfs.record();
    let disk = world.disk();
    for content in &contents {
        put(&disk, &[content, SEEN]).unwrap();
        world.vfs.wait(Duration::from_secs(1000));
    }
    let journal = world.vfs.journal();
    let (mut chance, mut whole, mut missing) = (chance(), 0, 0);
    for done in 0..=journal.len() {
        for _ in 0..20 {
            let after = World::new();
            journal.lose_power(done, &world.root(), &after.root(), &mut chance);
            let disk = after.disk();
            for content in &contents {
                match get(&disk, content).unwrap() {
                    true => whole += 1,
                    false => missing += 1,
                }
            }
            let all: Vec<_> = contents.iter().map(String::as_str).collect();
            put(&disk, &all).unwrap();
            assert!(contents.iter().all(|content| get(&after.disk(), content).unwrap()), "after {done}");
            disk.sweep();
        }
    }
    assert!(whole > 100 && missing > 100, "{whole} whole, {missing} missing");
}

#[test]
fn what_is_no_file_holds_nobody_up_and_is_replaced() {
    let world = World::new();
    let disk = Arc::new(world.disk());
    put(&disk, &[SEEN]).unwrap();
    let file = world.file(SEEN);
    for place in places() {
        fs::remove_file(&file).unwrap();
        place(&file);
        let disk = Arc::clone(&disk);
        soon(move || {
            assert!(!get(&disk, SEEN).unwrap());
            assert!(disk.find(&Handle::from_content(SEEN)).unwrap().is_none());
            disk.sweep();
            put(&disk, &[SEEN]).unwrap();
            assert!(get(&disk, SEEN).unwrap());
        });
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
    }
}

#[test]
fn a_link_to_an_original_is_no_original() {
    let world = World::new();
    let disk = world.disk();
    put(&disk, &[SEEN]).unwrap();
    let elsewhere = world.folder.path().join("elsewhere");
    fs::rename(world.file(SEEN), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, world.file(SEEN)).unwrap();
    assert!(!get(&disk, SEEN).unwrap());
    put(&disk, &[SEEN]).unwrap();
    fs::remove_file(&elsewhere).unwrap();
    assert!(get(&disk, SEEN).unwrap());
}

#[test]
fn a_pipe_in_place_of_the_folders_own_files_is_an_error_and_no_wait() {
    for own in ["lock", "written", "sweep"] {
        let world = World::new();
        put(&world.disk(), &[SEEN]).unwrap();
        let file = world.root().join(own);
        let _ = fs::remove_file(&file);
        assert!(Command::new("mkfifo").arg(&file).status().unwrap().success());
        let disk = world.disk();
        let stored = soon(move || {
            let stored = put(&disk, &[NEW[0]]).is_ok();
            disk.begin_sweep();
            disk.sweep();
            assert!(get(&disk, SEEN).unwrap());
            stored
        });
        assert_eq!(stored, own == "sweep", "{own}");
        fs::remove_file(&file).unwrap();
        put(&world.disk(), &[NEW[0]]).unwrap();
    }
}

#[test]
fn a_file_that_cannot_be_read_is_written_again() {
    let world = World::new();
    let disk = world.disk();
    put(&disk, &[SEEN]).unwrap();
    // Larger than any file of the store.
    fs::File::options().write(true).open(world.file(SEEN)).unwrap().set_len(BLOCK << 20).unwrap();
    assert!(!get(&disk, SEEN).unwrap());
    put(&disk, &[SEEN]).unwrap();
    assert!(get(&disk, SEEN).unwrap());
}
