use std::sync::Arc;

use headroom_store::{DiskStore, OriginalStore};
use headroom_tower::{Observer, StoreFailed};

use crate::{config::Store, store};

/// The store. One that does not work yet is no reason not to serve.
pub(super) async fn open(store: &Store) -> Arc<dyn OriginalStore> {
    if let Store::Folder(folder) = store
        && let Err(error) = DiskStore::new(folder).check().await
    {
        tracing::warn!("nothing can be set aside until this is mended: {}", store::reason(Some(&error)));
    }
    store.open()
}

/// Says why a request went on as it was.
#[derive(Debug)]
pub(super) struct Warner;

impl Observer for Warner {
    fn on_store_error(&self, event: &StoreFailed<'_>) {
        tracing::warn!("cannot keep what was to be set aside: {}", store::reason(event.error));
    }
}
