//! The list of all numbers, and other values for one of them, for the evaluation.

use std::cell::Cell;

use super::Tuning;

thread_local! {
    static CURRENT: Cell<&'static Tuning> = const { Cell::new(&Tuning::DEFAULT) };
}

pub(super) fn current() -> &'static Tuning {
    CURRENT.get()
}

/// One number by which compressors or detectors choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    /// Its group and its name in the group: `log.min_gap_bytes`.
    pub name: &'static str,
    /// What it counts.
    pub unit: &'static str,
    /// What it decides.
    pub effect: &'static str,
    /// The value that holds.
    pub default: f64,
    /// Half of it, rounded down, but not below the least value with a meaning.
    pub half: f64,
    /// Twice of it; at most the whole, if it is a percentage.
    pub double: f64,
}

/// Returns all numbers, by group.
#[must_use]
pub fn numbers() -> Vec<Number> {
    let mut list = List(Vec::new());
    let mut tuning = Tuning::DEFAULT;
    tuning.visit(&mut list);
    list.0
}

/// Runs with another value for a number; only on this thread, and only as long as `run` takes. Returns `None` if there is
/// no such number.
///
/// Engines that ran before must not run again inside: they remember outcomes.
#[must_use]
pub fn with<R>(name: &str, value: f64, run: impl FnOnce() -> R) -> Option<R> {
    let mut tuning = *current();
    let mut change = Change { name, value, was_found: false };
    tuning.visit(&mut change);
    if !change.was_found {
        return None;
    }
    // As long as the process: readers hold references, and an evaluation tries a few hundred values.
    let _reset = Reset(CURRENT.replace(Box::leak(Box::new(tuning))));
    Some(run())
}

/// Restores the numbers, also when what ran with others panicked.
struct Reset(&'static Tuning);

impl Drop for Reset {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// What is known of a number besides its value.
pub(crate) struct Entry {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) effect: &'static str,
    pub(super) least: u32,
}

/// Sees every number.
pub(crate) trait Visitor {
    fn number(&mut self, entry: Entry, value: &mut dyn Value);
}

struct List(Vec<Number>);

impl Visitor for List {
    fn number(&mut self, entry: Entry, value: &mut dyn Value) {
        let Entry { name, unit, effect, least } = entry;
        let default = value.get();
        let half = if value.is_whole() { (default / 2.0).floor() } else { default / 2.0 };
        let double = if unit == "percent" { (default * 2.0).min(100.0) } else { default * 2.0 };
        let effect = effect.trim();
        self.0.push(Number { name, unit, effect, default, half: half.max(f64::from(least)), double });
    }
}

struct Change<'a> {
    name: &'a str,
    value: f64,
    was_found: bool,
}

impl Visitor for Change<'_> {
    fn number(&mut self, entry: Entry, value: &mut dyn Value) {
        if entry.name == self.name {
            value.set(self.value.max(f64::from(entry.least)));
            self.was_found = true;
        }
    }
}

/// A value of any type of number.
pub(crate) trait Value {
    fn get(&self) -> f64;
    fn set(&mut self, value: f64);
    fn is_whole(&self) -> bool;
}

macro_rules! values {
    ($($type:ty: $is_whole:literal,)+) => {
        $(#[allow(clippy::unnecessary_cast, reason = "one of the types is that of the result")]
        impl Value for $type {
            fn get(&self) -> f64 {
                *self as f64
            }

            fn set(&mut self, value: f64) {
                *self = value as Self;
            }

            fn is_whole(&self) -> bool {
                $is_whole
            }
        })+
    };
}

values! { usize: true, u16: true, u32: true, i64: true, f32: false, f64: false, }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::tuning;

    #[test]
    fn every_number_has_a_name_of_its_own_an_effect_and_a_half_that_has_a_meaning() {
        let numbers = numbers();
        let mut names: Vec<&str> = numbers.iter().map(|number| number.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), numbers.len());
        for number in &numbers {
            assert!(number.effect.ends_with('.') && number.effect.len() > 12, "{number:?}");
            assert!(number.half <= number.default && number.default <= number.double, "{number:?}");
        }
    }

    #[test]
    fn another_value_holds_inside_alone_and_no_longer_than_it_runs() {
        let lines = || tuning().log.min_lines;
        let default = lines();
        let inner = || (lines(), std::thread::scope(|scope| scope.spawn(lines).join().unwrap()));
        assert_eq!(with("log.min_lines", 7.0, inner), Some((7, default)));
        assert_eq!(with("log.min_lines", 0.0, lines), Some(1), "its least value");
        let broken = std::panic::catch_unwind(|| with("log.min_lines", 7.0, || panic!("inside")));
        assert!(broken.is_err() && lines() == default && with("log.nothing", 7.0, lines).is_none());
    }
}
