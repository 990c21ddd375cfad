//! Whom the program talks to: the upstream that is configured, and nobody else. The kernel is asked.
#![cfg(target_os = "linux")]

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::support::{Proxy, Upstream, exchange, headroom, ok, pipe, post, request, skipped, stderr};

/// The calls by which something can be sent to an address.
const CALLS: &str = "trace=connect,sendto,sendmsg,sendmmsg";

/// The same command, with what it calls written to a file. `None` where that cannot be done.
fn traced(command: &Command, log: &Path) -> Option<Command> {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).output();
    if !works.is_ok_and(|output| output.status.success()) {
        skipped("strace is missing, or may not trace");
        return None;
    }
    // As its parent, the program gets our signals and gives its status; strace only looks on.
    let mut traced = Command::new("strace");
    traced.args(["-D", "-f", "-qq", "-e", CALLS, "-o"]).arg(log);
    traced.arg(command.get_program()).args(command.get_args()).env_clear();
    traced.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.env("PATH", std::env::var_os("PATH").unwrap());
    Some(traced)
}

/// Every address in the log, as strace writes it.
fn destinations(log: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(log).unwrap();
    let address = |line: &str| {
        let (_, rest) = line.split_once("sa_family=")?;
        Some(rest.split_once('}')?.0.to_owned())
    };
    text.lines().filter_map(address).collect()
}

fn only(upstream: &Upstream) -> BTreeSet<String> {
    let port = upstream.address.port();
    BTreeSet::from([format!("AF_INET, sin_port=htons({port}), sin_addr=inet_addr(\"127.0.0.1\")")])
}

#[test]
fn the_proxy_connects_to_its_upstream_and_nowhere_else() {
    let upstream = Upstream::answering(ok(r#"{"usage":{"input_tokens":1,"output_tokens":1}}"#));
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("calls");
    let url = format!("http://{}", upstream.address);
    let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0", "--upstream", &url, "--bedrock-sign"]);
    command.env("HEADROOM_HOME", home.path().join("store")).env("HOME", home.path());
    command.env("AWS_REGION", "us-east-1");
    let Some(mut command) = traced(&command, &log) else { return };
    let mut proxy = Proxy::start(&mut command);
    for (api, path) in [
        ("anthropic", "/v1/messages"),
        ("openai", "/v1/chat/completions"),
        ("responses", "/v1/responses"),
        ("gemini", "/v1beta/models/m:generateContent"),
        ("anthropic", "/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict"),
    ] {
        for headers in ["", "x-headroom-upstream: http://127.0.0.1:1\r\nx-forwarded-host: example.com\r\n"] {
            assert_eq!(exchange(proxy.address, post(path, headers, &request(api))).status(), 200, "{path}");
        }
    }
    // AWS credentials are asked of no server, not even the machine's own.
    assert_eq!(exchange(proxy.address, post("/model/m/converse", "", &request("converse"))).status(), 401);
    let token = fs::read_to_string(home.path().join("store/token")).unwrap();
    for path in ["/livez", "/stats", "/metrics", "/v1/retrieve/k3v4q2x7m5tzabcd"] {
        let ask =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx-headroom-token: {}\r\n\r\n", token.trim());
        assert!(exchange(proxy.address, ask).status() < 500, "{path}");
    }
    // One that names another target is answered or refused, never followed.
    let ask = "GET http://127.0.0.1:1/v1/models HTTP/1.1\r\nhost: 127.0.0.1:1\r\n\r\n";
    exchange(proxy.address, ask);
    proxy.signal("TERM");
    assert_eq!(proxy.wait().code(), Some(0));
    assert_eq!(destinations(&log), only(&upstream));
}

#[test]
fn commands_that_need_no_provider_connect_to_nobody() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("calls");
    let body = request("anthropic");
    let file = home.path().join("request.json");
    fs::write(&file, &body).unwrap();
    let file = file.to_str().unwrap();
    for args in [
        &["compress"][..],
        &["compress", "--text"],
        &["inspect", file],
        &["savings"],
        &["config", "print"],
        &["wrap", "claude", "--persist"],
        &["unwrap"],
        &["mcp", "install", "cursor"],
    ] {
        let mut command = headroom(args);
        command.env("HOME", home.path()).env("HEADROOM_LISTEN", "127.0.0.1:9");
        let Some(mut command) = traced(&command, &log) else { return };
        let output = pipe(&mut command, &body);
        assert!(output.status.success(), "{args:?}: {}", stderr(&output));
        // Setting an agent up says whether the proxy is there.
        let own = args.contains(&"--persist");
        let expected: &[&str] =
            if own { &["AF_INET, sin_port=htons(9), sin_addr=inet_addr(\"127.0.0.1\")"] } else { &[] };
        assert_eq!(destinations(&log).iter().map(String::as_str).collect::<Vec<_>>(), expected, "{args:?}");
    }
}
