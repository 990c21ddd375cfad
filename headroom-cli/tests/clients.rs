//! Real agents through the proxy, against scripted upstreams.
//!
//! The agents are installed with npm and the upstreams' Python packages with pip, into `target/clients` or the folder
//! that `HEADROOM_CLIENTS` names. The upstreams are in the folder that `HEADROOM_SHARED` names. Where any of this
//! cannot be had, a test says so and passes.
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

use std::{fs, path::Path, process::Command, time::Duration};

use serde_json::Value;

use self::{
    setup::{Clients, Mock, finish, workspace},
    support::Proxy,
};

const TASK: &str = "Find out why orders fail.";
/// An agent takes seconds; more than this and it hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What stands in the agents' environment, and nothing else does.
fn clean(command: &mut Command, home: &Path, folder: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home).current_dir(folder);
}

fn lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn claude_code_works_and_breaks_no_rule_of_the_provider() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder) = (tempfile::tempdir().unwrap(), workspace());
    let log = home.path().join("upstream.jsonl");
    let Some(upstream) = Mock::start(clients, "strict_anthropic.py", &[log.as_os_str()], folder.path())
    else {
        return;
    };
    let proxy = Proxy::to(upstream.address, &["--log", "info"]);

    for (turn, resume) in [(1, None), (2, Some("-c"))] {
        let mut claude = Command::new(&clients.claude);
        clean(&mut claude, home.path(), folder.path());
        claude
            .env("ANTHROPIC_BASE_URL", format!("http://{}", proxy.address))
            .env("ANTHROPIC_API_KEY", "sk-ant-dummy")
            .envs([
                ("DISABLE_TELEMETRY", "1"),
                ("DISABLE_ERROR_REPORTING", "1"),
                ("DISABLE_AUTOUPDATER", "1"),
            ])
            .args(resume)
            .args(["-p", TASK, "--allowedTools", "Bash", "Read", "Grep", "--output-format", "json"]);
        let output = finish(claude, PATIENCE);
        assert!(output.success, "turn {turn}: {}\n{}", output.text, proxy.stderr());
        let result: Value = serde_json::from_str(&output.text).unwrap();
        assert_eq!(result["is_error"], false, "turn {turn}: {result}");
        assert!(!output.text.contains("headroom_retrieve"), "turn {turn}: the client sees our tool");
    }

    let requests = lines(&log);
    let mut read = 0;
    for request in &requests {
        assert!(request["err"].is_null(), "refused: {request}");
        assert_eq!(request["dropped"].as_array().map(Vec::len), Some(0), "thinking was dropped: {request}");
        let now = request["usage"]["cache_read_input_tokens"].as_u64().unwrap();
        assert!(now >= read, "the prompt cache was missed: {requests:?}");
        read = now;
    }
    assert!(requests.len() >= 5 && read > 0, "{requests:?}");
    let stderr = proxy.stderr();
    assert!(stderr.contains(" saved"), "nothing became smaller: {stderr}");
    assert!(!stderr.contains(" 400 "), "{stderr}");
}

/// Runs Codex with this provider and gives the bodies that the upstream got.
fn codex(clients: &Clients, upstream: &Mock, recorded: &Path, folder: &Path, config: &str) -> Vec<Vec<u8>> {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("config.toml"), config).unwrap();
    let before = bodies(recorded).len();
    let mut codex = Command::new(&clients.codex);
    clean(&mut codex, home.path(), folder);
    codex.env("CODEX_HOME", home.path()).env("OPENAI_API_KEY", "sk-dummy").env("CODEX_API_KEY", "sk-dummy");
    codex.args(["exec", "--skip-git-repo-check", "--json", TASK]);
    let output = finish(codex, PATIENCE);
    assert!(output.success, "{}\n{:?}", output.text, upstream.address);
    assert!(output.text.contains(r#""type":"turn.completed""#), "{}", output.text);
    bodies(recorded).split_off(before)
}

fn bodies(recorded: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(recorded).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "body")).collect();
    files.sort();
    files.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn codex_works_and_sends_less() {
    let Some(clients) = Clients::get() else { return };
    let (recorded, folder) = (tempfile::tempdir().unwrap(), workspace());
    let args = [recorded.path().as_os_str()];
    let Some(upstream) = Mock::start(clients, "recording_upstream.py", &args, folder.path()) else { return };
    let proxy = Proxy::to(upstream.address, &["--log", "info"]);
    let own_provider = |address| {
        format!(
            "model = 'gpt-5.5'\nmodel_provider = 'mock'\n[model_providers.mock]\nname = 'mock'\n\
             base_url = 'http://{address}/v1'\nwire_api = 'responses'\nenv_key = 'OPENAI_API_KEY'\n"
        )
    };
    let run = |config: String| codex(clients, &upstream, recorded.path(), folder.path(), &config);
    let direct = run(own_provider(upstream.address));
    let proxied = run(own_provider(proxy.address));
    assert_eq!(direct.len(), proxied.len());
    // Most of a body is the agent's own instructions.
    let size = |bodies: &[Vec<u8>]| bodies.last().unwrap().len();
    assert!(size(&proxied) < size(&direct) * 9 / 10, "{} of {}", size(&proxied), size(&direct));
    assert!(!proxy.stderr().contains(" 400 "), "{}", proxy.stderr());

    // The built-in provider tries a WebSocket first.
    let refused = run(format!("model = 'gpt-5.5'\nopenai_base_url = 'http://{}/v1'\n", proxy.address));
    assert_eq!(refused.len(), direct.len(), "full history over HTTP");
    assert!(proxy.stderr().contains("GET /v1/responses 426"), "{}", proxy.stderr());
}
