use std::{fs, path::Path, process::Command};

use super::{
    PATIENCE, TASK, bodies, clean,
    setup::{Clients, Mock, finish, workspace},
    support::Proxy,
};

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

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn codex_works_and_sends_less() {
    let Some(clients) = Clients::get() else { return };
    let (recorded, folder) = (tempfile::tempdir().unwrap(), workspace());
    let Some(upstream) = Mock::recording(clients, recorded.path(), folder.path(), false) else { return };
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
    proxy.wait_for("GET /v1/responses 426");
}
