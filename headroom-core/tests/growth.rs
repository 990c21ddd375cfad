//! Work and memory grow in proportion to a body, whatever it grows in. Alone in its process, because the peak of the
//! heap belongs to the process.
//!
//! What is compared are a body and one that is four times as large, by the time that the processor worked for this
//! thread, and by the peak of the heap. Four times the time is proportion and sixteen times is a square, so the border
//! between leaves room for a busy machine; what is over it is measured again.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "tests may")]

#[path = "growth/bodies.rs"]
mod bodies;

use std::time::Duration;

use bodies::*;
use headroom_core::{Api, CompressOptions, Engine, Retrieval};
use peak_alloc::PeakAlloc;
use rustix::time::{ClockId, clock_gettime};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

/// A square takes sixteen times as long.
const MOST_TIMES: f64 = 8.0;
const MOST_MEMORY: f64 = 6.0;
/// What tables and memories of bounded size may take besides.
const SLACK: usize = 8 << 20;
const LEAST_TIME: Duration = Duration::from_millis(2);
const ATTEMPTS: usize = 4;

struct Dimension {
    name: &'static str,
    /// How much of it is measured first.
    start: usize,
    body: fn(usize) -> String,
    api: Api,
    retrieval: Retrieval,
}

const fn anthropic(name: &'static str, start: usize, body: fn(usize) -> String) -> Dimension {
    Dimension { name, start, body, api: Api::Anthropic, retrieval: Retrieval::ServerTool }
}

const fn gemini(name: &'static str, start: usize, body: fn(usize) -> String) -> Dimension {
    Dimension { name, start, body, api: Api::Gemini, retrieval: Retrieval::ServerTool }
}

const DIMENSIONS: &[Dimension] = &[
    anthropic("short texts of a result", 4_000, |n| {
        request(&[call("c", "{}"), parts("c", (0..n).map(|n| format!("text {n}")))])
    }),
    anthropic("texts of a result", 1_500, |n| {
        request(&[call("c", "{}"), parts("c", (0..n).map(|n| log(4, n)))])
    }),
    anthropic("results in a message", 1_500, |n| {
        let calls: Vec<_> = (0..n).map(|n| tool_use(&format!("c{n}"), "{}")).collect();
        let results: Vec<_> = (0..n).map(|n| tool_result(&format!("c{n}"), &log(4, n))).collect();
        request(&[turn("assistant", &calls), turn("user", &results)])
    }),
    anthropic("forms of lines that come again", 500, |n| {
        let word = |at: usize| {
            (0..4).map(|place| char::from(b'a' + (at >> (place * 4)) as u8 % 16)).collect::<String>()
        };
        // As many words in each line would be a table.
        let lines = (0..n * 8).map(|line| format!("{}{}\n", word(line % n), " of many".repeat(line % 5)));
        let log = lines.chain(["make: done\n".to_owned()]).collect();
        request(&[call("c", "{}"), parts("c", [log])])
    }),
    anthropic("turns", 1_500, |n| {
        let turns = (0..n).flat_map(|n| {
            let id = format!("c{n}");
            [call(&id, &format!(r#"{{"command":"run {n}"}}"#)), turn("user", &[tool_result(&id, &log(4, n))])]
        });
        request(&turns.collect::<Vec<_>>())
    }),
    anthropic("prompts", 3_000, |n| {
        let turns = (0..n)
            .flat_map(|n| [turn("user", &[text(&format!("why {n}?"))]), turn("assistant", &[text("so")])]);
        request(&turns.chain([call("c", "{}"), parts("c", [log(100, 0)])]).collect::<Vec<_>>())
    }),
    anthropic("prompts that are epochs", 60, |n| {
        let turns = (0..n).flat_map(|n| {
            let id = format!("c{n}");
            let lines = (1..120).map(|line| format!("{line:6}\tlet part_{n}_{line} = make({});\n", line * n));
            let view: String = lines.collect();
            [
                turn("user", &[text(&format!("why {n}?"))]),
                call(&id, &format!(r#"{{"command":"run {n}"}}"#)),
                turn("user", &[tool_result(&id, &view)]),
                turn("assistant", &[text("so")]),
            ]
        });
        request(&turns.collect::<Vec<_>>()).replacen("claude-opus-5-5", "gpt-5-pro", 1)
    }),
    anthropic("texts of the user", 4_000, |n| {
        let texts: Vec<_> = (0..n).map(|n| text(&log(2, n))).collect();
        request(&[turn("user", &texts), call("c", "{}"), parts("c", [log(100, 0)])])
    }),
    anthropic("messages without text", 8_000, |n| {
        let empty = turn("user", &[]);
        request(
            &(0..n)
                .map(|_| empty.clone())
                .chain([call("c", "{}"), parts("c", [log(100, 0)])])
                .collect::<Vec<_>>(),
        )
    }),
    anthropic("originals", 60, |n| {
        let turns = (0..n).flat_map(|n| {
            let id = format!("c{n}");
            [call(&id, r#"{"command":"run"}"#), turn("user", &[tool_result(&id, &log(120, n))])]
        });
        request(&turns.collect::<Vec<_>>())
    }),
    Dimension {
        name: "originals in files",
        start: 60,
        body: |n| {
            let name = "a".repeat(40);
            let turns = (0..n).flat_map(|n| {
                let id = format!("c{n}");
                let command = format!(r#"{{"command":"show {name} {n}"}}"#);
                [call(&id, &command), turn("user", &[tool_result(&id, &log(120, n))])]
            });
            request(&turns.collect::<Vec<_>>())
        },
        api: Api::Anthropic,
        retrieval: Retrieval::File,
    },
    anthropic("long arguments with many texts", 700, |n| {
        let command = format!(r#"{{"command":"{}\\n"}}"#, "run it again; ".repeat(n * 20));
        request(&[call("c", &command), parts("c", (0..n).map(|n| log(4, n)))])
    }),
    anthropic("a long question with many results", 700, |n| {
        let question = turn("user", &[text(&log(n * 4, 0))]);
        request(&[question, call("c", "{}"), parts("c", (0..n).map(|n| log(4, n)))])
    }),
    anthropic("a long name with many texts", 2_000, |n| {
        let named = tool_use("c", "{}").replace("\"Bash\"", &format!("\"{}\"", "b".repeat(n * 40)));
        request(&[turn("assistant", &[named]), parts("c", (0..n).map(|n| log(2, n)))])
    }),
    anthropic("a long id with many texts", 2_000, |n| {
        let id = "i".repeat(n * 40);
        request(&[call(&id, "{}"), parts(&id, (0..n).map(|n| log(2, n)))])
    }),
    anthropic("commands that the model writes as text", 500, |n| {
        let turns = (0..n).flat_map(|n| {
            let said = format!("```bash\n{}\n```", "echo again and again\n".repeat(n % 40));
            let output = format!("OBSERVATION:\n{}", log(2, n));
            [turn("assistant", &[text(&said)]), turn("user", &[text(&output)])]
        });
        without_tools(&turns.collect::<Vec<_>>())
    }),
    anthropic("texts behind a long command", 1_000, |n| {
        let said = format!("```bash\n{}\n```", "echo again and again\n".repeat(n * 4));
        let outputs: Vec<_> = (0..n).map(|n| text(&format!("OBSERVATION:\n{}", log(2, n)))).collect();
        without_tools(&[turn("assistant", &[text(&said)]), turn("user", &outputs)])
    }),
    anthropic("words before an output", 1_000, |n| {
        let said = format!("{}\n```bash\nls\n```", "word ".repeat(n * 20));
        let output = format!("OBSERVATION:\n{}", log(n, n));
        without_tools(&[turn("assistant", &[text(&said)]), turn("user", &[text(&output)])])
    }),
    anthropic("texts of a call", 2_000, |n| {
        let texts: Vec<_> = (0..n).map(|n| json(&log(2, n))).collect();
        request(&[call("c", &format!("[{}]", texts.join(","))), parts("c", [log(100, 0)])])
    }),
    anthropic("tools", 1_000, |n| {
        let tools: Vec<_> = (0..n)
            .map(|n| format!(r#"{{"name":"tool_{n}","description":"Does it.","input_schema":{{}}}}"#))
            .collect();
        let request = request(&[call("c", "{}"), parts("c", [log(100, 0)])]);
        request.replacen("\"tools\":[", &format!("\"tools\":[{},", tools.join(",")), 1)
    }),
    anthropic("unknown fields", 4_000, |n| {
        let fields: Vec<_> = (0..n).map(|n| format!("\"field{n}\":{{}}")).collect();
        let result = tool_result("c", &log(100, 0)).replacen('{', &format!("{{{},", fields.join(",")), 1);
        request(&[call("c", "{}"), turn("user", &[result])])
    }),
    anthropic("nested values", 100, |n| {
        let nested = format!("{}0{}", "{\"nested_value\":".repeat(200), "}".repeat(200));
        let fields: Vec<_> = (0..n).map(|_| nested.as_str()).collect();
        let result =
            tool_result("c", &log(100, 0)).replacen('{', &format!("{{\"x\":[{}],", fields.join(",")), 1);
        request(&[call("c", "{}"), turn("user", &[result])])
    }),
    anthropic("equal results", 150, |n| {
        let output = log(40, 0);
        request(&[call("c", "{}"), parts("c", (0..n).map(|_| output.clone()))])
    }),
    anthropic("numbered runs that stand twice", 250, |n| {
        let run =
            |n: usize| -> String { (1..6).map(|line| format!("{line:6}\tlet value_{n} = {n};\n")).collect() };
        let view: String = (0..n).map(run).collect();
        let again: String = (0..n).map(|n| format!("{}changed here {n}\n", run(n))).collect();
        request(&[call("c", r#"{"command":"x"}"#), parts("c", [view, again])])
    }),
    anthropic("lines that others equal by their hash", 1_000, |n| {
        let [one, other] = equal_hashes();
        request(&[
            call("c", "{}"),
            parts("c", [format!("{one}\n").repeat(n), format!("{other}\n").repeat(n)]),
        ])
    }),
    anthropic("JSON between lines", 40, |n| {
        let rows: Vec<_> =
            (0..12).map(|n| format!(r#"{{"id": {n}, "name": "row of many {n}", "ok": true}}"#)).collect();
        let value = format!("[{}]", rows.join(",\n"));
        request(&[call("c", "{}"), parts("c", [(0..n).map(|n| format!("line {n}\n{value}\n")).collect()])])
    }),
    anthropic("lines of a log", 1_000, |n| one(&log(n, 0))),
    anthropic("equal lines", 4_000, |n| one(&"waiting for the worker to come up\n".repeat(n))),
    anthropic("rows", 500, |n| {
        let rows: Vec<_> =
            (0..n).map(|n| format!(r#"{{"id":{n},"state":"ready","took":{}}}"#, n * 7919 % 1000)).collect();
        one(&format!("[{}]", rows.join(",")))
    }),
    anthropic("hits of a search", 500, |n| {
        one(&(0..n)
            .map(|n| format!("src/part_{}/file.rs:{n}:    let found = {n};\n", n / 9))
            .collect::<String>())
    }),
    anthropic("lines of a diff", 500, |n| {
        let hunk = |n: usize| format!("@@ -{n},3 +{n},3 @@\n context {n}\n-old {n}\n+new {n}\n");
        one(&format!("diff --git a/x b/x\n--- a/x\n+++ b/x\n{}", (0..n).map(hunk).collect::<String>()))
    }),
    anthropic("sentences", 500, |n| {
        one(&(0..n)
            .map(|n| format!("The harbour of town {n} was quiet that day, and nobody came. "))
            .collect::<String>())
    }),
    anthropic("functions", 100, |n| {
        let function = |n: usize| {
            let lines: String = (0..8).map(|line| format!("    total += step_{line}(value)\n")).collect();
            format!("def part_{n}(value):\n    total = 0\n{lines}    return total\n\n")
        };
        one(&(0..n).map(function).collect::<String>())
    }),
    gemini("calls without an id", 4_000, |n| {
        let calls: Vec<_> =
            (0..n).map(|n| format!(r#"{{"functionCall":{{"name":"a","args":{{"n":{n}}}}}}}"#)).collect();
        let results: Vec<_> = (0..n)
            .map(|n| format!(r#"{{"functionResponse":{{"name":"b","response":{{"output":"{n}"}}}}}}"#))
            .collect();
        gemini_request(&calls, &results)
    }),
    gemini("strings of a result", 2_000, |n| {
        let strings: Vec<_> = (0..n).map(|n| json(&log(2, n))).collect();
        let result = format!(
            r#"{{"functionResponse":{{"name":"a","response":{{"output":[{}]}}}}}}"#,
            strings.join(",")
        );
        gemini_request(&[r#"{"functionCall":{"name":"a","args":{}}}"#.to_owned()], &[result])
    }),
    gemini("keys of a result", 4_000, |n| {
        let keys: Vec<_> = (0..n).map(|n| format!(r#""key{n}":{n}"#)).collect();
        let result = format!(
            r#"{{"functionResponse":{{"name":"a","response":{{"x":"{}",{}}}}}}}"#,
            "y".repeat(200),
            keys.join(",")
        );
        gemini_request(&[r#"{"functionCall":{"name":"a","args":{}}}"#.to_owned()], &[result])
    }),
];

#[test]
fn work_and_memory_grow_in_proportion_to_the_body_in_every_dimension() {
    // The tables of the tokenizer are built once.
    for dimension in DIMENSIONS {
        measure(dimension, &(dimension.body)(10));
    }
    let mut failed = Vec::new();
    for dimension in DIMENSIONS {
        let bodies = [1, 2, 4].map(|times| (dimension.body)(dimension.start * times));
        let mut best = [Duration::MAX; 3];
        let mut memory = [0; 3];
        for _ in 0..ATTEMPTS {
            for ((body, best), memory) in bodies.iter().zip(&mut best).zip(&mut memory) {
                let (time, peak) = measure(dimension, body);
                *best = time.min(*best);
                *memory = peak;
            }
            if is_in_proportion(&best) {
                break;
            }
        }
        let kib = memory.map(|bytes| bytes >> 10);
        println!(
            "{}: {} KiB to {} KiB, {best:?}, {kib:?} KiB",
            dimension.name,
            bodies[0].len() >> 10,
            bodies[2].len() >> 10
        );
        if !is_in_proportion(&best) {
            failed.push(format!("{}: {best:?}", dimension.name));
        }
        if memory[2] as f64 > memory[0] as f64 * MOST_MEMORY + SLACK as f64 {
            failed.push(format!("{}: {kib:?} KiB", dimension.name));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

fn is_in_proportion(times: &[Duration; 3]) -> bool {
    times[2].as_secs_f64() <= times[0].max(LEAST_TIME).as_secs_f64() * MOST_TIMES
}

/// The time that a new engine works on a body, and the heap that it takes.
fn measure(dimension: &Dimension, body: &str) -> (Duration, usize) {
    let engine = Engine::new();
    let options = match dimension.retrieval {
        Retrieval::File => CompressOptions::new().originals_dir("/kept"),
        retrieval => CompressOptions::new().retrieval(retrieval),
    };
    let options = options.epochs(true);
    HEAP.reset_peak_usage();
    let before = HEAP.current_usage();
    let start = worked();
    let outcome = engine.compress(dimension.api, body.as_bytes(), &options);
    let time = worked() - start;
    let peak = HEAP.peak_usage().saturating_sub(before);
    assert!(!outcome.report().blocks.is_empty(), "{}: nothing was looked at", dimension.name);
    (time, peak)
}

/// The time that the processor has worked for this thread.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}
