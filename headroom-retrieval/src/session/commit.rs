//! Nothing is sent before its originals are stored.

use std::{collections::BTreeSet, fmt};

use headroom_core::{Handle, Original};

use super::KnownOriginals;
use crate::UnexpectedInput;

/// Holds a draft back until its originals are stored, and has it written anew without those that cannot be.
///
/// Each further draft elides less than the one before, so it ends. It stores nothing itself: a [`CommitStep`] says what to
/// do. [`Session`](crate::Session) does the same for whole requests.
///
/// # Example
///
/// ```
/// use headroom_core::{Engine, Handle, Hints, Original};
/// use headroom_retrieval::{Commit, CommitStep, KnownOriginals};
///
/// let known = KnownOriginals::new();
/// let original = Original::new("a long log");
/// let mut commit = Commit::new("team-a");
/// let CommitStep::Put(_originals) = commit.draft(&known, "the log in short", vec![original]) else { panic!() };
/// // The store is full, and lacks the original.
/// assert_eq!(commit.put_ended(&known, false), Ok(CommitStep::Ask(vec![Handle::from_content("a long log")])));
/// let Ok(CommitStep::Retry { without, .. }) = commit.has_ended(&known, Some(vec![false])) else { panic!() };
/// assert_eq!(without, [Handle::from_content("a long log")]);
/// let done = commit.draft(&known, "a long log", Vec::new());
/// assert_eq!(done, CommitStep::Done { draft: "a long log", handles: Vec::new() });
/// ```
pub struct Commit<T> {
    tenant: String,
    /// Whether the store has failed, so that nothing new can be elided.
    store_failed: bool,
    /// Originals that the store has despite its failure.
    stored: BTreeSet<Handle>,
    /// Originals that a draft was to do without.
    left_out: BTreeSet<Handle>,
    /// The draft that waits for the store, with its originals.
    waiting: Option<(T, Vec<Handle>)>,
}

/// What to do next: the result of each method of [`Commit`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum CommitStep<T> {
    /// Store these, and say with [`Commit::put_ended`] whether that worked.
    Put(Vec<Original>),
    /// Ask the store which of these it has, and tell [`Commit::has_ended`].
    Ask(Vec<Handle>),
    /// Write another draft without these originals, and give it to [`Commit::draft`].
    Retry {
        /// The originals to do without, besides those of earlier steps.
        without: Vec<Handle>,
        /// The draft that cannot be used.
        draft: T,
    },
    /// Everything that the draft needs is stored.
    Done {
        /// What may be sent.
        draft: T,
        /// Its originals, in order.
        handles: Vec<Handle>,
    },
    /// The draft needs an original that it was to do without. Only a faulty writer gets here.
    Refuse(T),
}

impl<T> Commit<T> {
    /// Begins with the store's name of whoever owns the originals.
    #[must_use]
    pub fn new(tenant: impl Into<String>) -> Self {
        Self {
            tenant: tenant.into(),
            store_failed: false,
            stored: BTreeSet::new(),
            left_out: BTreeSet::new(),
            waiting: None,
        }
    }

    /// Whose originals these are.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Whether the store has failed, so that something may be in full that would be elided otherwise.
    #[must_use]
    pub fn store_failed(&self) -> bool {
        self.store_failed
    }

    /// Takes a draft and the originals that it needs.
    pub fn draft(&mut self, known: &KnownOriginals, draft: T, originals: Vec<Original>) -> CommitStep<T> {
        let handles: Vec<_> = originals.iter().map(|original| original.handle()).collect();
        if handles.iter().all(|handle| self.stored.contains(handle)) {
            return CommitStep::Done { draft, handles };
        }
        if handles.iter().any(|handle| self.left_out.contains(handle)) {
            return CommitStep::Refuse(draft);
        }
        // A block once sent without eliding stays in that form.
        let unstored = known.unstored_among(&self.tenant, &handles);
        if !unstored.is_empty() {
            return self.retry(draft, unstored);
        }
        self.waiting = Some((draft, handles.clone()));
        if self.store_failed { CommitStep::Ask(handles) } else { CommitStep::Put(originals) }
    }

    /// Takes whether the originals were stored.
    ///
    /// # Errors
    ///
    /// If nothing was to be stored.
    pub fn put_ended(&mut self, known: &KnownOriginals, ok: bool) -> Result<CommitStep<T>, UnexpectedInput> {
        let (draft, handles) = self.take("put ended")?;
        if ok {
            known.add_stored(&self.tenant, &handles);
            return Ok(CommitStep::Done { draft, handles });
        }
        self.store_failed = true;
        self.waiting = Some((draft, handles.clone()));
        Ok(CommitStep::Ask(handles))
    }

    /// Takes which of the originals the store has, in their order; `None` if it cannot answer.
    ///
    /// # Errors
    ///
    /// If nothing was to be asked.
    pub fn has_ended(
        &mut self,
        known: &KnownOriginals,
        has: Option<Vec<bool>>,
    ) -> Result<CommitStep<T>, UnexpectedInput> {
        let (draft, handles) = self.take("has ended")?;
        // Originals that the store acknowledged count as stored while it cannot answer.
        let has = has.unwrap_or_else(|| known.were_stored(&self.tenant, &handles));
        let has = |at: usize| has.get(at) == Some(&true);
        let missing: Vec<_> =
            handles.iter().enumerate().filter(|(at, _)| !has(*at)).map(|(_, handle)| *handle).collect();
        self.stored.extend(handles.iter().filter(|handle| !missing.contains(handle)));
        if missing.is_empty() {
            return Ok(CommitStep::Done { draft, handles });
        }
        known.add_unstored(&self.tenant, &missing);
        Ok(self.retry(draft, missing))
    }

    /// Takes back the draft that waits for the store, where there is no store.
    pub fn cancel(&mut self) -> Option<T> {
        self.waiting.take().map(|(draft, _)| draft)
    }

    fn retry(&mut self, draft: T, without: Vec<Handle>) -> CommitStep<T> {
        self.left_out.extend(without.iter().copied());
        CommitStep::Retry { without, draft }
    }

    fn take(&mut self, input: &'static str) -> Result<(T, Vec<Handle>), UnexpectedInput> {
        self.waiting.take().ok_or(UnexpectedInput { input, awaited: "a draft" })
    }
}

impl<T> fmt::Debug for Commit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Commit").field("store_failed", &self.store_failed).finish_non_exhaustive()
    }
}
