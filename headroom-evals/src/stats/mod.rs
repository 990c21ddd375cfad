//! Computes confidence intervals: by resampling, and exact ones of paired yes-or-no outcomes.

mod paired;

pub use self::paired::PairedCounts;
use crate::conformance::rng::Rng;

/// The number of samples.
const SAMPLES: usize = 10_000;

/// Returns the interval that holds `of` in 95 of 100 samples, each of as many items drawn with replacement.
///
/// The seed is fixed and only sums, products and quotients are used, so the interval is the same on every machine.
///
/// ```
/// let items = [(10, 8), (10, 9), (100, 60)];
/// let sum = |picked: &[&(u64, u64)]| {
///     let (before, after) = picked.iter().fold((0, 0), |(b, a), item| (b + item.0, a + item.1));
///     after as f64 / before as f64 - 1.0
/// };
/// let (low, high) = headroom_evals::stats::interval(&items, sum);
/// assert!(-0.41 < low && low < high && high < -0.09);
/// ```
#[must_use]
pub fn interval<T>(items: &[T], of: impl Fn(&[&T]) -> f64) -> (f64, f64) {
    let mut rng = Rng::new(2_031);
    let mut picked = Vec::with_capacity(items.len());
    let mut values: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            picked.clear();
            if !items.is_empty() {
                picked.extend((0..items.len()).filter_map(|_| items.get(rng.below(items.len()))));
            }
            of(&picked)
        })
        .collect();
    values.sort_by(f64::total_cmp);
    let at = |share: usize| values.get(share * SAMPLES / 1_000).copied().unwrap_or_default();
    (at(25), at(975))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_mean_and_shrinks_with_more_items() {
        let mean = |picked: &[&f64]| picked.iter().copied().sum::<f64>() / picked.len().max(1) as f64;
        let items = |count: usize| (0..count).map(|n| (n % 2) as f64).collect::<Vec<_>>();
        let (few, many) = (interval(&items(10), mean), interval(&items(1_000), mean));
        assert!(few.0 < many.0 && many.0 < 0.5 && 0.5 < many.1 && many.1 < few.1, "{few:?} {many:?}");
        // A thousand tosses of a coin: 1.96 standard deviations of 0.0158.
        assert!((many.1 - 0.531).abs() < 0.003, "{many:?}");
        assert_eq!(interval(&[1.0; 5], mean), (1.0, 1.0));
        assert_eq!(interval(&[], mean), (0.0, 0.0));
    }
}
