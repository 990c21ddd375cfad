//! A Redis server with a password.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use headroom_store::RedisStore;
use tempfile::TempDir;

use crate::support::{PATIENCE, skipped};

pub(crate) const PASSWORD: &str = "s3cret-of-the-store";

pub(crate) struct Server {
    process: Child,
    port: u16,
    folder: TempDir,
    args: Vec<String>,
}

impl Server {
    /// `None`, and a message, where none is installed.
    pub(crate) async fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let args = ["--port".to_owned(), port.to_string()];
        let server = Self::start_with(tempfile::tempdir().unwrap(), port, args.to_vec())?;
        server.wait().await;
        Some(server)
    }

    /// With these arguments, without waiting.
    pub(crate) fn start_with(folder: TempDir, port: u16, args: Vec<String>) -> Option<Self> {
        let Some(process) = spawn(&folder, &args) else {
            skipped("neither redis-server nor valkey-server is installed");
            return None;
        };
        Some(Self { process, port, folder, args })
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://:{PASSWORD}@127.0.0.1:{}/1?prefix=fleet", self.port)
    }

    /// What the server holds, read past the proxies.
    pub(crate) fn store(&self) -> RedisStore {
        let url = format!("redis://:{PASSWORD}@127.0.0.1:{}/1", self.port);
        RedisStore::builder(url).prefix("fleet").timeout(PATIENCE).build().unwrap()
    }

    async fn wait(&self) {
        let start = Instant::now();
        let store = self.store();
        while store.check().await.is_err() {
            assert!(start.elapsed() < PATIENCE, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it as a machine that fails does.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again with what it had written.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        self.process = spawn(&self.folder, &self.args).unwrap();
        self.wait().await;
    }

    /// Starts it again with nothing.
    pub(crate) async fn restart_empty(&mut self) {
        self.kill();
        self.folder = tempfile::tempdir().unwrap();
        self.restart().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Every write is on the disk before it is acknowledged, so that what was acknowledged survives a kill.
fn spawn(folder: &TempDir, args: &[String]) -> Option<Child> {
    let spawn = |name: &&str| {
        Command::new(name)
            .args(["--bind", "127.0.0.1", "--requirepass", PASSWORD, "--save", "", "--appendonly", "yes"])
            .args(["--appendfsync", "always", "--dir"])
            .arg(folder.path())
            .args(args)
            .stdout(Stdio::null())
            .spawn()
            .ok()
    };
    ["redis-server", "valkey-server"].iter().find_map(spawn)
}

/// Waits until this holds.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}
