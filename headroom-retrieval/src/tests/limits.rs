//! The bounds of one exchange.

use super::samples::{Part, TOOL, WIRES, Wire, answers, lines, text};
use crate::{
    Report,
    limits::{MAX_ANSWER, MAX_CALLS, MAX_CONTENT_ROUNDS, MAX_ERROR, MAX_EVENT, MAX_ROUNDS},
    testing::AnswerEnd,
};

#[test]
fn the_seventeenth_call_of_a_round_is_told_to_ask_again() {
    for wire in WIRES {
        for is_stream in [true, false] {
            for calls in [MAX_CALLS - 1, MAX_CALLS, MAX_CALLS + 1, 3 * MAX_CALLS] {
                let ours: Vec<_> = (0..calls).map(|n| Part::Ours(lines(n))).collect();
                let says = [wire.answer(1, &ours, is_stream), wire.answer(2, &[text("done")], is_stream)];
                let transcript = wire.script(says.to_vec()).run();
                let answers = answers(&transcript.sent[1].1);
                assert_eq!(answers.len(), calls, "{wire:?}");
                for (n, answer) in answers.iter().enumerate() {
                    assert_eq!(
                        answer.ends_with("Ask again for it."),
                        n >= MAX_CALLS,
                        "{wire:?} {n}: {answer}"
                    );
                    assert_eq!(answer.contains("third"), n < MAX_CALLS, "{wire:?} {n}: {answer}");
                }
                assert_eq!(transcript.fetched.len(), 1, "one original, once");
            }
        }
    }
}

#[test]
fn content_comes_in_four_rounds_and_the_model_is_stopped_after_seven() {
    for wire in WIRES {
        for is_stream in [true, false] {
            let calls = |n| wire.answer(n, &[text("Look. "), Part::Ours(lines(n))], is_stream);
            let transcript = wire.script((0..20).map(calls).collect()).run();
            assert_eq!(transcript.sent.len() as u32, MAX_ROUNDS + 1, "{wire:?}");
            let answers = answers(&transcript.sent.last().unwrap().1);
            for (n, answer) in answers.iter().enumerate() {
                let is_limited = answer.starts_with("The limit of headroom_retrieve");
                assert_eq!(is_limited, n as u32 >= MAX_CONTENT_ROUNDS, "{wire:?} {n}: {answer}");
            }
            assert_eq!(answers.len() as u32, MAX_ROUNDS, "the sixth and seventh round are answered too");
            let Some(Report::Retrieved(report)) = transcript.reports.last() else { panic!("{wire:?}") };
            assert!(report.incomplete && report.rounds == MAX_ROUNDS && report.calls == MAX_ROUNDS);
            let seen = wire.readable(&transcript);
            assert!(!seen.contains(TOOL) && seen.contains("Look. "), "{wire:?}");
        }
    }
}

#[test]
fn a_model_that_only_calls_gives_a_failure_and_no_empty_answer() {
    for wire in WIRES {
        for is_stream in [true, false] {
            let calls = |n| wire.answer(n, &[Part::Ours(lines(n))], is_stream);
            let transcript = wire.script((0..20).map(calls).collect()).run();
            let seen = wire.readable(&transcript);
            assert!(seen.contains("did not finish its answer"), "{wire:?} {seen}");
            assert_eq!(transcript.reply, if is_stream { "stream" } else { "unfinished" });
        }
    }
}

#[test]
fn a_document_that_is_too_long_passes_and_a_hidden_one_fails() {
    let long = || vec![b' '; MAX_ANSWER as usize + 1];
    for wire in WIRES {
        let first = wire.answer(1, &[text("Look. "), Part::Ours(lines(1))], false);
        let mut second = first.clone();
        second.body = long();
        let transcript = wire.script(vec![second.clone()]).run();
        assert_eq!((transcript.reply, transcript.client.len()), ("received", long().len()), "{wire:?}");
        assert_eq!(wire.script(vec![first, second]).run().reply, "unfinished", "{wire:?}");
    }
}

#[test]
fn an_event_that_is_too_long_passes_and_in_a_hidden_round_it_fails() {
    for wire in WIRES.into_iter().filter(|wire| *wire != Wire::Bedrock) {
        let first = wire.answer(1, &[text("Look. "), Part::Ours(lines(1))], true);
        let mut second = first.clone();
        second.body = [b"data: ".to_vec(), vec![b'x'; 2 * MAX_EVENT], b"\n\n".to_vec()].concat();
        let mut script = wire.script(vec![second.clone()]);
        script.cuts = vec![1 << 20];
        assert_eq!(script.run().client, second.body, "{wire:?}");
        script.answers = vec![first, second];
        let seen = wire.readable(&script.run());
        assert!(!seen.contains("xxx") && seen.contains("could not go on"), "{wire:?}");
    }
}

#[test]
fn an_error_that_is_too_long_is_not_told() {
    for wire in WIRES {
        let first = wire.answer(1, &[text("Look. "), Part::Ours(lines(1))], true);
        for (length, is_told) in [(100, true), (MAX_ERROR as usize + 1, false)] {
            let mut second = first.clone();
            let padding = " ".repeat(length);
            second.body =
                format!(r#"{{"error":{{"type":"own","message":"in its words"}}{padding}}}"#).into_bytes();
            second.status = 403;
            second.end = AnswerEnd::Whole;
            let transcript = wire.script(vec![first.clone(), second]).run();
            assert_eq!(wire.readable(&transcript).contains("in its words"), is_told, "{wire:?} {length}");
        }
    }
}
