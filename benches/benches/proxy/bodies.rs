//! Requests whose results nobody has seen.

use std::{env, fs, path::Path, sync::LazyLock};

use headroom_tests::output::Output;
use serde_json::{Value, json};

/// What the results are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Records,
    Log,
    Search,
    Code,
    Prose,
}

/// Whether the request has tools, and with them a means of retrieval.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tools {
    Present,
    None,
}

/// The sources of this project, which are one program after the other.
static SOURCES: LazyLock<String> = LazyLock::new(|| {
    let all = texts(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), &["rs"]);
    // Comments on a whole file, and attributes of a crate, are valid at the start of a file only.
    all.lines()
        .filter(|line| !line.starts_with("//!") && !line.starts_with("#!"))
        .flat_map(|line| [line, "\n"])
        .collect()
});
static PROSE: LazyLock<Option<String>> = LazyLock::new(|| {
    let shared = env::var("HEADROOM_SHARED")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared").into());
    Some(texts(&Path::new(&shared).join("corpora/prose"), &["md", "txt"])).filter(|all| !all.is_empty())
});
/// Bytes of one result at most, as agents get them.
const RESULT: usize = 100_000;

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Records, Self::Log, Self::Search, Self::Code, Self::Prose];

    fn call(self) -> (&'static str, Value) {
        match self {
            Self::Records => Output::Records.call(None),
            Self::Log => Output::ServerLog.call(None),
            Self::Search => Output::Search.call(None),
            Self::Code => ("run_command", json!({"command": "cat src/main.rs"})),
            Self::Prose => ("fetch", json!({"url": "http://localhost/report.txt"})),
        }
    }

    /// A text of about so many bytes that differs with the seed.
    fn text(self, size: usize, seed: u64) -> Option<String> {
        let generated = |output: Output| {
            let row = output.text(200, seed, None).len() / 200;
            output.text((size / row.max(1)).max(1), seed, None)
        };
        Some(match self {
            Self::Records => generated(Output::Records),
            Self::Log => generated(Output::ServerLog),
            Self::Search => generated(Output::Search),
            Self::Code => format!("// {seed}\n{}", part(&SOURCES, size, seed)),
            Self::Prose => format!("{seed}. {}", part(PROSE.as_deref()?, size, seed)),
        })
    }
}

/// So many requests of this size; `None` where there is too little recorded text for results that differ.
pub(crate) fn fresh(kind: Kind, size: usize, count: usize, tools: Tools) -> Option<Vec<Vec<u8>>> {
    if matches!(kind, Kind::Prose) && PROSE.as_ref().is_none_or(|all| all.len() < size) {
        return None;
    }
    (0..count as u64)
        .map(|n| body(kind, size, n * 1_000 + size as u64 % 997 + tools as u64 * 500, tools))
        .collect()
}

fn body(kind: Kind, size: usize, seed: u64, tools: Tools) -> Option<Vec<u8>> {
    let results = size.div_ceil(RESULT) as u64;
    let texts: Option<Vec<String>> = (0..results).map(|n| kind.text(size.min(RESULT), seed + n)).collect();
    let (tool, arguments) = kind.call();
    let calls: Vec<Value> = (0..results)
        .map(|n| json!({"type": "tool_use", "id": format!("t{n}"), "name": tool, "input": arguments}))
        .collect();
    let results: Vec<Value> = texts?
        .iter()
        .enumerate()
        .map(|(n, text)| json!({"type": "tool_result", "tool_use_id": format!("t{n}"), "content": text}))
        .collect();
    let mut body = json!({"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": [
        {"role": "user", "content": "Why is ship lantern4711 late?"},
        {"role": "assistant", "content": calls},
        {"role": "user", "content": results},
    ]});
    if matches!(tools, Tools::Present) {
        let schema = json!({"type": "object", "properties": {"command": {"type": "string"}}});
        body["tools"] = json!([{"name": tool, "description": "Runs it.", "input_schema": schema}]);
    }
    Some(body.to_string().into_bytes())
}

/// Whole lines of about so many bytes. Those of consecutive seeds follow one another.
fn part(text: &str, size: usize, seed: u64) -> &str {
    let start = (seed as usize).wrapping_mul(size) % text.len().saturating_sub(size).max(1);
    let line =
        |at: usize| text.as_bytes()[at..].iter().position(|&b| b == b'\n').map_or(text.len(), |n| at + n + 1);
    let start = line(start);
    &text[start..line((start + size).min(text.len() - 1))]
}

/// All texts below a folder with one of these extensions, in the order of their paths.
fn texts(folder: &Path, extensions: &[&str]) -> String {
    fn walk(folder: &Path, extensions: &[&str], all: &mut String) {
        let mut entries: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
        entries.sort();
        for path in entries {
            let is_built =
                path.ends_with("target") || path.ends_with("node_modules") || path.ends_with(".git");
            if path.is_dir() && !is_built {
                walk(&path, extensions, all);
            } else if path.extension().is_some_and(|e| extensions.iter().any(|known| e == *known)) {
                all.push_str(&fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    let mut all = String::new();
    walk(folder, extensions, &mut all);
    all
}
