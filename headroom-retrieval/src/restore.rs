//! Restores hidden exchanges in a request before the engine gets it.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bytes::Bytes;
use headroom_core::Api;
use headroom_json::{Value, ValueEnds, quote};
use headroom_store::RecordKey;
use http::request::Parts;

use crate::{
    api::{AssistantTurn, Fit, Head, ProviderFormat, Record, Root, Thread, provider_format},
    chain::{Chain, Link},
    edit::Edits,
    keys::{self, Keys},
    opening,
    rejected::Refusals,
    tenant::{Account, Owner, Tenant},
    thinking::{newest_prompt, unbind},
};

/// What a request tells of its conversation: the first of the two steps before it is compressed.
///
/// The second is [`RequestLookup::restore`].
pub struct RequestLookup {
    pub(crate) api: Api,
    pub(crate) turns: Vec<AssistantTurn>,
    /// The keys of each turn.
    keys: Vec<Keys>,
    chain: Chain,
    account: Account,
    /// The range of an earlier answer's id, and the key of that answer.
    previous: Option<(Range<usize>, RecordKey)>,
    thread: Option<Thread>,
    /// Whether thinking must be removed if the exchange before it cannot be restored.
    binds: bool,
    pub(crate) serves: bool,
    /// The range of what comes before the model's first answer, if that tells the conversation.
    opening: Option<Range<usize>>,
    /// The position of the newest prompt.
    prompt: Option<Link>,
    head: Head,
}

/// The handling of a thread that the client wants the provider to keep. The provider would keep hidden exchanges too,
/// and continue the thread only once, so the conversation is sent in full each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadState {
    /// The thread is not asked for: apply [`drop_thread_beta`](crate::drop_thread_beta) to the headers.
    Dropped,
    /// The client is answered with [`unknown_thread`](crate::unknown_thread), and sends everything.
    Unknown,
}

/// The place of an answer in its conversation, and whose it is: what an [`Exchange`](crate::Exchange) needs to know of
/// the request as the client sent it.
#[derive(Clone, Debug, Default)]
pub struct ResponseContext {
    pub(crate) head: Head,
    /// The position of the answer in the conversation.
    pub(crate) link: Link,
    /// How many turns of the assistant come before it.
    pub(crate) turns: usize,
    /// The position of the newest prompt, if there is one.
    pub(crate) prompt: Option<Link>,
    /// The names under which the exchange is stored.
    pub(crate) owner: Owner,
}

/// Records to get from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    /// The name under which they are stored.
    pub tenant: String,
    /// Their keys. There is at least one.
    pub keys: Vec<RecordKey>,
}

/// The records that the store has for a query, in the order of its keys; empty if the store failed.
pub type FoundRecords = Vec<Option<Arc<str>>>;

impl RequestLookup {
    /// Looks at a request. `body` is decoded. `api` is detected from the body where it is `None`.
    ///
    /// Returns `None` if the API is unknown or the body is no text. The work is linear in the body.
    #[must_use]
    pub fn new(parts: &Parts, api: Option<Api>, body: &[u8]) -> Option<Self> {
        look(parts, api, body)
    }

    /// Returns the API of the request.
    #[must_use]
    pub fn api(&self) -> Api {
        self.api
    }

    /// Whether answers to this request can be stitched, so that it may be given the tool.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.serves
    }

    /// Returns a hash of everything before the model's first answer in the body that was looked at; `None` if the
    /// provider may know more of the conversation than the request tells. System prompts do not count.
    #[must_use]
    pub fn conversation(&self, body: &[u8]) -> Option<u64> {
        let opening = body.get(self.opening.clone()?)?;
        opening::conversation(self.api, std::str::from_utf8(opening).ok()?)
    }

    /// Begins to restore the request of this tenant.
    #[must_use]
    pub fn restore(self, tenant: Tenant, refusals: &Refusals) -> Restore {
        let owner = Owner::new(tenant, &self.account);
        let is_rejected = refusals.is_rejected(owner.lasting(), &self.chain);
        let unbound_turns = refusals.unbound_turns(owner.lasting(), &self.chain);
        let thread = self.thread.as_ref().filter(|_| !is_rejected).map(|thread| match thread {
            Thread::Begins(_) => ThreadState::Dropped,
            Thread::GoesOn => ThreadState::Unknown,
        });
        Restore { lookup: self, owner, is_rejected, unbound_turns, thread }
    }
}

/// The second step before a request is compressed: what was hidden in earlier answers is put back.
pub struct Restore {
    pub(crate) lookup: RequestLookup,
    pub(crate) owner: Owner,
    pub(crate) is_rejected: bool,
    unbound_turns: usize,
    pub(crate) thread: Option<ThreadState>,
}

impl Restore {
    /// Whether the provider refused this conversation before, so that it is sent unchanged.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.is_rejected
    }

    /// Returns the message thread that the request begins or continues.
    #[must_use]
    pub fn thread(&self) -> Option<ThreadState> {
        self.thread
    }

    /// Returns what the exchange about the answer needs to know.
    #[must_use]
    pub fn context(&self) -> ResponseContext {
        ResponseContext {
            head: self.lookup.head,
            link: self.lookup.chain.end,
            turns: self.lookup.turns.len(),
            prompt: self.lookup.prompt,
            owner: self.owner.clone(),
        }
    }

    /// Returns the records to get: one query or two, or none if there can be no record.
    #[must_use]
    pub fn queries(&self) -> Vec<RecordQuery> {
        if self.is_rejected || self.thread == Some(ThreadState::Unknown) {
            return Vec::new();
        }
        let lookup = &self.lookup;
        let previous = || lookup.previous.iter().map(|(_, key)| *key);
        let unique = lookup.keys.iter().flat_map(|keys| keys.unique.iter().copied()).chain(previous());
        let chained = lookup.keys.iter().filter_map(|keys| keys.chained.first().copied()).chain(previous());
        let tenant = self.owner.tenant.clone();
        let queries = match &self.owner.account {
            // Both are stored under the same name.
            None => vec![RecordQuery { tenant, keys: unique.chain(chained).collect() }],
            Some(account) => vec![
                RecordQuery { tenant, keys: unique.collect() },
                RecordQuery { tenant: account.clone(), keys: chained.collect() },
            ],
        };
        queries.into_iter().filter(|query| !query.keys.is_empty()).collect()
    }

    /// Restores the hidden exchanges in the body, given the records for each of [`queries`](Self::queries).
    ///
    /// `body` is the body that was looked at.
    #[must_use]
    pub fn finish(&self, body: &[u8], found: Vec<FoundRecords>) -> Restored {
        let restored = || {
            let wire = provider_format(self.lookup.api).filter(|_| !self.is_rejected)?;
            if self.thread == Some(ThreadState::Unknown) {
                return None;
            }
            let records = self.records(found);
            let text = std::str::from_utf8(body).ok()?;
            splice(wire, text, &self.lookup, records, self.unbound_turns)
        };
        restored().unwrap_or_default()
    }

    /// Assigns the records to the turns.
    fn records(&self, found: Vec<FoundRecords>) -> Records {
        let mut by_tenant: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (query, records) in self.queries().into_iter().zip(found) {
            for (key, record) in query.keys.into_iter().zip(records) {
                if let Some(record) = record.and_then(|text| Record::parse(&text)) {
                    by_tenant.entry(query.tenant.clone()).or_default().insert(key, record);
                }
            }
        }
        let get = |tenant: &str, key: &RecordKey| by_tenant.get(tenant)?.get(key).cloned();
        let (tenant, lasting) = (&*self.owner.tenant, self.owner.lasting());
        let of = |keys: &Keys| {
            let unique = keys.unique.iter().filter_map(|key| get(tenant, key));
            unique.chain(keys.chained.first().and_then(|key| get(lasting, key))).collect()
        };
        Records {
            turns: self.lookup.keys.iter().map(of).collect(),
            previous: self
                .lookup
                .previous
                .as_ref()
                .and_then(|(_, key)| get(tenant, key).or_else(|| get(lasting, key))),
        }
    }
}

/// What restoring a request came to: the result of [`Restore::finish`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The body with the hidden exchanges; `None` if nothing changed.
    pub body: Option<Bytes>,
    /// The thinking before this item of the body's conversation is to leave when the body is compressed, because the provider
    /// refused it: see [`without_old_thinking`](crate::without_old_thinking). 0 if none is.
    pub bare_items: usize,
}

impl Restored {
    /// Whether the request differs from what the client sent, or is to.
    #[must_use]
    pub fn is_spliced(&self) -> bool {
        self.body.is_some() || self.bare_items > 0
    }
}

/// Members of a request that open a conversation, before its first item.
const OPENING: [&str; 5] =
    ["system", "instructions", "systemInstruction", "system_instruction", "previous_response_id"];

/// The store's records for a request: candidates for each turn, and the record of an earlier answer.
#[derive(Default)]
struct Records {
    turns: Vec<Vec<Record>>,
    previous: Option<Record>,
}

/// Puts the records in their places, and finds how many items the first `bare` turns reach; `None` if the body cannot be
/// read.
fn splice(
    wire: &dyn ProviderFormat,
    body: &str,
    found: &RequestLookup,
    records: Records,
    bare: usize,
) -> Option<Restored> {
    let mut edits = Edits::default();
    if let Some(Thread::Begins(range)) = &found.thread {
        edits.replace(range.clone(), "");
    }
    // After an exchange that is not restored, thinking no longer fits.
    let mut unbound = false;
    for (turn, own) in found.turns.iter().zip(records.turns) {
        let copy = body.get(turn.range.clone())?;
        let hid = !own.is_empty();
        let record = fitting(wire, own, turn, copy);
        unbound |= found.binds && hid && record.is_none();
        match record {
            Some(mut record) => {
                if unbound {
                    record.items = wire.strip_thinking(&record.items);
                }
                wire.splice_record(body, turn, &record, &mut edits);
            }
            None if unbound => unbind(wire, copy, turn, &mut edits),
            None => {}
        }
    }
    if let (Some((range, _)), Some(record)) = (&found.previous, records.previous) {
        // The provider has another id for the end of that answer, and may expect our part of the input that follows.
        edits.replace(range.clone(), quote(&record.items));
        if !record.prepend.is_empty() && wire.continues() {
            let list = Root::parse(body, wire.list())?.get(wire.list())?;
            if list.is_array() {
                let comma = if list.items().next().is_some() { "," } else { "" };
                edits.replace(list.start() + 1..list.start() + 1, format!("{}{comma}", record.prepend));
            } else {
                edits.value(list, format!("[{},{}]", record.prepend, wire.item(list)?));
            }
        }
    }
    let stays = found.turns.get(bare).map(|turn| edits.moved(turn.range.start));
    let spliced = if edits.is_empty() { None } else { Some(edits.apply(body)?) };
    let bare_items = match stays {
        _ if bare == 0 => 0,
        Some(stays) => {
            let root = Root::parse(spliced.as_deref().unwrap_or(body), wire.list())?;
            root.items.iter().take_while(|item| item.start() < stays).count()
        }
        None => usize::MAX,
    };
    Some(Restored { body: spliced.map(Bytes::from), bare_items })
}

/// Returns the record that belongs to this turn, with the client's arguments.
fn fitting(
    wire: &dyn ProviderFormat,
    records: Vec<Record>,
    turn: &AssistantTurn,
    copy: &str,
) -> Option<Record> {
    records.into_iter().find_map(|mut record| match record.fit(&turn.anchors) {
        Fit::Same => Some(record),
        Fit::OtherArguments => {
            record.items = wire.with_arguments_of(&record.items, copy)?;
            Some(record)
        }
        Fit::None => None,
    })
}

fn look(parts: &Parts, api: Option<Api>, body: &[u8]) -> Option<RequestLookup> {
    let api = api.or_else(|| Api::detect(body))?;
    let text = std::str::from_utf8(body).ok()?;
    let mut found = RequestLookup {
        api,
        turns: Vec::new(),
        keys: Vec::new(),
        chain: Chain::default(),
        account: Account::default(),
        previous: None,
        thread: None,
        binds: false,
        serves: false,
        opening: None,
        prompt: None,
        head: Head::default(),
    };
    let Some(wire) = provider_format(api) else { return Some(found) };
    let ends = ValueEnds::of(text);
    let Some(root) = Root::parse_with(text, &ends, wire.list()) else { return Some(found) };
    let Some(list) = root.get(wire.list()) else { return Some(found) };
    let head = wire.head(&root);
    found.thread = wire.thread(&root);
    found.binds = wire.thinking_is_bound(&root);
    // A list may be written as its only text.
    let items = if list.is_string() { &[list] } else { &*root.items };
    found.turns = wire.assistant_turns(items);
    let opening: Vec<_> = OPENING.iter().filter_map(|key| root.get(key)).collect();
    found.chain = Chain::new(api, &opening, items, &found.turns);
    let turns = found.turns.iter().zip(&found.chain.before);
    found.keys = turns.map(|(turn, link)| keys::keys(api, &turn.anchors, *link)).collect();
    found.account = Account::new(parts, root.get("metadata"));
    found.previous = wire.previous(&root).and_then(|id| {
        let key = keys::answer(api, &id.text()?)?;
        Some((id.start()..id.end(), key))
    });
    found.serves = head.is_some() && serves(api, parts);
    // What OpenAI stores can be continued without being sent again.
    let is_stored =
        api == Api::OpenAiResponses && root.get("store").is_none_or(|store| store.raw() != "false");
    if found.thread.is_none() && wire.previous(&root).is_none() && !is_stored {
        let answered = found.turns.first().map_or(usize::MAX, |turn| turn.range.start);
        let last = items.iter().take_while(|item| item.start() < answered).last();
        found.opening = items.first().zip(last).map(|(first, last)| first.start()..last.end());
    }
    let prompt = newest_prompt(items).and_then(|prompt| items.get(prompt));
    found.prompt = prompt.map(|prompt| found.link(*prompt));
    found.head = head.unwrap_or_default();
    Some(found)
}

impl RequestLookup {
    /// Returns the position of an item that the assistant did not write.
    fn link(&self, item: Value<'_>) -> Link {
        let turns = self.turns.iter().take_while(|turn| turn.range.start < item.start()).count();
        self.chain.before.get(turns).copied().unwrap_or(self.chain.end)
    }
}

/// Whether answers of this API can be stitched in this request's form.
fn serves(api: Api, parts: &Parts) -> bool {
    let path = parts.uri.path();
    // Gemini streams that are not event streams are one array.
    if path.ends_with(":streamGenerateContent") && !parts.uri.query().unwrap_or_default().contains("alt=sse")
    {
        return false;
    }
    provider_format(api).is_some()
}
