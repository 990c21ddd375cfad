//! The bill as text.

use std::fmt::Write as _;

use super::{
    bill::{BillSum, Effect, HEAD_STEP, SessionRow, Sessions, ToolSum},
    epochs::EpochSum,
    name,
    show::{short, short_to, signed},
};
use crate::{
    config::Config,
    ledger,
    output::{Count, dollars},
};

/// At most so many sessions and tools are listed.
const MAX_ROWS: usize = 20;
/// And so many files and commands.
const MAX_REPEATED: usize = 8;
/// Width of a tool's name and of what it was asked for, where both are shown.
const TOOL: usize = 14;
const WHAT: usize = 36;
/// A smaller share of the bill has no row of its own.
const LEAST_SHARE: f64 = 0.0005;

pub(super) fn text(sessions: &Sessions, config: &Config) -> String {
    let all = sessions.sum();
    let mut text = format!(
        "{}, {}, {} by the providers' own counts\n",
        counted(all.sessions as u64, "session"),
        counted(all.requests, "request"),
        dollars(all.paid.total())
    );
    if sessions.resumed > 0 {
        let begin = if sessions.resumed == 1 { "begins" } else { "begin" };
        let _ = writeln!(
            text,
            "{} {begin} with another one, resumed or forked; what they share is counted once ({}).",
            counted(sessions.resumed as u64, "session"),
            counted(sessions.repeated, "request")
        );
    }
    if all.paid.total() > 0.0 {
        for part in [
            spent(&all),
            writes(&all),
            tools(&all),
            repeated(&all),
            levers(sessions, &all, config),
            epochs(sessions, &all),
            list(&sessions.rows),
        ] {
            if !part.is_empty() {
                text.push('\n');
                text.push_str(&part);
            }
        }
    }
    text.push('\n');
    text.push_str(&notes(sessions));
    text
}

/// Where the money went.
fn spent(all: &BillSum) -> String {
    let total = all.paid.total();
    let share =
        |dollars: f64| if dollars / total < LEAST_SHARE { String::new() } else { percent(dollars / total) };
    let row = |name: &str, [read, write, input, output]: [f64; 4]| {
        let sum = read + write + input + output;
        [name.to_owned(), share(read), share(write), share(input), share(output), share(sum), dollars(sum)]
            .to_vec()
    };
    let mut kinds: Vec<_> = all
        .prompt
        .iter()
        .map(|(kind, cost)| {
            let output = all.output.get(kind).copied().unwrap_or_default();
            (*kind, [cost.read, cost.write, cost.input, output])
        })
        .collect();
    let only_output = all.output.iter().filter(|(kind, _)| !all.prompt.contains_key(*kind));
    kinds.extend(only_output.map(|(kind, dollars)| (*kind, [0.0, 0.0, 0.0, *dollars])));
    kinds.retain(|(_, parts)| parts.iter().sum::<f64>() / total >= LEAST_SHARE);
    kinds.sort_by(|(_, a), (_, b)| b.iter().sum::<f64>().total_cmp(&a.iter().sum()));
    let head = ["where it went", "read", "written", "input", "output", "of the bill", ""];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(kinds.into_iter().map(|(kind, parts)| row(kind, parts)));
    rows.push(row("all", [all.paid.read, all.paid.write, all.paid.input, all.paid.output]));
    table(&rows)
}

/// Why the cache was written.
fn writes(all: &BillSum) -> String {
    let total = all.paid.total();
    let mut causes: Vec<_> = all.writes.iter().filter(|(_, share)| share.times > 0).collect();
    causes.sort_by(|(_, a), (_, b)| b.dollars.total_cmp(&a.dollars));
    let mut rows = vec![["written because of", "times", "of the bill", ""].map(str::to_owned).to_vec()];
    rows.extend(causes.into_iter().map(|(cause, share)| {
        let times = Count(share.times).to_string();
        vec![(*cause).to_owned(), times, percent(share.dollars / total), dollars(share.dollars)]
    }));
    table(&rows)
}

/// What the results of each tool cost.
fn tools(all: &BillSum) -> String {
    let total = all.paid.total();
    let mut tools: Vec<(&String, &ToolSum)> = all.tools.iter().filter(|(_, tool)| tool.results > 0).collect();
    tools.sort_by(|(_, a), (_, b)| b.dollars.total_cmp(&a.dollars));
    if tools.is_empty() {
        return String::new();
    }
    let head = ["results of", "number", "tokens", "with Headroom", "", "of the bill"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let more = tools.len().saturating_sub(MAX_ROWS);
    rows.extend(tools.into_iter().take(MAX_ROWS).map(|(name, tool)| {
        let change = match tool.tokens_before > 0.0 {
            true => signed(tool.tokens_after / tool.tokens_before - 1.0),
            false => String::new(),
        };
        vec![
            short(name),
            Count(tool.results).to_string(),
            rounded(tool.tokens_before),
            rounded(tool.tokens_after),
            change,
            percent(tool.dollars / total),
        ]
    }));
    let mut text = table(&rows);
    if more > 0 {
        let _ = writeln!(text, "and {more} other tools");
    }
    text
}

/// What was asked for more than once, and what that cost.
fn repeated(all: &BillSum) -> String {
    let total = all.paid.total();
    let mut subjects: Vec<_> = all.subjects.iter().filter(|(_, share)| share.results > 1).collect();
    subjects.sort_by(|(_, a), (_, b)| b.dollars.total_cmp(&a.dollars));
    if subjects.is_empty() {
        return String::new();
    }
    let head = ["asked for again and again", "times", "tokens", "of the bill"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(subjects.into_iter().take(MAX_REPEATED).map(|(subject, share)| {
        let times = Count(share.results).to_string();
        // The tool, and the end of a long path.
        let (tool, what) = subject.split_once(' ').unwrap_or((subject, ""));
        let name = format!("{} {}", short_to(tool, TOOL), short_to(what, WHAT));
        vec![name, times, rounded(share.tokens), percent(share.dollars / total)]
    }));
    table(&rows)
}

/// What would have taken something off the bill, or put something on it.
fn levers(sessions: &Sessions, all: &BillSum, config: &Config) -> String {
    let head = ["with", "", "bill", "median", "quartiles", "worst"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let row = |name: String, effect: &Effect| {
        let [first, third] = effect.quartiles.map(signed);
        let spread = format!("{}..{}", first.trim_end_matches(" %"), third);
        let saved = if effect.dollars < 0.0 {
            dollars(effect.dollars)
        } else {
            format!("+{}", dollars(effect.dollars))
        };
        vec![name, saved, signed(effect.total), signed(effect.median), spread, signed(effect.worst)]
    };
    if let Some(effect) = all.levers.get("headroom") {
        rows.push(row("Headroom".to_owned(), effect));
    }
    for (client, of_client) in clients(sessions) {
        if let Some(effect) = of_client.levers.get("headroom") {
            rows.push(row(format!("  {client}, {}", counted(of_client.sessions as u64, "session")), effect));
        }
    }
    for (lever, name) in [
        ("without_epochs", "Headroom without epochs"),
        ("5m", "a cache of 5 minutes"),
        ("5m_headroom", "  and Headroom"),
        ("1h", "a cache of 1 hour"),
        ("1h_headroom", "  and Headroom"),
        ("shorter_head", "1,000 tokens less head"),
    ] {
        if let Some(effect) = all.levers.get(lever) {
            rows.push(row(name.to_owned(), effect));
        }
    }
    let settings = format!(
        "Headroom: tier {}, retrieval {}, epochs {}.\n",
        config.tier,
        config.retrieval,
        config.epochs()
    );
    table(&rows) + &settings + &lifetimes(&sessions.rows)
}

/// The sums of each client.
fn clients(sessions: &Sessions) -> Vec<(&'static str, BillSum)> {
    let mut clients: Vec<&'static str> = sessions.rows.iter().map(|row| row.client).collect();
    clients.sort_unstable();
    clients.dedup();
    let sum = |client: &str| {
        BillSum::of(&sessions.rows.iter().filter(|row| row.client == client).collect::<Vec<_>>())
    };
    clients.into_iter().map(|client| (client, sum(client))).collect()
}

/// What epochs brought, and what later answers would have asked back.
fn epochs(sessions: &Sessions, all: &BillSum) -> String {
    let Some(of_all) = &all.epochs else { return String::new() };
    let head = ["epochs", "", "sessions", "expected", "gain", "asked back", "still shown", "dearer"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let share = |part: usize, of: usize| match of {
        0 => String::new(),
        _ => percent(part as f64 / of as f64),
    };
    let row = |name: String, sum: &EpochSum, sessions: usize| {
        vec![
            name,
            Count(sum.epochs as u64).to_string(),
            Count(sum.sessions as u64).to_string(),
            dollars(sum.expected_gain),
            dollars(sum.gain),
            share(sum.asked_back, sum.results),
            share(sum.visible, sum.used_later),
            format!("{} of {}", Count(sum.dearer as u64), Count(sessions as u64)),
        ]
    };
    rows.push(row("all".to_owned(), of_all, all.sessions));
    for (client, sum) in clients(sessions) {
        if let Some(of_client) = &sum.epochs {
            rows.push(row(format!("  {client}"), of_client, sum.sessions));
        }
    }
    table(&rows)
        + &format!(
            "{} old results shrank. Asked back: those of which a later answer uses two names or more that\n\
             stood nowhere else; {} for a round each, in the gain. Still shown: names of such results that\n\
             later answers use. Dearer: sessions that cost more than without epochs.\n",
            Count(of_all.results as u64),
            dollars(of_all.retrieval),
        )
}

/// Which lifetime of the cache would have fitted the pauses of how many sessions.
fn lifetimes(sessions: &[SessionRow]) -> String {
    let (mut all, mut short, mut long) = (0, 0, 0);
    for row in sessions {
        let (Some([five_minutes, _]), Some([hour, _])) = (row.with.five_minutes, row.with.hour) else {
            continue;
        };
        let (five_minutes, hour) = (five_minutes.total(), hour.total());
        // Less than one in a thousand is no reason to change anything.
        let is_cheaper = |cost: f64| cost < row.paid() * 0.999;
        all += 1;
        short += u64::from(is_cheaper(five_minutes) && five_minutes <= hour);
        long += u64::from(is_cheaper(hour) && hour < five_minutes);
    }
    if all == 0 {
        return String::new();
    }
    format!(
        "By its pauses, a session of Claude Code would have been cheaper than it was with a cache of\n\
         5 minutes in {short} of {all} cases, with one of an hour in {long}.\n"
    )
}

/// The dearest sessions.
fn list(sessions: &[SessionRow]) -> String {
    let mut sorted: Vec<&SessionRow> = sessions.iter().collect();
    sorted.sort_by(|a, b| b.paid().total_cmp(&a.paid()));
    let mut rows = vec![["session", "requests", "paid", "with Headroom", ""].map(str::to_owned).to_vec()];
    rows.extend(sorted.iter().take(MAX_ROWS).map(|row| {
        let (paid, with) = (row.paid(), row.with.headroom.total());
        let change = if paid > 0.0 { signed(with / paid - 1.0) } else { String::new() };
        let requests = Count(row.recorded.requests).to_string();
        vec![short(&name(&row.file)), requests, dollars(paid), dollars(with), change]
    }));
    let mut text = table(&rows);
    if sorted.len() > MAX_ROWS {
        let _ = writeln!(text, "and {} cheaper ones; --json lists all", sorted.len() - MAX_ROWS);
    }
    text
}

fn notes(sessions: &Sessions) -> String {
    let mut notes = format!(
        "Paid: the `usage` of every answer at the prices of {}. Kinds are estimates: o200k\n\
         tokens, scaled to those counts; `head` is the system prompt and the tools. Headroom: each\n\
         request was sent through it, and sizes count where the cache was read or written; what the\n\
         model would have done otherwise is not in it. A cache of 5 minutes or 1 hour: the recorded\n\
         pauses decide what is still there; Claude Code only. Logs hold no tool definitions; {HEAD_STEP}\n\
         tokens are those of two or three tools.\n",
        ledger::as_of()
    );
    if sessions.subagents > 0.0 {
        let _ = writeln!(
            notes,
            "Not in it: sub-agents whose requests only show as progress, {}.",
            dollars(sessions.subagents)
        );
    }
    if !sessions.unpriced.is_empty() {
        let models: Vec<&str> = sessions.unpriced.iter().map(String::as_str).collect();
        let _ = writeln!(
            notes,
            "No price, so counted as free: {}. HEADROOM_PRICES can name one.",
            models.join(", ")
        );
    }
    notes
}

/// Aligns the first column left and the others right.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(line, "{cell:<width$}"),
                _ => write!(line, "  {cell:>width$}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", Count(number), if number == 1 { "" } else { "s" })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "token counts are small and positive"
)]
fn rounded(tokens: f64) -> String {
    Count(tokens.round().max(0.0) as u64).to_string()
}
