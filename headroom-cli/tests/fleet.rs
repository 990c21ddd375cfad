//! Proxies for a team: several over one Redis server, which `.ci/run` installs, behind LiteLLM, Portkey and Envoy, and by the files of
//! `deploy/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

#[path = "fleet/agent.rs"]
mod agent;
#[path = "fleet/deploy.rs"]
mod deploy;
#[cfg(feature = "envoy")]
#[path = "fleet/envoy/mod.rs"]
mod envoy;
#[path = "fleet/kills.rs"]
mod kills;
#[path = "fleet/litellm.rs"]
mod litellm;
#[path = "fleet/portkey.rs"]
mod portkey;
#[path = "fleet/server.rs"]
mod server;
mod support;

use std::{
    collections::BTreeSet,
    fs,
    net::{SocketAddr, TcpStream},
    process::Output,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use headroom_core::Handle;
use serde_json::Value;
use tempfile::TempDir;

use self::{
    agent::{Agent, Provider, Seen, handles},
    server::{PASSWORD, Server, wait_until},
    support::{Connection, Message, Proxy, Upstream, exchange, headroom, pipe, request, stderr},
};

const AGENTS: usize = 4;

/// Three proxies over one store, and a balancer that gives every connection to the next of them.
struct Fleet {
    proxies: Vec<Proxy>,
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
    balancer: Upstream,
    upstream: SocketAddr,
    store: String,
}

impl Fleet {
    fn start(upstream: SocketAddr, store: &str) -> Self {
        let addresses = Arc::<Mutex<Vec<SocketAddr>>>::default();
        let (to, next) = (Arc::clone(&addresses), AtomicUsize::new(0));
        let balancer = Upstream::start(move |connection| {
            let addresses = to.lock().unwrap().clone();
            let first = next.fetch_add(1, Ordering::Relaxed);
            // One that is gone is left out, as by any balancer.
            let stream = (0..addresses.len())
                .find_map(|n| TcpStream::connect(addresses[(first + n) % addresses.len()]).ok());
            connection.join(stream.expect("a proxy runs"))?;
            Err(std::io::ErrorKind::ConnectionAborted.into())
        });
        let mut fleet = Self { proxies: Vec::new(), addresses, balancer, upstream, store: store.to_owned() };
        for _ in 0..3 {
            let proxy = fleet.replica();
            fleet.addresses.lock().unwrap().push(proxy.address);
            fleet.proxies.push(proxy);
        }
        fleet
    }

    fn replica(&self) -> Proxy {
        let url = format!("http://{}", self.upstream);
        let args = ["proxy", "--listen", "127.0.0.1:0", "--upstream", &url, "--log", "debug"];
        Proxy::start(headroom(&args).env("HEADROOM_STORE", &self.store))
    }

    fn send(&self, agent: &Agent) -> Message {
        exchange(self.balancer.address, agent.request())
    }

    fn turn(&self, agents: &mut [Agent]) {
        for agent in agents {
            let answer = self.send(agent);
            agent.answered(&answer);
        }
    }

    /// Kills the proxy of this number without warning.
    fn kill(&mut self, number: usize) {
        self.proxies[number].signal("KILL");
        self.proxies[number].wait();
    }

    fn replace(&mut self, number: usize) {
        let proxy = self.replica();
        self.addresses.lock().unwrap()[number] = proxy.address;
        self.proxies[number] = proxy;
    }

    /// Waits until every proxy says this of itself.
    fn wait_for(&self, ready: &str) {
        for proxy in &self.proxies {
            let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
            let is_so = || {
                let answer = exchange(proxy.address, request);
                answer.status() == 200 && String::from_utf8_lossy(&answer.body).starts_with(ready)
            };
            wait_until(ready, is_so);
        }
    }
}

fn agents(first: usize) -> Vec<Agent> {
    (first..first + AGENTS).map(Agent::new).collect()
}

/// What one proxy sends for these conversations, each of this many turns.
fn alone(agents: Vec<Agent>, turns: usize) -> BTreeSet<Seen> {
    let provider = Provider::start();
    let proxy = Proxy::to(provider.upstream.address, &["--store", "memory"]);
    // One after the other: the store forgets those of long ago.
    for mut agent in agents {
        for _ in 0..turns {
            let answer = exchange(proxy.address, agent.request());
            agent.answered(&answer);
        }
    }
    provider.seen().into_iter().collect()
}

/// Every marker that was forwarded resolves. Returns how many originals they name.
async fn resolve(server: &Server, seen: &[Seen]) -> usize {
    let names: BTreeSet<String> = seen.iter().flat_map(|seen| handles(&seen.body)).collect();
    let store = server.store();
    for name in &names {
        let handle: Handle = name.parse().unwrap();
        assert!(store.find(&handle).await.unwrap().is_some(), "{name} does not resolve");
    }
    names.len()
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), stderr(output))
}

#[tokio::test]
async fn three_proxies_send_what_one_does_though_one_is_killed_in_a_hidden_round() {
    let Some(server) = Server::start().await else { return };
    let provider = Provider::start();
    let mut fleet = Fleet::start(provider.upstream.address, &server.url());
    let mut agents = agents(0);
    for _ in 0..3 {
        fleet.turn(&mut agents);
    }
    // The turn in which the model asks again. Which proxy has the request is seen when the others are gone.
    let hidden = provider.hang();
    let caller = agents[0].clone();
    let balancer = fleet.balancer.address;
    let cut = std::thread::spawn(move || {
        let mut connection = Connection::open(balancer);
        connection.write(caller.request()).unwrap();
        connection.read().map(|answer| answer.complete && answer.status() == 200)
    });
    hidden.recv_timeout(support::PATIENCE).expect("a hidden round begins");
    let before = provider.seen();
    let mut killed = 0;
    while !cut.is_finished() {
        assert!(killed < 3, "no proxy has the request");
        fleet.kill(killed);
        killed += 1;
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    assert!(!matches!(cut.join().unwrap(), Ok(true)), "the client sees that its answer is cut");
    provider.go_on();
    (0..killed).for_each(|number| fleet.replace(number));
    for _ in 3..6 {
        fleet.turn(&mut agents);
    }

    let seen = [before, provider.seen()].concat();
    let alone = alone(crate::agents(0), 6);
    assert!(alone.len() > 6 * AGENTS, "there are hidden rounds: {}", alone.len());
    assert_eq!(resolve(&server, &seen).await, 6 * AGENTS, "each result has a marker");
    let different = seen.iter().find(|seen| !alone.contains(seen));
    assert!(different.is_none(), "one proxy never sends {different:?}");
    let seen: BTreeSet<_> = seen.into_iter().collect();
    assert_eq!(seen.len(), alone.len());
}

#[tokio::test]
async fn a_store_that_goes_and_comes_back_fails_no_request_and_loses_no_marker() {
    let Some(mut server) = Server::start().await else { return };
    let provider = Provider::start();
    let fleet = Fleet::start(provider.upstream.address, &server.url());
    let (mut old, mut new) = (agents(0), agents(AGENTS));
    fleet.turn(&mut old);
    fleet.wait_for("ok\n");
    let before = provider.seen();

    server.kill();
    // Every proxy notices, and conversations begin and go on.
    for _ in 0..2 {
        fleet.turn(&mut old);
        fleet.turn(&mut new);
    }
    fleet.wait_for("ok, but the store is down");
    let out = provider.seen();
    for seen in out.iter().filter(|seen| seen.conversation >= AGENTS) {
        assert!(handles(&seen.body).is_empty(), "something was elided that is stored nowhere");
    }

    server.restart().await;
    fleet.wait_for("ok\n");
    for _ in 0..3 {
        fleet.turn(&mut old);
        fleet.turn(&mut new);
    }
    let after = provider.seen();
    // All that was forwarded before, meanwhile and after, with what the server had written.
    resolve(&server, &[before.clone(), out, after.clone()].concat()).await;
    let last = |seen: &[Seen], conversation| {
        seen.iter().rfind(|seen| seen.conversation == conversation).map(|seen| seen.body.clone()).unwrap()
    };
    for conversation in 0..2 * AGENTS {
        let turns = if conversation < AGENTS { 6 } else { 5 };
        let markers: BTreeSet<_> = handles(&last(&after, conversation)).into_iter().collect();
        assert_eq!(markers.len(), turns, "what was whole meanwhile is elided again, by every proxy");
    }

    server.kill();
    fleet.turn(&mut old);
    server.restart_empty().await;
    fleet.wait_for("ok\n");
    provider.seen();
    fleet.turn(&mut old);
    assert!(resolve(&server, &provider.seen()).await >= AGENTS, "clients send everything again");

    for proxy in &fleet.proxies {
        let log = proxy.wait_for(" works again");
        assert!(log.contains("redis://:***@127.0.0.1") && !log.contains(PASSWORD), "{log}");
        let begun = log.lines().filter(|line| line.contains(" fails: ")).count();
        let ended = log.lines().filter(|line| line.ends_with(" works again")).count();
        assert!((1..=2).contains(&begun) && ended == begun, "once for each outage: {log}");
    }
}

#[tokio::test]
async fn conversations_are_the_same_before_and_after_an_outage_that_they_slept_through() {
    let Some(mut server) = Server::start().await else { return };
    let provider = Provider::start();
    let fleet = Fleet::start(provider.upstream.address, &server.url());
    let mut agents = agents(0);
    for _ in 0..2 {
        fleet.turn(&mut agents);
    }
    server.kill();
    fleet.turn(&mut [Agent::new(99), Agent::new(98), Agent::new(97)]);
    fleet.wait_for("ok, but");
    server.restart().await;
    fleet.wait_for("ok\n");
    for _ in 2..4 {
        fleet.turn(&mut agents);
    }
    let seen: BTreeSet<_> = provider.seen().into_iter().filter(|seen| seen.conversation < AGENTS).collect();
    assert!(seen == alone(crate::agents(0), 4), "one proxy whose store never failed sends the same");
}

#[tokio::test]
async fn what_one_tenant_stored_another_gets_in_no_conversation() {
    let Some(server) = Server::start().await else { return };
    let store = server.store();
    let original = headroom_core::Original::new("a secret of one tenant\n".repeat(50));
    let handle = original.handle();
    headroom_store::OriginalStore::put_many(&store, "one", vec![original]).await.unwrap();
    assert!(headroom_store::OriginalStore::get(&store, "two", &handle).await.unwrap().is_none());
    // The owner of the server finds it, as the owner of a folder does.
    let found = headroom(&["retrieve", &handle.to_string(), "--store", &server.url()]).output().unwrap();
    assert!(found.status.success() && printed(&found).contains("a secret of one tenant"));

    let missing = headroom(&["retrieve", "abcdefghijklmnop", "--store", &server.url()]).output().unwrap();
    assert_eq!(missing.status.code(), Some(1));
    assert!(printed(&missing).contains("no original abcdefghijklmnop in redis://:***@127.0.0.1"));
}

/// A home with this configuration file.
fn home(config: &str) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(".config/headroom")).unwrap();
    fs::write(home.path().join(".config/headroom/config.toml"), config).unwrap();
    home
}

#[test]
fn no_command_and_no_message_shows_the_password() {
    let url = format!("redis://:{PASSWORD}@127.0.0.1:1/0");
    let home = home(&format!("store = '{url}'"));
    let here = |args: &[&str]| {
        let output = pipe(headroom(args).env("HOME", home.path()), &request("openai"));
        let text = printed(&output);
        assert!(!text.contains(PASSWORD), "{args:?}: {text}");
        (output.status.code(), text)
    };
    for args in [&["config", "print"][..], &["config", "print", "--json"]] {
        let (status, text) = here(args);
        assert!(status == Some(0) && text.contains("redis://:***@127.0.0.1:1/0"), "{text}");
    }
    let (status, text) = here(&["doctor"]);
    assert!(status == Some(1) && text.contains("the server cannot be reached"), "{text}");
    let (status, text) = here(&["retrieve", "abcdefghijklmnop"]);
    assert!(status == Some(1) && text.contains("the server cannot be reached"), "{text}");
    let (status, text) = here(&["compress"]);
    assert!(status == Some(0) && text.contains("secret-state"), "{text}");

    for (config, args) in [
        (format!("store = '{url}#insecure'"), &["config", "check"][..]),
        (format!("store = '{url}"), &["config", "check"]),
        (String::new(), &["proxy", "--store", &format!("{url}?prefix=*")]),
    ] {
        let home = self::home(&config);
        let output = headroom(args).env("HOME", home.path()).output().unwrap();
        let text = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("***") && !text.contains(PASSWORD), "{text}");
    }
    let output = headroom(&["config", "check"]).env("HEADROOM_STORE", format!("{url}?x=1")).output().unwrap();
    let text = printed(&output);
    assert!(text.contains("HEADROOM_STORE: not the URL of a Redis") && !text.contains(PASSWORD), "{text}");
}

#[tokio::test]
async fn a_server_is_spoken_to_over_tls_if_its_certificate_is_trusted() {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (roots, private) =
        (file("roots.pem", key.cert.pem()), file("key.pem", key.signing_key.serialize_pem()));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let tls = [
        "--port",
        "0",
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &roots,
        "--tls-key-file",
        &private,
        "--tls-ca-cert-file",
        &roots,
        "--tls-auth-clients",
        "no",
    ];
    let args = tls.map(str::to_owned).to_vec();
    let Some(_server) = Server::start_with(tempfile::tempdir().unwrap(), port, args) else { return };
    let url = format!("rediss://:{PASSWORD}@localhost:{port}");
    wait_until("the server listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    let doctor = |roots: Option<&str>| {
        let mut command = headroom(&["doctor", "--json"]);
        command.env("HEADROOM_STORE", &url).envs(roots.map(|roots| ("SSL_CERT_FILE", roots)));
        let output = command.output().unwrap();
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = json["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["subject"] == "store").unwrap()
    };
    assert_eq!(doctor(Some(&roots))["health"], "good", "{}", doctor(Some(&roots)));
    assert_eq!(doctor(None)["health"], "broken", "{}", doctor(None));
}
