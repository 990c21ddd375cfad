//! `headroom evals tuning`: what half and double of each number by which the engine chooses would change.

use std::{num::NonZero, thread};

use headroom_evals::tuning;

use super::{Bar, EvalsError, args::TuningArgs, data};
use crate::output;

/// Prints the table, or the list of all numbers. There is no goal to miss.
pub(super) fn run(args: &TuningArgs) -> Result<bool, EvalsError> {
    let numbers = tuning::numbers(&args.only)?;
    let text = if args.list {
        let line = |number: &tuning::Number| {
            format!("{:42} {:>8} {:13} {}\n", number.name, number.default, number.unit, number.effect)
        };
        numbers.iter().map(line).collect()
    } else {
        let threads = args.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let found = tuning::run(&mut data(args.data.as_ref())?, numbers, threads, &Bar::new())?;
        if args.json { found.json() } else { found.markdown() }
    };
    output::write(text.as_bytes()).map_err(EvalsError::Write)?;
    Ok(true)
}
