//! Restores hidden exchanges in a request before the engine gets it.

use std::{
    fmt,
    future::{Future, poll_fn},
    ops::Range,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use headroom_core::{Api, Handle};
use headroom_store::{OriginalStore, json::quote};
use http::request::Parts;

use super::{
    api::{AssistantTurn, Head, ProviderFormat, Root, Thread, provider_format},
    edit::Edits,
    keys::{self, Chain, Keys, Link},
    record::{Fit, Record},
    serves,
};
use crate::{
    config::Config,
    decode::Codec,
    memory::Reservation,
    tenant::{Account, Owner, Tenant},
};

/// The future of a restored request; it owns its data.
pub(crate) type Restore = Pin<Box<dyn Future<Output = RestoredRequest> + Send>>;

/// The layer's knowledge of a request before the engine sees it.
#[derive(Default)]
pub(crate) struct RestoredRequest {
    pub(crate) api: Option<Api>,
    /// The body decoded, with hidden exchanges restored; `None` if it is the original.
    pub(crate) body: Option<Bytes>,
    /// Whether anything was restored or removed.
    pub(crate) spliced: bool,
    /// The message thread that the request begins or continues.
    pub(crate) thread: Option<ThreadState>,
    /// Whether the answer can be stitched.
    pub(crate) serves: bool,
    /// Whether the provider refused this conversation before.
    pub(crate) rejected: bool,
    pub(crate) ask: ResponseContext,
}

/// The handling of a thread that the client wants the provider to keep. The provider would keep hidden exchanges too,
/// and continue the thread only once, so the conversation is sent in full each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreadState {
    /// The thread is not asked for.
    Dropped,
    /// The client is told that the thread is unknown, and sends everything.
    Unknown,
}

/// The response side's data about the request as the client sent it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseContext {
    pub(super) head: Head,
    /// The position of the answer in the conversation.
    pub(super) link: Link,
    /// How many turns of the assistant come before it.
    pub(super) turns: usize,
    /// The names under which the exchange is stored.
    pub(super) owner: Owner,
}

/// The result of searching a body.
struct RequestLookup {
    api: Api,
    decoded: Option<Bytes>,
    turns: Vec<AssistantTurn>,
    /// The keys of each turn.
    keys: Vec<Keys>,
    chain: Chain,
    account: Account,
    /// The range of an earlier answer's id, and the key of that answer.
    previous: Option<(Range<usize>, Handle)>,
    thread: Option<Thread>,
    /// Whether thinking must be removed if the exchange before it cannot be restored.
    binds: bool,
    serves: bool,
    ask: ResponseContext,
}

/// Restores a request. Never fails: anything that cannot be read or found is left alone.
pub(crate) fn restore(
    config: Arc<Config>,
    parts: &Parts,
    api: Option<Api>,
    tenant: Tenant,
    (body, codec): (Bytes, Codec),
    memory: Option<Reservation>,
) -> Restore {
    let (max_decompressed_body, parts) = (config.max_decompressed_body, parts.clone());
    Box::pin(async move {
        // Decoding takes longer than searching, and the decoded length is unknown.
        let size = body.len() as u64 * if codec == Codec::Identity { 1 } else { 64 };
        let whole = body.clone();
        let look = move |cancelled: &AtomicBool| {
            // Held until the search is over, even if nobody waits for it.
            let _memory = memory;
            if cancelled.load(Ordering::Relaxed) {
                return None;
            }
            look(&parts, api, &body, codec, max_decompressed_body)
        };
        // Searching costs an eighth of the engine's work; a short search is not worth another thread.
        let mut work = config.offload.start(size / 8, Box::new(look));
        let Ok(Some(found)) = poll_fn(|cx| work.poll(cx)).await else {
            return RestoredRequest { api, ..RestoredRequest::default() };
        };
        let owner = Owner::new(tenant, &found.account);
        let mut recalled = RestoredRequest {
            api: Some(found.api),
            body: found.decoded.clone(),
            spliced: false,
            thread: None,
            serves: found.serves,
            rejected: config.rejected.turns(owner.lasting(), &found.chain).is_some(),
            ask: ResponseContext { owner: owner.clone(), ..found.ask.clone() },
        };
        let Some(wire) = provider_format(found.api).filter(|_| !recalled.rejected) else { return recalled };
        recalled.thread = found.thread.as_ref().map(|thread| match thread {
            Thread::Begins(_) => ThreadState::Dropped,
            Thread::GoesOn => ThreadState::Unknown,
        });
        if recalled.thread == Some(ThreadState::Unknown) {
            return recalled;
        }
        let records = match &config.store {
            Some(store) => Records::get(&**store, &owner, &found).await,
            None => Records::default(),
        };
        let bare = config.unbound.turns(owner.lasting(), &found.chain).unwrap_or(0);
        let text = std::str::from_utf8(recalled.body.as_ref().unwrap_or(&whole)).ok();
        if let Some(spliced) = text.and_then(|text| splice(wire, text, &found, records, bare)) {
            recalled.body = Some(Bytes::from(spliced));
            recalled.spliced = true;
        }
        recalled
    })
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

impl Records {
    async fn get(store: &dyn OriginalStore, owner: &Owner, found: &RequestLookup) -> Self {
        let previous = || found.previous.iter().map(|(_, key)| *key);
        let unique = found.keys.iter().flat_map(|keys| keys.unique.iter().copied()).chain(previous());
        let chained = found.keys.iter().filter_map(|keys| keys.chained.first().copied()).chain(previous());
        let (mut unique, mut chained) = match &owner.account {
            // Both are stored under the same name.
            None => {
                let keys: Vec<_> = unique.chain(chained).collect();
                let mut records = get(store, &owner.tenant, keys).await;
                let first =
                    found.keys.iter().map(|keys| keys.unique.len()).sum::<usize>() + previous().count();
                let chained = records.split_off(first.min(records.len()));
                (records.into_iter(), chained.into_iter())
            }
            Some(account) => {
                let unique = get(store, &owner.tenant, unique.collect()).await;
                let chained = get(store, account, chained.collect()).await;
                (unique.into_iter(), chained.into_iter())
            }
        };
        let mut records = Self::default();
        for keys in &found.keys {
            let chained = keys.chained.first().and_then(|_| chained.next()).into_iter();
            let own = unique.by_ref().take(keys.unique.len()).chain(chained).flatten();
            records.turns.push(own.collect());
        }
        records.previous = unique.next().flatten().or(chained.next().flatten());
        records
    }
}

/// Returns the record of each key. A failing store yields none.
async fn get(store: &dyn OriginalStore, tenant: &str, keys: Vec<Handle>) -> Vec<Option<Record>> {
    if keys.is_empty() {
        return Vec::new();
    }
    let records = store.get_records(tenant, &keys).await.unwrap_or_default();
    let mut records: Vec<_> =
        records.into_iter().map(|record| record.and_then(|text| Record::parse(&text))).collect();
    records.resize(keys.len(), None);
    records
}

/// Puts the records in their places and removes the thinking of the first `bare` turns; `None` if nothing changes.
fn splice(
    wire: &dyn ProviderFormat,
    body: &str,
    found: &RequestLookup,
    records: Records,
    bare: usize,
) -> Option<String> {
    let mut edits = Edits::default();
    if let Some(Thread::Begins(range)) = &found.thread {
        edits.replace(range.clone(), "");
    }
    // After an exchange that is not restored, thinking no longer fits.
    let mut unbound = false;
    for (at, (turn, own)) in found.turns.iter().zip(records.turns).enumerate() {
        let copy = body.get(turn.range.clone())?;
        let hid = !own.is_empty();
        let record = fitting(wire, own, turn, copy);
        unbound |= found.binds && hid && record.is_none();
        let unbound = unbound || at < bare;
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
    if edits.is_empty() { None } else { edits.apply(body) }
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

fn unbind(wire: &dyn ProviderFormat, copy: &str, turn: &AssistantTurn, edits: &mut Edits) {
    let bare = wire.strip_thinking(copy);
    if bare != copy && !bare.is_empty() {
        edits.replace(turn.range.clone(), bare);
    }
}

/// Removes all bound thinking from a body that was restored already; `None` if it has none.
pub(super) fn unbound(wire: &dyn ProviderFormat, body: &str) -> Option<String> {
    let root = Root::parse(body, wire.list())?;
    let mut edits = Edits::default();
    for turn in wire.assistant_turns(&root.items) {
        unbind(wire, body.get(turn.range.clone())?, &turn, &mut edits);
    }
    if edits.is_empty() { None } else { edits.apply(body) }
}

fn look(
    parts: &Parts,
    api: Option<Api>,
    body: &Bytes,
    codec: Codec,
    max_decompressed_body: u64,
) -> Option<RequestLookup> {
    let decoded = codec.decode(body, max_decompressed_body).ok()?.map(Bytes::from);
    let bytes = decoded.as_ref().unwrap_or(body);
    let api = api.or_else(|| Api::detect(bytes))?;
    let text = std::str::from_utf8(bytes).ok()?;
    let mut found = RequestLookup {
        api,
        decoded: decoded.clone(),
        turns: Vec::new(),
        keys: Vec::new(),
        chain: Chain::default(),
        account: Account::default(),
        previous: None,
        thread: None,
        binds: false,
        serves: false,
        ask: ResponseContext::default(),
    };
    let Some(wire) = provider_format(api) else { return Some(found) };
    let Some(root) = Root::parse(text, wire.list()) else { return Some(found) };
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
    found.ask = ResponseContext {
        head: head.unwrap_or_default(),
        link: found.chain.end,
        turns: found.turns.len(),
        owner: Owner::default(),
    };
    Some(found)
}

impl fmt::Debug for RestoredRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoredRequest")
            .field("spliced", &self.spliced)
            .field("serves", &self.serves)
            .finish()
    }
}
