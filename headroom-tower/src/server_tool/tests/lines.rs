//! Streams whose lines end in any way, and that lack their end.

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    anthropic::{self, ASK, ours, text},
    faults::WIRES,
    support::{Say, Setup},
};
use crate::test_support::block_on;

fn with_endings(stream: &str, endings: &[&str]) -> String {
    let stream = stream.replace("\r\n", "\n");
    let lines: Vec<_> = stream.split('\n').collect();
    let mut out = String::new();
    for (at, line) in lines.iter().enumerate() {
        out.push_str(line);
        if at + 1 < lines.len() {
            let ending = endings[at % endings.len()];
            // A CR and an empty line that ends in LF would be one line end.
            let would_join = line.is_empty() && ending == "\n" && out.ends_with('\r');
            out.push_str(if would_join { "\r" } else { ending });
        }
    }
    out
}

#[tokio::test]
async fn a_call_is_answered_however_lines_end() {
    let endings: [&[&str]; 6] =
        [&["\n"], &["\r\n"], &["\r"], &["\n", "\r"], &["\r", "\r\n"], &["\r\n", "\n", "\r"]];
    for wire in &WIRES {
        for ending in endings {
            for mark in ["", "\u{feff}", ": comment\n\n", "retry: 5\n\n"] {
                let first = with_endings(&format!("{mark}{}", (wire.calls)(1)), ending);
                let last = with_endings(&format!("{mark}{}", (wire.ends)()), ending);
                let setup = Setup::new(wire.path).says([Say::events(&first), Say::events(&last)]);
                let answer = setup.send(wire.ask).await;
                assert_eq!(setup.got().len(), 2, "{} {ending:?} {mark:?}", wire.name);
                assert!(!answer.body.contains("headroom_retrieve"), "{}", wire.name);
                assert!(answer.body.contains("Look. ") && answer.body.contains("done"), "{}", answer.body);
                let marks = answer.body.matches('\u{feff}').count();
                assert!(
                    marks <= 1 && answer.body.find('\u{feff}').unwrap_or(0) == 0,
                    "{} {ending:?} {:?}",
                    wire.name,
                    answer.body
                );
            }
        }
    }
}

#[tokio::test]
async fn a_call_is_answered_where_the_last_event_lacks_its_empty_line() {
    for wire in &WIRES {
        let (first, last) = ((wire.calls)(1), (wire.ends)());
        for (first, last) in
            [(first.trim_end(), last.trim_end()), (first.trim_end(), &*last), (&*first, last.trim_end())]
        {
            let setup = Setup::new(wire.path).says([Say::events(first), Say::events(last)]);
            let answer = setup.send(wire.ask).await;
            assert_eq!(setup.got().len(), 2, "{}", wire.name);
            assert!(!answer.body.contains("headroom_retrieve"), "{}", answer.body);
            assert!(answer.body.contains("done") && !answer.body.contains("\"error\""), "{}", answer.body);
        }
    }
}

#[tokio::test]
async fn events_of_bare_carriage_returns_pass_as_soon_as_they_are_whole() {
    let stream = anthropic::stream(1, &[text("one two three "), ours(1)]).replace('\n', "\r");
    let events: Vec<_> = stream.split_inclusive("\r\r").collect();
    let mut say = Say::events("");
    say.chunks = events.iter().map(|event| Bytes::copy_from_slice(event.as_bytes())).collect();
    let last = Say::events(&anthropic::stream(2, &[text("done")]));
    let answer = Setup::new("/v1/messages").says([say, last]).send(ASK).await;
    let passed: Vec<_> = events.iter().take_while(|event| !event.contains("tool_use")).collect();
    assert!(passed.len() > 5);
    for (frame, event) in answer.frames.iter().zip(passed) {
        assert_eq!(frame, event.as_bytes());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn where_a_stream_of_any_line_ends_is_cut_makes_no_difference(
        wire in 0..4_usize, endings in prop::collection::vec(0..3_usize, 1..5), cut in 1..60_usize, trim in any::<bool>(),
    ) {
        let wire = &WIRES[wire];
        let endings: Vec<_> = endings.into_iter().map(|at| ["\n", "\r\n", "\r"][at]).collect();
        let streams = [(wire.calls)(1), (wire.ends)()].map(|stream| {
            let stream = with_endings(&stream, &endings);
            if trim { stream.trim_end().to_owned() } else { stream }
        });
        let send = |cut: usize| {
            let says = streams.iter().map(|stream| Say::events(stream).cut(cut)).collect::<Vec<_>>();
            block_on(Setup::new(wire.path).says(says).send(wire.ask)).body
        };
        let whole = send(usize::MAX);
        prop_assert!(whole.contains("done") && !whole.contains("headroom_retrieve"), "{}", whole);
        prop_assert_eq!(send(cut), whole);
    }
}
