//! Sessions with the provider's counts: what they cost, and what they would have cost.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    path::{Path, PathBuf},
};

use headroom_evals::session::{Client, Cost, Rates, RecordedSession, Share, Statement, ToolShare, Ttl};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{
    Replay,
    epochs::{EpochRow, EpochSum},
};
use crate::ledger::Price;

/// What a lever takes off is shown for so many tokens of the head.
pub(super) const HEAD_STEP: f64 = 1_000.0;

/// All sessions.
#[derive(Debug, Default, Serialize)]
pub(super) struct Sessions {
    pub(super) rows: Vec<SessionRow>,
    /// Sessions that begin with requests of another one.
    pub(super) resumed: usize,
    /// Requests that stand in several files.
    pub(super) repeated: u64,
    /// What sub-agents cost whose requests show in the logs of others only, in dollars.
    pub(super) subagents: f64,
    /// Models without a price. Their requests cost nothing here.
    pub(super) unpriced: BTreeSet<String>,
    #[serde(skip)]
    seen: HashSet<String>,
    #[serde(skip)]
    subagent_requests: HashMap<String, f64>,
}

/// One session.
#[derive(Debug, Serialize)]
pub(super) struct SessionRow {
    pub(super) file: PathBuf,
    pub(super) client: &'static str,
    /// The model of most requests.
    pub(super) model: String,
    /// Tokens of system prompt and tool definitions.
    head_tokens: f64,
    /// The provider's tokens for one of `o200k`.
    token_factor: f64,
    /// The lifetime that the cache was written for.
    lifetime: &'static str,
    pub(super) recorded: Statement,
    /// What it would have cost, in dollars.
    pub(super) with: Levers,
    /// Tool results by tool: tokens when they arrived, and what Headroom makes of them.
    pub(super) results: BTreeMap<String, ResultTokens>,
    /// The epochs; `None` if they are off.
    pub(super) epochs: Option<EpochRow>,
}

/// Dollars with other sizes and other lifetimes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Levers {
    pub(super) headroom: Cost,
    /// A cache of five minutes throughout, without and with Headroom; `None` where a client cannot choose.
    pub(super) five_minutes: Option<[Cost; 2]>,
    /// A cache of an hour throughout.
    pub(super) hour: Option<[Cost; 2]>,
    /// A thousand tokens less in the head.
    pub(super) shorter_head: Cost,
}

/// Tokens of results, once each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct ResultTokens {
    pub(super) before: f64,
    pub(super) after: f64,
}

impl SessionRow {
    pub(super) fn paid(&self) -> f64 {
        self.recorded.paid.total()
    }
}

impl Sessions {
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.resumed == 0
    }

    pub(super) fn add(
        &mut self,
        replay: &Replay,
        file: &Path,
        mut session: RecordedSession,
        bar: &ProgressBar,
    ) {
        session.requests.truncate(replay.max_turns.unwrap_or(usize::MAX));
        let repeated = session.mark_repeated(&mut self.seen);
        self.resumed += usize::from(repeated > 0);
        self.repeated += repeated as u64;
        for (id, model, counted) in &session.subagents {
            let rates = rates(model);
            let dollars = counted.input * rates.input
                + counted.read * rates.read
                + counted.write * rates.write
                + counted.write_long * rates.write_long
                + counted.output * rates.output;
            self.subagent_requests.insert(id.clone(), dollars);
        }
        let counts = || session.requests.iter().filter(|request| !request.is_repeated);
        self.unpriced.extend(
            counts().map(|request| &request.model).filter(|model| Price::nearest(model).is_none()).cloned(),
        );
        if counts().next().is_some() {
            self.rows.push(row(replay, file, &session, bar));
        }
    }

    /// All of them together.
    pub(super) fn sum(&self) -> BillSum {
        BillSum::of(&self.rows.iter().collect::<Vec<_>>())
    }

    /// Sums up what was noted on the way.
    pub(super) fn finish(&mut self) {
        let unseen = self.subagent_requests.iter().filter(|(id, _)| !self.seen.contains(*id));
        self.subagents = unseen.map(|(_, dollars)| dollars).sum();
    }
}

fn row(replay: &Replay, file: &Path, session: &RecordedSession, bar: &ProgressBar) -> SessionRow {
    let replayed = replay.replayed(session, replay.has_epochs, bar);
    let sizes = &replayed.sizes;
    let headroom = session.cost(Some(sizes), None, &rates);
    let with = |ttl: Ttl| {
        let is_choice = session.client == Client::ClaudeCode;
        is_choice
            .then(|| [session.cost(None, Some(ttl), &rates), session.cost(Some(sizes), Some(ttl), &rates)])
    };
    let mut models: BTreeMap<&str, usize> = BTreeMap::new();
    for request in session.requests.iter().filter(|request| !request.is_repeated) {
        *models.entry(&request.model).or_default() += 1;
    }
    let model = models.into_iter().max_by_key(|(_, requests)| *requests).map_or("", |(model, _)| model);
    SessionRow {
        file: file.to_owned(),
        client: session.client.name(),
        model: model.to_owned(),
        head_tokens: session.head,
        token_factor: session.factor,
        lifetime: session.ttl().name(),
        recorded: session.statement(&rates),
        with: Levers {
            headroom,
            five_minutes: with(Ttl::FiveMinutes),
            hour: with(Ttl::Hour),
            shorter_head: session.cost_with_less_head(None, HEAD_STEP, &rates),
        },
        epochs: EpochRow::new(replay, session, &replayed, headroom, bar),
        results: replayed.results,
    }
}

/// The prices of a model in dollars per token; zero if there is none.
pub(crate) fn rates(model: &str) -> Rates {
    Price::nearest(model).map_or_else(Rates::default, |price| Rates {
        input: price.input / 1e6,
        read: price.cache_read / 1e6,
        write: price.cache_write / 1e6,
        write_long: price.cache_write_long / 1e6,
        output: price.output / 1e6,
    })
}

/// What several sessions cost together.
#[derive(Debug, Default, Serialize)]
pub(super) struct BillSum {
    pub(super) sessions: usize,
    pub(super) requests: u64,
    pub(super) paid: Cost,
    pub(super) prompt: BTreeMap<&'static str, Cost>,
    pub(super) output: BTreeMap<&'static str, f64>,
    pub(super) writes: BTreeMap<&'static str, Share>,
    pub(super) tools: BTreeMap<String, ToolSum>,
    /// Results by what was asked for.
    pub(super) subjects: BTreeMap<String, ToolShare>,
    pub(super) levers: BTreeMap<&'static str, Effect>,
    /// The epochs; `None` if they are off.
    pub(super) epochs: Option<EpochSum>,
}

/// The results of one tool.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct ToolSum {
    pub(super) results: u64,
    pub(super) tokens_before: f64,
    pub(super) tokens_after: f64,
    /// What they cost in all prompts that held them, in dollars.
    pub(super) dollars: f64,
}

/// What a lever changes, as a share of the bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Effect {
    /// Of all sessions together.
    pub(super) total: f64,
    pub(super) median: f64,
    /// A quarter of the sessions is below the first, a quarter above the second.
    pub(super) quartiles: [f64; 2],
    /// Of the session that fares worst.
    pub(super) worst: f64,
    /// In dollars.
    pub(super) dollars: f64,
}

/// The levers, and what each makes of a session.
type Lever = (&'static str, fn(&SessionRow) -> Option<f64>);
pub(super) const LEVERS: [Lever; 7] = [
    ("headroom", |row| Some(row.with.headroom.total())),
    ("without_epochs", |row| Some(row.epochs.as_ref()?.without.total())),
    ("5m", |row| Some(row.with.five_minutes?[0].total())),
    ("5m_headroom", |row| Some(row.with.five_minutes?[1].total())),
    ("1h", |row| Some(row.with.hour?[0].total())),
    ("1h_headroom", |row| Some(row.with.hour?[1].total())),
    ("shorter_head", |row| Some(row.with.shorter_head.total())),
];

impl BillSum {
    pub(super) fn of(rows: &[&SessionRow]) -> Self {
        let mut sum = Self::default();
        for row in rows {
            let Statement { requests, paid, prompt, output, tools, subjects, writes } = &row.recorded;
            sum.sessions += 1;
            sum.requests += requests;
            sum.paid += *paid;
            for (kind, cost) in prompt {
                *sum.prompt.entry(kind).or_default() += *cost;
            }
            for (kind, dollars) in output {
                *sum.output.entry(kind).or_default() += dollars;
            }
            for (cause, share) in writes {
                let all = sum.writes.entry(cause.name()).or_default();
                all.times += share.times;
                all.dollars += share.dollars;
            }
            for (tool, share) in tools {
                let of_tool = sum.tools.entry(tool.clone()).or_default();
                of_tool.results += share.results;
                of_tool.dollars += share.dollars;
            }
            for (subject, share) in subjects {
                let all = sum.subjects.entry(subject.clone()).or_default();
                all.results += share.results;
                all.tokens += share.tokens;
                all.dollars += share.dollars;
            }
            for (tool, tokens) in &row.results {
                let of_tool = sum.tools.entry(tool.clone()).or_default();
                of_tool.tokens_before += tokens.before;
                of_tool.tokens_after += tokens.after;
            }
        }
        sum.epochs = EpochSum::of(rows);
        for (name, of) in LEVERS {
            let pairs = rows.iter().filter_map(|row| Some((row.paid(), of(row)?)));
            if let Some(effect) = Effect::of(pairs.filter(|(paid, _)| *paid > 0.0)) {
                sum.levers.insert(name, effect);
            }
        }
        sum
    }
}

impl Effect {
    /// The effect on sessions that cost so many dollars before and after; `None` without any.
    pub(super) fn of(pairs: impl Iterator<Item = (f64, f64)>) -> Option<Self> {
        let (mut before, mut after, mut shares) = (0.0, 0.0, Vec::new());
        for (paid, with) in pairs {
            before += paid;
            after += with;
            shares.push(with / paid - 1.0);
        }
        shares.sort_by(f64::total_cmp);
        let at = |quarter: usize| shares.get(shares.len() * quarter / 4).or(shares.last()).copied();
        Some(Self {
            total: after / before - 1.0,
            median: at(2)?,
            quartiles: [at(1)?, at(3)?],
            worst: *shares.last()?,
            dollars: after - before,
        })
    }
}
