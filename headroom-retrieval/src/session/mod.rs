//! The request side of one request, from its restored body to the exchange about its answer.

mod commit;
mod known;
#[cfg(test)]
mod tests;

use std::{fmt, mem, sync::Arc};

use bytes::Bytes;
use headroom_core::{Api, CompressOptions, Handle, Original, Outcome, Report, Retrieval, UnchangedReason};

pub use self::{
    commit::{Commit, CommitStep},
    known::KnownOriginals,
};
use crate::{
    ResponseContext, Restore, Restored, RewrittenRequest, ThreadState, UnexpectedInput,
    thinking::without_old_thinking,
};

/// Compresses one request, stores its originals, and begins the exchange about its answer, as its caller does the work.
///
/// The engine is run with [`options`](Self::options), the originals of its output are stored, and where the store does not
/// take one the engine runs again without it: so no marker names an original that is lost. Each method returns the next
/// [`SessionStep`].
///
/// # Example
///
/// ```
/// use std::collections::BTreeMap;
///
/// use bytes::Bytes;
/// use headroom_core::{Api, CompressOptions, Engine, Retrieval};
/// use headroom_retrieval::{KnownOriginals, Session, SessionStep};
///
/// # let line = |n: usize| format!("2026-01-01T10:{:02}:{:02} INFO served request {n} in {} ms\\n", n / 60, n % 60, n * 7919 % 97);
/// # let lines: String = (0..300).map(line).collect();
/// # let tool = r#"{"type":"function","function":{"name":"headroom_retrieve","parameters":{}}}"#;
/// # let body = Bytes::from(format!(
/// #     r#"{{"model":"gpt-4o","tools":[{tool}],"messages":[
/// #         {{"role":"assistant","tool_calls":[{{"id":"1","type":"function","function":{{"name":"Bash","arguments":"{{}}"}}}}]}},
/// #         {{"role":"tool","tool_call_id":"1","content":"{lines}"}}]}}"#
/// # ));
/// let (engine, known, mut store) = (Engine::new(), KnownOriginals::new(), BTreeMap::new());
/// let mut session = Session::new("team-a", CompressOptions::new().retrieval(Retrieval::ClientTool));
/// let mut step = SessionStep::Compress { body };
/// let draft = loop {
///     step = match step {
///         SessionStep::Compress { body } => {
///             let outcome = engine.compress(Api::OpenAiChat, &body, session.options());
///             session.compressed(&known, Api::OpenAiChat, body, outcome)
///         }
///         SessionStep::Put { originals, .. } => {
///             store.extend(originals.into_iter().map(|original| (original.handle(), original.into_content())));
///             session.put_ended(&known, true).expect("it was asked for")
///         }
///         SessionStep::Ask { handles, .. } => {
///             let has = handles.iter().map(|handle| store.contains_key(handle)).collect();
///             session.has_ended(&known, Some(has)).expect("it was asked for")
///         }
///         SessionStep::Send(draft) => break draft,
///         SessionStep::Pass { .. } => panic!("a long log is cut"),
///     };
/// };
/// assert!(store.contains_key(&draft.handles[0]));
/// ```
pub struct Session {
    options: CompressOptions,
    context: ResponseContext,
    /// Whether hidden exchanges were restored in the body, so that it is sent even if nothing gets smaller.
    is_spliced: bool,
    /// How many items are sent without their thinking.
    bare_items: usize,
    thread: Option<ThreadState>,
    /// How the model retrieves what the newest draft elides.
    retrieval: Retrieval,
    commit: Commit<Draft>,
}

/// What to do next: the result of each method of [`Session`].
#[derive(Debug)]
#[must_use]
pub enum SessionStep {
    /// Run the engine on this body with [`Session::options`], and give its outcome to [`Session::compressed`].
    Compress {
        /// The body, with hidden exchanges restored.
        body: Bytes,
    },
    /// Store these, and say with [`Session::put_ended`] whether that worked.
    Put {
        /// How the model retrieves them, which decides where they are kept.
        retrieval: Retrieval,
        /// The originals.
        originals: Vec<Original>,
    },
    /// Ask the store which of these it has, and tell [`Session::has_ended`].
    Ask {
        /// How the model retrieves them.
        retrieval: Retrieval,
        /// Their names.
        handles: Vec<Handle>,
    },
    /// Send this. All that it needs is stored.
    Send(Draft),
    /// Send the request as the client sent it.
    Pass {
        /// Why it is not rewritten.
        reason: PassReason,
        /// What the engine looked at.
        report: Arc<Report>,
        /// The body that the engine got.
        given: Bytes,
    },
}

/// Why a request is sent as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PassReason {
    /// The engine left the body unchanged.
    Engine(UnchangedReason),
    /// The store failed.
    StoreFailure,
}

/// A rewritten body.
pub struct Draft {
    /// The body to send.
    pub body: Vec<u8>,
    /// The body that the engine got.
    pub given: Bytes,
    /// The wire format.
    pub api: Api,
    /// What the engine did.
    pub report: Arc<Report>,
    /// Handles of the content that was elided, in order. They are stored once the draft may be sent.
    pub handles: Vec<Handle>,
}

impl Session {
    /// Begins with the store's name of whoever owns the originals, and the options of the engine.
    #[must_use]
    pub fn new(tenant: impl Into<String>, options: CompressOptions) -> Self {
        Self {
            options,
            context: ResponseContext::default(),
            is_spliced: false,
            bare_items: 0,
            thread: None,
            retrieval: Retrieval::Disabled,
            commit: Commit::new(tenant),
        }
    }

    /// Takes over what was found of the request's conversation, and put back into it.
    ///
    /// The request gets no tool if its answers could not be stitched.
    pub fn restored(&mut self, restore: &Restore, restored: &Restored) {
        self.context = restore.context();
        self.is_spliced = restored.is_spliced();
        self.bare_items = restored.bare_items;
        self.thread = restore.thread();
        if !restore.lookup.serves() {
            self.withhold_tool();
        }
    }

    /// Leaves out the definitions of these tools, which the first request of the conversation left out.
    pub fn drop_tools(&mut self, names: Vec<String>) {
        self.options = mem::take(&mut self.options).drop_tools(names);
    }

    /// Gives the request no tool, because its answers cannot be stitched. What is retrieved otherwise stays so.
    pub fn withhold_tool(&mut self) {
        if self.options == self.options.clone().retrieval(Retrieval::ServerTool) {
            self.options = mem::take(&mut self.options).retrieval(Retrieval::Disabled);
        }
    }

    /// Returns the options for the engine's next run.
    #[must_use]
    pub fn options(&self) -> &CompressOptions {
        &self.options
    }

    /// Whose originals these are.
    #[must_use]
    pub fn tenant(&self) -> &str {
        self.commit.tenant()
    }

    /// Whether the store has failed, so that something may be in full that would be elided otherwise.
    #[must_use]
    pub fn store_failed(&self) -> bool {
        self.commit.store_failed()
    }

    /// Whether the headers ask for a message thread that the provider is not to keep: see
    /// [`drop_thread_beta`](crate::drop_thread_beta).
    #[must_use]
    pub fn drops_thread(&self) -> bool {
        self.thread.is_some()
    }

    /// Takes what the engine made of the body that it was given.
    pub fn compressed(
        &mut self,
        known: &KnownOriginals,
        api: Api,
        given: Bytes,
        outcome: Outcome,
    ) -> SessionStep {
        let (body, originals, report) = match outcome {
            Outcome::Rewritten { body, originals, report } => (body, originals, report),
            // Nothing to make smaller, but the restored exchanges must be sent.
            Outcome::Unchanged { report, .. } if self.is_spliced => (given.to_vec(), Vec::new(), report),
            Outcome::Unchanged { report, .. } if self.store_failed() => {
                return SessionStep::Pass {
                    reason: PassReason::StoreFailure,
                    report: Arc::new(report),
                    given,
                };
            }
            Outcome::Unchanged { reason, report } => {
                let reason = PassReason::Engine(reason);
                return SessionStep::Pass { reason, report: Arc::new(report), given };
            }
        };
        let body = match self.bare_items {
            0 => body,
            items => without_old_thinking(api, body, items),
        };
        self.retrieval = report.retrieval;
        let draft = Draft { body, given, api, report: Arc::new(report), handles: Vec::new() };
        let step = self.commit.draft(known, draft, originals);
        self.step(step)
    }

    /// Takes whether the originals were stored.
    ///
    /// # Errors
    ///
    /// If nothing was to be stored.
    pub fn put_ended(&mut self, known: &KnownOriginals, ok: bool) -> Result<SessionStep, UnexpectedInput> {
        let step = self.commit.put_ended(known, ok)?;
        Ok(self.step(step))
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
    ) -> Result<SessionStep, UnexpectedInput> {
        let step = self.commit.has_ended(known, has)?;
        Ok(self.step(step))
    }

    /// Takes back the draft that waits for the store, where there is no store.
    pub fn cancel(&mut self) -> Option<Draft> {
        self.commit.cancel()
    }

    fn step(&mut self, step: CommitStep<Draft>) -> SessionStep {
        let retrieval = self.retrieval;
        match step {
            CommitStep::Put(originals) => SessionStep::Put { retrieval, originals },
            CommitStep::Ask(handles) => SessionStep::Ask { retrieval, handles },
            CommitStep::Done { draft, handles } => SessionStep::Send(Draft { handles, ..draft }),
            CommitStep::Refuse(Draft { report, given, .. }) => {
                SessionStep::Pass { reason: PassReason::StoreFailure, report, given }
            }
            CommitStep::Retry { without, draft } => {
                self.options = mem::take(&mut self.options).without_originals(without);
                SessionStep::Compress { body: draft.given }
            }
        }
    }

    /// Returns what the exchange about the answer needs to know of the request.
    ///
    /// `original` is the body as the client sent it, and `rewritten` the one of the draft.
    #[must_use]
    pub fn request(&self, original: Bytes, rewritten: Bytes, draft: &Draft) -> RewrittenRequest {
        RewrittenRequest {
            api: draft.api,
            tenant: self.commit.tenant().to_owned(),
            handles: draft.handles.clone(),
            original,
            rewritten,
            serves: draft.report.retrieval == Retrieval::ServerTool,
            has_epochs: !draft.report.epochs.is_empty(),
            context: self.context.clone(),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("retrieval", &self.retrieval)
            .field("store_failed", &self.store_failed())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("api", &self.api)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
