//! Counts the instructions that fixed work takes, under callgrind, and compares them with what they were.
//!
//! Times depend on the machine and on what else it does; instructions nearly do not. A change of more than
//! [`TOLERANCE`] is either meant, and then written down, or a regression:
//!
//! ```sh
//! cargo run --release -p headroom-benches --bin instructions             # compare
//! HEADROOM_BLESS=1 cargo run --release -p headroom-benches --bin instructions  # write down
//! ```
//!
//! `benches/instructions.txt` has a line for each kind of build. Counts are those of one compiler: after an update of
//! Rust they are written down anew.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "it prints what it counts")]

use std::{
    collections::BTreeMap,
    env, fs,
    hint::black_box,
    io,
    path::Path,
    process::{Command, ExitCode},
};

use headroom_core::{Api, CompressOptions, Engine, Retrieval};
use headroom_evals::conformance::{ask::Ask, output::Output};

/// How far a count may be from what it was, in percent.
const TOLERANCE: f64 = 2.0;

/// What stands for everything that has to happen once: tables of the tokenizer, most of all.
const START: &str = "start";
/// A request that the engine has seen.
const KNOWN: &str = "seen before";
/// A request in which there is nothing to do.
const NOTHING: &str = "nothing to do";

fn main() -> ExitCode {
    if let Some(work) = env::args().nth(1) {
        run(&work);
        return ExitCode::SUCCESS;
    }
    match compare() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            println!("skipped: instructions are counted by valgrind, which is not installed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn works() -> Vec<String> {
    let kinds = Output::ALL.iter().map(|output| output.to_string());
    kinds.chain([KNOWN.to_owned(), NOTHING.to_owned()]).collect()
}

/// A request with a result of so many rows.
fn request(output: Output, rows: usize) -> Vec<u8> {
    let text = output.text(rows, 3, None);
    let (tool, arguments) = output.call(None);
    Ask { question: "Why is ship lantern4711 late?", tool, arguments, result: &text }.body(Api::Anthropic)
}

fn run(work: &str) {
    let engine = Engine::new();
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let compress = |body: &[u8]| drop(black_box(engine.compress(Api::Anthropic, black_box(body), &options)));
    compress(&request(Output::Records, 40));
    match work {
        START => {}
        KNOWN => {
            let body = request(Output::ServerLog, 400);
            (0..20).for_each(|_| compress(&body));
        }
        NOTHING => {
            let body =
                format!(r#"{{"messages":[{{"role":"user","content":"{}"}}]}}"#, "a word ".repeat(20_000));
            (0..20).for_each(|_| compress(body.as_bytes()));
        }
        kind => {
            if let Some(output) = Output::ALL.iter().find(|output| output.to_string() == kind) {
                compress(&request(*output, 400));
            }
        }
    }
}

/// Instructions of this program with this argument.
fn count(work: &str) -> io::Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .arg(work)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.ok_or_else(|| io::Error::other(format!("valgrind says no count: {said}")))
}

fn compare() -> io::Result<bool> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("instructions.txt");
    let build = if cfg!(debug_assertions) { "dev" } else { "release" };
    let mut known: BTreeMap<String, u64> = BTreeMap::new();
    for line in fs::read_to_string(&path).unwrap_or_default().lines() {
        if let Some((work, count)) = line.rsplit_once(' ')
            && let Ok(count) = count.parse()
        {
            known.insert(work.trim().to_owned(), count);
        }
    }
    let start = count(START)?;
    let mut within = true;
    for work in works() {
        let now = count(&work)?.saturating_sub(start);
        let name = format!("{build} {work}");
        let before = known.insert(name.clone(), now);
        let change = before.map(|before| 100.0 * (now as f64 / before.max(1) as f64 - 1.0));
        let verdict = match change {
            Some(change) if change.abs() > TOLERANCE => {
                within = false;
                format!("{change:+.1} %, more than {TOLERANCE} %")
            }
            Some(change) => format!("{change:+.1} %"),
            None => "not known before".to_owned(),
        };
        println!("{name:24} {now:>14}  {verdict}");
    }
    if env::var_os("HEADROOM_BLESS").is_some() {
        let lines: Vec<String> = known.iter().map(|(work, count)| format!("{work:24} {count}\n")).collect();
        fs::write(&path, lines.concat())?;
        return Ok(true);
    }
    Ok(within)
}
