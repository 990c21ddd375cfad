//! Hidden exchanges in the next request.

use super::*;

#[tokio::test]
async fn mixed_calls_need_no_further_request_and_are_completed_in_the_next() {
    for streaming in [true, false] {
        let id = "toolu_01A09q90qw90lq917835lq9Z";
        let blocks = vec![thinking(1), ours(1), bash(id)];
        let (setup, answer) = say(std::slice::from_ref(&blocks), streaming).await;
        let message = read(&answer, streaming);
        assert_eq!(message["content"], json!([thinking(1), bash(id)]));
        assert_eq!(message["stop_reason"], "tool_use");
        assert_eq!(setup.take_got().len(), 1);

        // The client runs its tool and goes on; it normalises what it was told, and that stands.
        let result = json!({"type":"tool_result","tool_use_id":id,"content":"a.txt"});
        let mut next: Value = serde_json::from_str(ASK).unwrap();
        let mut changed = bash(id);
        changed["input"] = json!({"command": "ls x"});
        next["messages"].as_array_mut().unwrap().extend([
            json!({"role":"assistant","content":[thinking(1), changed.clone()]}),
            json!({"role":"user","content":[result]}),
        ]);
        let setup = setup.says([Say::events(&stream(2, &[text("done")]))]);
        setup.send(&next.to_string()).await;
        let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
        assert_eq!(sent["messages"][1]["content"], json!([thinking(1), ours(1), changed]));
        let results = sent["messages"][2]["content"].as_array().unwrap();
        assert_eq!(results.len(), 2);
        assert_eq!(results[0]["tool_use_id"], "toolu_own1");
        assert_eq!(results[1], result);
    }
}

#[tokio::test]
async fn hidden_rounds_are_put_back_where_they_were() {
    for streaming in [true, false] {
        for thinks in [true, false] {
            let mut rounds = [vec![text("Let me look. "), ours(1)], vec![text("It broke.")]];
            if thinks {
                rounds[0].insert(0, thinking(1));
                rounds[1].insert(0, thinking(2));
            }
            let (setup, answer) = say(&rounds, streaming).await;
            let hidden: Value = serde_json::from_str(&setup.take_got()[1].body).unwrap();
            let next = follow_up(&read(&answer, streaming), "and then?");
            let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
            setup.send(&next.to_string()).await;
            let sent: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
            let messages = sent["messages"].as_array().unwrap();
            assert_eq!(messages[..3], hidden["messages"].as_array().unwrap()[..3]);
            assert_eq!(messages[3], json!({"role":"assistant","content":rounds[1]}));
            assert_eq!(messages[4], json!({"role":"user","content":"and then?"}));

            // A fork from before the answer has nothing to put back.
            let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
            setup.send(ASK).await;
            let fork: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
            assert_eq!(fork["messages"].as_array().unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_client_that_takes_thinking_out_does_not_get_it_back_in() {
    let rounds = [
        vec![thinking(1), text("Let me look. "), ours(1)],
        vec![thinking(2), bash("toolu_bash_with_a_long_id")],
    ];
    let (setup, answer) = say(&rounds, true).await;
    setup.take_got();
    let mut message = read(&answer, true);
    message["content"].as_array_mut().unwrap().retain(|block| block["type"] != "thinking");
    let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
    setup.send(&follow_up(&message, "x").to_string()).await;
    let sent = &setup.got()[0].body;
    assert!(sent.contains("toolu_own1") && !sent.contains("sig1") && !sent.contains("sig2"), "{sent}");
}

#[tokio::test]
async fn a_cache_marker_on_the_copy_stays_on_what_takes_its_place() {
    let rounds = [vec![text("Let me look. "), ours(1)], vec![text("It broke.")]];
    let (setup, answer) = say(&rounds, true).await;
    setup.take_got();
    let mut message = read(&answer, true);
    message["content"][1]["cache_control"] = json!({"type":"ephemeral"});
    let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
    setup.send(&follow_up(&message, "x").to_string()).await;
    let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
    let last = sent["messages"][3]["content"].as_array().unwrap().last().unwrap();
    assert_eq!(last["cache_control"]["type"], "ephemeral");
    assert_eq!(setup.got()[0].body.matches("cache_control").count(), 1);
}
