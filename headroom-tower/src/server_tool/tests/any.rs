//! Streams of any content: nothing is lost that is not ours, and nothing panics.

use headroom_core::Api;
use proptest::prelude::*;

use super::{
    frames::framed,
    support::{Say, Setup},
};
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

/// Ways to end a line.
const ENDINGS: [&str; 3] = ["\n", "\r\n", "\r"];

/// The stream with other line ends, which come again in this order.
fn ended(stream: &str, endings: &[usize]) -> String {
    let stream = stream.replace("\r\n", "\n");
    let lines = stream.split('\n').zip(endings.iter().cycle());
    let mut out: String = lines.map(|(line, ending)| format!("{line}{}", ENDINGS[*ending])).collect();
    let last = endings
        .get((stream.matches('\n').count()) % endings.len())
        .map_or(0, |ending| ENDINGS[*ending].len());
    out.truncate(out.len() - last);
    out
}

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
        Just("{\"id\":\"r\",\"output\":[{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"shell\",\"arguments\":\"{}\"}]}".to_owned()),
        Just("{\"type\":\"function_call\",\"name\":\"\"}".to_owned()),
        Just("[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\"},{\"index\":1,\"function\":{\"arguments\":\"{\"}}]}}]".to_owned()),
        Just("[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"b\"}}]}}]".to_owned()),
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
        Just("response.function_call_arguments.delta"),
        Just("response.function_call_arguments.done"),
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

/// The same events with a call of ours among them, from the one at `at` on.
fn with_ours(mut events: Vec<String>, at: usize) -> String {
    for event in events.iter_mut().skip(at) {
        for name in ["Bash", "shell", "\"b\""] {
            let own = if name == "\"b\"" { "\"headroom_retrieve\"" } else { "headroom_retrieve" };
            *event = event.replace(name, own);
        }
    }
    events.concat()
}

const BEDROCK: &str = "/model/m/invoke-with-response-stream";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn where_a_stream_is_cut_makes_no_difference(
        events in prop::collection::vec(event(), 0..12), cut in 1..50_usize, api in 0..4_usize, at in 0..12_usize,
        endings in prop::collection::vec(0..3_usize, 1..4), has_mark in any::<bool>(),
    ) {
        let (_, path, ask) = APIS[api];
        let mark = if has_mark { "\u{feff}" } else { "" };
        let say = Say::events(&format!("{mark}{}", ended(&with_ours(events, at), &endings)));
        let says = |say: Say| Setup::new(path).says((0..12).map(move |_| say.clone()));
        let (whole, pieces) = (says(say.clone()), says(say.cut(cut)));
        let expected = block_on(whole.send(ask)).body;
        prop_assert_eq!(block_on(pieces.send(ask)).body, expected);
        prop_assert_eq!(pieces.got().len(), whole.got().len());
    }

    #[test]
    fn where_frames_are_cut_makes_no_difference(
        events in prop::collection::vec(event(), 0..12), cut in 1..200_usize, at in 0..12_usize,
        noise in prop::collection::vec(any::<u8>(), 0..20), place in any::<prop::sample::Index>(), broken in any::<bool>(),
    ) {
        let mut frames = framed(&with_ours(events, at));
        if broken {
            let at = place.index(frames.len() + 1);
            frames.splice(at..at, noise);
        }
        let says = |say: Say| Setup::new(BEDROCK).says((0..12).map(move |_| say.clone()));
        let (whole, pieces) = (says(Say::frames(frames.clone())), says(Say::frames(frames).cut(cut)));
        let expected = block_on(whole.send(APIS[0].2)).bytes();
        prop_assert_eq!(block_on(pieces.send(APIS[0].2)).bytes(), expected);
    }

    #[test]
    fn frames_that_are_not_ours_pass_byte_for_byte(
        events in prop::collection::vec(event(), 0..12), cut in 1..200_usize, noise in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut frames = framed(&events.concat());
        frames.extend(noise);
        let setup = Setup::new(BEDROCK).says([Say::frames(frames.clone()).cut(cut)]);
        prop_assert_eq!(block_on(setup.send(APIS[0].2)).bytes(), frames);
    }

    #[test]
    fn what_is_not_ours_passes_byte_for_byte(
        events in prop::collection::vec(event(), 0..12), cut in 1..50_usize, api in 0..4_usize,
        endings in prop::collection::vec(0..3_usize, 1..4),
    ) {
        let stream = ended(&events.concat(), &endings);
        let (_, path, ask) = APIS[api];
        let setup = Setup::new(path).says([Say::events(&stream).cut(cut)]);
        let answer = block_on(setup.send(ask));
        prop_assert_eq!(answer.body, stream);
    }

    #[test]
    fn nothing_panics_and_rounds_are_bounded(
        events in prop::collection::vec(event(), 0..12), cut in 1..50_usize, api in 0..4_usize, at in 0..12_usize,
    ) {
        let (_, path, ask) = APIS[api];
        let say = Say::events(&with_ours(events, at)).cut(cut);
        let setup = Setup::new(path).says((0..12).map(|_| say.clone()));
        block_on(setup.send(ask));
        prop_assert!(setup.got().len() <= 8);
    }
}
