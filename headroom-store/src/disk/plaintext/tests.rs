//! Tests of the plaintext store in folders of their own, with a clock that the tests set.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what goes wrong in a test ends it"
)]

use std::{fs, ops::Deref, path::Path};

use super::*;
use crate::disk::{
    folder::BLOCK,
    tests::{
        support::{DAY, TestFolder, chance, original, places, soon},
        vfs::faults,
    },
};

/// A folder to be created.
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
        self.folder.path().join("plaintext")
    }

    fn builder(&self) -> PlaintextStoreBuilder {
        PlaintextStore::builder(self.root()).vfs(self.shared_vfs())
    }

    /// Opens the folder like another process.
    fn plaintext(&self) -> PlaintextStore {
        self.builder().build().unwrap()
    }

    fn file(&self, content: &str) -> PathBuf {
        self.root().join(Handle::from_content(content).to_string())
    }

    /// Returns the file that the marker of this content points to.
    fn shown(&self, content: &str) -> Option<String> {
        fs::read_to_string(self.file(content)).ok()
    }
}

async fn put(plaintext: &PlaintextStore, content: &str) {
    plaintext.put_many(vec![original(content)]).await.unwrap();
    while plaintext.files.is_sweeping() {
        task::yield_now().await;
    }
}

#[tokio::test]
async fn files_hold_exactly_the_originals_and_nothing_else_is_left() {
    let world = World::new();
    let plaintext = world.plaintext();
    assert!(plaintext.find(&Handle::from_content("x")).await.unwrap().is_none(), "there is no folder yet");
    plaintext.put_many(vec![]).await.unwrap();
    let contents = ["x", "", "ä\u{0}\r\n\tlast line without an end", &"line\n".repeat(9000)];
    plaintext
        .put_many(contents.iter().chain(&contents[..1]).map(|content| original(content)).collect())
        .await
        .unwrap();
    for content in contents {
        assert_eq!(world.shown(content).as_deref(), Some(content));
        assert_eq!(
            world.plaintext().find(&Handle::from_content(content)).await.unwrap().as_deref(),
            Some(content)
        );
    }
    assert_eq!(plaintext.folder(), world.root().to_str().unwrap());
    assert_eq!(fs::read_dir(world.root().join("tmp")).unwrap().count(), 0);
    assert!(!format!("{plaintext:?}").contains("line"));
}

#[test]
fn a_program_without_a_runtime_writes_the_same() {
    let world = World::new();
    world.plaintext().put_many_blocking(&[original("x"), original("y")]).unwrap();
    for content in ["x", "y"] {
        assert_eq!(world.shown(content).as_deref(), Some(content));
    }
    fs::remove_dir_all(world.root()).unwrap();
    fs::write(world.root(), "a file in place of the folder").unwrap();
    assert!(world.plaintext().put_many_blocking(&[original("x")]).is_err());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_user_can_read_what_is_there() {
    use std::os::unix::fs::PermissionsExt;

    let world = World::new();
    put(&world.plaintext(), "x").await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.root()), 0o700);
    assert_eq!(mode(&world.file("x")), 0o600);

    // A folder that others use is neither used nor changed.
    let shared = world.folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    let plaintext = PlaintextStore::new(&shared).unwrap();
    for error in
        [plaintext.check().await.unwrap_err(), plaintext.put_many(vec![original("x")]).await.unwrap_err()]
    {
        let source = std::error::Error::source(&error).unwrap();
        let text = format!("{source}: {}", source.source().unwrap());
        assert!(text.contains("shared") && text.contains("chmod 700"), "{text}");
    }
    assert_eq!((mode(&shared), fs::read_dir(&shared).unwrap().count()), (0o755, 0));
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o700)).unwrap();
    plaintext.check().await.unwrap();
    put(&plaintext, "x").await;
}

#[tokio::test]
async fn what_somebody_changed_or_removed_is_written_again() {
    let world = World::new();
    let plaintext = world.plaintext();
    let content = "line\n".repeat(100);
    let harms: [&dyn Fn(&Path); 4] = [
        &|file| fs::remove_file(file).unwrap(),
        &|file| fs::write(file, "").unwrap(),
        // The same length as before.
        &|file| fs::write(file, "lime\n".repeat(100)).unwrap(),
        &|_| fs::remove_dir_all(world.root()).unwrap(),
    ];
    for harm in harms {
        put(&plaintext, &content).await;
        harm(&world.file(&content));
        assert!(world.plaintext().find(&Handle::from_content(&content)).await.unwrap().is_none());
        put(&plaintext, &content).await;
        assert_eq!(world.shown(&content), Some(content.clone()));
        put(&world.plaintext(), &content).await;
    }
}

#[tokio::test]
async fn what_is_needed_stays_and_what_is_not_goes() {
    let world = World::new();
    let (a, b) = (world.plaintext(), world.plaintext());
    put(&a, "needed").await;
    put(&a, "left alone").await;
    let foreign = [world.root().join("notes.txt"), world.root().join(".keep")];
    foreign.iter().for_each(|path| fs::write(path, "mine").unwrap());
    for plaintext in [&a, &b, &a] {
        world.wait(20 * DAY);
        put(plaintext, "needed").await;
        a.files.sweep();
    }
    assert!(world.shown("needed").is_some() && world.shown("left alone").is_none());
    assert!(foreign.iter().all(|path| path.exists()));
    put(&b, "left alone").await;
    assert!(world.shown("left alone").is_some());
}

#[tokio::test]
async fn the_capacity_holds_and_the_oldest_go_first() {
    let world = World::new();
    let plaintext = world.builder().capacity(64 * BLOCK).build().unwrap();
    let content = |n: usize| format!("{n} {}", "x".repeat(8000));
    for n in 0..200 {
        plaintext.put_many(vec![original("needed by all"), original(&content(n))]).await.unwrap();
        put(&plaintext, "needed by all").await;
        world.wait(Duration::from_secs(3600));
        assert!(world.shown(&content(n)).is_some(), "what a request just counted on");
        let files = fs::read_dir(world.root()).unwrap().count();
        assert!(files < 48, "{n}: {files}");
    }
    assert!(world.shown("needed by all").is_some() && world.shown(&content(0)).is_none());

    let large = (0..40).map(|n| original(&content(n))).collect();
    assert!(plaintext.put_many(large).await.unwrap_err().is_too_large());
    assert_eq!(fs::read_dir(world.root().join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn a_handle_never_names_other_content() {
    let world = World::new();
    let wrong = Original::with_handle(Handle::from_content("first"), "second".to_owned());
    assert!(world.plaintext().put_many(vec![wrong]).await.unwrap_err().is_collision());
    assert!(world.shown("first").is_none());
    put(&world.plaintext(), "second").await;
    fs::rename(world.file("second"), world.file("first")).unwrap();
    assert!(world.plaintext().find(&Handle::from_content("first")).await.unwrap().is_none());
}

#[tokio::test]
async fn another_process_that_hangs_makes_puts_fail_not_hang() {
    let world = World::new();
    let plaintext = world.plaintext();
    put(&plaintext, "x").await;
    let _lock = world.plaintext().files.folder().lock_exclusive().unwrap();
    assert!(plaintext.put_many(vec![original("x")]).await.unwrap_err().is_unavailable());
    assert!(plaintext.find(&Handle::from_content("x")).await.unwrap().is_some(), "reading needs no lock");
}

#[test]
fn folders_that_a_marker_cannot_name_are_refused() {
    for folder in ["", "/", "/tmp/a]b", "/tmp/a[b", "/tmp/a\nb"] {
        assert!(PlaintextStore::new(folder).is_err(), "{folder:?}");
    }
    assert_eq!(PlaintextStore::new("/tmp/a b/ä/").unwrap().folder(), "/tmp/a b/ä");
    let here = std::env::current_dir().unwrap().join("plaintext");
    assert_eq!(PlaintextStore::new("plaintext").unwrap().folder(), here.to_str().unwrap());
}

#[test]
fn whatever_call_fails_no_agent_reads_something_else_and_the_spool_works_again() {
    let contents: Vec<_> = (0..3).map(|n| format!("{n} {}", "line\n".repeat(50))).collect();
    let originals: Vec<_> = contents.iter().map(|content| original(content)).collect();
    for kind in 0..faults(0).len() {
        for n in 0.. {
            let fault = faults(n)[kind];
            let world = World::new();
            let before = world.plaintext();
            before.files.put_many(&originals[..1]).unwrap();
            world.wait(20 * DAY);
            let plaintext = world.plaintext();
            world.vfs.arm(n, fault);
            let result = plaintext.files.put_many(&originals);
            plaintext.files.sweep();
            let has = plaintext.files.has_many(&[originals[0].handle()]);
            let reached = world.vfs.disarm();
            for (content, original) in contents.iter().zip(&originals) {
                let shown = world.shown(content);
                assert!(shown.as_ref().is_none_or(|shown| shown == content), "{fault:?} {n}");
                assert!(result.is_err() || shown.is_some(), "{fault:?} {n}: acknowledged and not there");
                assert!(plaintext.files.find(&original.handle()).unwrap().as_deref() == shown.as_deref());
            }
            let has = has.is_ok_and(|has| has[0]);
            assert!(!has || world.shown(&contents[0]).is_some(), "{fault:?} {n}");
            plaintext.files.put_many(&originals).unwrap();
            assert!(contents.iter().all(|content| world.shown(content).is_some()), "{fault:?} {n}");
            if !reached {
                assert!(n > 20, "{n} calls are too few");
                break;
            }
        }
    }
}

#[test]
fn after_a_loss_of_power_no_agent_reads_a_part() {
    let contents: Vec<_> = (0..3).map(|n| format!("{n} {}", "line\n".repeat(50))).collect();
    let world = World::new();
    world.vfs.record();
    let plaintext = world.plaintext();
    for content in &contents {
        plaintext.files.put_many(&[original(content)]).unwrap();
    }
    let journal = world.vfs.journal();
    let mut chance = chance();
    for done in 0..=journal.len() {
        for _ in 0..20 {
            let after = World::new();
            journal.lose_power(done, &world.root(), &after.root(), &mut chance);
            for content in &contents {
                assert!(
                    after.shown(content).is_none_or(|shown| shown == *content),
                    "after {done} operations"
                );
            }
            after.wait(Duration::ZERO);
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            if after.root().exists() {
                fs::set_permissions(after.root(), private).unwrap();
            }
            let plaintext = after.plaintext();
            let all: Vec<_> = contents.iter().map(|content| original(content)).collect();
            plaintext.files.put_many(&all).unwrap();
            assert!(contents.iter().all(|content| after.shown(content).as_deref() == Some(content)));
        }
    }
}

#[test]
fn what_is_no_file_holds_nobody_up_and_is_replaced() {
    let world = World::new();
    let plaintext = world.plaintext();
    let content = original("the content");
    plaintext.files.put_many(std::slice::from_ref(&content)).unwrap();
    for place in places() {
        let file = world.file("the content");
        fs::remove_file(&file).unwrap();
        place(&file);
        let plaintext = plaintext.clone();
        let content = content.clone();
        soon(move || {
            assert!(plaintext.files.find(&content.handle()).unwrap().is_none());
            assert_eq!(plaintext.files.has_many(&[content.handle()]).unwrap(), [false]);
            plaintext.files.put_many(&[content]).unwrap();
        });
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
        assert_eq!(world.shown("the content").as_deref(), Some("the content"));
    }
}
