use std::{fs, net::TcpListener, path::Path, process::Output};

use serde_json::Value;

use crate::support::{Proxy, Upstream, headroom, ok, stderr};

fn doctor(home: &Path, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = headroom(&["doctor"]);
    command
        .args(args)
        .env("HOME", home)
        .env("HEADROOM_LISTEN", "127.0.0.1:1")
        .envs(variables.iter().copied());
    command.output().unwrap()
}

fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

#[test]
fn it_says_what_is_active_and_what_is_not() {
    let home = tempfile::tempdir().unwrap();
    let output = doctor(home.path(), &[], &[("HEADROOM_TYPO", "1")]);
    let shown = text(&output);
    assert_eq!(output.status.code(), Some(0), "{shown}{}", stderr(&output));
    for part in [
        "ok      configuration  defaults and variables; there is no ",
        "ok      tier           recoverable\n",
        "note    proxy          not running at 127.0.0.1:1; ",
        "note    variables      unknown, ignored: HEADROOM_TYPO\n",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn a_proxy_is_told_from_another_program() {
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::to(([127, 0, 0, 1], 1).into(), &[]);
    let address = proxy.address.to_string();
    let output = doctor(home.path(), &[], &[("HEADROOM_LISTEN", &address)]);
    assert!(text(&output).contains(&format!("runs at http://{address}\n")), "{}", text(&output));
    // One that has our words for a refusal, and does not say who it is.
    let words = "headroom: the Host header names another machine";
    let head = "HTTP/1.1 421 Misdirected Request\r\ncontent-length";
    let other = Upstream::answering(format!("{head}: {}\r\n\r\n{words}", words.len()));
    let output = doctor(home.path(), &[], &[("HEADROOM_LISTEN", &other.address.to_string())]);
    assert!(text(&output).contains("taken by another program"), "{}", text(&output));
    let older = Upstream::answering(ok(r#"{"name":"headroom","version":"0.0.1"}"#));
    let output = doctor(home.path(), &[], &[("HEADROOM_LISTEN", &older.address.to_string())]);
    assert!(text(&output).contains("note    proxy          0.0.1 runs at"), "{}", text(&output));
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let output = doctor(home.path(), &[], &[("HEADROOM_LISTEN", &address)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("taken by another program"), "{}", text(&output));
}

#[test]
fn a_store_that_cannot_be_used_is_broken() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let output = doctor(home.path(), &["--json"], &[("HEADROOM_HOME", file.to_str().unwrap())]);
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let store =
        json["findings"].as_array().unwrap().iter().find(|finding| finding["subject"] == "store").unwrap();
    assert_eq!(store["health"], "broken", "{json}");
}

#[test]
fn agents_that_are_installed_are_told_how_they_go_through() {
    let home = tempfile::tempdir().unwrap();
    let bin = home.path().join("bin");
    fs::create_dir(&bin).unwrap();
    fs::write(bin.join("claude"), "").unwrap();
    let path = bin.to_str().unwrap().to_owned();
    let output = doctor(home.path(), &[], &[("PATH", &path)]);
    assert!(text(&output).contains("run it as `headroom wrap claude`; "), "{}", text(&output));
    let proxy = Proxy::to(([127, 0, 0, 1], 1).into(), &[]);
    let (address, url) = (proxy.address.to_string(), format!("http://{}", proxy.address));
    let variables = [("PATH", path.as_str()), ("HEADROOM_LISTEN", &address), ("ANTHROPIC_BASE_URL", &url)];
    let output = doctor(home.path(), &[], &variables);
    assert!(text(&output).contains("goes through the proxy (ANTHROPIC_BASE_URL); "), "{}", text(&output));
}

#[test]
fn shells_and_man_know_every_command() {
    let commands = ["compress", "doctor", "inspect", "mcp", "proxy", "retrieve", "simulate", "wrap"];
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = headroom(&["completions", shell]).output().unwrap();
        assert!(
            output.status.success() && commands.iter().all(|name| text(&output).contains(name)),
            "{shell}"
        );
    }
    let output = headroom(&["man"]).output().unwrap();
    assert!(
        text(&output).contains(".TH headroom 1") && commands.iter().all(|name| text(&output).contains(name))
    );
    let folder = tempfile::tempdir().unwrap();
    let output = headroom(&["man", "--dir", folder.path().to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    for page in ["headroom.1", "headroom-wrap.1", "headroom-mcp-install.1"] {
        assert!(folder.path().join(page).exists(), "{page}");
    }
}
