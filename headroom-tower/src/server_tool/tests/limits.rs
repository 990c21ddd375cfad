//! More calls than are answered with content.

use serde_json::{Value, json};

use super::{
    anthropic, chat,
    faults::{WIRES, failed},
    gemini, responses,
    support::{Say, Setup},
};

const ASK_AGAIN: &str = "Ask again for it.";

/// The answers to calls in a request, in order: id and text.
fn answers(body: &str) -> Vec<(String, String)> {
    let body: Value = serde_json::from_str(body).unwrap();
    let mut out = Vec::new();
    let list = ["messages", "input", "contents"].iter().find_map(|key| body[*key].as_array()).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for item in list {
        if item["role"] == "tool" {
            out.push((text(&item["tool_call_id"]), text(&item["content"])));
        }
        if item["type"] == "function_call_output" {
            out.push((text(&item["call_id"]), text(&item["output"])));
        }
        for block in item["content"].as_array().into_iter().flatten().filter(|b| b["type"] == "tool_result") {
            out.push((text(&block["tool_use_id"]), text(&block["content"])));
        }
        for part in item["parts"].as_array().into_iter().flatten() {
            if let Some(response) =
                part.get("functionResponse").filter(|response| response["name"] == "headroom_retrieve")
            {
                out.push((text(&response["id"]), text(&response["response"]["output"])));
            }
        }
    }
    out
}

/// One round with so many calls of ours, and with one of the client's.
fn round(name: &str, calls: usize, mixed: bool) -> String {
    match name {
        "anthropic" => {
            let blocks = (0..calls)
                .map(anthropic::ours)
                .chain(mixed.then(|| anthropic::bash("toolu_bash_0123456789")));
            anthropic::stream(1, &blocks.collect::<Vec<_>>())
        }
        "openai" => {
            chat::stream(1, &("", (0..calls).map(chat::ours).chain(mixed.then(chat::bash)).collect()))
        }
        "responses" => {
            let items = (0..calls).map(responses::ours).chain(mixed.then(responses::shell));
            responses::stream(1, &items.collect::<Vec<_>>())
        }
        _ => {
            let parts = (0..calls).map(gemini::ours).chain(mixed.then(|| gemini::shell(None)));
            gemini::stream(1, &parts.collect::<Vec<_>>())
        }
    }
}

#[tokio::test]
async fn every_call_of_a_round_gets_an_answer_and_the_first_sixteen_their_content() {
    for wire in &WIRES {
        for calls in [1, 15, 16, 17, 40, 300] {
            let says = [Say::events(&round(wire.name, calls, false)), Say::events(&(wire.ends)())];
            let setup = Setup::new(wire.path).says(says);
            let answer = setup.send(wire.ask).await;
            assert!(
                answer.body.contains("done") && !answer.body.contains("headroom_retrieve"),
                "{}",
                wire.name
            );
            let answers = answers(&setup.got()[1].body);
            assert_eq!(answers.len(), calls, "{}", wire.name);
            let mut ids: Vec<_> = answers.iter().map(|(id, _)| id).collect();
            ids.sort_unstable();
            ids.dedup();
            assert!(ids.len() == calls || wire.name == "gemini", "{}", wire.name);
            for (n, (_, text)) in answers.iter().enumerate() {
                assert_eq!(text.ends_with(ASK_AGAIN), n >= 16, "{} {n}: {text}", wire.name);
                assert_eq!(text.ends_with("\nsecond\n"), n < 16, "{} {n}: {text}", wire.name);
            }
        }
    }
}

#[tokio::test]
async fn calls_beside_the_clients_own_are_all_answered_in_the_next_request() {
    let said = json!([anthropic::bash("toolu_bash_0123456789")]);
    let setup = Setup::new("/v1/messages").says([Say::events(&round("anthropic", 20, true))]);
    let answer = setup.send(anthropic::ASK).await;
    assert_eq!(anthropic::accumulate(&answer.body)["content"], said);
    assert_eq!(setup.take_got().len(), 1);
    let mut next: Value = serde_json::from_str(anthropic::ASK).unwrap();
    let result = json!({"type":"tool_result","tool_use_id":"toolu_bash_0123456789","content":"a.txt"});
    next["messages"]
        .as_array_mut()
        .unwrap()
        .extend([json!({"role":"assistant","content":said}), json!({"role":"user","content":[result]})]);
    let setup = setup.says([Say::events(&anthropic::stream(2, &[anthropic::text("done")]))]);
    setup.send(&next.to_string()).await;
    let answers = answers(&setup.got()[0].body);
    assert_eq!(answers.len(), 21);
    assert_eq!(answers.iter().filter(|(_, text)| text.ends_with(ASK_AGAIN)).count(), 4);
}

#[tokio::test]
async fn a_model_that_goes_on_without_it_ends_its_answer() {
    for wire in &WIRES {
        for refused in 1..=3 {
            let rounds = (1..=4 + refused).map(|n| Say::events(&(wire.calls)(n)));
            let setup = Setup::new(wire.path).says(rounds).says([Say::events(&(wire.ends)())]);
            let answer = setup.send(wire.ask).await;
            assert!(answer.body.contains("done") && !failed(wire, &answer), "{} {refused}", wire.name);
            let answers = answers(&setup.got().last().unwrap().body);
            assert_eq!(answers.len(), 4 + refused, "{}", wire.name);
            let limits =
                answers.iter().filter(|(_, text)| text.starts_with("The limit of headroom_retrieve"));
            assert_eq!(limits.count(), refused, "{}", wire.name);
        }
    }
}

#[tokio::test]
async fn a_turn_that_brought_nothing_is_a_failure_and_no_empty_answer() {
    for wire in &WIRES {
        let setup = Setup::new(wire.path).says((1..=8).map(|_| Say::events(&round(wire.name, 1, false))));
        let answer = setup.send(wire.ask).await;
        assert!(failed(wire, &answer), "{}: {}", wire.name, answer.body);
        assert!(
            !answer.body.contains("end_turn") && !answer.body.contains("headroom_retrieve"),
            "{}",
            wire.name
        );
        assert_eq!((setup.got().len(), setup.left()), (8, 0));
    }
    // The same in one piece.
    let blocks = [anthropic::ours(1)];
    let setup = Setup::new("/v1/messages").says((1..=8).map(|n| Say::json(&anthropic::whole(n, &blocks))));
    let answer = setup.send(&anthropic::ASK.replace("\"stream\":true,", "")).await;
    assert_eq!(answer.status, 502);
    let error: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(error["error"]["type"], "api_error");
}
