//! Originals as files that the agent reads with its own tools.

use std::{future::Future, pin::Pin, sync::Arc};

use headroom_core::Original;
use headroom_store::StoreError;

/// Originals on their way to where they are kept.
pub(crate) type Storing = Pin<Box<dyn Future<Output = Result<(), StoreError>> + Send>>;

/// The folder that markers name, and what writes into it.
#[derive(Clone)]
#[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "nothing makes one"))]
pub(crate) struct Files {
    pub(crate) folder: Arc<str>,
    pub(crate) write: Arc<dyn Fn(Vec<Original>) -> Storing + Send + Sync>,
}

#[cfg(feature = "spool")]
impl From<headroom_store::Spool> for Files {
    fn from(spool: headroom_store::Spool) -> Self {
        Self {
            folder: spool.folder().into(),
            write: Arc::new(move |originals| {
                let spool = spool.clone();
                Box::pin(async move { spool.put_many(originals).await })
            }),
        }
    }
}
