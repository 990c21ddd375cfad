use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{Proxy, Upstream, exchange, headroom, pipe, stderr};

/// A log of which most is set aside; no two seeds share a line.
fn log(seed: usize) -> String {
    let line = |n: usize| {
        format!(
            "2026-11-20T10:{:02}:{:02}Z INFO worker-{} order {seed}-{n} took {} ms\n",
            n / 60 % 60,
            n % 60,
            n % 7,
            n * 7 % 90
        )
    };
    (0..1500).map(line).collect()
}

/// The handles of all markers in a text.
fn handles(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let candidates = text.split("[headroom:").skip(1).filter_map(|rest| rest.get(..16));
    let is_handle = |text: &&str| text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
    candidates.filter(is_handle).map(str::to_owned).collect()
}

fn compress(store: &Path, text: &str) -> Output {
    let args = ["compress", "--text", "--tool", "Bash", "--retrieval", "server-tool", "--store"];
    pipe(headroom(&args).arg(store), text.as_bytes())
}

fn retrieve(store: &Path, args: &[&str]) -> Output {
    headroom(&["retrieve", "--store"]).arg(store).args(args).output().unwrap()
}

/// Sets aside a log; the folder and the handle that it is under.
fn set_aside() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let output = compress(folder.path(), &log(0));
    assert!(output.status.success() && stderr(&output).is_empty(), "{}", stderr(&output));
    let handle = handles(&output.stdout).pop().expect("something is set aside");
    (folder, handle)
}

#[test]
fn what_is_set_aside_comes_back_byte_for_byte() {
    let (folder, handle) = set_aside();
    let output = retrieve(folder.path(), &[&handle]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(log(0).contains(&text) && text.len() > 10_000, "{text}");
    for pasted in [format!("headroom:{handle}"), format!("[headroom:{handle} lines 4-396 of 400]")] {
        assert_eq!(retrieve(folder.path(), &[&pasted]).stdout, text.as_bytes(), "{pasted}");
    }
}

#[test]
fn parts_come_with_their_place() {
    let (folder, handle) = set_aside();
    let part = |args: &[&str]| {
        let output = retrieve(folder.path(), &[&[handle.as_str()], args].concat());
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let whole = part(&[]);
    let lines: Vec<_> = whole.lines().collect();
    let shown = part(&["--lines", "20-21"]);
    assert!(shown.starts_with("lines 20-21 of"), "{shown}");
    assert!(shown.ends_with(&format!("{}\n{}\n", lines[19], lines[20])), "{shown}");
    let found = part(&["--query", "order 0-700 "]);
    assert!(found.contains("order 0-700 took"), "{found}");
    assert!(part(&["--max-bytes", "200"]).len() < 500);
    assert!(part(&["--path", "a.b"]).contains("no JSON"));
    assert!(part(&["--rows", "1"]).contains("no rows"));

    let answer: Value = serde_json::from_str(&part(&["--json"])).unwrap();
    assert_eq!(answer, json!({"hash": handle, "bytes": whole.len(), "lines": lines.len(), "text": whole}));
    let answer: Value = serde_json::from_str(&part(&["--json", "--lines", "20-21"])).unwrap();
    assert_eq!((&answer["text"], &answer["bytes"]), (&json!(shown), &json!(whole.len())));
}

#[test]
fn what_is_not_there_is_said_and_ends_with_1() {
    let (folder, _) = set_aside();
    let nowhere = folder.path().join("nowhere");
    for store in [folder.path(), &nowhere] {
        let output = retrieve(store, &["abcdefghijklmnop"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        let text = stderr(&output);
        let expected = format!("no original abcdefghijklmnop in {}", store.display());
        assert!(text.contains(&expected), "{text}");
    }
    assert!(!nowhere.exists(), "looking makes no folder");
}

#[test]
fn wrong_calls_end_with_2_and_say_what_is_expected() {
    for (args, expected) in [
        (&["retrieve", "xyz"][..], "expected 16 letters"),
        (&["retrieve"], "HASH"),
        (&["retrieve", "abcdefghijklmnop", "--store", "memory"], "nothing is kept in memory"),
        (&["retrieve", "abcdefghijklmnop", "--store", ""], "expected a folder"),
        (&["retrieve", "abcdefghijklmnop", "--lines", "1", "--rows", "1"], "--rows"),
        (&["retrieve", "abcdefghijklmnop", "--max-bytes", "all"], "invalid digit"),
        // Nowhere to look.
        (&["retrieve", "abcdefghijklmnop"], "HEADROOM_HOME"),
    ] {
        let output = headroom(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(expected), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn the_folder_is_the_users_own_unless_told_otherwise() {
    let (folder, handle) = set_aside();
    let home = tempfile::tempdir().unwrap();
    let own = home.path().join(".headroom");
    fs::rename(folder.path(), &own).unwrap();
    let variable = |name: &str, value: &Path| {
        let mut command = headroom(&["retrieve", &handle]);
        command.env("HOME", "/nowhere").env(name, value);
        command.output().unwrap().status.code()
    };
    assert_eq!(variable("HOME", home.path()), Some(0));
    assert_eq!(variable("HEADROOM_HOME", &own), Some(0));
    assert_eq!(variable("HEADROOM_STORE", &own), Some(0));
    assert_eq!(variable("XDG_DATA_HOME", home.path()), Some(1), "that has another name");
    fs::rename(&own, home.path().join("headroom")).unwrap();
    assert_eq!(variable("XDG_DATA_HOME", home.path()), Some(0));
    let config = home.path().join("config.toml");
    fs::write(&config, "store = '~/headroom'").unwrap();
    let command = &mut headroom(&["retrieve", &handle]);
    command.env("HOME", home.path()).env("HEADROOM_CONFIG", config);
    assert_eq!(command.output().unwrap().status.code(), Some(0));
}

#[test]
fn without_a_folder_to_write_nothing_is_set_aside_and_the_reason_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("a-file");
    fs::write(&blocked, "").unwrap();
    let output = compress(&blocked, &log(0));
    assert!(output.status.success());
    assert!(handles(&output.stdout).is_empty());
    let text = stderr(&output);
    assert!(text.contains("nothing was elided") && text.contains("a-file"), "{text}");

    // A request goes on as it was.
    let request = body(&log(0));
    let args = ["compress", "--retrieval", "client-tool", "--store"];
    let output = pipe(headroom(&args).arg(folder.path().join("new")), &request);
    assert!(!handles(&output.stdout).is_empty(), "where it can be stored it is set aside");
    let output = pipe(
        headroom(&["compress", "--retrieval", "client-tool", "--report", "-", "--store"]).arg(&blocked),
        &request,
    );
    assert_eq!(output.stdout, request);
    let text = stderr(&output);
    assert!(text.contains("nothing was elided") && text.contains("store_failure"), "{text}");
}

/// As a user whom permissions bind; root can write anywhere.
#[cfg(unix)]
fn bound(command: &mut Command) -> &mut Command {
    use std::os::unix::{fs::MetadataExt, process::CommandExt};
    let home = tempfile::tempdir().unwrap();
    if fs::metadata(home.path()).unwrap().uid() == 0 { command.uid(65534) } else { command }
}

#[cfg(unix)]
#[test]
fn a_folder_that_can_only_be_read_is_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o777);
    let store = folder.path().join("own");
    let compress = |text: &str| {
        let args = ["compress", "--text", "--tool", "Bash", "--retrieval", "server-tool", "--store"];
        pipe(bound(headroom(&args).arg(&store)), text.as_bytes())
    };
    let output = compress(&log(0));
    let Some(handle) = handles(&output.stdout).pop() else {
        panic!("nothing is set aside: {}", stderr(&output));
    };
    let chmod = Command::new("chmod").args(["-R", "a-w"]).arg(&store).status().unwrap();
    assert!(chmod.success());
    let output = bound(headroom(&["retrieve", &handle, "--store"]).arg(&store)).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));

    let output = compress(&log(1));
    assert!(output.status.success() && handles(&output.stdout).is_empty());
    let text = stderr(&output);
    assert!(text.contains("nothing was elided") && text.contains("ermission denied"), "{text}");
    assert!(Command::new("chmod").args(["-R", "u+w"]).arg(&store).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    // Every write to a file fails, as on a full disk.
    let script = r#"trap '' XFSZ; ulimit -f 0; exec "$0" "$@""#;
    let mut command = Command::new("/bin/sh");
    command.env_clear().args(["-c", script, env!("CARGO_BIN_EXE_headroom"), "compress", "--text"]);
    command.args(["--tool", "Bash", "--retrieval", "server-tool", "--store"]).arg(folder.path());
    let output = pipe(&mut command, log(0).as_bytes());
    assert!(output.status.success() && handles(&output.stdout).is_empty(), "{}", stderr(&output));
    assert!(stderr(&output).contains("nothing was elided: the store is unavailable"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(folder.path().join("originals/tmp")).unwrap().count(), 0);
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let found = thread::scope(|scope| {
        let writers = (0..4).map(|writer| {
            let store = folder.path();
            scope.spawn(move || {
                let outputs = (0..5).map(|n| compress(store, &log(writer * 3 + n)));
                outputs.flat_map(|output| handles(&output.stdout)).collect::<Vec<_>>()
            })
        });
        let writers: Vec<_> = writers.collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(found.len() >= 20, "{}", found.len());
    for handle in found {
        assert!(retrieve(folder.path(), &[&handle]).status.success(), "{handle}");
    }
}

#[test]
fn what_was_printed_can_be_fetched_wherever_the_process_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut found = Vec::new();
    for n in 0..60 {
        let args = ["compress", "--text", "--tool", "Bash", "--retrieval", "server-tool", "--store"];
        let mut child = headroom(&args)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(log(n).as_bytes()).unwrap();
        if n % 3 > 0 {
            thread::sleep(Duration::from_micros(n as u64 * 700));
            child.kill().unwrap();
        }
        found.extend(handles(&child.wait_with_output().unwrap().stdout));
    }
    assert!(found.len() >= 20, "{}", found.len());
    for handle in found {
        assert!(retrieve(folder.path(), &[&handle]).status.success(), "{handle}");
    }
}

#[test]
fn the_proxy_names_its_store_and_serves_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("a-file");
    fs::write(&blocked, "").unwrap();
    let upstream = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let proxy = Proxy::to(upstream.address, &["--store", blocked.to_str().unwrap()]);
    let text = proxy.wait_for("nothing can be elided until this is fixed");
    assert!(text.contains(&format!("store {}", blocked.display())), "{text}");
    let request = body(&log(0));
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        request.len()
    );
    let answer = exchange(proxy.address, [head.as_bytes(), &request].concat());
    assert_eq!(answer.status(), 200);
    assert!(handles(&upstream.request().body).is_empty());
    let proxy = Proxy::to(upstream.address, &["--store", folder.path().to_str().unwrap()]);
    assert!(!proxy.wait_for("ANTHROPIC_BASE_URL").contains("elided"));
}

/// A request with the client's own tool to fetch what is set aside.
fn body(output: &str) -> Vec<u8> {
    json!({"model": "claude-opus-5-5", "max_tokens": 9, "system": "s",
        "tools": [{"name": "mcp__headroom__headroom_retrieve", "description": "d", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "why?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "cargo test"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": output}]}]})
    .to_string()
    .into_bytes()
}
