use headroom_evals::report;
use serde_json::Value;

use super::{super::failure::FailureKind, *};
use crate::usage::Usage;

fn answer(right: bool, tokens: u64) -> Outcome {
    let usage = Usage { input: tokens, output: 5, ..Usage::default() };
    Ok((LiveAnswer { usage, calls: 1, ..LiveAnswer::default() }, right))
}

fn failed(kind: FailureKind) -> Outcome {
    Err(Failure { kind, said: "no".to_owned() })
}

fn pair(without: Outcome, with: Outcome) -> Pair {
    Pair { set: "s", is_changed: true, without, with, logprobs: None }
}

fn results(pairs: Vec<Pair>) -> LiveResults {
    LiveResults {
        model: "m".to_owned(),
        judge: "m".to_owned(),
        margin: 2.0,
        arguments: String::new(),
        items: 9,
        data: Vec::new(),
        pairs,
        refused: Vec::new(),
    }
}

fn json(pairs: Vec<Pair>) -> Value {
    let asked = pairs.len();
    let report = results(pairs).report(asked, &RunEnd::Finished, None);
    serde_json::from_str(&report::json(&report)).unwrap()
}

#[test]
fn a_margin_holds_only_where_all_of_the_interval_does() {
    for (both, lost, expected) in [
        // Nothing was lost in a hundred, but two in a hundred may be.
        (100, 0, "too few questions to tell"),
        (200, 0, "not inferior"),
        (1_000, 5, "not inferior"),
        (48, 2, "too few questions to tell"),
        (10, 40, "inferior"),
    ] {
        let counts = PairedCounts { both, lost, ..PairedCounts::default() };
        let (low, high) = counts.interval();
        assert_eq!(tables::verdict(low, high, 2.0), expected, "{both} {lost}: {low} {high}");
    }
}

#[test]
fn a_missing_answer_is_neither_right_nor_wrong() {
    let found = json(vec![
        pair(answer(true, 100), answer(true, 60)),
        pair(failed(FailureKind::TooLong), answer(true, 60)),
        pair(answer(true, 100), failed(FailureKind::TimedOut)),
    ]);
    let tables = &found["sections"][0]["tables"];
    let all = &tables[0]["rows"][1];
    assert_eq!((&all["without"]["all"], &all["lost"], &all["set"]), (&1.into(), &0.into(), &"all".into()));
    let missing = &tables[2]["rows"];
    assert_eq!(
        (&missing[0]["reason"], &missing[0]["without"]),
        (&"too long for the model".into(), &1.into())
    );
    assert_eq!((&missing[1]["reason"], &missing[1]["with"]), (&"no answer in time".into(), &1.into()));
    assert_eq!(found["sections"][0]["failures"].as_array().unwrap().len(), 2);
}

#[test]
fn conclusions_say_what_was_measured() {
    let mut pairs: Vec<Pair> = (0..20).map(|_| pair(answer(true, 100), answer(true, 60))).collect();
    for (n, pair) in pairs.iter_mut().enumerate() {
        pair.logprobs = Some((-2.0, -2.0 + [0.01, -0.01][n % 2]));
    }
    let found = json(pairs);
    let said = found["sections"][0]["conclusions"].to_string();
    for part in [
        "No difference was found in how many questions were answered right",
        "Headroom changed 20 of the 20 tool results",
        "1.00 times as probable",
        "no difference was found",
        "Input tokens: 2,000 without Headroom, 1,200 with it (-40.0 %), 95 % interval -40.0 to -40.0 %",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let untouched = Pair { is_changed: false, ..pair(answer(true, 0), answer(true, 0)) };
    let said = json(vec![untouched])["sections"][0]["conclusions"].to_string();
    assert!(
        said.contains("says nothing about it") && said.contains("reported no usage for 1 pairs"),
        "{said}"
    );
}
