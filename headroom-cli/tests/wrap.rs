//! Real agents through `headroom wrap`, against scripted upstreams. See `clients.rs` for what is installed where.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

#[path = "clients/setup.rs"]
mod setup;
mod support;

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tempfile::TempDir;

use self::{
    setup::{Clients, Finished, Mock, finish, workspace},
    support::{Proxy, headroom},
};

const TASK: &str = "Find out why orders fail.";
/// An agent takes seconds; more than this and it hangs.
const PATIENCE: Duration = Duration::from_secs(150);

/// What an agent needs beside us: an upstream that keeps what it gets, a home, a project.
struct Run {
    upstream: Mock,
    recorded: TempDir,
    home: TempDir,
    folder: TempDir,
    bin: TempDir,
}

impl Run {
    fn new(clients: &Clients, name: &str, program: &Path) -> Option<Self> {
        let (recorded, folder) = (tempfile::tempdir().unwrap(), workspace());
        let upstream = Mock::recording(clients, recorded.path(), folder.path(), false)?;
        let (home, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(program, bin.path().join(name)).unwrap();
        Some(Self { upstream, recorded, home, folder, bin })
    }

    /// A file of the user's, which must stay as it is.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// `headroom wrap` with the upstream where these variables say.
    fn wrap(&self, agent: &str, variables: &[(&str, String)], args: &[&str]) -> Finished {
        let store = tempfile::tempdir().unwrap();
        let mut command = headroom(&["wrap", agent, "--"]);
        let path = std::env::var("PATH").unwrap_or_default();
        command.args(args).env("PATH", format!("{}:{path}", self.bin.path().display()));
        command
            .env("HOME", self.home.path())
            .env("HEADROOM_HOME", store.path())
            .current_dir(self.folder.path());
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        finish(command, PATIENCE)
    }

    /// `headroom` for this user, with the proxy at this address.
    fn headroom(&self, args: &[&str], listen: SocketAddr, store: &Path) -> Command {
        let mut command = headroom(args);
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{}:{path}", self.bin.path().display()));
        command.env("HOME", self.home.path()).env("HEADROOM_HOME", store);
        command.env("HEADROOM_LISTEN", listen.to_string()).env("HEADROOM_UPSTREAM", self.url(""));
        command
    }

    /// Sets the agent up for good, runs it by itself, and undoes that.
    fn persisted(&self, agent: &str, file: &str, variables: &[(&str, String)], args: &[&str]) {
        let store = tempfile::tempdir().unwrap();
        let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let file = self.home.path().join(file);
        let before = fs::read(&file).ok();
        let done = |args: &[&str]| {
            let output = self.headroom(args, listen, store.path()).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        };
        done(&["wrap", agent, "--persist"]);
        let mut agent_itself = Command::new(self.bin.path().join(agent));
        let path = std::env::var("PATH").unwrap_or_default();
        agent_itself.args(args).env_clear().env("PATH", path).env("HOME", self.home.path());
        agent_itself.envs(variables.iter().map(|(name, value)| (name, value)));
        agent_itself.current_dir(self.folder.path());
        let proxy = Proxy::start(&mut self.headroom(&["proxy"], listen, store.path()));
        let output = finish(agent_itself, PATIENCE);
        assert!(output.success, "{}", output.text);
        // Otherwise the agent went past the proxy.
        proxy.wait_for("POST ");
        done(&["unwrap", agent]);
        assert_eq!(fs::read(&file).ok(), before, "{agent}");
    }

    /// What the upstream got on this path.
    fn requests(&self, path: &str) -> usize {
        let files = fs::read_dir(self.recorded.path()).unwrap().map(|file| file.unwrap().path());
        let heads = files.filter(|file| file.extension().is_some_and(|end| end == "json"));
        heads.filter(|file| fs::read_to_string(file).unwrap().contains(path)).count()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.upstream.address)
    }
}

/// The line at the end, which says that something was saved.
fn assert_saved(output: &Finished) {
    assert!(output.success, "{}", output.text);
    let receipt = output.text.lines().rev().find(|line| line.starts_with("headroom: "));
    let receipt = receipt.unwrap_or_else(|| panic!("no receipt: {}", output.text));
    eprintln!("{receipt}");
    assert!(receipt.ends_with(" saved") && receipt.contains(" requests, "), "{receipt}\n{}", output.text);
    assert!(!output.text.contains("headroom_retrieve"), "the user sees our tool: {}", output.text);
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_completes_its_task() {
    let Some(clients) = Clients::get() else { return };
    let Some(run) = Run::new(clients, "claude", &clients.claude) else { return };
    // A gateway in the settings, which Claude Code lets go before its environment.
    let settings = format!(r#"{{"env": {{"ANTHROPIC_BASE_URL": "{}"}}}}"#, run.url(""));
    let file = run.write(".claude/settings.json", &settings);
    let quiet = ["DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_AUTOUPDATER"];
    let mut variables = quiet.map(|name| (name, "1".to_owned())).to_vec();
    variables.push(("ANTHROPIC_API_KEY", "sk-ant-dummy".to_owned()));
    let output = run.wrap(
        "claude",
        &variables,
        &["-p", TASK, "--allowedTools", "Bash", "Read", "Grep", "--output-format", "json"],
    );
    assert_saved(&output);
    assert!(output.text.contains(r#""is_error":false"#), "{}", output.text);
    assert!(run.requests("/v1/messages") >= 3);
    assert_eq!(fs::read_to_string(file).unwrap(), settings);
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn codex_completes_its_task() {
    let Some(clients) = Clients::get() else { return };
    let Some(run) = Run::new(clients, "codex", &clients.codex) else { return };
    let config = format!("model = 'gpt-5.5'\nopenai_base_url = '{}'\n", run.url("/v1"));
    let file = run.write(".codex/config.toml", &config);
    let keys = ["OPENAI_API_KEY", "CODEX_API_KEY"].map(|name| (name, "sk-dummy".to_owned()));
    let output = run.wrap("codex", &keys, &["exec", "--skip-git-repo-check", "--json", TASK]);
    assert_saved(&output);
    assert!(output.text.contains(r#""type":"turn.completed""#), "{}", output.text);
    assert!(run.requests("/v1/responses") >= 3);
    assert_eq!(fs::read_to_string(file).unwrap(), config);
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn opencode_completes_its_task() {
    let Some(clients) = Clients::get() else { return };
    let Some(run) = Run::new(clients, "opencode", &clients.opencode) else { return };
    // Without a schema it adds one.
    let config = serde_json::json!({"$schema": "https://opencode.ai/config.json", "provider": {"openai": {"options": {"baseURL": run.url("/v1"), "apiKey": "sk-dummy"}}}});
    let file = run.write(".config/opencode/opencode.json", &config.to_string());
    let offline =
        ["OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_AUTOUPDATE"].map(|name| (name, "1".to_owned()));
    let output = run.wrap("opencode", &offline, &["run", "-m", "openai/gpt-5.2", TASK]);
    assert_saved(&output);
    assert!(run.requests("/v1/") >= 3);
    assert_eq!(fs::read_to_string(file).unwrap(), config.to_string());
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn gemini_cli_completes_its_task() {
    let Some(clients) = Clients::get() else { return };
    let Some(run) = Run::new(clients, "gemini", &clients.gemini) else { return };
    let settings = r#"{"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": false}}"#;
    run.write(".gemini/settings.json", settings);
    let variables = [
        ("GOOGLE_GEMINI_BASE_URL", run.url("")),
        ("GEMINI_API_KEY", "dummy".to_owned()),
        ("GEMINI_CLI_TRUST_WORKSPACE", "true".to_owned()),
    ];
    let output = run.wrap("gemini", &variables, &["-p", TASK, "--approval-mode", "yolo"]);
    assert_saved(&output);
    assert!(run.requests("/v1beta/models") >= 3);
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn aider_completes_its_task() {
    let Some(clients) = Clients::get() else { return };
    let Some(aider) = clients.aider() else { return };
    let Some(run) = Run::new(clients, "aider", &aider) else { return };
    let variables = [
        ("OPENAI_API_BASE", run.url("/v1")),
        ("OPENAI_API_KEY", "sk-dummy".to_owned()),
        // Else it asks the network for prices first.
        ("LITELLM_LOCAL_MODEL_COST_MAP", "True".to_owned()),
    ];
    let args = [
        "--model",
        "openai/gpt-4o",
        "--no-git",
        "--yes-always",
        "--no-check-update",
        "--analytics-disable",
        "--no-show-model-warnings",
        "--message",
        TASK,
    ];
    let output = run.wrap("aider", &variables, &args);
    assert!(output.success, "{}", output.text);
    assert!(run.requests("/v1/chat/completions") >= 1, "{}", output.text);
    // It has no tools: files stand in what the user says, which is never edited.
    assert!(output.text.contains("nothing to save in their tool results"), "{}", output.text);
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn agents_that_are_set_up_for_good_go_through_the_proxy_by_themselves() {
    let Some(clients) = Clients::get() else { return };
    let run = |name: &str, program: &Path| Run::new(clients, name, program);
    let key = |name: &'static str| (name, "sk-dummy".to_owned());
    if let Some(run) = run("claude", &clients.claude) {
        run.write(".claude/settings.json", "{\n  \"cleanupPeriodDays\": 30\n}\n");
        let quiet = ["DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_AUTOUPDATER"];
        let mut variables = quiet.map(|name| (name, "1".to_owned())).to_vec();
        variables.push(key("ANTHROPIC_API_KEY"));
        run.persisted(
            "claude",
            ".claude/settings.json",
            &variables,
            &["-p", TASK, "--allowedTools", "Bash", "Read"],
        );
        assert!(run.requests("/v1/messages") >= 3);
    }
    if let Some(run) = run("codex", &clients.codex) {
        run.write(".codex/config.toml", "model = 'gpt-5.5'\n");
        let keys = [key("OPENAI_API_KEY"), key("CODEX_API_KEY")];
        run.persisted("codex", ".codex/config.toml", &keys, &["exec", "--skip-git-repo-check", TASK]);
        assert!(run.requests("/v1/responses") >= 3);
    }
    if let Some(run) = run("opencode", &clients.opencode) {
        let mut variables = ["OPENCODE_DISABLE_MODELS_FETCH", "OPENCODE_DISABLE_AUTOUPDATE"]
            .map(|name| (name, "1".to_owned()))
            .to_vec();
        variables.push(key("OPENAI_API_KEY"));
        run.persisted(
            "opencode",
            ".config/opencode/opencode.json",
            &variables,
            &["run", "-m", "openai/gpt-5.2", TASK],
        );
        assert!(run.requests("/v1/") >= 3);
    }
    if let Some(run) = run("gemini", &clients.gemini) {
        run.write(
            ".gemini/settings.json",
            r#"{"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": false}}"#,
        );
        let variables = [key("GEMINI_API_KEY"), ("GEMINI_CLI_TRUST_WORKSPACE", "true".to_owned())];
        run.persisted("gemini", ".gemini/.env", &variables, &["-p", TASK, "--approval-mode", "yolo"]);
        assert!(run.requests("/v1beta/models") >= 3);
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn aider_that_is_set_up_for_good_goes_through_the_proxy_by_itself() {
    let Some(clients) = Clients::get() else { return };
    let Some(aider) = clients.aider() else { return };
    let Some(run) = Run::new(clients, "aider", &aider) else { return };
    let variables = [
        ("OPENAI_API_KEY", "sk-dummy".to_owned()),
        ("ANTHROPIC_API_KEY", "sk-dummy".to_owned()),
        ("LITELLM_LOCAL_MODEL_COST_MAP", "True".to_owned()),
    ];
    run.write(".aider.conf.yml", "# mine\nanalytics-disable: true\n");
    for model in ["openai/gpt-4o", "anthropic/claude-sonnet-4-5"] {
        let args =
            ["--model", model, "--no-git", "--yes-always", "--no-check-update", "--no-show-model-warnings"];
        run.persisted("aider", ".aider.conf.yml", &variables, &[&args[..], &["--message", TASK]].concat());
    }
    assert!(run.requests("/v1/chat/completions") >= 1 && run.requests("/v1/messages") >= 1);
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn rtk_is_put_before_the_shell_of_claude_code_for_one_run() {
    let Some(clients) = Clients::get() else { return };
    let Some(rtk) = clients.rtk() else { return };
    let Some(run) = Run::new(clients, "claude", &clients.claude) else { return };
    symlink(rtk, run.bin.path().join("rtk")).unwrap();
    let quiet = ["DISABLE_TELEMETRY", "DISABLE_ERROR_REPORTING", "DISABLE_AUTOUPDATER"];
    let mut variables = quiet.map(|name| (name, "1".to_owned())).to_vec();
    variables.push(("ANTHROPIC_API_KEY", "sk-ant-dummy".to_owned()));
    variables.push(("ANTHROPIC_BASE_URL", run.url("")));
    variables.push(("HEADROOM_CONTEXT_TOOL", "rtk".to_owned()));
    let output = run.wrap("claude", &variables, &["-p", TASK, "--allowedTools", "Bash", "Read", "Grep"]);
    assert!(output.success, "{}", output.text);
    // The model asks for `ls -la`, whose lines RTK writes without owners and modes.
    let bodies = fs::read_dir(run.recorded.path()).unwrap().map(|file| file.unwrap().path());
    let bodies = bodies.filter(|file| file.extension().is_some_and(|end| end == "body"));
    let results: String = bodies.map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
    assert!(
        results.contains("report.sh") && !results.contains("rwxr-xr-x"),
        "RTK was not used: {}",
        output.text
    );
    assert!(!run.home.path().join(".claude/settings.json").exists(), "a hook is left behind");
}
