//! The engine on fresh text, on known history, and on whole conversations.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]
#![allow(missing_docs)]

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use divan::{Bencher, black_box, counter::BytesCount};
use headroom_core::{Api, CompressOptions, Engine, Hints, Retrieval};
use headroom_tests::{
    ask::Ask,
    data,
    generate::{Content, Escapes, Shape, Space, Spelling, Style, result_item},
    output::Output,
};

/// All conversations of one name: `fixture` ones always, recorded ones where they are at hand.
static CONVERSATIONS: LazyLock<BTreeMap<String, data::Conversation>> = LazyLock::new(|| {
    let mut all = data::conversations();
    match data::captures() {
        Some(captures) => {
            all.extend(captures.into_iter().filter(|c| c.bodies.len() > 3 && !c.name.starts_with("sdk")));
        }
        None => data::skipped("the benchmark of recorded conversations"),
    }
    all.into_iter().map(|c| (format!("{} {}", c.name, c.api), c)).collect()
});

/// A kind of fresh tool result.
#[derive(Clone, Copy, Debug)]
enum Fresh {
    Log,
    Records,
    FileReadAgain,
    Terminal,
    Hits,
}

impl Fresh {
    const ALL: [Self; 5] = [Self::Log, Self::Records, Self::FileReadAgain, Self::Terminal, Self::Hits];

    /// A request of about this many bytes, most of it in the last tool result.
    fn body(self, size: usize) -> Vec<u8> {
        let shape = match self {
            Self::Log => Shape::Log,
            Self::Records => Shape::PrettyRecords,
            Self::FileReadAgain => Shape::NumberedRead,
            Self::Terminal => Shape::Terminal,
            Self::Hits => Shape::Hits,
        };
        let text = |lines, changed| Content { shape, seed: 3, lines, changed }.text();
        let copies = if matches!(self, Self::FileReadAgain) { 2 } else { 1 };
        let lines = size / copies * 500 / text(500, usize::MAX).len();
        let style = Style { space: Space::Dense, escapes: Escapes::Minimal, order: 0 };
        let items: Vec<String> = (0..copies)
            .map(|n| {
                style.spell(&result_item(
                    Api::OpenAiChat,
                    "call",
                    &text(lines, n * lines / 2),
                    Spelling::Plain,
                ))
            })
            .collect();
        format!(r#"{{"messages":[{}]}}"#, items.join(",")).into_bytes()
    }
}

impl fmt::Display for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

fn main() {
    sizes();
    divan::main();
}

/// What the engine saves on the inputs of the benchmarks.
fn sizes() {
    let row = |name: &str, before: usize, after: usize, tokens: usize| {
        let share = 100.0 * (before as f64 - after as f64) / before.max(1) as f64;
        println!("{name:44} {before:>9} -> {after:>9} bytes ({share:5.1} % less), {tokens:>7} tokens saved");
    };
    let sent = |api, body: &[u8]| {
        let outcome = Engine::new().compress(api, body, &CompressOptions::new());
        (outcome.body().map_or(body.len(), <[u8]>::len), outcome.report().tokens_saved)
    };
    for kind in Fresh::ALL {
        let body = kind.body(1 << 20);
        let (after, tokens) = sent(Api::OpenAiChat, &body);
        row(&format!("compress {kind}"), body.len(), after, tokens);
    }
    for (name, conversation) in CONVERSATIONS.iter() {
        let last = conversation.bodies.last().unwrap();
        let (after, tokens) = sent(conversation.api, last);
        row(&format!("last request of {name}"), last.len(), after, tokens);
    }
}

fn names() -> Vec<&'static String> {
    CONVERSATIONS.keys().collect()
}

/// The last request of a conversation, sent again through an engine that knows it.
#[divan::bench(args = names())]
fn scan(bencher: Bencher<'_, '_>, name: &String) {
    let conversation = &CONVERSATIONS[name];
    let body = conversation.bodies.last().unwrap();
    let engine = Engine::new();
    let _ = engine.compress(conversation.api, body, &CompressOptions::new());
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| engine.compress(conversation.api, black_box(body), &CompressOptions::new()));
}

/// Pass-through of a request that has nothing to edit.
#[divan::bench(args = [10 << 10, 1 << 20])]
fn pass_through(bencher: Bencher<'_, '_>, size: usize) {
    let text = serde_json::to_string(&"The keeper writes a line each night.\n".repeat(size / 37)).unwrap();
    let body = format!(r#"{{"messages":[{{"role":"user","content":{text}}}]}}"#).into_bytes();
    let engine = Engine::new();
    bencher
        .counter(BytesCount::new(body.len()))
        .bench(|| engine.compress(Api::OpenAiChat, black_box(&body), &CompressOptions::new()));
}

/// One fresh tool result of about 1 MiB. A new engine each time, so that nothing is remembered.
#[divan::bench(args = Fresh::ALL, sample_count = 20)]
fn compress(bencher: Bencher<'_, '_>, kind: Fresh) {
    let body = kind.body(1 << 20);
    bencher
        .counter(BytesCount::new(body.len()))
        .with_inputs(Engine::new)
        .bench_refs(|engine| engine.compress(Api::OpenAiChat, black_box(&body), &CompressOptions::new()));
}

/// One fresh result of a size that agents send. A new engine each time, so that nothing is remembered.
#[divan::bench_group(sample_count = 20)]
mod fresh {
    use super::*;

    const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
    const KINDS: [Output; 4] = [Output::Records, Output::ServerLog, Output::Search, Output::FileRead];

    fn of(bencher: Bencher<'_, '_>, output: Output, size: usize, retrieval: Retrieval) {
        let text = |rows| output.text(rows, 3, None);
        let text = text((size * 200 / text(200).len()).max(1));
        let (tool, arguments) = output.call(None);
        let ask = Ask { question: "Why is ship lantern4711 late?", tool, arguments, result: &text };
        let body = ask.body(Api::Anthropic);
        let options = CompressOptions::new().retrieval(retrieval);
        bencher
            .counter(BytesCount::new(body.len()))
            .with_inputs(Engine::new)
            .bench_refs(|engine| engine.compress(Api::Anthropic, black_box(&body), &options));
    }

    #[divan::bench(args = KINDS, consts = SIZES)]
    fn with_retrieval<const SIZE: usize>(bencher: Bencher<'_, '_>, output: Output) {
        of(bencher, output, SIZE, Retrieval::ServerTool);
    }

    #[divan::bench(args = KINDS, consts = SIZES)]
    fn without_retrieval<const SIZE: usize>(bencher: Bencher<'_, '_>, output: Output) {
        of(bencher, output, SIZE, Retrieval::Disabled);
    }
}

/// One result of each kind, from which parts are set aside, at n, 10n and 100n rows: a step that is not linear shows as
/// bytes per second that fall. Tokens of all of them are counted.
#[divan::bench_group(sample_count = 10)]
mod kind {
    use super::*;

    const ROWS: [usize; 3] = [200, 2_000, 20_000];
    const MORE_ROWS: [usize; 4] = [200, 2_000, 20_000, 200_000];

    fn of(bencher: Bencher<'_, '_>, output: Output, rows: usize) {
        let text = output.text(rows, 3, None);
        let (tool, arguments) = output.call(None);
        let ask = Ask { question: "Why is ship lantern4711 late?", tool, arguments, result: &text };
        let body = ask.body(Api::Anthropic);
        let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
        bencher
            .counter(BytesCount::new(body.len()))
            .with_inputs(Engine::new)
            .bench_refs(|engine| engine.compress(Api::Anthropic, black_box(&body), &options));
    }

    macro_rules! kinds {
        ($($name:ident: $output:ident, $rows:ident;)*) => {
            $(
                #[divan::bench(args = $rows)]
                fn $name(bencher: Bencher<'_, '_>, rows: usize) {
                    of(bencher, Output::$output, rows);
                }
            )*
        };
    }

    kinds! {
        json: Records, MORE_ROWS;
        json_lines: JsonLines, MORE_ROWS;
        log: ServerLog, MORE_ROWS;
        test_run: TestRun, MORE_ROWS;
        search: Search, ROWS;
        diff: Diff, ROWS;
        listing: Listing, ROWS;
        table: Table, ROWS;
        mixed: Mixed, ROWS;
        numbered_read: FileRead, ROWS;
    }
}

/// What the compressors and the counter take of that: no body is read or written.
#[divan::bench_group(sample_count = 10)]
mod text {
    use super::*;

    fn of(bencher: Bencher<'_, '_>, output: Output, rows: usize) {
        let text = output.text(rows, 3, None);
        let (tool, arguments) = output.call(None);
        let hints = Hints::new()
            .tool(tool)
            .arguments(arguments.to_string())
            .query("Why is ship lantern4711 late?")
            .options(CompressOptions::new().retrieval(Retrieval::ServerTool));
        let engine = Engine::new();
        bencher.counter(BytesCount::new(text.len())).bench(|| engine.compress_text(black_box(&text), &hints));
    }

    #[divan::bench(args = [20_000, 200_000])]
    fn json(bencher: Bencher<'_, '_>, rows: usize) {
        of(bencher, Output::Records, rows);
    }

    #[divan::bench(args = [20_000, 200_000])]
    fn json_lines(bencher: Bencher<'_, '_>, rows: usize) {
        of(bencher, Output::JsonLines, rows);
    }

    #[divan::bench(args = [20_000, 200_000])]
    fn log(bencher: Bencher<'_, '_>, rows: usize) {
        of(bencher, Output::ServerLog, rows);
    }
}

/// Turn N of a conversation whose earlier turns the engine has seen: what is new is one result of 100 lines.
#[divan::bench(args = [10, 50, 200], sample_count = 10)]
fn turn(bencher: Bencher<'_, '_>, turns: usize) {
    let style = Style { space: Space::Dense, escapes: Escapes::Minimal, order: 0 };
    let items: Vec<String> = (0..turns)
        .map(|n| {
            let text = Output::ServerLog.text(100, n as u64, None);
            style.spell(&result_item(Api::OpenAiChat, &format!("call{n}"), &text, Spelling::Plain))
        })
        .collect();
    let body = |turns: usize| format!(r#"{{"messages":[{}]}}"#, items[..turns].join(",")).into_bytes();
    let (before, now) = (body(turns - 1), body(turns));
    let warm = || {
        let engine = Engine::new();
        let _ = engine.compress(Api::OpenAiChat, &before, &CompressOptions::new());
        engine
    };
    bencher
        .counter(BytesCount::new(now.len()))
        .with_inputs(warm)
        .bench_refs(|engine| engine.compress(Api::OpenAiChat, black_box(&now), &CompressOptions::new()));
}

#[divan::bench_group(sample_count = 20)]
mod conversation {
    use super::*;

    /// Every request of the conversation through one engine.
    #[divan::bench(args = names())]
    fn one_engine(bencher: Bencher<'_, '_>, name: &String) {
        turns(bencher, name, true);
    }

    /// Every request of the conversation through an engine that has seen nothing.
    #[divan::bench(args = names())]
    fn new_engine_every_turn(bencher: Bencher<'_, '_>, name: &String) {
        turns(bencher, name, false);
    }

    fn turns(bencher: Bencher<'_, '_>, name: &String, keep: bool) {
        let conversation = &CONVERSATIONS[name];
        let bytes = conversation.bodies.iter().map(Vec::len).sum::<usize>();
        bencher.counter(BytesCount::new(bytes)).with_inputs(Engine::new).bench_values(|engine| {
            for body in &conversation.bodies {
                let engine = if keep { engine.clone() } else { Engine::new() };
                black_box(engine.compress(conversation.api, black_box(body), &CompressOptions::new()));
            }
        });
    }
}
