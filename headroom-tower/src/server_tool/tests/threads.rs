//! Message threads: the provider keeps what was said, and would keep what the client does not know of.

use serde_json::{Value, json};

use super::{
    anthropic::{ASK, follow_up, ours, stream, text},
    support::{Say, Setup, read},
};

const BETAS: [(&str, &str); 1] = [("anthropic-beta", "effort-2025-11-24,message-threads-2026-08-12")];

fn setup() -> Setup {
    Setup::new("/v1/messages").says([Say::events(&stream(1, &[text("fine")]))])
}

fn with_thread(body: &str, thread: &str) -> String {
    body.replacen('{', &format!(r#"{{"thread":{thread},"#), 1)
}

#[tokio::test]
async fn a_thread_that_begins_is_sent_as_a_conversation_without_one() {
    let begins = r#"{"type":"create"}"#;
    let last = format!(r#"{},"thread":{begins}}}"#, ASK.strip_suffix('}').unwrap());
    let bare = setup();
    bare.send(ASK).await;
    for body in [with_thread(ASK, begins), last] {
        let setup = setup();
        read(setup.open_with(&body, &BETAS).await).await;
        let got = &setup.got()[0];
        assert_eq!(got.body, bare.got()[0].body, "the same prefix as without threads");
        assert_eq!(got.head.headers["anthropic-beta"], "effort-2025-11-24");
    }
}

#[tokio::test]
async fn a_client_that_goes_on_in_a_thread_is_told_to_send_everything() {
    let setup = setup();
    let body = with_thread(ASK, r#"{"type":"continue","previous_message_id":"msg_1"}"#);
    let answer = read(setup.open_with(&body, &BETAS).await).await;
    assert_eq!(answer.status, 404);
    let error: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(error["error"]["details"]["error_code"], "thread_not_found");
    assert!(setup.got().is_empty(), "the provider is not asked");
    assert_eq!(setup.recorder.events(), ["skipped message_thread"]);
}

#[tokio::test]
async fn threads_of_other_kinds_pass() {
    let setup = setup();
    let body = with_thread(ASK, r#"{"type":"fork"}"#);
    read(setup.open_with(&body, &BETAS).await).await;
    assert!(setup.got()[0].body.contains("fork"));
    assert_eq!(setup.got()[0].head.headers["anthropic-beta"], BETAS[0].1);
}

#[tokio::test]
async fn hidden_rounds_are_put_back_into_what_is_sent_in_full() {
    let rounds = [vec![text("Let me look. "), ours(1)], vec![text("It broke.")]];
    let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&stream(n, blocks)));
    let setup = Setup::new("/v1/messages").says(says.collect::<Vec<_>>());
    let begins = r#"{"type":"create"}"#;
    read(setup.open_with(&with_thread(ASK, begins), &BETAS).await).await;
    setup.take_got();
    let message = json!({"content": [rounds[0][0], rounds[1][0]]});
    let next = with_thread(&follow_up(&message, "and then?").to_string(), begins);
    let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
    read(setup.open_with(&next, &BETAS).await).await;
    let sent: Value = serde_json::from_str(&setup.got()[0].body).unwrap();
    assert_eq!(sent["messages"].as_array().unwrap().len(), 5);
    assert!(sent.get("thread").is_none());
}
