//! Numbers that stand apart from the others in their place.

/// Fewer values have no usual range.
const MIN_VALUES: usize = 12;
/// How many median deviations from the median make an outlier.
const FAR: f32 = 10.0;
/// Most outliers kept of one place.
const MOST: usize = 4;

/// The number whose digits start here, unless they are a part of a date, an address, a version or a name.
pub(super) fn at(bytes: &[u8], start: usize, end: usize) -> Option<f32> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(b' ');
    let first = byte(start);
    let before = start.checked_sub(1).map_or(b' ', byte);
    if !first.is_ascii_digit() || matches!(before, b'.' | b':' | b'/' | b'_' | b'-' | b'#') {
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
    (!date).then_some(value)
}

/// The lines of the values that are far from the others, given with their lines in order.
pub(super) fn outliers(values: &[(f32, u32)]) -> Vec<u32> {
    let count = values.len();
    if count < MIN_VALUES {
        return Vec::new();
    }
    let mut sorted: Vec<f32> = values.iter().map(|(value, _)| *value).collect();
    let Some(median) = middle(&mut sorted) else { return Vec::new() };
    for value in &mut sorted {
        *value = (*value - median).abs();
    }
    let Some(deviation) = middle(&mut sorted) else { return Vec::new() };
    let rises = values.windows(2).filter(|pair| matches!(pair, [a, b] if a.0 < b.0)).count();
    if deviation > 0.0 && rises * 10 > count * 8 {
        return Vec::new();
    }
    let limit = if deviation > 0.0 { deviation * FAR } else { 0.0 };
    let mut far: Vec<(f32, u32)> = values
        .iter()
        .map(|(value, line)| ((value - median).abs(), *line))
        .filter(|(distance, _)| *distance > limit)
        .collect();
    if far.len() > MOST.max(count / 50) && deviation == 0.0 {
        return Vec::new();
    }
    far.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    far.truncate(MOST);
    far.into_iter().map(|(_, line)| line).collect()
}

fn middle(values: &mut [f32]) -> Option<f32> {
    let at = values.len() / 2;
    (at < values.len()).then(|| *values.select_nth_unstable_by(at, f32::total_cmp).1)
}
