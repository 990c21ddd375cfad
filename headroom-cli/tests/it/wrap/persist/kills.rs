//! Processes that are killed while they change a file.

use super::*;

/// Whenever it is killed, the file is one of the two, and `unwrap` heals the rest.
#[test]
fn a_kill_at_any_moment_can_be_undone() {
    let world = world();
    let settings = "{\n  // mine\n  \"a\": 1\n}\n";
    let path = world.write("home/.claude/settings.json", settings);
    done(&world, &["wrap", "claude", "--persist"]);
    let persisted = read(&path);
    done(&world, &["unwrap"]);
    let (mut written, mut unwritten) = (0, 0);
    for n in 0..120_u64 {
        // Half of them while it is written, half while it is undone.
        let undoing = n % 2 == 1;
        if undoing {
            done(&world, &["wrap", "claude", "--persist"]);
        }
        let args: &[&str] = if undoing { &["unwrap"] } else { &["wrap", "claude", "--persist"] };
        let mut child = world.headroom(args).spawn().unwrap();
        thread::sleep(Duration::from_micros(n * 150));
        child.kill().unwrap();
        child.wait().unwrap();
        match read(&path) {
            now if now == settings => unwritten += 1,
            now if now == persisted => written += 1,
            other => panic!("neither one nor the other: {other}"),
        }
        done(&world, &["unwrap"]);
        assert_eq!(read(&path), settings);
        assert_eq!(files(&world.path("home")).len(), 1, "something is left behind");
        let left: Vec<_> = files(&world.path("store")).into_keys().collect();
        assert_eq!(left, [world.path("store/persist/lock")]);
    }
    eprintln!("killed: {written} with the file written, {unwritten} without");
}

/// Between the journal and the file, and between the file and the journal.
#[test]
fn half_of_a_change_is_healed() {
    let world = world();
    let path = world.write("home/.claude/settings.json", "{}");
    done(&world, &["wrap", "claude", "--persist"]);
    let journal = world.path("store/persist/claude.json");
    let (noted, persisted) = (read(&journal), read(&path));
    // It was noted and not done: doing it again does it.
    fs::write(&path, "{}").unwrap();
    fs::write(path.with_file_name(".headroom-x.tmp"), "half").unwrap();
    assert!(done(&world, &["wrap", "claude", "--persist"]).contains("now"));
    assert_eq!(read(&path), persisted);
    // It was undone and not forgotten.
    fs::write(&path, "{}").unwrap();
    assert_eq!(read(&journal), noted);
    assert!(done(&world, &["unwrap"]).contains("nothing to undo"));
    assert_eq!(files(&world.path("home")).len(), 1, "a part is left behind");
    // The file is gone altogether.
    done(&world, &["wrap", "claude", "--persist"]);
    fs::remove_file(&path).unwrap();
    assert!(done(&world, &["unwrap"]).contains("does not exist"));
    assert!(!journal.exists());
}
