//! Whether output is what it says: code that parses, diffs that apply, lines that can be edited by their exact text.

mod apply;
mod edit;
mod parse;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use self::edit::of_view;
pub use self::{
    apply::{Applied, apply},
    edit::{Edits, edits, view},
    parse::{Language, mistakes},
};

/// What a judge says; that it panicked, where it did.
///
/// # Errors
///
/// What the judge found, or that it could not judge.
pub fn judged(judge: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(judge)).unwrap_or_else(|_| Err("the judge could not read it".to_owned()))
}
