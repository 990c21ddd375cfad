use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::Value;

use crate::support::{headroom, stderr};

/// A client, its file, and how its file names the program.
const CLIENTS: [(&str, &str, &str); 8] = [
    ("claude", ".claude.json", "/mcpServers/headroom/command"),
    ("codex", ".codex/config.toml", ""),
    ("opencode", ".config/opencode/opencode.json", "/mcp/headroom/command/0"),
    ("cursor", ".cursor/mcp.json", "/mcpServers/headroom/command"),
    ("vscode", ".config/Code/User/mcp.json", "/servers/headroom/command"),
    ("gemini", ".gemini/settings.json", "/mcpServers/headroom/command"),
    ("windsurf", ".codeium/windsurf/mcp_config.json", "/mcpServers/headroom/command"),
    ("zed", ".config/zed/settings.json", "/context_servers/headroom/command"),
];

fn mcp(home: &Path, args: &[&str]) -> Output {
    headroom(&["mcp"]).args(args).env("HOME", home).output().unwrap()
}

fn done(home: &Path, args: &[&str]) -> String {
    let output = mcp(home, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn put(home: &Path, name: &str, text: &str) -> PathBuf {
    let path = home.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    path
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// A file of this client as a person writes it.
fn written(client: &str) -> &'static str {
    match client {
        "codex" => "# mine\nmodel = 'gpt-5.5'\n\n[mcp_servers.other]\ncommand = 'x'  # kept",
        "zed" | "opencode" | "vscode" => "// mine\n{\n\t\"theme\": \"dark\", /* kept */\n\t\"n\": 1.50,\n}\n",
        _ => "{\n    \"mcpServers\": { \"other\": {\"command\": \"x\"} },\n    \"é\": 1.50\n}",
    }
}

#[test]
fn what_install_writes_uninstall_takes_back_byte_for_byte() {
    for (client, name, _) in CLIENTS {
        let home = tempfile::tempdir().unwrap();
        let path = put(home.path(), name, written(client));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        done(home.path(), &["install", client]);
        let installed = read(&path);
        assert!(installed.contains(env!("CARGO_BIN_EXE_headroom")), "{client}: {installed}");
        for line in written(client).lines() {
            assert!(
                installed.contains(line.trim_end_matches('}').trim_end()) || line.contains("mcpServers"),
                "{client}: {line} is gone from {installed}"
            );
        }
        assert!(done(home.path(), &["install", client]).contains("has it already"), "{client}");
        assert_eq!(read(&path), installed);
        done(home.path(), &["uninstall", client]);
        assert_eq!(read(&path), written(client), "{client}");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640, "{client}");
        assert!(done(home.path(), &["uninstall", client]).contains("nothing to undo"), "{client}");
    }
}

#[test]
fn a_file_that_was_not_there_is_made_and_goes_again() {
    for (client, name, pointer) in CLIENTS {
        let home = tempfile::tempdir().unwrap();
        done(home.path(), &["install", client]);
        let path = home.path().join(name);
        if pointer.is_empty() {
            assert!(read(&path).starts_with("[mcp_servers.headroom]\n"), "{}", read(&path));
        } else {
            let config: Value = serde_json::from_str(&read(&path)).unwrap();
            assert_eq!(config.pointer(pointer).and_then(Value::as_str), Some(env!("CARGO_BIN_EXE_headroom")));
        }
        done(home.path(), &["uninstall", client]);
        assert!(!path.exists(), "{client}");
    }
}

#[test]
fn changes_of_others_stay() {
    for (client, name, _) in CLIENTS {
        let home = tempfile::tempdir().unwrap();
        let path = put(home.path(), name, written(client));
        done(home.path(), &["install", client]);
        let own = if client == "codex" { "\n[added]\nx = 1\n" } else { "\n// added\n" };
        let changed = read(&path) + own;
        fs::write(&path, &changed).unwrap();
        assert!(done(home.path(), &["uninstall", client]).contains("the entry alone"), "{client}");
        let left = read(&path);
        assert!(left.contains(own) && !left.contains("\"mcp\"]"), "{client}: {left}");
        assert!(done(home.path(), &["uninstall", client]).contains("nothing to undo"), "{client}");
    }
}

#[test]
fn what_cannot_be_changed_safely_is_left_alone() {
    let broken = [
        ("cursor", "{\"mcpServers\": ", "by hand"),
        ("cursor", "{\"mcpServers\": []}", "by hand"),
        ("cursor", "{\"mcpServers\": {}, \"mcpServers\": {\"x\": 1}}", "by hand"),
        ("cursor", "{\"mcpServers\": {\"headroom\": {\"command\": \"mine\"}}}", "another entry"),
        ("codex", "mcp_servers = { other = { command = 'x' } }", "by hand"),
        ("codex", "[mcp_servers.headroom]\ncommand = 'mine'", "another entry"),
        ("codex", "no toml", "by hand"),
    ];
    for (client, text, why) in broken {
        let home = tempfile::tempdir().unwrap();
        let name = CLIENTS.iter().find(|(name, ..)| *name == client).unwrap().1;
        let path = put(home.path(), name, text);
        let output = mcp(home.path(), &["install", client]);
        assert_eq!(output.status.code(), Some(1), "{text}");
        let error = stderr(&output);
        assert!(error.contains(why) && error.contains(env!("CARGO_BIN_EXE_headroom")), "{text}: {error}");
        assert_eq!(read(&path), text);
    }
}

#[test]
fn an_entry_that_was_changed_is_not_taken_out() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join(".cursor/mcp.json");
    done(home.path(), &["install", "cursor"]);
    let changed = read(&path).replace("\"mcp\"", "\"mcp\",\"--store\",\"/x\"");
    fs::write(&path, &changed).unwrap();
    let output = mcp(home.path(), &["uninstall", "cursor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("by hand"), "{}", stderr(&output));
    assert_eq!(read(&path), changed);
}

#[test]
fn printing_changes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let printed = done(home.path(), &["install", "gemini", "--print"]);
    assert!(printed.contains(".gemini/settings.json") && printed.contains("\"mcpServers\""), "{printed}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let path = put(home.path(), ".gemini/settings.json", "{}");
    done(home.path(), &["install", "gemini"]);
    let installed = read(&path);
    assert!(done(home.path(), &["uninstall", "gemini", "--print"]).ends_with("would be:\n{}"));
    assert_eq!(read(&path), installed);
}

#[test]
fn programs_are_told_what_was_done() {
    let home = tempfile::tempdir().unwrap();
    let path = put(home.path(), ".gemini/settings.json", "{}");
    let told = |args: &[&str]| -> Value { serde_json::from_str(&done(home.path(), args)).unwrap() };
    for (args, outcome) in [
        (&["install", "gemini", "--print", "--json"][..], "would_add"),
        (&["install", "gemini", "--json"], "added"),
        (&["install", "gemini", "--json"], "unchanged"),
        (&["uninstall", "gemini", "--json"], "restored"),
        (&["uninstall", "gemini", "--json"], "unchanged"),
    ] {
        let told = told(args);
        assert_eq!(told["outcome"], outcome, "{args:?}: {told}");
        assert_eq!((told["client"].as_str(), told["file"].as_str()), (Some("gemini"), path.to_str()));
    }
}

#[test]
fn a_link_stays_a_link_and_its_copy_is_private() {
    let home = tempfile::tempdir().unwrap();
    let real = put(home.path(), "dotfiles/mcp.json", "{}");
    fs::create_dir(home.path().join(".cursor")).unwrap();
    let link = home.path().join(".cursor/mcp.json");
    symlink(&real, &link).unwrap();
    done(home.path(), &["install", "cursor"]);
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && read(&real).contains("headroom"));
    let journal = home.path().join(".local/state/headroom/mcp/cursor.json");
    assert_eq!(fs::metadata(&journal).unwrap().mode() & 0o077, 0, "others can read it");
    done(home.path(), &["uninstall", "cursor"]);
    assert!(read(&real) == "{}" && !journal.exists());
}
