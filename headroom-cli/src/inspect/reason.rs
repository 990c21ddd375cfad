//! Reasons in words.

use headroom_core::{Reason, Step};
use headroom_tower::SkipReason;

pub(crate) fn of_request(reason: SkipReason) -> String {
    match reason {
        SkipReason::Engine(reason) => of_block(reason).to_owned(),
        SkipReason::UnknownApi => {
            "it is not a request of an API that is known; name it with --api".to_owned()
        }
        SkipReason::BodyTooLarge => "it is longer than the limit".to_owned(),
        other => other.as_str().replace('_', " "),
    }
}

pub(crate) fn of_block(reason: Reason) -> &'static str {
    match reason {
        Reason::NotJson => "it is not one JSON value",
        Reason::UnknownShape => "it is no request of a known API",
        Reason::TooDeep => "it nests deeper than the limit",
        Reason::TooLarge => "it is longer than the limit",
        Reason::TooManyValues => "it has more values than the limit",
        Reason::DuplicateKey => "a key that matters stands twice",
        Reason::Stateful => "the provider holds the rest of the conversation",
        Reason::NothingEditable => "it has no result of a tool",
        Reason::NoSaving => "no edit would save tokens",
        Reason::TooShort => "too short for an edit to pay",
        Reason::Protected => "a type that is never edited",
        Reason::ToolError => "errors stay as they are",
        Reason::LoneSurrogate => "half of a character in it",
        Reason::Retrieved => "it was set aside and fetched back",
        Reason::TooManyItems => "behind more items than are looked at",
        Reason::Cancelled => "the request was cancelled",
        Reason::Internal => "Headroom failed here (a bug)",
        _ => reason.as_str(),
    }
}

/// What an edit did.
pub(crate) fn of_step(step: Step) -> &'static str {
    match step {
        Step::Terminal => "escape sequences removed",
        Step::LineNumbers => "line numbers on every tenth line",
        Step::Fold => "repeats folded",
        Step::Json => "compact JSON or a table",
        Step::Search => "paths not repeated",
        Step::Listing => "folders named once",
        Step::Columns => "padding removed",
        Step::Page => "the page as Markdown",
        Step::Reference => "what stands above referred to",
        Step::Elision => "parts set aside",
        Step::Sentences => "sentences set aside",
        _ => step.as_str(),
    }
}
