//! Epochs are priced from the counts, with what leaves and what is asked back.

use std::fs;

use serde_json::{Value, json};

use super::{is, log, simulate, sum};
use crate::support::headroom;

/// A session that reads a file in each of its calls, thinks before each, and has a prompt after the first half of them.
/// `said` is the last answer.
struct Reads {
    calls: usize,
    after: usize,
    said: &'static str,
}

impl Reads {
    fn lines(&self) -> Vec<Value> {
        let mut log = Log { lines: Vec::new(), prompt: 6_000 };
        log.user(&json!("which settings are there?"), 0);
        for n in 0..self.calls {
            log.call(n);
        }
        log.says("there are many");
        log.user(&json!("now go on with the others"), 10);
        for n in self.calls..self.calls + self.after {
            log.call(n);
        }
        log.says(self.said);
        log.lines
    }
}

/// The lines of a log, and the tokens of the last prompt.
struct Log {
    lines: Vec<Value>,
    prompt: usize,
}

impl Log {
    fn add(&mut self, kind: &str, message: &Value) {
        let n = self.lines.len();
        let parent = if n == 0 { Value::Null } else { json!(format!("u{}", n - 1)) };
        self.lines.push(json!({"type": kind, "uuid": format!("u{n}"), "parentUuid": parent, "message": message,
            "timestamp": format!("2026-06-01T{:02}:{:02}:{:02}.000Z", 10 + n / 360, n / 6 % 60, n % 6 * 10)}));
    }

    fn user(&mut self, content: &Value, tokens: usize) {
        self.add("user", &json!({"role": "user", "content": content}));
        self.prompt += tokens;
    }

    /// An answer of 300 tokens, of which about 40 can be seen.
    fn answers(&mut self, content: &Value, grown: usize) {
        let n = self.lines.len();
        let read = if n == 1 { 0 } else { self.prompt - grown };
        let usage = json!({"input_tokens": 0, "cache_read_input_tokens": read,
            "cache_creation_input_tokens": self.prompt - read, "output_tokens": 300});
        let thinking = json!({"type": "thinking", "thinking": "", "signature": "x"});
        self.add(
            "assistant",
            &json!({"role": "assistant", "id": format!("m{n}"), "model": "claude-opus-4-6",
                "content": [thinking, content], "usage": usage}),
        );
        self.prompt += 300;
    }

    fn call(&mut self, n: usize) {
        let grown = if n == 0 { 0 } else { 2_000 };
        let path = json!({"file_path": format!("/work/part_{n}.rs")});
        self.answers(
            &json!({"type": "tool_use", "id": format!("t{n}"), "name": "Read", "input": path}),
            grown,
        );
        let file: String = (1..=90)
            .map(|line| format!("{line:6}\tlet setting_{n}_{line} = compute_{n}_{line}();\n"))
            .collect();
        self.user(&json!([{"type": "tool_result", "tool_use_id": format!("t{n}"), "content": file}]), 1_700);
    }

    fn says(&mut self, text: &str) {
        self.answers(&json!({"type": "text", "text": text}), 2_000);
    }
}

#[test]
fn epochs_are_priced_with_the_thinking_that_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let session = Reads { calls: 60, after: 60, said: "done" };
    fs::write(folder.path().join("a.jsonl"), log(&session.lines())).unwrap();
    let path = folder.path().to_str().unwrap();
    let off = simulate(&["--epochs", "off", path]);
    assert_eq!((&off["bill"]["epochs"], &off["bill"]["all"]["epochs"]), (&json!("off"), &Value::Null));
    let on = simulate(&["--epochs", "on", path]);
    let effect =
        |outcome: &Value, lever: &str| outcome["bill"]["all"]["levers"][lever]["total"].as_f64().unwrap();
    is(effect(&on, "without_epochs"), effect(&off, "headroom"));
    assert!(effect(&on, "headroom") < effect(&off, "headroom") - 0.1, "{on}");
    let epochs = &on["bill"]["clients"]["Claude Code"]["epochs"];
    assert_eq!(epochs, &on["bill"]["all"]["epochs"]);
    for (key, value) in [("epochs", 1), ("sessions", 1), ("dearer", 0), ("asked_back", 0)] {
        assert_eq!(epochs[key], value, "{key}: {epochs}");
    }
    let begun = &on["sessions"][0]["epochs"]["begun"][0];
    assert_eq!((&begun["request"], &begun["prompt"], &begun["turns"]), (&json!(61), &json!(2), &json!(61)));
    // Each answer thought about 260 tokens, and nine of ten results are old.
    let freed = begun["freed"].as_f64().unwrap();
    assert!((50.0 * 900.0..60.0 * 1_400.0).contains(&freed), "{begun}");
    let thought = |outcome: &Value| sum(&outcome["bill"]["all"]["prompt"]["thinking"]);
    let row = &on["sessions"][0];
    let gain = sum(&row["epochs"]["without"]) - sum(&row["with"]["headroom"]);
    is(epochs["gain"].as_f64().unwrap(), gain);
    // What thinking before the epoch cost behind it is a part of the gain.
    assert!(gain > 0.0 && gain > thought(&on) * 0.2, "{on}");
    assert!(epochs["expected_gain"].as_f64().unwrap() > 0.3 * gain, "{epochs}");
    let text =
        String::from_utf8(headroom(&["simulate", "--epochs", "on", path]).output().unwrap().stdout).unwrap();
    for part in ["\nHeadroom without epochs ", "\nepochs ", "epochs on.\n", "Asked back: ", " 0 of 1\n"] {
        assert!(text.contains(part), "{part:?} is missing: {text}");
    }
    let widest = text.lines().max_by_key(|line| line.chars().count()).unwrap();
    assert!(widest.chars().count() <= 100, "{widest}");
}

#[test]
fn what_a_later_answer_needs_of_an_old_result_is_charged_as_a_round() {
    let folder = tempfile::tempdir().unwrap();
    let run = |said| {
        let session = Reads { calls: 60, after: 20, said };
        fs::write(folder.path().join("a.jsonl"), log(&session.lines())).unwrap();
        let outcome = simulate(&["--epochs", "on", folder.path().to_str().unwrap()]);
        outcome["bill"]["all"].clone()
    };
    let none = run("nothing is left to do");
    let one = run("setting_2_44 is what compute_2_45 needs");
    assert_eq!((&none["epochs"]["asked_back"], &one["epochs"]["asked_back"]), (&json!(0), &json!(1)));
    assert_eq!((&one["epochs"]["used_later"], &one["epochs"]["visible"]), (&json!(2), &json!(0)));
    let retrieval = one["epochs"]["retrieval"].as_f64().unwrap();
    is(none["epochs"]["retrieval"].as_f64().unwrap(), 0.0);
    // The prompt is read once more, 120 tokens are the call, and about 1,700 are written.
    // 56 old results and 61 blocks of thinking had left.
    let prompt = 6_000.0 + 81.0 * 2_000.0 - 56.0 * 1_600.0 - 61.0 * 260.0;
    let expected = (prompt * 0.1 * 5.0 + 120.0 * 25.0 + 1_700.0 * 1.25 * 5.0) / 1e6;
    assert!((retrieval / expected - 1.0).abs() < 0.1, "{retrieval} instead of {expected}");
}

#[test]
fn a_session_that_ends_after_an_epoch_is_dearer_with_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.jsonl"), log(&Reads { calls: 60, after: 0, said: "done" }.lines()))
        .unwrap();
    let outcome = simulate(&["--epochs", "on", folder.path().to_str().unwrap()]);
    let epochs = &outcome["bill"]["all"]["epochs"];
    assert_eq!((&epochs["epochs"], &epochs["dearer"]), (&json!(1), &json!(1)), "{epochs}");
    assert!(epochs["gain"].as_f64().unwrap() < 0.0, "{epochs}");
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn epochs_take_a_fifth_off_the_bill_of_recorded_sessions() {
    let outcome = super::recorded(&["--epochs", "on"]);
    let lever = |name: &str| outcome["bill"]["all"]["levers"][name].clone();
    let total = |name: &str| lever(name)["total"].as_f64().unwrap();
    assert!(total("headroom") < -0.2 && total("without_epochs") > -0.08, "{}", outcome["bill"]);
    assert!(lever("headroom")["worst"].as_f64().unwrap() < 0.015, "{}", lever("headroom"));
    let epochs = &outcome["bill"]["all"]["epochs"];
    let number = |key: &str| epochs[key].as_f64().unwrap();
    assert!(number("asked_back") <= 0.025 * number("results"), "{epochs}");
    assert!(number("dearer") <= 6.0 && number("gain") > 0.0, "{epochs}");
}
