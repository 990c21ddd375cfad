//! Models are fetched from a server of this test's own.

#[cfg(feature = "models")]
mod prose;
mod pull;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::Output,
    sync::{Arc, Mutex},
};

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Message, Upstream, headroom, pipe, stderr};

const NAME: &str = "small";

/// The small model of the tests of `headroom-model`.
fn model() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../headroom-model/tests/models/model.onnx")).unwrap()
}

fn tokenizer() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../headroom-model/tests/models/tokenizer.json"))
        .unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// A web server with files, of which some answers go wrong.
struct Server {
    upstream: Upstream,
    seen: Arc<Mutex<Vec<Message>>>,
}

/// What becomes of the answer to one request.
#[derive(Clone, Copy)]
enum Fate {
    Whole,
    /// Ends after so many bytes of the body.
    Cut(usize),
    /// 503 without a file.
    Busy,
    /// All of the file, whatever part was asked for.
    NoParts,
}

impl Server {
    /// `fate` gets the path and how often it was asked for before.
    fn new(
        files: impl IntoIterator<Item = (&'static str, Vec<u8>)>,
        headers: &'static [(&'static str, &'static str)],
        fate: impl Fn(&str, usize) -> Fate + Send + Sync + 'static,
    ) -> Self {
        Self::with(
            files.into_iter().collect(),
            headers.iter().map(|(path, lines)| (*path, (*lines).to_owned())).collect(),
            fate,
        )
    }

    fn with(
        files: HashMap<&'static str, Vec<u8>>,
        headers: HashMap<&'static str, String>,
        fate: impl Fn(&str, usize) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log: Arc<Mutex<Vec<Message>>> = Arc::clone(&seen);
        let upstream = Upstream::start(move |connection| {
            let request = connection.read()?;
            let path = request.target().to_owned();
            let before = {
                let mut log = log.lock().unwrap();
                let before = log.iter().filter(|seen| seen.target() == path).count();
                log.push(request.clone());
                before
            };
            let lines = headers.get(path.as_str()).cloned().unwrap_or_default();
            let fate = fate(&path, before);
            let (head, body) = match (files.get(path.as_str()), fate) {
                (_, Fate::Busy) => ("503 Service Unavailable".to_owned(), Vec::new()),
                (None, _) if lines.contains("location") => ("302 Found".to_owned(), Vec::new()),
                (None, _) => ("404 Not Found".to_owned(), Vec::new()),
                (Some(file), fate) => part(file, request.header("range"), fate),
            };
            connection.write(format!("HTTP/1.1 {head}\r\n{lines}content-length: {}\r\n\r\n", body.len()))?;
            match fate {
                Fate::Cut(length) if length < body.len() => {
                    connection.write(&body[..length])?;
                    Err(io::ErrorKind::ConnectionAborted.into())
                }
                _ => connection.write(&body).map(|()| request),
            }
        });
        Self { upstream, seen }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.upstream.address)
    }

    /// The ranges that were asked for at this path.
    fn ranges(&self, path: &str) -> Vec<Option<String>> {
        let seen = self.seen.lock().unwrap();
        let asked = seen.iter().filter(|request| request.target() == path);
        asked.map(|request| request.header("range").map(str::to_owned)).collect()
    }
}

/// The head and the body for a range of a file.
fn part(file: &[u8], range: Option<&str>, fate: Fate) -> (String, Vec<u8>) {
    let from = range.filter(|_| !matches!(fate, Fate::NoParts)).map(|range| {
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse::<usize>().unwrap()
    });
    match from {
        None => ("200 OK".to_owned(), file.to_vec()),
        Some(from) if from >= file.len() => ("416 Range Not Satisfiable".to_owned(), Vec::new()),
        Some(from) => {
            let head = format!(
                "206 Partial Content\r\ncontent-range: bytes {from}-{}/{}",
                file.len() - 1,
                file.len()
            );
            (head, file[from..].to_vec())
        }
    }
}

/// A server that has the small model, with its sums, under `/m`.
fn server(fate: impl Fn(&str, usize) -> Fate + Send + Sync + 'static) -> Server {
    let sums = format!("{}  tokenizer.json\n{}  model.onnx\n", sha256(&tokenizer()), sha256(&model()));
    let files = [
        ("/m/tokenizer.json", tokenizer()),
        ("/m/model.onnx", model()),
        ("/m/SHA256SUMS", sums.into_bytes()),
    ];
    Server::new(files, &[], fate)
}

fn run(home: &TempDir, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = headroom(&["model"]);
    command.args(args).env("HEADROOM_HOME", home.path()).envs(variables.iter().copied()).output().unwrap()
}

fn pull(home: &TempDir, server: &Server, more: &[&str]) -> Output {
    let url = server.url("/m");
    run(home, &[&["pull", NAME, "--from", &url], more].concat(), &[])
}

fn folder(home: &TempDir) -> PathBuf {
    home.path().join("models").join(NAME)
}

#[track_caller]
fn assert_whole(home: &TempDir) {
    assert_eq!(fs::read(folder(home).join("model.onnx")).unwrap(), model());
    assert_eq!(fs::read(folder(home).join("tokenizer.json")).unwrap(), tokenizer());
    let files = fs::read_dir(folder(home)).unwrap().count();
    assert_eq!(files, 3, "nothing but the model, its tokenizer and their sums");
}

fn letter() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../headroom-model/tests/models/texts/long.txt"))
        .unwrap()
}

fn compress(home: &TempDir, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = headroom(&["compress", "--text", "--tool", "fetch", "--retrieval", "client-tool"]);
    command.args(args).env("HEADROOM_HOME", home.path()).envs(variables.iter().copied());
    pipe(&mut command, &letter())
}
