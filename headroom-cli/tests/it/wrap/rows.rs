//! Agents that are rows of the table: by variables, by a configuration in one, and by files for one run.

use std::fs;

use serde_json::{Value, json};

use super::{
    World,
    agents::{telling, told},
    text,
};
use crate::support::stderr;

#[test]
fn variables_lead_to_the_provider_that_the_agent_would_use() {
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str);
    let kilo = r#"{"provider":{"anthropic":{"options":{"baseURL":"A/v1"}},"google":{"options":{"baseURL":"A/v1beta"}},"openai":{"options":{"baseURL":"A/v1"}}}}"#;
    let cases: [Case<'_>; 6] = [
        ("qwen", "OPENAI_BASE_URL", &[], "A/v1"),
        ("qwen", "OPENAI_BASE_URL", &[("OPENAI_BASE_URL", "https://gateway.example/x")], "A"),
        ("grok", "GROK_BASE_URL", &[], "A/v1"),
        ("kimi", "KIMI_MODEL_BASE_URL", &[("KIMI_MODEL_NAME", "kimi-k2")], "A/v1"),
        (
            "kimi",
            "KIMI_MODEL_BASE_URL",
            &[("KIMI_MODEL_NAME", "claude-opus-5-5"), ("KIMI_MODEL_PROVIDER_TYPE", "anthropic")],
            "A",
        ),
        ("kilo", "KILO_CONFIG_CONTENT", &[], kilo),
    ];
    for (agent, variable, set, expected) in cases {
        let world = World::with(agent, &telling(&[variable]));
        let output = world.headroom(&["wrap", agent]).envs(set.iter().copied()).output().unwrap();
        assert_eq!(told(&output.stdout), format!("{variable}={expected}\n"), "{set:?}: {}", stderr(&output));
    }
}

#[test]
fn a_provider_of_its_own_is_not_the_one_of_the_api() {
    // The configured upstream goes nowhere, and the agent's requests do not go there unless that is asked for.
    let world = World::with("grok", "echo $GROK_BASE_URL");
    let shown = text(&world.run(&["wrap", "grok", "--print"]).stdout).to_owned();
    assert!(shown.contains("export GROK_BASE_URL=http://127.0.0.1:8787/v1"), "{shown}");
    let output = world.run(&["wrap", "grok", "--print"]);
    assert!(stderr(&output).contains("GROK_BASE_URL is https://api.x.ai/v1"), "{}", stderr(&output));
}

#[test]
fn a_file_for_the_run_names_the_providers_of_pi() {
    let world = World::with("pi", "echo $1; cat $2; stat -c %a $2; echo $2 > ../file; shift 2; echo $*");
    let models =
        json!({"providers": {"mine": {"baseUrl": "https://gateway.example/x"}, "openai": {"models": []}}});
    world.write("home/.pi/agent/models.json", &models.to_string());
    let output = world.run(&["wrap", "pi", "--", "-p", "hi"]);
    let provider =
        |name: &str, url: &str| format!("  pi.registerProvider(\"{name}\", {{ baseUrl: \"{url}\" }});\n");
    let expected = [
        "-e\nexport default function (pi) {\n".to_owned(),
        provider("anthropic", "A"),
        provider("openai", "A/v1"),
        provider("google", "A/v1beta"),
        provider("mine", "B"),
        "}\n600\n-p hi\n".to_owned(),
    ];
    assert_eq!(told(&output.stdout), expected.concat(), "{}", stderr(&output));
    let file = fs::read_to_string(world.path("file")).unwrap();
    assert!(file.trim().ends_with(".ts") && !fs::exists(file.trim()).unwrap(), "{file}");
}

#[test]
fn a_file_for_the_run_has_the_own_models_of_droid() {
    let world = World::with("droid", "echo $1; cat $2; echo; stat -c %a $2; echo $2 > ../file");
    let output = world.run(&["wrap", "droid"]);
    assert!(text(&output.stdout).contains("customModels"), "the steps: {}", text(&output.stdout));
    let models = json!([
        {"model": "claude-x", "provider": "anthropic", "baseUrl": "https://gateway.example", "apiKey": "k"},
        {"model": "gpt-x", "provider": "openai", "baseUrl": "https://api.openai.com/v1"},
        {"model": "none", "provider": "generic-chat-completion-api"},
    ]);
    let settings = world
        .write("home/.factory/settings.json", &json!({"theme": "x", "customModels": models}).to_string());
    let before = fs::read(&settings).unwrap();
    let output = world.run(&["wrap", "droid"]);
    let shown = told(&output.stdout);
    let mut lines = shown.lines();
    assert_eq!(lines.next(), Some("--settings"), "{}", stderr(&output));
    let settings_of_run: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    let models = settings_of_run["customModels"].as_array().unwrap();
    let bases: Vec<_> = models.iter().map(|model| model["baseUrl"].as_str().unwrap()).collect();
    assert_eq!(bases, ["A", "B/v1", "C/v1"]);
    assert_eq!((&models[0]["apiKey"], &models[0]["model"]), (&json!("k"), &json!("claude-x")));
    assert_eq!(settings_of_run.as_object().unwrap().len(), 1, "{settings_of_run}");
    assert_eq!(lines.next(), Some("600"));
    let file = fs::read_to_string(world.path("file")).unwrap();
    assert!(!fs::exists(file.trim()).unwrap() && fs::read(&settings).unwrap() == before);
}

#[test]
fn agents_without_a_way_for_one_run_get_their_steps() {
    for (agent, step) in [
        ("vibe", "api_base = \"http://127.0.0.1:8787/v1\""),
        ("copilot", "export COPILOT_MODEL"),
        ("kimi", "export KIMI_MODEL_NAME"),
        ("cline", "Use custom base URL"),
        ("continue", "apiBase: http://127.0.0.1:8787/v1beta"),
        ("cursor", "headroom mcp install cursor"),
    ] {
        let world = World::with(agent, "echo ran");
        let shown = world.run(&["wrap", agent]);
        assert!(text(&shown.stdout).contains(step), "{agent}: {}", text(&shown.stdout));
        assert!(!text(&shown.stdout).contains("{proxy}") && shown.status.success(), "{agent}");
    }
}
