//! Several processes on one folder, and some that are killed in the middle of their work.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests may")]

use std::{
    collections::BTreeSet,
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use headroom_core::{Handle, Original};
use headroom_store::{DiskStore, OriginalStore, PlaintextStore};

/// Set in the processes that these tests start: the folder, the first original to write and the store's capacity.
const WRITER: &str = "HEADROOM_TEST_WRITER";
/// The same where they write to a plaintext store.
const PLAINTEXT_WRITER: &str = "HEADROOM_TEST_PLAINTEXT_WRITER";
const BATCH: u64 = 8;
/// A capacity that is never reached.
const UNBOUNDED: u64 = 1 << 40;

/// The same where they hold the lock of a folder.
const HOLDER: &str = "HEADROOM_TEST_HOLDER";

/// How long originals stay where a folder is to become full: a sweep spares what was seen within a quarter of it.
const TIME_TO_IDLE: Duration = Duration::from_secs(4);

/// Any number of originals, from a few bytes to what takes a moment to write.
fn content(n: u64) -> String {
    let lines = match n % 6 {
        0 => 1,
        1 => 40,
        2 => 3,
        3 => 900,
        4 => 12,
        _ => 150,
    };
    let mut bits = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let line = |at: u64| {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        format!("{n} {at} {bits:016x}\n")
    };
    (0..lines).map(line).collect()
}

fn original(n: u64) -> Original {
    let content = content(n);
    Original::new(content)
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
}

/// Nanoseconds since 1970.
fn now() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()
}

/// Says which batch is stored, and when its writing began. Fails where nobody reads any more: the test is over.
fn acknowledge(start: u64, began: u128) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "\nstored {start} {began}")
}

/// Not a test but what the others start: stores batch after batch, and says of each that it is stored.
#[test]
fn writer() {
    let Ok(task) = env::var(WRITER) else { return };
    let mut task = task.splitn(3, ' ');
    let mut number = || task.next().unwrap().parse::<u64>().unwrap();
    let (first, capacity) = (number(), number());
    let mut store = DiskStore::builder(task.next().unwrap()).capacity(capacity);
    if capacity < UNBOUNDED {
        store = store.time_to_idle(TIME_TO_IDLE);
    }
    let store = store.build();
    block_on(async {
        for start in (first..).step_by(usize::try_from(BATCH).unwrap()) {
            let mut began = now();
            // A folder that is full of what was just written takes no more for a moment.
            while let Err(error) = store.put_many("a", (start..start + BATCH).map(original).collect()).await {
                assert!(capacity < UNBOUNDED && error.is_unavailable(), "{error:?}");
                thread::sleep(Duration::from_millis(20));
                began = now();
            }
            for n in start..start + BATCH {
                let found = store.get("a", &Handle::from_content(&content(n))).await.unwrap();
                assert_eq!(found.as_deref(), Some(content(n).as_str()), "acknowledged and not there");
            }
            if acknowledge(start, began).is_err() {
                return;
            }
        }
    });
}

/// The same with a plaintext store.
#[test]
fn plaintext_writer() {
    let Ok(task) = env::var(PLAINTEXT_WRITER) else { return };
    let mut task = task.splitn(3, ' ');
    let mut number = || task.next().unwrap().parse::<u64>().unwrap();
    let (first, capacity) = (number(), number());
    let mut plaintext = PlaintextStore::builder(task.next().unwrap()).capacity(capacity);
    if capacity < UNBOUNDED {
        plaintext = plaintext.time_to_idle(TIME_TO_IDLE);
    }
    let plaintext = plaintext.build().unwrap();
    block_on(async {
        for start in (first..).step_by(usize::try_from(BATCH).unwrap()) {
            let mut began = now();
            while let Err(error) = plaintext.put_many((start..start + BATCH).map(original).collect()).await {
                assert!(capacity < UNBOUNDED && error.is_unavailable(), "{error:?}");
                thread::sleep(Duration::from_millis(20));
                began = now();
            }
            for n in start..start + BATCH {
                let file = format!("{}/{}", plaintext.folder(), original(n).handle());
                assert_eq!(fs::read_to_string(file).unwrap(), content(n), "acknowledged and not there");
            }
            if acknowledge(start, began).is_err() {
                return;
            }
        }
    });
}

/// The same, but holds the lock of a folder until it is killed.
#[test]
fn holder() {
    let Ok(task) = env::var(HOLDER) else { return };
    let lock = fs::File::options().append(true).open(task.splitn(3, ' ').last().unwrap()).unwrap();
    lock.lock().unwrap();
    acknowledge(0, now()).unwrap();
    // Longer than any test waits, should nobody kill it.
    thread::sleep(Duration::from_secs(100));
}

struct Writer {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Writer {
    fn start(folder: &Path, first: u64, capacity: u64) -> Self {
        Self::start_as("writer", WRITER, folder, first, capacity)
    }

    fn start_as(test: &str, variable: &str, folder: &Path, first: u64, capacity: u64) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(variable, format!("{first} {capacity} {}", folder.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next batch that it says is stored.
    fn next(&mut self) -> Option<u64> {
        self.next_timed().map(|(start, _)| start)
    }

    /// The same, and when its writing began.
    fn next_timed(&mut self) -> Option<(u64, u128)> {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            if let Some((start, began)) =
                line.strip_prefix("stored ").and_then(|line| line.trim().split_once(' '))
            {
                return Some((start.parse().unwrap(), began.parse().unwrap()));
            }
            line.clear();
        }
        None
    }

    /// Kills it with a signal that it cannot handle, and returns what else it said before.
    fn kill(self) -> Vec<u64> {
        self.kill_timed().into_iter().map(|(start, _)| start).collect()
    }

    fn kill_timed(mut self) -> Vec<(u64, u128)> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::iter::from_fn(|| self.next_timed()).collect()
    }
}

/// Runs writers that fill one folder until each has stored `batches`, kills them, and returns what no sweep may have
/// taken: what they acknowledged and began to write within the protected time, a quarter of `TIME_TO_IDLE`, before the
/// last one was dead.
fn protected_at_the_end(mut writers: Vec<Writer>, batches: usize) -> Vec<u64> {
    let mut stored = Vec::new();
    for _ in 0..batches {
        stored.extend(writers.iter_mut().map(|writer| writer.next_timed().expect("a writer failed")));
    }
    writers.iter_mut().for_each(|writer| writer.child.kill().unwrap());
    stored.extend(writers.into_iter().flat_map(Writer::kill_timed));
    let protected = now() - (TIME_TO_IDLE / 4 - Duration::from_millis(50)).as_nanos();
    let starts = stored.into_iter().filter(|(_, began)| *began > protected).map(|(start, _)| start);
    starts.flat_map(|start| start..start + BATCH).collect()
}

/// Every handle that names a file in the folder.
fn handles(folder: &Path) -> BTreeSet<String> {
    let mut handles = BTreeSet::new();
    for shard in fs::read_dir(folder.join("originals")).unwrap() {
        let shard = shard.unwrap().path();
        if shard.is_dir() && !shard.ends_with("tmp") {
            for file in fs::read_dir(shard).unwrap() {
                let name = file.unwrap().file_name().into_string().unwrap();
                handles.insert(name.split('-').next().unwrap().to_owned());
            }
        }
    }
    handles
}

#[test]
fn what_was_acknowledged_survives_kill_9_and_nothing_torn_resolves() {
    const ROUNDS: u64 = 300;
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut writer = Writer::start(folder.path(), round * 1_000_000, UNBOUNDED);
        acknowledged.extend((0..=round % 3).filter_map(|_| writer.next()));
        // Another point within a batch each time.
        thread::sleep(Duration::from_micros(round * 137 % 6000));
        acknowledged.extend(writer.kill());
    }
    assert!(acknowledged.len() >= usize::try_from(ROUNDS).unwrap());
    let store = DiskStore::new(folder.path());
    block_on(async {
        for n in acknowledged.iter().flat_map(|start| *start..start + BATCH) {
            let found = store.get("a", &Handle::from_content(&content(n))).await.unwrap();
            assert_eq!(found.as_deref(), Some(content(n).as_str()), "{n}");
        }
        for handle in handles(folder.path()) {
            let handle = handle.parse().unwrap();
            let found = store.find(&handle).await.unwrap().expect("a file is there and damaged");
            assert_eq!(Handle::from_content(&found), handle);
        }
    });
    let left = fs::read_dir(folder.path().join("originals/tmp")).unwrap().count();
    eprintln!("{} batches acknowledged, {left} files left on their way", acknowledged.len());
}

#[test]
fn a_process_that_holds_the_lock_costs_one_wait_and_its_end_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let store = DiskStore::new(folder.path());
    let put = |n| {
        let start = Instant::now();
        (block_on(store.put_many("a", vec![original(n)])).is_ok(), start.elapsed())
    };
    assert!(put(0).0);
    let lock = folder.path().join("originals/lock");
    let mut holder = Writer::start_as("holder", HOLDER, &lock, 0, 0);
    holder.next().expect("the lock is held");
    let (stored, first) = put(1);
    assert!(!stored && first >= Duration::from_secs(2));
    let later: Vec<_> = (0..5).map(|_| put(1)).collect();
    assert!(later.iter().all(|(stored, time)| !stored && *time < first / 2), "{later:?}");
    assert_eq!(block_on(store.has_many("a", &[original(0).handle()])).unwrap(), [true]);
    holder.kill();
    assert!(put(1).0);
}

#[test]
fn processes_that_write_and_sweep_one_folder_keep_what_they_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    // Half of what they write has to go again.
    let capacity = 16 << 20;
    let writers = (0..3).map(|n| Writer::start(folder.path(), n * 1_000_000, capacity)).collect();
    let protected = protected_at_the_end(writers, 200);
    let store = DiskStore::builder(folder.path()).capacity(capacity).build();
    block_on(async {
        for n in protected {
            let found = store.get("a", &Handle::from_content(&content(n))).await.unwrap();
            assert_eq!(found.as_deref(), Some(content(n).as_str()), "{n} from another process");
        }
    });
    let files = handles(folder.path()).len();
    assert!(files < 200 * 3 * 8, "nothing was dropped: {files}");
    // They write while a sweep runs, as fast as they can.
    let bytes = sizes(&folder.path().join("originals"));
    assert!(bytes < capacity * 3 / 2, "{bytes}");
}

/// The handles that name files in a plaintext store; what they hold is checked.
fn stored_files(folder: &Path) -> BTreeSet<Handle> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = files.filter_map(|path| Some((path.file_name()?.to_str()?.parse::<Handle>().ok()?, path)));
    named
        .map(|(handle, path)| {
            let content = fs::read_to_string(path).unwrap();
            assert_eq!(Handle::from_content(&content), handle, "an agent would read a part for the whole");
            handle
        })
        .collect()
}

#[test]
fn plaintext_originals_survive_kill_9_and_no_file_is_seen_in_part() {
    const ROUNDS: u64 = 150;
    let folder = tempfile::tempdir().unwrap();
    let plaintext = folder.path().join("plaintext");
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut writer =
            Writer::start_as("plaintext_writer", PLAINTEXT_WRITER, &plaintext, round * 1_000_000, UNBOUNDED);
        acknowledged.extend((0..=round % 2).filter_map(|_| writer.next()));
        thread::sleep(Duration::from_micros(round * 137 % 6000));
        acknowledged.extend(writer.kill());
    }
    assert!(acknowledged.len() >= usize::try_from(ROUNDS).unwrap());
    let there = stored_files(&plaintext);
    for n in acknowledged.iter().flat_map(|start| *start..start + BATCH) {
        assert!(there.contains(&original(n).handle()), "{n}");
    }
    let left = fs::read_dir(plaintext.join("tmp")).unwrap().count();
    eprintln!("{} batches acknowledged, {left} files left on their way", acknowledged.len());
}

#[test]
fn writers_of_plaintext_that_sweep_one_folder_keep_what_they_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let plaintext = folder.path().join("plaintext");
    let capacity = 4 << 20;
    let start =
        |n: u64| Writer::start_as("plaintext_writer", PLAINTEXT_WRITER, &plaintext, n * 1_000_000, capacity);
    let protected = protected_at_the_end((0..3).map(start).collect(), 60);
    let there = stored_files(&plaintext);
    for n in protected {
        assert!(there.contains(&original(n).handle()), "{n} from another process");
    }
    assert!(there.len() < 60 * 3 * 8, "nothing was dropped: {}", there.len());
}

/// Bytes on the disk below a folder, whole blocks counted, marks of the store aside.
fn sizes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.is_dir() {
            true => sizes(&path),
            false if path.extension().is_none() && path.file_stem().unwrap().len() < 40 => 0,
            false => fs::metadata(&path).unwrap().len().div_ceil(4096) * 4096,
        })
        .sum()
}
