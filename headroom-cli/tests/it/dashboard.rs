//! `headroom dashboard` and the page that the proxy serves, as a client sees them.

use std::{fs, net::TcpListener, path::Path, process::Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Message, Proxy, Upstream, exchange, headroom, ok, post, records, request, stderr};

const ASSETS: [&str; 4] =
    ["/dashboard", "/dashboard/style.css", "/dashboard/script.js", "/dashboard/icon.svg"];

struct Setup {
    proxy: Proxy,
    upstream: Upstream,
    home: TempDir,
}

fn setup(args: &[&str]) -> Setup {
    let usage = json!({"input_tokens": 1000, "cache_read_input_tokens": 3000, "output_tokens": 10});
    let answer = json!({"type": "message", "model": "claude-opus-5-5", "content": [], "usage": usage});
    let upstream = Upstream::answering(ok(&answer.to_string()));
    let home = tempfile::tempdir().unwrap();
    let proxy = Proxy::at_home(home.path(), upstream.address, args);
    Setup { proxy, upstream, home }
}

impl Setup {
    fn send(&self, method: &str, target: &str, headers: &str, body: &str) -> Message {
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        );
        exchange(self.proxy.address, request)
    }

    fn get(&self, target: &str, session: &str) -> Message {
        self.send("GET", target, &format!("authorization: Bearer {session}\r\n"), "")
    }

    fn dashboard(&self, args: &[&str]) -> Output {
        let mut command = headroom(&["dashboard", "--listen", &self.proxy.address.to_string()]);
        command.args(args).env("HEADROOM_HOME", self.home.path()).output().unwrap()
    }

    /// The code in a link.
    fn code(&self) -> String {
        let output = self.dashboard(&[]);
        let link = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let start = format!("http://{}/dashboard#", self.proxy.address);
        link.trim_end().strip_prefix(&start).unwrap_or_else(|| panic!("{link}")).to_owned()
    }

    fn enter(&self, code: &str) -> Message {
        self.send("POST", "/dashboard/session", "", code)
    }

    fn session(&self) -> String {
        let answer = self.enter(&self.code());
        assert_eq!(answer.status(), 200, "{answer:?}");
        answer.json()["session"].as_str().unwrap().to_owned()
    }

    /// A turn of an agent.
    fn turn(&self, headers: &str) {
        let body = request("anthropic");
        assert_eq!(exchange(self.proxy.address, post("/v1/messages", headers, &body)).status(), 200);
        self.upstream.request();
    }

    /// What the page shows once it knows of so many requests.
    fn data(&self, session: &str, count: u64) -> Value {
        let start = std::time::Instant::now();
        loop {
            let data = self.get("/dashboard/data", session).json();
            if data["live"]["count"] == count {
                return data;
            }
            assert!(start.elapsed() < crate::support::PATIENCE, "{data}");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

#[test]
fn the_page_comes_from_here_alone_and_tells_nothing() {
    let setup = setup(&[]);
    let token = fs::read_to_string(setup.home.path().join("token")).unwrap();
    for asset in ASSETS {
        let answer = setup.send("GET", asset, "", "");
        assert_eq!(answer.status(), 200, "{asset}");
        let policy = answer.header("content-security-policy").unwrap();
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{asset}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{asset}: {policy}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.header("set-cookie").is_none(), "cookies know no ports");
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(!text.contains(token.trim()));
        let elsewhere = text.matches("://").count() - text.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(elsewhere, 0, "{asset} names another place");
        assert!(!text.contains("innerHTML"), "{asset}");
    }
    assert!(setup.upstream.is_untouched());
}

#[test]
fn only_a_link_lets_a_browser_in_and_once() {
    let setup = setup(&["--log", "debug"]);
    let token = fs::read_to_string(setup.home.path().join("token")).unwrap();
    for target in ["/dashboard/data", "/dashboard/request/1", "/dashboard/request/1/0"] {
        for headers in ["", "authorization: Bearer x\r\n", &format!("x-headroom-token: {}\r\n", token.trim())]
        {
            assert_eq!(setup.send("GET", target, headers, "").status(), 401, "{target} {headers}");
        }
    }
    assert_eq!(setup.send("POST", "/dashboard/code", "", "").status(), 401);
    assert_eq!(
        setup.send("GET", "/dashboard/code", &format!("x-headroom-token: {}\r\n", token.trim()), "").status(),
        405
    );
    for code in ["", "0", &"0".repeat(64), &"0".repeat(100_000), token.trim()] {
        assert_eq!(setup.enter(code).status(), 401, "{code:.70}");
    }
    let code = setup.code();
    // A page of another origin has no use of a code either.
    for headers in ["origin: http://evil.example\r\n", "sec-fetch-site: cross-site\r\n"] {
        assert_eq!(setup.send("POST", "/dashboard/session", headers, &code).status(), 403, "{headers}");
    }
    let elsewhere =
        format!("POST /dashboard/session HTTP/1.1\r\nhost: evil.example\r\ncontent-length: 64\r\n\r\n{code}");
    assert_eq!(exchange(setup.proxy.address, elsewhere).status(), 421);
    let session = setup.enter(&code).json()["session"].as_str().unwrap().to_owned();
    assert_eq!(setup.enter(&code).status(), 401, "good once");
    let answer = setup.get("/dashboard/data", &session);
    assert_eq!(answer.status(), 200);
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{answer:?}");
    assert_eq!(setup.get("/dashboard/data", &code).status(), 401, "a code is no session");
    for secret in [token.trim(), &code, &session] {
        assert!(!setup.proxy.stderr().contains(secret), "{}", setup.proxy.stderr());
    }
    assert!(setup.upstream.is_untouched());
}

#[test]
fn a_request_is_shown_as_it_was_and_as_it_was_sent() {
    let setup = setup(&[]);
    let session = setup.session();
    let empty = setup.data(&session, 0);
    assert_eq!(empty["live"]["requests"], json!([]));
    assert_eq!(empty["ledger"]["days"].as_array().map(Vec::len), Some(30));
    setup.turn("x-headroom-project: shop\r\n");
    let data = setup.data(&session, 1);
    let shown = &data["live"]["requests"][0];
    assert_eq!((&shown["project"], &shown["model"]), (&"shop".into(), &"claude-opus-5-5".into()), "{shown}");
    assert_eq!((&shown["outcome"], &shown["status"]), (&"rewritten".into(), &200.into()), "{shown}");
    assert!(shown["saved"].as_f64().unwrap() > 0.0 && shown["usage"]["cache_read"] == 3000, "{shown}");
    let detail = setup.get("/dashboard/request/1", &session).json();
    let block = &detail["blocks"][0];
    assert_eq!((&block["tool"], &block["kind"]), (&"Bash".into(), &"json".into()), "{detail}");
    assert!(block["tokens_before"].as_u64() > block["tokens_after"].as_u64(), "{detail}");
    assert_eq!(block["steps"], json!(["compact JSON or a table"]), "{detail}");
    let texts = setup.get("/dashboard/request/1/0", &session).json();
    assert_eq!(texts["before"], records());
    let after = texts["after"].as_str().unwrap();
    assert!(after.contains("secret-state") && after.len() < records().len() / 2, "{after}");
    for (rows, name) in [("tools", "Bash"), ("projects", "shop")] {
        let row = &data["live"][rows][0];
        assert_eq!(row["name"], name, "{data}");
        let saved = |row: &Value| row["saved_new"].as_i64().unwrap() + row["saved_cached"].as_i64().unwrap();
        assert_eq!(saved(row), saved(shown), "{data}");
        assert!((row["saved"].as_f64().unwrap() - shown["saved"].as_f64().unwrap()).abs() < 1e-9, "{data}");
    }
    for target in
        ["/dashboard/request/2", "/dashboard/request/1/7", "/dashboard/request/x", "/dashboard/request/1/x"]
    {
        assert_eq!(setup.get(target, &session).status(), 404, "{target}");
    }
    // Headers of ours go to no provider.
    exchange(setup.proxy.address, post("/v1/messages", "x-headroom-project: shop\r\n", b"{}"));
    assert_eq!(setup.upstream.request().header("x-headroom-project"), None);
}

#[test]
fn the_ledger_is_in_the_sums_whoever_wrote_it() {
    let setup = setup(&[]);
    let session = setup.session();
    let sums =
        |days: &Value| days.as_array().unwrap().iter().map(|day| day["turns"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sums(&setup.data(&session, 0)["ledger"]["days"]), 0);
    let other = Proxy::at_home(setup.home.path(), setup.upstream.address, &[]);
    exchange(other.address, post("/v1/messages", "", &request("anthropic")));
    let start = std::time::Instant::now();
    while sums(&setup.data(&session, 0)["ledger"]["days"]) != 1 {
        assert!(start.elapsed() < crate::support::PATIENCE, "the other proxy's turn does not show");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn files(folder: &Path, see: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, see) } else { see(&path) }
    }
}

#[test]
fn texts_are_kept_in_memory_only_and_not_at_all_if_so_configured() {
    for content in [true, false] {
        let setup = setup(&["--log", "debug", "--dashboard-content", if content { "true" } else { "false" }]);
        let session = setup.session();
        setup.turn("");
        let data = setup.data(&session, 1);
        assert_eq!(data["live"]["content"], content);
        let detail = setup.get("/dashboard/request/1", &session);
        assert_eq!(detail.json()["texts"], content);
        let texts = setup.get("/dashboard/request/1/0", &session);
        assert_eq!(texts.status(), if content { 200 } else { 404 });
        let says = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("secret-state");
        assert_eq!(says(&texts.body), content);
        assert!(
            !says(&detail.body) && !says(data.to_string().as_bytes()),
            "texts are in their own view only"
        );
        assert!(!setup.proxy.stderr().contains("secret-state"));
        files(setup.home.path(), &mut |file| assert!(!says(&fs::read(file).unwrap()), "{}", file.display()));
    }
}

#[test]
fn the_command_says_what_is_missing() {
    let setup = setup(&[]);
    let json: Value = serde_json::from_slice(&setup.dashboard(&["--json"]).stdout).unwrap();
    assert!(json["url"].as_str().unwrap().contains("/dashboard#"), "{json}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    let fails = |home: &Path, address: &str, why: &str| {
        let output =
            headroom(&["dashboard", "--listen", address]).env("HEADROOM_HOME", home).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(output.stdout.is_empty() && stderr(&output).contains(why), "{}", stderr(&output));
    };
    let other = Upstream::answering(ok("{}"));
    fails(setup.home.path(), &other.address.to_string(), "belongs to another program");
    drop(free);
    fails(setup.home.path(), &address, "`headroom proxy`");
    let stranger = tempfile::tempdir().unwrap();
    fails(stranger.path(), &setup.proxy.address.to_string(), "HEADROOM_HOME");
}
