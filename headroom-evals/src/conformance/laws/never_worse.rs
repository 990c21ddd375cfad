use headroom_core::Vocabulary;

use super::{Run, Violation};

/// Texts of up to this many bytes must be counted exactly. Longer ones may be estimated, within [`TOLERANCE`].
const EXACT: usize = 64 << 10;
/// One part in this many: 2 %.
const TOLERANCE: usize = 50;

/// Checks that every edit saves tokens, and that the reported figures can be recomputed from the bytes.
///
/// # Errors
///
/// Returns the first edit that costs tokens, or figure that does not add up.
pub fn never_worse(run: &Run) -> Result<(), Violation> {
    let fail = |what: String| Err(Violation { law: "never worse", what });
    let report = &run.answer;
    let sizes = (run.input.len(), report.sent(&run.input).len());
    if report.bytes != sizes {
        return fail(format!("the report says {:?} bytes, the bodies have {sizes:?}", report.bytes));
    }
    let (mut saved, mut slack) = (0, 0);
    for edit in &run.diff.edits {
        let (before, after) = (count(&report.tokenizer, &edit.before), count(&report.tokenizer, &edit.after));
        if after >= before {
            return fail(format!("text {}: {before} tokens became {after}", edit.index));
        }
        saved += before - after;
        slack += doubt(&edit.before, before) + doubt(&edit.after, after);
    }
    if report.tokens_saved.abs_diff(saved) > slack {
        return fail(format!("the report says {} tokens saved, the texts say {saved}", report.tokens_saved));
    }
    if report.edited.len() != run.diff.edits.len() {
        return fail(format!(
            "{} texts reported as edited, {} differ",
            report.edited.len(),
            run.diff.edits.len()
        ));
    }
    for (said, edit) in report.edited.iter().zip(&run.diff.edits) {
        if (said.bytes_before, said.bytes_after) != (edit.before.len(), edit.after.len()) {
            return fail(format!("text {}: reported lengths differ from the text's", edit.index));
        }
        let tokens = (count(&report.tokenizer, &edit.before), count(&report.tokenizer, &edit.after));
        let wrong = |said: Option<usize>, is: usize, text: &str| {
            said.is_some_and(|said| said.abs_diff(is) > doubt(text, is))
        };
        if wrong(said.tokens_before, tokens.0, &edit.before)
            || wrong(said.tokens_after, tokens.1, &edit.after)
        {
            return fail(format!("text {}: reported tokens differ from {tokens:?}", edit.index));
        }
        if said.steps.is_empty() {
            return fail(format!("text {}: edited by no step", edit.index));
        }
    }
    Ok(())
}

/// Returns the allowed error of a reported count.
const fn doubt(text: &str, tokens: usize) -> usize {
    if text.len() <= EXACT { 0 } else { tokens / TOLERANCE }
}

/// Counts tokens with the named tokenizer, or with `o200k_base` if it has no public tables.
fn count(tokenizer: &str, text: &str) -> usize {
    let tokenizer = if tokenizer.contains("cl100k") { Vocabulary::Cl100kBase } else { Vocabulary::O200kBase };
    tokenizer.count(text)
}
