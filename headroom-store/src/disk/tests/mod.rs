//! Tests of the store in folders of their own, with a clock that the tests set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test ends it"
)]

mod evict;
mod faults;
pub(super) mod support;
pub(super) mod vfs;

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use headroom_core::{Handle, Original};

use self::support::{DAY, TestFolder, original, record_key};
use super::{DiskStore, DiskStoreBuilder, evict::Sweep, vfs::Vfs};
use crate::{ExchangeStore, OriginalStore};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const YEAR_SECS: i64 = 365 * 24 * 60 * 60;

/// A folder with stores.
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

    fn builder(&self) -> DiskStoreBuilder {
        DiskStore::builder(self.folder.path()).vfs(self.shared_vfs())
    }

    /// Opens the folder like another process.
    fn store(&self) -> DiskStore {
        self.builder().build()
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
    while store.disk.is_sweeping() {
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
        assert_eq!(store.find(&Handle::from_content("y")).await.unwrap().as_deref(), Some("y"));
        assert!(store.find(&Handle::from_content("z")).await.unwrap().is_none());
    }
}

#[test]
fn a_program_without_a_runtime_stores_the_same() {
    let world = World::new();
    let store = world.store();
    store.put_many_blocking("a", &[]).unwrap();
    store.put_many_blocking("a", &[original("x"), original("y")]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for content in ["x", "y"] {
        assert!(runtime.block_on(has(&world.store(), "a", content)), "{content}");
        assert!(!runtime.block_on(has(&world.store(), "b", content)), "{content}");
    }
    let wrong = Original::with_handle(Handle::from_content("x"), "z".to_owned());
    assert!(store.put_many_blocking("a", &[wrong]).is_err());
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
    let second = Original::with_handle(Handle::from_content("first"), "second".to_owned());
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
async fn another_process_that_hangs_makes_puts_fail_not_hang() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    let _lock = world.store().disk.folder().lock_exclusive().unwrap();
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
        let lock = other.disk.folder().lock_exclusive().unwrap();
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
    let keys = ["k1", "k2", "k3"].map(record_key);
    let alike: Handle = keys[0].to_string().parse().unwrap();
    store.put_record("a", &keys[..2], "the exchange").await.unwrap();
    store.put_record("a", &keys[..1], "another").await.expect("a key may keep its record");
    for store in [&store, &world.store()] {
        let records = store.get_records("a", &keys).await.unwrap();
        let records: Vec<_> = records.iter().map(Option::as_deref).collect();
        assert_eq!(records, [Some("the exchange"), Some("the exchange"), None]);
        assert_eq!(store.get_records("b", &keys).await.unwrap(), [None, None, None]);
        assert!(store.get("a", &alike).await.unwrap().is_none());
        assert!(store.find(&alike).await.unwrap().is_none());
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
