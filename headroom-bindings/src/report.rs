//! Sums over what the engine did.

use headroom_core::{Action, BlockReport, Report, Transform, Vocabulary};

/// Returns the kinds of edits that were made, each once.
///
/// ```
/// assert!(headroom_bindings::transforms(&headroom_core::Report::default()).is_empty());
/// ```
#[must_use]
pub fn transforms(report: &Report) -> Vec<&'static str> {
    let mut transforms: Vec<Transform> = Vec::new();
    for block in &report.blocks {
        if let Action::Edited(edits) = &block.action {
            transforms.extend(edits);
        }
    }
    transforms.sort_unstable();
    transforms.dedup();
    transforms.into_iter().map(Transform::as_str).collect()
}

/// Returns the tokens that the edits of one message saved, by its place in the list of messages.
#[must_use]
pub fn saved_tokens(report: &Report, message: usize) -> usize {
    let place = format!("[{message}]");
    let is_here = |path: &str| {
        path.find('[').and_then(|at| path.get(at..)).is_some_and(|path| path.starts_with(&place))
    };
    let saved = |block: &BlockReport| {
        block.tokens_before.unwrap_or_default().saturating_sub(block.tokens_after.unwrap_or_default())
    };
    report.blocks.iter().filter(|block| is_here(&block.path)).map(saved).sum()
}

/// Returns the vocabulary that a report's tokens are counted by.
///
/// ```
/// use headroom_core::Vocabulary;
///
/// assert_eq!(headroom_bindings::vocabulary("cl100k_base"), Vocabulary::Cl100kBase);
/// ```
#[must_use]
pub fn vocabulary(tokenizer: &str) -> Vocabulary {
    if tokenizer == "cl100k_base" { Vocabulary::Cl100kBase } else { Vocabulary::O200kBase }
}
