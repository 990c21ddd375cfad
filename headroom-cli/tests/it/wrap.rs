//! `headroom wrap` around small scripts that stand for agents.
#![cfg(unix)]

mod agents;
mod orphan;
mod persist;
mod process;
mod rows;

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::{PATIENCE, headroom};

/// A home, a folder of programs and one of work, all of them empty but for one agent.
struct World {
    folder: TempDir,
}

impl World {
    fn with(agent: &str, script: &str) -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["bin", "home", "work", "store"] {
            fs::create_dir(world.path(name)).unwrap();
        }
        // What is said once has been said.
        fs::write(world.path("store/welcomed"), "").unwrap();
        let program = world.path("bin").join(agent);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// `headroom` in this world.
    fn headroom(&self, args: &[&str]) -> Command {
        let mut command = headroom(args);
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        command.env("PATH", path).env("HOME", self.path("home")).env("HEADROOM_HOME", self.path("store"));
        command.current_dir(self.path("work")).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.headroom(args).output().unwrap()
    }

    /// Waits until the agent has written this file, whole.
    fn wait_for(&self, name: &str) -> String {
        let start = Instant::now();
        loop {
            if let Ok(text) = fs::read_to_string(self.path("work").join(name))
                && text.ends_with('\n')
            {
                return text.trim().to_owned();
            }
            assert!(start.elapsed() < PATIENCE, "the agent never wrote {name}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

fn send(child: &Child, signal: &str) {
    let kill = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
