//! Facts planted in the output of tools are seen, or can be fetched back.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "tests may")]

use headroom_core::{Api, CompressOptions, Engine, Outcome, Retrieval};
use headroom_tests::{
    ask::Ask,
    output::{Output, Planted},
    rng::Rng,
};

/// Where else a planted fact shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The user asks about it.
    Question,
    /// The call was about it.
    Arguments,
    /// It is an error, of a rare kind, or has a number far from the others.
    StandsOut,
    /// It is like all the others.
    Nowhere,
}

const PLACES: [Place; 4] = [Place::Question, Place::Arguments, Place::StandsOut, Place::Nowhere];
const SIZES: [usize; 4] = [60, 300, 1_500, if cfg!(debug_assertions) { 3_000 } else { 20_000 }];
const ROUNDS: u64 = if cfg!(debug_assertions) { 4 } else { 12 };

/// How many were looked for, seen, and omitted.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    seen: usize,
    aside: usize,
    /// Requests of which anything was omitted.
    cut: usize,
    before: usize,
    after: usize,
}

fn plant(output: Output, place: Place, size: usize, round: u64, count: &mut Count) -> Vec<String> {
    let mut rng = Rng::new(round << 32 ^ size as u64);
    let word = format!("kestrel{}", rng.below(9_000) + 1_000);
    let at = rng.below(size);
    let planted = Planted { at, word: &word, stands_out: place == Place::StandsOut };
    let text = output.text(size, round, Some(planted));
    let asked = format!("What happened to {word}?");
    let (tool, arguments) = output.call((place == Place::Arguments).then_some(word.as_str()));
    let question = if place == Place::Question { &asked } else { "Look at it." };
    let ask = Ask { question, tool, arguments, result: &text };
    let mut missed = Vec::new();
    for api in [Api::Anthropic, Api::OpenAiChat] {
        let body = ask.body(api);
        let outcome =
            Engine::new().compress(api, &body, &CompressOptions::new().retrieval(Retrieval::ServerTool));
        let shown = Ask::result_in(api, outcome.body().unwrap_or(&body));
        let originals = match &outcome {
            Outcome::Rewritten { originals, .. } => originals.as_slice(),
            Outcome::Unchanged { .. } => &[],
        };
        count.all += 1;
        count.cut += usize::from(!originals.is_empty());
        count.before += text.len();
        count.after += shown.len();
        if shown.contains(&word) {
            count.seen += 1;
        } else if !originals.iter().any(|original| original.content().contains(&word)) {
            missed.push(format!("{output} {place:?} row {at} of {size}, {api}: {word} is lost"));
        } else {
            count.aside += 1;
            if place != Place::Nowhere {
                missed.push(format!("{output} {place:?} row {at} of {size}, {api}: {word} is not seen"));
            }
        }
    }
    missed
}

#[test]
fn planted_facts_are_seen_or_kept_aside() {
    let mut missed = Vec::new();
    for output in Output::ALL {
        let mut set_aside = 0;
        for place in PLACES {
            if place == Place::StandsOut && !output.has_outliers() {
                continue;
            }
            let mut count = Count::default();
            for (size, round) in SIZES.iter().flat_map(|size| (0..ROUNDS).map(move |round| (*size, round))) {
                missed.extend(plant(output, place, size, round, &mut count));
            }
            let Count { all, seen, aside, cut, before, after } = count;
            let share = 100 * (before - after) / before;
            println!(
                "{:10} {:10} {seen:3} of {all:3} seen, {aside:3} omitted, {share:2} % less",
                output.to_string(),
                format!("{place:?}")
            );
            set_aside += cut;
        }
        // Otherwise nothing was put to the test. Diffs that people wrote stay whole.
        if set_aside == 0 && output != Output::Diff {
            missed.push(format!("{output}: nothing was set aside"));
        }
    }
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}
