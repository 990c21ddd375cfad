use headroom_core::{CompressOptions, Engine, Outcome, Retrieval, Tier};
use headroom_tests::{engine::real, generate, json::Json, laws::splice, spans};
use proptest::prelude::*;

use crate::{RETRIEVALS, cases, every_body, every_conversation};

#[test]
fn splice_holds_on_every_recorded_request() {
    let mut sent = 0;
    for conversation in every_conversation("splice") {
        for (n, body) in conversation.bodies.iter().enumerate() {
            splice(&real, conversation.api, body, Retrieval::Disabled, &CompressOptions::new())
                .unwrap_or_else(|violation| panic!("{} request {n}: {violation}", conversation.name));
            sent += 1;
        }
    }
    println!("{sent} requests");
}

#[test]
fn splice_holds_under_every_means_and_tier() {
    for (name, api, body) in every_body("splice") {
        for retrieval in RETRIEVALS {
            for &tier in Tier::ALL {
                splice(&real, api, &body, retrieval, &crate::options(retrieval).tier(tier))
                    .unwrap_or_else(|violation| panic!("{name} with {retrieval} and {tier}: {violation}"));
            }
        }
    }
}

#[test]
fn splice_leaves_bodies_without_tool_results_alone() {
    let mut seen = 0;
    for (name, api, body) in every_body("splice") {
        let json = Json::parse(&body).unwrap();
        if spans::editable(api, &json).is_empty() {
            let outcome = Engine::new().compress(api, &body, &CompressOptions::new());
            assert!(matches!(outcome, Outcome::Unchanged { .. }), "{name}");
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen}");
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn splice_holds_on_generated_requests(conversation in generate::conversations()) {
        let body = generate::body(&conversation, usize::MAX);
        for retrieval in RETRIEVALS {
            if let Err(violation) = splice(&real, conversation.api, &body, retrieval, &crate::options(retrieval)) {
                return Err(TestCaseError::fail(format!("{violation}\nin {}", String::from_utf8_lossy(&body))));
            }
        }
    }
}
