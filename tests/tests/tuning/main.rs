//! Half and double of each number by which the engine chooses: the laws hold, no planted fact falls, nothing panics.
//!
//! What a number decides is how much stays visible. What does not must be marked and retrievable, whatever the number.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may")]

mod texts;

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use headroom_core::{
    __tuning::{Number, numbers, with},
    Api, CompressOptions, Engine, Retrieval,
};
use headroom_tests::{
    ask::Ask,
    data,
    laws::{Forms, Run, as_drawn, every},
};
use texts::Fixture;

fn options() -> CompressOptions {
    CompressOptions::new().retrieval(Retrieval::ServerTool)
}

/// Returns the request that is sent for a fixture; an error if it breaks a law, or if its fact is neither in it nor in what
/// can be retrieved.
fn sent(engine: &Engine, fixture: &Fixture, known: Option<&[u8]>) -> Result<Vec<u8>, String> {
    // Most settings change little; to judge takes longer than to compress.
    let outcome = engine.compress(Api::OpenAiChat, &fixture.body, &options());
    let sent = outcome.body().unwrap_or(&fixture.body).to_vec();
    if known == Some(sent.as_slice()) {
        return Ok(sent);
    }
    let run =
        Run::new(engine, Api::OpenAiChat, &fixture.body, &options()).map_err(|broken| broken.to_string())?;
    every(&run, &options(), &Forms::default()).map_err(|broken| broken.to_string())?;
    if let Some(fact) = &fixture.fact {
        let shown = Ask::result_in(Api::OpenAiChat, &sent);
        let is_aside = || {
            run.answer.originals.iter().any(|(_, text)| text.contains(fact) || as_drawn(text).contains(fact))
        };
        if !shown.contains(fact) && !is_aside() {
            return Err(format!("{fact} is lost"));
        }
    }
    Ok(sent)
}

/// A number with another value than its default.
#[derive(Clone, Copy)]
struct Setting {
    number: Number,
    value: f64,
}

fn settings() -> Vec<Setting> {
    let both = |number: Number| [number.half, number.double].map(|value| Setting { number, value });
    let is_other = |setting: &Setting| setting.value.to_bits() != setting.number.default.to_bits();
    numbers().into_iter().flat_map(both).filter(is_other).collect()
}

/// Of the settings, one in this many is tried on recorded results, which take much longer than the small texts. It is odd, so that
/// halves and doubles take turns.
const SETTINGS_PER_RECORDED: usize = 15;

/// Tries one setting in this many on every fixture, on all cores. Returns what failed, and the names of the numbers of which a
/// setting changed what is sent.
fn attempt(fixtures: &[Fixture], step: usize) -> (Vec<String>, BTreeSet<&'static str>) {
    let engine = Engine::new();
    let before: Vec<Vec<u8>> = fixtures.iter().map(|fixture| sent(&engine, fixture, None).unwrap()).collect();
    let settings: Vec<Setting> = settings().into_iter().step_by(step).collect();
    let next = AtomicUsize::new(0);
    let (failed, moved) = (Mutex::new(Vec::new()), Mutex::new(BTreeSet::new()));
    let work = || {
        while let Some(Setting { number, value }) = settings.get(next.fetch_add(1, Ordering::Relaxed)) {
            let engine = Engine::new();
            for (fixture, before) in fixtures.iter().zip(&before) {
                match with(number.name, *value, || sent(&engine, fixture, Some(before))).unwrap() {
                    Ok(sent) if sent == *before => {}
                    Ok(_) => _ = moved.lock().unwrap().insert(number.name),
                    Err(what) => {
                        failed
                            .lock()
                            .unwrap()
                            .push(format!("{} = {value}, {}: {what}", number.name, fixture.name));
                    }
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    (failed.into_inner().unwrap(), moved.into_inner().unwrap())
}

#[test]
fn half_and_double_of_each_number_keep_the_laws_and_lose_no_fact() {
    let fixtures = texts::all();
    let (failed, moved) = attempt(&fixtures, 1);
    let all = numbers();
    let idle: Vec<&str> = all.iter().map(|number| number.name).filter(|name| !moved.contains(name)).collect();
    println!("{} of {} numbers change what is sent; not: {}", moved.len(), all.len(), idle.join(", "));
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    // Otherwise nothing was put to the test. Most numbers decide about more than one small text has.
    assert!(moved.len() > 50, "only {} of {} numbers change what is sent", moved.len(), all.len());
}

#[test]
#[ignore = "needs HEADROOM_SHARED"]
fn half_and_double_of_some_numbers_keep_the_laws_on_recorded_results() {
    let root = data::shared().expect(data::NEEDED).join("corpora");
    let fixtures = texts::recorded(&root);
    assert!(fixtures.len() > 50, "{}", fixtures.len());
    let (failed, moved) = attempt(&fixtures, SETTINGS_PER_RECORDED);
    println!("{} numbers change what is sent of {} results", moved.len(), fixtures.len());
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(!moved.is_empty());
}
