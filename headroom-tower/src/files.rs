//! Originals as files that the agent reads with its own tools.

use std::{future::Future, pin::Pin, sync::Arc};

use headroom_core::{Handle, Original};
use headroom_store::StoreError;

/// A future answer of a store or folder.
pub(crate) type Answer<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;
/// Storing of originals in progress.
pub(crate) type Storing = Answer<()>;
/// A pending query for which originals are stored.
pub(crate) type Looking = Answer<Vec<bool>>;

/// The folder that markers name, and the functions that write to it.
#[derive(Clone)]
#[cfg_attr(not(feature = "plaintext"), allow(dead_code, reason = "nothing makes one"))]
pub(crate) struct Files {
    pub(crate) folder: Arc<str>,
    pub(crate) write: Arc<dyn Fn(Vec<Original>) -> Storing + Send + Sync>,
    pub(crate) has: Arc<dyn Fn(Vec<Handle>) -> Looking + Send + Sync>,
}

#[cfg(feature = "plaintext")]
impl From<headroom_store::PlaintextStore> for Files {
    fn from(plaintext: headroom_store::PlaintextStore) -> Self {
        let reader = plaintext.clone();
        Self {
            folder: plaintext.folder().into(),
            write: Arc::new(move |originals| {
                let plaintext = plaintext.clone();
                Box::pin(async move { plaintext.put_many(originals).await })
            }),
            has: Arc::new(move |handles| {
                let plaintext = reader.clone();
                Box::pin(async move { plaintext.has_many(&handles).await })
            }),
        }
    }
}
