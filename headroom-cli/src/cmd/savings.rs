//! `headroom savings`: shows the cost and the savings of turns, from the ledger.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    args::SavingsArgs,
    config,
    ledger::{self, AS_OF, History, LedgerTotals},
    output::{self, Count},
};

const DAY: u64 = 24 * 60 * 60;

/// Errors of `headroom savings`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SavingsError {
    #[error("no folder for the ledger; set HEADROOM_HOME or HOME")]
    NoHome,
    #[error("cannot read the ledger in {}", folder.display())]
    Read { folder: PathBuf, source: io::Error },
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl SavingsError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoHome)
    }
}

/// The ledger's sums over some days.
#[derive(Debug, Default)]
struct Statement {
    /// By day and model.
    rows: BTreeMap<(String, String), LedgerTotals>,
    total: LedgerTotals,
    /// Lines that could not be read.
    unread: u64,
}

/// Writes the sums of each day and model to standard output.
pub(crate) fn run(args: &SavingsArgs) -> Result<(), SavingsError> {
    let home = config::home().ok_or(SavingsError::NoHome)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let first = now.saturating_sub(u64::from(args.days.get() - 1) * DAY);
    let statement = Statement::read(&home, &ledger::day(first))
        .map_err(|source| SavingsError::Read { folder: home.clone(), source })?;
    let text = if args.json { format!("{}\n", statement.to_json()) } else { statement.to_text(&home, args) };
    output::write(text.as_bytes()).map_err(SavingsError::Write)
}

/// Sums up each of these periods, in days, in one line, for a reader without a table.
pub(crate) fn in_periods(history: &Mutex<History>, periods: &[u32]) -> io::Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let first = |days: u32| ledger::day(now.saturating_sub(u64::from(days.saturating_sub(1)) * DAY));
    let longest = periods.iter().copied().max().unwrap_or(1);
    let mut history = history.lock().unwrap_or_else(PoisonError::into_inner);
    // As far back as most calls ask, so that no day is read twice.
    history.update(&first(longest.max(30)))?;
    let mut text = String::new();
    for days in periods {
        let mut sums = LedgerTotals::default();
        let since = first(*days);
        history
            .sums()
            .filter(|(day, _, _)| *day >= since.as_str())
            .for_each(|(_, _, of_day)| sums.merge(of_day));
        let name = if *days == 1 { "Today (UTC)".to_owned() } else { format!("Last {days} days") };
        let _ = writeln!(text, "{name}: {}", Sentence(&sums));
    }
    let _ = writeln!(
        text,
        "Dollars: standard prices of {AS_OF} for the tokens that the providers counted; tokens that would have been read \
         from the provider's cache count at its price."
    );
    Ok(text)
}

/// The sums in one sentence.
struct Sentence<'a>(&'a LedgerTotals);

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sums = self.0;
        if sums.turns == 0 {
            return f.write_str("no turns.");
        }
        let without = sums.paid + sums.saved;
        if sums.turns > sums.unpriced && without > 0.0 {
            let share = sums.saved / without * 100.0;
            write!(f, "{} saved of {} ({share:.1} %), ", dollars(sums.saved), dollars(without))?;
        }
        let sign = if sums.saved_tokens() < 0 { "-" } else { "" };
        let tokens = Count(sums.saved_tokens().unsigned_abs());
        write!(f, "{sign}{tokens} tokens saved in {} turns", Count(sums.turns))?;
        if sums.usage.prompt() > 0 {
            let hits = sums.usage.cache_read as f64 / sums.usage.prompt() as f64 * 100.0;
            write!(f, "; {hits:.1} % of the prompts came from the provider's cache")?;
        }
        f.write_str(".")
    }
}

/// Formats dollars with as many decimals as needed to show a value.
fn dollars(amount: f64) -> String {
    let sign = if amount < 0.0 { "-" } else { "" };
    let size = amount.abs();
    let places = if size >= 1.0 || size == 0.0 { 2 } else { 4 };
    format!("{sign}${size:.places$}")
}

impl Statement {
    fn read(home: &Path, since: &str) -> io::Result<Self> {
        let mut statement = Self::default();
        statement.unread = ledger::read(home, since, |day, entry| {
            let model = entry.model.as_deref().unwrap_or("unknown").to_owned();
            statement.rows.entry((day.to_owned(), model)).or_default().add(&entry);
            statement.total.add(&entry);
        })?;
        Ok(statement)
    }

    fn to_json(&self) -> Value {
        let row = |((day, model), sums): (&(String, String), &LedgerTotals)| {
            let mut row = json!(sums);
            if let Some(fields) = row.as_object_mut() {
                fields.insert("day".to_owned(), json!(day));
                fields.insert("model".to_owned(), json!(model));
            }
            row
        };
        json!({
            "currency": "USD",
            "prices_as_of": AS_OF,
            "days": self.rows.iter().map(row).collect::<Vec<_>>(),
            "total": self.total,
            "unreadable_lines": self.unread,
        })
    }

    fn to_text(&self, home: &Path, args: &SavingsArgs) -> String {
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
        text
    }

    /// Explains how the figures are computed.
    fn notes(&self) -> String {
        let LedgerTotals { refused, unpriced, extra, paid, saved, .. } = &self.total;
        let mut notes = format!(
            "Dollars: standard prices of {AS_OF} for the tokens that the providers counted. Saved tokens are counted\n\
             by Headroom. In results that were not in the provider's cache they count at the price of the turn's uncached\n\
             prompt; in all others only at the price of reading its cache. The costs of the tool's definition and of hidden\n\
             calls are deducted. Days are in UTC.\n"
        );
        let without = paid + saved;
        if without > 0.0 {
            let _ = writeln!(
                notes,
                "Without Headroom: {}, so {:.1} % saved.",
                dollars(without),
                saved / without * 100.0
            );
        }
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

const HEAD: [&str; 9] =
    ["day", "model", "turns", "uncached", "cache read", "output", "paid", "tokens saved", "saved"];
/// The number of leading text columns.
const WORDS: usize = 2;

fn row(day: &str, model: &str, sums: &LedgerTotals) -> [String; 9] {
    let dollars = |amount: f64| match sums.turns > sums.unpriced {
        true => dollars(amount),
        false => "-".to_owned(),
    };
    [
        day.to_owned(),
        model.to_owned(),
        sums.turns.to_string(),
        sums.usage.uncached().to_string(),
        sums.usage.cache_read.to_string(),
        sums.usage.output.to_string(),
        dollars(sums.paid),
        sums.saved_tokens().to_string(),
        dollars(sums.saved),
    ]
}

/// Aligns text left and numbers right.
fn aligned(table: &[[String; 9]]) -> String {
    let mut widths = [0; 9];
    for row in table {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
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

    #[test]
    fn dollars_show_what_there_is() {
        for (amount, text) in [
            (0.0, "$0.00"),
            (12.345, "$12.35"),
            (-12.3, "-$12.30"),
            (0.0073, "$0.0073"),
            (-0.0003, "-$0.0003"),
        ] {
            assert_eq!(dollars(amount), text);
        }
    }

    #[test]
    fn tables_are_aligned() {
        let row = |words: [&str; 9]| words.map(str::to_owned);
        let table = [
            row(["a", "bb", "1", "", "", "", "", "", "10"]),
            row(["ccc", "d", "100", "", "", "", "", "", "2"]),
        ];
        assert_eq!(aligned(&table), "a    bb    1            10\nccc  d   100             2\n");
    }
}
