//! Streams of any content: nothing is lost that is not ours, and nothing panics.

use headroom_core::Api;
use proptest::prelude::*;

use super::support::{Say, Setup};
use crate::test_support::block_on;

const APIS: [(Api, &str, &str); 4] = [
    (
        Api::Anthropic,
        "/v1/messages",
        r#"{"tools":[{"name":"x"}],"messages":[{"role":"user","content":"x"}]}"#,
    ),
    (
        Api::OpenAiChat,
        "/v1/chat/completions",
        r#"{"tools":[{"name":"x"}],"messages":[{"role":"user","content":"x"}]}"#,
    ),
    (Api::OpenAiResponses, "/v1/responses", r#"{"tools":[{"name":"x"}],"input":"x"}"#),
    (
        Api::Gemini,
        "/v1beta/models/g:streamGenerateContent?alt=sse",
        r#"{"tools":[{"functionDeclarations":[]}],"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#,
    ),
];

/// Lines of streams of every format, in any order and cut anywhere.
fn event() -> impl Strategy<Value = String> {
    let index = 0..4_u8;
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("7".to_owned()),
        Just("\"x\\n\"".to_owned()),
        Just("[]".to_owned()),
        Just("{\"type\":\"text\",\"text\":\"\"}".to_owned()),
        Just("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"Bash\",\"input\":{}}".to_owned()),
        Just("{\"type\":\"function_call\",\"name\":\"shell\"}".to_owned()),
        Just("[{\"index\":1,\"delta\":{\"tool_calls\":[{\"index\":3,\"id\":\"a\",\"function\":{\"name\":\"b\"}}]},\"finish_reason\":\"stop\"}]".to_owned()),
        Just("[{\"content\":{\"parts\":[{\"text\":\"x\"}]},\"finishReason\":\"STOP\"}]".to_owned()),
        Just("{\"id\":\"r\",\"output\":[],\"usage\":{\"output_tokens\":3}}".to_owned()),
    ];
    let kind = prop_oneof![
        Just("message_start"),
        Just("content_block_start"),
        Just("content_block_delta"),
        Just("content_block_stop"),
        Just("message_delta"),
        Just("message_stop"),
        Just("response.created"),
        Just("response.output_item.added"),
        Just("response.output_item.done"),
        Just("response.completed"),
        Just("error"),
    ];
    let member = prop_oneof![
        Just("content_block"),
        Just("delta"),
        Just("usage"),
        Just("message"),
        Just("item"),
        Just("response"),
        Just("choices"),
        Just("candidates"),
        Just("usageMetadata"),
    ];
    let data = (kind, index.clone(), index, member, value).prop_map(|(kind, a, b, member, value)| {
        format!("event: {kind}\ndata: {{\"type\":\"{kind}\",\"index\":{a},\"output_index\":{b},\"sequence_number\":{a},\"{member}\":{value}}}\n\n")
    });
    prop_oneof![
        8 => data,
        1 => Just("data: [DONE]\n\n".to_owned()),
        1 => Just(": comment\r\n\r\n".to_owned()),
        1 => "(data: |event: |[{}\",:\\[\\]\n]|x){0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_not_ours_passes_byte_for_byte(
        events in prop::collection::vec(event(), 0..12), cut in 1..50_usize, api in 0..4_usize,
    ) {
        let stream = events.concat();
        let (_, path, ask) = APIS[api];
        let setup = Setup::new(path).says([Say::events(&stream).cut(cut)]);
        let answer = block_on(setup.send(ask));
        prop_assert_eq!(answer.body, stream);
    }

    #[test]
    fn nothing_panics_and_rounds_are_bounded(
        events in prop::collection::vec(event(), 0..12), cut in 1..50_usize, api in 0..4_usize, at in 0..12_usize,
    ) {
        let mut events = events;
        // One of the calls is ours.
        for event in events.iter_mut().skip(at) {
            for name in ["Bash", "shell", "\"b\""] {
                let own = if name == "\"b\"" { "\"headroom_retrieve\"" } else { "headroom_retrieve" };
                *event = event.replace(name, own);
            }
        }
        let (_, path, ask) = APIS[api];
        let say = Say::events(&events.concat()).cut(cut);
        let setup = Setup::new(path).says((0..10).map(|_| say.clone()));
        block_on(setup.send(ask));
        prop_assert!(setup.got().len() <= 6);
    }
}
