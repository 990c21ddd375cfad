//! A control group, and a conversation that had hidden exchanges before there was one.

use serde_json::{Value, json};

use super::{
    anthropic::{ASK, follow_up, ours, stream, text},
    support::{Say, Setup},
};
use crate::RequestReport;

#[tokio::test]
async fn a_conversation_with_hidden_exchanges_stays_as_it_is() {
    for (percent, is_known) in [(100, false), (1, true)] {
        let rounds = [vec![text("Let me look. "), ours(1)], vec![text("It broke.")]];
        let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&stream(n, blocks)));
        let mut setup = Setup::new("/v1/messages").says(says.collect::<Vec<_>>());
        setup.send(ASK).await;
        setup.take_got();
        setup.layer = setup.layer.clone().holdout(percent);
        let message = json!({"content": [rounds[0][0], rounds[1][0]]});
        let setup = setup.says([Say::events(&stream(3, &[text("done")]))]);
        setup.send(&follow_up(&message, "and then?").to_string()).await;
        let got = &setup.got()[0];
        let sent: Value = serde_json::from_str(&got.body).unwrap();
        assert_eq!(sent["messages"].as_array().unwrap().len(), 5, "{percent}");
        let report = got.head.extensions.get::<RequestReport>().unwrap();
        assert!(report.is_rewritten(), "{percent}");
        assert_eq!(report.conversation().is_some(), is_known, "{percent}");
    }
}

#[tokio::test]
async fn one_that_begins_in_the_group_is_passed_on_with_its_answer() {
    let mut setup = Setup::new("/v1/messages").says([Say::events(&stream(1, &[text("fine")]))]);
    setup.layer = setup.layer.clone().holdout(100);
    setup.send(ASK).await;
    assert_eq!(setup.got()[0].body, ASK);
    assert_eq!(setup.recorder.events(), ["skipped holdout"]);
}
