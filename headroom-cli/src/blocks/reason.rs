//! Describes reasons in words.

use headroom_core::{Transform, UnchangedReason};
use headroom_tower::SkipReason;

pub(crate) fn of_request(reason: SkipReason) -> String {
    match reason {
        SkipReason::Engine(reason) => of_block(reason).to_owned(),
        SkipReason::UnknownApi => "the API is unknown; name it with --api".to_owned(),
        SkipReason::BodyTooLarge => "it is longer than the limit".to_owned(),
        other => other.as_str().replace('_', " "),
    }
}

pub(crate) fn of_block(reason: UnchangedReason) -> &'static str {
    match reason {
        UnchangedReason::NotJson => "it is not one JSON value",
        UnchangedReason::UnknownShape => "it is not a request of a known API",
        UnchangedReason::TooDeep => "it nests deeper than the limit",
        UnchangedReason::TooLarge => "it is longer than the limit",
        UnchangedReason::TooManyValues => "it has more values than the limit",
        UnchangedReason::DuplicateKey => "a significant key is duplicated",
        UnchangedReason::Stateful => "the provider holds the rest of the conversation",
        UnchangedReason::NothingEditable => "it has no tool results",
        UnchangedReason::NoSaving => "no edit would save tokens",
        UnchangedReason::FileRead => "file reads keep their lines",
        UnchangedReason::TooShort => "too short for an edit to save tokens",
        UnchangedReason::Protected => "a type that is never edited",
        UnchangedReason::ToolError => "errors are never edited",
        UnchangedReason::LoneSurrogate => "it contains a lone surrogate",
        UnchangedReason::Instructions => "instructions are never edited",
        UnchangedReason::Retrieved => "it was retrieved by the model",
        UnchangedReason::TooManyItems => "beyond the limit of items",
        UnchangedReason::Cancelled => "the request was cancelled",
        UnchangedReason::Internal => "Headroom failed here (a bug)",
        _ => reason.as_str(),
    }
}

/// Describes an edit.
pub(crate) fn of_step(step: Transform) -> &'static str {
    match step {
        Transform::Ansi => "escape sequences removed",
        Transform::LineNumbers => "line numbers on every tenth line",
        Transform::RepeatedLines => "repeats folded",
        Transform::Json => "compact JSON or a table",
        Transform::Search => "paths not repeated",
        Transform::CommonPrefix => "folders named once",
        Transform::ColumnPadding => "padding removed",
        Transform::HtmlToMarkdown => "the page as Markdown",
        Transform::Reference => "reference to earlier lines",
        Transform::Elision => "parts elided",
        Transform::Sentences => "sentences elided",
        _ => step.as_str(),
    }
}
