use serde_json::json;

use super::{Outcome, Row, Tool, name};
use crate::output::Count;

/// Width of a file name.
const NAME: usize = 40;

pub(super) fn text(outcome: &Outcome) -> String {
    let mut text = format!(
        "{:NAME$}  {:>5}  {:>25}  {:>7}  {:>7}\n",
        "conversation", "turns", "tokens at the end", "", "bill"
    );
    let rows = &outcome.conversations;
    for row in rows {
        text.push_str(&line(&name(&row.file), row));
    }
    let total = total(rows);
    if rows.len() > 1 {
        text.push_str(&line(&format!("{} conversations", rows.len()), &total));
    }
    let mut tools: Vec<(&String, &Tool)> = outcome.tools.iter().collect();
    tools.sort_by_key(|(name, tool)| {
        (std::cmp::Reverse(tool.tokens_before.saturating_sub(tool.tokens_after)), *name)
    });
    if !tools.is_empty() {
        text.push_str(&format!("\n{:NAME$}  {:>7}  {:>25}\n", "tool", "results", "tokens considered"));
    }
    for (tool, counts) in tools {
        let change = arrow(counts.tokens_before, counts.tokens_after);
        let share = share(counts.tokens_before, counts.tokens_after);
        let line = format!("{:NAME$}  {:>7}  {change:>25}  {share:>7}", short(tool), Count(counts.results));
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push_str(&format!(
        "\nThe bill of input tokens would be {} of what it was{}, with cache reads priced at 0.1 and the rest at 1.25.\n",
        percent(total.bill_after / total.bill_before.max(f64::MIN_POSITIVE)),
        if total.bill_after > total.bill_before { " (more)" } else { "" }
    ));
    if outcome.skipped > 0 {
        text.push_str(&format!("{} files hold no supported conversation.\n", Count(outcome.skipped as u64)));
    }
    text
}

pub(super) fn json(outcome: &Outcome) -> String {
    let json = json!({
        "conversations": outcome.conversations,
        "tools": outcome.tools,
        "skipped": outcome.skipped,
        "total": total(&outcome.conversations),
        "prices": {"write": 1.25, "read": 0.1},
        "tokenizer": "o200k",
    });
    format!("{json}\n")
}

fn total(rows: &[Row]) -> Row {
    Row {
        file: "total".into(),
        turns: rows.iter().map(|row| row.turns).sum(),
        tokens_before: rows.iter().map(|row| row.tokens_before).sum(),
        tokens_after: rows.iter().map(|row| row.tokens_after).sum(),
        bill_before: rows.iter().map(|row| row.bill_before).sum(),
        bill_after: rows.iter().map(|row| row.bill_after).sum(),
    }
}

fn line(name: &str, row: &Row) -> String {
    let tokens = arrow(row.tokens_before, row.tokens_after);
    let saved = share(row.tokens_before, row.tokens_after);
    let bill = signed(row.bill_after / row.bill_before.max(f64::MIN_POSITIVE) - 1.0);
    format!("{:NAME$}  {:>5}  {tokens:>25}  {saved:>7}  {bill:>7}\n", short(name), row.turns)
}

fn arrow(before: u64, after: u64) -> String {
    format!("{} -> {}", Count(before), Count(after))
}

#[expect(clippy::cast_precision_loss, reason = "no conversation has 2^53 tokens")]
fn share(before: u64, after: u64) -> String {
    if before == 0 { String::new() } else { signed(after as f64 / before as f64 - 1.0) }
}

fn signed(share: f64) -> String {
    // Not "-0.0 %".
    format!("{:+.1} %", share * 100.0 + 0.0).replace("-0.0 %", "0.0 %").replace("+0.0 %", "0.0 %")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Shortens a name from the left: its end says more.
fn short(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME {
        return name.to_owned();
    }
    name.chars().skip(length - NAME + 1).fold("…".to_owned(), |mut text, c| {
        text.push(c);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_a_sign_unless_they_are_none() {
        assert_eq!(share(1000, 750), "-25.0 %");
        assert_eq!(share(1000, 1001), "+0.1 %");
        assert_eq!(share(100_000, 99_999), "0.0 %");
        assert_eq!(share(0, 0), "");
        assert_eq!(short(&"x".repeat(41)).chars().count(), NAME);
    }
}
