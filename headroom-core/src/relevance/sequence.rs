//! Finds breaks in sequences: silences between times, and jumps of counters.

use crate::tuning::tuning;

/// Returns the lines before and after each of the longest silences. Times are given in milliseconds with their lines,
/// in order.
///
/// Times that run backwards begin anew: another file, another program.
pub(crate) fn silences(times: &(impl Iterator<Item = (i64, u32)> + Clone)) -> Vec<(u32, u32)> {
    let pairs = || {
        let pairs = times.clone().zip(times.clone().skip(1));
        pairs.map(|(before, after)| (after.0 - before.0, (before.1, after.1))).filter(|(time, _)| *time >= 0)
    };
    let mut intervals: Vec<i64> = pairs().map(|(time, _)| time).collect();
    if intervals.len() < tuning().relevance.min_values {
        return Vec::new();
    }
    let (middle, stray) =
        (intervals.len() / 2, (intervals.len() / tuning().relevance.intervals_per_stray).max(1));
    let mut from_longest = |at: usize| *intervals.select_nth_unstable_by(at, |a, b| b.cmp(a)).1;
    let (usual, most) = (from_longest(middle), from_longest(stray));
    let least = usual
        .saturating_mul(tuning().relevance.silence_times)
        .max(most.saturating_mul(tuning().relevance.silence_times_of_most))
        .max(tuning().relevance.silence_millis);
    drop(intervals);
    let mut long: Vec<(i64, (u32, u32))> = pairs().filter(|(time, _)| *time > least).collect();
    long.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    long.into_iter().take(tuning().relevance.max_silences).map(|(_, lines)| lines).collect()
}

/// Returns the lines before and after each jump of a counter, which rises by the same step nearly always. Values are
/// given with their lines, in order.
pub(crate) fn jumps(values: &[(f32, u32)]) -> Vec<(u32, u32)> {
    let step = |pair: &[(f32, u32)]| match pair {
        [before, after] => after.0 - before.0,
        _ => 0.0,
    };
    if values.len() < tuning().relevance.min_values {
        return Vec::new();
    }
    // The step of most pairs, by the majority vote.
    let (mut usual, mut votes) = (0.0_f32, 0_usize);
    for pair in values.windows(2) {
        if votes == 0 {
            usual = step(pair);
        }
        votes = if is_same(step(pair), usual) { votes + 1 } else { votes.saturating_sub(1) };
    }
    let others = || values.windows(2).filter(|pair| !is_same(step(pair), usual));
    let count = others().count();
    // Constant values have outliers instead.
    if usual <= 0.0 || count > 1 + values.len() / tuning().relevance.values_per_jump {
        return Vec::new();
    }
    let lines = |pair: &[(f32, u32)]| match pair {
        [before, after] => Some((before.1, after.1)),
        _ => None,
    };
    others().filter_map(lines).collect()
}

/// Whether two steps are the same, as far as their values are exact.
fn is_same(step: f32, other: f32) -> bool {
    (step - other).abs() <= other.abs() * 1e-3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silences_of(times: &[(i64, u32)]) -> Vec<(u32, u32)> {
        silences(&times.iter().copied())
    }

    fn beats(count: u32, every: i64) -> Vec<(i64, u32)> {
        (0..count).map(|n| (i64::from(n) * every, n)).collect()
    }

    fn shifted(mut times: Vec<(i64, u32)>, from: usize, by: i64) -> Vec<(i64, u32)> {
        times[from..].iter_mut().for_each(|time| time.0 += by);
        times
    }

    #[test]
    fn a_silence_is_far_longer_than_the_other_intervals() {
        assert_eq!(silences_of(&shifted(beats(100, 10_000), 40, 7_000_000)), [(39, 40)]);
        assert_eq!(silences_of(&beats(100, 10_000)), []);
        assert_eq!(silences_of(&shifted(beats(100, 10_000), 40, 60_000)), []);
        assert_eq!(silences_of(&shifted(beats(100, 1), 40, 2000)), [], "a short pause");
        assert_eq!(silences_of(&shifted(beats(8, 1000), 4, 7_000_000)), [], "too few to know what is usual");
    }

    #[test]
    fn bursts_have_no_silences() {
        let times: Vec<(i64, u32)> = (0..200_u32).map(|n| (i64::from(n / 10) * 60_000, n)).collect();
        assert_eq!(silences_of(&times), []);
    }

    #[test]
    fn times_that_begin_anew_are_no_silence() {
        let mut times = beats(50, 10_000);
        times.extend(beats(50, 10_000).iter().map(|(time, line)| (time - 90_000_000, line + 50)));
        assert_eq!(silences_of(&times), []);
    }

    #[test]
    fn a_counter_that_jumps_shows_both_sides() {
        let counter = |jump: u32| (0..60_u32).map(move |n| ((n + if n < 30 { 0 } else { jump }) as f32, n));
        assert_eq!(jumps(&counter(500).collect::<Vec<_>>()), [(29, 30)]);
        assert_eq!(jumps(&counter(1).collect::<Vec<_>>()), [(29, 30)]);
        assert_eq!(jumps(&counter(0).collect::<Vec<_>>()), []);
        let restart: Vec<(f32, u32)> = (0..60_u32).map(|n| ((n % 40) as f32, n)).collect();
        assert_eq!(jumps(&restart), [(39, 40)]);
    }

    #[test]
    fn other_numbers_are_no_counters() {
        let sawtooth: Vec<(f32, u32)> = (0..60_u32).map(|n| ((n % 10) as f32, n)).collect();
        assert_eq!(jumps(&sawtooth), []);
        let falling: Vec<(f32, u32)> = (0..60_u32).map(|n| ((600 - n) as f32, n)).collect();
        assert_eq!(jumps(&falling), []);
        let noise: Vec<(f32, u32)> = (0..60_u32).map(|n| ((n * 37 % 101) as f32, n)).collect();
        assert_eq!(jumps(&noise), []);
        let constant: Vec<(f32, u32)> = (0..60_u32).map(|n| (if n == 30 { 5.0 } else { 1.0 }, n)).collect();
        assert_eq!(jumps(&constant), []);
    }
}
