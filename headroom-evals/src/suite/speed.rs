//! Measures speed. The only part of a report that depends on the machine.

use std::{fs, hint::black_box, time::Instant};

use headroom_core::{Api, CompressOptions, Engine, Retrieval};

use super::Progress;
use crate::{
    conformance::{ask::Ask, output::Output},
    report::{Goal, Timing, Timings},
};

const RUNS: usize = 5;

pub(super) fn run(quick: bool, progress: &dyn Progress) -> Timings {
    let optimised = !cfg!(debug_assertions);
    let sizes: &[usize] = match (quick, optimised) {
        (true, _) => &[200],
        (false, false) => &[200, 2_000],
        (false, true) => &[200, 2_000, 20_000],
    };
    let start = Instant::now();
    progress.begin("times", Output::ALL.len() + 1);
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let mut rows = Vec::new();
    for output in Output::ALL {
        for size in sizes {
            let text = output.text(*size, 3, None);
            let (tool, arguments) = output.call(None);
            let ask = Ask { question: "Why is ship lantern4711 late?", tool, arguments, result: &text };
            let body = ask.body(Api::Anthropic);
            // A new engine each time, so that nothing is cached.
            let milliseconds =
                median(Engine::new, |engine| engine.compress(Api::Anthropic, black_box(&body), &options));
            rows.push(Timing {
                what: format!("{output}, {size} rows, fresh"),
                bytes: body.len(),
                milliseconds,
            });
            if Some(size) == sizes.last() {
                let known = Engine::new();
                let _ = known.compress(Api::Anthropic, &body, &options);
                let milliseconds =
                    median(|| (), |()| known.compress(Api::Anthropic, black_box(&body), &options));
                rows.push(Timing {
                    what: format!("{output}, {size} rows, seen before"),
                    bytes: body.len(),
                    milliseconds,
                });
            }
        }
        progress.step();
    }
    for size in [10 << 10, 1 << 20] {
        let text = "The keeper writes a line each night. ".repeat(size / 37);
        let body = format!(r#"{{"messages":[{{"role":"user","content":"{text}"}}]}}"#).into_bytes();
        let engine = Engine::new();
        let milliseconds =
            median(|| (), |()| engine.compress(Api::OpenAiChat, black_box(&body), &CompressOptions::new()));
        rows.push(Timing {
            what: format!("nothing to do, {} KiB", size >> 10),
            bytes: body.len(),
            milliseconds,
        });
    }
    progress.step();
    let goals = goals(&rows);
    Timings { machine: machine(), optimised, seconds: start.elapsed().as_secs_f64(), rows, goals }
}

/// The goals for speed, in megabytes per second, on the longest text of each kind.
fn goals(rows: &[Timing]) -> Vec<Goal> {
    const LEAST: [(&str, &str, f64); 4] = [
        ("ServerLog", "fresh", 100.0),
        ("Records", "fresh", 100.0),
        ("ServerLog", "seen before", 1_000.0),
        ("Records", "seen before", 1_000.0),
    ];
    let goal = |(kind, state, least): (&str, &str, f64)| {
        let of = rows.iter().filter(|row| row.what.starts_with(kind) && row.what.ends_with(state));
        let row = of.max_by_key(|row| row.bytes)?;
        let reached = row.throughput();
        Some(Goal {
            what: row.what.clone(),
            target: format!("{least:.0} MB/s or more"),
            reached: format!("{reached:.0} MB/s"),
            ok: reached >= least,
            obstacle: super::obstacle(&row.what),
            section: "speed",
        })
    };
    LEAST.into_iter().filter_map(goal).collect()
}

fn median<I, O>(input: impl Fn() -> I, run: impl Fn(I) -> O) -> f64 {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let input = input();
            let start = Instant::now();
            black_box(run(input));
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(RUNS / 2).copied().unwrap_or_default()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let model = model.map(|model| format!("{model}, ")).unwrap_or_default();
    format!("{model}{cores} cores, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}
