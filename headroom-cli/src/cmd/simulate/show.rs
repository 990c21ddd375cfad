use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Outcome, Row, Tool,
    bill::{BillSum, HEAD_STEP, SessionRow},
    name, text as bill_text,
};
use crate::{config::Config, ledger, output::Count};

/// Width of a file name.
const NAME: usize = 40;

pub(super) fn text(outcome: &Outcome, config: &Config) -> String {
    let mut text = String::new();
    if !outcome.sessions.is_empty() {
        text.push_str(&bill_text::text(&outcome.sessions, config));
    }
    if !outcome.conversations.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&arrival(outcome));
    }
    let heads = outcome.heads.to_text();
    if !heads.is_empty() {
        text.push('\n');
        text.push_str(&heads);
    }
    if outcome.skipped > 0 {
        text.push_str(&format!("{} files hold no supported conversation.\n", Count(outcome.skipped as u64)));
    }
    text
}

/// Conversations without the provider's counts.
fn arrival(outcome: &Outcome) -> String {
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
        "\nThe bill of input tokens would be {} of what it was{}, with cache reads priced at\n\
         0.1 and the rest at 1.25.\n\
         These conversations have no counts of the provider. This is what results become when they\n\
         arrive; it is not the bill, which has a head, pauses, thinking and answers too.\n",
        percent(total.bill_after / total.bill_before.max(f64::MIN_POSITIVE)),
        if total.bill_after > total.bill_before { " (more)" } else { "" }
    ));
    text
}

pub(super) fn json(outcome: &Outcome, config: &Config) -> String {
    let rows = &outcome.sessions.rows;
    let mut clients: BTreeMap<&str, Vec<&SessionRow>> = BTreeMap::new();
    for row in rows {
        clients.entry(row.client).or_default().push(row);
    }
    let clients = clients.into_iter().map(|(client, rows)| (client.to_owned(), json!(BillSum::of(&rows))));
    let json = json!({
        "sessions": rows,
        "bill": {
            "currency": "USD",
            "prices_as_of": ledger::as_of(),
            "tier": config.tier.to_string(),
            "retrieval": config.retrieval.to_string(),
            "epochs": config.epochs().to_string(),
            "all": outcome.sessions.sum(),
            "clients": clients.collect::<serde_json::Map<String, Value>>(),
            "resumed_sessions": outcome.sessions.resumed,
            "repeated_requests": outcome.sessions.repeated,
            "subagents_in_logs_of_others": outcome.sessions.subagents,
            "models_without_a_price": outcome.sessions.unpriced,
            "shorter_head_tokens": HEAD_STEP,
        },
        "conversations": outcome.conversations,
        "tools": outcome.tools,
        "head_changes": outcome.heads.rows(),
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

pub(super) fn signed(share: f64) -> String {
    // Not "-0.0 %".
    format!("{:+.1} %", share * 100.0 + 0.0).replace("-0.0 %", "0.0 %").replace("+0.0 %", "0.0 %")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Shortens a name from the left: its end says more.
pub(super) fn short(name: &str) -> String {
    short_to(name, NAME)
}

/// The same to this many characters.
pub(super) fn short_to(name: &str, width: usize) -> String {
    let length = name.chars().count();
    if length <= width {
        return name.to_owned();
    }
    name.chars().skip((length + 1).saturating_sub(width)).fold("…".to_owned(), |mut text, c| {
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
        assert_eq!(
            (short_to("abc", 2), short_to("abc", 0), short_to("", 0)),
            ("…c".into(), "…".into(), "".into())
        );
    }
}
