//! `headroom update --check` asks an index of this test's own.

use std::{
    process::Output,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::support::{Message, Upstream, headroom, stderr};

const OWN: &str = env!("CARGO_PKG_VERSION");

fn index(status: &'static str, body: String) -> (Upstream, Arc<Mutex<Vec<Message>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let upstream = Upstream::start(move |connection| {
        let request = connection.read()?;
        log.lock().unwrap().push(request.clone());
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n", body.len());
        connection.write(head + &body).map(|()| request)
    });
    (upstream, seen)
}

fn entry(versions: &[(&str, bool)]) -> String {
    let line = |(version, yanked): &(&str, bool)| {
        format!("{}\n", json!({"name": "headroom-cli", "vers": version, "deps": [], "yanked": yanked}))
    };
    versions.iter().map(line).collect()
}

fn check(upstream: &str, more: &[&str]) -> Output {
    let args = [&["update", "--check", "--index", upstream], more].concat();
    // A proxy of the environment must not see a request to this machine.
    headroom(&args).env("HTTPS_PROXY", "http://127.0.0.1:9").output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_newer_version_is_told_from_the_one_that_runs() {
    for (versions, newest, is_newest) in [
        (vec![("0.0.1", false), (OWN, false)], OWN, true),
        (vec![("99.10.0", false), ("99.9.0", false), (OWN, false), ("99.11.0", true)], "99.10.0", false),
        (vec![("0.0.1", false), ("99.0.0-rc.1", false)], "0.0.1", true),
    ] {
        let (upstream, _) = index("200 OK", entry(&versions));
        let url = format!("http://{}/", upstream.address);
        let said: Value = serde_json::from_str(&text(&check(&url, &["--json"]))).unwrap();
        assert_eq!(said, json!({"version": OWN, "newest": newest, "is_newest": is_newest}));
        let said = text(&check(&url, &[]));
        assert!(said.contains(newest) && said.contains("up to date") == is_newest, "{said}");
    }
}

#[test]
fn the_request_says_nothing_about_its_user() {
    let (upstream, seen) = index("200 OK", entry(&[(OWN, false)]));
    text(&check(&format!("http://{}", upstream.address), &[]));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].start, "GET /he/ad/headroom-cli HTTP/1.1");
    let mut headers: Vec<_> =
        seen[0].headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    headers.sort();
    let client = concat!("user-agent: headroom (", env!("CARGO_PKG_REPOSITORY"), ")");
    assert_eq!(headers, ["accept-encoding: identity", &format!("host: {}", upstream.address), client]);
}

#[test]
fn an_index_that_cannot_be_read_says_why() {
    for (status, body, expected) in [
        ("404 Not Found", "", "no version of headroom-cli has been published"),
        ("503 Service Unavailable", "", "the server answers 503"),
        ("302 Found", "", "the server answers 302"),
        ("200 OK", "<html>log in</html>", "is not the entry of a package index"),
    ] {
        let (upstream, _) = index(status, body.to_owned());
        let output = check(&format!("http://{}", upstream.address), &["--json"]);
        assert_eq!(output.status.code(), Some(1), "{status}");
        assert!(output.stdout.is_empty() && stderr(&output).contains(expected), "{}", stderr(&output));
    }
    // Nothing listens there.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let output = check(&format!("http://{free}"), &[]);
    assert_eq!(output.status.code(), Some(1));
    let error = stderr(&output);
    assert!(error.contains("cannot reach") && error.contains("check the network"), "{error}");
}

#[test]
fn it_asks_only_where_it_is_told_to() {
    let (upstream, seen) = index("200 OK", entry(&[(OWN, false)]));
    let url = format!("http://{}", upstream.address);
    let output = headroom(&["update", "--index", &url]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--check"), "{}", stderr(&output));
    assert!(seen.lock().unwrap().is_empty());
    let help = text(&headroom(&["update", "--help"]).output().unwrap());
    assert!(help.contains("crates.io") && !help.contains("--index"), "{help}");
}
