//! What a provider says beside the content reaches the client, whichever round it belongs to.

use serde_json::{Value, json};

use super::{
    anthropic::{self, ASK, bash, ours, text, thinking},
    chat, gemini, responses,
    support::{Say, Setup, data},
};

const BASH: &str = "toolu_bash_0123456789ab";

/// A round of which every call has a verdict: in its block, in an event of its own, and in a list at the end.
fn judged(n: usize, blocks: &[Value]) -> String {
    let mut blocks = blocks.to_vec();
    let mut list = Vec::new();
    for block in blocks.iter_mut().filter(|block| block["type"] == "tool_use") {
        block["safeguards"] = json!({"verdict":"allow","round":n});
        list.push(json!({"tool_use_id":block["id"],"verdict":"allow","round":n}));
    }
    let stream = anthropic::stream(n, &blocks);
    let mut out = String::new();
    for event in stream.split_inclusive("\n\n") {
        let mut data: Value =
            serde_json::from_str(event.lines().nth(1).unwrap().strip_prefix("data: ").unwrap()).unwrap();
        if data["type"] == "message_delta" {
            data["safeguards"] = json!(list);
            data["context_management"] = json!({"applied_edits":[{"round":n}]});
            data["delta"]["stop_details"] = json!({"round":n});
            data[&format!("only_{n}")] = json!(n);
            data["usage"]["output_tokens_details"] = json!({"thinking_tokens":n});
            data["usage"]["server_tool_use"] = json!({"web_search_requests":n});
        }
        out.push_str(&format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()));
        if data["type"] == "content_block_stop" {
            let index = data["index"].as_u64().unwrap();
            let verdict = json!({"type":"content_block_verdict","index":index,"verdict":"allow","of":blocks[index as usize]["id"]});
            out.push_str(&format!("event: content_block_verdict\ndata: {verdict}\n\n"));
        }
    }
    out
}

#[tokio::test]
async fn verdicts_stay_with_the_calls_that_the_client_sees() {
    for rounds in [
        vec![vec![thinking(1), ours(1)], vec![thinking(2), text("So. "), bash(BASH)]],
        vec![vec![ours(1), bash(BASH)]],
        vec![vec![bash(BASH)]],
    ] {
        let says =
            rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&judged(n, blocks))).collect::<Vec<_>>();
        let last = rounds.len();
        let answer = Setup::new("/v1/messages").says(says).send(ASK).await;
        let events = data(&answer.body);
        let starts: Vec<_> = events.iter().filter(|event| event["type"] == "content_block_start").collect();
        let call = starts.iter().find(|start| start["content_block"]["type"] == "tool_use").unwrap();
        assert_eq!(call["content_block"]["safeguards"], json!({"verdict":"allow","round":last}));
        let verdicts: Vec<_> =
            events.iter().filter(|event| event["type"] == "content_block_verdict").collect();
        assert_eq!(verdicts.len(), starts.len());
        assert!(verdicts.iter().any(|verdict| verdict["index"] == call["index"] && verdict["of"] == BASH));
        let end = events.iter().find(|event| event["type"] == "message_delta").unwrap();
        assert_eq!(end["safeguards"], json!([{"tool_use_id":BASH,"verdict":"allow","round":last}]));
        assert_eq!(end["delta"]["stop_details"], json!({"round":last}));
        assert_eq!(end["context_management"], json!({"applied_edits":[{"round":last}]}));
        for n in 1..=last {
            assert_eq!(end[&format!("only_{n}")], n, "{end}");
        }
        let sum: usize = (1..=last).sum();
        assert_eq!(end["usage"]["output_tokens_details"]["thinking_tokens"], sum);
        assert_eq!(end["usage"]["server_tool_use"]["web_search_requests"], sum);
        assert!(!answer.body.contains("toolu_own"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_whole_answer_keeps_what_every_round_said() {
    let message = |n: usize, blocks: &[Value]| {
        let mut message: Value = serde_json::from_str(&anthropic::whole(n, blocks)).unwrap();
        message["safeguards"] = blocks
            .iter()
            .filter(|block| block["type"] == "tool_use")
            .map(|block| json!({"tool_use_id":block["id"],"round":n}))
            .collect();
        message["input_transformations"] = json!([{"round":n}]);
        message[&format!("only_{n}")] = json!(n);
        message["stop_details"] = json!({"round":n});
        message["usage"]["output_tokens_details"] = json!({"thinking_tokens":n});
        Say::json(&message.to_string())
    };
    let says = [message(1, &[text("Look. "), ours(1)]), message(2, &[ours(2), bash(BASH)])];
    let answer = Setup::new("/v1/messages").says(says).send(&ASK.replace("\"stream\":true,", "")).await;
    let whole: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(whole["content"], json!([text("Look. "), bash(BASH)]));
    assert_eq!(whole["safeguards"], json!([{"tool_use_id":BASH,"round":2}]));
    assert_eq!(whole["input_transformations"], json!([{"round":1},{"round":2}]));
    assert_eq!((&whole["only_1"], &whole["only_2"]), (&json!(1), &json!(2)));
    assert_eq!(whole["stop_details"], json!({"round":2}));
    assert_eq!(whole["usage"]["output_tokens_details"], json!({"thinking_tokens":3}));
    assert_eq!(whole["usage"]["output_tokens"], 20);
}

#[tokio::test]
async fn a_whole_chat_answer_keeps_reasoning_and_lists_of_every_round() {
    let whole = |n: usize, said: &chat::Said| {
        let mut answer: Value = serde_json::from_str(&chat::whole(n, said)).unwrap();
        let message = &mut answer["choices"][0]["message"];
        message["reasoning_content"] = json!(format!("think {n}. "));
        message["annotations"] = json!([{"n":n}]);
        answer["usage"]["completion_tokens_details"] = json!({"reasoning_tokens":n});
        Say::json(&answer.to_string())
    };
    let says = [whole(1, &("Look. ", vec![chat::ours(1)])), whole(2, &("done", vec![]))];
    let ask = chat::ASK.replace("\"stream\":true,", "");
    let answer = Setup::new("/v1/chat/completions").says(says).send(&ask).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["content"], "Look. done");
    assert_eq!(message["reasoning_content"], "think 1. think 2. ");
    assert_eq!(message["annotations"], json!([{"n":1},{"n":2}]));
    assert_eq!(answer["usage"]["completion_tokens_details"], json!({"reasoning_tokens":3}));
}

#[tokio::test]
async fn a_whole_gemini_answer_keeps_the_sources_of_every_round() {
    let whole = |n: usize, parts: &[Value]| {
        let mut answer: Value = serde_json::from_str(&gemini::whole(n, parts)).unwrap();
        answer["candidates"][0]["sources"] = json!([n]);
        answer["candidates"][0][&format!("only_{n}")] = json!(n);
        answer[&format!("only_{n}")] = json!(n);
        Say::json(&answer.to_string())
    };
    let says = [whole(1, &[gemini::text("Look. "), gemini::ours(1)]), whole(2, &[gemini::text("done")])];
    let answer = Setup::new(gemini::WHOLE).says(says).send(gemini::ASK).await;
    let answer: Value = serde_json::from_str(&answer.body).unwrap();
    let candidate = &answer["candidates"][0];
    assert_eq!(candidate["content"]["parts"], json!([gemini::text("Look. "), gemini::text("done")]));
    assert_eq!(candidate["sources"], json!([1, 2]));
    for said in [candidate, &answer] {
        assert_eq!((&said["only_1"], &said["only_2"]), (&json!(1), &json!(2)));
    }
    assert_eq!(answer["responseId"], "r2");
}

#[tokio::test]
async fn a_response_keeps_what_every_round_said() {
    let response = |n: usize, items: &[Value]| {
        let mut response = responses::response(n, "completed", items);
        response["input_transformations"] = json!([{"round":n}]);
        response["tools"] = json!([{"round":n}]);
        response[&format!("only_{n}")] = json!(n);
        response["usage"]["output_tokens_details"] = json!({"reasoning_tokens":n});
        response
    };
    let (first, last) = ([responses::message("Look. "), responses::ours(1)], [responses::message("done")]);
    for streaming in [true, false] {
        let says = [response(1, &first), response(2, &last)].map(|response| match streaming {
            true => {
                let data = json!({"type":"response.completed","response":response});
                Say::events(&format!("event: response.completed\ndata: {data}\n\n"))
            }
            false => Say::json(&response.to_string()),
        });
        let answer = Setup::new("/v1/responses").says(says).send(responses::ASK).await;
        let last: Value = match streaming {
            true => data(&answer.body).pop().unwrap()["response"].clone(),
            false => serde_json::from_str(&answer.body).unwrap(),
        };
        assert_eq!(last["input_transformations"], json!([{"round":1},{"round":2}]));
        assert_eq!(last["tools"], json!([{"round":2}]));
        assert_eq!((&last["only_1"], &last["only_2"]), (&json!(1), &json!(2)));
        assert_eq!(last["usage"]["output_tokens_details"], json!({"reasoning_tokens":3}));
        assert_eq!(last["output"], json!([responses::message("Look. "), responses::message("done")]));
    }
}
