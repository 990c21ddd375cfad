//! Two conversations that differ in nothing but what they are about, and what a client does with one.

use serde_json::{Value, json};

use super::{
    anthropic, chat, gemini, model, responses,
    support::{Say, Setup},
};
use headroom_core::Api;

/// A wire format, and a turn in it whose ids, names and text are those of every other conversation.
struct Wire {
    api: Api,
    path: &'static str,
    ask: &'static str,
    member: &'static str,
    /// A hidden round, and the one that the client sees, with a call of this command.
    rounds: fn(command: &str) -> [String; 2],
    /// What the client knows of it.
    copy: fn(command: &str) -> Vec<Value>,
}

const COUNTED: &str = "functions.Bash:1";

fn bash(command: &str) -> Value {
    json!({"type":"tool_use","id":COUNTED,"name":"Bash","input":{"command":command}})
}

fn call(command: &str) -> Value {
    let arguments = json!({"command":command}).to_string();
    json!({"id":COUNTED,"type":"function","function":{"name":"Bash","arguments":arguments}})
}

fn item(command: &str) -> Value {
    let arguments = json!({"command":command}).to_string();
    json!({"type":"function_call","id":"fc_1","call_id":COUNTED,"name":"Bash","arguments":arguments})
}

fn part(command: &str, signed: bool) -> Value {
    let mut part = json!({"functionCall":{"name":"Bash","args":{"command":command}}});
    if signed {
        part["thoughtSignature"] = json!("skip_thought_signature_validator");
    }
    part
}

const WIRES: [Wire; 6] = [
    Wire {
        api: Api::Anthropic,
        path: "/v1/messages",
        ask: anthropic::ASK,
        member: "messages",
        rounds: |command| {
            [anthropic::stream(1, &[anthropic::ours(1)]), anthropic::stream(2, &[bash(command)])]
        },
        copy: |command| vec![json!({"role":"assistant","content":[bash(command)]})],
    },
    // A turn of text, in which nothing is anybody's own.
    Wire {
        api: Api::Anthropic,
        path: "/v1/messages",
        ask: anthropic::ASK,
        member: "messages",
        rounds: |text| {
            [anthropic::stream(1, &[anthropic::ours(1)]), anthropic::stream(2, &[anthropic::text(text)])]
        },
        copy: |text| vec![json!({"role":"assistant","content":text})],
    },
    Wire {
        api: Api::OpenAiChat,
        path: "/v1/chat/completions",
        ask: chat::ASK,
        member: "messages",
        rounds: |command| {
            [chat::stream(1, &("", vec![chat::ours(1)])), chat::stream(2, &("", vec![call(command)]))]
        },
        copy: |command| vec![json!({"role":"assistant","content":null,"tool_calls":[call(command)]})],
    },
    Wire {
        api: Api::OpenAiResponses,
        path: "/v1/responses",
        ask: responses::ASK,
        member: "input",
        rounds: |command| {
            [responses::stream(1, &[responses::ours(1)]), responses::stream(2, &[item(command)])]
        },
        copy: |command| vec![item(command)],
    },
    Wire {
        api: Api::Gemini,
        path: gemini::STREAM,
        ask: gemini::ASK,
        member: "contents",
        rounds: |command| [gemini::stream(1, &[gemini::ours(1)]), gemini::stream(2, &[part(command, false)])],
        copy: |command| vec![json!({"role":"model","parts":[part(command, false)]})],
    },
    Wire {
        api: Api::Gemini,
        path: gemini::STREAM,
        ask: gemini::ASK,
        member: "contents",
        rounds: |command| [gemini::stream(1, &[gemini::ours(1)]), gemini::stream(2, &[part(command, true)])],
        copy: |command| vec![json!({"role":"model","parts":[part(command, true)]})],
    },
];

/// The words that every conversation begins with.
const REMINDER: &str = "<system-reminder>This is how things are done here, in all projects alike, and always.</system-reminder> ";

impl Wire {
    fn setup(&self) -> Setup {
        Setup::new(self.path)
    }

    /// A conversation about a project, with this copy of its first turn and what follows it.
    fn body(&self, project: &str, copy: &[Value]) -> String {
        let mut list = vec![model::user(self.api, &format!("{REMINDER}{project}"))];
        list.extend_from_slice(copy);
        if !copy.is_empty() {
            let ids = model::calls(self.api, copy);
            match ids.is_empty() {
                true => list.push(model::user(self.api, "go on")),
                false => list.extend(model::results(self.api, &ids, "ok")),
            }
        }
        let mut body: Value = serde_json::from_str(self.ask).unwrap();
        body[self.member] = json!(list);
        body.to_string()
    }

    /// Asks, and has a turn with a hidden round answered.
    async fn begin(&self, setup: &Setup, project: &str, command: &str) {
        let setup = setup.clone().says((self.rounds)(command).map(|round| Say::events(&round)));
        setup.send(&self.body(project, &[])).await;
        assert_eq!(setup.take_got().len(), 2);
    }

    /// The items that the provider gets where a client goes on with this copy of the turn.
    async fn go_on(&self, setup: &Setup, project: &str, copy: &[Value]) -> Vec<Value> {
        let setup = setup.clone().says([Say::json("{}")]);
        setup.send(&self.body(project, copy)).await;
        let body: Value = serde_json::from_str(&setup.take_got()[0].body).unwrap();
        body[self.member].as_array().unwrap().clone()
    }
}

fn hides(list: &[Value]) -> bool {
    Value::from(list).to_string().contains("headroom_retrieve")
}

#[tokio::test]
async fn what_one_conversation_hid_is_not_put_into_another() {
    for wire in &WIRES {
        let setup = wire.setup();
        let (deploy, same) = ("deploy --password hunter2", "Done.");
        for command in [deploy, same] {
            wire.begin(&setup, "project A", command).await;
            let copy = (wire.copy)(command);
            let other = wire.go_on(&setup, "project B", &copy).await;
            assert!(!hides(&other), "{}: {other:?}", wire.path);
            assert_eq!(other[1..=copy.len()], copy, "the client's own turn stands");
            let own = wire.go_on(&setup, "project A", &copy).await;
            assert!(hides(&own), "{}: {own:?}", wire.path);
        }
    }
}

#[tokio::test]
async fn after_a_rewind_the_turn_is_what_the_client_ran() {
    for wire in &WIRES {
        let setup = wire.setup();
        wire.begin(&setup, "project A", "rm -rf build").await;
        // Another answer at the same place, to the same words.
        let copy = (wire.copy)("ls build");
        let list = wire.go_on(&setup, "project A", &copy).await;
        assert!(!hides(&list) && !Value::from(list.clone()).to_string().contains("rm -rf"), "{list:?}");
        assert_eq!(list[1..=copy.len()], copy);
    }
}

#[tokio::test]
async fn forks_keep_what_each_of_them_hid() {
    for wire in &WIRES {
        let setup = wire.setup();
        for command in ["ls one", "ls two"] {
            wire.begin(&setup, "project A", command).await;
        }
        for command in ["ls two", "ls one"] {
            let list = wire.go_on(&setup, "project A", &(wire.copy)(command)).await;
            let text = Value::from(list.clone()).to_string();
            assert!(hides(&list) && text.contains(command), "{}: {text}", wire.path);
            assert_eq!(text.contains("ls one"), command == "ls one");
        }
    }
}

#[tokio::test]
async fn a_turn_that_the_client_edited_is_not_replaced() {
    for wire in &WIRES {
        let setup = wire.setup();
        wire.begin(&setup, "project A", "make deploy").await;
        let edited = (wire.copy)("make check");
        let list = wire.go_on(&setup, "project A", &edited).await;
        assert!(!hides(&list));
        assert_eq!(list[1..=edited.len()], edited);
    }
}

#[tokio::test]
async fn arguments_in_another_form_are_the_same_arguments() {
    let wire = &WIRES[2];
    let setup = wire.setup();
    wire.begin(&setup, "project A", "ls \u{e4}").await;
    let mut copy = (wire.copy)("ls \u{e4}");
    copy[0]["tool_calls"][0]["function"]["arguments"] = json!("{ \"command\" : \"ls \\u00e4\" }");
    assert!(hides(&wire.go_on(&setup, "project A", &copy).await));
}

#[tokio::test]
async fn a_reminder_that_comes_or_goes_before_a_turn_loses_no_turn_with_ids_of_its_own() {
    let wire = &WIRES[0];
    let own = |command: &str| json!({"type":"tool_use","id":"toolu_01A09q90qw90lq917835lq9Z","name":"Bash","input":{"command":command}});
    let setup = wire.setup().says([
        Say::events(&anthropic::stream(1, &[anthropic::ours(1)])),
        Say::events(&anthropic::stream(2, &[own("ls")])),
    ]);
    setup.send(&wire.body("project A", &[])).await;
    setup.take_got();
    let copy = [json!({"role":"assistant","content":[own("ls")]})];
    assert!(hides(&wire.go_on(&setup, "project A, but for a reminder", &copy).await));
}

#[tokio::test]
async fn verdicts_of_calls_and_of_the_answer_pass_with_them() {
    // A provider may say of each call, and of the answer, whether it was found safe.
    let mut bash = anthropic::bash("toolu_01A09q90qw90lq917835lq9Z");
    bash["safeguards"] = json!({"verdict":"allow","id":"v1"});
    let rounds = [vec![anthropic::ours(1)], vec![anthropic::text("Look."), bash.clone()]];
    let ends = |stream: String| {
        stream.replace("\"stop_sequence\":null}", "\"stop_sequence\":null,\"safeguards\":[{\"id\":\"v1\"}]}")
    };
    let says = rounds.iter().zip(1..).map(|(blocks, n)| Say::events(&ends(anthropic::stream(n, blocks))));
    let setup = Setup::new("/v1/messages").says(says.collect::<Vec<_>>());
    let answer = setup.send(anthropic::ASK).await;
    let message = anthropic::accumulate(&answer.body);
    assert_eq!(message["content"], json!([anthropic::text("Look."), bash]));
    let verdicts = "\"safeguards\":[{\"id\":\"v1\"},{\"id\":\"v1\"}]";
    assert_eq!(answer.body.matches(verdicts).count(), 1, "{}", answer.body);

    let mut says = Vec::new();
    for (blocks, n) in rounds.iter().zip(1..) {
        let mut whole: Value = serde_json::from_str(&anthropic::whole(n, blocks)).unwrap();
        whole["safeguards"] = json!([{"id":format!("v{n}")}]);
        says.push(Say::json(&whole.to_string()));
    }
    let setup = Setup::new("/v1/messages").says(says);
    let answer = setup.send(&anthropic::ASK.replace("\"stream\":true,", "")).await;
    let message: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(message["content"], json!([anthropic::text("Look."), bash]));
    assert_eq!(message["safeguards"], json!([{"id":"v1"},{"id":"v2"}]), "those of all rounds");
    setup.take_got();

    // Mixed with a call of ours, and put back as it was said.
    let mixed = vec![anthropic::ours(1), bash.clone()];
    let setup = setup.says([Say::json(&anthropic::whole(1, &mixed)), Say::json("{}")]);
    let answer = setup.send(&anthropic::ASK.replace("\"stream\":true,", "")).await;
    let message: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(message["content"], json!([bash]));
}
