//! Before the engine: what was exchanged behind the client's back is put back in its place.

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
use headroom_store::json::{Value, quote};
use http::request::Parts;

use super::{
    Sent,
    api::{Head, Root, Thread, Turn, Wire, wire},
    edit::Edits,
    keys::{self, Place},
    record::Record,
    serves,
};
use crate::{config::Config, decode::Codec, memory::Reservation};

/// A future that owns what it needs.
pub(crate) type Recall = Pin<Box<dyn Future<Output = Recalled> + Send>>;

/// What the layer knows of a request before the engine sees it.
#[derive(Default)]
pub(crate) struct Recalled {
    pub(crate) api: Option<Api>,
    /// The body without its encoding, with what was hidden in it; `None` where it is what came.
    pub(crate) body: Option<Bytes>,
    /// Whether anything was put back or taken out.
    pub(crate) spliced: bool,
    /// A thread at the provider that the request begins, or goes on in.
    pub(crate) thread: Option<Kept>,
    /// Whether the answer can be stitched.
    pub(crate) serves: bool,
    /// Whether the provider refused this conversation before.
    pub(crate) rejected: bool,
    pub(crate) ask: Ask,
}

/// What becomes of a thread that a client wants the provider to keep. The provider would keep what the client does not
/// know of, and continue it only once, so the conversation is sent in full each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is not asked for.
    Dropped,
    /// The client is told that there is none, and sends everything.
    Unknown,
}

/// What the response side needs to know of the request as the client sent it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ask {
    pub(super) head: Head,
    /// How many items the conversation had.
    items: usize,
    /// The last of them.
    last: Bytes,
}

impl Ask {
    /// Where the answer will stand when the client sends it back.
    pub(super) fn take_place(&mut self, wire: &dyn Wire) -> Place {
        let last = std::mem::take(&mut self.last);
        let last = std::str::from_utf8(&last).ok().and_then(Value::parse);
        Place { index: self.items, cue: last.map(|last| wire.cue(last)).unwrap_or_default() }
    }
}

/// What the conversation of a request is known by, as it came.
pub(super) fn conversation(sent: &Sent) -> Option<Handle> {
    let (parts, body) = &sent.original;
    let codec = Codec::of(&parts.headers).ok()?;
    look(parts, Some(sent.api), body, codec, sent.config.max_decoded, true)?.chain.last().copied()
}

/// What one look at a body finds.
struct Found {
    api: Api,
    decoded: Option<Bytes>,
    turns: Vec<Turn>,
    keys: Vec<Vec<Handle>>,
    chain: Vec<Handle>,
    /// Where the id of an earlier answer stands, and the key of that answer.
    previous: Option<(Range<usize>, Handle)>,
    thread: Option<Thread>,
    /// Whether thinking must go where what it followed is not put back.
    binds: bool,
    serves: bool,
    ask: Ask,
}

/// Looks a request up. Never fails: what cannot be read or found is left alone.
pub(crate) fn recall(
    config: Arc<Config>,
    parts: &Parts,
    api: Option<Api>,
    tenant: String,
    (body, codec): (Bytes, Codec),
    memory: Option<Reservation>,
) -> Recall {
    let (max_decoded, parts, chain) = (config.max_decoded, parts.clone(), !config.rejected.is_empty());
    Box::pin(async move {
        // To decode takes longer than to look, and nobody knows how much there is.
        let size = body.len() as u64 * if codec == Codec::Identity { 1 } else { 64 };
        let whole = body.clone();
        let look = move |cancelled: &AtomicBool| {
            // Held until the look is over, also where nobody waits for it.
            let _memory = memory;
            if cancelled.load(Ordering::Relaxed) {
                return None;
            }
            look(&parts, api, &body, codec, max_decoded, chain)
        };
        // A look costs an eighth of what the engine's work does; short ones are not worth another thread.
        let mut work = config.offload.start(size / 8, Box::new(look));
        let Ok(Some(found)) = poll_fn(|cx| work.poll(cx)).await else {
            return Recalled { api, ..Recalled::default() };
        };
        let mut recalled = Recalled {
            api: Some(found.api),
            body: found.decoded.clone(),
            spliced: false,
            thread: None,
            serves: found.serves,
            rejected: config.rejected.knows(&tenant, &found.chain),
            ask: found.ask.clone(),
        };
        let Some(wire) = wire(found.api).filter(|_| !recalled.rejected) else { return recalled };
        recalled.thread = found.thread.as_ref().map(|thread| match thread {
            Thread::Begins(_) => Kept::Dropped,
            Thread::GoesOn => Kept::Unknown,
        });
        if recalled.thread == Some(Kept::Unknown) {
            return recalled;
        }
        let keys = found.keys.iter().flatten().copied();
        let keys: Vec<Handle> = keys.chain(found.previous.iter().map(|(_, key)| *key)).collect();
        let mut records = Vec::new();
        if let (Some(store), false) = (&config.store, keys.is_empty()) {
            records = store.get_records(&tenant, &keys).await.unwrap_or_default();
        }
        let text = std::str::from_utf8(recalled.body.as_ref().unwrap_or(&whole)).ok();
        if let Some(spliced) = text.and_then(|text| splice(wire, text, &found, records)) {
            recalled.body = Some(Bytes::from(spliced));
            recalled.spliced = true;
        }
        recalled
    })
}

/// The body with the records in their places; `None` where it stays what it is.
fn splice(wire: &dyn Wire, body: &str, found: &Found, records: Vec<Option<Arc<str>>>) -> Option<String> {
    let mut edits = Edits::default();
    if let Some(Thread::Begins(range)) = &found.thread {
        edits.replace(range.clone(), "");
    }
    let mut records = records.into_iter().map(|record| record.and_then(|text| Record::parse(&text)));
    // Behind what is not put back, thinking does not fit any more.
    let mut unbound = false;
    for (turn, keys) in found.turns.iter().zip(&found.keys) {
        let mut own: Vec<_> = records.by_ref().take(keys.len()).flatten().collect();
        let at = own.iter().position(|record| record.is_of(&turn.anchors.ids));
        unbound |= found.binds && at.is_none() && !own.is_empty();
        match at.map(|at| own.swap_remove(at)) {
            Some(mut record) => {
                if unbound {
                    record.items = wire.unbound(&record.items);
                }
                wire.put_back(body, turn, &record, &mut edits);
            }
            None if unbound => {
                let copy = body.get(turn.range.clone())?;
                let bare = wire.unbound(copy);
                if bare != copy && !bare.is_empty() {
                    edits.replace(turn.range.clone(), bare);
                }
            }
            None => {}
        }
    }
    if let (Some((range, _)), Some(record)) = (&found.previous, records.next().flatten()) {
        // The provider knows the end of that answer by another name, and may wait for our part of what follows.
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

fn look(
    parts: &Parts,
    api: Option<Api>,
    body: &Bytes,
    codec: Codec,
    max_decoded: u64,
    chain: bool,
) -> Option<Found> {
    let decoded = codec.decode(body, max_decoded).ok()?.map(Bytes::from);
    let bytes = decoded.as_ref().unwrap_or(body);
    let api = api.or_else(|| Api::detect(bytes))?;
    let text = std::str::from_utf8(bytes).ok()?;
    let mut found = Found {
        api,
        decoded: decoded.clone(),
        turns: Vec::new(),
        keys: Vec::new(),
        chain: Vec::new(),
        previous: None,
        thread: None,
        binds: false,
        serves: false,
        ask: Ask::default(),
    };
    let Some(wire) = wire(api) else { return Some(found) };
    let Some(root) = Root::parse(text, wire.list()) else { return Some(found) };
    let Some(list) = root.get(wire.list()) else { return Some(found) };
    let head = wire.head(&root);
    found.thread = wire.thread(&root);
    found.binds = wire.binds(&root);
    // A list may be written as the one text in it.
    let items = if list.is_string() { &[list] } else { &*root.items };
    found.turns = wire.turns(items);
    let turns = || found.turns.iter().map(|turn| (&turn.anchors, &turn.place));
    found.keys = turns().map(|(anchors, place)| keys::keys(api, anchors, place)).collect();
    if chain {
        found.chain = keys::chain(api, &opening(items, found.turns.first()), turns());
    }
    found.previous = wire.previous(&root).and_then(|id| {
        let key = keys::answer(api, &id.text()?)?;
        Some((id.start()..id.end(), key))
    });
    found.serves = head.is_some() && serves(api, parts);
    found.ask = Ask {
        head: head.unwrap_or_default(),
        items: items.len(),
        last: items.last().map(|last| bytes.slice(last.start()..last.end())).unwrap_or_default(),
    };
    Some(found)
}

/// What tells conversations apart that have no turn yet: how the texts before the first turn begin and end, still
/// escaped, and how long they are.
fn opening(items: &[Value<'_>], first: Option<&Turn>) -> Vec<String> {
    const BYTES: usize = 256;
    const TEXTS: usize = 16;

    let end = first.map_or(items.len(), |turn| turn.place.index);
    let texts = items.iter().take(end).flat_map(|item| {
        let contents = ["content", "parts"].into_iter().filter_map(|key| item.get(key));
        let texts = contents.flat_map(|content| {
            let parts = content.items().filter_map(|part| part.get("text")?.inner());
            content.inner().into_iter().chain(parts)
        });
        item.inner().into_iter().chain(texts)
    });
    let ends = |text: &str| {
        let until = (0..=BYTES.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default();
        let from = (text.len().saturating_sub(BYTES)..text.len()).find_map(|start| text.get(start..));
        format!("{} {until} {}", text.len(), from.unwrap_or_default())
    };
    texts.take(TEXTS).map(ends).collect()
}

impl fmt::Debug for Recalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recalled").field("spliced", &self.spliced).field("serves", &self.serves).finish()
    }
}
