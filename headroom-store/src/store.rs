use std::sync::Arc;

use async_trait::async_trait;
use headroom_core::{Handle, Original};

use crate::{Part, Piece, StoreError};

/// Stores originals by tenant and handle. Object-safe: use it as `Arc<dyn OriginalStore>`.
///
/// # Implementing a store
///
/// - After `put_many` returns `Ok`, every original of the call resolves for that tenant. After `Err` the caller asks
///   `has_many` and sends no marker for a missing original, so a store that is unsure returns `Err`.
/// - Storing an original again refreshes its expiry: clients send the whole conversation with every request, so an
///   original stays for as long as its conversation continues.
/// - A handle that already names other content keeps it, and the call fails with [`StoreError::collision`].
/// - Requests wait for `put_many`. A store on a network must limit how long it takes.
/// - An original that the store cannot return whole counts as missing: `get` returns `None`, `has_many` returns
///   `false`, and `put_many` stores it again. The store never returns other content.
/// - Content reaches no log and no error.
#[async_trait]
pub trait OriginalStore: Send + Sync + 'static {
    /// Stores the originals of one request.
    ///
    /// # Errors
    ///
    /// If any of them may not resolve afterwards. Which of the others were stored is unspecified.
    async fn put_many(&self, tenant: &str, originals: Vec<Original>) -> Result<(), StoreError>;

    /// Returns the whole original, or `None` if this tenant has none with that handle.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
    async fn get(&self, tenant: &str, handle: &Handle) -> Result<Option<Arc<str>>, StoreError>;

    /// Returns which of these originals are stored for this tenant, in their order. Called after
    /// [`put_many`](Self::put_many) failed, to keep using the originals that are stored. If it can, a store counts this
    /// as use.
    ///
    /// By default every original is read.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
    async fn has_many(&self, tenant: &str, handles: &[Handle]) -> Result<Vec<bool>, StoreError> {
        let mut has = Vec::with_capacity(handles.len());
        for handle in handles {
            let content = self.get(tenant, handle).await?;
            has.push(content.is_some_and(|content| Handle::from_content(&content) == *handle));
        }
        Ok(has)
    }

    /// Returns a bounded part of an original, or `None` if this tenant has none with that handle.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
    async fn get_part(
        &self,
        tenant: &str,
        handle: &Handle,
        part: &Part,
    ) -> Result<Option<Piece>, StoreError> {
        Ok(self.get(tenant, handle).await?.map(|content| part.apply(&content)))
    }

    /// Stores a record of a hidden exchange under the caller's keys. The keys are hashes, but not of the record, and
    /// never equal the handle of an original. A key that has a record already may keep it.
    ///
    /// Stores that check content against its handle implement this separately from [`put_many`](Self::put_many).
    ///
    /// # Errors
    ///
    /// If the record may not be found afterwards.
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

    /// Returns the records under these keys, in their order. A request asks for those of a whole conversation at once,
    /// so a store on a network should answer in one round trip.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
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
