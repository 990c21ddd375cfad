//! Texts in the form that is best for their kind, before anything is left out or referred to.

use std::borrow::Cow;

use super::{
    Block, WORTHWHILE,
    parts::{Part, parts},
};
use crate::{
    ContentKind, Original, Step,
    compress::{self, elide::Wanted, html, json, prose, terminal},
};

/// One form of a text.
#[derive(Debug)]
pub(super) struct Form<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) parts: Vec<Part>,
    /// What was done; nothing for the text as it is.
    pub(super) steps: Vec<Step>,
    /// What its markers point into.
    pub(super) originals: Vec<Original>,
}

/// The forms of a text, the text as it is first.
pub(super) fn forms<'a>(block: &Block<'a>, kind: ContentKind) -> Vec<Form<'a>> {
    let plain = Form {
        text: Cow::Borrowed(block.text),
        parts: parts(block.text, kind),
        steps: Vec::new(),
        originals: Vec::new(),
    };
    let mut forms = vec![plain];
    if !matches!(kind, ContentKind::Json | ContentKind::FileRead)
        && let Some(text) = terminal::render(block.text)
    {
        let parts = parts(&text, kind);
        forms.push(Form {
            text: Cow::Owned(text),
            parts,
            steps: vec![Step::Terminal],
            originals: Vec::new(),
        });
    }
    let Some(source) = forms.last() else { return forms };
    let selected = if block.may_elide() { rendered(block, source, true) } else { None };
    let rendered = selected.or_else(|| rendered(block, source, false));
    if rendered.as_ref().is_some_and(|form| form.steps.contains(&Step::Page)) {
        // Lines of a page's source are not what anybody reads of it.
        forms.iter_mut().for_each(|form| form.parts.clear());
    }
    forms.extend(rendered.map(|mut form| {
        if form.steps.contains(&Step::Words) {
            // What is left is not cut again.
            form.parts.clear();
        }
        form
    }));
    forms
}

/// The text with each part in the form of its kind; `None` where no part has one that pays.
fn rendered<'a>(block: &Block<'a>, source: &Form<'a>, select: bool) -> Option<Form<'a>> {
    let mut form = Form {
        text: Cow::Borrowed(""),
        parts: Vec::new(),
        steps: source.steps.clone(),
        originals: Vec::new(),
    };
    let mut text = String::new();
    let mut from = 0;
    let mut changed = false;
    for part in &source.parts {
        text.push_str(source.text.get(from..part.bytes.start)?);
        from = part.bytes.end;
        let piece = source.text.get(part.bytes.clone())?;
        let start = text.len();
        let mut kind = part.kind;
        let selection = if select { selected(block, part.kind, piece) } else { None };
        match selection.map_or_else(|| lossless(block, part.kind, piece), Some) {
            Some(found) => {
                changed |= !select || !found.originals.is_empty();
                kind = found.kind;
                if text.is_empty() {
                    text = found.text;
                } else {
                    text.push_str(&found.text);
                }
                form.steps.extend(found.steps);
                form.originals.extend(found.originals);
            }
            None => text.push_str(piece),
        }
        form.parts.push(Part { bytes: start..text.len(), kind });
    }
    text.push_str(source.text.get(from..)?);
    form.text = Cow::Owned(text);
    changed.then_some(form)
}

/// A form of one part.
struct Found {
    text: String,
    /// What the text is now.
    kind: ContentKind,
    steps: Vec<Step>,
    originals: Vec<Original>,
}

fn lossless(block: &Block<'_>, kind: ContentKind, text: &str) -> Option<Found> {
    let (candidates, step) = match kind {
        ContentKind::Json => (json::candidates(text), Step::Json),
        _ => compress::render(kind, text).map(|(text, step)| (vec![text], step))?,
    };
    let count = |text: &str| block.tokenizer.count(text);
    let counted = candidates.into_iter().map(|text| (count(&text), text));
    let (tokens, form) = counted.min_by_key(|(tokens, _)| *tokens)?;
    let before = count(text);
    let pays = tokens + before.div_ceil(WORTHWHILE) <= before;
    pays.then(|| Found { text: form, kind, steps: vec![step], originals: Vec::new() })
}

/// A form from which parts are set aside.
fn selected(block: &Block<'_>, kind: ContentKind, text: &str) -> Option<Found> {
    let wanted = Wanted {
        question: block.question,
        arguments: block.arguments,
        file_read: false,
        learned: block.learned,
    };
    match kind {
        ContentKind::Json => {
            let found = json::selected(text, &wanted, block.spool)?;
            let steps = vec![Step::Json, Step::Elision];
            Some(Found { text: found.text, kind, steps, originals: found.originals })
        }
        ContentKind::Html => {
            let found = html::selected(text, &wanted, block.spool)?;
            let originals = vec![found.original];
            Some(Found { text: found.text, kind: ContentKind::Prose, steps: vec![Step::Page], originals })
        }
        // Whole sentences are better left out than words.
        ContentKind::Prose if block.learned.can_condense() && prose::gaps(text, &wanted).is_empty() => {
            let found = prose::condensed(text, &block.learned.condensed(text), block.spool)?;
            let originals = vec![found.original];
            Some(Found { text: found.text, kind, steps: vec![Step::Words], originals })
        }
        _ => None,
    }
}
