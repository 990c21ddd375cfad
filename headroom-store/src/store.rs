use std::sync::Arc;

use async_trait::async_trait;
use headroom_core::{Handle, Original};

use crate::{Part, Piece, StoreError};

/// Keeps originals by tenant and handle. Object-safe: use it as `Arc<dyn OriginalStore>`.
///
/// # Implementing a store
///
/// - After `put_many` returns `Ok`, every original of the call resolves for that tenant. On `Err` the caller asks
///   `has_many` and sends no marker for what is not there, so a store that is unsure answers `Err`.
/// - Putting what is already there refreshes its expiry: clients send the whole conversation with every request, so
///   an original stays for as long as its conversation goes on.
/// - A handle that already names other content keeps it, and the call fails with [`StoreError::collision`].
/// - Requests wait for `put_many`. A store that talks to a network bounds how long it takes.
/// - What the store cannot give back whole it does not have: `get` answers `None`, `has_many` answers `false`, and
///   `put_many` stores it again. It never answers with other content.
/// - Content reaches no log and no error.
#[async_trait]
pub trait OriginalStore: Send + Sync + 'static {
    /// Stores the originals of one request.
    ///
    /// # Errors
    ///
    /// When any of them may not resolve afterwards. Which of the others were stored is unspecified.
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError>;

    /// The whole original, or `None` where this tenant has none of that handle.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError>;

    /// Which of these originals are stored for this tenant, in their order. Asked when [`put_many`](Self::put_many)
    /// failed, to keep what is stored already. Where it can, a store counts this as having been seen.
    ///
    /// By default every original is read.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let mut has = Vec::with_capacity(handles.len());
        for handle in handles {
            let content = self.get(tenant, handle).await?;
            has.push(content.is_some_and(|content| Handle::from_content(&content) == *handle));
        }
        Ok(has)
    }

    /// A bounded part of an original, or `None` where this tenant has none of that handle.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    async fn get_part(
        &self,
        tenant: &str,
        handle: &Handle,
        part: &Part,
    ) -> Result<Option<Piece>, StoreError> {
        Ok(self.get(tenant, handle).await?.map(|content| part.apply(&content)))
    }

    /// Keeps a record of a hidden exchange under keys of the caller's. The keys are hashes but not of the record, and
    /// they meet no handle of an original. A key that has a record already may keep it.
    ///
    /// Stores that check content against its handle implement this apart from [`put_many`](Self::put_many).
    ///
    /// # Errors
    ///
    /// When the record may not be found afterwards.
    async fn put_record(&self, tenant: &str, keys: &[Handle], record: &str) -> Result<(), StoreError> {
        for key in keys {
            let record = Original { handle: *key, content: record.to_owned() };
            match self.put_many(tenant, vec![record]).await {
                Err(error) if !error.is_collision() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// The records under these keys, in their order. A request asks for those of a whole conversation at once, so a
    /// store that talks to a network answers in one exchange.
    ///
    /// # Errors
    ///
    /// When the store cannot answer.
    async fn get_records(&self, tenant: &str, keys: &[Handle]) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            records.push(self.get(tenant, key).await?);
        }
        Ok(records)
    }
}

#[async_trait]
impl<T: OriginalStore + ?Sized> OriginalStore for Arc<T> {
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError> {
        (**self).put_many(tenant, originals).await
    }

    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError> {
        (**self).get(tenant, handle).await
    }

    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        (**self).has_many(tenant, handles).await
    }

    async fn get_part(
        &self,
        tenant: &str,
        handle: &Handle,
        part: &Part,
    ) -> Result<Option<Piece>, StoreError> {
        (**self).get_part(tenant, handle, part).await
    }

    async fn put_record(&self, tenant: &str, keys: &[Handle], record: &str) -> Result<(), StoreError> {
        (**self).put_record(tenant, keys, record).await
    }

    async fn get_records(&self, tenant: &str, keys: &[Handle]) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        (**self).get_records(tenant, keys).await
    }
}
