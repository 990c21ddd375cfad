//! The errors that TypeScript makes its classes of.

use std::fmt::Display;

use headroom_bindings::message_of;
use headroom_store::StoreError;
use napi::{Error, Status};

/// Returns the error for a setting that no call accepts.
pub(crate) fn configuration(message: impl Display) -> Error {
    Error::new(Status::InvalidArg, message.to_string())
}

/// Returns the error for a store that cannot answer. The message holds no content.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn store(error: StoreError) -> Error {
    Error::new(Status::GenericFailure, message_of(&error))
}

/// Returns the error for a bug of this package.
pub(crate) fn bug(error: impl Display) -> Error {
    Error::new(Status::GenericFailure, error.to_string())
}
