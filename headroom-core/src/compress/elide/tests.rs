use std::path::Path;

use super::*;

mod corpus;

/// The text with a line for each gap, as the engine writes it.
fn elided(text: &str, gaps: &[Gap]) -> String {
    let mut out = String::new();
    let mut at = 0;
    for gap in gaps {
        out.push_str(&text[at..gap.range.start]);
        let Gap { first, last, summary, .. } = gap;
        out.push_str(&format!(
            "[headroom:k3v9q2x7m4tzabcd lines {first}-{last} kept aside: {summary}; headroom_retrieve]"
        ));
        at = gap.range.end;
    }
    out.push_str(&text[at..]);
    out
}
