//! What the logs of agents show.

use std::{
    collections::{BTreeMap, HashSet},
    fs, io,
    path::PathBuf,
    time::SystemTime,
};

use headroom_evals::{
    replay::recording,
    session::{self, Client, RecordedSession, Ttl},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::cmd::simulate::rates;

/// The sessions of some logs, at list prices.
#[derive(Debug, Default, Serialize)]
pub(super) struct LogEvidence {
    pub(super) sessions: u64,
    pub(super) requests: u64,
    /// What they cost, in dollars.
    pub(super) paid: f64,
    pub(super) lifetime: Lifetimes,
    /// What was written to the cache, by cause: how often, and dollars.
    pub(super) writes: BTreeMap<&'static str, (u64, f64)>,
    /// Files that were read more than once in one session.
    pub(super) files: BTreeMap<String, Repeated>,
    /// Commands, by program and verb.
    pub(super) commands: BTreeMap<String, Outputs>,
}

/// The sessions of Claude Code, which can choose how long its cache lives.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Lifetimes {
    pub(super) sessions: u64,
    /// Those of them that wrote for an hour.
    pub(super) long: u64,
    pub(super) paid: f64,
    /// What they would have cost with five minutes throughout, and with an hour.
    pub(super) five_minutes: f64,
    pub(super) hour: f64,
    /// Pauses of more than five minutes and at most an hour, and longer ones.
    pub(super) pauses: u64,
    pub(super) long_pauses: u64,
}

/// Reads of one file.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Repeated {
    /// Reads beyond the first of each session.
    pub(super) again: u64,
    pub(super) sessions: u64,
    /// Tokens of these reads.
    pub(super) tokens: f64,
    /// Dollars for them, in all prompts that held them.
    pub(super) dollars: f64,
}

/// Outputs of one command.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Outputs {
    pub(super) results: u64,
    pub(super) tokens: f64,
    pub(super) dollars: f64,
}

impl Outputs {
    /// The tokens of one, on average.
    pub(super) fn each(&self) -> f64 {
        self.tokens / (self.results.max(1) as f64)
    }
}

impl LogEvidence {
    /// Reads all logs below these paths that are newer than this.
    pub(super) fn read(paths: &[PathBuf], newer_than: SystemTime) -> Result<Self, (PathBuf, io::Error)> {
        let mut files = Vec::new();
        for path in paths {
            files.extend(recording::files(path).map_err(|error| (path.clone(), error))?);
        }
        let is_wanted = |path: &PathBuf| {
            let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
            recording::is_log(path) && modified.is_ok_and(|modified| modified >= newer_than)
        };
        files.retain(is_wanted);
        let bar = ProgressBar::new(files.len() as u64);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} logs") {
            bar.set_style(style);
        }
        let (mut evidence, mut seen) = (Self::default(), HashSet::new());
        for file in files {
            let lines = recording::lines(&file).map_err(|error| (file.clone(), error))?;
            if let Some(session) = session::read(&lines) {
                evidence.add(session, &mut seen);
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(evidence)
    }

    fn add(&mut self, mut session: RecordedSession, seen: &mut HashSet<String>) {
        session.mark_repeated(seen);
        let statement = session.statement(&rates);
        if statement.requests == 0 {
            return;
        }
        self.sessions += 1;
        self.requests += statement.requests;
        self.paid += statement.paid.total();
        for (cause, share) in &statement.writes {
            let (times, dollars) = self.writes.entry(cause.name()).or_default();
            *times += share.times;
            *dollars += share.dollars;
        }
        for (subject, share) in &statement.subjects {
            let outputs = Outputs { results: share.results, tokens: share.tokens, dollars: share.dollars };
            self.subject(subject, outputs);
        }
        if session.client == Client::ClaudeCode {
            let cost = |ttl| session.cost(None, Some(ttl), &rates).total();
            let [pauses, long_pauses] = session.pauses();
            let of_all = &mut self.lifetime;
            of_all.sessions += 1;
            of_all.long += u64::from(session.ttl() == Ttl::Hour);
            of_all.paid += statement.paid.total();
            of_all.five_minutes += cost(Ttl::FiveMinutes);
            of_all.hour += cost(Ttl::Hour);
            of_all.pauses += pauses;
            of_all.long_pauses += long_pauses;
        }
    }

    /// Adds what was asked for in one session: a file, which has a path or an extension, or a command.
    fn subject(&mut self, subject: &str, outputs: Outputs) {
        let what = subject.split_once(' ').map_or("", |(_, what)| what);
        if !what.contains(['/', '.', '\\']) {
            let all = self.commands.entry(subject.to_owned()).or_default();
            all.results += outputs.results;
            all.tokens += outputs.tokens;
            all.dollars += outputs.dollars;
        } else if outputs.results > 1 {
            let all = self.files.entry(subject.to_owned()).or_default();
            let share = (outputs.results - 1) as f64 / outputs.results as f64;
            all.again += outputs.results - 1;
            all.sessions += 1;
            all.tokens += outputs.tokens * share;
            all.dollars += outputs.dollars * share;
        }
    }
}
