use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{headroom, pipe, stderr};

fn log() -> String {
    let line = |n| {
        format!(
            "2026-11-20T10:{:02}:{:02}Z INFO served order {} in {} ms\n",
            n / 60,
            n % 60,
            n * 37,
            n * 7919 % 97
        )
    };
    (0..300).map(line).collect()
}

fn call(output: &str) -> Vec<u8> {
    let call = json!({"hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_use_id": "toolu_1",
        "tool_input": {"command": "./report.sh"}, "transcript_path": "/nowhere/t.jsonl",
        "tool_response": {"stdout": output, "stderr": "", "interrupted": false, "isImage": false}});
    call.to_string().into_bytes()
}

fn hook(home: &Path) -> Command {
    let mut command = headroom(&["hook", "run", "claude"]);
    command.env("HOME", home);
    command
}

/// The output of the tool that the model sees.
fn shown(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["hookSpecificOutput"]["updatedToolOutput"]["stdout"].as_str().unwrap().to_owned()
}

/// Whether the tool's own output stays.
fn is_silent(output: &Output) -> bool {
    output.status.code() == Some(0) && output.stdout.is_empty() && output.stderr.is_empty()
}

fn hash(text: &str) -> &str {
    text.split_once("[headroom:").unwrap().1.split(' ').next().unwrap()
}

#[test]
fn what_was_left_out_is_in_a_file_that_the_marker_names() {
    let home = tempfile::tempdir().unwrap();
    let text = shown(&pipe(&mut hook(home.path()), &call(&log())));
    let path = home.path().join(".headroom/plaintext").join(hash(&text));
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert_eq!(fs::read_to_string(&path).unwrap(), log());
    let mut retrieve = headroom(&["retrieve", hash(&text)]);
    assert_eq!(retrieve.env("HOME", home.path()).output().unwrap().stdout, log().as_bytes());
}

#[test]
fn the_marker_names_the_tool_where_its_server_is_installed() {
    let home = tempfile::tempdir().unwrap();
    let mut install = headroom(&["mcp", "install", "claude"]);
    assert!(install.env("HOME", home.path()).output().unwrap().status.success());
    let text = shown(&pipe(&mut hook(home.path()), &call(&log())));
    assert!(text.contains("; headroom_retrieve]"), "{text}");
    let mut retrieve = headroom(&["retrieve", hash(&text)]);
    assert_eq!(retrieve.env("HOME", home.path()).output().unwrap().stdout, log().as_bytes());
    // An agent under the user's own may not have the tool.
    let mut other: Value = serde_json::from_slice(&call(&log())).unwrap();
    other["agent_id"] = json!("a1");
    let text = shown(&pipe(&mut hook(home.path()), other.to_string().as_bytes()));
    assert!(text.contains(".headroom/plaintext/"), "{text}");
}

#[test]
fn it_never_fails_the_tool() {
    let home = tempfile::tempdir().unwrap();
    for input in ["", "{", "[]", "null", "{\"hook_event_name\":\"PostToolUse\"}", "\u{0}"] {
        assert!(is_silent(&pipe(&mut hook(home.path()), input.as_bytes())), "{input}");
    }
    assert!(is_silent(&pipe(&mut hook(home.path()), &[0xff, 0xfe])));
    // A configuration that cannot be read.
    fs::write(home.path().join("bad.toml"), "tier = 'none of these'").unwrap();
    let mut broken = headroom(&["hook", "run", "claude", "--config"]);
    assert!(is_silent(&pipe(
        broken.arg(home.path().join("bad.toml")).env("HOME", home.path()),
        &call(&log())
    )));
    // No home, and so no place for originals.
    assert!(is_silent(&pipe(&mut headroom(&["hook", "run", "claude"]), &call(&log()))));
}

#[test]
fn a_full_store_leaves_the_result_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir(home.path().join(".headroom")).unwrap();
    // Nothing fits in there.
    std::os::unix::fs::symlink("/dev/full", home.path().join(".headroom/plaintext")).unwrap();
    let output = pipe(&mut hook(home.path()), &call(&log()));
    assert!(is_silent(&output), "{}", stderr(&output));
    let reasons = fs::read_to_string(home.path().join(".local/state/headroom/hook.log")).unwrap();
    assert!(reasons.contains(" claude: unchanged: the store refused the originals: "), "{reasons}");
    assert!(!reasons.contains("served order"), "content in a log: {reasons}");
}

#[test]
fn a_folder_that_cannot_be_written_leaves_the_result_as_it_is() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".headroom");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let can_write = fs::write(folder.join("probe"), "").is_ok();
    let output = pipe(&mut hook(home.path()), &call(&log()));
    // Root may write everywhere.
    assert!(can_write || is_silent(&output), "{}", stderr(&output));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn an_agent_that_stalls_or_leaves_gets_no_answer() {
    let home = tempfile::tempdir().unwrap();
    let mut command = hook(home.path());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&call(&log())[..500]).unwrap();
    // It is not waited for longer than its patience, although the rest never comes.
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it hangs");
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    drop(stdin);
    assert!(child.wait_with_output().unwrap().stdout.is_empty());
}

#[test]
fn a_hook_that_was_killed_leaves_nothing_half_done() {
    let home = tempfile::tempdir().unwrap();
    for pause in [0, 2, 5, 10, 20] {
        let mut child = hook(home.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(&call(&log()));
        thread::sleep(Duration::from_millis(pause));
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        // All of an answer or none: the agent reads it as JSON.
        if !output.stdout.is_empty() {
            serde_json::from_slice::<Value>(&output.stdout).unwrap();
        }
        let folder = home.path().join(".headroom/plaintext");
        for file in fs::read_dir(folder).into_iter().flatten().flatten().filter(|file| file.path().is_file())
        {
            let name = file.file_name().into_string().unwrap();
            if name.len() == 16 && !name.contains('.') {
                assert_eq!(fs::read_to_string(file.path()).unwrap(), log(), "{name}");
            }
        }
    }
    let text = shown(&pipe(&mut hook(home.path()), &call(&log())));
    assert_eq!(fs::read_to_string(home.path().join(".headroom/plaintext").join(hash(&text))).unwrap(), log());
}
