//! Measures everything that can be measured offline, without a model.

mod fidelity;
mod planted;
mod qa;
mod replayed;
mod speed;
mod workloads;

use std::io;

use headroom_core::{Tier, Vocabulary};

use crate::{
    Compressor, Data,
    compressor::{Own, Sent, Turn},
    report::{Goal, Report, Section},
};

/// The ids of the sections, in order.
pub const SECTIONS: [&str; 7] = ["workloads", "bill", "needles", "planted", "qa", "fidelity", "speed"];

/// Known obstacles to goals that are missed, by the start of the goal's name.
const OBSTACLES: [(&str, &str); 2] = [
    (
        "bill of all conversations",
        "a little more than half of the bill of these conversations is for results of tools; what the model and the user \
     wrote and the head of the request are never touched. To cut results blindly reaches more, as truncation shows, \
     and loses facts that were used later.",
    ),
    (
        "Records, 20000 rows, seen before",
        "JSON inside of JSON has an escape every few bytes, each of which the scan looks at; it varies with the machine.",
    ),
];

/// Returns the obstacle to a goal, if known.
fn obstacle(goal: &str) -> Option<&'static str> {
    OBSTACLES.iter().find(|(start, _)| goal.starts_with(start)).map(|(_, why)| *why)
}

/// Options for a run of the suite.
#[derive(Clone, Debug)]
pub struct Options {
    /// The sections to run; all if empty. See [`SECTIONS`].
    pub only: Vec<String>,
    /// Measures a sample instead of everything, for a first look.
    pub quick: bool,
    /// The tier of Headroom's edits.
    pub tier: Tier,
    /// The maximum number of turns replayed per conversation.
    pub turns: usize,
    /// The number of newest results that observation masking shows.
    pub masking: usize,
    /// The number of characters of a result that truncation shows.
    pub truncation: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            only: Vec::new(),
            quick: false,
            tier: Tier::Recoverable,
            turns: 60,
            masking: 10,
            truncation: 4_000,
        }
    }
}

/// Error that stops the suite.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// Existing data cannot be read.
    #[error("cannot read the data")]
    Data(#[from] io::Error),
    /// A requested section does not exist.
    #[error("there is no section {0}; there are workloads, bill, needles, planted, qa, fidelity and speed")]
    UnknownSection(String),
    /// The engine has no such number.
    #[error("there is no number or group {0}; `headroom evals tuning --list` prints all")]
    UnknownNumber(String),
    /// The async runtime cannot be started.
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
}

/// Receives the progress of the suite.
pub trait Progress {
    /// Called when a task with this many steps begins.
    fn begin(&self, what: &str, steps: usize);
    /// Called when a step is done.
    fn step(&self);
}

/// Ignores progress.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _: &str, _: usize) {}
    fn step(&self) {}
}

/// Runs the measurements.
pub struct Suite {
    data: Data,
    options: Options,
    /// Headroom first, then its peers.
    compressors: Vec<Box<dyn Compressor>>,
    goals: Vec<Goal>,
}

impl std::fmt::Debug for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Suite").field("options", &self.options).finish_non_exhaustive()
    }
}

impl Suite {
    /// Creates a suite that measures Headroom alone.
    #[must_use]
    pub fn new(data: Data, options: Options) -> Self {
        let own: Box<dyn Compressor> = Box::new(Own::new(options.tier));
        Self { data, options, compressors: vec![own], goals: Vec::new() }
    }

    /// Adds another tool.
    #[must_use]
    pub fn with(mut self, peer: Box<dyn Compressor>) -> Self {
        self.compressors.push(peer);
        self
    }

    /// Measures all requested sections.
    ///
    /// # Errors
    ///
    /// Returns an [`EvalError`] if data cannot be read or a section does not exist.
    pub fn run(mut self, progress: &dyn Progress) -> Result<Report, EvalError> {
        if let Some(unknown) = self.options.only.iter().find(|name| !SECTIONS.contains(&name.as_str())) {
            return Err(EvalError::UnknownSection(unknown.clone()));
        }
        let mut sections = Vec::new();
        if self.wants("workloads") {
            sections.push(workloads::run(&mut self, progress)?);
        }
        if self.wants("bill") || self.wants("needles") {
            let found = replayed::run(&mut self, progress)?;
            sections.extend(found.into_iter().filter(|section| self.wants(section.id)));
        }
        if self.wants("planted") {
            sections.push(planted::run(&mut self, progress));
        }
        if self.wants("qa") {
            sections.push(qa::run(&mut self, progress)?);
        }
        if self.wants("fidelity") {
            sections.push(fidelity::run(&mut self, progress)?);
        }
        let timings = self.wants("speed").then(|| speed::run(self.options.quick, progress));
        let kept: Vec<&str> = sections.iter().map(|section: &Section| section.id).collect();
        self.goals.retain(|goal| kept.contains(&goal.section));
        Ok(Report {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command: "headroom evals suite".to_owned()
                + if self.data.is_there() { " --data DIR" } else { "" },
            is_live: false,
            data: self.data.used(),
            goals: self.goals,
            sections,
            timings,
        })
    }

    fn wants(&self, section: &str) -> bool {
        self.options.only.is_empty() || self.options.only.iter().any(|name| name == section)
    }

    fn command(&self, section: &str) -> String {
        let data = if self.data.is_there() { "--data DIR " } else { "" };
        format!("headroom evals suite {data}--only {section}")
    }

    /// Returns the list, or a sample of it in a quick run.
    fn sample<T>(&self, all: Vec<T>, few: usize) -> Vec<T> {
        if !self.options.quick || all.len() <= few {
            return all;
        }
        let step = all.len().div_ceil(few);
        all.into_iter().step_by(step).collect()
    }

    fn goal(&mut self, section: &'static str, what: &str, target: &str, reached: String, ok: bool) {
        self.goals.push(Goal {
            what: what.to_owned(),
            target: target.to_owned(),
            reached,
            ok,
            obstacle: obstacle(what),
            section,
        });
    }
}

/// Compresses a request; returns it unchanged, and `false`, if the compressor fails.
fn sent(compressor: &mut dyn Compressor, turn: &Turn<'_>) -> (Sent, bool) {
    match compressor.compress(turn) {
        Ok(sent) => (sent, true),
        Err(_) => (Sent { body: turn.body.to_vec(), ..Sent::default() }, false),
    }
}

fn tokens(text: &str) -> usize {
    Vocabulary::O200kBase.count(text)
}
