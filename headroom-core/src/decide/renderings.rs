//! Renders texts in the best way for their kind, before lines are elided or referenced.

use std::borrow::Cow;

use memchr::memmem;

use super::{
    Block, MIN_SAVING_RATIO,
    segments::{LineMap, Segment, segments},
};
use crate::{
    ContentKind, Handle, Original, Transform,
    compress::{self, html, json, prose},
    relevance::Query,
    text::{
        marker::{self, Elision},
        terminal,
    },
};

/// One way to write a text.
#[derive(Debug)]
pub(super) struct Rendering<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) parts: Vec<Segment>,
    /// The transforms applied; empty for the unchanged text.
    pub(super) steps: Vec<Transform>,
    /// The originals that its markers name.
    pub(super) originals: Vec<Original>,
}

/// Returns the renderings of a text, the unchanged text first.
pub(super) fn renderings<'a>(block: &Block<'a>, kind: ContentKind) -> Vec<Rendering<'a>> {
    let plain = Rendering {
        text: Cow::Borrowed(block.text),
        parts: segments(block.text, kind),
        steps: Vec::new(),
        originals: Vec::new(),
    };
    let mut forms = vec![plain];
    if !matches!(kind, ContentKind::Json | ContentKind::FileRead) {
        forms.extend(terminal_forms(block, kind));
    }
    let Some(source) = forms.last() else { return forms };
    let selected = if block.may_elide() { rendered(block, source, true) } else { None };
    let rendered = selected.or_else(|| rendered(block, source, false));
    if rendered.as_ref().is_some_and(|form| form.steps.contains(&Transform::HtmlToMarkdown)) {
        // Nobody reads the source lines of a page.
        forms.iter_mut().for_each(|form| form.parts.clear());
    }
    forms.extend(rendered.map(|mut form| {
        if form.steps.contains(&Transform::TokenPruning) {
            // Pruned text is not cut again.
            form.parts.clear();
        }
        form
    }));
    forms
}

/// Renders the text without redundant terminal sequences; if the original can be retrieved, also without the frames of
/// progress displays that nothing else covers.
fn terminal_forms<'a>(block: &Block<'a>, kind: ContentKind) -> Vec<Rendering<'a>> {
    let form = |body: String, start: usize, originals| {
        let parts = segments(body.get(start..).unwrap_or_default(), kind).into_iter();
        let parts =
            parts.map(|part| Segment { bytes: part.bytes.start + start..part.bytes.end + start, ..part });
        Rendering { parts: parts.collect(), text: Cow::Owned(body), steps: vec![Transform::Ansi], originals }
    };
    let mut forms = Vec::new();
    forms.extend(terminal::render(block.text, false).map(|found| form(found.text, 0, Vec::new())));
    let may_hide = block.may_elide() && block.text.contains('\r') && !marker::is_in(block.text);
    let hiding = if may_hide { terminal::render(block.text, true) } else { None };
    if let Some(found) = hiding.filter(|found| found.hidden > 0) {
        let handle = Handle::from_content(block.text);
        let summary = format!("{} overwritten frames of progress displays", found.hidden);
        let elision = Elision { handle, lines: found.lines, summary: &summary, folder: block.originals_dir };
        let original = Original { handle, content: block.text.to_owned() };
        let head = format!("{elision}\n");
        forms.push(form(format!("{head}{}", found.text), head.len(), vec![original]));
    }
    forms
}

/// Renders each part according to its kind. Returns `None` if that saves tokens in no part.
fn rendered<'a>(block: &Block<'a>, source: &Rendering<'a>, select: bool) -> Option<Rendering<'a>> {
    let mut form = Rendering {
        text: Cow::Borrowed(""),
        parts: Vec::new(),
        steps: source.steps.clone(),
        originals: source.originals.clone(),
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
        let mut lines = part.lines.clone();
        // The stored original must be what the tool sent, not an edited form of it.
        let is_sent =
            source.steps.is_empty() || memmem::find(block.text.as_bytes(), piece.as_bytes()).is_some();
        let selection = if select && is_sent { selected(block, part.kind, piece) } else { None };
        match selection.map_or_else(|| lossless(block, part.kind, piece), Some) {
            Some(found) => {
                changed |= !select || !found.originals.is_empty();
                kind = found.kind;
                lines = line_map(&lines, &found);
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
        form.parts.push(Segment { bytes: start..text.len(), kind, lines });
    }
    text.push_str(source.text.get(from..)?);
    form.text = Cow::Owned(text);
    changed.then_some(form)
}

/// One rendered part.
struct AppliedTransforms {
    text: String,
    /// The kind of the rendered text.
    kind: ContentKind,
    steps: Vec<Transform>,
    originals: Vec<Original>,
}

/// Maps the lines of a rendered part to lines of the original.
fn line_map(part: &LineMap, found: &AppliedTransforms) -> LineMap {
    let LineMap::From(first) = part else { return part.clone() };
    match compress::source_lines(found.kind, &found.text) {
        Some(lines) => {
            let of_text =
                |(start, end): (u32, u32)| (start.saturating_add(*first), end.saturating_add(*first));
            LineMap::Each(lines.into_iter().map(of_text).collect())
        }
        None => part.clone(),
    }
}

fn lossless(block: &Block<'_>, kind: ContentKind, text: &str) -> Option<AppliedTransforms> {
    let (candidates, step) = match kind {
        ContentKind::Json => (json::candidates(text), Transform::Json),
        _ => compress::render(kind, text).map(|(text, step)| (vec![text], step))?,
    };
    let count = |text: &str| block.tokenizer.count(text);
    let counted = candidates.into_iter().map(|text| (count(&text), text));
    let (tokens, form) = counted.min_by_key(|(tokens, _)| *tokens)?;
    let before = count(text);
    let pays = tokens + before.div_ceil(MIN_SAVING_RATIO) <= before;
    pays.then(|| AppliedTransforms { text: form, kind, steps: vec![step], originals: Vec::new() })
}

/// Renders a part with some of its content elided.
fn selected(block: &Block<'_>, kind: ContentKind, text: &str) -> Option<AppliedTransforms> {
    let query = Query {
        question: block.question,
        arguments: block.arguments,
        file_read: false,
        models: block.models,
    };
    match kind {
        ContentKind::Json => {
            let found = json::selected(text, &query, block.originals_dir)?;
            let steps = vec![Transform::Json, Transform::Elision];
            Some(AppliedTransforms { text: found.text, kind, steps, originals: found.originals })
        }
        ContentKind::Html => {
            let found = html::selected(text, &query, block.originals_dir)?;
            let originals = vec![found.original];
            Some(AppliedTransforms {
                text: found.text,
                kind: ContentKind::Prose,
                steps: vec![Transform::HtmlToMarkdown],
                originals,
            })
        }
        // Omitting whole sentences is better than omitting words.
        ContentKind::Prose if block.models.can_prune() && prose::gaps(text, &query).is_empty() => {
            let found = prose::prune(text, &block.models.prune(text), block.originals_dir)?;
            let originals = vec![found.original];
            Some(AppliedTransforms {
                text: found.text,
                kind,
                steps: vec![Transform::TokenPruning],
                originals,
            })
        }
        _ => None,
    }
}
