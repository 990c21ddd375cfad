//! The tenant of local originals, and store errors as text.

use headroom_store::StoreError;

use crate::chain::Chain;

/// The tenant of originals that the command line stores: the user who runs it, whatever credentials the request will be
/// sent with.
///
/// The proxy separates originals by credential. `headroom retrieve` searches all of them, since the folder is the
/// user's own.
pub(crate) const LOCAL_TENANT: &str = "local";

/// Formats the error and its sources on one line, without content.
pub(crate) fn reason(error: Option<&StoreError>) -> String {
    error.map_or_else(|| "the store panicked".to_owned(), |error| Chain(error).to_string())
}
