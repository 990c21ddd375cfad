use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use headroom_core::Api;

use super::{Conversation, prefixes};
use crate::conformance::json::Json;

/// The message of tests that cannot run without the folder of recordings.
pub const NEEDED: &str = "HEADROOM_SHARED names the folder of recorded data";

/// Returns the folder of recordings: `HEADROOM_SHARED`, or `shared` beside the workspace.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("HEADROOM_SHARED").map_or_else(beside, PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// Reports that a test ran on its own data only. Bypasses the test harness's capture, so that it is visible.
pub fn skipped(test: &str) {
    let _ = writeln!(io::stderr(), "skipped: recorded data of {test}; set HEADROOM_SHARED to its folder");
}

/// Returns the recorded requests of real clients, one conversation per folder and wire format.
#[must_use]
pub fn captures() -> Option<Vec<Conversation>> {
    let mut out: Vec<Conversation> = Vec::new();
    for folder in sorted(&shared()?.join("captures")) {
        if !folder.is_dir() {
            continue;
        }
        let start = out.len();
        for file in sorted(&folder) {
            let Ok(body) = fs::read(file.with_extension("body")) else { continue };
            let Some(api) = file.extension().filter(|kind| *kind == "json").and_then(|_| api_of(&file))
            else {
                continue;
            };
            let name = folder.file_name()?.to_string_lossy().into_owned();
            match out.iter().skip(start).position(|known| known.api == api) {
                Some(at) => out[start + at].bodies.push(body),
                None => out.push(Conversation { name, api, bodies: vec![body] }),
            }
        }
    }
    Some(out)
}

fn api_of(file: &Path) -> Option<Api> {
    let text = fs::read(file).ok()?;
    let json = Json::parse(&text)?;
    let path = json.text_of(json.root(), "path")?;
    let path = path.split('?').next()?;
    let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
    if path.contains("/v1/messages")
        || ends(&["/invoke", "/invoke-with-response-stream", ":rawPredict", ":streamRawPredict"])
    {
        Some(Api::Anthropic)
    } else if ends(&["/chat/completions"]) {
        Some(Api::OpenAiChat)
    } else if ends(&["/responses"]) {
        Some(Api::OpenAiResponses)
    } else if ends(&[":generateContent", ":streamGenerateContent"]) {
        Some(Api::Gemini)
    } else {
        None
    }
}

/// Returns recorded agent sessions, each as the requests `messages[..k]` where message k is the assistant's. A session
/// with more than `most` such requests is reduced to evenly spaced ones and the last.
#[must_use]
pub fn traces(most: usize) -> Option<Vec<Conversation>> {
    let mut out = Vec::new();
    for file in sorted(&shared()?.join("corpora/agent-traces")) {
        let text = fs::read(&file).ok()?;
        let json = Json::parse(&text)?;
        let meta = json.member(json.root(), "meta").one()?;
        let anthropic = json.text_of(meta, "format")?.starts_with("anthropic");
        let api = if anthropic { Api::Anthropic } else { Api::OpenAiChat };
        let request = json.raw(json.member(json.root(), "request").one()?);
        let mut bodies = prefixes(api, request);
        let step = bodies.len().div_ceil(most).max(1);
        let last = bodies.pop();
        bodies = bodies.into_iter().step_by(step).chain(last).collect();
        let name = file.file_stem()?.to_string_lossy().into_owned();
        out.push(Conversation { name, api, bodies });
    }
    Some(out)
}

/// Returns the files of the JSON parsing suite: name and bytes. `y_` must parse, `n_` must not, `i_` may.
#[must_use]
pub fn robustness() -> Option<Vec<(String, Vec<u8>)>> {
    let files = sorted(&shared()?.join("corpora/json/robustness"));
    let named =
        |file: &PathBuf| Some((file.file_name()?.to_string_lossy().into_owned(), fs::read(file).ok()?));
    Some(files.iter().filter_map(named).collect())
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}
