use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value, json};

use crate::support::{headroom, stderr};

const MINE: &str = "{\n  // mine\n  \"model\": \"opus\",\n  \"hooks\": {\n    \"PostToolUse\": [\n      {\"matcher\": \"Edit\", \
                    \"hooks\": [{\"type\": \"command\", \"command\": \"fmt\"}]}, // others\n    ],\n  },\n}\n";

fn run(home: &Path, args: &[&str]) -> Output {
    headroom(args).env("HOME", home).current_dir(home).output().unwrap()
}

fn done(home: &Path, args: &[&str]) -> String {
    let output = run(home, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn settings(home: &Path) -> PathBuf {
    home.join(".claude/settings.json")
}

fn put(home: &Path, text: &str) {
    fs::create_dir_all(home.join(".claude")).unwrap();
    fs::write(settings(home), text).unwrap();
}

/// Everything in a folder, with its content and permissions.
fn everything(folder: &Path) -> BTreeMap<PathBuf, (u32, Option<Vec<u8>>)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let mode = fs::metadata(&entry).unwrap().permissions().mode();
            if entry.is_dir() {
                open.push(entry.clone());
            }
            found.insert(entry.clone(), (mode, fs::read(&entry).ok()));
        }
    }
    found
}

/// JSON without the comments and the trailing commas that these files have.
fn without_extras(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("// ").next().unwrap());
    let mut plain: String = lines.flat_map(|line| line.chars()).filter(|c| !c.is_whitespace()).collect();
    for bracket in [']', '}'] {
        plain = plain.replace(&format!(",{bracket}"), &bracket.to_string());
    }
    plain.replace(",}", "}").replace("hookrunclaude", " hook run claude")
}

#[test]
fn a_home_is_byte_for_byte_as_it_was_after_uninstall() {
    for text in [None, Some("{}"), Some(MINE), Some("{\"permissions\": {\"allow\": [\"Bash(ls)\"]}}")] {
        let home = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            put(home.path(), text);
            fs::set_permissions(settings(home.path()), fs::Permissions::from_mode(0o640)).unwrap();
        }
        let before = everything(home.path());
        assert!(done(home.path(), &["hook", "install", "claude"]).contains("has the hook now"));
        let with = everything(home.path());
        assert!(done(home.path(), &["hook", "install", "claude"]).contains("has it already"));
        assert_eq!(everything(home.path()), with, "a second install changes nothing");
        done(home.path(), &["hook", "uninstall", "claude"]);
        assert_eq!(everything(home.path()), before);
        assert!(done(home.path(), &["hook", "uninstall", "claude"]).contains("nothing to undo"));
        assert_eq!(everything(home.path()), before);
    }
}

#[test]
fn the_hook_stands_beside_those_of_others() {
    let home = tempfile::tempdir().unwrap();
    put(home.path(), MINE);
    done(home.path(), &["hook", "install", "claude"]);
    let text = fs::read_to_string(settings(home.path())).unwrap();
    for line in MINE.lines() {
        assert!(text.lines().any(|other| other == line), "{line} is gone: {text}");
    }
    let plain = without_extras(&text);
    let value: Value = serde_json::from_str(&plain).unwrap();
    let hooks = value["hooks"]["PostToolUse"].as_array().unwrap();
    assert_eq!(hooks.len(), 2);
    assert_eq!(hooks[0]["matcher"], "Bash|Grep|mcp__.*");
    let command = hooks[0]["hooks"][0]["command"].as_str().unwrap();
    assert!(command.ends_with("/headroom hook run claude"), "{command}");
    let folder = home.path().join(".headroom/plaintext");
    let allowed = value["permissions"]["allow"].as_array().unwrap();
    assert!(allowed.contains(&json!(format!("Read(/{}/**)", folder.display()))), "{allowed:?}");
    assert!(allowed.contains(&json!("mcp__headroom__headroom_retrieve")), "{allowed:?}");
}

#[test]
fn only_the_hook_goes_from_settings_that_were_changed_since() {
    let home = tempfile::tempdir().unwrap();
    put(home.path(), MINE);
    done(home.path(), &["hook", "install", "claude"]);
    let edit =
        |text: &str| text.replace("\"opus\"", "\"sonnet\" /* for now */").replace("\"fmt\"", "\"lint\"");
    put(home.path(), &edit(&fs::read_to_string(settings(home.path())).unwrap()));
    let shown = done(home.path(), &["hook", "uninstall", "claude", "--print"]);
    assert!(shown.ends_with(&edit(MINE)), "{shown}");
    assert!(done(home.path(), &["hook", "uninstall", "claude"]).contains("the hook alone was removed"));
    assert_eq!(fs::read_to_string(settings(home.path())).unwrap(), edit(MINE));
}

#[test]
fn settings_that_cannot_be_changed_safely_stay() {
    let home = tempfile::tempdir().unwrap();
    for text in ["[]", "{\"hooks\": []}", "{\"hooks\": {\"PostToolUse\": 1}}", "{"] {
        put(home.path(), text);
        let output = run(home.path(), &["hook", "install", "claude"]);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(stderr(&output).contains("hook run claude"), "what to add by hand: {}", stderr(&output));
        assert_eq!(fs::read_to_string(settings(home.path())).unwrap(), text);
    }
    put(
        home.path(),
        "{\"hooks\": {\"PostToolUse\": [{\"hooks\": [{\"command\": \"/old/headroom hook run claude\"}]}]}}",
    );
    let output = run(home.path(), &["hook", "install", "claude"]);
    assert!(
        output.status.code() == Some(1) && stderr(&output).contains("another Headroom"),
        "{}",
        stderr(&output)
    );
    done(home.path(), &["hook", "uninstall", "claude"]);
    assert!(!fs::read_to_string(settings(home.path())).unwrap().contains("headroom"));
}

#[test]
fn a_project_has_settings_of_its_own_and_unwrap_removes_all() {
    let home = tempfile::tempdir().unwrap();
    put(home.path(), "{}");
    let before = everything(home.path());
    done(home.path(), &["hook", "install", "claude"]);
    let told: Value =
        serde_json::from_str(&done(home.path(), &["hook", "install", "claude", "--project", "--json"]))
            .unwrap();
    let file = home.path().join(".claude/settings.local.json");
    assert_eq!(told, json!({"agent": "claude", "file": file, "outcome": "added"}));
    assert!(file.exists());
    let shown = done(home.path(), &["unwrap", "--print"]);
    assert!(file.exists() && shown.matches("claude, hook: ").count() == 2, "{shown}");
    let undone: Value = serde_json::from_str(&done(home.path(), &["unwrap", "--json"])).unwrap();
    assert_eq!(undone["hooks"].as_array().unwrap().len(), 2, "{undone}");
    let left: BTreeMap<_, _> =
        everything(home.path()).into_iter().filter(|(path, _)| path.is_file()).collect();
    let files: BTreeMap<_, _> = before.into_iter().filter(|(path, _)| path.is_file()).collect();
    let ours = |path: &PathBuf| path.starts_with(home.path().join(".headroom"));
    assert_eq!(left.into_iter().filter(|(path, _)| !ours(path)).collect::<BTreeMap<_, _>>(), files);
}

#[test]
fn a_hook_whose_program_is_gone_is_a_finding() {
    let home = tempfile::tempdir().unwrap();
    done(home.path(), &["hook", "install", "claude"]);
    assert!(done(home.path(), &["doctor"]).contains("makes results of Bash, Grep and MCP tools smaller"));
    let text = fs::read_to_string(settings(home.path())).unwrap();
    put(home.path(), &text.replace("/headroom hook", "/gone/headroom hook"));
    let output = run(home.path(), &["doctor", "--json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding =
        findings["findings"].as_array().unwrap().iter().find(|one| one["subject"] == "claude, hook");
    assert_eq!(finding.unwrap()["health"], "broken", "{findings}");
    put(home.path(), "{}");
    assert!(done(home.path(), &["doctor"]).contains("no longer has it"));
}
