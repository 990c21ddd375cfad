//! Agents against a provider that somebody else wrote.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    PATIENCE, TASK, clean, lines,
    setup::{Clients, Mock, finish, workspace},
    stored,
    support::Proxy,
};

/// What both agents go through: a report is set aside in part, the model asks for four lines of it, the provider is
/// busy for a moment behind that, and the agent has more to do.
struct Setup {
    folder: TempDir,
    data: TempDir,
    home: TempDir,
    proxy: Proxy,
    _upstream: Mock,
}

impl Setup {
    fn new(clients: &Clients) -> Option<Self> {
        let (folder, data) = (workspace(), tempfile::tempdir().unwrap());
        let upstream = Mock::aimock(clients, &data.path().join("upstream.jsonl"))?;
        let proxy = stored(upstream.address, &data.path().join("store"), None);
        Some(Self { folder, data, home: tempfile::tempdir().unwrap(), proxy, _upstream: upstream })
    }

    fn requests(&self) -> Vec<Value> {
        lines(&self.data.path().join("upstream.jsonl"))
    }

    /// Whether the model got what it asked for, unseen by the client, whose output this is.
    fn check(&self, output: &str) {
        let requests = self.requests();
        let answered = |request: &&Value| request["told"].to_string().contains("lines 12-15 of ");
        let hidden: Vec<_> = requests.iter().filter(answered).collect();
        assert!(hidden.len() >= 2, "asked again after it was busy: {requests:#?}");
        // Exact lines of the report, which nobody had shown it.
        let report = fs::read_to_string(self.folder.path().join("report.sh")).unwrap();
        let told = |request: &Value, line: &str| request["told"].to_string().contains(line);
        let shown = |line: &str| requests.iter().any(|request| !answered(&request) && told(request, line));
        let fetched = report.lines().filter(|line| told(hidden[0], line) && !shown(line)).count();
        assert!(fetched >= 2, "{requests:#?}");
        // What was exchanged behind the client's back stood in its place when the client went on.
        let called = requests.last().unwrap()["called"].as_array().unwrap();
        assert_eq!(called.len(), 3, "{called:?}");
        assert_eq!(called[1], "headroom_retrieve", "{called:?}");
        assert!(output.contains("All done.") && !output.contains("headroom_retrieve"), "{output}");
        assert!(!self.proxy.stderr().contains(" 400 "), "{}", self.proxy.stderr());
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn codex_works_with_a_provider_by_aimock() {
    let Some(setup) = Clients::get().and_then(Setup::new) else { return };
    let clients = Clients::get().unwrap();
    let config = format!(
        "model = 'gpt-5.5'\nmodel_provider = 'mock'\n[model_providers.mock]\nname = 'mock'\n\
         base_url = 'http://{}/v1'\nwire_api = 'responses'\nenv_key = 'OPENAI_API_KEY'\n",
        setup.proxy.address
    );
    fs::write(setup.home.path().join("config.toml"), config).unwrap();
    let turn = |args: &[&str]| {
        let mut codex = Command::new(&clients.codex);
        clean(&mut codex, setup.home.path(), setup.folder.path());
        codex.env("CODEX_HOME", setup.home.path()).env("OPENAI_API_KEY", "sk-dummy");
        codex.args(["exec", "--skip-git-repo-check", "--json", "--dangerously-bypass-approvals-and-sandbox"]);
        let output = finish(
            {
                codex.args(args);
                codex
            },
            PATIENCE,
        );
        assert!(output.success, "{}\n{}", output.text, setup.proxy.stderr());
        output.text
    };
    setup.check(&turn(&[TASK]));
    let before = setup.requests().len();
    turn(&["resume", "--last", "And since when?"]);
    let later = &setup.requests()[before];
    assert_eq!(later["called"][1], "headroom_retrieve", "it is put back into later turns: {later}");
    assert_eq!(later["answer"]["content"], "All done.", "nothing is fetched again");
    assert!(!knows_our_tool(setup.home.path()), "the client sees our tool");
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn gemini_cli_works_with_a_provider_by_aimock() {
    let Some(setup) = Clients::get().and_then(Setup::new) else { return };
    let clients = Clients::get().unwrap();
    let settings = r#"{"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false}}"#;
    fs::create_dir(setup.home.path().join(".gemini")).unwrap();
    fs::write(setup.home.path().join(".gemini/settings.json"), settings).unwrap();
    let turn = |args: &[&str]| {
        let mut gemini = Command::new(&clients.gemini);
        clean(&mut gemini, setup.home.path(), setup.folder.path());
        gemini
            .env("GEMINI_API_KEY", "dummy")
            .env("GEMINI_CLI_TRUST_WORKSPACE", "true")
            .env("GOOGLE_GEMINI_BASE_URL", format!("http://{}", setup.proxy.address))
            .args(["--approval-mode", "yolo", "--output-format", "json"])
            .args(args);
        let output = finish(gemini, PATIENCE);
        assert!(output.success, "{}\n{}", output.text, setup.proxy.stderr());
        output.text
    };
    setup.check(&turn(&["-p", TASK]));
    // It goes on with the results of its calls doubled, so the exchange has no place any more.
    assert!(turn(&["--resume", "latest", "-p", "And since when?"]).contains("All done."));
    assert!(!knows_our_tool(setup.home.path()), "the client sees our tool");
}

/// Whether the tool is in anything that an agent keeps.
fn knows_our_tool(home: &Path) -> bool {
    let found = Command::new("grep").args(["-rlF", "headroom_retrieve"]).arg(home).output();
    !found.unwrap().stdout.is_empty()
}
