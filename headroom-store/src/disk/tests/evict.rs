//! Eviction: what stays, what goes, and when.

use super::*;

#[tokio::test]
async fn a_request_that_is_dropped_while_it_stores_leaves_eviction_as_it_was() {
    let world = World::new();
    let store = world.store();
    for n in 0..20 {
        // The first put into a new folder makes a sweep due.
        let put = store.put_many("a", vec![original(&format!("text {n}"))]);
        let _ = tokio::time::timeout(std::time::Duration::ZERO, put).await;
        let start = std::time::Instant::now();
        while store.disk.is_sweeping() || store.disk.folder().since_sweep().unwrap().is_none() {
            assert!(start.elapsed().as_secs() < 20, "the sweep never ends");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        std::fs::remove_dir_all(world.folder.path().join("originals")).unwrap();
    }
}

#[tokio::test]
async fn what_is_seen_stays_and_what_is_not_goes() {
    let world = World::new();
    let (a, b) = (world.store(), world.store());
    for content in ["put again", "put again elsewhere", "read", "found", "left alone"] {
        put(&a, "a", content).await;
    }
    a.put_record("a", &[record_key("key")], "record").await.unwrap();
    for _ in 0..3 {
        world.wait(20 * DAY);
        put(&a, "a", "put again").await;
        put(&b, "a", "put again elsewhere").await;
        assert!(has(&a, "a", "read").await);
        assert!(b.find(&Handle::from_content("found")).await.unwrap().is_some());
        assert!(b.get_records("a", &[record_key("key")]).await.unwrap()[0].is_some());
        a.disk.sweep();
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
            store.disk.sweep();
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
    store.disk.sweep();
    assert!(left.exists(), "its process may live");
    world.wait(2 * HOUR);
    store.disk.sweep();
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
    store.disk.sweep();
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
    let (folder, bounds) = (store.disk.folder(), store.disk.bounds());
    let sweep = Sweep::new(folder, bounds, &|_| false);
    let chosen = sweep.candidate(file.clone(), &fs::metadata(&file).unwrap()).expect("it is old");
    put(&store, "a", "x").await;
    assert!(!sweep.remove(&chosen).unwrap());
    assert!(has(&store, "a", "x").await);
}

#[tokio::test]
async fn what_is_written_while_a_long_sweep_runs_is_not_taken_for_the_future() {
    let world = World::new();
    let store = world.store();
    let (folder, bounds) = (store.disk.folder(), store.disk.bounds());
    let sweep = Sweep::new(folder, bounds, &|_| false);
    world.wait(HOUR);
    put(&store, "a", "x").await;
    let file = world.files().remove(0);
    assert!(sweep.candidate(file.clone(), &fs::metadata(&file).unwrap()).is_none());
}

#[tokio::test]
async fn nothing_is_deleted_while_a_put_relies_on_it() {
    let world = World::new();
    let store = world.store();
    put(&store, "a", "x").await;
    world.wait(31 * DAY);
    let lock = store.disk.folder().lock_shared().unwrap();
    let other = world.store();
    let sweep = std::thread::spawn(move || other.disk.sweep());
    sweep.join().unwrap();
    assert_eq!(world.files().len(), 1, "the sweep gave up");
    drop(lock);
    store.disk.sweep();
    assert_eq!(world.files().len(), 0);
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
        store.disk.sweep();
        assert!(has(&store, "a", &noise("forwarded a moment ago", 5)).await, "set back by {back}");
        assert_eq!(world.files().len(), 28, "of 160 blocks 140 stay, and a file has 5");
        let left: Vec<_> = times(&world).into_iter().filter(|file| before.contains(file)).collect();
        assert_eq!(left, before[13..], "the newest stay");
        store.disk.sweep();
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
    world.builder().capacity(160 * 4096).build().disk.sweep();
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
    store.disk.sweep();
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
