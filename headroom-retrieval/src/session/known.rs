//! Remembers what a store took and what it did not.

use headroom_core::Handle;

use crate::bounded_set::BoundedSet;

/// How many originals are remembered, of either kind; about 2 MB.
const CAPACITY: usize = 16 << 10;

/// Which originals a store took and which it did not, in the memory of this process: at most 16384 of either kind, by
/// tenant. The oldest is forgotten first.
///
/// Keep one beside each store, and use it for all [sessions](crate::Session). A block that was sent in full because its
/// original could not be stored stays so when the store works again, since another form of it would be a cache miss for
/// everything behind it; and what the store has acknowledged stays elided while it cannot answer.
#[derive(Debug, Default)]
pub struct KnownOriginals {
    stored: BoundedSet<Key, CAPACITY>,
    unstored: BoundedSet<Key, CAPACITY>,
    /// Whether other processes serve the same conversations.
    is_shared: bool,
}

/// A hash of the tenant and the handle.
type Key = [u8; blake3::OUT_LEN];

impl KnownOriginals {
    /// Creates an empty memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty memory beside a store that other processes share, behind a load balancer that may send each request
    /// of a conversation to another of them.
    ///
    /// It does not remember what the store did not take. The others would not know that, so the block would change its form
    /// with every process that gets the conversation, which costs a cache miss each time; so the first request after the
    /// failure elides it, wherever it arrives, and all later ones do.
    #[must_use]
    pub fn shared() -> Self {
        Self { is_shared: true, ..Self::default() }
    }

    pub(super) fn add_stored(&self, tenant: &str, handles: &[Handle]) {
        self.stored.extend(handles.iter().map(|handle| key(tenant, handle)));
    }

    pub(super) fn add_unstored(&self, tenant: &str, handles: &[Handle]) {
        if self.is_shared {
            return;
        }
        self.unstored.extend(handles.iter().map(|handle| key(tenant, handle)));
    }

    /// Returns for each original whether the store took it.
    pub(super) fn were_stored(&self, tenant: &str, handles: &[Handle]) -> Vec<bool> {
        self.stored.contains_each(handles.iter().map(|handle| key(tenant, handle)))
    }

    /// Returns those of these originals that a store did not take.
    pub(super) fn unstored_among(&self, tenant: &str, handles: &[Handle]) -> Vec<Handle> {
        let known = self.unstored.contains_each(handles.iter().map(|handle| key(tenant, handle)));
        handles.iter().zip(known).filter_map(|(handle, known)| known.then_some(*handle)).collect()
    }
}

fn key(tenant: &str, original: &Handle) -> Key {
    *blake3::Hasher::new().update(original.as_bytes()).update(tenant.as_bytes()).finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_a_shared_store_only_what_it_took_is_remembered() {
        let known = KnownOriginals::shared();
        let handles = ["1", "2"].map(Handle::from_content);
        known.add_unstored("a", &handles[..1]);
        known.add_stored("a", &handles[1..]);
        assert_eq!(known.unstored_among("a", &handles), []);
        assert_eq!(known.were_stored("a", &handles), [false, true]);
    }

    #[test]
    fn tenants_are_apart() {
        let known = KnownOriginals::new();
        let handles = ["1", "2"].map(Handle::from_content);
        known.add_unstored("a", &handles[..1]);
        known.add_stored("a", &handles[1..]);
        assert_eq!(known.unstored_among("a", &handles), &handles[..1]);
        assert_eq!(known.unstored_among("b", &handles), []);
        assert_eq!(known.were_stored("a", &handles), [false, true]);
        assert_eq!(known.were_stored("b", &handles), [false, false]);
    }
}
