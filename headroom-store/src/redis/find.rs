//! Finds an original whichever tenant stored it.

use std::{sync::Arc, time::Duration};

use headroom_core::Handle;
use redis::Pipeline;

use super::{RedisStore, ServerError};
use crate::{StoreError, entry, tenant::Tenant};

/// How many keys the server looks at before it answers.
const SCAN_KEYS: usize = 2000;
/// How long a search through all keys may take: about ten million of them.
const FIND_TIMEOUT: Duration = Duration::from_secs(20);

impl RedisStore {
    /// Returns the whole original, whichever tenant stored it.
    ///
    /// For tools of the server's owner, never for answers to a tenant. The server looks through the names of all its
    /// keys, which takes about a second for a million.
    ///
    /// # Errors
    ///
    /// If the server does not answer, or has too many keys.
    pub async fn find(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let found = tokio::time::timeout(FIND_TIMEOUT, self.scan(handle)).await;
        found.unwrap_or_else(|_| Err(StoreError::unavailable(ServerError::Late)))
    }

    async fn scan(&self, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        let pattern = format!("{}:*:{handle}", escape(&self.prefix));
        let mut cursor = 0_u64;
        loop {
            let mut scan = Pipeline::with_capacity(1);
            scan.cmd("SCAN").arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(SCAN_KEYS);
            let ((next, keys),): ((u64, Vec<String>),) = self.connection.ask(&scan).await?;
            let own = keys.into_iter().filter(|key| self.is_original(key, handle)).collect();
            for (content, hash) in self.fetch(own).await?.into_iter().flatten() {
                if entry::names(handle, &hash) {
                    return Ok(Some(content.into()));
                }
            }
            if next == 0 {
                return Ok(None);
            }
            cursor = next;
        }
    }

    /// Whether a key is that of this original for some tenant. Another store's prefix may begin like this one's.
    fn is_original(&self, key: &str, handle: &Handle) -> bool {
        let tenant = || {
            let rest = key.strip_prefix(&*self.prefix)?.strip_prefix(':')?;
            Tenant::parse(rest.strip_suffix(&handle.to_string())?.strip_suffix(':')?)
        };
        tenant().is_some()
    }
}

/// Escapes what a pattern of the server would not take literally.
fn escape(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len());
    for c in prefix.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '-' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}
