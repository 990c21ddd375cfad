//! The statement as text, in 80 columns.

use std::{fmt::Write, path::Path};

use super::{Statement, epochs, heads};
use crate::{
    args::SavingsArgs,
    ledger::{self, LedgerTotals},
    output::dollars,
};

const HEAD: [&str; 8] = ["day", "model", "turns", "sent", "cached", "paid", "without", "saved"];
/// The number of leading text columns.
const WORDS: usize = 2;
/// The longest name of a model that is shown whole.
const MODEL: usize = 18;

impl Statement {
    pub(super) fn to_text(&self, home: &Path, args: &SavingsArgs, now: u64) -> String {
        if self.rows.is_empty() {
            return format!(
                "The ledger in {1} has no turn of the last {0} days. `headroom proxy` writes it.\n",
                args.days,
                home.display()
            );
        }
        let mut table = vec![HEAD.map(str::to_owned)];
        table.extend(self.rows.iter().map(|((day, model), sums)| row(day, model, sums)));
        table.push(row("total", "", &self.total));
        let mut text = aligned(&table);
        text.push('\n');
        text.push_str(&self.notes());
        if let Some(epochs) = epochs::to_text(&self.epochs, self.total.cache_writes, now) {
            text.push('\n');
            text.push_str(&epochs);
        }
        if let Some(heads) = heads::to_text(&self.heads) {
            text.push('\n');
            text.push_str(&heads);
        }
        if let Some(comparison) = self.control.compare() {
            text.push('\n');
            text.push_str(&comparison.to_text());
        }
        text
    }

    /// Explains how the figures are computed.
    fn notes(&self) -> String {
        let LedgerTotals { refused, unpriced, extra, .. } = &self.total;
        let mut notes = String::new();
        if self.total.without() > 0.0 {
            let _ = writeln!(
                notes,
                "Paid {}; without Headroom about {}: {:.1} % of the bill saved.\n",
                dollars(self.total.paid),
                dollars(self.total.without()),
                self.total.saved_share() * 100.0
            );
        }
        let _ = write!(
            notes,
            "Paid: all tokens that the providers counted, at standard prices of {}.\n\
             Without: an estimate. The tokens that Headroom took out, by its own count, are\n\
             added: in results that were not in the provider's cache at the price of the\n\
             turn's uncached prompt, in all others only at the price of reading its cache.\n\
             The costs of the tool's definition and of hidden calls are deducted. Sent: the\n\
             whole prompts; cached: what of them was read from the cache. Days are in UTC.\n",
            ledger::as_of()
        );
        if *unpriced > 0 {
            let _ = writeln!(notes, "No dollars for {unpriced} turns: no usage reported, or no known price.");
        }
        if extra.prompt() > 0 {
            let _ = writeln!(
                notes,
                "Hidden calls: {} tokens of prompt, {} of output.",
                extra.prompt(),
                extra.output
            );
        }
        if *refused > 0 {
            let _ = writeln!(notes, "{refused} requests were refused by the provider and do not count.");
        }
        if self.unread > 0 {
            let _ = writeln!(notes, "{} lines of the ledger could not be read.", self.unread);
        }
        notes
    }
}

fn row(day: &str, model: &str, sums: &LedgerTotals) -> [String; 8] {
    let is_priced = sums.turns > sums.unpriced;
    let priced = |text: String| if is_priced { text } else { "-".to_owned() };
    let prompt = sums.usage.prompt();
    let cached = match prompt {
        0 => "-".to_owned(),
        prompt => format!("{:.0} %", sums.usage.cache_read as f64 / prompt as f64 * 100.0),
    };
    [
        day.to_owned(),
        shortened(model),
        sums.turns.to_string(),
        compact(prompt),
        cached,
        priced(dollars(sums.paid)),
        priced(dollars(sums.without())),
        priced(format!("{:.1} %", sums.saved_share() * 100.0)),
    ]
}

/// A number of tokens in at most five characters.
fn compact(tokens: u64) -> String {
    let number = tokens as f64;
    match tokens {
        0..10_000 => tokens.to_string(),
        10_000..1_000_000 => format!("{:.0}k", number / 1e3),
        1_000_000..100_000_000 => format!("{:.1}M", number / 1e6),
        100_000_000..10_000_000_000 => format!("{:.0}M", number / 1e6),
        _ => format!("{:.0}G", number / 1e9),
    }
}

/// A long name without its middle: the family is at its beginning, the release at its end.
fn shortened(model: &str) -> String {
    let length = model.chars().count();
    if length <= MODEL {
        return model.to_owned();
    }
    let end = MODEL / 3;
    let start = model.chars().take(MODEL - end - 1);
    start.chain(['…']).chain(model.chars().skip(length - end)).collect()
}

/// Aligns text left and numbers right.
fn aligned(table: &[[String; 8]]) -> String {
    let mut widths = [0; 8];
    for row in table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in table {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let _ = match column < WORDS {
                true => write!(line, "{cell:<width$}  "),
                false => write!(line, "{cell:>width$}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::Usage;

    #[test]
    fn tables_are_aligned_and_fit_80_columns() {
        let usage = Usage { input: 12_345, cache_read: 987_654_321, output: 9, ..Usage::default() };
        let sums =
            LedgerTotals { turns: 12_345, usage, paid: 1_234.56, saved: 234.5, ..LedgerTotals::default() };
        let table = [
            HEAD.map(str::to_owned),
            row("2026-11-29", "claude-opus-5-5", &sums),
            row("2026-11-29", "eu.anthropic.claude-opus-5-5-20261012-v1:0", &sums),
            row("total", "", &LedgerTotals::default()),
        ];
        let text = aligned(&table);
        assert_eq!(
            text,
            "day         model               turns  sent  cached      paid   without   saved\n\
             2026-11-29  claude-opus-5-5     12345  988M   100 %  $1234.56  $1469.06  16.0 %\n\
             2026-11-29  eu.anthropi…2-v1:0  12345  988M   100 %  $1234.56  $1469.06  16.0 %\n\
             total                               0     0       -         -         -       -\n"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }

    #[test]
    fn counts_are_short() {
        for (tokens, text) in [
            (0, "0"),
            (9_999, "9999"),
            (12_345, "12k"),
            (1_234_567, "1.2M"),
            (123_456_789, "123M"),
            (12_345_678_901, "12G"),
        ] {
            assert_eq!(compact(tokens), text);
        }
    }
}
