//! What was hidden is put back when the client sends the conversation again.

use serde_json::{Value, json};

use super::samples::{Part, TOOL, WIRES, Wire, lines, text};
use crate::{Refusals, Restored, StoreRecord, Tenant};

/// The conversation as the client goes on with it, after an answer of this text.
fn follow_up(wire: Wire, said: &str) -> Value {
    let mut body = wire.ask();
    let turns = match wire {
        Wire::Gemini => [
            json!({"role":"model","parts":[{"text":said}]}),
            json!({"role":"user","parts":[{"text":"and?"}]}),
        ],
        Wire::Responses => {
            let content = json!([{"type":"output_text","text":said}]);
            [
                json!({"type":"message","role":"assistant","content":content}),
                json!({"role":"user","content":"and?"}),
            ]
        }
        _ => [json!({"role":"assistant","content":said}), json!({"role":"user","content":"and?"})],
    };
    body[wire.list()].as_array_mut().unwrap().extend(turns);
    body
}

/// Answers a query from records that were stored.
fn restored(wire: Wire, body: &str, stored: &[StoreRecord]) -> Option<String> {
    let restore = wire.lookup(body).restore(Tenant::new("team"), &Refusals::new());
    let find = |tenant: &str, key| {
        let own = stored.iter().find(|record| record.tenant == tenant && record.keys.contains(key));
        own.map(|record| record.record.as_str().into())
    };
    let queries = restore.queries();
    assert!(!queries.is_empty(), "{wire:?}");
    let found = queries.iter().map(|query| query.keys.iter().map(|key| find(&query.tenant, key)).collect());
    let body = restore.finish(body.as_bytes(), found.collect()).body?;
    Some(String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn a_hidden_exchange_is_put_back_where_it_was() {
    for wire in WIRES {
        for is_stream in [true, false] {
            let says = [
                wire.answer(1, &[text("Look. "), Part::Ours(lines(1))], is_stream),
                wire.answer(2, &[text("It broke.")], is_stream),
            ];
            let transcript = wire.script(says.to_vec()).run();
            assert!(!transcript.stored.is_empty(), "{wire:?}");
            let body = follow_up(wire, "Look. It broke.").to_string();
            let restored_body = restored(wire, &body, &transcript.stored).unwrap();
            let sent: Value = serde_json::from_slice(&transcript.sent[1].1).unwrap();
            let (sent, list) = (sent[wire.list()].as_array().unwrap().clone(), wire.list());
            let now: Value = serde_json::from_str(&restored_body).unwrap();
            let now = now[list].as_array().unwrap();
            assert_eq!(
                now[..sent.len()],
                sent[..],
                "what the provider saw comes first: {wire:?} {is_stream}"
            );
            assert!(restored_body.contains(TOOL));
            // Another conversation with the same turn gets nothing.
            let other = body.replace("why?", "how?");
            assert_eq!(restored(wire, &other, &transcript.stored), None, "{wire:?}");
            // Nor does a turn that the client changed.
            let other = body.replace("It broke.", "It works.");
            assert_eq!(restored(wire, &other, &transcript.stored), None, "{wire:?}");
        }
    }
}

#[test]
fn records_of_another_tenant_are_not_asked_for() {
    for wire in WIRES {
        let body = follow_up(wire, "Look. It broke.").to_string();
        let restore = wire.lookup(&body).restore(Tenant::new("other"), &Refusals::new());
        assert!(restore.queries().iter().all(|query| query.tenant == "other"));
    }
}

#[test]
fn a_store_that_answers_too_little_puts_nothing_back() {
    for wire in WIRES {
        let body = follow_up(wire, "Look. It broke.").to_string();
        for found in [Vec::new(), vec![Vec::new()], vec![vec![None; 1]; 3]] {
            let restore = wire.lookup(&body).restore(Tenant::new("team"), &Refusals::new());
            assert_eq!(restore.finish(body.as_bytes(), found), Restored::default());
        }
    }
}
