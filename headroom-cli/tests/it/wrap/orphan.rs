//! No agent outlives its wrapper.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::{World, files, process::WAIT, send};
use crate::support::headroom;

/// How long an agent may take to end after its wrapper.
const SOON: Duration = Duration::from_secs(2);

/// Whether a process is there and no corpse.
fn lives(id: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", id]).output().unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn is_gone_soon(id: &str) -> bool {
    let start = Instant::now();
    while lives(id) {
        if start.elapsed() > SOON {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_killed_wrapper_leaves_no_proxy_no_file_and_no_agent() {
    let world = World::with("claude", &format!("echo $$ > pid; {WAIT}"));
    let before = files(&world.path("home"));
    let child = world.headroom(&["wrap", "claude"]).spawn().unwrap();
    let (agent, url) = (world.wait_for("pid"), world.wait_for("url"));
    let address: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
    drop(TcpStream::connect(address).unwrap());
    assert!(lives(&agent));
    kill(child);
    assert!(is_gone_soon(&agent), "the agent lives");
    assert!(TcpStream::connect(address).is_err(), "the proxy lives");
    assert_eq!(files(&world.path("home")), before);
}

#[test]
fn an_agent_with_children_ends_with_its_wrapper_and_can_end_them() {
    // In front, in the background, and as launchers do that hand signals on.
    let waits = "sleep 60";
    let scripts = [
        format!("echo $$ > pid; {waits} & echo $! > child; trap 'kill $!; exit' TERM; wait"),
        format!(
            "sh -c 'echo $$ > child; exec {waits}' & trap 'kill $!; wait; exit' TERM; echo $$ > pid; wait"
        ),
    ];
    for script in &scripts {
        let world = World::with("claude", script);
        let child = world.headroom(&["wrap", "claude"]).spawn().unwrap();
        let (agent, own) = (world.wait_for("pid"), world.wait_for("child"));
        kill(child);
        assert!(is_gone_soon(&agent), "{script}");
        assert!(is_gone_soon(&own), "{script}");
    }
    let world = World::with("claude", &format!("echo $$ > pid; {waits}; echo late > late"));
    let child = world.headroom(&["wrap", "claude"]).spawn().unwrap();
    let agent = world.wait_for("pid");
    kill(child);
    assert!(is_gone_soon(&agent), "one that waits for a child in front");
}

#[test]
fn a_wrapper_that_ends_as_it_should_leaves_what_its_agent_left() {
    // A service that the agent started and that is to stay.
    let world = World::with("claude", "nohup sleep 60 >/dev/null 2>&1 & echo $! > service");
    assert!(world.run(&["wrap", "claude"]).status.success());
    let service = world.wait_for("service");
    assert!(lives(&service));
    assert!(Command::new("kill").arg(&service).status().unwrap().success());
}

/// The second process that watches where the kernel does not tell of a parent's death.
#[test]
fn the_one_that_watches_ends_an_agent_whose_wrapper_is_gone_and_no_other() {
    for (word, ends) in [(&b""[..], true), (b".", false)] {
        let mut agent = Command::new("sleep").arg("60").spawn().unwrap();
        let mut watch = headroom(&["__watch", &agent.id().to_string()]);
        let mut watch = watch.stdin(Stdio::piped()).spawn().unwrap();
        assert!(agent.try_wait().unwrap().is_none());
        let mut pipe = watch.stdin.take().unwrap();
        std::io::Write::write_all(&mut pipe, word).unwrap();
        drop(pipe);
        assert!(watch.wait().unwrap().success());
        assert_eq!(is_gone_soon(&agent.id().to_string()), ends);
        let _ = agent.kill();
        agent.wait().unwrap();
    }
}

#[test]
fn the_agent_keeps_its_limits_and_ends_by_the_wrappers_own_signals() {
    let world =
        World::with("claude", "ulimit -S -c; ulimit -H -c; echo $$ > pid; sleep 9 >/dev/null 2>&1 & wait");
    let command = world.headroom(&["wrap", "claude"]);
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "ulimit -S -c 0; ulimit -S -c 100 2>/dev/null; ulimit -S -c; ulimit -H -c; exec \"$@\"",
        "sh",
    ]);
    shell.arg(command.get_program()).args(command.get_args()).env_clear();
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(world.path("work")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = shell.spawn().unwrap();
    world.wait_for("pid");
    send(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let lines: Vec<_> = super::text(&output.stdout).lines().collect();
    assert_eq!(lines[..2], lines[2..4], "soft and hard, without us and with us");
}

#[test]
fn an_agent_that_cannot_be_run_is_said_so() {
    for (mode, text, status) in [(0o644, "#!/bin/sh\n", 126), (0o755, "#!/nowhere/sh\n", 127)] {
        let world = World::with("claude", "");
        let program = world.path("bin").join("claude");
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        let mut command = world.headroom(&["wrap", "claude"]);
        let output = command.env("PATH", world.path("bin")).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", crate::support::stderr(&output));
        assert!(
            crate::support::stderr(&output).contains("cannot run claude"),
            "{}",
            crate::support::stderr(&output)
        );
    }
}
