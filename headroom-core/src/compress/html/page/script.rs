//! Raised and lowered text: `10^2`, `x_12`, `e^(2x + 1)`, and footnotes as `[^3]`.

use super::super::entity;

use crate::tuning::tuning;

/// How much of the page is read ahead.
const REACH: usize = 400;

/// What is written before and after the number of a footnote.
pub(super) const REFERENCE: (&str, &str) = ("[^", "]");

/// What is written before and after raised or lowered text, given the page behind its start tag.
pub(super) fn frame(raised: bool, rest: &str) -> (&'static str, &'static str) {
    let mark = if raised { ("^", "^(") } else { ("_", "_(") };
    let reach = (0..=REACH.min(rest.len())).rev().find_map(|end| rest.get(..end)).unwrap_or_default();
    let close = if raised { "</sup" } else { "</sub" };
    let Some(end) = find_ignoring_case(reach, close) else { return (mark.1, ")") };
    let (inner, behind) = reach.split_at_checked(end).unwrap_or((reach, ""));
    let text = without_tags(inner);
    let text = text.trim();
    if text.is_empty() || text.starts_with('[') && text.ends_with(']') {
        return ("", "");
    }
    let links_within = ["href=\"#", "href='#", "href=#"];
    if raised && links_within.iter().any(|link| find_ignoring_case(inner, link).is_some()) {
        return REFERENCE;
    }
    let next = behind.find('>').and_then(|end| behind.get(end + 1..)?.chars().next());
    let is_plain = text.len() <= tuning().html.max_plain_script
        && text.trim_start_matches(['+', '-', '−']).chars().all(char::is_alphanumeric)
        && !next.is_some_and(char::is_alphanumeric);
    if is_plain { (mark.0, "") } else { (mark.1, ")") }
}

/// Whether raised text is above the line of a fraction, whose lower part follows, given the page behind its start tag.
pub(super) fn is_fraction(rest: &str) -> bool {
    let reach = (0..=REACH.min(rest.len())).rev().find_map(|end| rest.get(..end)).unwrap_or_default();
    let Some(behind) = find_ignoring_case(reach, "</sup>").and_then(|end| reach.get(end + 6..)) else {
        return false;
    };
    let lower = ["/", "⁄", "&frasl;"].iter().find_map(|line| behind.trim_start().strip_prefix(line));
    lower.and_then(|lower| lower.trim_start().get(..4)).is_some_and(|tag| tag.eq_ignore_ascii_case("<sub"))
}

fn without_tags(markup: &str) -> String {
    let mut out = String::new();
    let mut rest = markup;
    while let Some((before, tag)) = rest.split_once('<') {
        out.push_str(before);
        rest = tag.split_once('>').map_or("", |(_, rest)| rest);
    }
    out.push_str(rest);
    entity::decode(&out).into_owned()
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    text.as_bytes().windows(what.len()).position(|window| window.eq_ignore_ascii_case(what.as_bytes()))
}
