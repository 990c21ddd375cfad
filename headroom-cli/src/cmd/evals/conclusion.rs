//! Says in sentences what paired runs show, and no more than their intervals do.

use headroom_evals::{
    report::Cell,
    stats::{self, PairedCounts},
};

/// Fewer pairs have no interval by resampling: it would be too narrow.
const MIN_RESAMPLED_PAIRS: usize = 10;

/// Compares how often an outcome, such as "answered right", came without Headroom and with it. `items` names what was
/// compared.
pub(super) fn outcomes(counts: &PairedCounts, items: &str, outcome: &str) -> String {
    if counts.total() == 0 {
        return format!("No {items} were compared, so nothing can be said of how many are {outcome}.");
    }
    let PairedCounts { both, lost, gained, neither } = *counts;
    let (low, high) = counts.interval();
    let what = if low > 0.0 {
        format!("More {items} were {outcome} with Headroom")
    } else if high < 0.0 {
        format!("Fewer {items} were {outcome} with Headroom")
    } else {
        format!("No difference was found in how many {items} were {outcome}")
    };
    let excluded = match low {
        low if low > 0.0 => String::new(),
        low => format!(": a loss of more than {:.1} points is excluded", at_most(-low)),
    };
    format!(
        "{what}. Of {} {items}, {both} were {outcome} both times, {lost} only without Headroom, {gained} only with it and {neither} neither time. With \
         95 % confidence the difference is between {:+.1} and {:+.1} points{excluded} (exact p = {:.3}).",
        counts.total(),
        at_least(low),
        at_most(high),
        counts.p_value()
    )
}

/// A lower end in points, rounded so that the sentence stays true.
fn at_least(share: f64) -> f64 {
    (share * 1e3 + 1e-6).floor() / 10.0 + 0.0
}

/// An upper end, likewise.
fn at_most(share: f64) -> f64 {
    (share * 1e3 - 1e-6).ceil() / 10.0 + 0.0
}

/// A sum without Headroom and with it, over pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    pub(super) without: f64,
    pub(super) with: f64,
    /// The change, relative to without; `None` if there was nothing without.
    pub(super) change: Option<f64>,
    /// Its 95 % bootstrap interval, if there are enough pairs.
    pub(super) interval: Option<(f64, f64)>,
}

impl Sums {
    /// Sums pairs of amounts.
    pub(super) fn of(pairs: &[(f64, f64)]) -> Self {
        let sum = |picked: &[&(f64, f64)]| {
            picked.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1))
        };
        let change = |picked: &[&(f64, f64)]| {
            let (without, with) = sum(picked);
            if without > 0.0 { with / without - 1.0 } else { 0.0 }
        };
        let all: Vec<_> = pairs.iter().collect();
        let (without, with) = sum(&all);
        let interval =
            (pairs.len() >= MIN_RESAMPLED_PAIRS && without > 0.0).then(|| stats::interval(pairs, change));
        Self { without, with, change: (without > 0.0).then(|| change(&all)), interval }
    }

    /// The change, for a table.
    pub(super) const fn cell(self) -> Cell {
        match (self.change, self.interval) {
            (Some(change), Some((low, high))) => Cell::Interval(change, low, high),
            (Some(change), None) => Cell::Change(change),
            (None, _) => Cell::None,
        }
    }

    /// Compares the sums; `None` if there is nothing to compare. `show` writes an amount.
    pub(super) fn conclusion(&self, what: &str, show: impl Fn(f64) -> String) -> Option<String> {
        let change = self.change?;
        let (without, with) = (show(self.without), show(self.with));
        let start = format!("{what}: {without} without Headroom, {with} with it ({:+.1} %)", change * 100.0);
        Some(match self.interval {
            None => format!("{start}. These are too few pairs for an interval, so it may be chance."),
            Some((low, high)) => {
                let verdict = match (low, high) {
                    _ if high < 0.0 => "less with Headroom",
                    _ if low > 0.0 => "more with Headroom",
                    _ => "the difference may be chance",
                };
                let (low, high) = (low * 100.0, high * 100.0);
                format!("{start}, 95 % interval {low:+.1} to {high:+.1} %: {verdict}.")
            }
        })
    }
}

/// The mean of differences, and its 95 % bootstrap interval if there are enough of them.
pub(super) fn mean(differences: &[f64]) -> Option<(f64, Option<(f64, f64)>)> {
    let mean = |picked: &[&f64]| picked.iter().copied().sum::<f64>() / picked.len().max(1) as f64;
    let all: Vec<_> = differences.iter().collect();
    let interval = (differences.len() >= MIN_RESAMPLED_PAIRS).then(|| stats::interval(differences, mean));
    (!differences.is_empty()).then(|| (mean(&all), interval))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn counts(both: u64, lost: u64, gained: u64) -> PairedCounts {
        PairedCounts { both, lost, gained, neither: 0 }
    }

    #[test]
    fn a_sentence_claims_what_the_interval_shows() {
        let say = |counts| outcomes(&counts, "questions", "right");
        let same = say(counts(98, 1, 1));
        assert!(
            same.starts_with("No difference was found in how many questions were right. Of 100"),
            "{same}"
        );
        assert!(same.contains(": a loss of more than ") && same.ends_with("(exact p = 1.000)."), "{same}");
        assert!(say(counts(50, 30, 0)).starts_with("Fewer questions were right with Headroom. "));
        let more = say(counts(50, 0, 30));
        assert!(more.starts_with("More questions ") && !more.contains("excluded"), "{more}");
        assert!(say(PairedCounts::default()).starts_with("No questions were compared"));
    }

    #[test]
    fn ends_are_rounded_outward_so_that_they_stay_true() {
        for (share, low, high) in
            [(0.0301, 3.0, 3.1), (0.03, 3.0, 3.0), (-0.0301, -3.1, -3.0), (0.0, 0.0, 0.0)]
        {
            assert_eq!((at_least(share), at_most(share)), (low, high));
        }
        assert_eq!(format!("{:+.1}", at_most(-0.0)), "+0.0");
    }

    #[test]
    fn sums_have_an_interval_where_there_are_enough_pairs() {
        let pairs: Vec<(f64, f64)> = (0..40).map(|n| (10.0, 6.0 + f64::from(n % 5))).collect();
        let sums = Sums::of(&pairs);
        let (low, high) = sums.interval.unwrap();
        assert!(
            (sums.change.unwrap() + 0.2).abs() < 1e-9 && low < -0.2 && -0.2 < high && high < -0.1,
            "{sums:?}"
        );
        assert!(sums.conclusion("Tokens", |n| format!("{n}")).unwrap().ends_with("less with Headroom."));
        let few = Sums::of(&pairs[..4]);
        assert!(few.conclusion("Tokens", |n| format!("{n}")).unwrap().contains("too few pairs"));
        assert_eq!(Sums::of(&[(0.0, 1.0)]).conclusion("Tokens", |n| format!("{n}")), None);
        assert_eq!((mean(&[]), mean(&[1.0, 3.0])), (None, Some((2.0, None))));
    }
}
