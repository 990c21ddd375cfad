//! `headroom savings`: what turns cost and what was saved in them, from the ledger.

use std::{
    collections::BTreeMap,
    fmt::Write,
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    args::SavingsArgs,
    config,
    ledger::{self, AS_OF, Sums},
    output,
};

const DAY: u64 = 24 * 60 * 60;

/// What stops `headroom savings`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SavingsError {
    #[error("there is no folder to look in; set HEADROOM_HOME or HOME")]
    NoHome,
    #[error("cannot read the ledger in {}", folder.display())]
    Read { folder: PathBuf, source: io::Error },
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl SavingsError {
    /// Whether `headroom` has to be called differently.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::NoHome)
    }
}

/// What the ledger says about some days.
#[derive(Debug, Default)]
struct Statement {
    /// By day and model.
    rows: BTreeMap<(String, String), Sums>,
    total: Sums,
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
        let row = |((day, model), sums): (&(String, String), &Sums)| {
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
                "No turn of the last {} days is in the ledger in {}. `headroom proxy` writes it.\n",
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

    /// What the figures rest on.
    fn notes(&self) -> String {
        let Sums { refused, unpriced, extra, paid, saved, .. } = &self.total;
        let mut notes = format!(
            "Dollars: standard prices of {AS_OF} for the tokens that the providers counted. Saved tokens are counted\n\
             by us. In results that the provider had not cached they are worth what it took for its uncached prompt in\n\
             that turn; in all others only the price of reading its cache. What the tool's definition and hidden calls\n\
             cost is taken off. Days are in UTC.\n"
        );
        let without = paid + saved;
        if without > 0.0 {
            let _ = writeln!(
                notes,
                "Without Headroom: ${without:.2}, so {:.1} % saved.",
                saved / without * 100.0
            );
        }
        if *unpriced > 0 {
            let _ = writeln!(notes, "No dollars for {unpriced} turns: no usage told, or no known price.");
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
            let _ = writeln!(notes, "{refused} requests were refused by the provider and count for nothing.");
        }
        if self.unread > 0 {
            let _ = writeln!(notes, "{} lines of the ledger could not be read.", self.unread);
        }
        notes
    }
}

const HEAD: [&str; 9] =
    ["day", "model", "turns", "uncached", "cache read", "output", "paid", "tokens saved", "saved"];
/// The columns that hold words.
const WORDS: usize = 2;

fn row(day: &str, model: &str, sums: &Sums) -> [String; 9] {
    let dollars = |dollars: f64| match sums.turns > sums.unpriced {
        true => format!("${dollars:.2}"),
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

/// Words to the left, numbers to the right.
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
    fn tables_are_aligned() {
        let row = |words: [&str; 9]| words.map(str::to_owned);
        let table = [
            row(["a", "bb", "1", "", "", "", "", "", "10"]),
            row(["ccc", "d", "100", "", "", "", "", "", "2"]),
        ];
        assert_eq!(aligned(&table), "a    bb    1            10\nccc  d   100             2\n");
    }
}
