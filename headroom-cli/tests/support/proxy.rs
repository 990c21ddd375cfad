use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::Instant,
};

use super::{PATIENCE, headroom};

/// A running `headroom proxy` on a free port.
pub(crate) struct Proxy {
    child: Child,
    pub(crate) address: SocketAddr,
    stderr: Arc<Mutex<String>>,
    /// Reads standard error to its end.
    reader: Option<JoinHandle<()>>,
}

impl Proxy {
    /// With all APIs at this upstream.
    pub(crate) fn to(upstream: SocketAddr, args: &[&str]) -> Self {
        let url = format!("http://{upstream}");
        Self::start(headroom(&["proxy", "--listen", "127.0.0.1:0", "--upstream", &url]).args(args))
    }

    /// The same for a user who has this folder.
    pub(crate) fn at_home(home: &Path, upstream: SocketAddr, args: &[&str]) -> Self {
        let url = format!("http://{upstream}");
        let mut command = headroom(&["proxy", "--listen", "127.0.0.1:0", "--upstream", &url]);
        Self::start(command.args(args).env("HEADROOM_HOME", home))
    }

    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let stderr = Arc::new(Mutex::new(String::new()));
        let (found, address) = mpsc::channel();
        let written = Arc::clone(&stderr);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let mut written = written.lock().unwrap();
                written.push_str(&line);
                written.push('\n');
                drop(written);
                let listens = line.split_once("listens on ").and_then(|(_, rest)| rest.split_once("://"));
                if let Some((_, rest)) = listens {
                    let address = rest.split([' ', '"']).next().unwrap();
                    let _ = found.send(address.parse().unwrap());
                }
            }
        });
        let address = address.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("the proxy does not say where it listens: {}", stderr.lock().unwrap())
        });
        Self { child, address, stderr, reader: Some(reader) }
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written so far, or all of it after [`wait`](Self::wait): a line that has to be there is what
    /// [`wait_for`](Self::wait_for) is for.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Waits until standard error holds this.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let start = Instant::now();
        loop {
            let stderr = self.stderr();
            if stderr.contains(text) {
                return stderr;
            }
            assert!(start.elapsed() < PATIENCE, "no {text:?} in {stderr}");
            thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Asks it to stop.
    pub(crate) fn signal(&self, name: &str) {
        let kill = Command::new("kill").args([format!("-{name}"), self.child.id().to_string()]).status();
        assert!(kill.unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    reader.join().unwrap();
                }
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the proxy does not end");
            thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
