//! Numbers are what they say: those of lines only in views of files, and those of results as a reader counts them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::missing_panics_doc,
    reason = "tests may"
)]

use std::collections::HashSet;

use headroom_core::{Api, CompressOptions, Engine, Hints, Outcome, Retrieval, TextOutcome, Tier};

fn decided(text: &str, tool: &str, arguments: &str, tier: Tier) -> TextOutcome {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool).tier(tier);
    let hints = Hints::new().tool(tool).arguments(arguments).query("what is wrong?").options(options);
    Engine::new().compress_text(text, &hints)
}

const CALLS: [(&str, &str); 6] = [
    ("Bash", r#"{"command":"psql -c 'select * from stock'"}"#),
    ("Bash", r#"{"command":"./show"}"#),
    ("Read", r#"{"file_path":"/w/stock"}"#),
    ("mcp__db__query", r#"{"sql":"select id, name from stock"}"#),
    ("fetch", r#"{"url":"https://example.org/stock"}"#),
    ("mcp__zq__do", r#"{"id":4}"#),
];

fn word(n: usize) -> &'static str {
    ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove"][n * n % 7]
}

/// Rows with these numbers.
fn rows(numbers: impl Iterator<Item = usize>, row: impl Fn(usize) -> String) -> String {
    numbers.map(|n| row(n) + "\n").collect()
}

#[test]
fn the_first_column_of_a_table_stays() {
    let with_gap = || (1..90).filter(|n| n % 23 != 0);
    let tables = [
        format!(
            " id  |  name  | qty\n-----+--------+-----\n{}(89 rows)\n",
            rows(1..90, |n| format!("{n:>4} | {:<6} | {:>3}", word(n), n * 7))
        ),
        format!(" id  |  name\n-----+--------\n{}", rows(with_gap(), |n| format!("{n:>4} | {}", word(n)))),
        rows(4711..4790, |n| format!("{n}|{}|{}@x.org|{}", word(n), word(n + 1), n * 3)),
        rows(1..80, |n| format!("{n}|{}", word(n))),
        rows(with_gap(), |n| format!("{n:>3}|{} {}", word(n), n * 31)),
        format!("line|hits\n{}", rows(1..70, |n| format!("{n}|{}", n * 13 % 97))),
        format!("id | name | note\n--:|---|---\n{}", rows(1..70, |n| format!("{n} | {} | a | b", word(n)))),
        rows(1..70, |n| format!("{n}→{}", n * 13 % 70)),
        format!("no│name\n{}", rows(1..70, |n| format!("{n:>3}│{}", word(n)))),
        rows(1..70, |n| format!("{n:>4} | {:>6}", n * 31)),
        format!("id\tname\tqty\n{}", rows(1..70, |n| format!("{n}\t{}\t{}", word(n), n * 7))),
        format!("page:title\n{}", rows(1..70, |n| format!("{n}:{} {}", word(n), n * 7))),
        rows(1..70, |n| format!("{n}) {} {}", word(n), n * 7)),
        rows(1..70, |n| format!("{n}. Take the {} of {}.", word(n), n * 7)),
        rows(8000..8070, |n| format!("{n}: {} {}", word(n), n * 7)),
    ];
    let cells = |line: &str| -> Vec<String> {
        line.split(['|', '│', '→']).map(|cell| cell.trim().to_owned()).collect()
    };
    for table in &tables {
        let known: HashSet<Vec<String>> = table.lines().map(cells).collect();
        for (tool, arguments) in CALLS {
            for tier in [Tier::Lossless, Tier::Recoverable] {
                let outcome = decided(table, tool, arguments, tier);
                let Some(after) = outcome.text else { continue };
                assert!(!after.contains("10th line number"), "{tool} {arguments}\n{after}");
                let is_row =
                    |line: &&str| !line.contains("[headroom:") && line.starts_with([' ', '1', '2', '4', '8']);
                for row in after.lines().filter(is_row) {
                    let is_whole = known.contains(&cells(row)) || row.contains('\t') || table.contains(row);
                    assert!(is_whole, "{row} by {tool}\n{after}");
                }
            }
        }
    }
}

#[test]
fn rows_with_shifted_numbers_are_no_lines_of_an_earlier_table() {
    let table = |first: usize| {
        format!(
            "id | name | note\n---+------+-----\n{}",
            rows(0..60, |n| format!("{} | {} | {}", first + n, word(n), n * 77))
        )
    };
    let body = anthropic(&[&text_result(&table(10)), &text_result(&table(11))]);
    let after = compressed(Api::Anthropic, &body);
    assert!(!after.contains("of result 1"), "{after}");
}

#[test]
fn numbers_of_views_are_left_out() {
    let file = ["fn main() {", "    let a = 1;", "", "    run(a);", "    // the end", "}"].repeat(20);
    let styles: [fn(usize, &str) -> String; 4] = [
        |n, line| format!("{n:>6}→{line}\n"),
        |n, line| format!("{n:>4} | {line}\n"),
        |n, line| format!("{n:0>5}| {line}\n"),
        |n, line| format!("{n} │ {line}\n"),
    ];
    for (at, style) in styles.iter().enumerate() {
        let view: String = file.iter().zip(1..).map(|(line, n)| style(n, line)).collect();
        for (tool, arguments) in [("read_file", r#"{"path":"main.rs"}"#), ("mcp__zq__do", r#"{"id":4}"#)] {
            let after = decided(&view, tool, arguments, Tier::Lossless).text.unwrap_or_default();
            assert!(after.contains("every 10th line number shown"), "{at} {tool}\n{after}");
        }
    }
}

fn output(seed: usize) -> String {
    (0..40).map(|n| format!("step {n} of {}: {} items\n", word(seed), (n + seed) * 31)).collect()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn text_result(text: &str) -> String {
    format!(r#","content":{}"#, quoted(text))
}

/// `results` are what follows the id.
fn anthropic(results: &[&str]) -> String {
    let turn = |(n, rest): (usize, &&str)| {
        format!(
            r#"{{"role":"assistant","content":[{{"type":"tool_use","id":"t{n}","name":"Bash","input":{{"command":"step {n}"}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t{n}"{rest}}}]}}"#
        )
    };
    let turns: Vec<String> = results.iter().enumerate().map(turn).collect();
    format!(r#"{{"model":"claude","messages":[{{"role":"user","content":"go"}},{}]}}"#, turns.join(","))
}

fn chat(results: &[&str]) -> String {
    let turn = |(n, rest): (usize, &&str)| {
        format!(
            r#"{{"role":"assistant","tool_calls":[{{"id":"t{n}","type":"function","function":{{"name":"Bash","arguments":"{{}}"}}}}]}},{{"role":"tool","tool_call_id":"t{n}"{rest}}}"#
        )
    };
    let turns: Vec<String> = results.iter().enumerate().map(turn).collect();
    format!(r#"{{"model":"gpt","messages":[{{"role":"user","content":"go"}},{}]}}"#, turns.join(","))
}

fn responses(results: &[&str]) -> String {
    let turn = |(n, rest): (usize, &&str)| {
        format!(
            r#"{{"type":"function_call","call_id":"t{n}","name":"Bash","arguments":"{{}}"}},{{"call_id":"t{n}"{rest}}}"#
        )
    };
    let turns: Vec<String> = results.iter().enumerate().map(turn).collect();
    format!(r#"{{"model":"gpt","input":[{{"role":"user","content":"go"}},{}]}}"#, turns.join(","))
}

fn gemini(results: &[&str]) -> String {
    let turn = |rest: &&str| {
        format!(
            r#"{{"role":"model","parts":[{{"functionCall":{{"name":"Bash","args":{{}}}}}}]}},{{"role":"user","parts":[{{"functionResponse":{{"name":"Bash"{rest}}}}}]}}"#
        )
    };
    let turns: Vec<String> = results.iter().map(turn).collect();
    format!(
        r#"{{"model":"gemini","contents":[{{"role":"user","parts":[{{"text":"go"}}]}},{}]}}"#,
        turns.join(",")
    )
}

fn converse(results: &[&str]) -> String {
    let turn = |(n, rest): (usize, &&str)| {
        format!(
            r#"{{"role":"assistant","content":[{{"toolUse":{{"toolUseId":"t{n}","name":"Bash","input":{{}}}}}}]}},{{"role":"user","content":[{{"toolResult":{{"toolUseId":"t{n}"{rest}}}}}]}}"#
        )
    };
    let turns: Vec<String> = results.iter().enumerate().map(turn).collect();
    format!(
        r#"{{"modelId":"claude","messages":[{{"role":"user","content":[{{"text":"go"}}]}},{}]}}"#,
        turns.join(",")
    )
}

fn compressed(api: Api, body: &str) -> String {
    assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{body}");
    match Engine::new().compress(api, body.as_bytes(), &CompressOptions::new()) {
        Outcome::Rewritten { body, .. } => String::from_utf8(body.to_vec()).unwrap(),
        _ => body.to_owned(),
    }
}

type Build = fn(&[&str]) -> String;

const IN_MESSAGES: [&str; 9] = [
    "",
    r#","content":null"#,
    r#","content":7"#,
    r#","content":[]"#,
    r#","content":"""#,
    r#","content":[{"type":"image","source":{"type":"url","url":"https://x.org/a.png"}}]"#,
    r#","content":[{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"}}]"#,
    r#","content":[{"type":"tool_reference","tool_name":"x"}]"#,
    r#","content":"no such file","is_error":true"#,
];
const IN_CHAT: [&str; 5] = [
    "",
    r#","content":null"#,
    r#","content":7"#,
    r#","content":[]"#,
    r#","content":[{"type":"image_url","image_url":{"url":"https://x.org/a.png"}}]"#,
];
const IN_RESPONSES: [&str; 6] = [
    r#","type":"function_call_output""#,
    r#","type":"function_call_output","output":null"#,
    r#","type":"function_call_output","output":[]"#,
    r#","type":"function_call_output","output":7"#,
    r#","type":"function_call_output","output":[{"type":"input_image","image_url":"https://x.org/a.png"}]"#,
    r#","type":"computer_call_output","output":{"type":"computer_screenshot","image_url":"https://x.org/a.png"}"#,
];
const IN_GEMINI: [&str; 5] = [
    "",
    r#","response":{}"#,
    r#","response":{"n":7}"#,
    r#","response":{"output":null}"#,
    r#","response":null"#,
];
const IN_CONVERSE: [&str; 5] = [
    "",
    r#","content":[]"#,
    r#","content":[{"json":{"n":7}}]"#,
    r#","content":[{"json":{"s":"short"}}]"#,
    r#","content":[{"image":{"format":"png","source":{"bytes":"AAAA"}}}]"#,
];

/// For each API, how a request is written, a result with a text, and results without.
fn results_without_text() -> [(Api, Build, String, &'static [&'static str]); 5] {
    let own = quoted(&output(1));
    [
        (Api::Anthropic, anthropic, format!(r#","content":{own}"#), &IN_MESSAGES),
        (Api::OpenAiChat, chat, format!(r#","content":{own}"#), &IN_CHAT),
        (
            Api::OpenAiResponses,
            responses,
            format!(r#","type":"function_call_output","output":{own}"#),
            &IN_RESPONSES,
        ),
        (Api::Gemini, gemini, format!(r#","response":{{"output":{own}}}"#), &IN_GEMINI),
        (Api::Converse, converse, format!(r#","content":[{{"text":{own}}}]"#), &IN_CONVERSE),
    ]
}

#[test]
fn every_result_counts_in_every_api() {
    for (api, build, own, others) in results_without_text() {
        for other in others {
            let after = compressed(api, &build(&[other, &own, other, other, &own]));
            assert!(after.contains("[headroom: same as result 2 above"), "{api} {other}\n{after}");
        }
    }
}

#[test]
fn calls_and_results_of_the_provider_count_and_so_do_parts_without_text() {
    let (one, two) = (quoted(&output(1)), quoted(&output(2)));
    let searched = r#"{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[]}]},"#;
    let body = anthropic(&[&text_result(&output(1)), &text_result(&output(1))]);
    let body = body.replacen(r#"{"role":"assistant""#, &format!(r#"{searched}{{"role":"assistant""#), 1);
    assert!(compressed(Api::Anthropic, &body).contains("same as result 2 above"));
    let image = r#"{"type":"image","source":{"type":"url","url":"https://x.org/a.png"}}"#;
    let parts =
        format!(r#","content":[{{"type":"text","text":{one}}},{image},{{"type":"text","text":{two}}}]"#);
    let after = compressed(Api::Anthropic, &anthropic(&[&parts, &text_result(&output(2))]));
    assert!(after.contains("[headroom: same as result 1 part 3 above"), "{after}");
}

#[test]
fn behind_a_message_with_two_meanings_nothing_has_a_number() {
    let own = text_result(&output(1));
    let twice = format!(r#"{own},"content":[]"#);
    let after = compressed(
        Api::Anthropic,
        &anthropic(&[&own, &twice, &text_result(&output(2)), &text_result(&output(2)), &own]),
    );
    assert_eq!(after.matches("[headroom:").count(), 1, "{after}");
    assert!(after.contains("[headroom: same as result 1 above"), "{after}");
}
