//! What epochs brought.

use headroom_evals::session::{Cost, RecordedSession};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{
    Replay,
    bill::{SessionRow, rates},
    replayed::{Begun, Replayed},
};

/// A gain or a loss of less than this many dollars is one of rounding.
const LEAST_LOSS: f64 = 1e-6;

/// The epochs of one session.
#[derive(Debug, Serialize)]
pub(super) struct EpochRow {
    begun: Vec<Begun>,
    /// What the session would have cost with Headroom, but without epochs.
    pub(super) without: Cost,
    /// By how many dollars it is cheaper with them, by the estimate of the epochs.
    expected_gain: f64,
    /// By how many dollars it is cheaper, with what is retrieved.
    gain: f64,
    /// What is retrieved, in dollars.
    retrieval: f64,
    /// Results that shrank, and those of them that an answer would have asked for.
    results: usize,
    asked_back: usize,
    /// Identifiers of these results that later answers used, and those that the requests still showed.
    used_later: usize,
    visible: usize,
}

/// The epochs of several sessions.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct EpochSum {
    pub(super) epochs: usize,
    /// Sessions that have some.
    pub(super) sessions: usize,
    /// Sessions that are dearer with them than without.
    pub(super) dearer: usize,
    pub(super) expected_gain: f64,
    pub(super) gain: f64,
    pub(super) retrieval: f64,
    pub(super) results: usize,
    pub(super) asked_back: usize,
    pub(super) used_later: usize,
    pub(super) visible: usize,
}

impl EpochRow {
    /// Returns the epochs of a replayed session; `None` if they are off.
    pub(super) fn new(
        replay: &Replay,
        session: &RecordedSession,
        replayed: &Replayed,
        with: Cost,
        bar: &ProgressBar,
    ) -> Option<Self> {
        if !replay.has_epochs {
            return None;
        }
        let without = if replayed.states.is_empty() {
            with
        } else {
            session.cost(Some(&replay.replayed(session, false, bar).sizes), None, &rates)
        };
        let free = session.cost(Some(&replayed.sizes.without_retrieval()), None, &rates);
        let expected = replayed.begun.iter().filter_map(|begun| {
            let model = &session.requests.get(begun.request)?.model;
            Some(begun.report.expected_gain as f64 * rates(model).input)
        });
        Some(Self {
            without,
            expected_gain: expected.sum(),
            gain: without.total() - with.total(),
            retrieval: with.total() - free.total(),
            results: replayed.needs.shrunk.len(),
            asked_back: replayed.needs.asked_back().len(),
            used_later: replayed.needs.used,
            visible: replayed.needs.visible,
            begun: replayed.begun.clone(),
        })
    }
}

impl EpochSum {
    /// Adds up the epochs of sessions; `None` if they are off.
    pub(super) fn of(rows: &[&SessionRow]) -> Option<Self> {
        let mut rows = rows.iter().filter_map(|row| row.epochs.as_ref()).peekable();
        rows.peek()?;
        let mut sum = Self::default();
        for row in rows {
            sum.epochs += row.begun.len();
            sum.sessions += usize::from(!row.begun.is_empty());
            sum.dearer += usize::from(row.gain < -LEAST_LOSS);
            sum.expected_gain += row.expected_gain;
            sum.gain += row.gain;
            sum.retrieval += row.retrieval;
            sum.results += row.results;
            sum.asked_back += row.asked_back;
            sum.used_later += row.used_later;
            sum.visible += row.visible;
        }
        Some(sum)
    }
}
