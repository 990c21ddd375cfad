//! Draws bar charts as inline SVG.

use super::{Plot, html::escape, signed};

const WIDTH: f64 = 720.0;
const LABELS: f64 = 260.0;
const VALUES: f64 = 70.0;
const ROW: f64 = 22.0;

/// Draws a plot as an `svg` element. It takes its colours from the page, and so follows the page's theme.
pub(super) fn svg(plot: &Plot) -> String {
    let ends = plot.bars.iter().flat_map(|bar| {
        let (low, high) = bar.interval.unwrap_or((bar.value, bar.value));
        [bar.value, low, high, 0.0]
    });
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let room = WIDTH - LABELS - VALUES;
    let scale = if high > low { room / (high - low) } else { 0.0 };
    let place = |value: f64| LABELS + (value - low) * scale;
    let height = ROW * plot.bars.len() as f64 + 8.0;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n",
        escape(&plot.title)
    );
    for (n, bar) in plot.bars.iter().enumerate() {
        let top = ROW * n as f64 + 4.0;
        let (from, to) = (place(bar.value.min(0.0)), place(bar.value.max(0.0)));
        let class = if bar.other { "other" } else { "own" };
        out.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{from:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"16\"/>",
            LABELS - 8.0,
            top + 12.5,
            escape(&bar.label),
            (to - from).max(0.5),
        ));
        if let Some((low, high)) = bar.interval {
            let middle = top + 8.0;
            out.push_str(&format!(
                "<line class=\"interval\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.1}\" y2=\"{middle:.1}\"/>",
                place(low),
                place(high),
            ));
        }
        out.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
            WIDTH - VALUES + 6.0,
            top + 12.5,
            signed(bar.value)
        ));
    }
    let zero = place(0.0);
    out.push_str(&format!(
        "<line class=\"zero\" x1=\"{zero:.1}\" x2=\"{zero:.1}\" y1=\"0\" y2=\"{height:.1}\"/>\n</svg>\n"
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Bar;

    #[test]
    fn bars_start_at_zero_whatever_their_sign() {
        let bar =
            |label: &str, value, interval| Bar { label: label.to_owned(), value, interval, other: false };
        let plot = Plot {
            title: "a < b".to_owned(),
            bars: vec![bar("more", 0.1, None), bar("less", -0.3, Some((-0.35, -0.2)))],
        };
        let drawn = svg(&plot);
        assert!(drawn.contains("aria-label=\"a &lt; b\"") && drawn.contains("-30.0 %"), "{drawn}");
        // Zero stands at 35 of 45 parts of the room.
        let zero = LABELS + (WIDTH - LABELS - VALUES) * 35.0 / 45.0;
        assert!(drawn.contains(&format!("<rect class=\"own\" x=\"{zero:.1}\"")), "{drawn}");
        assert!(!svg(&Plot::default()).contains("NaN"));
    }
}
