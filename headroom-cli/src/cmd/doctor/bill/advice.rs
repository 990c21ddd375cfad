//! Makes advice of evidence. Each piece has what it would be worth, by the user's own records.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Evidence,
    clients::{AgentKind, server_of},
    logs::{Outputs, Repeated},
    turns::ToolEvidence,
};
use crate::output::{self, Count, dollars};

/// Less than this share of the bill is not worth a line.
const MIN_SHARE: f64 = 0.005;
/// Conversations that must define a tool before it counts as never called.
const MIN_CONVERSATIONS: usize = 3;
/// A command floods whose outputs have this many tokens on average.
const MIN_FLOOD_TOKENS: f64 = 2_000.0;
/// And that ran this often.
const MIN_FLOOD_RESULTS: u64 = 3;
/// So many items are named.
const MAX_NAMED: usize = 5;
/// Of a longer path the end is shown, in characters.
const MAX_PATH: usize = 48;

/// One piece of advice, or what was looked for in vain.
#[derive(Debug, Serialize)]
pub(super) struct Advice {
    pub(super) about: &'static str,
    /// What the records show it to be worth, in dollars; `None` if there is nothing to do.
    pub(super) dollars: Option<f64>,
    /// What was paid in the records that show it.
    pub(super) of: f64,
    /// What the records show.
    pub(super) evidence: Vec<String>,
    /// What to do.
    pub(super) remedy: Vec<String>,
}

impl Advice {
    /// Returns all advice, that which is worth most first, and behind it what needs nothing.
    pub(super) fn from_evidence(evidence: &Evidence) -> Vec<Self> {
        let mut all = vec![
            lifetime(evidence),
            model_switches(evidence),
            read_again(evidence),
            floods(evidence),
            unused_tools(evidence),
            heads(evidence),
        ];
        all.sort_by(|a, b| b.dollars.unwrap_or(-1.0).total_cmp(&a.dollars.unwrap_or(-1.0)));
        all
    }

    fn nothing(about: &'static str, of: f64, why: String) -> Self {
        Self { about, dollars: None, of, evidence: vec![why], remedy: Vec::new() }
    }
}

/// Which lifetime of the cache fits the pauses.
fn lifetime(evidence: &Evidence) -> Advice {
    const ABOUT: &str = "cache lifetime";
    let all = evidence.logs.lifetime;
    if all.sessions == 0 {
        return Advice::nothing(ABOUT, 0.0, "no session of Claude Code, which could choose it".to_owned());
    }
    let (cost, name, variable) = if all.hour < all.five_minutes {
        (all.hour, "an hour", "ENABLE_PROMPT_CACHING_1H=1")
    } else {
        (all.five_minutes, "five minutes", "FORCE_PROMPT_CACHING_5M=1")
    };
    let pauses = format!(
        "{} pauses of 5 to 60 minutes and {} longer ones in {} sessions of Claude Code, {} of which wrote for an hour",
        Count(all.pauses),
        Count(all.long_pauses),
        Count(all.sessions),
        Count(all.long)
    );
    let costs = format!(
        "paid {}; with five minutes throughout {}, with an hour {}",
        dollars(all.paid),
        dollars(all.five_minutes),
        dollars(all.hour)
    );
    if !is_worth(all.paid - cost, all.paid) {
        return Advice::nothing(ABOUT, all.paid, format!("{pauses}; {costs}"));
    }
    Advice {
        about: ABOUT,
        dollars: Some(all.paid - cost),
        of: all.paid,
        evidence: vec![pauses, costs],
        remedy: vec![format!("let the cache live for {name}: {variable} in the environment of Claude Code")],
    }
}

/// Models that were changed in the middle of a session.
fn model_switches(evidence: &Evidence) -> Advice {
    const ABOUT: &str = "model switches";
    let (times, paid) = evidence.logs.writes.get("model switch").copied().unwrap_or_default();
    if !is_worth(paid, evidence.logs.paid) {
        let why =
            format!("{} in {} requests, {}", Count(times), Count(evidence.logs.requests), dollars(paid));
        return Advice::nothing(ABOUT, evidence.logs.paid, why);
    }
    Advice {
        about: ABOUT,
        dollars: Some(paid),
        of: evidence.logs.paid,
        evidence: vec![format!(
            "the model changed {} times within a session; its own cache was empty, so {} were paid to write the \
             conversation again",
            Count(times),
            dollars(paid)
        )],
        remedy: vec!["change the model between sessions, not within one".to_owned()],
    }
}

/// Files that were read again and again.
fn read_again(evidence: &Evidence) -> Advice {
    const ABOUT: &str = "files that are read again";
    let files = &evidence.logs.files;
    let paid: f64 = files.values().map(|file| file.dollars).sum();
    let again: u64 = files.values().map(|file| file.again).sum();
    if !is_worth(paid, evidence.logs.paid) {
        let why = format!("{} reads beyond the first of a session, {}", Count(again), dollars(paid));
        return Advice::nothing(ABOUT, evidence.logs.paid, why);
    }
    let mut sorted: Vec<(&String, &Repeated)> = files.iter().collect();
    sorted.sort_by(|(_, a), (_, b)| b.dollars.total_cmp(&a.dollars));
    let mut lines = vec![format!("{} reads of a file that the session had read before", Count(again))];
    lines.extend(sorted.iter().take(MAX_NAMED).map(|(subject, file)| {
        format!(
            "{}: {} more in {}, {} tokens, {}",
            shortened(subject),
            Count(file.again),
            counted(file.sessions, "session"),
            rounded(file.tokens),
            dollars(file.dollars)
        )
    }));
    Advice {
        about: ABOUT,
        dollars: Some(paid),
        of: evidence.logs.paid,
        evidence: lines,
        remedy: vec![
            "Headroom shows what is unchanged in them as a reference; `headroom simulate` says what that saves"
                .to_owned(),
            "name the parts that matter of a long file in CLAUDE.md or AGENTS.md, or split it".to_owned(),
        ],
    }
}

/// Commands with long outputs.
fn floods(evidence: &Evidence) -> Advice {
    const ABOUT: &str = "commands that flood";
    let floods = |(_, outputs): &(&String, &Outputs)| {
        outputs.each() >= MIN_FLOOD_TOKENS && outputs.results >= MIN_FLOOD_RESULTS
    };
    let mut sorted: Vec<(&String, &Outputs)> = evidence.logs.commands.iter().filter(floods).collect();
    sorted.sort_by(|(_, a), (_, b)| b.dollars.total_cmp(&a.dollars));
    let paid: f64 = sorted.iter().map(|(_, outputs)| outputs.dollars).sum();
    if !is_worth(paid, evidence.logs.paid) {
        let why = format!(
            "{} commands with outputs of {} tokens or more on average, {}",
            Count(sorted.len() as u64),
            Count(MIN_FLOOD_TOKENS as u64),
            dollars(paid)
        );
        return Advice::nothing(ABOUT, evidence.logs.paid, why);
    }
    let line = |(command, outputs): &(&String, &Outputs)| {
        format!(
            "{}: {} outputs of {} tokens on average, {}",
            shortened(command),
            Count(outputs.results),
            rounded(outputs.each()),
            dollars(outputs.dollars)
        )
    };
    Advice {
        about: ABOUT,
        dollars: Some(paid),
        of: evidence.logs.paid,
        evidence: sorted.iter().take(MAX_NAMED).map(line).collect(),
        remedy: vec![
            "ask for less, such as `--quiet` or `| tail -n 50`, in CLAUDE.md or AGENTS.md".to_owned(),
            "Headroom shortens them; `headroom simulate` says by how much".to_owned(),
        ],
    }
}

/// The agent and the MCP server that define a tool, where its name tells.
type ToolGroup<'t> = (Option<AgentKind>, Option<&'t str>);

/// Tools that are defined in every request and were never called.
fn unused_tools(evidence: &Evidence) -> Advice {
    const ABOUT: &str = "tools that are never called";
    let turns = &evidence.turns;
    if turns.known == 0 {
        let why =
            "no turn in the ledger says which tools it had; `headroom proxy` and `headroom wrap` record it";
        return Advice::nothing(ABOUT, turns.paid, why.to_owned());
    }
    let is_unused = |tool: &ToolEvidence| !tool.is_called && tool.conversations.len() >= MIN_CONVERSATIONS;
    let unused: BTreeMap<&str, &ToolEvidence> =
        turns.tools.iter().filter(|(_, tool)| is_unused(tool)).map(|(name, tool)| (&**name, tool)).collect();
    let paid: f64 = unused.values().map(|tool| tool.dollars).sum();
    let all = format!(
        "{} of {} tools had no result in {} turns",
        Count(unused.len() as u64),
        Count(turns.tools.len() as u64),
        Count(turns.known)
    );
    if !is_worth(paid, turns.paid) {
        return Advice::nothing(ABOUT, turns.paid, format!("{all}, {}", dollars(paid)));
    }
    let mut groups: BTreeMap<ToolGroup<'_>, Vec<(&str, &ToolEvidence)>> = BTreeMap::new();
    for (name, tool) in unused {
        groups.entry((tool.agent, server_of(name))).or_default().push((name, tool));
    }
    let (mut lines, mut remedy) = (vec![all], Vec::new());
    let mut sorted: Vec<_> = groups.into_iter().collect();
    let worth = |tools: &[(&str, &ToolEvidence)]| tools.iter().map(|(_, tool)| tool.dollars).sum::<f64>();
    sorted.sort_by(|(_, a), (_, b)| worth(b).total_cmp(&worth(a)));
    for ((agent, server), tools) in sorted.iter().take(MAX_NAMED) {
        let names: Vec<&str> = tools.iter().map(|(name, _)| *name).collect();
        let tokens: u64 = tools.iter().map(|(_, tool)| tool.tokens).sum();
        let of = server
            .map_or_else(String::new, |server| format!(" of the MCP server {}", output::content(server)));
        let by = agent.map_or("", AgentKind::name);
        let by = if by.is_empty() { String::new() } else { format!("{by}, ") };
        lines.push(format!(
            "{by}{} tools{of}, {} tokens, {}: {}",
            names.len(),
            Count(tokens),
            dollars(worth(tools)),
            output::content(&names.join(", "))
        ));
        remedy.extend(agent.map(|agent| agent.without(&names, *server)));
    }
    let all: Vec<_> =
        sorted.iter().flat_map(|(_, tools)| tools).map(|(name, _)| format!("\"{name}\"")).collect();
    let names = all.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if all.len() > MAX_NAMED { ", and the others" } else { "" };
    remedy.push(format!("or, for every agent: drop_tools = [{names}] in Headroom's configuration{more}"));
    Advice { about: ABOUT, dollars: Some(paid), of: turns.paid, evidence: lines, remedy }
}

/// Text of the head that changes within a conversation.
fn heads(evidence: &Evidence) -> Advice {
    const ABOUT: &str = "text that changes in the head";
    let turns = &evidence.turns;
    let accounts = turns.heads.accounts();
    let paid: f64 = accounts.iter().map(|(_, account)| account.dollars).sum();
    if accounts.is_empty() {
        let why = format!("no turn of {} was written again for it", Count(turns.turns));
        return Advice::nothing(ABOUT, turns.paid, why);
    }
    let line = |(change, account): &(&crate::head::HeadChange, &crate::ledger::HeadAccount)| {
        format!(
            "{}: {}, {} turns of {} conversations, {} tokens written again, {}",
            change.position(),
            change.what.as_str(),
            Count(account.turns),
            Count(account.conversations as u64),
            Count(account.missed),
            dollars(account.dollars)
        )
    };
    Advice {
        about: ABOUT,
        dollars: Some(paid),
        of: turns.paid,
        evidence: accounts.iter().take(MAX_NAMED).map(line).collect(),
        remedy: vec![
            "keep it out of the system prompt and the tools: say it in a prompt, where it is needed".to_owned(),
            "a list in another order: sort it; tools that come and go: connect MCP servers before the session"
                .to_owned(),
        ],
    }
}

/// Returns a tool and what it was asked for; of a long path its end.
fn shortened(subject: &str) -> String {
    let (tool, what) = subject.split_once(' ').unwrap_or((subject, ""));
    let cut = what.chars().count().saturating_sub(MAX_PATH);
    let end: String = what.chars().skip(cut).collect();
    let dots = if cut > 0 { "…" } else { "" };
    output::content(&format!("{tool} {dots}{end}")).into_owned()
}

fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", Count(number), if number == 1 { "" } else { "s" })
}

/// Whether this many dollars are worth a line.
fn is_worth(dollars: f64, of: f64) -> bool {
    dollars > 0.0 && dollars >= MIN_SHARE * of
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "token counts are positive")]
fn rounded(tokens: f64) -> Count {
    Count(tokens.round().max(0.0) as u64)
}
