//! Measures facts planted in generated output: of every kind, in every place, named and unnamed.

use std::fmt;

use headroom_core::Api;

use super::{Progress, Suite, sent};
use crate::{
    compressor::Turn,
    conformance::{
        ask::Ask,
        output::{Output, Planted},
        rng::Rng,
    },
    report::{Cell, Section, Table},
};

/// How else a planted fact can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Question,
    Arguments,
    StandsOut,
    Nowhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Question => "named by the user",
            Self::Arguments => "named by the call",
            Self::StandsOut => "an error or outlier",
            Self::Nowhere => "like all others",
        })
    }
}

const PLACES: [Place; 4] = [Place::Question, Place::Arguments, Place::StandsOut, Place::Nowhere];
/// The fact's position in the output, in percent.
const HEIGHTS: [usize; 5] = [1, 25, 50, 75, 98];
const SIZES: [usize; 3] = [60, 300, 1_500];

#[derive(Default)]
struct Count {
    all: usize,
    seen: usize,
    aside: usize,
    before: u64,
    after: u64,
}

impl Count {
    /// Returns how many facts can neither be seen nor retrieved.
    fn lost(&self) -> usize {
        self.all - self.seen - self.aside
    }
}

pub(super) fn run(suite: &mut Suite, progress: &dyn Progress) -> Section {
    let sizes: &[usize] = if suite.options.quick { &[300] } else { &SIZES };
    let mut section = Section {
        id: "planted",
        title: "Planted facts",
        about: format!(
            "A word that stands once in the output of a tool, in {} rows of it (at 1, 25, 50, 75 and 98 % of the \
             height, in both wire formats): in a row that the user's question names, that the call names, that is an \
             error or an outlier, or that is like all others. What is named or stands out must be visible; what is \
             not must be retrievable.",
            sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
        ),
        data: "output that is made here from fixed seeds".to_owned(),
        command: suite.command("planted"),
        ..Section::default()
    };
    let mut table = Table::new(
        "",
        &[
            ("kind", "output"),
            ("place", "the fact is"),
            ("compressor", "compressor"),
            ("visible", "visible"),
            ("retrievable", "retrievable"),
            ("lost", "lost"),
            ("bytes", "bytes of the result"),
        ],
    );
    progress.begin("planted facts", Output::ALL.len());
    let mut total = Total::default();
    for output in Output::ALL {
        for place in PLACES.into_iter().filter(|place| *place != Place::StandsOut || output.has_outliers()) {
            let mut counts: Vec<Count> = suite.compressors.iter().map(|_| Count::default()).collect();
            for size in sizes {
                for (round, height) in HEIGHTS.into_iter().enumerate() {
                    plant(suite, output, place, (*size, round as u64, height), &mut counts);
                }
            }
            for (compressor, count) in suite.compressors.iter().zip(counts) {
                if compressor.is_own() {
                    total.add(place, &count);
                }
                table.row([
                    Cell::text(output.to_string()),
                    Cell::text(place.to_string()),
                    Cell::text(compressor.name()),
                    Cell::ratio(count.seen, count.all),
                    Cell::count(count.aside),
                    Cell::count(count.lost()),
                    Cell::change(count.before, count.after),
                ]);
            }
        }
        progress.step();
    }
    total.goals(suite);
    section.tables.push(table);
    section
}

/// What the goals are about, over all output.
#[derive(Default)]
struct Total {
    named: usize,
    named_seen: usize,
    lost: usize,
}

impl Total {
    fn add(&mut self, place: Place, count: &Count) {
        if place != Place::Nowhere {
            self.named += count.all;
            self.named_seen += count.seen;
        }
        self.lost += count.lost();
    }

    fn goals(&self, suite: &mut Suite) {
        let Self { named, named_seen, lost } = self;
        let what = "planted facts that are named or stand out, visible";
        suite.goal("planted", what, "all", format!("{named_seen}/{named}"), named_seen == named);
        let what = "planted facts neither visible nor retrievable";
        suite.goal("planted", what, "0", lost.to_string(), *lost == 0);
    }
}

fn plant(suite: &mut Suite, output: Output, place: Place, of: (usize, u64, usize), counts: &mut [Count]) {
    let (size, round, height) = of;
    let mut rng = Rng::new(round << 32 ^ size as u64);
    let word = format!("kestrel{}", rng.below(9_000) + 1_000);
    let at = size * height / 100;
    let planted = Planted { at, word: &word, stands_out: place == Place::StandsOut };
    let text = output.text(size, round, Some(planted));
    let asked = format!("What happened to {word}?");
    let (tool, arguments) = output.call((place == Place::Arguments).then_some(word.as_str()));
    let question = if place == Place::Question { &asked } else { "Look at it." };
    let ask = Ask { question, tool, arguments, result: &text };
    for api in [Api::Anthropic, Api::OpenAiChat] {
        let body = ask.body(api);
        for (compressor, count) in suite.compressors.iter_mut().zip(counts.iter_mut()) {
            let turn = Turn { api, conversation: "planted", body: &body, answer: None };
            let (sent, _) = sent(&mut **compressor, &turn);
            let shown = Ask::result_of(api, &sent.body).unwrap_or_default();
            count.all += 1;
            count.before += text.len() as u64;
            count.after += shown.len() as u64;
            if shown.contains(&word) {
                count.seen += 1;
            } else if sent.originals.iter().any(|original| original.content().contains(&word)) {
                count.aside += 1;
            }
        }
    }
}
