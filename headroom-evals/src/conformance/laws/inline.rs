//! Restores lines in which markers stand for data in base64.

use super::{page::without_markers, truthful::MARKER};

/// Shorter data is shown.
const MIN_DATA: usize = 256;

/// Returns the text with each line that has a marker within it replaced by the line of the original that has the same
/// text around data in base64. Other lines are left alone.
pub(super) fn restored(after: &str, before: &[&str]) -> String {
    let mut next = 0;
    let mut lines = Vec::new();
    for line in after.split('\n') {
        let within = line.contains(MARKER) && !line.trim_start().starts_with(MARKER);
        let pieces = if within { without_markers(line) } else { Vec::new() };
        let found =
            before.iter().enumerate().skip(next).find(|(_, original)| within && fits(original, &pieces));
        match found {
            Some((at, original)) => {
                next = at + 1;
                lines.push(*original);
            }
            None => lines.push(line),
        }
    }
    lines.join("\n")
}

/// Whether a line is these pieces with data between them.
fn fits(line: &str, pieces: &[String]) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return false };
    let Some(mut left) = line.strip_prefix(first.as_str()) else { return false };
    for (n, piece) in rest.iter().enumerate() {
        let data =
            left.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=-_".contains(c))).unwrap_or(left.len());
        let (data, behind) = left.split_at(data);
        if data.len() < MIN_DATA || !behind.starts_with(piece.as_str()) {
            return false;
        }
        left = &behind[piece.len()..];
        if n + 1 == rest.len() && !left.is_empty() {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_data_may_be_behind_a_marker_in_a_line() {
        let data = "QUJD".repeat(200);
        let mark =
            "[headroom:abcdefghijklmnop lines 1-1 stored: image/png, 600 bytes in base64; headroom_retrieve]";
        let line = format!("src='data:image/png;base64,{data}' alt='x'");
        let before = ["a", &line, "b"];
        let after = format!("a\nsrc='data:image/png;base64,{mark}' alt='x'\nb");
        assert_eq!(restored(&after, &before), before.join("\n"));
        for wrong in [
            format!("src='{mark}' alt='x'"),
            format!("src='data:image/png;base64,{mark} alt='x'"),
            format!("a{mark}"),
        ] {
            assert_eq!(restored(&wrong, &before), wrong);
        }
    }
}
