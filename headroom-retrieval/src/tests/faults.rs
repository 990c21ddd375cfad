//! Refusals, busy providers and broken connections.

use super::samples::{Part, TOOL, WIRES, Wire, lines, text};
use crate::{
    Report,
    testing::{AnswerEnd, ScriptedAnswer},
};

const REFUSAL: &str = r#"{"error":{"message":"messages.1: thinking blocks must not change"}}"#;

fn refusal(status: u16) -> ScriptedAnswer {
    ScriptedAnswer {
        status,
        content_type: "application/json",
        body: REFUSAL.as_bytes().to_vec(),
        end: AnswerEnd::Whole,
    }
}

fn calls(wire: Wire, is_stream: bool) -> ScriptedAnswer {
    wire.answer(1, &[text("Look. "), Part::Ours(lines(1))], is_stream)
}

#[test]
fn a_refused_request_goes_out_as_it_came() {
    for wire in WIRES {
        let good = wire.answer(1, &[text("fine")], true);
        let transcript = wire.script(vec![refusal(400), good.clone()]).run();
        assert_eq!((transcript.reply, &transcript.client), ("received", &good.body));
        assert_eq!(
            transcript.sent.iter().map(|(is_original, _)| *is_original).collect::<Vec<_>>(),
            [false, true]
        );
        let [Report::Fallback(report)] = transcript.reports[..] else { panic!("{wire:?}") };
        assert!(report.accepted && !report.unbound && report.status == 400);
        // What is no refusal of the form is the client's own.
        let transcript = wire.script(vec![refusal(403)]).run();
        assert_eq!((transcript.reply, transcript.sent.len()), ("received", 1));
    }
}

/// A request with thinking in an earlier turn.
fn with_thinking() -> crate::testing::Script {
    let ask = r#"{"tools":[],"messages":[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"b"}]},{"role":"user","content":"c"}]}"#;
    let mut script = Wire::Anthropic.script(Vec::new());
    script.request = Wire::Anthropic.request(ask);
    script
}

#[test]
fn a_refusal_of_thinking_goes_out_a_third_time_without_it() {
    let mut script = with_thinking();
    let good = Wire::Anthropic.answer(1, &[text("fine")], true);
    script.answers = vec![refusal(400), refusal(400), good.clone()];
    let transcript = script.run();
    assert_eq!((transcript.reply, &transcript.client), ("stream", &good.body));
    let forms: Vec<_> = transcript.sent.iter().map(|(is_original, _)| *is_original).collect();
    assert_eq!(forms, [false, true, false]);
    assert!(!String::from_utf8_lossy(&transcript.sent[2].1).contains("thinking"));
    // If that is refused or lost too, the client gets the refusal of its own request.
    for third in [vec![refusal(422)], Vec::new()] {
        let mut second = refusal(400);
        second.body = b"{\"error\":\"thinking, as it came\"}".to_vec();
        script.answers = vec![refusal(400), second.clone()];
        script.answers.extend(third);
        let transcript = script.run();
        assert_eq!((transcript.reply, transcript.client), ("kept", second.body));
        assert!(matches!(transcript.reports[..], [Report::Fallback(report)] if !report.unbound));
    }
}

#[test]
fn a_provider_that_is_busy_is_asked_again_where_there_is_a_timer() {
    for wire in WIRES {
        for is_stream in [true, false] {
            let done = wire.answer(2, &[text("done")], is_stream);
            let mut script = wire.script(vec![calls(wire, is_stream), refusal(429), refusal(503), done]);
            let transcript = script.run();
            assert_eq!((transcript.waits, transcript.sent.len()), (2, 4), "{wire:?}");
            assert_eq!(transcript.sent[1], transcript.sent[3], "the same request");
            assert!(wire.readable(&transcript).contains("done"), "{wire:?}");
            script.has_timer = false;
            let transcript = script.run();
            assert_eq!(transcript.sent.len(), 2, "{wire:?}");
            let seen = wire.readable(&transcript);
            assert!(seen.contains("thinking blocks must not change"), "the provider's words: {seen}");
        }
    }
}

#[test]
fn a_provider_that_is_lost_between_rounds_ends_the_answer() {
    for wire in WIRES {
        let transcript = wire.script(vec![calls(wire, true)]).run();
        let seen = wire.readable(&transcript);
        assert!(seen.contains("Look. ") && seen.contains("could not go on"), "{wire:?} {seen}");
        assert!(!transcript.failed);
        let transcript = wire.script(vec![calls(wire, false)]).run();
        assert!(transcript.failed && transcript.client.is_empty(), "as the connection did: {wire:?}");
    }
}

#[test]
fn a_hidden_document_that_breaks_off_is_not_shown() {
    for wire in WIRES {
        for end in [AnswerEnd::Breaks, AnswerEnd::Damaged, AnswerEnd::Unreadable] {
            let second = ScriptedAnswer { end, ..calls(wire, false) };
            let transcript = wire.script(vec![calls(wire, false), second]).run();
            assert_eq!(transcript.reply, "unfinished", "{wire:?} {end:?}");
            assert!(!wire.readable(&transcript).contains(TOOL));
        }
    }
}

#[test]
fn a_stream_in_an_unknown_encoding_is_asked_for_without_the_tool() {
    for wire in WIRES {
        for is_stream in [true, false] {
            let unknown = ScriptedAnswer { end: AnswerEnd::Unreadable, ..calls(wire, is_stream) };
            let transcript = wire.script(vec![unknown.clone(), unknown]).run();
            assert_eq!((transcript.reply, transcript.sent.len()), ("received", 2), "{wire:?}");
            assert!(transcript.sent[1].0, "the original, which does not offer the tool");
        }
    }
}

#[test]
fn a_store_that_fails_is_told_to_the_model() {
    for wire in WIRES {
        let mut script = wire.script(vec![calls(wire, true), wire.answer(2, &[text("done")], true)]);
        script.originals.values_mut().for_each(|content| *content = None);
        let transcript = script.run();
        let answers = super::samples::answers(&transcript.sent[1].1);
        assert!(answers[0].starts_with("This cannot be fetched at the moment"), "{wire:?}");
    }
}
