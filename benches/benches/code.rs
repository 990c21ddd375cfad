//! How fast code is set aside: what is parsed, and what is only looked at.
#![allow(clippy::unwrap_used, reason = "a benchmark may")]

use divan::{Bencher, counter::BytesCount};
use headroom_core::{CompressOptions, Engine, Hints, Retrieval};

fn main() {
    divan::main();
}

/// A file of about so many bytes with functions of ten lines.
fn source(language: &str, bytes: usize) -> String {
    let (head, line, tail) = match language {
        "python" => (
            "\n\ndef tallyN(ship, port):\n",
            "    harbour_I = ship.quay(port, I) or None\n",
            "    return ship\n",
        ),
        "go" => (
            "\nfunc (s *Ship) tallyN(port Port) int {\n",
            "\tharbour_I := s.quay(port, I)\n",
            "\treturn 0\n}\n",
        ),
        _ => (
            "\nfn tallyN(ship: &Ship) -> u32 {\n",
            "    let harbour_I = ship.quay(I, \"lantern\");\n",
            "    0\n}\n",
        ),
    };
    let function = |n: usize| {
        let lines: String = (0..10).map(|i| line.replace('I', &i.to_string())).collect();
        format!("{}{lines}{tail}", head.replace('N', &n.to_string()))
    };
    let mut text = String::new();
    for n in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&function(n));
    }
    text
}

fn run(bencher: Bencher<'_, '_>, text: &str, hints: &Hints) {
    // Nothing is remembered between texts.
    let headroom = Engine::new();
    bencher.counter(BytesCount::of_str(text)).bench(|| headroom.compress_text(text, hints));
}

fn hints(question: &str, tool: &str, file: &str) -> Hints {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    Hints::new().tool(tool).query(question).arguments(format!("{{\"path\":\"{file}\"}}")).options(options)
}

/// Code that people wrote, of which much stays: files of this project, about so many bytes of them.
fn written(bytes: usize) -> String {
    let mut folders =
        vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../headroom-core/src"))];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if text.len() < bytes {
                let file = std::fs::read_to_string(path).unwrap();
                // What holds a marker was compressed already.
                text.push_str(if file.contains("[headroom:") { "" } else { &file });
            }
        }
    }
    text
}

/// The same of what people wrote.
#[divan::bench]
fn parsed_written(bencher: Bencher<'_, '_>) {
    run(bencher, &written(64 << 10), &hints("Why does structure::guess give too much?", "fetch", "a.rs"));
}

/// Code that is parsed, tokens counted.
#[divan::bench(args = ["python", "go", "rust"])]
fn parsed(bencher: Bencher<'_, '_>, language: &str) {
    let file = match language {
        "python" => "a.py",
        "go" => "a.go",
        _ => "a.rs",
    };
    run(bencher, &source(language, 64 << 10), &hints("Why does tally3 give too much?", "fetch", file));
}

/// A file that was read while nothing tells what matters of it: it is not parsed.
#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    run(bencher, &source("rust", 64 << 10), &hints("Look at it.", "read_file", "a.rs"));
}

/// Code that is too long to be parsed.
#[divan::bench]
fn long(bencher: Bencher<'_, '_>) {
    run(bencher, &source("rust", 1 << 20), &hints("Why does tally3 give too much?", "fetch", "a.rs"));
}
