/// Parses a time stamp of RFC 3339 to seconds since 1970.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let (date, time) = text.split_once(['T', ' '])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at_checked(at)?,
        None => (time, "Z"),
    };
    let mut time = time.splitn(3, ':');
    let (hour, minute): (f64, f64) = (time.next()?.parse().ok()?, time.next()?.parse().ok()?);
    let second: f64 = time.next().unwrap_or("0").parse().ok()?;
    let offset = match zone.split_at_checked(1)? {
        ("+" | "-", clock) => {
            let (hours, minutes) = clock.split_once(':').unwrap_or((clock, "0"));
            let size = hours.parse::<f64>().ok()? * 3_600.0 + minutes.parse::<f64>().ok()? * 60.0;
            if zone.starts_with('-') { -size } else { size }
        }
        _ => 0.0,
    };
    Some(days(year, month, day)? * 86_400.0 + hour * 3_600.0 + minute * 60.0 + second - offset)
}

/// Days since 1970 in the Gregorian calendar.
#[expect(clippy::cast_precision_loss, reason = "years have four digits")]
fn days(year: i64, month: i64, day: i64) -> Option<f64> {
    if !(0..=9_999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some((before + (month * 153 + 2) / 5 + day - 719_469) as f64)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn time_stamps_are_seconds_since_1970() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0.0)),
            ("2024-02-29T12:00:00.500Z", Some(1_709_208_000.5)),
            ("2026-01-27T09:18:57.495Z", Some(1_769_505_537.495)),
            ("2026-01-27T10:18:57+01:00", Some(1_769_505_537.0)),
            ("2026-01-27T07:48:57-01:30", Some(1_769_505_537.0)),
            ("2026-01-27", None),
            ("2026-13-27T00:00:00Z", None),
            ("", None),
            ("now", None),
            ("99999999999999999999-01-01T00:00:00Z", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
