//! The rounds of one answer that the client does not see.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Range,
};

use bytes::Bytes;
use headroom_core::{Api, Handle};
use headroom_store::{RecordKey, RetrieveCall};

use crate::{
    api::{Anchors, Answer, Call, ProviderFormat, Record, Root, Round, ShownTurn},
    command::{FetchOriginals, Fetched, Retrieved, StoreRecord},
    keys::{self, keys},
    limits::{MAX_CALLS, MAX_CONTENT_ROUNDS, MAX_HIDDEN, MAX_ROUNDS},
    restore::ResponseContext,
};

/// A round whose calls are answered as soon as the originals are there.
#[derive(Debug)]
pub(crate) struct Turn {
    round: Round,
    /// Whether another round follows if it can.
    goes_on: bool,
    /// Whether the turn ends with a call of ours without an answer.
    give_up: bool,
    handles: Vec<Handle>,
}

/// The next step after a round.
#[derive(Debug)]
pub(crate) enum TurnStep {
    /// Another round begins.
    Ask,
    /// The round was the last.
    End(Box<Ending>),
}

/// The end of an answer. The client sees it once the records are stored.
#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) records: VecDeque<StoreRecord>,
    /// Whether the last call of ours is left without an answer, so that the turn is ended for the client.
    pub(crate) give_up: bool,
    /// Whether there is nothing for the client.
    pub(crate) is_empty: bool,
}

/// The hidden side of one answer.
#[derive(Debug)]
pub(crate) struct Rounds {
    pub(crate) api: Api,
    tenant: String,
    /// Handles of content elided in this request.
    handles: Vec<Handle>,
    pub(crate) context: ResponseContext,
    /// The body that was sent last.
    pub(crate) sent: Bytes,
    /// Rounds hidden from the client.
    rounds: u32,
    calls: u32,
    /// The list items of those rounds.
    items: String,
    /// The range of those items in the body that was sent last, if there are any.
    hidden: Option<Range<usize>>,
    /// The breakpoint for the last of those items, so that they are read from the cache later.
    breakpoint: Option<String>,
    /// The arguments of answered calls.
    answered: Vec<String>,
    shown: Anchors,
    /// The client's id for the answer, if it is a stream.
    first_id: Option<String>,
    /// Whether an answer contains content that was not elided in this request.
    is_foreign: bool,
}

impl Rounds {
    pub(crate) fn new(
        api: Api,
        tenant: String,
        handles: Vec<Handle>,
        context: ResponseContext,
        sent: Bytes,
    ) -> Self {
        Self {
            api,
            tenant,
            handles,
            context,
            sent,
            rounds: 0,
            calls: 0,
            items: String::new(),
            hidden: None,
            breakpoint: None,
            answered: Vec::new(),
            shown: Anchors::default(),
            first_id: None,
            is_foreign: false,
        }
    }

    /// Whether the client's view differs from the provider's.
    pub(crate) fn is_hidden(&self) -> bool {
        self.rounds > 0
    }

    /// Returns what was done for the client, if any call was answered.
    pub(crate) fn report(&self, incomplete: bool) -> Option<Retrieved> {
        let report = Retrieved { api: self.api, rounds: self.rounds, calls: self.calls, incomplete };
        (self.calls > 0).then_some(report)
    }

    /// Takes in a round.
    pub(crate) fn begin(&self, round: Round) -> Turn {
        let give_up = !round.calls.is_empty() && !round.others;
        let goes_on = give_up && self.rounds < MAX_ROUNDS && round.said.is_some();
        let is_mixed = !round.calls.is_empty() && round.others && round.said.is_some();
        let mut handles = Vec::new();
        if (goes_on || is_mixed) && self.may_have_content() {
            for call in round.calls.iter().take(MAX_CALLS) {
                let handle = RetrieveCall::parse(&call.arguments).handle().copied();
                let handle = handle.filter(|own| !handles.contains(own));
                handles.extend(handle.filter(|_| !self.answered.contains(&call.arguments)));
            }
        }
        Turn { round, goes_on, give_up, handles }
    }

    /// Returns the originals that the answers to a round need, if any.
    pub(crate) fn needs(&self, turn: &Turn) -> Option<FetchOriginals> {
        let fetch = || FetchOriginals { tenant: self.tenant.clone(), handles: turn.handles.clone() };
        (!turn.handles.is_empty()).then(fetch)
    }

    /// Takes the next step, now that the originals are there.
    pub(crate) fn step(&mut self, wire: &dyn ProviderFormat, turn: Turn, fetched: Vec<Fetched>) -> TurnStep {
        let Turn { round, goes_on, give_up, handles } = turn;
        let fetched = fetched.into_iter().chain(std::iter::repeat(Fetched::Failed));
        let originals = handles.into_iter().zip(fetched).collect();
        let Some(said) = round.said.as_deref().filter(|_| goes_on) else {
            return TurnStep::End(Box::new(self.last(wire, round, give_up, &originals)));
        };
        let answers = self.answer(&round.calls, &originals);
        if !self.extend(wire, said, &wire.results(&answers)) {
            return TurnStep::End(Box::new(self.last(wire, round, true, &originals)));
        }
        let mut shown = round.shown;
        if self.context.head.structured {
            shown.text.clear();
        }
        self.shown.extend(shown);
        self.first_id = self.first_id.take().or(round.id);
        self.rounds += 1;
        TurnStep::Ask
    }

    /// Makes the records of the hidden part of the answer.
    fn last(
        &mut self,
        wire: &dyn ProviderFormat,
        round: Round,
        give_up: bool,
        originals: &BTreeMap<Handle, Fetched>,
    ) -> Ending {
        let mixed = !round.calls.is_empty() && round.others;
        let said = if give_up { round.rest } else { round.said.clone() };
        let mut anchors = std::mem::take(&mut self.shown);
        anchors.extend(round.shown);
        let is_empty = give_up && anchors.text.trim().is_empty();
        let first_id = self.first_id.take().or_else(|| round.id.clone());
        let mut follow = Record { items: round.id.unwrap_or_default(), ..Record::default() };
        let mut record = None;
        if mixed && let Some(said) = &said {
            let answers = self.answer(&round.calls, originals);
            let mixed = wire.mixed(said, &answers);
            follow.prepend.clone_from(&mixed.prepend);
            record = Some(mixed);
        } else if self.rounds > 0 {
            record = Some(Record { items: said.clone().unwrap_or_default(), ..Record::default() });
        }
        let mut records = VecDeque::new();
        if let Some(mut record) = record {
            record.items = join(&self.items, &record.items);
            record.shown = ShownTurn::new(&anchors);
            let keys = keys(self.api, &anchors, self.context.link);
            let owner = &self.context.owner;
            let mut keep = |tenant: &str, keys: Vec<RecordKey>, record: &Record| {
                if !keys.is_empty() {
                    records.push_back(StoreRecord {
                        tenant: tenant.to_owned(),
                        keys,
                        record: record.to_text(),
                    });
                }
            };
            keep(&owner.tenant, keys.unique, &record);
            // Content elided elsewhere stays with the credential that it was stored under.
            let lasting = if self.is_foreign { &owner.tenant } else { owner.lasting() };
            keep(lasting, keys.chained, &record);
            // A client that continues from this answer by its id means its last round, with our answers that the
            // provider expects.
            let names = [first_id.as_deref(), Some(&*follow.items)].into_iter().flatten();
            let names: Vec<_> = names.filter_map(|id| keys::answer(self.api, id)).collect();
            if !follow.items.is_empty() {
                keep(&owner.tenant, names.clone(), &follow);
                // An id proves nothing about the conversation, so it alone does not give access to content.
                if follow.prepend.is_empty() && owner.account.is_some() {
                    keep(owner.lasting(), names, &follow);
                }
            }
        }
        Ending { records, give_up, is_empty }
    }

    fn answer(&mut self, calls: &[Call], originals: &BTreeMap<Handle, Fetched>) -> Vec<Answer> {
        let mut answers = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            self.calls += 1;
            // Every call needs an answer, or the provider refuses the request.
            let text = if index < MAX_CALLS { self.text(call, originals) } else { ASK_AGAIN.to_owned() };
            answers.push(Answer { call: call.clone(), text });
        }
        answers
    }

    fn may_have_content(&self) -> bool {
        self.rounds < MAX_CONTENT_ROUNDS && self.items.len() <= MAX_HIDDEN
    }

    fn text(&mut self, call: &Call, originals: &BTreeMap<Handle, Fetched>) -> String {
        if !self.may_have_content() {
            return "The limit of headroom_retrieve for one answer is reached; go on without it.".to_owned();
        }
        if self.answered.contains(&call.arguments) {
            return "This was already shown above.".to_owned();
        }
        let own = RetrieveCall::parse(&call.arguments);
        let content = match own.handle().and_then(|handle| originals.get(handle)) {
            Some(Fetched::Content(content)) => Some(&**content),
            Some(Fetched::Missing) | None => None,
            Some(Fetched::Failed) => return UNAVAILABLE.to_owned(),
        };
        let is_own = own.handle().is_some_and(|handle| self.handles.contains(handle));
        self.is_foreign |= content.is_some() && !is_own;
        self.answered.push(call.arguments.clone());
        own.answer(content)
    }

    /// Adds a round to the conversation that is sent.
    fn extend(&mut self, wire: &dyn ProviderFormat, said: &str, results: &str) -> bool {
        let Some(body) = self.extended(wire, said, results) else { return false };
        self.sent = Bytes::from(body);
        self.items = join(&self.items, &format!("{said},{results}"));
        true
    }

    fn extended(&mut self, wire: &dyn ProviderFormat, said: &str, results: &str) -> Option<String> {
        let body = std::str::from_utf8(&self.sent).ok()?;
        let mut opening = String::from(",");
        let mut closing = "";
        let place = match self.hidden.clone() {
            Some(hidden) => hidden,
            None => {
                let root = Root::parse(body, wire.list())?;
                let list = root.get(wire.list())?;
                self.breakpoint = wire.breakpoint(&root);
                if let Some(item) = wire.item(list) {
                    opening = format!("[{item},");
                    closing = "]";
                    list.start()..list.end()
                } else if list.is_array() && list.items().next().is_some() {
                    list.end() - 1..list.end() - 1
                } else {
                    return None;
                }
            }
        };
        if self.hidden.is_some() {
            opening.clear();
        }
        // Move the breakpoint: content cached up to the previous one is found from the next.
        let marked = self.breakpoint.as_deref().and_then(|marker| wire.marked(results, marker));
        let items = join(&self.items, &format!("{said},{}", marked.as_deref().unwrap_or(results)));
        let (before, after) = (body.get(..place.start)?, body.get(place.end..)?);
        let from = before.len() + opening.len();
        self.hidden = Some(from..from + items.len());
        Some([before, &opening, &items, closing, after].concat())
    }
}

/// The answer to a call beyond the limit of a round.
const ASK_AGAIN: &str =
    "Too many calls of headroom_retrieve at once: this one was not answered. Ask again for it.";

/// The answer to a call while the store fails.
const UNAVAILABLE: &str = "This cannot be fetched at the moment; go on without it, or get the text again with the tool that brought it.";

fn join(items: &str, more: &str) -> String {
    match (items, more) {
        ("", items) | (items, "") => items.to_owned(),
        _ => format!("{items},{more}"),
    }
}
