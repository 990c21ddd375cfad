use std::{fs, process::Command};

use super::{
    PATIENCE, TASK, bodies, check, clean, lines,
    setup::{Clients, Mock, finish, workspace},
    stored,
};

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn opencode_works_and_breaks_no_rule_of_the_provider() {
    let Some(clients) = Clients::get() else { return };
    for args in [&[][..], &["--parallel"]] {
        let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
        let log = data.path().join("upstream.jsonl");
        let Some(upstream) = Mock::strict(clients, &log, folder.path(), args) else { return };
        let proxy = stored(upstream.address, &data.path().join("store"), None);
        let options =
            serde_json::json!({"baseURL": format!("http://{}/v1", proxy.address), "apiKey": "sk-ant-dummy"});
        let config = serde_json::json!({"provider": {"anthropic": {"options": options}}, "permission": "allow",
        "autoupdate": false, "share": "disabled"});
        fs::write(folder.path().join("opencode.json"), config.to_string()).unwrap();
        for more in [None, Some("-c")] {
            let mut opencode = Command::new(&clients.opencode);
            clean(&mut opencode, home.path(), folder.path());
            opencode.env("OPENCODE_DISABLE_MODELS_FETCH", "1").env("OPENCODE_DISABLE_AUTOUPDATE", "1");
            opencode.arg("run").args(more).args(["-m", "anthropic/claude-opus-4-5", TASK]);
            let output = finish(opencode, PATIENCE);
            assert!(output.success, "{}\n{}", output.text, proxy.stderr());
            assert!(output.text.contains("All done."), "{}\n{}", output.text, proxy.stderr());
            assert!(!output.text.contains("headroom_retrieve"), "{}", output.text);
        }
        check(&lines(&log));
        assert!(!proxy.stderr().contains(" 400 "), "{}", proxy.stderr());
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn gemini_cli_works() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let recorded = data.path().join("recorded");
    let Some(upstream) = Mock::recording(clients, &recorded, folder.path(), false) else { return };
    let proxy = stored(upstream.address, &data.path().join("store"), None);
    let settings = r#"{"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false}}"#;
    fs::create_dir(home.path().join(".gemini")).unwrap();
    fs::write(home.path().join(".gemini/settings.json"), settings).unwrap();
    let mut gemini = Command::new(&clients.gemini);
    clean(&mut gemini, home.path(), folder.path());
    gemini
        .env("GEMINI_API_KEY", "dummy")
        .env("GEMINI_CLI_TRUST_WORKSPACE", "true")
        .env("GOOGLE_GEMINI_BASE_URL", format!("http://{}", proxy.address))
        .args(["-p", TASK, "--approval-mode", "yolo", "--output-format", "json"]);
    let output = finish(gemini, PATIENCE);
    assert!(output.success, "{}\n{}", output.text, proxy.stderr());
    assert!(
        output.text.contains("payment worker") && !output.text.contains("headroom_retrieve"),
        "{}",
        output.text
    );
    let bodies = bodies(&recorded);
    let last = String::from_utf8_lossy(bodies.last().unwrap());
    assert!(bodies.len() >= 4 && last.contains("headroom_retrieve"), "the tool was offered");
    assert!(!proxy.stderr().contains(" 400 "), "{}", proxy.stderr());
}
