use std::{path::Path, process::Command};

use serde_json::Value;

use super::{
    PATIENCE, TASK, bodies, check, clean, lines,
    setup::{Clients, Mock, finish, workspace},
    stored,
    support::{Proxy, headroom},
};

/// Claude Code in its folder, and what it is pointed at.
pub(crate) struct Claude<'a> {
    pub(crate) clients: &'a Clients,
    pub(crate) home: &'a Path,
    pub(crate) folder: &'a Path,
    pub(crate) variables: &'a [(&'a str, &'a str)],
}

impl Claude<'_> {
    /// Runs it to the end of a turn.
    pub(crate) fn turn(&self, proxy: &Proxy, args: &[&str]) {
        let mut claude = Command::new(&self.clients.claude);
        clean(&mut claude, self.home, self.folder);
        claude
            .env("ANTHROPIC_BASE_URL", format!("http://{}", proxy.address))
            .env("ANTHROPIC_API_KEY", "sk-ant-dummy")
            .envs([
                ("DISABLE_TELEMETRY", "1"),
                ("DISABLE_ERROR_REPORTING", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
            ])
            .envs(self.variables.iter().copied())
            .args(args)
            .args(["--allowedTools", "Bash", "Read", "Grep", "Agent", "--output-format", "json"]);
        let output = finish(claude, PATIENCE);
        assert!(output.success, "{args:?}: {}\n{}", output.text, proxy.stderr());
        let result: Value = serde_json::from_str(&output.text).unwrap();
        assert_eq!(result["is_error"], false, "{args:?}: {result}");
        assert!(!self.knows_our_tool(), "{args:?}: the client sees our tool");
    }

    /// Whether the tool is in any transcript.
    fn knows_our_tool(&self) -> bool {
        self.has("headroom_retrieve")
    }

    /// Whether this is in any transcript.
    fn has(&self, text: &str) -> bool {
        let found = Command::new("grep").args(["-rlF", text]).arg(self.home.join(".claude")).output();
        !found.unwrap().stdout.is_empty()
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_works_and_breaks_no_rule_of_the_provider() {
    let Some(clients) = Clients::get() else { return };
    for args in [&[][..], &["--parallel"]] {
        let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
        let (log, store) = (data.path().join("upstream.jsonl"), data.path().join("store"));
        let Some(upstream) = Mock::strict(clients, &log, folder.path(), args) else { return };
        let claude = Claude { clients, home: home.path(), folder: folder.path(), variables: &[] };
        let proxy = stored(upstream.address, &store, None);
        claude.turn(&proxy, &["-p", TASK]);
        // Something became smaller.
        proxy.wait_for(" saved");

        // Another process takes over between two turns.
        let address = proxy.address;
        drop(proxy);
        let proxy = stored(upstream.address, &store, Some(address));
        claude.turn(&proxy, &["-c", "-p", "And since when?"]);
        let requests = lines(&log);
        assert!(requests.len() >= 5, "{requests:?}");
        check(&requests);
        assert!(!proxy.stderr().contains(" 400 "), "{}", proxy.stderr());

        // Compacted, what stays of the conversation is bound to what is gone. The client knows, and tries again.
        claude.turn(&proxy, &["-c", "-p", "/compact"]);
        let compacted = lines(&log).len();
        claude.turn(&proxy, &["-c", "-p", "What is to be done?"]);
        let after = lines(&log).split_off(compacted);
        let accepted: Vec<_> = after.into_iter().skip_while(|request| !request["err"].is_null()).collect();
        check(&accepted);
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_works_with_threads_that_it_is_led_away_from() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let log = data.path().join("upstream.jsonl");
    let Some(upstream) = Mock::strict(clients, &log, folder.path(), &[]) else { return };
    let variables = &[("CLAUDE_CODE_TETHER_LIVE", "1")];
    let claude = Claude { clients, home: home.path(), folder: folder.path(), variables };
    let proxy = stored(upstream.address, &data.path().join("store"), None);
    claude.turn(&proxy, &["-p", TASK]);
    claude.turn(&proxy, &["-c", "-p", "And since when?"]);
    check(&lines(&log));
    // A thread was asked for.
    proxy.wait_for("POST /v1/messages 404");
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_works_with_agents_under_it() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let recorded = data.path().join("recorded");
    let Some(upstream) = Mock::recording(clients, &recorded, folder.path(), true) else { return };
    let claude = Claude { clients, home: home.path(), folder: folder.path(), variables: &[] };
    let proxy = stored(upstream.address, &data.path().join("store"), None);
    claude.turn(&proxy, &["-p", TASK]);
    let bodies = bodies(&recorded);
    let delegated = |body: &&Vec<u8>| String::from_utf8_lossy(body).contains("Look at app.log for errors");
    assert!(bodies.iter().filter(delegated).count() >= 2, "{} requests", bodies.len());
    assert!(!proxy.stderr().contains(" 400 "), "{}", proxy.stderr());
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_reads_what_was_set_aside_from_files() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let (log, originals_dir) = (data.path().join("upstream.jsonl"), data.path().join("plaintext"));
    let Some(upstream) = Mock::strict_with_files(clients, &log, folder.path()) else { return };
    let claude = Claude { clients, home: home.path(), folder: folder.path(), variables: &[] };
    let args = ["--retrieval", "file", "--originals-dir", originals_dir.to_str().unwrap()];
    let proxy = Proxy::to(upstream.address, &[&["--log", "info", "--store", "memory"][..], &args].concat());
    // Without leave to read outside of its project it would ask, and nobody answers here.
    claude.turn(&proxy, &["--add-dir", originals_dir.to_str().unwrap(), "-p", TASK]);
    let address = proxy.address.to_string();
    drop(proxy);
    let mut again =
        headroom(&["proxy", "--log", "info", "--listen", &address, "--store", "memory", "--upstream"]);
    let proxy = Proxy::start(again.arg(format!("http://{}", upstream.address)).args(args));
    claude.turn(&proxy, &["--add-dir", originals_dir.to_str().unwrap(), "-c", "-p", "And since when?"]);

    let requests = lines(&log);
    let mut read = 0;
    for request in &requests {
        assert!(request["err"].is_null(), "refused: {request}");
        assert_eq!(request["dropped"].as_array().map(Vec::len), Some(0), "thinking was dropped: {request}");
        let now = request["usage"]["cache_read_input_tokens"].as_u64().unwrap();
        assert!(now >= read, "the prompt cache was missed: {requests:?}");
        read = now;
    }
    assert!(requests.iter().any(|request| request["calls"].to_string().contains("Read")), "{requests:?}");
    // The client has read what the marker stood for: all of the report, in its own tool's words.
    let files: Vec<_> = std::fs::read_dir(&originals_dir).unwrap().map(|file| file.unwrap().path()).collect();
    let original = files
        .iter()
        .filter(|path| path.is_file())
        .find_map(|path| std::fs::read_to_string(path).ok().filter(|text| text.contains("request of order")));
    let original = original.expect("the report is in the plaintext store");
    let line = original.lines().nth(9).unwrap();
    assert!(claude.has(&format!("10\\t{line}")) || claude.has(&format!("10→{line}")), "{line}");
    assert!(!proxy.stderr().contains(" 400 "), "{}", proxy.stderr());
}
