//! What one run came to, and the file that keeps it.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{AgentsError, tasks::Task};
use crate::ledger::LedgerTotals;

/// One run of the agent on one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct AgentRun {
    pub(super) task: String,
    pub(super) with_headroom: bool,
    /// Whether the check succeeded, within the time limit.
    pub(super) is_solved: bool,
    /// The agent's exit status; `None` if a signal ended it.
    pub(super) exit: Option<i32>,
    pub(super) is_timed_out: bool,
    /// Requests that the provider accepted, and that it refused.
    pub(super) turns: u64,
    pub(super) refused: u64,
    /// Turns of a model without a known price.
    pub(super) unpriced: u64,
    /// Dollars.
    pub(super) paid: f64,
    /// Tokens by the provider's counts.
    pub(super) prompt: u64,
    pub(super) cache_read: u64,
    pub(super) output: u64,
    pub(super) seconds: f64,
}

impl AgentRun {
    pub(super) fn new(
        task: &Task,
        with_headroom: bool,
        is_solved: bool,
        (exit, is_timed_out): (Option<i32>, bool),
        bill: &LedgerTotals,
        time: Duration,
    ) -> Self {
        Self {
            task: task.name.clone(),
            with_headroom,
            is_solved,
            exit,
            is_timed_out,
            turns: bill.turns,
            refused: bill.refused,
            unpriced: bill.unpriced,
            paid: bill.paid,
            prompt: bill.usage.prompt(),
            cache_read: bill.usage.cache_read,
            output: bill.usage.output,
            seconds: (time.as_secs_f64() * 10.0).round() / 10.0,
        }
    }

    /// How the agent ended.
    pub(super) fn ended(&self) -> String {
        match self.exit {
            _ if self.is_timed_out => "out of time".to_owned(),
            Some(status) => format!("exit status {status}"),
            None => "ended by a signal".to_owned(),
        }
    }
}

/// A line of `runs.jsonl`.
#[derive(Debug, Serialize, Deserialize)]
struct RunLine {
    /// A hash of everything that the run depends on, but for the provider.
    key: String,
    run: AgentRun,
}

/// The file with the finished runs.
#[derive(Debug)]
pub(super) struct RunFile {
    path: PathBuf,
    file: File,
    known: HashMap<String, AgentRun>,
}

impl RunFile {
    pub(super) fn open(path: &Path) -> Result<Self, AgentsError> {
        let failed = |source| AgentsError::Write { path: path.to_owned(), source };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(failed)?,
        };
        // The last line may be incomplete if this was killed; that run is repeated.
        let lines = text.lines().filter_map(|line| serde_json::from_str::<RunLine>(line).ok());
        let known = lines.map(|line| (line.key, line.run)).collect();
        let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
        if !text.is_empty() && !text.ends_with('\n') {
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), file, known })
    }

    pub(super) fn get(&self, key: &str) -> Option<&AgentRun> {
        self.known.get(key)
    }

    pub(super) fn put(&mut self, key: &str, run: &AgentRun) -> Result<(), AgentsError> {
        let failed = |source| AgentsError::Write { path: self.path.clone(), source };
        let line = RunLine { key: key.to_owned(), run: run.clone() };
        let mut text = serde_json::to_string(&line).map_err(io::Error::from).map_err(failed)?;
        text.push('\n');
        self.file.write_all(text.as_bytes()).map_err(failed)?;
        self.known.insert(line.key, line.run);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_runs_outlive_a_program_that_was_killed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/runs.jsonl");
        let run = AgentRun {
            task: "t".to_owned(),
            with_headroom: true,
            is_solved: true,
            exit: Some(0),
            is_timed_out: false,
            turns: 3,
            refused: 0,
            unpriced: 0,
            paid: 0.25,
            prompt: 10,
            cache_read: 5,
            output: 2,
            seconds: 1.5,
        };
        RunFile::open(&path).unwrap().put("one", &run).unwrap();
        let torn = fs::read_to_string(&path).unwrap() + "{\"key\":\"tw";
        fs::write(&path, torn).unwrap();
        let mut file = RunFile::open(&path).unwrap();
        assert_eq!((file.get("one"), file.get("tw")), (Some(&run), None));
        file.put("three", &run).unwrap();
        assert!(RunFile::open(&path).unwrap().get("three").is_some());
    }
}
