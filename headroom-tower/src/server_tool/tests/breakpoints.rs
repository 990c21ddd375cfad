//! Cache breakpoints on hidden answers.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    anthropic::{self, ASK, ours, text},
    support::{Say, Setup},
};
use crate::test_support::block_on;

/// The breakpoints of a request in the order in which the provider reads them.
fn breakpoints(body: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    for tool in body["tools"].as_array().into_iter().flatten() {
        found.extend(tool.get("cache_control").cloned());
    }
    for block in body["system"].as_array().into_iter().flatten() {
        found.extend(block.get("cache_control").cloned());
    }
    for message in body["messages"].as_array().into_iter().flatten() {
        for block in message["content"].as_array().into_iter().flatten() {
            for inner in block["content"].as_array().into_iter().flatten() {
                found.extend(inner.get("cache_control").cloned());
            }
            found.extend(block.get("cache_control").cloned());
        }
    }
    found
}

fn without_breakpoints(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("cache_control");
            members.values_mut().for_each(without_breakpoints);
        }
        Value::Array(items) => items.iter_mut().for_each(without_breakpoints),
        _ => {}
    }
}

/// A request with breakpoints in these places: tools, system, messages, within a result.
fn ask(marks: &[Option<&str>; 6], automatic: Option<&str>) -> Value {
    let marker = |ttl: &str| match ttl {
        "5m" => json!({"type":"ephemeral"}),
        ttl => json!({"type":"ephemeral","ttl":ttl}),
    };
    let marked = |mut block: Value, mark: Option<&str>| {
        if let Some(ttl) = mark {
            block["cache_control"] = marker(ttl);
        }
        block
    };
    let mut body: Value = serde_json::from_str(ASK).unwrap();
    body["tools"] = json!([marked(json!({"name":"Bash","input_schema":{"cache_control":"no"}}), marks[0])]);
    body["system"] = json!([marked(text("s"), marks[1]), marked(text("t"), marks[2])]);
    let inner = marked(text("r"), marks[4]);
    body["messages"] = json!([
        {"role":"user","content":[marked(text("q"), marks[3])]},
        {"role":"assistant","content":[anthropic::bash("toolu_b")]},
        {"role":"user","content":[marked(json!({"type":"tool_result","tool_use_id":"toolu_b","content":[inner]}), marks[5])]},
    ]);
    if let Some(ttl) = automatic {
        body["cache_control"] = marker(ttl);
    }
    body
}

fn is_ordered(breakpoints: &[Value]) -> bool {
    let short: Vec<_> =
        breakpoints.iter().map(|mark| mark.get("ttl").is_none_or(|ttl| ttl != "1h")).collect();
    short.is_sorted()
}

#[tokio::test]
async fn a_hidden_answer_has_a_breakpoint_where_the_client_left_one_free() {
    let body = ask(&[None, Some("1h"), None, None, None, Some("1h")], None);
    let rounds = [vec![text("Look. "), ours(1)], vec![ours(2)], vec![text("done")]];
    let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&anthropic::stream(n, blocks)));
    let setup = Setup::new("/v1/messages").says(says.collect::<Vec<_>>());
    let answer = setup.send(&body.to_string()).await;
    let got: Vec<Value> =
        setup.take_got().iter().map(|got| serde_json::from_str(&got.body).unwrap()).collect();
    assert_eq!(got.iter().map(|got| breakpoints(got).len()).collect::<Vec<_>>(), [2, 3, 3]);
    for (n, got) in got.iter().enumerate().skip(1) {
        let messages = got["messages"].as_array().unwrap();
        assert_eq!(messages.len(), 3 + 2 * n);
        let newest = &messages.last().unwrap()["content"][0];
        assert_eq!(
            newest["cache_control"],
            json!({"type":"ephemeral","ttl":"1h"}),
            "it is on the newest answer"
        );
    }

    // In the next request the exchange stands as it was, and only the client's breakpoints are there.
    let mut next = body.clone();
    let message = anthropic::accumulate(&answer.body);
    next["messages"].as_array_mut().unwrap().extend([
        json!({"role":"assistant","content":message["content"]}),
        json!({"role":"user","content":[{"type":"text","text":"and then?","cache_control":{"type":"ephemeral","ttl":"1h"}}]}),
    ]);
    let setup = setup.says([Say::events(&anthropic::stream(4, &[text("bye")]))]);
    setup.send(&next.to_string()).await;
    let mut sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
    assert_eq!(breakpoints(&sent).len(), 3);
    let mut last = got[2].clone();
    without_breakpoints(&mut sent);
    without_breakpoints(&mut last);
    assert_eq!(sent["messages"].as_array().unwrap()[..7], last["messages"].as_array().unwrap()[..7]);
}

#[tokio::test]
async fn a_client_without_breakpoints_gets_none() {
    let says = [vec![ours(1)], vec![text("done")]];
    let says = says.iter().zip(1..).map(|(blocks, n)| Say::events(&anthropic::stream(n, blocks)));
    let setup = Setup::new("/v1/messages").says(says.collect::<Vec<_>>());
    setup.send(ASK).await;
    assert!(!setup.got()[1].body.contains("cache_control"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn breakpoints_are_four_at_most_and_longer_ones_stand_before_shorter(
        marks in prop::collection::vec(any::<bool>(), 6), long in 0..7_usize, automatic in any::<bool>(), rounds in 1..4_usize,
    ) {
        let mut used = 0;
        let marks: Vec<Option<&str>> = marks.iter().enumerate().map(|(at, is_marked)| {
            let is_marked = *is_marked && used + usize::from(automatic) < 4;
            used += usize::from(is_marked);
            is_marked.then_some(if at < long { "1h" } else { "5m" })
        }).collect();
        let body = ask(&marks.try_into().unwrap(), automatic.then_some("5m"));
        let says = (1..=rounds).map(|n| Say::events(&anthropic::stream(n, &[text("Look. "), ours(n)])));
        let setup = Setup::new("/v1/messages").says(says).says([Say::events(&anthropic::stream(9, &[text("done")]))]);
        let answer = block_on(setup.send(&body.to_string()));
        let mut plain = Value::Null;
        for (n, got) in setup.take_got().iter().enumerate() {
            let mut sent: Value = serde_json::from_str(&got.body).unwrap();
            let found = breakpoints(&sent);
            prop_assert!(found.len() + usize::from(automatic) <= 4);
            prop_assert!(is_ordered(&found), "{:?}", found);
            let free = used > 0 && used < 4 && !automatic && n > 0;
            prop_assert_eq!(found.len(), used + usize::from(free));
            without_breakpoints(&mut sent);
            plain = sent;
        }
        // Put back, it is the same conversation.
        let mut next = body.clone();
        next["messages"].as_array_mut().unwrap().extend([
            json!({"role":"assistant","content":anthropic::accumulate(&answer.body)["content"]}),
            json!({"role":"user","content":"and then?"}),
        ]);
        let setup = setup.says([Say::events(&anthropic::stream(9, &[text("bye")]))]);
        block_on(setup.send(&next.to_string()));
        let mut sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
        prop_assert_eq!(breakpoints(&sent).len(), used);
        without_breakpoints(&mut sent);
        let known = plain["messages"].as_array().unwrap();
        prop_assert_eq!(&sent["messages"].as_array().unwrap()[..known.len()], &known[..]);
    }
}
