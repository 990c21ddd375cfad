//! Hidden rounds that cannot be put back: thinking that is bound to them must go too.

use serde_json::{Value, json};

use super::{
    anthropic::{ASK, accumulate, bash, ours, stream, text, thinking},
    support::{Say, Setup},
};

const FIRST: &str = "toolu_first_call_of_the_client";
const SECOND: &str = "toolu_second_call_of_the_client";

fn done() -> Say {
    Say::events(&stream(9, &[text("done")]))
}

fn assistant(blocks: &[Value]) -> Value {
    json!({"role":"assistant","content":blocks})
}

fn result(id: &str) -> Value {
    json!({"role":"user","content":[{"type":"tool_result","tool_use_id":id,"content":"a.txt"}]})
}

/// A conversation with a hidden round in its first turn, the client's copy of that turn as it is changed here, and a
/// turn after it.
async fn went_on(change: impl Fn(&mut Vec<Value>), setting: Option<Value>) -> Value {
    let rounds =
        [vec![thinking(1), text("Let me look. "), ours(1)], vec![thinking(2), bash(FIRST), bash(SECOND)]];
    let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&stream(n, blocks)));
    let setup = Setup::new("/v1/messages").says(says.collect::<Vec<_>>());
    let mut turn = accumulate(&setup.send(ASK).await.body)["content"].as_array().unwrap().clone();
    setup.take_got();
    change(&mut turn);

    let mut next: Value = serde_json::from_str(ASK).unwrap();
    let results = turn.iter().filter_map(|block| Some(result(block["id"].as_str()?)["content"][0].clone()));
    let results = json!({"role":"user","content":results.collect::<Vec<_>>()});
    let later = assistant(&[thinking(3), bash("toolu_of_a_later_turn")]);
    let messages = next["messages"].as_array_mut().unwrap();
    messages.extend([assistant(&turn), results, later, result("toolu_of_a_later_turn")]);
    if let Some(setting) = setting {
        next["thinking"] = setting;
    }
    let setup = setup.says([done()]);
    setup.send(&next.to_string()).await;
    serde_json::from_str(&setup.got()[0].body).unwrap()
}

#[tokio::test]
async fn a_copy_that_is_whole_gets_its_rounds_back_with_all_thinking() {
    let sent = went_on(|_| {}, None).await.to_string();
    assert!(sent.contains("toolu_own1") && ["sig1", "sig2", "sig3"].iter().all(|sig| sent.contains(sig)));
}

#[tokio::test]
async fn a_copy_with_a_call_less_gets_nothing_back_and_no_thinking_stays_behind_it() {
    let drop_first = |turn: &mut Vec<Value>| turn.retain(|block| block["id"] != FIRST);
    let sent = went_on(drop_first, None).await;
    let messages = sent["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 5);
    assert_eq!(messages[1], assistant(&[text("Let me look. "), bash(SECOND)]));
    assert_eq!(messages[3], assistant(&[bash("toolu_of_a_later_turn")]));
    assert!(!sent.to_string().contains("toolu_own1"));

    // The same where all calls are gone.
    let drop_calls = |turn: &mut Vec<Value>| turn.retain(|block| block["type"] != "tool_use");
    let sent = went_on(drop_calls, None).await.to_string();
    assert!(!sent.contains("toolu_own1") && !sent.contains("sig"), "{sent}");
}

#[tokio::test]
async fn a_request_that_says_what_becomes_of_such_thinking_keeps_it() {
    let drop_first = |turn: &mut Vec<Value>| turn.retain(|block| block["id"] != FIRST);
    let setting = json!({"type":"adaptive","block_binding":{"prefix_mismatch_behavior":"drop_block"}});
    let sent = went_on(drop_first, Some(setting)).await.to_string();
    assert!(["sig1", "sig2", "sig3"].iter().all(|sig| sent.contains(sig)), "{sent}");
}

#[tokio::test]
async fn a_conversation_that_was_compacted_has_nothing_to_forget() {
    let rounds = [vec![thinking(1), ours(1)], vec![thinking(2), bash(FIRST)]];
    let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&stream(n, blocks)));
    let setup = Setup::new("/v1/messages").says(says.collect::<Vec<_>>());
    setup.send(ASK).await;
    setup.take_got();
    let mut next: Value = serde_json::from_str(ASK).unwrap();
    let summary = json!({"role":"user","content":"summary of what was said"});
    next["messages"] =
        json!([summary, assistant(&[thinking(5), text("I see.")]), {"role":"user","content":"go on"}]);
    let setup = setup.says([done()]);
    setup.send(&next.to_string()).await;
    let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
    assert_eq!(sent["messages"], next["messages"]);
}
