use headroom_core::{Api, CompressOptions, Engine};
use headroom_tests::{
    data,
    engine::real,
    generate::{Content, Escapes, Shape, Space, Spelling, Style, result_item},
    json::Json,
    laws::{Forms, Run, every, splice},
};

use crate::RETRIEVALS;

const STYLE: Style = Style { space: Space::Dense, escapes: Escapes::Minimal, order: 0 };

/// Runs on a small stack, so that recursion shows.
fn on_a_small_stack(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(512 << 10);
        if let Err(panic) = thread.spawn_scoped(scope, test).unwrap().join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn log(lines: usize) -> String {
    Content { shape: Shape::Log, seed: 5, lines, changed: usize::MAX }.text()
}

/// A request with one tool result and one more member.
fn request(api: Api, text: &str, member: &str) -> Vec<u8> {
    let list = match api {
        Api::OpenAiResponses => "input",
        Api::Gemini => "contents",
        _ => "messages",
    };
    let item = STYLE.spell(&result_item(api, "call", text, Spelling::Plain));
    format!(r#"{{"{list}":[{item}],"x":{member}}}"#).into_bytes()
}

/// What is no JSON is passed on, and what is obeys the laws.
fn check(name: &str, api: Api, body: &[u8]) {
    for retrieval in RETRIEVALS {
        let options = crate::options(retrieval);
        if Json::parse(body).is_none() {
            let outcome = Engine::new().compress(api, body, &options);
            assert!(outcome.body().is_none(), "{name}, {api}: a body that is not JSON was changed");
            continue;
        }
        splice(&real, api, body, retrieval, &options)
            .and_then(|run| every(&run, &options, &Forms::default()))
            .unwrap_or_else(|violation| panic!("{name}, {api} with {retrieval}: {violation}"));
    }
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn robustness_json_suite_as_body_and_as_member() {
    let files = data::robustness().expect(data::NEEDED);
    assert!(files.len() > 100, "{}", files.len());
    on_a_small_stack(|| {
        for (name, bytes) in &files {
            if name.starts_with("y_") {
                assert!(Json::parse(bytes).is_some(), "{name}: the tests' own reader is wrong");
            } else if name.starts_with("n_") {
                assert!(Json::parse(bytes).is_none(), "{name}: the tests' own reader is wrong");
            }
            for &api in Api::ALL {
                check(name, api, bytes);
                let whole = request(api, &log(80), "@");
                let at = whole.iter().rposition(|byte| *byte == b'@').unwrap();
                check(name, api, &[&whole[..at], bytes, &whole[at + 1..]].concat());
            }
        }
    });
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn robustness_json_suite_as_tool_result() {
    let files = data::robustness().expect(data::NEEDED);
    on_a_small_stack(|| {
        for (name, bytes) in &files {
            let text = String::from_utf8_lossy(bytes);
            for text in
                [text.clone().into_owned(), format!("{text}\n").repeat(40), format!("[{text},{text}]")]
            {
                for &api in Api::ALL {
                    check(name, api, &request(api, &text, "0"));
                }
            }
        }
    });
}

#[test]
fn robustness_truncated_bodies_are_passed_on() {
    let mut bodies: Vec<_> = data::fixtures();
    match data::captures() {
        Some(captures) => {
            bodies.extend(captures.into_iter().map(|mut c| (c.name, c.api, c.bodies.pop().unwrap())));
        }
        None => data::skipped("robustness"),
    }
    let cuts = if cfg!(debug_assertions) { 40 } else { 400 };
    for (name, api, body) in &bodies {
        let body = body.trim_ascii_end();
        let engine = Engine::new();
        for end in (0..cuts).map(|n| body.len() * n / cuts).chain(body.len().saturating_sub(20)..body.len()) {
            let outcome = engine.compress(*api, &body[..end], &CompressOptions::new());
            assert!(outcome.body().is_none(), "{name} cut at {end} of {}", body.len());
        }
    }
}

#[test]
fn robustness_every_cut_of_a_small_body_is_passed_on() {
    for &api in Api::ALL {
        let body = request(
            api,
            "caf\u{e9} \\ \"quoted\" \u{1f6a2}\n\u{1b}[1m",
            r#"[1e400,-0,"\ud800",{"a":1,"a":2}]"#,
        );
        for end in 0..body.len() {
            assert!(
                Engine::new().compress(api, &body[..end], &CompressOptions::new()).body().is_none(),
                "{api} cut at {end}"
            );
        }
        check("small", api, &body);
    }
}

#[test]
fn robustness_flipped_bytes_never_break_a_law() {
    for (name, api, body) in data::fixtures().into_iter().filter(|(name, ..)| name.contains("odd")) {
        for n in 0..120 {
            for flip in [0x01, 0x20, 0x80] {
                let mut broken = body.clone();
                let at = body.len() * n / 120;
                broken[at] ^= flip;
                if Json::parse(&broken).is_none() {
                    assert!(
                        Engine::new().compress(api, &broken, &CompressOptions::new()).body().is_none(),
                        "{name} at {at}"
                    );
                } else {
                    check(&name, api, &broken);
                }
            }
        }
    }
}

#[test]
fn robustness_deep_nesting_costs_no_stack() {
    on_a_small_stack(|| {
        for depth in [100, 1_000, 10_000, 200_000] {
            for (open, inner, close) in
                [("[", "", "]"), (r#"{"a":"#, "1", "}"), (r#"[{"content":"#, "\"x\"", "}]")]
            {
                let nested = format!("{}{inner}{}", open.repeat(depth), close.repeat(depth));
                let apis = if depth > 10_000 { &Api::ALL[..1] } else { Api::ALL };
                for api in apis.iter().copied() {
                    check("nested body", api, nested.as_bytes());
                    check("nested member", api, &request(api, &log(60), &nested));
                    check("nested text", api, &request(api, &nested, "0"));
                }
            }
        }
    });
}

#[test]
fn robustness_odd_shapes_are_passed_on() {
    let long = serde_json::to_string(&log(60)).unwrap();
    let shapes = [
        "",
        " ",
        "null",
        "0",
        "[]",
        "{}",
        "\"messages\"",
        "\u{feff}{}",
        "{}{}",
        "{\"messages\":\"hi\"}",
        "{\"messages\":[],\"input\":[],\"contents\":[]}",
        "{\"messages\":{\"0\":{\"role\":\"tool\"}}}",
        "{\"messages\":[[{\"role\":\"tool\",\"content\":@}]],\"input\":[[{\"type\":\"function_call_output\",\"output\":@}]]}",
        "{\"input\":@,\"messages\":@,\"contents\":@}",
        "{\"messages\":[{\"role\":[\"tool\"],\"content\":@},{\"role\":\"tool\",\"content\":{\"text\":@}}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"content\":{\"type\":\"text\",\"text\":@}},@,null]}]}",
        "{\"contents\":[{\"role\":\"user\",\"parts\":{\"functionResponse\":{\"response\":{\"output\":@}}}}]}",
        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"response\":@}},{\"functionResponse\":@}]}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"toolResult\":[{\"content\":[{\"text\":@}]}]},{\"toolResult\":{\"content\":@}}]}]}",
        "{\"input\":[{\"type\":\"shell_call_output\",\"output\":@},{\"type\":\"function_call_output\",\"output\":{\"text\":@}}]}",
    ];
    for shape in shapes {
        for &api in Api::ALL {
            check(shape, api, shape.replace('@', &long).as_bytes());
        }
    }
}

#[test]
fn robustness_invalid_utf8_is_passed_on() {
    for &api in Api::ALL {
        let body = request(api, &format!("@{}", log(60)), "0");
        let at = body.iter().position(|byte| *byte == b'@').unwrap();
        for bytes in [&b"\xff"[..], b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf"] {
            check("invalid UTF-8", api, &[&body[..at], bytes, &body[at + 1..]].concat());
        }
    }
}

#[test]
fn robustness_a_million_numbers() {
    let numbers = format!("[{}]", vec!["-0"; 1_000_000].join(","));
    for (text, member) in [("short", numbers.as_str()), (&numbers, "0")] {
        check_once(Api::OpenAiChat, &request(Api::OpenAiChat, text, member));
    }
}

#[test]
fn robustness_twenty_megabytes() {
    let size: usize = if cfg!(debug_assertions) { 2 << 20 } else { 20 << 20 };
    let line = log(200) + "\n";
    let text = line.repeat(size / line.len());
    check_once(Api::Anthropic, &request(Api::Anthropic, &text, "0"));
    let user = serde_json::to_string(&"so it goes. ".repeat((20 << 20) / 12)).unwrap();
    check_once(Api::Converse, &request(Api::Converse, &log(60), &user));
    check_once(Api::OpenAiResponses, &request(Api::OpenAiResponses, &"x".repeat(size), "0"));
    check_once(Api::Gemini, &request(Api::Gemini, &"\n".repeat(size), "0"));
    check_once(Api::OpenAiChat, &request(Api::OpenAiChat, &"\u{1b}[".repeat(size / 2), "0"));
}

fn check_once(api: Api, body: &[u8]) {
    let options = CompressOptions::new();
    let run =
        Run::new(&*real(), api, body, &options).unwrap_or_else(|violation| panic!("{api}: {violation}"));
    every(&run, &options, &Forms::default()).unwrap_or_else(|violation| panic!("{api}: {violation}"));
}

#[test]
fn robustness_bodies_over_the_limit_are_passed_on() {
    let engine = Engine::builder().max_body(1000).build();
    let body = request(Api::OpenAiChat, &log(60), "0");
    assert!(
        body.len() > 1000
            && engine.compress(Api::OpenAiChat, &body, &CompressOptions::new()).body().is_none()
    );
}

#[test]
fn robustness_bodies_of_another_api_obey_the_laws() {
    for (name, _, body) in data::fixtures() {
        for &api in Api::ALL {
            check(&name, api, &body);
        }
    }
}
