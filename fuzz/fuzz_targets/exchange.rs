//! Any bytes as a provider's answers, of every API, streamed or in one document, with faults: no panic, commands in a legal
//! order, the same answer wherever it is cut, and no more requests than allowed. Without I/O, so it runs many times faster
//! than `stitch_streams`.
#![no_main]

use std::{collections::BTreeMap, sync::Arc};

use headroom_core::{Api, Handle};
use headroom_retrieval::{
    Refusals, RequestLookup, RewrittenRequest, Tenant,
    fuzzing::{AnswerEnd, Script, ScriptedAnswer},
};
use http::Request;
use libfuzzer_sys::fuzz_target;

const KEPT: &str = "first\nsecond\nthird\n";

/// What separates the provider's answers in the input.
const SEPARATOR: u8 = 0x1e;

fuzz_target!(|data: &[u8]| {
    let [kind, faults, cuts, rest @ ..] = data else { return };
    let Some((cuts, rest)) = rest.split_at_checked(usize::from(cuts % 8)) else { return };
    let bodies: Vec<&[u8]> = rest.split(|byte| *byte == SEPARATOR).take(12).collect();
    let mut script = script(*kind, *faults, &bodies);
    let whole = script.run();
    script.cuts = cuts.iter().map(|cut| usize::from(*cut) + 1).collect();
    assert_eq!(script.run(), whole, "where the answer is cut makes a difference");
});

fn script(kind: u8, faults: u8, bodies: &[&[u8]]) -> Script {
    const SSE: &str = "text/event-stream";
    const JSON: &str = "application/json";

    let messages = r#"{"tools":[],"messages":[{"role":"user","content":"x"}]}"#;
    let (api, path, ask, stream) = match kind % 5 {
        0 => (Api::Anthropic, "/v1/messages", messages, SSE),
        1 => (Api::OpenAiChat, "/v1/chat/completions", messages, SSE),
        2 => (Api::OpenAiResponses, "/v1/responses", r#"{"tools":[],"input":"x"}"#, SSE),
        3 => {
            let ask = r#"{"tools":[],"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#;
            (Api::Gemini, "/v1beta/models/m:streamGenerateContent?alt=sse", ask, SSE)
        }
        _ => (Api::Anthropic, "/model/m/invoke", messages, "application/vnd.amazon.eventstream"),
    };
    let content_type = if kind / 5 % 2 == 0 { stream } else { JSON };
    let (parts, ()) = Request::post(path).body(()).unwrap().into_parts();
    let lookup = RequestLookup::new(&parts, Some(api), ask.as_bytes()).unwrap();
    let restore = lookup.restore(Tenant::new("t"), &Refusals::new());
    let request = RewrittenRequest {
        api,
        tenant: "t".to_owned(),
        handles: Vec::new(),
        original: ask.into(),
        rewritten: ask.into(),
        serves: true,
        has_epochs: true,
        context: restore.context(),
    };
    let fault = usize::from(faults / 16);
    let answer = |(at, body): (usize, &&[u8])| {
        let (status, end) = match (at == fault, faults % 16) {
            (false, _) => (200, AnswerEnd::Whole),
            (true, 0) => (200, AnswerEnd::Breaks),
            (true, 1) => (200, AnswerEnd::Damaged),
            (true, 2) => (200, AnswerEnd::Unreadable),
            (true, 3) => (200, AnswerEnd::Silent),
            (true, 4) => (400, AnswerEnd::Whole),
            (true, 5) => (429, AnswerEnd::Whole),
            (true, 6) => (403, AnswerEnd::Breaks),
            _ => (200, AnswerEnd::Whole),
        };
        ScriptedAnswer { status, content_type, body: body.to_vec(), end }
    };
    Script {
        request,
        answers: bodies.iter().enumerate().map(answer).collect(),
        cuts: Vec::new(),
        originals: BTreeMap::from([(Handle::from_content(KEPT), Some(Arc::from(KEPT)))]),
        has_timer: faults % 2 == 0,
    }
}
