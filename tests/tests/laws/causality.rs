use headroom_core::{Api, CompressOptions, Engine, Retrieval};
use headroom_tests::{
    data,
    engine::real,
    generate::{self, Escapes, Space, Spelling, Style},
    laws::{Compared, ComparedRequest, causality, order},
};
use proptest::prelude::*;

use crate::{RETRIEVALS, cases, every_conversation};

#[test]
fn causality_holds_on_every_recorded_conversation() {
    let mut compared = Compared::default();
    for conversation in every_conversation("causality") {
        for retrieval in RETRIEVALS {
            compared += causality(&real, conversation.api, &conversation.bodies, &crate::options(retrieval))
                .unwrap_or_else(|violation| panic!("{} with {retrieval}: {violation}", conversation.name));
        }
    }
    println!("{compared:?}");
    assert!(compared.pairs >= 90 && compared.blocks >= 500, "{compared:?}");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn causality_holds_on_generated_conversations(conversation in generate::conversations()) {
        let bodies = generate::bodies(&conversation);
        for retrieval in RETRIEVALS {
            if let Err(violation) = causality(&real, conversation.api, &bodies, &crate::options(retrieval)) {
                return Err(TestCaseError::fail(violation.to_string()));
            }
        }
    }

    #[test]
    fn causality_holds_whatever_is_appended(
        conversation in generate::conversations(),
        text in "[ -~\u{e9}\n]{0,200}",
        again in any::<bool>(),
    ) {
        let api = conversation.api;
        let body = generate::body(&conversation, usize::MAX);
        let style = Style { space: Space::Spaced, escapes: Escapes::Ascii, order: 1 };
        let first = conversation.exchanges.iter().find_map(|exchange| match exchange {
            generate::Exchange::Calls(calls) => calls.first().map(|call| call.content.text()),
            generate::Exchange::Talk(_) => None,
        });
        let text = if again { first.unwrap_or(text) } else { text };
        for spelling in [Spelling::Plain, Spelling::Failed, Spelling::Halved, Spelling::Doubled] {
            let item = style.spell(&generate::result_item(api, "call_new", &text, spelling));
            appended(api, &body, &item)?;
        }
        appended(api, &body, &style.spell(&generate::user_item(api, &text)))?;
    }

    #[test]
    fn causality_holds_in_any_order_with_any_tenants(
        one in generate::conversations(),
        two in generate::conversations(),
        seed in any::<u64>(),
    ) {
        let mut requests = Vec::new();
        for (tenant, conversation) in [("a", &one), ("b", &two), ("b", &one)] {
            for body in generate::bodies(conversation) {
                requests.push(ComparedRequest { api: conversation.api, tenant: tenant.to_owned(), body });
            }
        }
        order(&real, &requests, seed).map_err(|violation| TestCaseError::fail(violation.to_string()))?;
    }
}

fn appended(api: Api, body: &[u8], item: &str) -> Result<(), TestCaseError> {
    let longer = data::append(api, body, item);
    let found = causality(&real, api, &[body.to_vec(), longer], &crate::options(Retrieval::ServerTool));
    found.map(drop).map_err(|violation| TestCaseError::fail(format!("{violation}\nafter {item}")))
}

#[test]
fn causality_holds_for_odd_messages_at_the_end() {
    let odd = [
        r#"{"role":"user","content":[{"type":"from_the_future","content":{"a":1e400,"a":-0}}],"parts":[{"new":[[]]}]}"#,
        r#"{"role":"user","role":"assistant","content":"a","content":"b","type":"x","type":"y"}"#,
        r#"{"role":"user","content":"\ud800","parts":[{"text":"\udc00"}]}"#,
        r#"{"role":"narrator","content":17}"#,
        "{}",
        "null",
        "[[[]]]",
        "-0",
    ];
    for conversation in data::conversations() {
        let body = conversation.bodies.last().unwrap();
        for item in odd {
            let longer = data::append(conversation.api, body, item);
            causality(
                &real,
                conversation.api,
                &[body.clone(), longer],
                &crate::options(Retrieval::ServerTool),
            )
            .unwrap_or_else(|violation| panic!("{} and {item}: {violation}", conversation.name));
        }
    }
}

#[test]
fn causality_holds_for_recorded_clients_that_share_an_engine() {
    let all = every_conversation("causality");
    let requests: Vec<ComparedRequest> = all
        .iter()
        .enumerate()
        .flat_map(|(n, c)| c.bodies.iter().rev().take(4).map(move |body| (n, c.api, body)))
        .map(|(n, api, body)| ComparedRequest {
            api,
            tenant: format!("tenant {}", n % 3),
            body: body.clone(),
        })
        .collect();
    order(&real, &requests, 11).unwrap();
}

#[test]
fn causality_holds_across_threads() {
    let all = data::conversations();
    let alone: Vec<_> = all
        .iter()
        .map(|c| c.bodies.iter().map(|body| outcome(&Engine::new(), c.api, body)).collect::<Vec<_>>())
        .collect();
    let shared = Engine::new();
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (all, alone, shared) = (&all, &alone, &shared);
            scope.spawn(move || {
                for n in (0..all.len()).map(|n| (n + start) % all.len()) {
                    for (body, expected) in all[n].bodies.iter().zip(&alone[n]).rev() {
                        assert_eq!(outcome(shared, all[n].api, body), *expected, "{}", all[n].name);
                    }
                }
            });
        }
    });
}

fn outcome(engine: &Engine, api: Api, body: &[u8]) -> Option<Vec<u8>> {
    engine.compress(api, body, &CompressOptions::new()).body().map(<[u8]>::to_vec)
}
