//! Memory with prompts and keys in it stays out of core dumps.
#![cfg(target_os = "linux")]

use std::{
    fs,
    os::unix::process::ExitStatusExt,
    process::{Command, Stdio},
};

use crate::support::{Proxy, headroom, skipped};

/// The soft and the hard limit of a process.
fn limits(process: u32) -> (String, String) {
    let text = fs::read_to_string(format!("/proc/{process}/limits")).unwrap();
    let line = text.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let mut words = line.split_whitespace().skip(4).map(str::to_owned);
    (words.next().unwrap(), words.next().unwrap())
}

/// Whether processes of this machine leave cores at all, if they may.
fn are_made() -> bool {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -S -c unlimited && kill -SEGV $$"]).current_dir(folder.path());
    shell.status().is_ok_and(|status| status.core_dumped())
}

#[test]
fn a_proxy_that_crashes_leaves_no_core() {
    let home = tempfile::tempdir().unwrap();
    let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0"]);
    let mut proxy = Proxy::start(command.env("HEADROOM_HOME", home.path()));
    let (soft, hard) = limits(proxy.id());
    assert_eq!(soft, "0");
    assert_eq!(hard, limits(std::process::id()).1, "what it starts may have one");
    proxy.signal("ABRT");
    assert!(!proxy.wait().core_dumped());
    if !are_made() {
        skipped("no process leaves a core here, so the crash shows nothing");
    }
}

#[test]
fn the_server_of_originals_leaves_no_core() {
    let home = tempfile::tempdir().unwrap();
    let mut child = headroom(&["mcp"]);
    child.env("HEADROOM_HOME", home.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let start = std::time::Instant::now();
    while limits(child.id()).0 != "0" {
        assert!(start.elapsed() < crate::support::PATIENCE);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
