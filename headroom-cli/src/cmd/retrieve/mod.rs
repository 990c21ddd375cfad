//! `headroom retrieve`: prints the original behind a marker.

mod args;
mod part;

use std::{io, sync::Arc};

use headroom_core::Handle;
use headroom_store::StoreError;

pub(crate) use self::args::{EXAMPLES, RetrieveArgs};
use self::part::RetrievePart;
use crate::{
    config::{Config, Store},
    output,
};

/// Errors of `headroom retrieve`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetrieveError {
    #[error(
        "nothing is kept in memory between two calls; pass the folder of the proxy with --store, or set \
         HEADROOM_HOME"
    )]
    Memory,
    #[error("no original {handle} in {store}: it was never stored there, or it expired")]
    Unknown { handle: Handle, store: String },
    #[error("cannot look up {handle}")]
    Store { handle: Handle, source: StoreError },
    #[error("cannot start the async runtime")]
    Runtime(#[source] io::Error),
    #[error("cannot write standard output")]
    Write(#[source] io::Error),
}

impl RetrieveError {
    /// Whether the command was called wrongly: exit status 2.
    pub(crate) const fn is_usage(&self) -> bool {
        matches!(self, Self::Memory)
    }
}

/// Writes the original, or the requested part of it, to standard output.
pub(crate) fn run(args: &RetrieveArgs, config: &Config) -> Result<(), RetrieveError> {
    let handle = args.hash;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RetrieveError::Runtime)?;
    let found = runtime.block_on(find(&handle, config));
    let content = found.map_err(|source| RetrieveError::Store { handle, source })?;
    let content = content.ok_or_else(|| match &config.store {
        Store::Memory => RetrieveError::Memory,
        store => RetrieveError::Unknown { handle, store: store.to_string() },
    })?;
    let wanted = RetrievePart::from_args(args);
    let written = if args.json {
        output::write(format!("{}\n", wanted.answer(handle, &content)).as_bytes())
    } else {
        output::write(wanted.of_content(&content).as_bytes())
    };
    written.map_err(RetrieveError::Write)
}

/// Looks in the store, then in the folder of plain-text originals.
async fn find(handle: &Handle, config: &Config) -> Result<Option<Arc<str>>, StoreError> {
    if let Some(content) = config.store.find(handle).await? {
        return Ok(Some(content));
    }
    match &config.originals_dir {
        Some(originals_dir) => originals_dir.open().find(handle).await,
        None => Ok(None),
    }
}
