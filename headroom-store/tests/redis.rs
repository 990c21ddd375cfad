//! The store against a real server, which `.ci/run` installs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may"
)]

use std::{
    error::Error,
    io::Write,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use headroom_core::{Handle, Original};
use headroom_store::{ExchangeStore, OriginalStore, RecordKey, RedisStore, StoreError};
use tempfile::TempDir;

/// Nothing in these tests takes that long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a free port of this machine.
struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// `None`, and a message, where none is installed.
    fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let Some(process) =
            ["redis-server", "valkey-server"].iter().find_map(|name| spawn(name, port, &folder))
        else {
            // Past the harness, which shows nothing of tests that pass.
            let _ =
                writeln!(std::io::stderr(), "skipped: neither redis-server nor valkey-server is installed");
            return None;
        };
        let server = Self { process, port, folder };
        server.wait();
        Some(server)
    }

    fn wait(&self) {
        let start = Instant::now();
        let client = redis::Client::open(self.url()).unwrap();
        let ping = |mut connection| redis::cmd("PING").query::<String>(&mut connection);
        while client.get_connection().and_then(ping).is_err() {
            assert!(start.elapsed() < PATIENCE, "the server does not answer");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn store(&self) -> RedisStore {
        RedisStore::builder(self.url()).timeout(PATIENCE).build().unwrap()
    }

    /// Sends a command by another connection.
    fn ask<T: redis::FromRedisValue>(&self, command: &[&str]) -> T {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        command[1..]
            .iter()
            .fold(&mut redis::cmd(command[0]), |cmd, arg| cmd.arg(arg))
            .query(&mut connection)
            .unwrap()
    }

    fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([format!("-{name}"), self.process.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn restart(&mut self) {
        self.stop();
        let names = ["redis-server", "valkey-server"];
        self.process = names.iter().find_map(|name| spawn(name, self.port, &self.folder)).unwrap();
        self.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn spawn(name: &str, port: u16, folder: &TempDir) -> Option<Child> {
    Command::new(name)
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
        ])
        .arg(folder.path())
        .stdout(Stdio::null())
        .spawn()
        .ok()
}

fn original(content: &str) -> Original {
    Original::new(content.to_owned())
}

async fn has(store: &RedisStore, tenant: &str, content: &str) -> bool {
    let found = store.get(tenant, &Handle::from_content(content)).await.unwrap();
    assert!(found.as_deref().is_none_or(|found| found == content));
    found.is_some()
}

fn text(error: &StoreError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn what_one_replica_stored_another_has_for_the_same_tenant() {
    let Some(server) = Server::start() else { return };
    let (a, b) = (server.store(), server.store());
    let long = "a line of a log\n".repeat(10_000);
    a.put_many("team", vec![]).await.unwrap();
    a.put_many("team", vec![original("x"), original(&long), original(""), original("x")]).await.unwrap();
    for content in ["x", &long, ""] {
        assert!(has(&a, "team", content).await && has(&b, "team", content).await);
        assert!(!has(&b, "other", content).await);
    }
    b.put_many("team", vec![original("x"), original("y")]).await.unwrap();
    assert!(has(&a, "team", "y").await && !has(&a, "team", "z").await);
    let second = Original::with_handle(Handle::from_content("x"), "second".to_owned());
    assert!(a.put_many("team", vec![second]).await.unwrap_err().is_collision());

    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| key.starts_with("headroom:") && !key.contains("team")), "{keys:?}");
    let size: usize = server.ask(&[
        "STRLEN",
        keys.iter().find(|key| key.ends_with(&Handle::from_content(&long).to_string())).unwrap(),
    ]);
    assert!(size < 500, "{size}");
}

#[tokio::test]
async fn every_sight_lets_an_original_live_on() {
    let Some(server) = Server::start() else { return };
    let store = RedisStore::builder(server.url()).time_to_idle(Duration::from_secs(500)).build().unwrap();
    store.put_many("a", vec![original("put again"), original("read"), original("left alone")]).await.unwrap();
    store.put_record("a", &[RecordKey::from_hash(&[7; 32])], "record").await.unwrap();
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    for key in &keys {
        let left: u64 = server.ask(&["PTTL", key]);
        assert!((400_000..=500_000).contains(&left), "{left}");
        server.ask::<()>(&["PEXPIRE", key, "90000"]);
    }
    store.put_many("a", vec![original("put again")]).await.unwrap();
    assert!(has(&store, "a", "read").await);
    assert!(store.get_records("a", &[RecordKey::from_hash(&[7; 32])]).await.unwrap()[0].is_some());
    let renewed = keys.iter().filter(|key| server.ask::<u64>(&["PTTL", key]) > 400_000).count();
    assert_eq!(renewed, 3);
}

#[tokio::test]
async fn records_are_kept_apart_under_any_key() {
    let Some(server) = Server::start() else { return };
    let store = server.store();
    let keys = [1, 2, 3].map(|n| RecordKey::from_hash(&[n; 32]));
    store.put_record("a", &keys[..2], "the exchange").await.unwrap();
    store.put_record("a", &keys[..1], "another").await.expect("a key may keep its record");
    let records = server.store().get_records("a", &keys).await.unwrap();
    let records: Vec<_> = records.iter().map(Option::as_deref).collect();
    assert_eq!(records, [Some("the exchange"), Some("the exchange"), None]);
    assert_eq!(store.get_records("b", &keys).await.unwrap(), [None, None, None]);
    assert_eq!(store.get_records("b", &[]).await.unwrap(), []);
    assert!(store.get("a", &keys[0].to_string().parse().unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn damaged_values_read_as_missing() {
    let Some(server) = Server::start() else { return };
    let store = server.store();
    store.put_many("a", vec![original("x"), original("y")]).await.unwrap();
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    let value: Vec<u8> = server.ask(&["GET", &keys[1]]);
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    redis::cmd("SET").arg(&keys[0]).arg(value).exec(&mut connection).unwrap();
    redis::cmd("SET").arg(&keys[1]).arg("damaged").exec(&mut connection).unwrap();
    assert!(!has(&store, "a", "x").await && !has(&store, "a", "y").await);
}

#[tokio::test]
async fn a_damaged_value_is_written_again_by_the_next_put() {
    let Some(server) = Server::start() else { return };
    let content = "start\nworking\ndone\n";
    let (store, handle) = (server.store(), Handle::from_content(content));
    store.put_many("a", vec![original(content), original("another")]).await.unwrap();
    let keys: Vec<String> = server.ask(&["KEYS", "*"]);
    let key = keys.iter().find(|key| key.ends_with(&handle.to_string())).unwrap();
    let other = keys.iter().find(|other| *other != key).unwrap();
    let value: Vec<u8> = server.ask(&["GET", key]);
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let mut set = |value: &[u8]| redis::cmd("SET").arg(key).arg(value).exec(&mut connection).unwrap();
    for at in 0..value.len() {
        let mut flipped = value.clone();
        flipped[at] ^= 0x40;
        let longer = [&value, &b"x"[..]].concat();
        for (damage, is_noticed) in [(&flipped[..], false), (&value[..at], true), (&longer, true)] {
            set(damage);
            // Another length is noticed at once, and by a process that has just started so is everything. For the rest
            // it takes somebody who reads it.
            let other = server.store();
            let store = if at % 2 == 0 { &other } else { &store };
            if at % 2 == 1 && !is_noticed {
                assert!(!has(store, "a", content).await, "byte {at}");
            }
            assert_eq!(store.has_many("a", &[handle]).await.unwrap(), [false], "byte {at}");
            store.put_many("a", vec![original(content)]).await.unwrap();
            assert!(has(store, "a", content).await, "byte {at}");
        }
    }
    let another: Vec<u8> = server.ask(&["GET", other]);
    set(&another);
    server.store().put_many("a", vec![original(content)]).await.unwrap();
    assert!(has(&store, "a", content).await, "what has another's key is replaced");
}

#[tokio::test]
async fn a_server_that_stops_is_an_error_and_one_that_comes_back_is_used() {
    let Some(mut server) = Server::start() else { return };
    let store = server.store();
    store.put_many("a", vec![original("x")]).await.unwrap();
    server.restart();
    store.put_many("a", vec![original("the content")]).await.expect("the connection comes back by itself");
    server.stop();
    let errors = [
        store.put_many("a", vec![original("the content")]).await.unwrap_err(),
        store.get("a", &Handle::from_content("the content")).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.is_unavailable());
        assert_eq!(text(&error), "the server cannot be reached");
    }
    server.restart();
    let start = Instant::now();
    while let Err(error) = store.put_many("a", vec![original("y")]).await {
        assert!(start.elapsed() < PATIENCE, "{}", text(&error));
    }
    assert!(has(&store, "a", "y").await);
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_up_for_long() {
    let Some(server) = Server::start() else { return };
    let store = RedisStore::builder(server.url()).timeout(Duration::from_millis(300)).build().unwrap();
    store.put_many("a", vec![original("x")]).await.unwrap();
    server.signal("STOP");
    let start = Instant::now();
    let error = store.put_many("a", vec![original("x")]).await.unwrap_err();
    assert!(error.is_unavailable() && start.elapsed() < PATIENCE);
    assert_eq!(text(&error), "the server gave no answer in time");
    server.signal("CONT");
    let start = Instant::now();
    while let Err(error) = store.put_many("a", vec![original("x")]).await {
        assert!(start.elapsed() < PATIENCE, "{}", text(&error));
    }
}

#[tokio::test]
async fn a_full_server_is_an_error_that_says_so() {
    let Some(server) = Server::start() else { return };
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = server.store().put_many("a", vec![original("the content")]).await.unwrap_err();
    assert!(error.is_unavailable());
    assert_eq!(text(&error), "the server refused: OOM");
}

#[test]
fn what_is_no_url_is_refused_and_not_shown() {
    let error = RedisStore::new("http://me:secret@example.com").unwrap_err();
    assert!(text(&error).contains("not the URL of a server") && !format!("{error:?}").contains("secret"));
    let store = RedisStore::new("redis://me:secret@127.0.0.1:1/").unwrap();
    assert!(!format!("{store:?}").contains("secret"));
}

#[tokio::test]
async fn the_servers_owner_finds_what_any_tenant_stored() {
    let Some(server) = Server::start() else { return };
    let store = server.store();
    // A prefix that begins like the other one, and one with letters that patterns use.
    let nested = RedisStore::builder(server.url()).prefix("headroom:x").build().unwrap();
    let odd = RedisStore::builder(server.url()).prefix("a*[b]-?").build().unwrap();
    store.put_many("a", vec![original("of a"), original("of both")]).await.unwrap();
    store.put_many("b", vec![original("of b"), original("of both")]).await.unwrap();
    nested.put_many("a", vec![original("nested")]).await.unwrap();
    odd.put_many("a", vec![original("odd")]).await.unwrap();
    store.put_record("a", &[RecordKey::from_hash(&[7; 32])], "record").await.unwrap();
    let find = async |store: &RedisStore, content: &str| {
        store.find(&Handle::from_content(content)).await.unwrap().as_deref().map(str::to_owned)
    };
    for content in ["of a", "of b", "of both"] {
        assert_eq!(find(&store, content).await.as_deref(), Some(content));
        assert_eq!(find(&nested, content).await, None);
    }
    assert_eq!(find(&nested, "nested").await.as_deref(), Some("nested"));
    assert_eq!(find(&odd, "odd").await.as_deref(), Some("odd"));
    for content in ["nested", "odd", "nobody's"] {
        assert_eq!(find(&store, content).await, None, "{content}");
    }
    let record: Handle = RecordKey::from_hash(&[7; 32]).to_string().parse().unwrap();
    assert!(store.find(&record).await.unwrap().is_none(), "records are no originals");
}

#[tokio::test]
async fn a_check_finds_a_server_that_is_gone_or_takes_nothing() {
    let Some(mut server) = Server::start() else { return };
    let store = server.store();
    store.check().await.unwrap();
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(text(&store.check().await.unwrap_err()).contains("OOM"));
    server.ask::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    store.check().await.unwrap();
    server.stop();
    let error = store.check().await.unwrap_err();
    assert!(error.is_unavailable() && text(&error).contains("cannot be reached"), "{}", text(&error));
}
