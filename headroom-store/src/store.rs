//! The traits of stores.

use std::sync::Arc;

use async_trait::async_trait;
use headroom_core::{Handle, Original};

use crate::{RecordKey, StoreError};

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
}

/// Stores records of hidden exchanges by tenant and key. Object-safe: use it as `Arc<dyn ExchangeStore>`.
///
/// A record is what the model asked for and got while the client saw one answer, so that it can be put back when the
/// client sends the conversation again. A conversation whose record is lost goes on without what the model had
/// retrieved.
///
/// # Implementing a store
///
/// - Records and originals are apart, even under a key that prints like a handle.
/// - A key that has a record already may keep it.
/// - Finding a record counts as use of it.
/// - Content reaches no log and no error.
#[async_trait]
pub trait ExchangeStore: Send + Sync + 'static {
    /// Stores a record under each of these keys.
    ///
    /// # Errors
    ///
    /// If the record may not be found afterwards.
    async fn put_record(&self, tenant: &str, keys: &[RecordKey], record: &str) -> Result<(), StoreError>;

    /// Returns the records under these keys, in their order. A request asks for those of a whole conversation at once,
    /// so a store on a network should answer in one round trip.
    ///
    /// # Errors
    ///
    /// If the store cannot answer.
    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError>;
}

/// Stores both originals and records, as a layer that answers calls of its tool needs. Every type that does is one.
pub trait Store: OriginalStore + ExchangeStore {}

impl<T: OriginalStore + ExchangeStore + ?Sized> Store for T {}

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
}

#[async_trait]
impl<T: ExchangeStore + ?Sized> ExchangeStore for Arc<T> {
    async fn put_record(&self, tenant: &str, keys: &[RecordKey], record: &str) -> Result<(), StoreError> {
        (**self).put_record(tenant, keys, record).await
    }

    async fn get_records(
        &self,
        tenant: &str,
        keys: &[RecordKey],
    ) -> Result<Vec<Option<Arc<str>>>, StoreError> {
        (**self).get_records(tenant, keys).await
    }
}
