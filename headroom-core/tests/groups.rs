//! Lines under recurring heads, in many styles: whatever is left out, each visible line stands below its own head, and each
//! gap says how many groups it hides, and which.
//!
//! The reader knows what was generated, and nothing of how groups are found.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may"
)]

#[path = "groups/generate.rs"]
mod generate;
#[path = "groups/read.rs"]
mod read;

use std::sync::atomic::{AtomicUsize, Ordering};

use generate::{Groups, groups};
use headroom_core::{Action, CompressOptions, Engine, Hints, Retrieval, Transform};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use read::fault;

/// What the model sees of a text; `None` if lines are written in another form than the program's.
fn shown(text: &str) -> Option<String> {
    let options = CompressOptions::new().retrieval(Retrieval::ServerTool);
    let hints = Hints::new().tool("Bash").arguments(r#"{"command":"./report.sh"}"#).options(options);
    let outcome = Engine::new().compress_text(text, &hints);
    let is_readable = match &outcome.report.action {
        Action::Edited(steps) => {
            steps.iter().all(|step| matches!(step, Transform::Elision | Transform::RepeatedLines))
        }
        Action::Kept(_) => true,
        _ => false,
    };
    is_readable.then(|| outcome.text.unwrap_or_else(|| text.to_owned()))
}

/// Counts the texts by their outcome.
#[derive(Default)]
struct Seen {
    all: AtomicUsize,
    cut: AtomicUsize,
    unreadable: AtomicUsize,
}

impl Seen {
    fn check(&self, groups: &Groups) -> Result<(), TestCaseError> {
        self.all.fetch_add(1, Ordering::Relaxed);
        let Some(out) = shown(&groups.text()) else {
            self.unreadable.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        self.cut.fetch_add(usize::from(out.contains("[headroom:")), Ordering::Relaxed);
        match fault(groups, &out) {
            Some(fault) => Err(TestCaseError::fail(format!("{fault}\n{out}"))),
            None => Ok(()),
        }
    }

    fn counts(&self) -> [usize; 3] {
        [&self.all, &self.cut, &self.unreadable].map(|count| count.load(Ordering::Relaxed))
    }
}

/// A runner that generates the same texts each time.
fn runner(cases: u32) -> TestRunner {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Checks texts, and returns how many there were, how many of them were shortened, and how many the reader cannot read.
fn run(cases: u32, cut: impl Fn(&Groups) -> Vec<Groups>) -> [usize; 3] {
    let seen = Seen::default();
    let checked =
        runner(cases).run(&groups(), |groups| cut(&groups).iter().try_for_each(|groups| seen.check(groups)));
    if let Err(error) = checked {
        panic!("{error}");
    }
    seen.counts()
}

#[test]
fn visible_lines_stand_below_their_heads_and_gaps_name_what_they_hide() {
    let [all, cut, unreadable] = run(600, |groups| vec![groups.clone()]);
    println!("{all} texts, {cut} shortened, {unreadable} in another form");
    assert!(cut * 2 > all && unreadable * 10 < all, "{cut} and {unreadable} of {all}");
}

#[test]
fn so_they_do_in_texts_that_lost_their_start_or_end() {
    let [all, cut, unreadable] = run(200, |groups| {
        let parts = [0.07, 0.31, 0.64];
        parts.into_iter().flat_map(|part| [groups.from(part), groups.until(1.0 - part)]).collect()
    });
    println!("{all} texts, {cut} shortened, {unreadable} in another form");
    assert!(cut * 4 > all && unreadable * 10 < all, "{cut} and {unreadable} of {all}");
}

/// The reader sees each kind of fault.
#[test]
fn the_reader_refuses_outputs_that_are_not_true() {
    let mut runner = runner(300);
    let mut refused = [0; 4];
    for _ in 0..300 {
        let groups = groups().new_tree(&mut runner).unwrap().current();
        let Some(out) = shown(&groups.text()) else { continue };
        for (mutant, refused) in mutants(&groups, &out).into_iter().zip(&mut refused) {
            let Some(mutant) = mutant else { continue };
            assert!(fault(&groups, &mutant).is_some(), "the reader takes this:\n{mutant}");
            *refused += 1;
        }
    }
    println!("{refused:?} refused");
    assert!(refused.iter().all(|count| *count > 20), "{refused:?}");
}

/// Outputs with a fault: a head that is gone though its lines are there, a gap with another count, a gap without one of the
/// names, and a line that is lost.
fn mutants(groups: &Groups, out: &str) -> [Option<String>; 4] {
    let lines: Vec<&str> = out.lines().collect();
    let is_marker = |line: &&str| line.trim_start_matches("# ").starts_with("[headroom:");
    let with = |at: usize, line: Option<String>| {
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        match line {
            Some(line) => lines[at] = line,
            None => _ = lines.remove(at),
        }
        lines.join("\n") + "\n"
    };
    let head = groups.lines.iter().find(|line| line.is_head).map(|line| line.text.as_str());
    let headless = head.and_then(|head| lines.iter().position(|line| *line == head)).map(|at| {
        // As if the gap began with the head.
        with(at, Some("[headroom:aaaaaaaaaaaaaaaa lines 1-1 stored; headroom_retrieve]".to_owned()))
            .replace("lines 1-1 stored", &format!("lines {}-{} stored", at + 1, at + 1))
    });
    let named = lines.iter().position(|line| is_marker(line) && line.contains(" stored: "));
    let summary = |at: usize| lines[at].split_once(" stored: ").unwrap();
    let count = |at: usize| summary(at).1.split(' ').next().unwrap().parse::<usize>().ok();
    let counted = named.filter(|at| count(*at).is_some());
    let miscounted = counted.map(|at| {
        let (head, rest) = summary(at);
        let (count, rest) = rest.split_once(' ').unwrap();
        with(at, Some(format!("{head} stored: {} {rest}", count.parse::<usize>().unwrap() + 1)))
    });
    let misnamed = counted.map(|at| {
        let (head, rest) = summary(at);
        let (count, _) = rest.split_once(": ").unwrap_or((rest, ""));
        with(at, Some(format!("{head} stored: {count}: others]")))
    });
    let lost = lines.iter().position(|line| !line.is_empty() && !is_marker(line)).map(|at| with(at, None));
    [headless, miscounted, misnamed, lost]
}
