//! `headroom savings`: shows the cost and the savings of turns, from the ledger.

mod control;
mod epochs;
mod heads;
mod table;

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use self::control::ControlGroup;
use crate::{
    args::SavingsArgs,
    config,
    ledger::{self, EpochBook, HeadBook, History, LedgerTotals},
    output::{self, Count, dollars},
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
    control: ControlGroup,
    epochs: EpochBook,
    heads: HeadBook,
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
    let text = match args.json {
        true => format!("{}\n", statement.to_json(now)),
        false => statement.to_text(&home, args, now),
    };
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
        "Dollars: standard prices of {} for the tokens that the providers counted; tokens that would have been read \
         from the provider's cache count at its price.",
        ledger::as_of()
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
        if sums.turns > sums.unpriced && sums.without() > 0.0 {
            let (saved, without) = (dollars(sums.saved), dollars(sums.without()));
            write!(f, "{saved} saved of {without} ({:.1} %), ", sums.saved_share() * 100.0)?;
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

impl Statement {
    fn read(home: &Path, since: &str) -> io::Result<Self> {
        let mut statement = Self::default();
        statement.unread = ledger::read(home, since, |day, entry| {
            let model = entry.model.as_deref().unwrap_or("unknown").to_owned();
            statement.rows.entry((day.to_owned(), model)).or_default().add(&entry);
            statement.total.add(&entry);
            statement.control.add(&entry);
            statement.epochs.add(&entry);
            statement.heads.add(&entry);
        })?;
        Ok(statement)
    }

    fn to_json(&self, now: u64) -> Value {
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
            "prices_as_of": ledger::as_of(),
            "days": self.rows.iter().map(row).collect::<Vec<_>>(),
            "total": self.total,
            "without": self.total.without(),
            "saved_share": self.total.saved_share(),
            "epochs": epochs::to_json(&self.epochs, now),
            "head_changes": self.heads.to_json(),
            "control_group": self.control.compare(),
            "unreadable_lines": self.unread,
        })
    }
}
