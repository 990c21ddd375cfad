//! Where what is set aside goes, and whose it is.

use headroom_store::StoreError;

use crate::config::chain;

/// Whose the originals are that the command line sets aside: of the user who runs it, whatever credentials the request
/// will be sent with.
///
/// The proxy keeps those of each credential apart. `headroom retrieve` looks among all of them, since the folder is
/// the user's own.
pub(crate) const LOCAL_TENANT: &str = "local";

/// The error and what caused it, in one line. It holds no content.
pub(crate) fn reason(error: Option<&StoreError>) -> String {
    error.map_or_else(|| "the store panicked".to_owned(), |error| chain(error))
}
