//! Shows advice on a terminal of 80 columns, or as JSON.

use std::fmt::Write;

use serde_json::json;

use super::{Advice, Evidence};
use crate::{
    ledger,
    output::{Count, dollars},
};

/// Columns of a terminal.
const WIDTH: usize = 80;

pub(super) fn json(evidence: &Evidence, advice: &[Advice]) -> String {
    let json = json!({
        "currency": "USD",
        "prices_as_of": ledger::as_of(),
        "records": evidence,
        "head_changes": evidence.turns.heads.to_json(),
        "advice": advice,
    });
    format!("{json}\n")
}

pub(super) fn text(evidence: &Evidence, advice: &[Advice]) -> String {
    let Evidence { days, logs, turns } = evidence;
    let mut text = format!("Your records of the last {days} days. Nothing of them leaves this machine.\n");
    let _ = writeln!(
        text,
        "  logs    {} sessions, {} requests, {}",
        Count(logs.sessions),
        Count(logs.requests),
        dollars(logs.paid)
    );
    let _ =
        writeln!(text, "  ledger  {} turns through Headroom, {}", Count(turns.turns), dollars(turns.paid));
    let (found, other): (Vec<&Advice>, Vec<&Advice>) = advice.iter().partition(|one| one.dollars.is_some());
    for (number, one) in found.iter().enumerate() {
        let worth = one.dollars.unwrap_or_default();
        let share = if one.of > 0.0 { worth / one.of * 100.0 } else { 0.0 };
        let _ = writeln!(
            text,
            "\n{}. {}: {} of {} ({share:.1} %)",
            number + 1,
            capital(one.about),
            dollars(worth),
            dollars(one.of)
        );
        for line in &one.evidence {
            text.push_str(&wrapped("   ", "     ", line));
        }
        for line in &one.remedy {
            text.push_str(&wrapped("   -> ", "      ", line));
        }
    }
    if !other.is_empty() {
        text.push_str("\nNothing to do:\n");
        for one in other {
            let why = one.evidence.join("; ");
            text.push_str(&wrapped("  ", "    ", &format!("{}: {why}", one.about)));
        }
    }
    let _ = writeln!(
        text,
        "\nDollars: standard prices of {} for the tokens that the providers\n\
         counted. The figures overlap: what is saved by one is not there for the next.",
        ledger::as_of()
    );
    text
}

/// Breaks a line between words. A word that is longer than a line stays whole.
fn wrapped(first: &str, other: &str, line: &str) -> String {
    let mut text = first.to_owned();
    let (mut column, mut is_start) = (first.chars().count(), true);
    for word in line.split_whitespace() {
        let length = word.chars().count();
        if !is_start && column + 1 + length > WIDTH {
            text.push('\n');
            text.push_str(other);
            (column, is_start) = (other.chars().count(), true);
        }
        if !is_start {
            text.push(' ');
            column += 1;
        }
        text.push_str(word);
        column += length;
        is_start = false;
    }
    text.push('\n');
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_the_terminal() {
        let line = "word ".repeat(60);
        let text = wrapped("   -> ", "      ", &line);
        assert!(text.lines().count() > 3 && text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().filter(|word| *word == "word").count(), 60);
        let long = "x".repeat(100);
        assert_eq!(wrapped("", " ", &format!("a {long} b")), format!("a\n {long}\n b\n"));
    }
}
