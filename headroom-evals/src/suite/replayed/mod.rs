//! Measures whole conversations: their price, and whether facts that were used later were visible.

mod bill;
mod needles;

use serde_json::Value;

use super::{EvalError, Progress, Suite};
use crate::{
    Compressor,
    compressor::{Masking, Truncation, Whole},
    replay::{NeedleFate, Prices, Replayed, Tokens, Trace, made, replay},
    report::Section,
};

/// All conversations replayed through one compressor.
struct Column {
    name: String,
    is_own: bool,
    of: Vec<Replayed>,
}

impl Column {
    /// The price before and after, for each conversation.
    fn bills(&self, whole: &Self, prices: &Prices) -> Vec<(u64, u64)> {
        let pair =
            |(before, after): (&Replayed, &Replayed)| (before.bill.price(prices), after.bill.price(prices));
        whole.of.iter().zip(&self.of).map(pair).collect()
    }

    fn found(&self) -> (usize, usize, usize) {
        let all = self.of.iter().flat_map(|replayed| &replayed.needles);
        all.fold((0, 0, 0), |(seen, aside, all), (_, found)| {
            (
                seen + usize::from(*found == NeedleFate::Visible),
                aside + usize::from(*found == NeedleFate::Aside),
                all + 1,
            )
        })
    }
}

pub(super) fn run(suite: &mut Suite, progress: &dyn Progress) -> Result<[Section; 2], EvalError> {
    let needles = suite.data.json("corpora", "needles.json")?.unwrap_or(Value::Null);
    let files = suite.data.files("corpora/agent-traces")?;
    let recorded: Vec<Trace> = files.iter().filter_map(|file| Trace::read(file, &needles)).collect();
    // Only recorded conversations have goals for their numbers; goals that hold for every conversation always count.
    let is_recorded = !recorded.is_empty();
    let (traces, data) = if recorded.is_empty() {
        (made(), "four conversations that are made here".to_owned())
    } else {
        let count = recorded.len();
        (recorded, format!("`corpora/agent-traces`, {count} recorded conversations of agents"))
    };
    let traces = suite.sample(traces, 4);
    let mut whole = Whole;
    let (mut masking, mut truncation) =
        (Masking::new(suite.options.masking), Truncation::new(suite.options.truncation / 2));
    let turns = suite.options.turns;
    let mut columns: Vec<Column> = Vec::new();
    {
        let mut all: Vec<&mut dyn Compressor> = vec![&mut whole];
        all.extend(suite.compressors.iter_mut().map(|compressor| &mut **compressor as &mut dyn Compressor));
        all.extend([&mut masking as &mut dyn Compressor, &mut truncation]);
        columns.extend(all.iter().map(|compressor| Column {
            name: compressor.name().to_owned(),
            is_own: compressor.is_own(),
            of: Vec::new(),
        }));
        progress.begin("conversations", traces.len());
        for trace in &traces {
            let mut tokens = Tokens::default();
            for (compressor, column) in all.iter_mut().zip(&mut columns) {
                column.of.push(replay(trace, &mut **compressor, &mut tokens, turns));
            }
            progress.step();
        }
    }
    let bill = bill::section(suite, &traces, &columns, &data, is_recorded);
    let needles = needles::section(suite, &traces, &columns, data, is_recorded);
    Ok([bill, needles])
}
