use std::collections::BTreeSet;

use headroom_core::{Handle, Means, Options};

use super::{Run, Violation};

const OPENING: &str = "[headroom:";

/// Every handle that an edit writes resolves to an original that was handed out with the body.
///
/// # Errors
///
/// A handle without original, an original under a wrong name, or either where the model has no means to use it.
pub fn recoverable(run: &Run, options: &Options) -> Result<(), Violation> {
    let fail = |what: String| Err(Violation { law: "recoverable", what });
    let originals = &run.answer.originals;
    if let Some((handle, _)) = originals.iter().find(|(handle, text)| Handle::of(text).to_string() != *handle)
    {
        return fail(format!("{handle} is not the handle of its content"));
    }
    let stored: BTreeSet<&str> = originals.iter().map(|(handle, _)| handle.as_str()).collect();
    let mut written = BTreeSet::new();
    for edit in &run.diff.edits {
        let known: BTreeSet<&str> = handles(&edit.before).collect();
        written.extend(handles(&edit.after).filter(|handle| !known.contains(handle)));
    }
    if let Some(handle) = written.difference(&stored).next() {
        return fail(format!("{handle} was written but its content is nowhere"));
    }
    if *options == options.clone().means(Means::None) && !(written.is_empty() && stored.is_empty()) {
        return fail("text was set aside though the model has no means to fetch it".to_owned());
    }
    Ok(())
}

fn handles(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(OPENING).filter_map(|(at, _)| {
        let rest = &text[at + OPENING.len()..];
        let handle = rest.get(..rest.find(|c: char| !c.is_ascii_alphanumeric())?)?;
        handle.parse::<Handle>().is_ok().then_some(handle)
    })
}
