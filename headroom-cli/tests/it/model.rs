//! Models are fetched from a server of this test's own.

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

#[test]
fn a_model_is_fetched_once_and_listed() {
    let home = tempfile::tempdir().unwrap();
    let server = server(|_, _| Fate::Whole);
    let output = pull(&home, &server, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "", "no bar where nobody looks");
    assert_whole(&home);

    let again = pull(&home, &server, &[]);
    assert!(again.status.success());
    assert_eq!(server.ranges("/m/model.onnx").len(), 1, "what is there is not fetched again");

    let list = run(&home, &["list", "--json"], &[]);
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!((&list[0]["name"], &list[0]["complete"]), (&NAME.into(), &true.into()));
    assert!(String::from_utf8_lossy(&run(&home, &["list"], &[]).stdout).starts_with("small  "));
    let path = run(&home, &["path", NAME], &[]);
    assert_eq!(String::from_utf8_lossy(&path.stdout).trim_end(), folder(&home).to_str().unwrap());
    assert!(run(&home, &["remove", NAME], &[]).status.success());
    assert!(!folder(&home).exists());
    let gone = run(&home, &["path", NAME], &[]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).contains("there is no model small in "), "{}", stderr(&gone));
}

#[test]
fn an_interrupted_download_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    // Twice within one call.
    let server = server(|path, before| match (path, before) {
        ("/m/model.onnx", 0) => Fate::Cut(9000),
        ("/m/model.onnx", 1) => Fate::Cut(5000),
        _ => Fate::Whole,
    });
    let output = pull(&home, &server, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_whole(&home);
    let ranges = server.ranges("/m/model.onnx");
    assert_eq!(ranges.len(), 3, "{ranges:?}");
    assert_eq!(ranges[0], None);
    let from = |range: &Option<String>| -> usize {
        range.as_deref().unwrap().trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap()
    };
    // What was on its way when the connection broke may be lost.
    assert!(from(&ranges[1]) <= 9000 && from(&ranges[2]) >= from(&ranges[1]), "{ranges:?}");
}

#[test]
fn another_call_goes_on_where_one_gave_up() {
    let home = tempfile::tempdir().unwrap();
    let unreliable = server(|path, before| match (path, before) {
        ("/m/model.onnx", 0) => Fate::Cut(12_000),
        ("/m/model.onnx", _) => Fate::Busy,
        _ => Fate::Whole,
    });
    let output = pull(&home, &unreliable, &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("the server answers 503")
            && told.contains(" bytes are kept, and the same command resumes"),
        "{told}"
    );
    assert!(!folder(&home).join("model.onnx").exists(), "nothing has the name that is not whole");
    let list: Value = serde_json::from_slice(&run(&home, &["list", "--json"], &[]).stdout).unwrap();
    assert_eq!(list[0]["complete"], false);
    let kept = fs::metadata(folder(&home).join("model.onnx.part")).unwrap().len();
    assert!(kept > 0 && kept <= 12_000);

    let reliable = server(|_, _| Fate::Whole);
    let output = pull(&home, &reliable, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(reliable.ranges("/m/model.onnx"), [Some(format!("bytes={kept}-"))]);
    assert_whole(&home);
}

#[test]
fn a_server_that_gives_no_parts_gives_all() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder(&home)).unwrap();
    fs::write(folder(&home).join("model.onnx.part"), &model()[..4000]).unwrap();
    let server = server(|_, _| Fate::NoParts);
    assert!(pull(&home, &server, &[]).status.success());
    assert_whole(&home);
}

#[test]
fn what_is_left_of_another_version_is_fetched_anew() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder(&home)).unwrap();
    for left in [vec![7; 4000], vec![7; 90_000], model()] {
        let is_right = left == model();
        fs::write(folder(&home).join("model.onnx.part"), left).unwrap();
        let _ = fs::remove_file(folder(&home).join("model.onnx"));
        let server = server(|_, _| Fate::Whole);
        let output = pull(&home, &server, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_whole(&home);
        assert_eq!(server.ranges("/m/model.onnx").len(), if is_right { 1 } else { 2 });
    }
}

#[test]
fn a_wrong_checksum_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let wrong = sha256(b"another");
    let server = server(|_, _| Fate::Whole);
    let output = pull(&home, &server, &["--sha256", &format!("model.onnx={wrong}")]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    let found = sha256(&model());
    assert!(
        told.contains(&format!("wrong checksum: {found} where {wrong} is expected; it was removed")),
        "{told}"
    );
    assert!(!folder(&home).join("model.onnx").exists() && !folder(&home).join("model.onnx.part").exists());
    assert!(!folder(&home).join("SHA256SUMS").exists());
}

#[test]
fn nothing_is_taken_without_a_checksum() {
    let home = tempfile::tempdir().unwrap();
    let files = [("/m/tokenizer.json", tokenizer()), ("/m/model.onnx", model())];
    let server = Server::new(files, &[], |_, _| Fate::Whole);
    let output = pull(&home, &server, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("no checksum found for tokenizer.json; pass --sha256"),
        "{}",
        stderr(&output)
    );
    let sums =
        [format!("tokenizer.json={}", sha256(&tokenizer())), format!("model.onnx={}", sha256(&model()))];
    assert!(pull(&home, &server, &["--sha256", &sums[0], "--sha256", &sums[1]]).status.success());
    assert_whole(&home);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder(&home)).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder(&home).join("model.onnx.part")).unwrap();
    let output = pull(&home, &server(|_, _| Fate::Whole), &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("cannot write ") && told.contains("model.onnx.part: No space left on device"),
        "{told}"
    );
}

#[test]
fn mistakes_are_told() {
    let home = tempfile::tempdir().unwrap();
    let missing = Server::new([], &[], |_, _| Fate::Whole);
    let sum = format!("tokenizer.json={}", sha256(b""));
    let output = pull(&home, &missing, &["--sha256", &sum]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("/m/tokenizer.json: the server answers 404"), "{}", stderr(&output));
    for (args, told) in [
        (&["pull", "unknown"][..], "unknown model unknown; the known one is kompress-v2-base"),
        (&["pull", "../x"][..], "the name of a model has letters"),
        (&["pull", "--sha256", "model.onnx=12"][..], "a SHA-256 has 64 hexadecimal digits"),
        (&["pull", "--sha256", &format!("other={}", sha256(b""))][..], "the model has no file other"),
    ] {
        let output = run(&home, args, &[]);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(told), "{args:?}: {}", stderr(&output));
    }
}

/// The hub states the sum of a large file where it sends us on, and the git name of a small one.
#[test]
fn the_model_that_is_known_comes_from_the_hub() {
    const TOKENIZER: &str = "/answerdotai/ModernBERT-base/resolve/main/tokenizer.json";
    const MODEL: &str = "/chopratejas/kompress-v2-base/resolve/main/onnx/kompress-int8-wo.onnx";
    let mut blob = format!("blob {}\0", tokenizer().len()).into_bytes();
    blob.extend(tokenizer());
    let git = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &blob).as_ref());
    let hub = |sum: String| {
        let files = [(TOKENIZER, tokenizer()), ("/cdn/a?signature=1", model())];
        let headers = [
            (TOKENIZER, format!("etag: \"{git}\"\r\n")),
            (MODEL, format!("x-linked-etag: \"{sum}\"\r\nlocation: /cdn/a?signature=1\r\n")),
            ("/cdn/a?signature=1", "etag: \"0123\"\r\n".to_owned()),
        ];
        let fate = |path: &str, before| match (path, before) {
            ("/cdn/a?signature=1", 0) => Fate::Cut(10_000),
            _ => Fate::Whole,
        };
        Server::with(files.into_iter().collect(), headers.into_iter().collect(), fate)
    };
    let home = tempfile::tempdir().unwrap();
    let wrong = hub(sha256(b"another"));
    let output = run(&home, &["pull"], &[("HF_ENDPOINT", &wrong.url("/"))]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("wrong checksum"), "{}", stderr(&output));

    let right = hub(sha256(&model()));
    let output = run(&home, &["pull"], &[("HF_ENDPOINT", &right.url("/"))]);
    assert!(output.status.success(), "{}", stderr(&output));
    let folder = home.path().join("models/kompress-v2-base");
    assert_eq!(fs::read(folder.join("model.onnx")).unwrap(), model());
    if cfg!(feature = "models") {
        let used = compress(&home, &["--prose-model", "kompress-v2-base"], &[]);
        assert!(String::from_utf8_lossy(&used.stdout).contains(" words stored"));
    }
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

#[cfg(feature = "models")]
#[test]
fn prose_without_some_words_can_be_had_back() {
    let home = tempfile::tempdir().unwrap();
    assert!(pull(&home, &server(|_, _| Fate::Whole), &[]).status.success());
    let plain = compress(&home, &[], &[]);
    assert_eq!(plain.stdout, letter(), "off by default");
    let output = compress(&home, &["--prose-model", NAME], &[]);
    assert!(output.status.success() && output.stdout.len() < letter().len() * 9 / 10, "{}", stderr(&output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let marker = text.lines().next().unwrap();
    let back = headroom(&["retrieve", marker]).env("HEADROOM_HOME", home.path()).output().unwrap();
    assert_eq!(back.stdout, letter(), "{}", stderr(&back));
    // The variable, the file and the folder say the same.
    let variable = compress(&home, &[], &[("HEADROOM_PROSE_MODEL", folder(&home).to_str().unwrap())]);
    assert_eq!(variable.stdout, output.stdout);
}

#[cfg(feature = "models")]
#[test]
fn a_model_that_is_not_there_is_told_and_never_fetched() {
    let home = tempfile::tempdir().unwrap();
    let hub = Server::new([], &[], |_, _| Fate::Whole);
    let url = hub.url("/");
    let output = compress(&home, &["--prose-model", "kompress-v2-base"], &[("HF_ENDPOINT", &url)]);
    assert!(output.status.success());
    assert_eq!(output.stdout, letter());
    assert!(
        stderr(&output).starts_with("headroom: no words are pruned from prose: cannot read "),
        "{}",
        stderr(&output)
    );
    assert!(hub.seen.lock().unwrap().is_empty());
}

#[cfg(feature = "models")]
#[test]
fn doctor_says_what_the_models_are() {
    let home = tempfile::tempdir().unwrap();
    let doctor = |variables: &[(&str, &str)]| {
        let mut command = headroom(&["doctor"]);
        command
            .env("HEADROOM_HOME", home.path())
            .env("HEADROOM_LISTEN", "127.0.0.1:1")
            .envs(variables.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (status, text) = doctor(&[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("classifier     magika, for texts whose structure is ambiguous; runs on rust\n"),
        "{text}"
    );
    assert!(text.contains("prose model    off: "), "{text}");
    let (_, text) = doctor(&[("HEADROOM_CLASSIFIER", "off")]);
    assert!(text.contains("classifier     off: "), "{text}");

    let (status, text) = doctor(&[("HEADROOM_PROSE_MODEL", NAME)]);
    assert_eq!(status, Some(1));
    assert!(text.contains("; fetch it with `headroom model pull small`\n"), "{text}");
    assert!(pull(&home, &server(|_, _| Fate::Whole), &[]).status.success());
    let (status, text) = doctor(&[("HEADROOM_PROSE_MODEL", NAME), ("HEADROOM_MODEL_THREADS", "2")]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains(" ms; runs on rust, 2 threads\n"), "{text}");
    fs::write(folder(&home).join("model.onnx"), "another").unwrap();
    let (status, text) = doctor(&[("HEADROOM_PROSE_MODEL", NAME)]);
    assert_eq!(status, Some(1));
    assert!(text.contains(" is not what was fetched; remove it and pull it again\n"), "{text}");

    let (status, text) = doctor(&[("HEADROOM_MODEL_RUNTIME", "/nowhere/libonnxruntime.so")]);
    assert_eq!(status, Some(1));
    assert!(
        text.contains("cannot load ONNX Runtime from /nowhere/libonnxruntime.so: there is no such file\n"),
        "{text}"
    );
}

#[cfg(feature = "models")]
#[test]
fn a_native_runtime_does_the_same() {
    let Ok(library) = std::env::var("ORT_DYLIB_PATH") else {
        crate::support::skipped("ORT_DYLIB_PATH names no libonnxruntime to run the models on");
        return;
    };
    let home = tempfile::tempdir().unwrap();
    assert!(pull(&home, &server(|_, _| Fate::Whole), &[]).status.success());
    let native = compress(&home, &["--prose-model", NAME], &[("HEADROOM_MODEL_RUNTIME", &library)]);
    let rust = compress(&home, &["--prose-model", NAME], &[]);
    assert_eq!(native.stdout, rust.stdout, "{}", stderr(&native));
    assert_eq!(stderr(&native), "");
}
