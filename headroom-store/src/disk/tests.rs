//! Tests of the store in folders of their own, with a clock that the tests set.
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
    sync::Arc,
    time::{Duration, SystemTime},
};

use headroom_core::{Handle, Original};
use tempfile::TempDir;

use super::{DiskStore, DiskStoreBuilder, evict::Sweep, fault::FaultVfs, vfs::Vfs};
use crate::{OriginalStore, Part};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const YEAR_SECS: i64 = 365 * 24 * 60 * 60;

/// A folder and its clock.
struct World {
    folder: TempDir,
    vfs: Arc<FaultVfs>,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), vfs: FaultVfs::new() }
    }

    fn builder(&self) -> DiskStoreBuilder {
        DiskStore::builder(self.folder.path()).vfs(Arc::clone(&self.vfs) as Arc<dyn Vfs>)
    }

    /// Opens the folder like another process.
    fn store(&self) -> DiskStore {
        self.builder().build()
    }

    fn wait(&self, time: Duration) {
        self.vfs.wait(time);
    }

    /// Every file that holds content.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for shard in fs::read_dir(self.folder.path().join("originals")).unwrap() {
            let shard = shard.unwrap().path();
            if shard.is_dir() && !shard.ends_with("tmp") {
                files.extend(fs::read_dir(shard).unwrap().map(|file| file.unwrap().path()));
            }
        }
        files
    }
}

fn original(content: &str) -> Original {
    Original { handle: Handle::from_content(content), content: content.to_owned() }
}

/// Returns content of about this many blocks, whatever the compression.
fn noise(seed: &str, blocks: usize) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(seed.as_bytes());
    let mut bytes = vec![0; (blocks * 4096 - 600) * 4 / 3];
    hash.finalize_xof().fill(&mut bytes);
    let letter = |bits: u8| {
        char::from(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[usize::from(bits & 63)],
        )
    };
    bytes.iter().map(|byte| letter(*byte)).collect()
}

async fn put(store: &DiskStore, tenant: &str, content: &str) {
    store.put_many(tenant, vec![original(content)]).await.unwrap();
    swept(store).await;
}

/// Waits for the store's work outside requests.
async fn swept(store: &DiskStore) {
    while store.shelf.is_sweeping() {
        tokio::task::yield_now().await;
    }
}

async fn has(store: &DiskStore, tenant: &str, content: &str) -> bool {
    let found = store.get(tenant, &Handle::from_content(content)).await.unwrap();
    assert!(found.as_deref().is_none_or(|found| found == content));
    found.is_some()
}

#[tokio::test]
async fn what_was_put_is_there_for_its_tenant_and_after_a_restart() {
    let world = World::new();
    let empty = world.store();
    assert!(!has(&empty, "a", "x").await, "nothing is there before the folder is");
    empty.put_many("a", vec![]).await.unwrap();
    empty.put_many("a", vec![original("x"), original("y"), original("x"), original("")]).await.unwrap();
    for store in [empty, world.store()] {
        for content in ["x", "y", ""] {
            assert!(has(&store, "a", content).await);
            assert!(!has(&store, "b", content).await);
        }
        assert!(store.get_part("b", &Handle::from_content("x"), &Part::all()).await.unwrap().is_none());
        assert_eq!(store.find(&Handle::from_content("y")).await.unwrap().as_deref(), Some("y"));
        assert!(store.find(&Handle::from_content("z")).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn file_names_show_no_tenant_and_files_no_content() {
    let world = World::new();
    put(&world.store(), "tenant-secret", &"content-secret ".repeat(9)).await;
    let files = world.files();
    assert_eq!(files.len(), 1);
    assert!(!files[0].to_str().unwrap().contains("secret"));
    assert!(!format!("{:?}", world.store()).contains("secret"));
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_can_read_what_is_there() {
    use std::os::unix::fs::PermissionsExt;
    fn check(path: &Path) {
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
        if path.is_dir() {
            fs::read_dir(path).unwrap().for_each(|entry| check(&entry.unwrap().path()));
        }
    }
    let world = World::new();
    let root = world.folder.path().join("originals");
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    put(&world.store(), "a", "x").await;
    check(&root);
}

#[tokio::test]
async fn a_handle_never_names_other_content() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "first").await;
    let second = Original { handle: Handle::from_content("first"), content: "second".to_owned() };
    assert!(store.put_many("a", vec![second]).await.unwrap_err().is_collision());
    assert!(has(&store, "a", "first").await);
    // A file that got another's name.
    put(&store, "a", "other").await;
    let path = |content| {
        let name = Handle::from_content(content).to_string();
        world.files().into_iter().find(|file| file.to_str().unwrap().contains(&name)).unwrap()
    };
    fs::copy(path("other"), path("first")).unwrap();
    assert!(!has(&store, "a", "first").await);
}

#[tokio::test]
async fn damaged_files_read_as_missing_and_are_replaced() {
    let content = "line\n".repeat(2000);
    let damages: [fn(&Path, Vec<u8>); 4] = [
        |file, bytes| fs::write(file, &bytes[..bytes.len() - 3]).unwrap(),
        |file, _| fs::write(file, b"").unwrap(),
        |file, mut bytes| {
            let end = bytes.len();
            bytes[end - 9] ^= 0x10;
            fs::write(file, bytes).unwrap();
        },
        |file, _| fs::write(file, "x".repeat(5000)).unwrap(),
    ];
    for damage in damages {
        let world = World::new();
        put(&world.store(), "a", &content).await;
        let file = world.files().remove(0);
        damage(&file, fs::read(&file).unwrap());
        let store = world.store();
        assert!(!has(&store, "a", &content).await);
        assert!(store.find(&Handle::from_content(&content)).await.unwrap().is_none());
        put(&store, "a", &content).await;
        assert!(has(&store, "a", &content).await);
    }
}

#[tokio::test]
async fn a_folder_that_was_removed_comes_back() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    fs::remove_dir_all(world.folder.path()).unwrap();
    assert!(!has(&store, "a", "x").await);
    put(&store, "a", "x").await;
    put(&store, "a", "y").await;
    assert!(has(&world.store(), "a", "x").await && has(&world.store(), "a", "y").await);
}

#[tokio::test]
async fn what_is_seen_stays_and_what_is_not_goes() {
    let world = World::new();
    let (a, b) = (world.store(), world.store());
    for content in ["put again", "put again elsewhere", "read", "found", "left alone"] {
        put(&a, "a", content).await;
    }
    a.put_record("a", &[Handle::from_content("key")], "record").await.unwrap();
    for _ in 0..3 {
        world.wait(20 * DAY);
        put(&a, "a", "put again").await;
        put(&b, "a", "put again elsewhere").await;
        assert!(has(&a, "a", "read").await);
        assert!(b.find(&Handle::from_content("found")).await.unwrap().is_some());
        assert!(b.get_records("a", &[Handle::from_content("key")]).await.unwrap()[0].is_some());
        a.shelf.sweep();
    }
    assert_eq!(world.files().len(), 5);
    assert!(!has(&a, "a", "left alone").await);
}

#[tokio::test]
async fn sights_are_written_down_now_and_then() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    let seen = || fs::metadata(&world.files()[0]).unwrap().modified().unwrap();
    let first = seen();
    world.wait(Duration::from_secs(500));
    put(&store, "a", "x").await;
    assert_eq!(seen(), first);
    world.wait(Duration::from_secs(500));
    put(&store, "a", "x").await;
    assert_eq!(seen().duration_since(first).unwrap(), Duration::from_secs(1000));
    // A clock that was ahead does not make originals stay forever.
    world.vfs.jump(-100 * 24 * 3600);
    put(&store, "a", "x").await;
    assert!(seen() < first);
}

#[tokio::test]
async fn the_capacity_holds_and_the_oldest_go_first() {
    let world = World::new();
    let (a, b) = (world.builder().capacity(400 * 4096).build(), world.builder().capacity(400 * 4096).build());
    let blocks =
        || world.files().iter().map(|file| fs::metadata(file).unwrap().len().div_ceil(4096)).sum::<u64>();
    for n in 0..300 {
        let store = if n % 2 == 0 { &a } else { &b };
        put(store, "a", &noise(&n.to_string(), 5)).await;
        put(store, "a", "seen with every request").await;
        if n % 10 == 9 {
            store.shelf.sweep();
            assert!(blocks() <= 350, "{}", blocks());
        }
        world.wait(HOUR);
    }
    assert!(has(&a, "a", "seen with every request").await);
    let mut there = Vec::new();
    for n in 0..300 {
        there.push(has(&a, "a", &noise(&n.to_string(), 5)).await);
    }
    let first = there.iter().position(|there| *there).unwrap();
    assert!(there[first..].iter().all(|there| *there), "{there:?}");
    assert!((50..=100).contains(&(300 - first)), "{first}");
}

#[tokio::test]
async fn a_sweep_runs_by_itself_once_enough_was_written() {
    let world = World::new();
    let store = world.builder().capacity(320 * 4096).build();
    for n in 0..60 {
        put(&store, "a", &noise(&n.to_string(), 20)).await;
        world.wait(5 * MINUTE);
        assert!(world.files().len() <= 17, "{n}: {}", world.files().len());
    }
    assert!(world.files().len() >= 13);
}

#[tokio::test]
async fn what_can_never_fit_is_refused_and_leaves_nothing() {
    let world = World::new();
    let store = world.builder().capacity(64 * 4096).build();
    let parts = (0..8).map(|n| original(&noise(&n.to_string(), 10))).collect();
    assert!(store.put_many("a", parts).await.unwrap_err().is_too_large());
    assert_eq!(fs::read_dir(world.folder.path().join("originals/tmp")).unwrap().count(), 0);
    let none = world.builder().capacity(0).build();
    assert!(none.put_many("a", vec![original("x")]).await.unwrap_err().is_too_large());
}

#[tokio::test]
async fn files_that_a_dead_process_left_on_their_way_are_removed() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    let left = world.folder.path().join("originals/tmp/.tmpabc");
    let file = fs::File::create(&left).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    store.shelf.sweep();
    assert!(left.exists(), "its process may live");
    world.wait(2 * HOUR);
    store.shelf.sweep();
    assert!(!left.exists());
}

#[tokio::test]
async fn foreign_files_are_left_alone() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    let shard = world.files()[0].parent().unwrap().to_owned();
    let foreign = [shard.join("notes.txt"), shard.join(".DS_Store"), world.folder.path().join("config.toml")];
    foreign.iter().for_each(|path| fs::write(path, "mine").unwrap());
    world.wait(100 * DAY);
    store.shelf.sweep();
    assert!(!has(&store, "a", "x").await);
    assert!(foreign.iter().all(|path| path.exists()));
}

#[tokio::test]
async fn what_a_sweep_found_old_and_was_seen_meanwhile_stays() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    world.wait(31 * DAY);
    let file = world.files().remove(0);
    let (folder, bounds) = (store.shelf.folder(), store.shelf.bounds());
    let sweep = Sweep::new(folder, bounds, &|_| false);
    let chosen = sweep.candidate(file.clone(), &fs::metadata(&file).unwrap()).expect("it is old");
    put(&store, "a", "x").await;
    assert!(!sweep.remove(&chosen).unwrap());
    assert!(has(&store, "a", "x").await);
}

#[tokio::test]
async fn nothing_is_deleted_while_a_put_relies_on_it() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    world.wait(31 * DAY);
    let lock = store.shelf.folder().lock_shared().unwrap();
    let other = world.store();
    let sweep = std::thread::spawn(move || other.shelf.sweep());
    sweep.join().unwrap();
    assert_eq!(world.files().len(), 1, "the sweep gave up");
    drop(lock);
    store.shelf.sweep();
    assert_eq!(world.files().len(), 0);
}

#[tokio::test]
async fn another_process_that_hangs_makes_puts_fail_not_hang() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    let _lock = world.store().shelf.folder().lock_exclusive().unwrap();
    let error = store.put_many("a", vec![original("x")]).await.unwrap_err();
    assert!(error.is_unavailable());
    assert!(has(&store, "a", "x").await, "reading needs no lock");
}

#[tokio::test]
async fn a_lock_that_is_stuck_costs_one_wait_and_is_had_again_when_it_is_free() {
    let world = World::new();
    let (store, other) = (world.store(), world.store());
    put(&store, "a", "x").await;
    let wait = async |works: bool| {
        let start = world.vfs.instant();
        assert_eq!(store.put_many("a", vec![original("x")]).await.is_ok(), works);
        world.vfs.instant() - start
    };
    for _ in 0..2 {
        let lock = other.shelf.folder().lock_exclusive().unwrap();
        assert!(wait(false).await >= Duration::from_secs(2));
        for _ in 0..5 {
            assert!(wait(false).await < Duration::from_millis(50));
        }
        let known =
            store.has_many("a", &[Handle::from_content("x"), Handle::from_content("y")]).await.unwrap();
        assert_eq!(known, [true, false], "what is stored is known without the lock");
        drop(lock);
        assert_eq!(wait(true).await, Duration::ZERO);
    }
}

#[tokio::test]
async fn records_are_kept_apart_under_any_key() {
    let world = World::new();
    let store = world.store();
    let keys = [Handle::from_content("k1"), Handle::from_content("k2"), Handle::from_content("k3")];
    store.put_record("a", &keys[..2], "the exchange").await.unwrap();
    store.put_record("a", &keys[..1], "another").await.expect("a key may keep its record");
    for store in [&store, &world.store()] {
        let records = store.get_records("a", &keys).await.unwrap();
        let records: Vec<_> = records.iter().map(Option::as_deref).collect();
        assert_eq!(records, [Some("the exchange"), Some("the exchange"), None]);
        assert_eq!(store.get_records("b", &keys).await.unwrap(), [None, None, None]);
        assert!(store.get("a", &keys[0]).await.unwrap().is_none());
        assert!(store.find(&keys[0]).await.unwrap().is_none());
    }
    fs::write(&world.files()[0], b"damaged").unwrap();
    let left = world.store().get_records("a", &keys).await.unwrap();
    assert_eq!(left.iter().flatten().count(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named_in_the_error() {
    use std::error::Error;
    let world = World::new();
    // A file in place of a folder stops even root.
    let blocked = world.folder.path().join("blocked");
    fs::write(&blocked, "").unwrap();
    let store = DiskStore::new(&blocked);
    let errors = [
        store.check().await.unwrap_err(),
        store.put_many("a", vec![original("the content")]).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_unavailable());
        let source = error.source().unwrap();
        let text = format!("{source}: {}", source.source().unwrap());
        assert!(text.contains("blocked") && !text.contains("the content"), "{text}");
        assert!(!text.contains(&Handle::from_content("the content").to_string()), "{text}");
    }
    fs::remove_file(&blocked).unwrap();
    store.check().await.unwrap();
    put(&store, "a", "works again").await;
    assert_eq!(fs::read_dir(blocked.join("originals/tmp")).unwrap().count(), 0, "a check leaves nothing");
}

#[tokio::test]
async fn ten_thousand_originals_are_written_once() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "the first of a folder makes it sweep").await;
    let counted = || fs::metadata(world.folder.path().join("originals/written")).unwrap().len();
    let counted_before = counted();
    let batch =
        |n: usize| (n * 100..n * 100 + 100).map(|n| original(&format!("original {n}"))).collect::<Vec<_>>();
    for n in 0..100 {
        store.put_many("a", batch(n)).await.unwrap();
    }
    let time = |file: &PathBuf| fs::metadata(file).unwrap().modified().unwrap();
    let mut before: Vec<_> = world.files().iter().map(|file| (file.clone(), time(file))).collect();
    assert_eq!(before.len(), 10_001);
    let written = counted();
    assert_eq!(written - counted_before, 10_000, "a block each");
    world.wait(Duration::from_secs(60));
    for store in [&store, &world.store()] {
        for n in 0..100 {
            store.put_many("a", batch(n)).await.unwrap();
        }
    }
    let mut after: Vec<_> = world.files().iter().map(|file| (file.clone(), time(file))).collect();
    before.sort();
    after.sort();
    assert!(before == after, "what is there is not written again");
    assert_eq!(counted(), written);
}

/// Every file, and its time.
fn times(world: &World) -> Vec<(SystemTime, PathBuf)> {
    let mut times: Vec<_> = world
        .files()
        .into_iter()
        .map(|file| (fs::metadata(&file).unwrap().modified().unwrap(), file))
        .collect();
    times.sort();
    times
}

#[tokio::test]
async fn a_clock_that_is_set_back_over_a_full_folder_costs_only_what_is_over() {
    for back in [3600, 60 * 24 * 3600, 40 * YEAR_SECS] {
        let world = World::new();
        let large = world.store();
        for n in 0..40 {
            put(&large, "a", &noise(&n.to_string(), 5)).await;
            world.wait(HOUR);
        }
        let before = times(&world);
        world.vfs.jump(-back);
        // Other files, or all, have times in the future.
        let store = world.builder().capacity(160 * 4096).build();
        put(&store, "a", &noise("forwarded a moment ago", 5)).await;
        store.shelf.sweep();
        assert!(has(&store, "a", &noise("forwarded a moment ago", 5)).await, "set back by {back}");
        assert_eq!(world.files().len(), 28, "of 160 blocks 140 stay, and a file has 5");
        let left: Vec<_> = times(&world).into_iter().filter(|file| before.contains(file)).collect();
        assert_eq!(left, before[13..], "the newest stay");
        store.shelf.sweep();
        assert_eq!(world.files().len(), 28, "nothing is over any more");
    }
}

#[tokio::test]
async fn of_files_with_equal_times_only_so_many_go_as_are_over() {
    let world = World::new();
    let large = world.store();
    let batch = (0..40).map(|n| original(&noise(&n.to_string(), 5))).collect();
    large.put_many("a", batch).await.unwrap();
    swept(&large).await;
    world.wait(HOUR);
    let before = times(&world);
    world.builder().capacity(160 * 4096).build().shelf.sweep();
    assert_eq!(times(&world), before[12..], "in the order of their names");
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_takes_nothing_that_this_process_just_saw() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "long ago").await;
    world.wait(HOUR);
    put(&store, "a", "put").await;
    world.wait(MINUTE);
    world.vfs.jump(YEAR_SECS);
    store.shelf.sweep();
    assert!(has(&store, "a", "put").await && !has(&store, "a", "long ago").await);
}

#[tokio::test]
async fn a_folder_that_is_full_of_what_was_just_seen_refuses_more_until_minutes_have_passed() {
    let world = World::new();
    let store = world.builder().capacity(160 * 4096).build();
    let (mut stored, mut refused) = (Vec::new(), 0);
    for n in 0..60 {
        let content = noise(&n.to_string(), 5);
        match store.put_many("a", vec![original(&content)]).await {
            Ok(()) => stored.push(content),
            Err(error) => {
                assert!(error.is_unavailable());
                refused += 1;
            }
        }
        swept(&store).await;
    }
    assert!(refused > 20 && world.files().len() <= 32, "{refused}");
    for content in &stored {
        assert!(has(&store, "a", content).await, "what was acknowledged is there");
    }
    world.wait(HOUR);
    put(&store, "a", "there is room again").await;
    assert!(has(&store, "a", "there is room again").await);
}
