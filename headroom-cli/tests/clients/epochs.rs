//! Long conversations of real clients in which epochs begin, against a provider that enforces its rules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    PATIENCE, bodies,
    claude::Claude,
    clean, lines,
    setup::{Clients, Mock, finish, workspace},
    support::{Proxy, headroom},
};

const PROMPTS: [&str; 4] =
    ["Find out why orders fail.", "And since when?", "Who has to know?", "What is to be done?"];

/// Two proxies with one store and one ledger, which take turns.
struct Replicas {
    url: String,
    data: TempDir,
    running: [Proxy; 2],
    next: usize,
}

impl Replicas {
    fn new(upstream: &Mock) -> Self {
        let (url, data) = (format!("http://{}", upstream.address), tempfile::tempdir().unwrap());
        let running = [(); 2].map(|()| Self::start(&url, data.path()));
        Self { url, data, running, next: 0 }
    }

    fn start(url: &str, data: &Path) -> Proxy {
        let args = ["proxy", "--log", "info", "--listen", "127.0.0.1:0", "--upstream", url];
        let mut proxy = headroom(&args);
        Proxy::start(proxy.env("HEADROOM_HOME", data.join("home")).arg("--store").arg(data.join("store")))
    }

    /// The one whose turn it is.
    fn next(&mut self) -> &Proxy {
        self.next += 1;
        &self.running[self.next % 2]
    }

    /// Starts the one again that was used last, so that it knows nothing.
    fn restart(&mut self) {
        let proxy = Self::start(&self.url, self.data.path());
        let mut old = std::mem::replace(&mut self.running[self.next % 2], proxy);
        old.signal("TERM");
        old.wait();
    }

    /// The turns in the ledger, once both have ended.
    fn entries(&mut self) -> Vec<Value> {
        for proxy in &mut self.running {
            proxy.signal("TERM");
            proxy.wait();
        }
        let days = fs::read_dir(self.data.path().join("home/ledger")).unwrap();
        let mut days: Vec<PathBuf> = days.map(|day| day.unwrap().path()).collect();
        days.sort();
        days.iter().flat_map(|day| lines(day)).collect()
    }
}

/// Checks what the provider saw, and returns how many epochs began.
fn check(requests: &[Value], entries: &[Value]) -> usize {
    let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
    let (mut changes, mut before, mut after) = (0, 0, 0);
    for (n, request) in requests.iter().enumerate() {
        assert!(request["err"].is_null(), "{n} refused: {}", request["err"]);
        assert_eq!(request["dropped"].as_array().map(Vec::len), Some(0), "{n}: thinking was dropped");
        let conversation = request["conversation"].as_str().unwrap();
        let is_changed =
            last.get(conversation).is_some_and(|last| common(last, request) < hashes(last).len());
        if is_changed {
            changes += 1;
            let thoughts = request["thoughts"].as_u64().unwrap();
            assert_eq!(thoughts, 0, "{n}: thinking follows a change");
        }
        let read = request["usage"]["cache_read_input_tokens"].as_u64().unwrap();
        let held = readable(&requests[..n], request);
        if is_changed {
            // Entries in the middle are too far from a breakpoint.
            let head = readable(&[(*last[conversation]).clone()], request);
            assert!((head..=held).contains(&read), "{n}: {read} read, {head} to {held} expected");
        } else {
            assert_eq!(read, held, "{n}: all that was sent is read");
        }
        last.insert(conversation, request);
        if request["calls"].to_string().contains("headroom_retrieve") {
            *(if changes == 0 { &mut before } else { &mut after }) += 1;
        }
    }
    assert!(before > 0 && after > 0, "fetched before the first epoch and after it: {before}, {after}");
    let epochs = epochs(entries);
    assert_eq!(changes, epochs.len(), "nothing else changes what was sent: {epochs:?}");
    changes
}

fn hashes(request: &Value) -> &[Value] {
    request["hashes"].as_array().unwrap()
}

/// How many parts of two prompts are equal from their start.
fn common(one: &Value, other: &Value) -> usize {
    hashes(one).iter().zip(hashes(other)).take_while(|(one, other)| one == other).count()
}

/// The tokens that a cache of all earlier prompts holds of this one.
fn readable(earlier: &[Value], request: &Value) -> u64 {
    let held = |earlier: &Value| {
        let common = common(earlier, request);
        let breakpoints =
            earlier["breakpoints"].as_array().unwrap().iter().map(|at| at.as_u64().unwrap() as usize);
        breakpoints.filter(|at| *at < common).max()
    };
    let held = earlier.iter().filter(|earlier| !earlier["hashes"].is_null()).filter_map(held).max();
    held.map_or(0, |at| request["tokens"][at].as_u64().unwrap())
}

/// The epochs of the ledger, by name. Those of a conversation are the same in each of its turns.
fn epochs(entries: &[Value]) -> BTreeSet<String> {
    let mut known: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut begun = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry["epochs"].is_array()) {
        assert_eq!(entry["outcome"], "rewritten", "{entry}");
        let names: Vec<_> =
            entry["epochs"].as_array().unwrap().iter().map(|epoch| epoch["id"].as_str().unwrap()).collect();
        let earlier = known.entry(entry["conversation"].as_str().unwrap()).or_default();
        assert!(names.starts_with(earlier), "{earlier:?}, then {names:?}");
        assert_eq!(entry["epoch_begins"] == true, names.len() > earlier.len(), "{entry}");
        begun.extend(names.iter().map(|name| (*name).to_owned()));
        *earlier = names;
    }
    begun
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn agents_by_the_python_sdk_go_through_epochs() {
    let Some(clients) = Clients::get() else { return };
    for (mode, args) in [("stream", &[][..]), ("plain", &["--parallel"])] {
        let (folder, data) = (workspace(), tempfile::tempdir().unwrap());
        let log = data.path().join("upstream.jsonl");
        let Some(upstream) = Mock::strict_long(clients, &log, folder.path(), args) else { return };
        let mut replicas = Replicas::new(&upstream);
        for (n, prompt) in PROMPTS.iter().enumerate() {
            let proxy = replicas.next();
            let mut agent = Command::new(&clients.python);
            clean(&mut agent, data.path(), folder.path());
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/turn.py");
            agent.arg(script).args([&*format!("http://{}", proxy.address), mode]).arg(folder.path());
            agent.arg(data.path().join("conversation.json")).arg(prompt);
            let output = finish(agent, PATIENCE);
            let stderr = proxy.stderr();
            assert!(output.success && output.text.ends_with("done\n"), "{mode}: {}\n{stderr}", output.text);
            assert!(!output.text.contains("headroom_retrieve"), "{mode}: {}", output.text);
            assert!(!stderr.contains(" 400 "), "{mode}: {stderr}");
            if n == 1 {
                replicas.restart();
            }
        }
        let requests = lines(&log);
        assert!(requests.len() > 60, "{mode}: {} requests", requests.len());
        let epochs = check(&requests, &replicas.entries());
        assert!(epochs > 1, "{mode}: {epochs} epochs");
    }
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn claude_code_goes_through_epochs() {
    let Some(clients) = Clients::get() else { return };
    for args in [&[][..], &["--parallel"]] {
        let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
        let log = data.path().join("upstream.jsonl");
        let Some(upstream) = Mock::strict_long(clients, &log, folder.path(), args) else { return };
        let claude = Claude { clients, home: home.path(), folder: folder.path(), variables: &[] };
        let model = ["--model", "claude-opus-4-6"];
        let mut replicas = Replicas::new(&upstream);
        for (n, prompt) in PROMPTS.iter().enumerate() {
            let resumed: &[&str] = if n == 0 { &[] } else { &["-c"] };
            let proxy = replicas.next();
            claude.turn(proxy, &[resumed, &["-p", prompt], &model].concat());
            assert!(!proxy.stderr().contains(" 400 "), "{}", proxy.stderr());
            if n == 1 {
                replicas.restart();
            }
        }
        let requests = lines(&log);
        assert!(requests.len() > 60, "{} requests", requests.len());
        // Compacted, what stays of the conversation is bound to what is gone. The client knows, and tries again.
        claude.turn(replicas.next(), &[&["-c", "-p", "/compact"], &model[..]].concat());
        let compacted = lines(&log).len();
        claude.turn(replicas.next(), &[&["-c", "-p", "Is it done?"], &model[..]].concat());
        let after = lines(&log).split_off(compacted);
        let accepted: Vec<_> = after.iter().skip_while(|request| !request["err"].is_null()).collect();
        assert!(accepted.len() > 10 && accepted.iter().all(|request| request["err"].is_null()), "{after:?}");
        let delegated: BTreeSet<_> =
            requests.iter().map(|request| request["conversation"].as_str()).collect();
        assert!(delegated.len() > 1, "an agent under it had requests of its own");
        let epochs = check(&requests, &replicas.entries());
        assert!(epochs > 1, "{epochs} epochs");
    }
}

/// Checks what Codex sent item by item, and returns how many epochs began.
fn check_items(bodies: &[Vec<u8>], entries: &[Value]) -> usize {
    let mut last: Vec<Value> = Vec::new();
    let (mut changes, mut fetched) = (0, 0);
    for (n, body) in bodies.iter().enumerate() {
        let body: Value = serde_json::from_slice(body).unwrap();
        let items = body["input"].as_array().unwrap().clone();
        let of = |end: &str| -> Vec<&Value> {
            let is = |item: &&Value| item["type"].as_str().is_some_and(|kind| kind.ends_with(end));
            items.iter().filter(is).map(|item| &item["call_id"]).collect()
        };
        assert_eq!(of("_call"), of("_call_output"), "{n}: every call has its result");
        for two in items.windows(2).filter(|two| two[0]["type"] == "reasoning") {
            assert!(two[1]["type"] != "reasoning" && two[1]["role"] != "user", "{n}: reasoning stands alone");
        }
        changes += usize::from(!items.starts_with(&last));
        fetched += usize::from(
            items.len() > last.len()
                && Value::from(items[last.len().min(items.len())..].to_vec())
                    .to_string()
                    .contains("headroom_retrieve"),
        );
        let kinds = |items: &[Value]| items.iter().map(|item| item["type"].clone()).collect::<Vec<_>>();
        assert!(kinds(&items).starts_with(&kinds(&last)), "{n}: an item was lost");
        last = items;
    }
    assert!(fetched > 1, "fetched before the first epoch and after it: {fetched}");
    let epochs = epochs(entries);
    assert_eq!(changes, epochs.len(), "nothing else changes what was sent: {epochs:?}");
    changes
}

#[test]
#[ignore = "installs agents and SDKs from npm and PyPI"]
fn codex_goes_through_epochs() {
    let Some(clients) = Clients::get() else { return };
    let (home, folder, data) = (tempfile::tempdir().unwrap(), workspace(), tempfile::tempdir().unwrap());
    let recorded = data.path().join("recorded");
    let Some(upstream) = Mock::recording_long(clients, &recorded, folder.path()) else { return };
    let mut replicas = Replicas::new(&upstream);
    for (n, prompt) in PROMPTS.iter().enumerate() {
        let address = replicas.next().address;
        let config = format!(
            "model = 'gpt-5.5'\nmodel_provider = 'mock'\n[model_providers.mock]\nname = 'mock'\n\
             base_url = 'http://{address}/v1'\nwire_api = 'responses'\nenv_key = 'OPENAI_API_KEY'\n"
        );
        fs::write(home.path().join("config.toml"), config).unwrap();
        let mut codex = Command::new(&clients.codex);
        clean(&mut codex, home.path(), folder.path());
        codex.env("CODEX_HOME", home.path()).env("OPENAI_API_KEY", "sk-dummy");
        codex.args(["exec", "--skip-git-repo-check", "--json", "--dangerously-bypass-approvals-and-sandbox"]);
        let resumed: &[&str] = if n == 0 { &[] } else { &["resume", "--last"] };
        codex.args(resumed).arg(prompt);
        let output = finish(codex, PATIENCE);
        assert!(output.success && output.text.contains(r#""type":"turn.completed""#), "{}", output.text);
        if n == 1 {
            replicas.restart();
        }
    }
    let bodies = bodies(&recorded);
    assert!(bodies.len() > 60, "{} requests", bodies.len());
    let epochs = check_items(&bodies, &replicas.entries());
    assert!(epochs > 0, "{epochs} epochs");
}
