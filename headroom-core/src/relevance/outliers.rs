//! Finds numbers that differ from the others in the same position.

use crate::tuning::tuning;

/// Parses the number whose digits start here, unless they are part of a date, an address, a version or a name.
pub(crate) fn at(bytes: &[u8], start: usize, end: usize) -> Option<f32> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let first = byte(start);
    let before = start.checked_sub(1).map_or(b' ', byte);
    let further = start.checked_sub(2).map_or(b' ', byte);
    let is_part = match before {
        b'.' | b'/' | b'_' | b'#' => true,
        b':' => further.is_ascii_digit(),
        b'-' => further.is_ascii_alphanumeric() || further == b'-',
        _ => false,
    };
    if !first.is_ascii_digit() || is_part {
        return None;
    }
    let mut value = 0_f32;
    let mut at = start;
    while byte(at).is_ascii_digit() && at - start < 20 {
        value = value.mul_add(10.0, f32::from(byte(at) - b'0'));
        at += 1;
    }
    let unit = end - at;
    if unit > 2 {
        return None;
    }
    if unit == 0 && byte(at) == b'.' && byte(at + 1).is_ascii_digit() {
        let mut scale = 0.1_f32;
        at += 1;
        while byte(at).is_ascii_digit() && scale > 1e-6 {
            value = scale.mul_add(f32::from(byte(at) - b'0'), value);
            scale *= 0.1;
            at += 1;
        }
    }
    let date = matches!(byte(at), b'.' | b':' | b'/' | b'-' | b'_') && byte(at + 1).is_ascii_alphanumeric();
    (!date).then_some(if before == b'-' { -value } else { value })
}

/// Returns the lines of the values that are far from the others. Values are given with their lines, in order.
pub(crate) fn outliers(values: &[(f32, u32)]) -> Vec<u32> {
    let count = values.len();
    if count < tuning().relevance.min_values {
        return Vec::new();
    }
    let mut sorted: Vec<f32> = values.iter().map(|(value, _)| *value).collect();
    let Some(median) = middle(&mut sorted) else { return Vec::new() };
    for value in &mut sorted {
        *value = (*value - median).abs();
    }
    let Some(deviation) = middle(&mut sorted) else { return Vec::new() };
    let rises = values.windows(2).filter(|pair| matches!(pair, [a, b] if a.0 < b.0)).count();
    if deviation > 0.0 && rises * 100 > count * tuning().relevance.max_rises {
        return Vec::new();
    }
    let limit = if deviation > 0.0 { deviation * tuning().relevance.min_deviations } else { 0.0 };
    let mut far: Vec<(f32, u32)> = values
        .iter()
        .map(|(value, line)| ((value - median).abs(), *line))
        .filter(|(distance, _)| *distance > limit)
        .collect();
    if far.len() > tuning().relevance.max_outliers.max(count / tuning().relevance.values_per_outlier)
        && deviation == 0.0
    {
        return Vec::new();
    }
    far.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    far.truncate(tuning().relevance.max_outliers);
    far.into_iter().map(|(_, line)| line).collect()
}

/// Returns the median. Leaves the values in unspecified order.
pub(crate) fn middle(values: &mut [f32]) -> Option<f32> {
    let at = values.len() / 2;
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_dates_addresses_and_names() {
        for (text, number) in [
            ("took 17.5 ms", Some(17.5)),
            ("latency=50ms,", Some(50.0)),
            ("(size 67108864)", Some(67_108_864.0)),
            ("\"ms\":8800}", Some(8800.0)),
            ("by -3", Some(-3.0)),
            ("at 10:32:11", None),
            ("on 2024-01-15", None),
            ("from 10.251.30.85", None),
            ("req-000123", None),
            ("v1.2.3", None),
        ] {
            let start = text.find(|c: char| c.is_ascii_digit()).unwrap();
            let end =
                text[start..].find(|c: char| !c.is_ascii_alphanumeric()).map_or(text.len(), |n| start + n);
            assert_eq!(at(text.as_bytes(), start, end), number, "{text}");
        }
    }

    #[test]
    fn values_far_from_the_others_are_outliers() {
        let spread = |n: u32| f32::from(u16::try_from(n * 37 % 101).unwrap());
        let mut values: Vec<(f32, u32)> = (0..200).map(|n| (spread(n), n)).collect();
        assert_eq!(outliers(&values), [0; 0]);
        values[70].0 = 4000.0;
        values[90].0 = -4000.0;
        assert_eq!(outliers(&values), [90, 70]);
    }

    #[test]
    fn the_one_other_value_is_an_outlier_and_a_counter_has_none() {
        let mut values = vec![(200.0, 0); 50];
        values[20] = (500.0, 20);
        assert_eq!(outliers(&values), [20]);
        let counter: Vec<(f32, u32)> =
            (0..100).map(|n| (if n < 90 { n } else { n * 1000 } as f32, n)).collect();
        assert_eq!(outliers(&counter), [0; 0]);
        assert_eq!(outliers(&[(1.0, 0), (900.0, 1)]), [0; 0]);
    }
}
