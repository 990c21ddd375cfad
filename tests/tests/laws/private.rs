use headroom_core::{Api, CompressOptions, Engine, Tier};
use headroom_tests::{
    engine::{EngineUnderTest, real},
    generate::{Escapes, Space, Spelling, Style, result_item},
    laws::private,
};

use crate::RETRIEVALS;

const SECRET: &str = "hunter2-Zq81-tide";

/// A text with the secret where each kind of edit would meet it.
fn secrets() -> Vec<String> {
    let records: Vec<String> = (0..80)
        .map(|n| format!(r#"{{"id": {n}, "token": "{SECRET}", "{SECRET}-key": "{SECRET} {n}"}}"#))
        .collect();
    let log: Vec<String> = (0..200).map(|n| format!("04:{n:03} INFO login {SECRET} took {n}ms")).collect();
    vec![
        log.join("\n"),
        format!("[\n {}\n]", records.join(",\n ")),
        vec![format!("password {SECRET}"); 100].join("\n"),
        format!("\u{1b}[31m{SECRET}\u{1b}[0m\n").repeat(50),
        format!("[headroom:abcdefghijklmnop {SECRET}]\n").repeat(50),
    ]
}

fn list(api: Api) -> &'static str {
    match api {
        Api::OpenAiResponses => "input",
        Api::Gemini => "contents",
        _ => "messages",
    }
}

#[test]
fn private_content_is_in_no_report_and_no_debug_output() {
    let style = Style { space: Space::Dense, escapes: Escapes::Minimal, order: 0 };
    for &api in Api::ALL {
        let texts = secrets();
        let items: Vec<String> = texts
            .iter()
            .chain(&texts)
            .zip(
                [Spelling::Plain, Spelling::Part, Spelling::Other, Spelling::Plain, Spelling::Failed]
                    .iter()
                    .cycle(),
            )
            .map(|(text, spelling)| style.spell(&result_item(api, SECRET, text, *spelling)))
            .collect();
        let body =
            format!(r#"{{"{}":[{}],"model":"{SECRET}","user":"{SECRET}"}}"#, list(api), items.join(","));
        for end in [body.len(), body.len() - 1] {
            for retrieval in RETRIEVALS {
                for &tier in Tier::ALL {
                    let options = CompressOptions::new().retrieval(retrieval).tier(tier).tenant(SECRET);
                    let answer = real().compress(api, &body.as_bytes()[..end], &options);
                    private(&answer, &[SECRET])
                        .unwrap_or_else(|violation| panic!("{api} {retrieval} {tier}: {violation}"));
                }
            }
        }
    }
}

#[test]
fn private_keys_of_structured_results_are_in_no_report() {
    let line = format!("{SECRET} was here\\n").repeat(60);
    let value = format!(r#"{{"{SECRET}":{{"{SECRET}":"{line}"}}}}"#);
    let gemini = format!(
        r#"{{"contents":[{{"role":"user","parts":[{{"functionResponse":{{"name":"f","response":{value}}}}}]}}]}}"#
    );
    let converse = format!(
        r#"{{"messages":[{{"role":"user","content":[{{"toolResult":{{"toolUseId":"t","content":[{{"json":{value}}}]}}}}]}}]}}"#
    );
    for (api, body) in [(Api::Gemini, gemini), (Api::Converse, converse)] {
        let answer = EngineUnderTest::compress(&Engine::new(), api, body.as_bytes(), &CompressOptions::new());
        private(&answer, &[SECRET]).unwrap_or_else(|violation| panic!("{api}: {violation}"));
    }
}
