//! Where the network cuts an answer makes no difference, and the client sees nothing of our calls.

use proptest::prelude::*;

use super::samples::{Part, TOOL, WIRES, Wire, lines};
use crate::testing::{AnswerEnd, ScriptedAnswer};

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        2 => "[a-zäß\\n]{0,12}".prop_map(Part::Text),
        3 => (0..6_usize).prop_map(|n| Part::Ours(lines(n))),
        1 => Just(Part::Client),
    ]
}

fn end() -> impl Strategy<Value = AnswerEnd> {
    prop_oneof![
        8 => Just(AnswerEnd::Whole),
        1 => Just(AnswerEnd::Breaks),
        1 => Just(AnswerEnd::Damaged),
        1 => Just(AnswerEnd::Unreadable),
        1 => Just(AnswerEnd::Silent),
    ]
}

/// What a provider does with one request: what it says, how that ends, its status, and how much of it is left out.
type Round = (Vec<Part>, AnswerEnd, u16, usize);

fn round() -> impl Strategy<Value = Round> {
    let status =
        prop_oneof![12 => Just(200_u16), 1 => Just(400), 1 => Just(429), 1 => Just(500), 1 => Just(403)];
    let cut = prop_oneof![6 => Just(0_usize), 1 => 1..60_usize];
    (prop::collection::vec(part(), 0..4), end(), status, cut)
}

fn answers(wire: Wire, is_stream: bool, rounds: &[Round]) -> Vec<ScriptedAnswer> {
    let answer = |(n, (parts, end, status, cut)): (usize, &Round)| {
        let mut answer = wire.answer(n, parts, is_stream);
        answer.body.truncate(answer.body.len().saturating_sub(*cut));
        ScriptedAnswer { status: *status, end: *end, ..answer }
    };
    rounds.iter().enumerate().map(answer).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn cuts_make_no_difference_and_no_call_is_seen(
        wire in prop::sample::select(WIRES.to_vec()), is_stream in any::<bool>(), has_timer in any::<bool>(),
        rounds in prop::collection::vec(round(), 1..10), cuts in prop::collection::vec(1..90_usize, 1..6),
    ) {
        let mut script = wire.script(answers(wire, is_stream, &rounds));
        script.has_timer = has_timer;
        let whole = script.run();
        script.cuts = cuts;
        prop_assert_eq!(&script.run(), &whole);
        // What cannot be read comes as it is, and so do refusals and the answer to the original request.
        if whole.reply != "received" && whole.reply != "kept" {
            let seen = wire.readable(&whole);
            prop_assert!(!seen.contains(TOOL), "{}", seen);
        }
    }

    #[test]
    fn bytes_that_are_no_answer_pass_as_they_come(
        wire in prop::sample::select(WIRES.to_vec()), is_stream in any::<bool>(),
        noise in prop::collection::vec(any::<u8>(), 0..200), cuts in prop::collection::vec(1..90_usize, 0..6),
    ) {
        let mut answer = wire.answer(0, &[], is_stream);
        answer.body.clone_from(&noise);
        let mut script = wire.script(vec![answer]);
        script.cuts = cuts;
        let transcript = script.run();
        prop_assert_eq!(transcript.client, noise);
        prop_assert_eq!(transcript.sent.len(), 1);
    }
}

#[test]
fn every_place_of_a_cut_gives_the_same_answer() {
    for wire in WIRES {
        for is_stream in [true, false] {
            let first = [Part::Text("Look. ".to_owned()), Part::Ours(lines(1))];
            let rounds = [&first[..], &[Part::Ours(lines(2)), Part::Client]];
            let answers = rounds.iter().enumerate().map(|(n, parts)| wire.answer(n, parts, is_stream));
            let mut script = wire.script(answers.collect());
            let whole = script.run();
            assert_eq!(whole.sent.len(), 2, "{wire:?} {is_stream}");
            assert!(wire.readable(&whole).contains("Bash"), "{wire:?} {is_stream}");
            let length = script.answers.iter().map(|answer| answer.body.len()).max().unwrap_or_default();
            for at in 1..length {
                script.cuts = vec![at, usize::MAX];
                assert_eq!(script.run(), whole, "{wire:?} {is_stream} {at}");
            }
        }
    }
}
