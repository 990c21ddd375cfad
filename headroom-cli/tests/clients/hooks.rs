//! Claude Code with Headroom's hook, and no proxy.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use super::{
    PATIENCE, TASK, clean, lines,
    setup::{Clients, Mock, finish, workspace},
    support::headroom,
};

/// Claude Code in front of a provider that enforces its rules.
struct Direct<'a> {
    clients: &'a Clients,
    upstream: &'a Mock,
    home: &'a Path,
    folder: &'a Path,
}

impl Direct<'_> {
    fn turn(&self, args: &[&str]) -> String {
        let mut claude = Command::new(&self.clients.claude);
        clean(&mut claude, self.home, self.folder);
        claude
            .env("ANTHROPIC_BASE_URL", format!("http://{}", self.upstream.address))
            .env("ANTHROPIC_API_KEY", "sk-ant-dummy")
            .envs([
                ("DISABLE_TELEMETRY", "1"),
                ("DISABLE_ERROR_REPORTING", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
                // All tools are in the first request, so that the model of the test finds Headroom's.
                ("ENABLE_TOOL_SEARCH", "false"),
            ])
            .args(args)
            .args(["--allowedTools", "Bash", "Grep", "--output-format", "json"]);
        let output = finish(claude, PATIENCE);
        assert!(output.success, "{args:?}: {}", output.text);
        let result: Value = serde_json::from_str(&output.text).unwrap();
        assert_eq!(result["is_error"], false, "{args:?}: {result}");
        assert_eq!(result["permission_denials"], json!([]), "{result}");
        self.transcript()
    }

    fn transcript(&self) -> String {
        let projects = self.home.join(".claude/projects");
        let folders = fs::read_dir(projects).unwrap().map(|folder| folder.unwrap().path());
        let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
        files.filter(|file| file.is_file()).map(|file| fs::read_to_string(file).unwrap()).collect()
    }

    fn headroom(&self, args: &[&str]) {
        let output = headroom(args).env("HOME", self.home).current_dir(self.folder).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Whether the provider refused nothing and dropped no thinking.
fn check_rules(requests: &[Value]) {
    assert!(!requests.is_empty());
    for request in requests {
        assert!(request["err"].is_null(), "refused: {request}");
        assert_eq!(request["dropped"].as_array().map(Vec::len), Some(0), "thinking was dropped: {request}");
    }
}

/// The same for one conversation, of which more is read from the cache each time.
fn check(requests: &[Value]) {
    check_rules(requests);
    let mut read = 0;
    for request in requests {
        let now = request["usage"]["cache_read_input_tokens"].as_u64().unwrap();
        assert!(now >= read, "the prompt cache was missed: {requests:?}");
        read = now;
    }
}

/// The original of the report.
fn original(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let texts = files.filter(|path| path.is_file()).filter_map(|path| fs::read_to_string(path).ok());
    texts.into_iter().find(|text| text.contains("request of order")).expect("the report is stored")
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_sees_less_by_the_hook_and_reads_the_rest_from_a_file() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let log = data.path().join("upstream.jsonl");
    let Some(upstream) = Mock::strict_with_files(clients, &log, folder.path()) else { return };
    let claude = Direct { clients, upstream: &upstream, home: home.path(), folder: folder.path() };
    claude.headroom(&["hook", "install", "claude"]);
    let transcript = claude.turn(&["-p", TASK]);
    let marker = transcript.find("[headroom:").expect("the output of the report has a marker");
    assert!(transcript[marker..].contains(".headroom/plaintext/"), "the marker names a file");
    claude.turn(&["-c", "-p", "And since when?"]);
    let requests = lines(&log);
    check(&requests);
    assert!(requests.iter().any(|request| request["calls"].to_string().contains("Read")), "{requests:?}");
    // The agent was shown all of the file that the marker names, without being asked for leave.
    let original = original(&home.path().join(".headroom/plaintext"));
    let line = original.lines().nth(9).unwrap();
    let transcript = claude.transcript();
    assert!(
        transcript.contains(&format!("10\\t{line}")) || transcript.contains(&format!("10→{line}")),
        "{line}"
    );

    claude.headroom(&["hook", "uninstall", "claude"]);
    assert!(!home.path().join(".claude/settings.json").exists(), "it did not exist before");
    let markers = claude.transcript().matches("[headroom:").count();
    claude.turn(&["-p", "Look again."]);
    assert!(
        claude.transcript().matches("[headroom:").count() <= markers + 1,
        "no new results become smaller"
    );
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_retrieves_by_the_tool_where_it_has_it() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let log = data.path().join("upstream.jsonl");
    let Some(upstream) = Mock::strict_with_mcp(clients, &log, folder.path()) else { return };
    let claude = Direct { clients, upstream: &upstream, home: home.path(), folder: folder.path() };
    claude.headroom(&["mcp", "install", "claude"]);
    claude.headroom(&["hook", "install", "claude"]);
    let transcript = claude.turn(&["-p", TASK]);
    let requests = lines(&log);
    check(&requests);
    let called = |request: &Value| request["calls"].to_string().contains("mcp__headroom__headroom_retrieve");
    assert!(requests.iter().any(called), "{requests:?}");
    // A line that the marker stood for.
    let report = fs::read_to_string(folder.path().join("report.sh")).unwrap();
    let shown = report.lines().skip(20).take(60).filter(|line| transcript.contains(*line)).count();
    assert!(shown >= 50, "{shown} of 60 lines");
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_goes_on_if_the_hook_cannot() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let log = data.path().join("upstream.jsonl");
    let Some(upstream) = Mock::strict(clients, &log, folder.path(), &[]) else { return };
    let claude = Direct { clients, upstream: &upstream, home: home.path(), folder: folder.path() };
    claude.headroom(&["hook", "install", "claude"]);
    // There is no room for originals.
    fs::create_dir(home.path().join(".headroom")).unwrap();
    std::os::unix::fs::symlink("/dev/full", home.path().join(".headroom/plaintext")).unwrap();
    assert!(!claude.turn(&["-p", TASK]).contains("[headroom:"));
    check(&lines(&log));
    // The program is gone, or does not answer.
    let settings = home.path().join(".claude/settings.json");
    let text = fs::read_to_string(&settings).unwrap();
    for (command, timeout) in [("/gone/headroom hook run claude", 10), ("sleep 60; x hook run claude", 1)] {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        value["hooks"]["PostToolUse"][0]["hooks"][0]["command"] = json!(command);
        value["hooks"]["PostToolUse"][0]["hooks"][0]["timeout"] = json!(timeout);
        fs::write(&settings, value.to_string()).unwrap();
        assert!(!claude.turn(&["-p", TASK]).contains("[headroom:"), "{command}");
        check_rules(&lines(&log));
    }
}
