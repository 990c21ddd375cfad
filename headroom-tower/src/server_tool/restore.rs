//! Restores hidden exchanges in a request before the engine gets it.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use headroom_core::Api;
use headroom_retrieval::{FoundRecords, RecordQuery, RequestLookup, Restore, Restored, Tenant, ThreadState};
use http::request::Parts;

use crate::{ConversationId, StoreOperation, config::Config, decode::Codec, memory::Reservation, store_call};

/// The future of a restored request; it owns its data.
pub(crate) type Restoring = Pin<Box<dyn Future<Output = RestoredRequest> + Send>>;

/// The layer's knowledge of a request before the engine sees it.
#[derive(Default)]
pub(crate) struct RestoredRequest {
    pub(crate) api: Option<Api>,
    /// The body decoded, with hidden exchanges restored; `None` if it is the original.
    pub(crate) body: Option<Bytes>,
    /// What was found and put back; `None` if the request could not be read.
    pub(crate) restored: Option<(Restore, Restored)>,
    /// The conversation; `None` if it cannot be told.
    pub(crate) conversation: Option<ConversationId>,
    /// The tools whose definitions leave.
    pub(crate) drop_tools: Vec<String>,
}

impl RestoredRequest {
    /// Whether anything was restored or removed.
    pub(crate) fn is_spliced(&self) -> bool {
        self.restored.as_ref().is_some_and(|(_, restored)| restored.is_spliced())
    }

    /// Whether the provider refused this conversation before.
    pub(crate) fn is_rejected(&self) -> bool {
        self.restored.as_ref().is_some_and(|(restore, _)| restore.is_rejected())
    }

    /// Whether the client must be told to send its conversation in full.
    pub(crate) fn rejects_thread(&self) -> bool {
        self.restored.as_ref().is_some_and(|(restore, _)| restore.thread() == Some(ThreadState::Unknown))
    }
}

/// The result of searching a body.
struct Found {
    lookup: RequestLookup,
    decoded: Option<Bytes>,
    conversation: Option<u64>,
}

/// Restores a request. Never fails: anything that cannot be read or found is left alone.
pub(crate) fn restore(
    config: Arc<Config>,
    parts: &Parts,
    api: Option<Api>,
    tenant: Tenant,
    (body, codec): (Bytes, Codec),
    memory: Option<Reservation>,
) -> Restoring {
    let (max_decompressed_body, parts) = (config.max_decompressed_body, parts.clone());
    Box::pin(async move {
        // Decoding takes longer than searching, and the decoded length is unknown.
        let size = body.len() as u64 * if codec == Codec::Identity { 1 } else { 64 };
        let whole = body.clone();
        let is_followed = config.follows_conversations();
        let look = move |cancelled: &AtomicBool| {
            // Held until the search is over, even if nobody waits for it.
            let _memory = memory;
            if cancelled.load(Ordering::Relaxed) {
                return None;
            }
            let decoded = codec.decode(&body, max_decompressed_body).ok()?.map(Bytes::from);
            let text = decoded.as_ref().unwrap_or(&body);
            let lookup = RequestLookup::new(&parts, api, text)?;
            let conversation = is_followed.then(|| lookup.conversation(text)).flatten();
            Some(Found { lookup, decoded, conversation })
        };
        // Searching costs an eighth of the engine's work; a short search is not worth another thread.
        let mut work = config.offload.start(&Arc::from(tenant.name()), size / 8, Box::new(look));
        let Ok(Some(found)) = poll_fn(|cx| work.poll(cx)).await else {
            return RestoredRequest { api, ..RestoredRequest::default() };
        };
        let Found { lookup, decoded, conversation } = found;
        let api = lookup.api();
        let restore = lookup.restore(tenant, &config.refusals);
        let found = get(&config, api, restore.queries()).await;
        let restored = restore.finish(decoded.as_ref().unwrap_or(&whole), found);
        let drop_tools = match conversation {
            Some(conversation) if !config.drop_tools.is_empty() => {
                dropped_tools(&config, api, &restore, conversation).await.unwrap_or_default()
            }
            _ => Vec::new(),
        };
        RestoredRequest {
            api: Some(api),
            body: restored.body.clone().or(decoded),
            restored: Some((restore, restored)),
            conversation: conversation.map(ConversationId::from_hash),
            drop_tools,
        }
    })
}

/// Returns the tools that the first request of this conversation left out; of a first request, those that the settings name,
/// once that is noted. `None` if the store failed.
async fn dropped_tools(
    config: &Config,
    api: Api,
    restore: &Restore,
    conversation: u64,
) -> Option<Vec<String>> {
    let store = config.exchanges.as_deref()?;
    let query = restore.beginning(conversation);
    let found = store.get_records(&query.tenant, &query.keys);
    let found = store_call::ask(config, api, StoreOperation::Read, found).await?;
    if let Some(note) = found.into_iter().flatten().next() {
        return Some(note.lines().map(str::to_owned).collect());
    }
    let names: Vec<String> = config.drop_tools.iter().filter(|_| restore.is_first()).cloned().collect();
    if !names.is_empty() {
        let names = names.join("\n");
        let stored = store.put_record(&query.tenant, &query.keys, &names);
        store_call::ask(config, api, StoreOperation::Write, stored).await?;
    }
    Some(names)
}

/// Returns the records of each query. A failing store yields none.
async fn get(config: &Config, api: Api, queries: Vec<RecordQuery>) -> Vec<FoundRecords> {
    let Some(store) = &config.exchanges else { return Vec::new() };
    let mut found = Vec::with_capacity(queries.len());
    for query in queries {
        let records = store.get_records(&query.tenant, &query.keys);
        found.push(store_call::ask(config, api, StoreOperation::Read, records).await.unwrap_or_default());
    }
    found
}

impl fmt::Debug for RestoredRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoredRequest").field("is_spliced", &self.is_spliced()).finish_non_exhaustive()
    }
}
