//! `headroom wrap --persist` and `headroom unwrap`.

mod kills;
mod service;

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    process::Output,
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{World, files, text};
use crate::support::{Proxy, stderr};

/// An agent, its file, the file as a person writes it, and what must stand in it then.
const AGENTS: [(&str, &str, &str, &str); 6] = [
    (
        "claude",
        "home/.claude/settings.json",
        "{\n  // mine\n  \"permissions\": {\"allow\": [\"Bash\"]},\n  \"n\": 1.50,\n}",
        "\"env\": {\"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:8787\"}",
    ),
    (
        "codex",
        "home/.codex/config.toml",
        "# mine\nmodel = 'gpt-5.5'\n\n[mcp_servers.other]\ncommand = 'x'  # kept",
        "openai_base_url = \"http://127.0.0.1:8787/v1\"\n",
    ),
    (
        "opencode",
        "home/.config/opencode/opencode.jsonc",
        "{\n\t\"provider\": {\"openai\": {\"options\": {\"apiKey\": \"k\"}}, /* kept */},\n}\n",
        "\"baseURL\": \"http://127.0.0.1:8787/v1beta\"",
    ),
    (
        "gemini",
        "home/.gemini/.env",
        "# mine\nGEMINI_API_KEY=k",
        "\nGOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8787\n",
    ),
    (
        "aider",
        "home/.aider.conf.yml",
        "# mine\nmodel: openai/gpt-4o\nread:\n- CONVENTIONS.md\n",
        "\nset-env: [\"ANTHROPIC_API_BASE=http://127.0.0.1:8787\", \"ANTHROPIC_BASE_URL=http://127.0.0.1:8787\"]\n",
    ),
    (
        "goose",
        "home/.config/goose/config.yaml",
        "GOOSE_MODEL: gpt-5.5 # mine\nextensions:\n  developer:\n    enabled: true\n",
        "\nANTHROPIC_HOST: http://127.0.0.1:8787\n",
    ),
];

fn world() -> World {
    let world = World::with("nothing", "true");
    fs::remove_file(world.path("store/welcomed")).unwrap();
    world
}

fn done(world: &World, args: &[&str]) -> String {
    let output = world.run(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", stderr(&output));
    text(&output.stdout).to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn failed(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{}{}", text(&output.stdout), stderr(output));
    stderr(output)
}

#[test]
fn what_is_persisted_is_unwrapped_byte_for_byte() {
    for (agent, file, written, expected) in AGENTS {
        let world = world();
        let path = world.write(file, written);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let before = files(&world.path("home"));
        let said = done(&world, &["wrap", agent, "--persist"]);
        assert!(said.contains("now") && said.contains(path.to_str().unwrap()), "{said}");
        let persisted = read(&path);
        assert!(persisted.contains(expected), "{agent}: {persisted}");
        for line in written.lines().filter(|line| !line.contains("provider")) {
            assert!(persisted.lines().any(|kept| kept == line), "{agent}: {line} is gone from {persisted}");
        }
        assert!(done(&world, &["wrap", agent, "--persist"]).contains("already"));
        assert_eq!(read(&path), persisted);
        assert!(done(&world, &["unwrap", agent]).contains("as it was before"));
        assert_eq!(files(&world.path("home")), before, "{agent}");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o640, "{agent}");
        assert!(done(&world, &["unwrap", agent]).contains("nothing to undo"));
    }
}

#[test]
fn a_file_that_was_not_there_goes_again_with_its_folders() {
    for (agent, _, _, expected) in AGENTS {
        let world = world();
        done(&world, &["wrap", agent, "--persist"]);
        let made = files(&world.path("home"));
        assert_eq!(made.len(), 1, "{agent}");
        let (path, bytes) = made.first_key_value().unwrap();
        assert!(text(bytes).contains(expected.trim()), "{agent}: {}", text(bytes));
        assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o600, "{agent}");
        assert!(done(&world, &["unwrap"]).contains("was deleted"));
        assert_eq!(fs::read_dir(world.path("home")).unwrap().count(), 0, "{agent}");
    }
}

#[test]
fn several_agents_are_undone_together_or_one_by_one() {
    let world = world();
    for (agent, file, written, _) in AGENTS {
        world.write(file, written);
        done(&world, &["wrap", agent, "--persist"]);
    }
    let said: Value = serde_json::from_str(&done(&world, &["unwrap", "claude", "goose", "--json"])).unwrap();
    assert_eq!(said["undone"].as_array().unwrap().len(), 2, "{said}");
    assert_eq!(said["undone"][0]["what"], "restored");
    let shown = done(&world, &["unwrap", "--print"]);
    assert_eq!(shown.lines().count(), 4, "{shown}");
    assert_eq!(done(&world, &["unwrap"]), shown, "what is shown is what is done");
    for (_, file, written, _) in AGENTS {
        assert_eq!(read(&world.path(file)), written);
    }
    assert!(done(&world, &["unwrap"]).contains("no agent is persisted"));
}

#[test]
fn changes_of_others_stay_when_it_is_undone() {
    for (agent, file, written, expected) in AGENTS {
        let world = world();
        let path = world.write(file, written);
        done(&world, &["wrap", agent, "--persist"]);
        let own = match agent {
            "claude" | "opencode" => "\n// added\n",
            "codex" => "\n[added]\nx = 1\n",
            "gemini" => "ADDED=1\n",
            _ => "added: 1\n",
        };
        fs::write(&path, read(&path) + own).unwrap();
        let said = done(&world, &["unwrap", agent]);
        assert!(said.contains("keys alone"), "{agent}: {said}");
        let left = read(&path);
        assert!(left.ends_with(own) && !left.contains("8787") && !left.contains(expected), "{agent}: {left}");
        if !["claude", "opencode", "gemini", "codex"].contains(&agent) {
            assert_eq!(left, format!("{written}{own}"), "{agent}");
        }
    }
}

#[test]
fn a_key_that_leads_elsewhere_by_now_is_the_users() {
    let world = world();
    let path = world.write("home/.claude/settings.json", "{}");
    done(&world, &["wrap", "claude", "--persist"]);
    let changed = read(&path).replace("127.0.0.1:8787", "gateway.example");
    fs::write(&path, &changed).unwrap();
    assert!(done(&world, &["unwrap", "claude"]).contains("env.ANTHROPIC_BASE_URL, which was changed"));
    assert_eq!(read(&path), changed);
}

#[test]
fn what_stood_there_before_comes_back() {
    let gateway = "https://gateway.example/anthropic";
    let settings = format!("{{\"env\": {{\"ANTHROPIC_BASE_URL\": \"{gateway}\", \"A\": \"1\"}}}}");
    let world = world();
    let path = world.write("home/.claude/settings.json", &settings);
    // The proxy would send its requests past that gateway.
    let error = failed(&world.run(&["wrap", "claude", "--persist"]), 2);
    assert!(error.contains(gateway) && error.contains("anthropic_upstream = "), "{error}");
    assert_eq!(read(&path), settings);
    let told = |args: &[&str]| {
        let output = world.headroom(args).env("HEADROOM_ANTHROPIC_UPSTREAM", gateway).output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    told(&["wrap", "claude", "--persist"]);
    assert!(read(&path).contains("\"http://127.0.0.1:8787\", \"A\""), "{}", read(&path));
    fs::write(&path, read(&path) + "\n").unwrap();
    told(&["unwrap"]);
    assert_eq!(read(&path), settings + "\n");
}

#[test]
fn codex_keeps_its_provider_and_its_account() {
    let world = World::with("codex", "true");
    let own =
        "model_provider = 'mine'\n[model_providers.mine]\nbase_url = 'https://g.example/openai/v1' # gate\n";
    let path = world.write("home/.codex/config.toml", own);
    let persist = |upstream: &str| {
        world
            .headroom(&["wrap", "codex", "--persist"])
            .env("HEADROOM_OPENAI_UPSTREAM", upstream)
            .output()
            .unwrap()
    };
    failed(&persist("https://other.example/v1"), 2);
    assert!(persist("https://g.example/openai/v1").status.success());
    assert!(read(&path).contains("base_url = \"http://127.0.0.1:8787/v1\" # gate"), "{}", read(&path));
    done(&world, &["unwrap"]);
    assert_eq!(read(&path), own);
    world.write("home/.codex/config.toml", "");
    world.write("home/.codex/auth.json", r#"{"auth_mode": "chatgpt", "tokens": {}}"#);
    let error = failed(&world.run(&["wrap", "codex", "--persist"]), 2);
    assert!(error.contains("https://chatgpt.com/backend-api/codex"), "{error}");
    assert!(persist("https://chatgpt.com/backend-api/codex").status.success());
    assert_eq!(read(&path), "openai_base_url = \"http://127.0.0.1:8787\"\n");
}

#[test]
fn a_proxy_that_moved_is_followed() {
    let world = world();
    let path = world.write("home/.claude/settings.json", "{ }");
    done(&world, &["wrap", "claude", "--persist"]);
    let output = world
        .headroom(&["wrap", "claude", "--persist"])
        .env("HEADROOM_LISTEN", "127.0.0.1:9")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(read(&path).contains("127.0.0.1:9\"") && !read(&path).contains("8787"), "{}", read(&path));
    done(&world, &["unwrap"]);
    assert_eq!(read(&path), "{ }");
    let listen = |address: &str| {
        world.headroom(&["wrap", "claude", "--persist"]).env("HEADROOM_LISTEN", address).output().unwrap()
    };
    assert!(failed(&listen("127.0.0.1:0"), 2).contains("port 0"));
    assert!(failed(&listen("0.0.0.0:8787"), 2).contains("token"));
}

#[test]
fn what_cannot_be_changed_safely_is_left_alone() {
    for (agent, file, text) in [
        ("claude", "home/.claude/settings.json", "{\"env\": "),
        ("claude", "home/.claude/settings.json", "{\"env\": []}"),
        ("claude", "home/.claude/settings.json", "{\"env\": {}, \"env\": {\"x\": 1}}"),
        ("codex", "home/.codex/config.toml", "no toml"),
        ("gemini", "home/.gemini/.env", "GOOGLE_GEMINI_BASE_URL=\nGOOGLE_GEMINI_BASE_URL=\n"),
        ("aider", "home/.aider.conf.yml", "{model: x}\n"),
        ("goose", "home/.config/goose/config.yaml", "a: 1\n---\nb: 2\n"),
    ] {
        let world = world();
        let path = world.write(file, text);
        let error = failed(&world.run(&["wrap", agent, "--persist"]), 1);
        assert!(
            error.contains("cannot be changed safely") && error.contains("127.0.0.1:8787"),
            "{text}: {error}"
        );
        assert_eq!(read(&path), text);
        assert!(done(&world, &["unwrap"]).contains("no agent is persisted"), "{text}");
    }
    // A file that cannot be read any more cannot be undone, and is not forgotten.
    let world = world();
    let path = world.write("home/.claude/settings.json", "{}");
    done(&world, &["wrap", "claude", "--persist"]);
    fs::write(&path, "{ broken").unwrap();
    let error = failed(&world.run(&["unwrap"]), 1);
    assert!(error.contains("remove env.ANTHROPIC_BASE_URL"), "{error}");
    fs::write(&path, "{}").unwrap();
    assert!(done(&world, &["unwrap"]).contains("as it was before"));
}

#[test]
fn links_stay_links_and_journals_are_private() {
    let world = world();
    let real = world.write("home/dotfiles/settings.json", "{}");
    fs::create_dir(world.path("home/.claude")).unwrap();
    let link = world.path("home/.claude/settings.json");
    symlink(&real, &link).unwrap();
    done(&world, &["wrap", "claude", "--persist"]);
    assert!(link.is_symlink() && read(&real).contains("8787"));
    let journal = world.path("store/persist/claude.json");
    assert_eq!(fs::metadata(&journal).unwrap().mode() & 0o077, 0, "others can read it");
    done(&world, &["unwrap"]);
    assert!(link.is_symlink() && read(&real) == "{}" && !journal.exists());
    // One that leads nowhere does not become a file.
    fs::remove_file(&real).unwrap();
    failed(&world.run(&["wrap", "claude", "--persist"]), 1);
    assert!(link.is_symlink() && !real.exists());
}

#[test]
fn printing_changes_nothing() {
    for (agent, ..) in AGENTS {
        let world = world();
        let printed = done(&world, &["wrap", agent, "--persist", "--print"]);
        assert!(printed.contains("127.0.0.1:8787"), "{printed}");
        let printed = done(&world, &["wrap", agent, "--persist", "--print", "--json"]);
        let printed: Value = serde_json::from_str(&printed).unwrap();
        assert!(printed["keys"][0]["value"].as_str().unwrap().contains("http://127.0.0.1:8787"), "{printed}");
        assert_eq!(fs::read_dir(world.path("home")).unwrap().count(), 0);
        assert_eq!(fs::read_dir(world.path("store")).unwrap().count(), 0);
    }
    for agent in ["cursor", "cline", "continue", "vibe", "copilot", "openhands"] {
        let printed = done(&world(), &["wrap", agent, "--persist"]);
        assert!(printed.lines().count() > 2, "{agent}: {printed}");
    }
}

#[test]
fn doctor_says_whether_the_proxy_is_there() {
    let world = world();
    let path = world.write("home/.claude/settings.json", "{}");
    let proxy = Proxy::to(([127, 0, 0, 1], 1).into(), &[]);
    let address = proxy.address.to_string();
    let run = |args: &[&str]| {
        let output = world.headroom(args).env("HEADROOM_LISTEN", &address).output().unwrap();
        (output.status.code(), text(&output.stdout).to_owned())
    };
    let (_, said) = run(&["wrap", "claude", "--persist"]);
    assert!(said.contains("The proxy runs"), "{said}");
    let (status, said) = run(&["doctor"]);
    assert!(status == Some(0) && said.contains(&format!("goes to http://{address} (")), "{said}");
    drop(proxy);
    let (status, said) = run(&["doctor"]);
    assert!(
        status == Some(1)
            && said.contains("start `headroom proxy`, or undo it with `headroom unwrap claude`"),
        "{said}"
    );
    fs::write(&path, "{}").unwrap();
    let (_, said) = run(&["doctor"]);
    assert!(said.contains("no longer names the proxy"), "{said}");
}

#[test]
fn a_run_under_wrap_does_not_go_through_both() {
    let world = World::with("claude", "echo $ANTHROPIC_BASE_URL; for word; do echo $word; done");
    done(&world, &["wrap", "claude", "--persist"]);
    let output = world.run(&["wrap", "claude"]);
    let own = text(&output.stdout).lines().next().unwrap().to_owned();
    assert!(own.starts_with("http://127.0.0.1:") && !own.ends_with(":8787"), "{own}");
    assert!(text(&output.stdout).contains(&format!("{{\"env\":{{\"ANTHROPIC_BASE_URL\":\"{own}\"}}}}")));
    assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
}
