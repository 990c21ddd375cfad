//! Checks whether output is usable: code parses, diffs apply, and lines can be edited by their exact text.

mod apply;
mod edit;
mod parse;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use self::edit::of_view;
pub use self::{
    apply::{Applied, apply},
    edit::{Edits, edits, view},
    parse::mistakes,
};

/// Runs a judge and turns a panic into a failure.
///
/// # Errors
///
/// Returns what the judge found, or that it panicked.
pub fn judged(judge: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| Err("the judge could not read it".to_owned()))
}
