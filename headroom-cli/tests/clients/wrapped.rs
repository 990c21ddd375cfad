//! Real agents by `headroom wrap`: one turn with calls of tools, against an upstream that speaks all APIs.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

use super::{
    PATIENCE, TASK, bodies,
    setup::{Clients, Mock, NPM_INSTALL, finish, run, workspace},
    support::{headroom, skipped},
};

/// An agent of an npm package.
struct Wrapped {
    /// Its name for `headroom wrap`.
    agent: &'static str,
    package: &'static str,
    arguments: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
}

/// A Node that all of them run on.
const NODE: &str = "node@22.23.3";
const KEYS: [(&str, &str); 4] = [
    ("ANTHROPIC_API_KEY", "sk-ant-dummy"),
    ("OPENAI_API_KEY", "sk-dummy"),
    ("GEMINI_API_KEY", "dummy"),
    ("GOOGLE_GENERATIVE_AI_API_KEY", "dummy"),
];

impl Wrapped {
    /// Runs it, and looks at what the upstream got and what the agent shows.
    fn runs(&self, prepare: impl Fn(&Path)) {
        let Some(clients) = Clients::get() else { return };
        let Some(node) = npm_program(clients, NODE, "node") else { return };
        let Some(program) = npm_program(clients, self.package, self.agent) else { return };
        let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
        let recorded = data.path().join("recorded");
        let Some(upstream) = Mock::recording(clients, &recorded, folder.path(), false) else { return };
        prepare(home.path());
        let upstream = format!("http://{}", upstream.address);
        let mut wrap = headroom(&["wrap", self.agent, "--upstream", &upstream, "--"]);
        let path = env::join_paths(
            [program.parent().unwrap().to_owned(), node.parent().unwrap().to_owned()]
                .into_iter()
                .chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())),
        );
        wrap.args(self.arguments).arg(TASK).current_dir(folder.path());
        wrap.env("PATH", path.unwrap())
            .env("HOME", home.path())
            .envs(KEYS)
            .envs(self.variables.iter().copied());
        let output = finish(wrap, PATIENCE);
        assert!(output.success, "{}: {}", self.agent, output.text);
        assert!(output.text.contains("payment worker"), "{}: no answer: {}", self.agent, output.text);
        assert!(!output.text.contains("headroom_retrieve"), "{}: {}", self.agent, output.text);
        let receipt =
            output.text.lines().find(|line| line.starts_with("headroom: ") && line.contains(" request"));
        assert!(receipt.is_some_and(|line| line.contains(" saved")), "{}: {}", self.agent, output.text);
        let bodies = bodies(&recorded);
        let last = String::from_utf8_lossy(bodies.last().unwrap());
        let with_tool =
            bodies.iter().filter(|body| String::from_utf8_lossy(body).contains("headroom_retrieve"));
        assert!(with_tool.count() >= 2, "{}: the tool was not offered: {last}", self.agent);
        assert!(!knows_our_tool(home.path()), "{}: the client sees our tool", self.agent);
    }
}

/// A program of an npm package, in a folder of its own. `None` if it cannot be installed.
fn npm_program(clients: &Clients, package: &str, program: &str) -> Option<PathBuf> {
    let folder = clients.folder.join("npm").join(package.replace(['/', '@'], "_"));
    let path = folder.join("node_modules/.bin").join(program);
    let install = || {
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        fs::write(folder.join("package.json"), r#"{"private":true}"#).map_err(|error| error.to_string())?;
        run(Command::new("npm").args(NPM_INSTALL).arg(package).current_dir(&folder), "npm install")
    };
    if !path.exists()
        && let Err(reason) = install()
    {
        skipped(&reason);
        return None;
    }
    Some(path).filter(|path| path.exists())
}

/// Whether the tool is in anything that an agent keeps.
fn knows_our_tool(home: &Path) -> bool {
    let mut open = vec![home.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if entry.is_dir() && !entry.ends_with(".headroom") {
                open.push(entry);
            } else if fs::read(&entry)
                .is_ok_and(|text| String::from_utf8_lossy(&text).contains("headroom_retrieve"))
            {
                return true;
            }
        }
    }
    false
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn pi_runs_with_two_of_its_providers() {
    let (anthropic, google) =
        (&["-p", "--model", "anthropic/claude-sonnet-4-5"], &["-p", "--model", "google/gemini-2.5-pro"]);
    for arguments in [anthropic, google] {
        let package = "@mariozechner/pi-coding-agent@0.73.1";
        Wrapped { agent: "pi", package, arguments, variables: &[("PI_OFFLINE", "1")] }.runs(|_| {});
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn qwen_code_runs() {
    let package = "@qwen-code/qwen-code@0.24.4";
    Wrapped {
        agent: "qwen",
        package,
        arguments: &["--yolo", "-p"],
        variables: &[("OPENAI_MODEL", "qwen3-coder-plus")],
    }
    .runs(|_| {});
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn kilo_code_runs() {
    let arguments = &["run", "--auto", "-m", "anthropic/claude-opus-4-5"];
    let variables = &[("KILO_DISABLE_MODELS_FETCH", "1")];
    Wrapped { agent: "kilo", package: "@kilocode/cli@7.7.7", arguments, variables }.runs(|_| {});
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn kimi_code_runs_with_a_model_of_the_users_own() {
    let variables =
        &[("KIMI_MODEL_NAME", "kimi-k2"), ("KIMI_MODEL_API_KEY", "k"), ("KIMI_CODE_NO_AUTO_UPDATE", "1")];
    let package = "@moonshot-ai/kimi-code@2.1.0";
    Wrapped { agent: "kimi", package, arguments: &["-p"], variables }.runs(|_| {});
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn grok_cli_runs() {
    let package = "@vibe-kit/grok-cli@0.0.34";
    Wrapped { agent: "grok", package, arguments: &["-p"], variables: &[("GROK_API_KEY", "x")] }.runs(|_| {});
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn droid_runs_with_models_of_the_users_own() {
    let variables = &[("FACTORY_API_KEY", "fk-dummy")];
    let arguments = &["exec", "--skip-permissions-unsafe", "-m", "custom:x-0"];
    let droid = Wrapped { agent: "droid", package: "droid@0.215.0", arguments, variables };
    for (provider, base) in [
        ("anthropic", "https://api.anthropic.com"),
        ("generic-chat-completion-api", "https://openrouter.ai/api/v1"),
    ] {
        droid.runs(|home| {
            let model = json!({"model": "x", "id": "custom:x-0", "displayName": "X", "baseUrl": base, "apiKey": "k",
                "provider": provider, "maxOutputTokens": 4096});
            fs::create_dir(home.join(".factory")).unwrap();
            fs::write(home.join(".factory/settings.json"), json!({"customModels": [model]}).to_string()).unwrap();
        });
    }
}
