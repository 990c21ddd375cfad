//! Compares yes-or-no outcomes of the same items without and with a change.

/// The confidence of intervals: 95 %, so that each end may be wrong in one of 40 cases.
const TAIL: f64 = 0.025;
/// The part of `TAIL` that is spent on not knowing how many pairs differ.
const NUISANCE_TAIL: f64 = 0.000_5;
/// Values of the nuisance parameter that are tried.
const NUISANCE_STEPS: u32 = 32;
/// Halvings of an interval, to less than a thousandth of a point.
const HALVINGS: u32 = 18;
/// With more pairs that differ, the score interval takes the place of the exact one: they agree to a tenth of a point there.
const MAX_EXACT_DISCORDANT: u64 = 400;
/// The quantile of the normal distribution for `TAIL`.
const NORMAL_QUANTILE: f64 = 1.959_963_985;
/// A probability that is too small to matter.
const NEGLIGIBLE: f64 = 1e-7;

/// How many items have which outcome without and with the change.
///
/// ```
/// use headroom_evals::stats::PairedCounts;
///
/// // Of 200 questions 150 are right both times, 3 only without the change, 2 only with it.
/// let counts = PairedCounts { both: 150, lost: 3, gained: 2, neither: 45 };
/// assert_eq!(counts.difference(), -0.005);
/// assert!(counts.p_value() > 0.9);
/// let (low, high) = counts.interval();
/// assert!(-0.04 < low && low < -0.02 && 0.01 < high && high < 0.03);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairedCounts {
    /// Yes both times.
    pub both: u64,
    /// Yes without the change, no with it.
    pub lost: u64,
    /// No without the change, yes with it.
    pub gained: u64,
    /// No both times.
    pub neither: u64,
}

impl PairedCounts {
    /// Counts pairs of outcomes: without the change, and with it.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let mut counts = Self::default();
        for pair in pairs {
            *match pair {
                (true, true) => &mut counts.both,
                (true, false) => &mut counts.lost,
                (false, true) => &mut counts.gained,
                (false, false) => &mut counts.neither,
            } += 1;
        }
        counts
    }

    /// Returns the number of pairs.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.both + self.lost + self.gained + self.neither
    }

    /// Returns by how much the share of yes is higher with the change; 0 without pairs.
    #[must_use]
    pub fn difference(&self) -> f64 {
        if self.total() == 0 { 0.0 } else { (self.gained as f64 - self.lost as f64) / self.total() as f64 }
    }

    /// Returns the two-sided p-value of McNemar's test in its exact form: how probable a split of the pairs that differ is
    /// that is at least as uneven, if both directions are equally probable.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        let discordant = self.lost + self.gained;
        let logs = LogFactorials::up_to(discordant);
        let half = |count| logs.binomial(discordant, count, 0.5);
        (2.0 * (0..=self.lost.min(self.gained)).map(half).sum::<f64>()).min(1.0)
    }

    /// Returns the 95 % interval of [`difference`](Self::difference).
    ///
    /// It holds the differences that an exact unconditional test does not reject: Tango's score statistic (Statistics in
    /// Medicine 17, 1998) orders the possible results, and their probability is the highest over all shares of pairs that
    /// differ which are compatible with the data (Berger and Boos, Journal of the American Statistical Association 89,
    /// 1994). The true difference is inside in at least 95 of 100 evaluations, however few pairs there are. With more than
    /// 400 pairs that differ it is the score interval itself.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        let n = self.total();
        if n == 0 {
            return (-1.0, 1.0);
        }
        // The upper end is the lower one with the directions exchanged.
        let (low, high) = (lower_end(n, self.lost, self.gained), lower_end(n, self.gained, self.lost));
        (low, -high)
    }
}

/// Returns the smallest difference that is not rejected.
fn lower_end(n: u64, lost: u64, gained: u64) -> f64 {
    let mut exact = (lost + gained <= MAX_EXACT_DISCORDANT).then(|| ExactTest::new(n, lost, gained));
    let mut is_rejected = |difference: f64| match &mut exact {
        Some(exact) => exact.p_value(difference) <= TAIL,
        None => score(n, lost, gained, difference) >= NORMAL_QUANTILE,
    };
    let (mut rejected, mut kept) = (-1.0, (gained as f64 - lost as f64) / n as f64);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(rejected, kept);
        *(if is_rejected(middle) { &mut rejected } else { &mut kept }) = middle;
    }
    rejected
}

/// Tango's statistic: how many standard deviations the result is above this difference.
fn score(n: u64, lost: u64, gained: u64, difference: f64) -> f64 {
    let (n, lost, gained) = (n as f64, lost as f64, gained as f64);
    // The most probable share of lost pairs, given the difference.
    let linear = (2.0 * n - gained + lost) * difference - lost - gained;
    let constant = lost * difference * (1.0 - difference);
    let share = ((linear * linear + 8.0 * n * constant).max(0.0).sqrt() - linear) / (4.0 * n);
    let variance = n * (2.0 * share + difference * (1.0 - difference));
    let distance = gained - lost - n * difference;
    match variance > 1e-12 {
        true => distance / variance.sqrt(),
        false if distance.abs() < 1e-9 => 0.0,
        false => f64::INFINITY.copysign(distance),
    }
}

/// The exact test for one result.
struct ExactTest {
    n: u64,
    lost: u64,
    gained: u64,
    logs: LogFactorials,
    /// The compatible shares of pairs that differ.
    shares: (f64, f64),
    /// More pairs than this do not differ.
    most: u64,
}

impl ExactTest {
    fn new(n: u64, lost: u64, gained: u64) -> Self {
        let logs = LogFactorials::up_to(n);
        let shares = logs.share_interval(n, lost + gained, NUISANCE_TAIL);
        let mut rest = 1.0;
        let mut most = 0;
        while most < n && rest > NEGLIGIBLE {
            rest -= logs.binomial(n, most, shares.1);
            most += 1;
        }
        Self { n, lost, gained, logs, shares, most }
    }

    /// The highest probability of a result at least as far above this difference.
    fn p_value(&self, difference: f64) -> f64 {
        let observed = score(self.n, self.lost, self.gained, difference) - 1e-9;
        let mut extreme = Vec::new();
        for lost in 0..=self.most {
            let as_far = |gained: &u64| score(self.n, lost, *gained, difference) >= observed;
            extreme.extend((0..=self.most - lost).filter(as_far).map(|gained| (lost, gained)));
        }
        let (low, high) = (self.shares.0.max(difference.abs()), self.shares.1);
        let probability = |step| {
            let share = low + (high - low) * f64::from(step) / f64::from(NUISANCE_STEPS);
            let (lost, gained) = ((share - difference) / 2.0, f64::midpoint(share, difference));
            let each = extreme.iter().map(|&(l, g)| self.logs.trinomial(self.n, (l, lost), (g, gained)));
            each.sum::<f64>()
        };
        let highest =
            if low > high { 0.0 } else { (0..=NUISANCE_STEPS).map(probability).fold(0.0, f64::max) };
        highest + NUISANCE_TAIL + NEGLIGIBLE
    }
}

/// Logarithms of factorials.
struct LogFactorials(Vec<f64>);

impl LogFactorials {
    fn up_to(n: u64) -> Self {
        let mut sum = 0.0;
        let logs = (1..=n).map(|k| {
            sum += (k as f64).ln();
            sum
        });
        Self(std::iter::once(0.0).chain(logs).collect())
    }

    fn of(&self, n: u64) -> f64 {
        usize::try_from(n).ok().and_then(|n| self.0.get(n)).copied().unwrap_or(f64::INFINITY)
    }

    /// The probability of exactly `k` of `n`.
    fn binomial(&self, n: u64, k: u64, share: f64) -> f64 {
        self.trinomial(n, (k, share), (0, 0.0))
    }

    /// The probability of exactly these counts, each with its share, among `n`.
    fn trinomial(&self, n: u64, a: (u64, f64), b: (u64, f64)) -> f64 {
        let rest = n - a.0 - b.0;
        let term = |count: u64, share: f64| if count == 0 { 0.0 } else { count as f64 * share.max(0.0).ln() };
        let log = self.of(n) - self.of(a.0) - self.of(b.0) - self.of(rest)
            + term(a.0, a.1)
            + term(b.0, b.1)
            + term(rest, 1.0 - a.1 - b.1);
        log.exp()
    }

    /// The interval of Clopper and Pearson for a share, wrong with this probability.
    fn share_interval(&self, n: u64, k: u64, wrong: f64) -> (f64, f64) {
        let tail =
            |from: u64, to: u64, share| (from..=to).map(|count| self.binomial(n, count, share)).sum::<f64>();
        let search = |is_below: &dyn Fn(f64) -> bool| {
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..40 {
                let middle = f64::midpoint(low, high);
                *(if is_below(middle) { &mut low } else { &mut high }) = middle;
            }
            (low, high)
        };
        let low = if k == 0 { 0.0 } else { search(&|share| tail(k, n, share) < wrong / 2.0).0 };
        let high = if k == n { 1.0 } else { search(&|share| tail(0, k, share) > wrong / 2.0).1 };
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn counts(total: u64, lost: u64, gained: u64) -> PairedCounts {
        PairedCounts { both: total - lost - gained, lost, gained, neither: 0 }
    }

    #[test]
    fn the_true_difference_is_inside_in_95_of_100_evaluations_whatever_it_is() {
        const N: u64 = 14;
        let logs = LogFactorials::up_to(N);
        let results: Vec<(u64, u64)> =
            (0..=N).flat_map(|lost| (0..=N - lost).map(move |gained| (lost, gained))).collect();
        let intervals: Vec<_> =
            results.iter().map(|&(lost, gained)| counts(N, lost, gained).interval()).collect();
        let shares = [0.0, 0.01, 0.03, 0.08, 0.15, 0.25, 0.4, 0.6];
        let mut least: f64 = 1.0;
        for lost in shares {
            for gained in shares.into_iter().filter(|gained| lost + gained <= 1.0) {
                let inside = results
                    .iter()
                    .zip(&intervals)
                    .filter(|(_, (low, high))| (*low - 1e-9..=*high + 1e-9).contains(&(gained - lost)));
                let covered: f64 = inside.map(|(&(l, g), _)| logs.trinomial(N, (l, lost), (g, gained))).sum();
                assert!(covered >= 0.95 - 1e-9, "{lost} {gained}: {covered}");
                least = least.min(covered);
            }
        }
        assert!(least < 0.99, "an interval that is always right may be far too wide: {least}");
    }

    #[test]
    fn no_pair_that_differs_still_excludes_no_small_loss() {
        for (total, low) in [(10, 0.32), (100, 0.037), (300, 0.0125)] {
            let (found, high) = counts(total, 0, 0).interval();
            assert!(
                (found + low).abs() < 0.1 * low && (found + high).abs() < 1e-9,
                "{total}: {found} {high}"
            );
        }
        assert_eq!(PairedCounts::default().interval(), (-1.0, 1.0));
    }

    #[test]
    fn exact_and_score_intervals_meet_where_many_pairs_differ() {
        let (exact, score) = (counts(900, 220, 180).interval(), counts(903, 221, 181).interval());
        assert!(
            (exact.0 - score.0).abs() < 0.003 && (exact.1 - score.1).abs() < 0.003,
            "{exact:?} {score:?}"
        );
        assert!(exact.0 < -0.08 && 0.0 > exact.1 - 0.001, "{exact:?}");
    }

    #[test]
    fn the_exact_test_of_mcnemar_counts_the_pairs_that_differ() {
        for (lost, gained, p) in
            [(0, 0, 1.0), (5, 5, 1.0), (0, 5, 0.0625), (6, 0, 0.03125), (1, 9, 22.0 / 1024.0)]
        {
            let found = counts(50, lost, gained).p_value();
            assert!((found - p).abs() < 1e-9, "{lost} {gained}: {found}");
        }
        let pairs = [(true, true), (true, false), (false, true), (false, false), (true, false)];
        assert_eq!(PairedCounts::from_pairs(pairs), PairedCounts { both: 1, lost: 2, gained: 1, neither: 1 });
    }
}
