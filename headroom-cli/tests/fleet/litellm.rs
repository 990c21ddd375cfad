//! LiteLLM's own proxy, with its guardrail `headroom`, in front of a scripted provider.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Connection, Proxy, Upstream, ok, skipped};

const MASTER_KEY: &str = "sk-0123456789abcdef0123456789abcdef";
/// The first version whose guardrail asks for the mode. Its own extra `proxy` names a package that the registry lacks, so what
/// the server needs is that of an older one.
const VERSION: &str = "litellm==1.110.2";
/// Starts the server with the arguments behind it.
const SERVER: &str = "from litellm.proxy.proxy_cli import run_server; run_server()";
/// It imports for a quarter of a minute, and longer on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(150);

/// Installs it once. uv takes seconds for what pip needs minutes for.
fn install() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let venv = target.join("litellm");
    let bin = |name: &str| venv.join("bin").join(name);
    let run = |command: &mut Command, what: &str| match command.stdout(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{what}: {error}")),
    };
    let is_there = format!(
        "import fastapi, semver, importlib.metadata as m; assert m.version('litellm') == '{}'",
        &VERSION[9..]
    );
    if run(Command::new(bin("python")).args(["-c", &is_there]), "import").is_err() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv), "python3 -m venv")?;
        let pip = ["install", "--quiet", "--disable-pip-version-check", "uv"];
        run(Command::new(bin("pip")).args(pip), "pip install uv")?;
        for package in ["litellm[proxy]", VERSION, "semver"] {
            let uv = ["pip", "install", "--quiet", "--only-binary", ":all:", package];
            run(Command::new(bin("uv")).args(uv).env("VIRTUAL_ENV", &venv), package)?;
        }
    }
    Ok(bin("python"))
}

struct LiteLlm {
    process: Child,
    address: SocketAddr,
    log: PathBuf,
    _folder: TempDir,
}

impl LiteLlm {
    fn start(python: &Path, provider: SocketAddr, headroom: SocketAddr, token: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // JSON is YAML.
        let config = json!({
            "model_list": [{"model_name": "gpt-4o", "litellm_params": {
                "model": "openai/gpt-4o", "api_base": format!("http://{provider}/v1"), "api_key": "sk-provider"}}],
            "guardrails": [{"guardrail_name": "headroom", "litellm_params": {
                "guardrail": "headroom", "mode": "pre_call", "default_on": true,
                "api_base": format!("http://{headroom}"), "api_key": token, "ccr_retrieval": true}}],
            "general_settings": {"master_key": MASTER_KEY},
        });
        let (file, log) = (folder.path().join("config.yaml"), folder.path().join("log"));
        fs::write(&file, config.to_string()).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let output = fs::File::create(&log).unwrap();
        let process = Command::new(python)
            .args(["-c", SERVER, "--host", "127.0.0.1", "--port", &address.port().to_string(), "--config"])
            .arg(file)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .stdin(Stdio::null())
            .stderr(output.try_clone().unwrap())
            .stdout(output)
            .spawn()
            .unwrap();
        let mut litellm = Self { process, address, log, _folder: folder };
        litellm.wait();
        litellm
    }

    fn wait(&mut self) {
        let start = Instant::now();
        while std::net::TcpStream::connect(self.address).is_err() {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "{}", self.printed());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn printed(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn ask(&self, path: &str, body: &Value) -> String {
        let headers = format!("authorization: Bearer {MASTER_KEY}\r\nconnection: close\r\n");
        let mut connection = Connection::open(self.address).patiently(PATIENCE);
        connection.write(crate::support::post(path, &headers, body.to_string().as_bytes())).unwrap();
        let answer = connection.read().unwrap();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status(), 200, "{text}\n{}", self.printed());
        text
    }
}

impl Drop for LiteLlm {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A model that asks for what was omitted and says what it got.
fn provider() -> Upstream {
    Upstream::start(|connection| {
        let request = connection.read()?;
        if request.start.starts_with("GET") {
            connection.write(ok(r#"{"object":"list","data":[]}"#))?;
            return Ok(request);
        }
        let body = request.json();
        let messages = body["messages"].as_array().unwrap();
        let result = messages.iter().find(|message| message["tool_call_id"] == "call_own");
        let text = body["messages"].to_string();
        let hash = text.split("[headroom:").nth(1).and_then(|rest| rest.get(..20)).unwrap_or_default();
        let message = match result {
            Some(result) => {
                json!({"role": "assistant", "content": format!("It says: {}", result["content"])})
            }
            None => {
                let arguments = json!({"hash": hash, "query": "order 7919"}).to_string();
                json!({"role": "assistant", "content": null, "tool_calls": [{"id": "call_own", "type": "function",
                    "function": {"name": "headroom_retrieve", "arguments": arguments}}]})
            }
        };
        let finish = if result.is_some() { "stop" } else { "tool_calls" };
        let answer = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o",
            "choices": [{"index": 0, "finish_reason": finish, "message": message}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}});
        connection.write(ok(&answer.to_string()))?;
        Ok(request)
    })
}

fn request(is_stream: bool) -> Value {
    let line = |n: usize| {
        format!("2026-11-20 10:00:{:02} INFO worker-{} handled order {}\n", n % 60, n % 7, n * 7919)
    };
    let log: String = (0..1500).map(line).collect();
    let call = json!({"id": "c1", "type": "function", "function": {"name": "Bash", "arguments": "{}"}});
    json!({"model": "gpt-4o", "stream": is_stream, "messages": [
        {"role": "user", "content": "look at the log"},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": log},
        {"role": "assistant", "content": "I have looked."},
        {"role": "user", "content": "who handled order 7919?"}]})
}

/// The words of a stream.
fn streamed(text: &str) -> String {
    let events = text.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]");
    let events = events.map(|data| serde_json::from_str::<Value>(data).unwrap());
    events.filter_map(|event| Some(event["choices"][0]["delta"]["content"].as_str()?.to_owned())).collect()
}

#[test]
#[ignore = "installs LiteLLM's proxy from PyPI"]
fn litellms_guardrail_compresses_and_retrieves_through_the_proxy() {
    let python = match install() {
        Ok(python) => python,
        Err(reason) => return skipped(&format!("LiteLLM cannot be installed: {reason}")),
    };
    let provider = provider();
    let home = tempfile::tempdir().unwrap();
    let unused = Upstream::answering(ok("{}"));
    let headroom = Proxy::at_home(home.path(), unused.address, &["--log", "info"]);
    let token = fs::read_to_string(home.path().join("token")).unwrap();
    let litellm = LiteLlm::start(&python, provider.address, headroom.address, token.trim());
    let mut prompts = Vec::new();
    for is_stream in [false, true] {
        let text = litellm.ask("/v1/chat/completions", &request(is_stream));
        let said = if is_stream {
            streamed(&text)
        } else {
            let answer: Value = serde_json::from_str(&text).unwrap();
            answer["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned()
        };
        assert!(said.contains("handled order 7919"), "{text}\n{}\n{}", litellm.printed(), headroom.stderr());
        assert!(!text.contains("headroom_retrieve"), "the call reached the client: {text}");
        let requests: Vec<_> =
            std::iter::from_fn(|| provider.request_within(Duration::from_millis(200))).collect();
        let sent: Vec<_> = requests
            .iter()
            .filter(|request| request.start.starts_with("POST"))
            .map(|request| request.json())
            .collect();
        assert_eq!(sent.len(), 2, "one round of retrieval");
        let marked = sent[0]["messages"][2]["content"].as_str().unwrap();
        assert!(marked.contains("[headroom:") && marked.len() < 10_000, "{marked:.300}");
        assert!(sent[0]["tools"].to_string().contains("headroom_retrieve"), "{}", sent[0]["tools"]);
        assert_eq!(sent[0]["messages"][4], request(false)["messages"][4], "the prompt stays");
        prompts.push(sent[0]["messages"].clone());
    }
    assert_eq!(prompts[0], prompts[1], "the same prefix each time");
    assert!(unused.is_untouched(), "the proxy itself asks no provider");
}
