use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Proxy, headroom, pipe, request, stderr};

/// A home with this configuration file.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/headroom");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("config.toml"), config).unwrap();
    home
}

/// The tier that holds in the end.
fn tier(command: &mut Command) -> String {
    let output = pipe(command, &request("openai"));
    assert!(output.status.success(), "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stderr).unwrap();
    report["tier"].as_str().unwrap().to_owned()
}

fn compress(home: &Path, args: &[&str]) -> Command {
    let mut command = headroom(&["compress", "--report", "-"]);
    command.args(args).env("HOME", home);
    command
}

#[test]
fn flags_go_before_variables_before_the_file_before_the_default() {
    let home = home("tier = 'lossless'");
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(tier(&mut compress(empty.path(), &[])), "recoverable");
    assert_eq!(tier(&mut compress(home.path(), &[])), "lossless");
    assert_eq!(tier(compress(home.path(), &[]).env("HEADROOM_TIER", "dedup")), "dedup");
    assert_eq!(
        tier(compress(home.path(), &["--tier", "recoverable"]).env("HEADROOM_TIER", "dedup")),
        "recoverable"
    );
}

#[test]
fn the_file_is_found_where_it_is_named() {
    let (home, other) = (home("tier = 'lossless'"), tempfile::tempdir().unwrap());
    let file = other.path().join("other.toml");
    fs::write(&file, "tier = 'dedup'").unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(tier(&mut compress(home.path(), &["--config", file])), "dedup");
    assert_eq!(tier(compress(home.path(), &[]).env("HEADROOM_CONFIG", file)), "dedup");
    // A base folder that is set is the only one.
    assert_eq!(tier(compress(home.path(), &[]).env("XDG_CONFIG_HOME", other.path())), "recoverable");
    let config = home.path().join(".config");
    assert_eq!(tier(compress(other.path(), &[]).env("XDG_CONFIG_HOME", config)), "lossless");
}

#[test]
fn a_file_that_cannot_be_used_is_an_error_that_says_why() {
    for (config, expected) in [
        ("teir = 'recoverable'", &["config.toml", "unknown field `teir`", "`tier`", "line 1"][..]),
        ("\ntier = 'most'", &["unknown variant `most`", "`lossless`, `dedup`, `recoverable`", "line 2"]),
        ("tier = 1", &["line 1", "tier = 1"]),
        ("listen = 'everywhere'", &["not an address"]),
        ("upstream = 'api.example.com'", &["not a URL"]),
        ("drain_seconds = -1", &["drain_seconds", "-1"]),
        ("[proxy]\nlisten = '127.0.0.1:1'", &["unknown field `proxy`"]),
        ("tier = ", &["line 1"]),
    ] {
        let home = home(config);
        let output = pipe(&mut compress(home.path(), &[]), b"{}");
        assert_eq!(output.status.code(), Some(2), "{config}");
        for text in expected {
            assert!(stderr(&output).contains(text), "{config}: no {text:?} in {}", stderr(&output));
        }
    }
    let output = pipe(&mut headroom(&["compress", "--config", "/nowhere/c.toml"]), b"{}");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/nowhere/c.toml"), "{}", stderr(&output));
}

#[test]
fn a_variable_that_cannot_be_used_is_an_error_that_names_it() {
    for (name, value, expected) in [
        ("HEADROOM_TIER", "most", "expected lossless, dedup or recoverable"),
        ("HEADROOM_LISTEN", "8787", "expected ADDRESS:PORT"),
        ("HEADROOM_LOG", "loud", "expected off, error, warn, info or debug"),
        ("HEADROOM_OPENAI_UPSTREAM", "ftp://x", "not a URL"),
        ("HEADROOM_STORE", "~other/x", "give the whole path"),
        ("HEADROOM_DRAIN_SECONDS", "soon", "invalid digit"),
    ] {
        let output = headroom(&["proxy"]).env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}");
        let text = stderr(&output);
        assert!(text.contains(name) && text.contains(expected), "{name}: {text}");
    }
}

#[test]
fn the_proxy_says_what_is_active_and_which_variables_have_no_effect() {
    let home = home("tier = 'dedup'\nopenai_upstream = 'http://127.0.0.1:9/v1/'");
    let proxy = Proxy::start(
        headroom(&["proxy", "--listen", "127.0.0.1:0"])
            .env("HOME", home.path())
            .env("HEADROOM_PORT", "1")
            .env("HEADROOM_GEMINI_UPSTREAM", "http://127.0.0.1:8"),
    );
    let text = proxy.wait_for("ANTHROPIC_BASE_URL");
    for expected in [
        "unknown variable HEADROOM_PORT is ignored",
        "tier dedup",
        "anthropic https://api.anthropic.com",
        "openai http://127.0.0.1:9/v1",
        "gemini http://127.0.0.1:8",
        &format!("ANTHROPIC_BASE_URL=http://{}", proxy.address),
    ] {
        assert!(text.contains(expected), "no {expected:?} in {text}");
    }
    assert!(!text.contains('\u{1b}'), "colours without a terminal");
}

#[test]
fn the_configuration_is_checked_printed_and_described() {
    let home = home("tier = 'lossless'\nopenai_upstream = 'http://127.0.0.1:1'");
    let run = |what: &str| {
        headroom(&["config", what]).env("HOME", home.path()).env("HEADROOM_LOG", "warn").output().unwrap()
    };
    assert_eq!(run("check").stdout, b"the configuration can be used\n");
    let text = String::from_utf8(run("print").stdout).unwrap();
    for line in [
        "tier = \"lossless\"",
        "openai_upstream = \"http://127.0.0.1:1\"",
        "log = \"warn\"",
        "drain_seconds = 10",
    ] {
        assert!(text.lines().any(|found| found == line), "no {line} in {text}");
    }
    let json = headroom(&["config", "print", "--json"]).env("HOME", home.path()).output().unwrap();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["tier"], &json["drain_seconds"]), (&"lossless".into(), &10.into()));
    let schema: Value = serde_json::from_slice(&run("schema").stdout).unwrap();
    assert_eq!(schema["properties"]["tier"]["enum"][0], "lossless");
    fs::write(home.path().join(".config/headroom/config.toml"), "teir = 1").unwrap();
    let output = headroom(&["config", "check", "--json"]).env("HOME", home.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["ok"] == false && json["error"].as_str().unwrap().contains("teir"), "{json}");
    let output = run("check");
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output.stdout.is_empty() && stderr(&output).contains("unknown field `teir`"),
        "{}",
        stderr(&output)
    );
}
