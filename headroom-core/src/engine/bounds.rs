//! Tests of cancellation and of requests with more items than the limit.

use std::cell::Cell;

use super::{
    tests::{agent, log, messages, output},
    texts::{QUESTION_END_BYTES, both_ends},
    *,
};
use crate::{
    Action,
    wire::{
        MAX_ITEMS,
        conversation::{Facts, facts},
    },
};

/// Cancels requests before each of their results.
fn stopped_anywhere(body: &str, options: &CompressOptions, headroom: &Engine) {
    let body = body.as_bytes();
    let fresh = Engine::new().compress(Api::Anthropic, body, options);
    for most in 0.. {
        let asked = Cell::new(0);
        let may_go_on = |_| asked.replace(asked.get() + 1) < most;
        let outcome = headroom.compress_while(Api::Anthropic, body, options, &may_go_on);
        assert!(asked.get() <= most + 1, "work went on");
        if !matches!(outcome, Outcome::Unchanged { reason: UnchangedReason::Cancelled, .. }) {
            assert_eq!(outcome.body(), fresh.body());
            assert!(outcome.body().is_some(), "nothing was decided");
            return;
        }
        let again = headroom.clone().compress(Api::Anthropic, body, options);
        assert_eq!(again.body(), fresh.body(), "stopped before result {most}");
    }
}

#[test]
fn a_cancelled_request_ends_before_its_next_result_and_changes_nothing() {
    let options = CompressOptions::new().originals_dir("/tmp/spool");
    let body = agent(&[&log(), &output(), &log(), &output(), &output()]);
    for memory in [0, 16 << 10, 64 << 20] {
        stopped_anywhere(&body, &options, &Engine::builder().cache_capacity(memory).build());
    }
}

#[test]
fn a_request_that_was_cancelled_goes_on_where_it_stopped() {
    let headroom = Engine::new();
    let (options, body) = (CompressOptions::new(), messages(&[&output(), &output(), &log()]));
    let stopped = Cell::new(0);
    let first = |_| stopped.replace(stopped.get() + 1) < 1;
    let outcome = headroom.compress_while(Api::Anthropic, body.as_bytes(), &options, &first);
    assert!(outcome.report().blocks.is_empty() && outcome.body().is_none());
    let asked = Cell::new(0);
    let count = |_| {
        asked.set(asked.get() + 1);
        true
    };
    let outcome = headroom.compress_while(Api::Anthropic, body.as_bytes(), &options, &count);
    assert_eq!(asked.get(), 2, "the first result is known");
    assert_eq!(outcome.body(), Engine::new().compress(Api::Anthropic, body.as_bytes(), &options).body());
}

#[test]
fn results_behind_the_limit_stay_as_they_are_and_the_report_says_so() {
    let outputs: Vec<String> =
        (0..MAX_ITEMS + 5).map(|_| r#"{"type":"text","text":""}"#.to_owned()).collect();
    let result = |n: usize| {
        format!(
            r#"{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"t","content":[{}]}}]}}"#,
            outputs[..n].join(",")
        )
    };
    let with = |n: usize| {
        let (end, more) = (messages(&[&output(), &output()]), result(n));
        end.replacen("\"messages\":[", &format!("\"messages\":[{more},"), 1)
    };
    let compress =
        |body: &str| Engine::new().compress(Api::Anthropic, body.as_bytes(), &CompressOptions::new());
    assert!(compress(&with(10)).body().is_some());
    let outcome = compress(&with(MAX_ITEMS + 5));
    assert!(outcome.body().is_none());
    let blocks = &outcome.report().blocks;
    assert_eq!(blocks.len(), MAX_ITEMS + 1);
    assert_eq!(blocks[MAX_ITEMS - 1].action, Action::Kept(UnchangedReason::TooShort));
    assert_eq!(blocks[MAX_ITEMS].action, Action::Kept(UnchangedReason::TooManyItems));
    // As many of the first results as fit become what they are without the rest.
    let outcome = compress(&with(MAX_ITEMS - 4));
    assert_eq!(outcome.report().blocks.len(), MAX_ITEMS - 4 + 1 + 1);
}

fn facts_of(body: &str) -> Vec<Facts> {
    let tape = Tape::parse(body).unwrap();
    let conversation = wire::read(Api::Gemini, tape.root()).unwrap();
    facts("", 0, &conversation.items, true)
}

#[test]
fn calls_without_ids_are_answered_in_their_order_by_name() {
    let call = |name: &str| format!(r#"{{"functionCall":{{"name":"{name}","args":{{}}}}}}"#);
    let result = |name: &str| format!(r#"{{"functionResponse":{{"name":"{name}","response":{{"x":"y"}}}}}}"#);
    let body = format!(
        r#"{{"contents":[{{"role":"model","parts":[{}]}},{{"role":"user","parts":[{}]}}]}}"#,
        ["a", "b", "a"].map(call).join(","),
        ["a", "a", "c", "b", "a"].map(result).join(",")
    );
    let calls: Vec<_> = facts_of(&body)[3..].iter().map(|facts| facts.call).collect();
    assert_eq!(calls, [Some(0), Some(2), None, Some(1), None]);
}

#[test]
fn of_a_long_question_both_ends_are_read() {
    let short = "é".repeat(QUESTION_END_BYTES);
    assert_eq!(both_ends(&short), short);
    let long = format!("start{}end", "é".repeat(2 * QUESTION_END_BYTES));
    let read = both_ends(&long);
    assert!(read.starts_with("start") && read.ends_with("end") && read.len() <= 2 * QUESTION_END_BYTES + 1);
}
