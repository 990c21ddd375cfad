//! Writes the table of all numbers, for people and for programs.

use std::fmt::Write;

use headroom_core::__tuning::Number;
use serde_json::{Value, json};

use super::{Outcome, Sensitivity, Tried};

/// A number matters if tokens change by at least this part of all.
const MATTERS: f64 = 0.002;

impl Outcome {
    fn tokens(&self) -> u64 {
        self.sent.values().sum()
    }
}

impl Sensitivity {
    fn all(&self) -> u64 {
        self.kinds.values().map(|(_, tokens)| tokens).sum()
    }

    /// Returns the tokens that an outcome saves of all, in percent.
    fn saving(&self, outcome: &Outcome) -> f64 {
        let all = self.all();
        100.0 * (all as f64 - outcome.tokens() as f64) / all.max(1) as f64
    }

    /// Returns the kind whose tokens change most, with the change in percent of the tokens of that kind.
    fn most(&self, outcome: &Outcome) -> Option<(&'static str, f64)> {
        let change = |(kind, sent): (&&'static str, &u64)| {
            let before = self.default.sent.get(kind).copied().unwrap_or_default();
            let all = self.kinds.get(kind).map_or(1, |(_, tokens)| (*tokens).max(1));
            (*kind, 100.0 * (before as f64 - *sent as f64) / all as f64)
        };
        let changes = outcome.sent.iter().map(change).filter(|(_, change)| *change != 0.0);
        changes.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
    }

    /// Whether half or double of a number changes tokens or facts by more than a trifle.
    #[must_use]
    pub fn matters(&self, tried: &Tried) -> bool {
        [&tried.half, &tried.double].into_iter().flatten().any(|outcome| {
            (self.saving(outcome) - self.saving(&self.default)).abs() >= 100.0 * MATTERS
                || outcome.visible != self.default.visible
                || outcome.lost != self.default.lost
        })
    }

    /// Whether half and double of a number change nothing.
    #[must_use]
    pub fn is_idle(&self, tried: &Tried) -> bool {
        [&tried.half, &tried.double].into_iter().flatten().all(|outcome| outcome.changed == 0)
    }

    /// Writes a table in Markdown: the numbers that matter, those that matter little, and the names of those that change
    /// nothing.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let Outcome { visible, aside, lost, .. } = self.default;
        // Writing to a string cannot fail.
        _ = writeln!(
            out,
            "{} inputs of {} tokens; {:.2} % saved; of {} facts {visible} are visible, {aside} retrievable and {lost} lost.\n",
            self.kinds.values().map(|(count, _)| count).sum::<usize>(),
            self.all(),
            self.saving(&self.default),
            visible + aside + lost,
        );
        out.push_str("| kind | inputs | tokens | saved |\n| --- | --- | --- | --- |\n");
        for (kind, (count, tokens)) in &self.kinds {
            let sent = self.default.sent.get(kind).copied().unwrap_or_default();
            let saved = 100.0 * (*tokens as f64 - sent as f64) / (*tokens).max(1) as f64;
            _ = writeln!(out, "| {kind} | {count} | {tokens} | {saved:.1} % |");
        }
        let (active, idle): (Vec<&Tried>, Vec<&Tried>) =
            self.numbers.iter().partition(|tried| !self.is_idle(tried));
        let (matter, little): (Vec<&Tried>, Vec<&Tried>) =
            active.into_iter().partition(|tried| self.matters(tried));
        for (title, rows) in [("Numbers that matter", matter), ("Numbers that matter little", little)] {
            _ = writeln!(out, "\n{title} ({}):\n", rows.len());
            out.push_str(
                "| number | default | half | saving | visible | double | saving | visible | most in |\n",
            );
            out.push_str("| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
            rows.into_iter().for_each(|tried| self.row(tried, &mut out));
        }
        let names: Vec<String> = idle.iter().map(|tried| format!("`{}`", tried.number.name)).collect();
        _ = writeln!(out, "\nNumbers that change nothing here ({}): {}", names.len(), names.join(", "));
        let losses = |tried: &&Tried| {
            [&tried.half, &tried.double].into_iter().flatten().any(|outcome| outcome.lost > lost)
        };
        let losses: Vec<&str> = self.numbers.iter().filter(losses).map(|tried| tried.number.name).collect();
        _ = writeln!(
            out,
            "\nNumbers of which half or double loses a fact: {}",
            if losses.is_empty() { "none".to_owned() } else { losses.join(", ") }
        );
        out
    }

    fn row(&self, tried: &Tried, out: &mut String) {
        let Number { name, unit, default, half, double, .. } = &tried.number;
        let cells = |value: &f64, outcome: &Option<Outcome>| match outcome {
            Some(outcome) => format!(
                "{} | {} | {}",
                round(*value),
                points(self.saving(outcome) - self.saving(&self.default)),
                signed(outcome.visible, self.default.visible)
            ),
            None => "– | | ".to_owned(),
        };
        let most =
            [&tried.half, &tried.double].into_iter().flatten().filter_map(|outcome| self.most(outcome));
        let most = most.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
        let most = most.map_or_else(String::new, |(kind, change)| format!("{kind} {}", points(change)));
        _ = writeln!(
            out,
            "| `{name}` | {} {unit} | {} | {} | {most} |",
            round(*default),
            cells(half, &tried.half),
            cells(double, &tried.double)
        );
    }

    /// Writes everything for programs.
    #[must_use]
    pub fn json(&self) -> String {
        let outcome = |outcome: &Outcome| {
            json!({
                "saving_percent": self.saving(outcome),
                "sent": outcome.sent,
                "visible": outcome.visible,
                "aside": outcome.aside,
                "lost": outcome.lost,
                "changed_inputs": outcome.changed,
            })
        };
        let number = |tried: &Tried| {
            let Number { name, unit, effect, default, half, double } = tried.number;
            json!({
                "name": name, "unit": unit, "effect": effect, "default": default, "half": half, "double": double,
                "matters": self.matters(tried),
                "at_half": tried.half.as_ref().map(outcome),
                "at_double": tried.double.as_ref().map(outcome),
            })
        };
        let kinds = self
            .kinds
            .iter()
            .map(|(kind, (count, tokens))| json!({"kind": kind, "inputs": count, "tokens": tokens}));
        let all = json!({
            "tokenizer": "o200k_base",
            "kinds": kinds.collect::<Vec<Value>>(),
            "default": outcome(&self.default),
            "numbers": self.numbers.iter().map(number).collect::<Vec<Value>>(),
        });
        format!("{all:#}\n")
    }
}

fn round(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Formats a change of the saving, in points of percent.
fn points(change: f64) -> String {
    if change.abs() < 0.005 { "0".to_owned() } else { format!("{change:+.2}") }
}

fn signed(now: usize, before: usize) -> String {
    if now >= before { format!("+{}", now - before).replace("+0", "0") } else { format!("-{}", before - now) }
}
