//! How each agent is pointed at the proxy.

use std::fs;

use serde_json::{Value, json};

use super::{World, text};
use crate::support::stderr;

/// The agent says how it was called and with what of these variables.
pub(super) fn telling(variables: &[&str]) -> String {
    let lines = variables.iter().map(|name| format!("echo {name}=\"${name}\"\n"));
    format!("for word; do echo \"$word\"; done\n{}", lines.collect::<String>())
}

/// What it says, with the proxies' ports as letters in the order in which they show up.
pub(super) fn told(output: &[u8]) -> String {
    let mut told = String::new();
    let mut ports: Vec<&str> = Vec::new();
    let mut parts = text(output).split("http://127.0.0.1:");
    told.push_str(parts.next().unwrap());
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let (port, rest) = part.split_at(end);
        let n = ports.iter().position(|known| *known == port).unwrap_or_else(|| {
            ports.push(port);
            ports.len() - 1
        });
        told.push_str(["A", "B", "C", "D"][n]);
        told.push_str(rest);
    }
    told
}

#[test]
fn variables_lead_each_api_to_its_upstream() {
    let aider = ["OPENAI_API_BASE", "OPENAI_BASE_URL", "ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"];
    type Case<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 8] = [
        ("gemini", &["GOOGLE_GEMINI_BASE_URL"], &[], "GOOGLE_GEMINI_BASE_URL=A\n"),
        (
            "aider",
            &aider,
            &[],
            "OPENAI_API_BASE=A/v1\nOPENAI_BASE_URL=A/v1\nANTHROPIC_API_BASE=A\nANTHROPIC_BASE_URL=A\n",
        ),
        // What the user set has a port of its own, and keeps the form of its path.
        (
            "aider",
            &aider,
            &[("OPENAI_API_BASE", "https://openrouter.ai/api/v1"), ("OPENAI_BASE_URL", "http://[::1]:11434")],
            "OPENAI_API_BASE=A/v1\nOPENAI_BASE_URL=B\nANTHROPIC_API_BASE=C\nANTHROPIC_BASE_URL=C\n",
        ),
        // Another spelling of the same is no other place.
        (
            "aider",
            &aider,
            &[("OPENAI_BASE_URL", "https://gateway.example/x")],
            "OPENAI_API_BASE=A\nOPENAI_BASE_URL=A\nANTHROPIC_API_BASE=B\nANTHROPIC_BASE_URL=B\n",
        ),
        (
            "goose",
            &["OPENAI_HOST", "ANTHROPIC_HOST", "GOOGLE_HOST"],
            &[],
            "OPENAI_HOST=A\nANTHROPIC_HOST=A\nGOOGLE_HOST=A\n",
        ),
        (
            "openhands",
            &["LLM_BASE_URL"],
            &[("LLM_MODEL", "openai/gpt-5.5")],
            "--override-with-envs\nLLM_BASE_URL=A/v1\n",
        ),
        (
            "openhands",
            &["LLM_BASE_URL"],
            &[("LLM_MODEL", "anthropic/claude-opus-5-5")],
            "--override-with-envs\nLLM_BASE_URL=A\n",
        ),
        (
            "copilot",
            &["COPILOT_PROVIDER_BASE_URL"],
            &[("COPILOT_PROVIDER_BASE_URL", "https://api.openai.com/v1")],
            "COPILOT_PROVIDER_BASE_URL=A/v1\n",
        ),
    ];
    for (agent, variables, set, expected) in cases {
        let world = World::with(agent, &telling(variables));
        let output = world.headroom(&["wrap", agent]).envs(set.iter().copied()).output().unwrap();
        assert_eq!(told(&output.stdout), expected, "{agent} {set:?}: {}", stderr(&output));
    }
}

#[test]
fn an_upstream_of_headroom_goes_before_the_agents_own() {
    let world = World::with("aider", &telling(&["OPENAI_API_BASE", "ANTHROPIC_API_BASE"]));
    for (args, variable) in [
        (&["wrap", "aider", "--upstream", "http://127.0.0.1:9"][..], "X"),
        (&["wrap", "aider"], "HEADROOM_OPENAI_UPSTREAM"),
    ] {
        let mut command = world.headroom(args);
        command.env("OPENAI_API_BASE", "http://gateway.example").env(variable, "http://127.0.0.1:9");
        assert_eq!(told(&command.output().unwrap().stdout), "OPENAI_API_BASE=A/v1\nANTHROPIC_API_BASE=A\n");
    }
}

#[test]
fn codex_gets_the_address_of_the_provider_that_it_uses() {
    let own =
        "model_provider = 'mine'\n[model_providers.mine]\nbase_url = 'https://gateway.example/openai/v1'\n";
    let profile = "profile = 'p'\n[profiles.p]\nmodel_provider = 'mine'\n[model_providers.mine]\nbase_url = 'http://g/x'\n";
    for (config, expected) in [
        ("", "-c\nopenai_base_url=\"A/v1\"\nexec\nhi there\n"),
        ("openai_base_url = 'http://gateway.example/x'", "-c\nopenai_base_url=\"A\"\nexec\nhi there\n"),
        (own, "-c\nmodel_providers.mine.base_url=\"A/v1\"\nexec\nhi there\n"),
        (profile, "-c\nmodel_providers.mine.base_url=\"A\"\nexec\nhi there\n"),
    ] {
        let world = World::with("codex", &telling(&[]));
        world.write("home/.codex/config.toml", config);
        let output = world.run(&["wrap", "codex", "--", "exec", "hi there"]);
        assert_eq!(told(&output.stdout), expected, "{config}");
    }
    let world = World::with("codex", &telling(&[]));
    world.write("home/.codex/config.toml", "model_provider = 'ollama'");
    let output = world.run(&["wrap", "codex"]);
    assert_eq!(told(&output.stdout), "");
    assert!(stderr(&output).contains("bypasses the proxy"), "{}", stderr(&output));
    // Signed in with an account, its requests go elsewhere than the API's.
    let world = World::with("codex", &telling(&[]));
    world.write("home/.codex/auth.json", r#"{"auth_mode": "chatgpt", "tokens": {}}"#);
    assert_eq!(told(&world.run(&["wrap", "codex"]).stdout), "-c\nopenai_base_url=\"A\"\n");
}

#[test]
fn opencode_gets_its_own_configuration_with_other_addresses() {
    let world = World::with("opencode", "printf %s \"$OPENCODE_CONFIG_CONTENT\"");
    world.write(
        "home/.config/opencode/opencode.jsonc",
        "{ // mine\n \"provider\": {\"openai\": {\"options\": {\"baseURL\": \"https://{env:GATE}/v1\",}}}}",
    );
    world.write(
        "work/opencode.json",
        r#"{"provider": {"local": {"options": {"baseURL": "http://127.0.0.1:1/x"}}}}"#,
    );
    let mut command = world.headroom(&["wrap", "opencode"]);
    command
        .env("GATE", "gateway.example")
        .env("OPENCODE_CONFIG_CONTENT", r#"{"model": "m", "provider": {"local": {"name": "L"}}}"#);
    let output = command.output().unwrap();
    let config: Value = serde_json::from_str(&told(&output.stdout))
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(&output)));
    let options = |base: &str| json!({"options": {"baseURL": base}});
    assert_eq!(
        config,
        json!({"model": "m", "provider": {
            "anthropic": options("A/v1"), "google": options("A/v1beta"),
            "local": {"name": "L", "options": {"baseURL": "B"}}, "openai": options("C/v1")}})
    );
    let output =
        world.headroom(&["wrap", "opencode"]).env("OPENCODE_CONFIG_CONTENT", "no json").output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn claude_code_is_told_again_where_its_settings_would_win() {
    let script = telling(&["ANTHROPIC_BASE_URL"]);
    let world = World::with("claude", &script);
    assert_eq!(told(&world.run(&["wrap", "claude", "--", "-p"]).stdout), "-p\nANTHROPIC_BASE_URL=A\n");
    for place in
        ["home/.claude/settings.json", "work/.claude/settings.json", "work/.claude/settings.local.json"]
    {
        let world = World::with("claude", &script);
        let settings = r#"{"env": {"ANTHROPIC_BASE_URL": "https://gateway.example/anthropic"}}"#;
        let file = world.write(place, settings);
        let output = told(&world.run(&["wrap", "claude", "--", "-p"]).stdout);
        let expected = "--settings\n{\"env\":{\"ANTHROPIC_BASE_URL\":\"A\"}}\n-p\nANTHROPIC_BASE_URL=A\n";
        assert_eq!(output, expected, "{place}");
        assert_eq!(fs::read_to_string(file).unwrap(), settings);
    }
    let output = world.headroom(&["wrap", "claude"]).env("CLAUDE_CODE_USE_BEDROCK", "1").output().unwrap();
    assert!(stderr(&output).contains("bypasses the proxy"), "{}", stderr(&output));
}

#[test]
fn claude_code_may_read_the_files_that_markers_name() {
    for (agent, expected) in [("claude", "--add-dir=/PLAINTEXT\nmine\n"), ("aider", "mine\n")] {
        let world = World::with(agent, &telling(&[]));
        let originals_dir = world.path("plaintext");
        let args = [
            "wrap",
            agent,
            "--retrieval",
            "file",
            "--originals-dir",
            originals_dir.to_str().unwrap(),
            "--",
            "mine",
        ];
        let output = world.headroom(&args).output().unwrap();
        let told = told(&output.stdout).replace(originals_dir.to_str().unwrap(), "/PLAINTEXT");
        assert_eq!(told, expected, "{}", stderr(&output));
        assert!(originals_dir.is_dir(), "it is there before the agent is");
    }
}

#[test]
fn what_cannot_be_put_behind_the_proxy_is_named() {
    let world = World::with("claude", "echo ran");
    for (url, why) in [("gateway.example", "not a URL"), ("http://me:secret@gateway.example", "no user name")]
    {
        let output = world.headroom(&["wrap", "claude"]).env("ANTHROPIC_BASE_URL", url).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
        let error = stderr(&output);
        assert!(
            error.contains("ANTHROPIC_BASE_URL") && error.contains(why) && !error.contains("secret"),
            "{error}"
        );
    }
}

#[test]
fn a_program_that_is_not_there_is_an_error_that_helps() {
    let world = World::with("other", "true");
    let output = world.run(&["wrap", "claude"]);
    assert_eq!(output.status.code(), Some(127));
    assert!(stderr(&output).contains("npm install -g @anthropic-ai/claude-code"), "{}", stderr(&output));
    fs::write(world.path("bin/codex"), "no program").unwrap();
    let output = world.run(&["wrap", "codex"]);
    assert_eq!(output.status.code(), Some(126), "{}", stderr(&output));
    let output = world.run(&["wrap", "clod"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("possible values: claude, codex"), "{}", stderr(&output));
}

#[test]
fn every_agent_can_be_printed_without_running_it() {
    for agent in [
        "claude",
        "codex",
        "opencode",
        "gemini",
        "aider",
        "goose",
        "openhands",
        "vibe",
        "copilot",
        "cline",
        "continue",
        "cursor",
    ] {
        let world = World::with(agent, "echo ran");
        let output = world.run(&["wrap", agent, "--print"]);
        assert_eq!(output.status.code(), Some(0), "{agent}");
        let printed = text(&output.stdout);
        assert!(
            !printed.contains("ran\n") && printed.lines().count() >= 2 || agent == "codex",
            "{agent}: {printed}"
        );
        assert!(
            printed.contains("127.0.0.1:8787") || ["copilot", "cursor"].contains(&agent),
            "{agent}: {printed}"
        );
    }
    let world = World::with("claude", "echo ran");
    let output = world.run(&["wrap", "claude", "--print", "--", "-p", "a b"]);
    assert_eq!(text(&output.stdout), "export ANTHROPIC_BASE_URL=http://127.0.0.1:8787\nclaude -p 'a b'\n");
    let output = world.run(&["wrap", "claude", "--print", "--json"]);
    let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed["environment"]["ANTHROPIC_BASE_URL"], "http://127.0.0.1:8787");
}

#[test]
fn agents_without_a_variable_get_steps() {
    for (agent, step) in [
        ("cline", "custom base URL"),
        ("continue", "apiBase"),
        ("cursor", "mcp install cursor"),
        ("vibe", "api_base"),
        ("copilot", "COPILOT_PROVIDER_BASE_URL"),
    ] {
        let output = World::with(agent, "echo ran").run(&["wrap", agent]);
        assert_eq!(output.status.code(), Some(0), "{agent}");
        let printed = text(&output.stdout);
        assert!(printed.contains(step) && !printed.contains("ran\n"), "{agent}: {printed}");
    }
}

#[test]
fn a_context_tool_is_hooked_in_for_one_run() {
    let world = World::with("claude", &telling(&["ANTHROPIC_BASE_URL"]));
    for name in ["rtk", "lean-ctx"] {
        fs::copy(world.path("bin/claude"), world.path("bin").join(name)).unwrap();
    }
    let before = super::files(&world.path("home"));
    for (tool, hook) in [("rtk", "hook claude"), ("lean-ctx", "hook rewrite")] {
        for as_flag in [true, false] {
            let mut command = world.headroom(&["wrap", "claude"]);
            let command = if as_flag {
                command.args(["--context-tool", tool])
            } else {
                command.env("HEADROOM_CONTEXT_TOOL", tool)
            };
            let output = command.args(["--", "-p"]).output().unwrap();
            let lines: Vec<&str> = text(&output.stdout).lines().collect();
            assert_eq!((lines[0], lines[2]), ("--settings", "-p"), "{}", stderr(&output));
            let settings: Value = serde_json::from_str(lines[1]).unwrap();
            let command = format!("{} {hook}", world.path("bin").join(tool).display());
            let hooks = json!({"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": command}]}]});
            assert_eq!(settings, json!({"hooks": hooks}));
        }
    }
    assert_eq!(super::files(&world.path("home")), before);
    // Beside the address, where the settings would win.
    world.write("home/.claude/settings.json", r#"{"env": {"ANTHROPIC_BASE_URL": "http://g.example"}}"#);
    let output = world.run(&["wrap", "claude", "--context-tool", "rtk"]);
    let settings: Value = serde_json::from_str(text(&output.stdout).lines().nth(1).unwrap()).unwrap();
    assert!(settings["env"]["ANTHROPIC_BASE_URL"].is_string() && settings["hooks"].is_object(), "{settings}");
}

#[test]
fn a_context_tool_that_cannot_be_used_is_named() {
    let world = World::with("claude", "for word; do echo \"$word\"; done");
    let output = world.run(&["wrap", "claude", "--context-tool", "rtk"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(127), ""));
    assert!(stderr(&output).contains("rtk is not in PATH"), "{}", stderr(&output));
    let output = world.headroom(&["wrap", "claude"]).env("HEADROOM_CONTEXT_TOOL", "tokf").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("expected rtk, lean-ctx or none"), "{}", stderr(&output));
    for name in ["rtk", "gemini"] {
        fs::copy(world.path("bin/claude"), world.path("bin").join(name)).unwrap();
    }
    let output = world.run(&["wrap", "gemini", "--context-tool", "rtk"]);
    assert!(stderr(&output).contains("rtk is not used: only Claude Code"), "{}", stderr(&output));
    let output = world.run(&["wrap", "claude", "--context-tool", "rtk", "--", "--settings", "{}"]);
    assert_eq!(text(&output.stdout), "--settings\n{}\n");
    // Set up already, it needs nothing.
    world.write("home/.claude/settings.json", r#"{"hooks": {"x": "rtk hook claude"}}"#);
    let output = world.run(&["wrap", "claude", "--context-tool", "rtk"]);
    assert_eq!((text(&output.stdout), stderr(&output).lines().count()), ("", 1), "{}", stderr(&output));
}
