//! Measures what half and double of each number by which the engine chooses would change.
//!
//! A number matters if tokens or facts depend on it. All inputs are compressed once with the defaults and twice for each
//! number, on every core; only what comes out different is counted again. Each input is one request, so that a run takes
//! minutes: prices of whole conversations are what [`crate::Suite`] measures.

mod fact;
mod input;
mod report;

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

pub use headroom_core::__tuning::Number;
use headroom_core::{
    __tuning::{self, with},
    CompressOptions, Engine, Retrieval,
};

use crate::{Data, EvalError, Progress};
pub use fact::Fate;
pub use input::Input;

/// What half and double of each number change.
#[derive(Clone, Debug)]
pub struct Sensitivity {
    /// The outcome with every default.
    pub default: Outcome,
    /// The numbers, by group.
    pub numbers: Vec<Tried>,
    /// The inputs of each kind, and their tokens.
    pub kinds: BTreeMap<&'static str, (usize, u64)>,
}

/// A number, with the outcomes of other values.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The number.
    pub number: Number,
    /// The outcome with half of it; `None` if half of it is the same.
    pub half: Option<Outcome>,
    /// The outcome with twice of it; `None` if twice of it is the same.
    pub double: Option<Outcome>,
}

/// What came out of all inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The tokens that are sent, by kind of input.
    pub sent: BTreeMap<&'static str, u64>,
    /// The number of facts that are visible.
    pub visible: usize,
    /// The number of facts that are not visible and can be retrieved.
    pub aside: usize,
    /// The number of facts that are neither visible nor retrievable.
    pub lost: usize,
    /// Inputs that come out different from what the defaults make of them.
    pub changed: usize,
}

/// Returns the numbers whose name or group is one of `only`; all, if that is empty.
///
/// # Errors
///
/// Fails if nothing has such a name.
pub fn numbers(only: &[String]) -> Result<Vec<Number>, EvalError> {
    let mut all = __tuning::numbers();
    let is_named = |number: &Number, name: &str| {
        number.name == name || number.name.split_once('.').is_some_and(|(group, _)| group == name)
    };
    if let Some(unknown) = only.iter().find(|name| !all.iter().any(|number| is_named(number, name))) {
        return Err(EvalError::UnknownNumber(unknown.clone()));
    }
    all.retain(|number| only.is_empty() || only.iter().any(|name| is_named(number, name)));
    Ok(all)
}

/// Compresses every input with half and with double of each number, on this many threads.
///
/// # Errors
///
/// Fails if data cannot be read.
pub fn run(
    data: &mut Data,
    numbers: Vec<Number>,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Sensitivity, EvalError> {
    let inputs = input::inputs(data)?;
    let before: Vec<Seen> = inputs.iter().map(|input| seen(&Engine::new(), input)).collect();
    let default = outcome(&inputs, &before, None);
    let settings: Vec<(usize, f64)> = numbers
        .iter()
        .enumerate()
        .flat_map(|(at, number)| [(at, number.half), (at, number.double)])
        .filter(|(at, value)| {
            numbers.get(*at).is_some_and(|number| number.default.to_bits() != value.to_bits())
        })
        .collect();
    progress.begin("half and double of each number", settings.len());
    let mut tried: Vec<Tried> =
        numbers.into_iter().map(|number| Tried { number, half: None, double: None }).collect();
    let names: Vec<&str> = tried.iter().map(|tried| tried.number.name).collect();
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let found: Vec<(usize, f64, Outcome)> = thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            let (send, next, settings, names) = (send.clone(), &next, &settings, &names);
            let (inputs, before) = (&inputs, &before);
            scope.spawn(move || {
                while let Some((at, value)) = settings.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Some(name) = names.get(*at) else { continue };
                    let Some(outcome) = with(name, *value, || again(inputs, before)) else { continue };
                    // Nobody receives any more only if this run was given up.
                    if send.send((*at, *value, outcome)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        receive.iter().inspect(|_| progress.step()).collect()
    });
    for (at, value, outcome) in found {
        let Some(tried) = tried.get_mut(at) else { continue };
        let place = if value < tried.number.default { &mut tried.half } else { &mut tried.double };
        *place = Some(outcome);
    }
    let mut kinds: BTreeMap<&'static str, (usize, u64)> = BTreeMap::new();
    for input in &inputs {
        let (count, tokens) = kinds.entry(input.kind).or_default();
        (*count, *tokens) = (*count + 1, *tokens + input.tokens);
    }
    Ok(Sensitivity { default, numbers: tried, kinds })
}

/// The tokens of what is sent, and the fate of each fact.
type Judged = (u64, Vec<Fate>);

/// What came out of one input.
struct Seen {
    body: Option<Vec<u8>>,
    sent: u64,
    fates: Vec<Fate>,
}

fn options() -> CompressOptions {
    CompressOptions::new().retrieval(Retrieval::ServerTool)
}

fn seen(engine: &Engine, input: &Input) -> Seen {
    let outcome = engine.compress(input.api, &input.body, &options());
    let (sent, fates) = input.judge(&outcome);
    Seen { body: outcome.body().map(<[u8]>::to_vec), sent, fates }
}

/// Compresses every input anew; `None` stands for what comes out as before.
fn again(inputs: &[Input], before: &[Seen]) -> Outcome {
    let engine = Engine::new();
    let changed = inputs.iter().zip(before).map(|(input, before)| {
        let outcome = engine.compress(input.api, &input.body, &options());
        (outcome.body() != before.body.as_deref()).then(|| input.judge(&outcome))
    });
    let changed: Vec<_> = changed.collect();
    outcome(inputs, before, Some(&changed))
}

fn outcome(inputs: &[Input], before: &[Seen], changed: Option<&[Option<Judged>]>) -> Outcome {
    let mut sum = Outcome::default();
    for (at, (input, seen)) in inputs.iter().zip(before).enumerate() {
        let new = changed.and_then(|changed| changed.get(at)?.as_ref());
        sum.changed += usize::from(new.is_some());
        let (sent, fates) = new.map_or((seen.sent, &seen.fates), |(sent, fates)| (*sent, fates));
        *sum.sent.entry(input.kind).or_default() += sent;
        for fate in fates {
            match fate {
                Fate::Visible => sum.visible += 1,
                Fate::Aside => sum.aside += 1,
                Fate::Lost => sum.lost += 1,
            }
        }
    }
    sum
}
