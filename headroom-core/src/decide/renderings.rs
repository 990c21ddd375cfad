//! Renders texts in the best way for their kind, before lines are elided or referenced.

use std::{borrow::Cow, ops::Range};

use memchr::memmem;

use super::{
    Block,
    segments::{LineMap, Segment, line_ends, segments},
};
use crate::{
    ContentKind, Handle, Original, Transform,
    compress::{self, html, json::JsonText, prose, search::events, source::SourceScan},
    detect,
    relevance::Query,
    text::{
        lines::Lines,
        marker::{self, Elision},
        terminal,
    },
    tuning::tuning,
};

/// What the marker for the events of a search says.
const EVENTS: &str = "rg --json events, below as path:line:text";

/// What the marker for a numbered view says.
const NUMBERED: &str = "the view with line numbers, its JSON below";

/// One way to write a text.
#[derive(Debug)]
pub(super) struct Rendering<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) parts: Vec<Segment>,
    /// The instructions of the client in the text.
    pub(super) instructions: Vec<Range<usize>>,
    /// The transforms applied; empty for the unchanged text.
    pub(super) steps: Vec<Transform>,
    /// The originals that its markers name.
    pub(super) originals: Vec<Original>,
    /// Its tokens, if they were counted to make it.
    pub(super) tokens: Option<usize>,
}

/// Returns the renderings of a text with these instructions, the unchanged text first.
pub(super) fn renderings<'a>(
    block: &Block<'a>,
    kind: ContentKind,
    instructions: &[Range<usize>],
    code: &SourceScan<'_>,
) -> Vec<Rendering<'a>> {
    let is_code = || code.is_certain(kind);
    let plain = Rendering {
        text: Cow::Borrowed(block.text),
        parts: segments(block.text, kind, instructions, &is_code),
        instructions: instructions.to_vec(),
        steps: Vec::new(),
        originals: Vec::new(),
        tokens: None,
    };
    if kind == ContentKind::Json
        && let Some(view) = NumberedView::new(block.text)
    {
        let unchanged = Rendering { parts: Vec::new(), ..plain };
        return [unchanged].into_iter().chain(view.rendering(block)).collect();
    }
    let mut forms = vec![plain];
    if !matches!(kind, ContentKind::Code | ContentKind::Json | ContentKind::FileRead)
        && terminal::has_controls(block.text)
        && !terminal::is_quoted(block.text)
        && !is_code()
        && !code.is_file()
    {
        forms.extend(terminal_forms(block, kind));
    }
    let Some(source) = forms.last() else { return forms };
    let rendered = rendered(block, source);
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

/// A view of a file with line numbers, whose lines are JSON.
struct NumberedView<'a> {
    lines: Lines,
    view: Range<usize>,
    /// What stands before and behind the view.
    around: (&'a str, &'a str),
    json: String,
}

impl<'a> NumberedView<'a> {
    fn new(text: &'a str) -> Option<Self> {
        let lines = Lines::new(text)?;
        let (view, json) = lines.main_view(text)?;
        let (first, last) = (lines.lines.get(view.start)?, lines.lines.get(view.end.checked_sub(1)?)?);
        let around = (text.get(..first.start as usize)?, text.get(last.end as usize..)?);
        Some(Self { lines, view, around, json })
    }

    /// Renders the JSON without line numbers, behind a marker for the view.
    fn rendering(&self, block: &Block<'_>) -> Option<Rendering<'static>> {
        if !block.may_elide() || marker::is_in(block.text) {
            return None;
        }
        let inner = Block { text: &self.json, ..*block };
        let instructions = detect::instructions::spans(&self.json);
        let mut parts = segments(&self.json, ContentKind::Text, &instructions, &|| false);
        parts.retain(|part| part.kind == ContentKind::Json);
        let text = Cow::Borrowed(self.json.as_str());
        let source =
            Rendering { text, parts, instructions, steps: Vec::new(), originals: Vec::new(), tokens: None };
        let found = rendered(&inner, &source)?;
        let handle = Handle::from_content(block.text);
        let lines =
            (self.lines.number_of(self.view.start)?, self.lines.number_of(self.view.end.checked_sub(1)?)?);
        let elision = Elision { handle, lines, summary: NUMBERED, folder: block.originals_dir };
        let (before, behind) = self.around;
        let mut originals = found.originals;
        originals.push(Original::with_handle(handle, block.text.to_owned()));
        let mut steps = found.steps;
        steps.push(Transform::Elision);
        let text = format!("{before}{elision}\n{}{behind}", found.text.trim_end_matches('\n'));
        Some(Rendering {
            instructions: detect::instructions::spans(&text),
            text: Cow::Owned(text),
            parts: Vec::new(),
            steps,
            originals,
            tokens: None,
        })
    }
}

/// Renders the text without redundant terminal sequences; if the original can be retrieved, also without the frames of
/// progress displays that nothing else covers.
fn terminal_forms<'a>(block: &Block<'a>, kind: ContentKind) -> Vec<Rendering<'a>> {
    let form = |body: String, start: usize, originals| {
        let rest = body.get(start..).unwrap_or_default();
        let instructions = detect::instructions::spans(rest);
        let behind = |bytes: Range<usize>| bytes.start + start..bytes.end + start;
        let parts = segments(rest, kind, &instructions, &|| false).into_iter();
        Rendering {
            parts: parts.map(|part| Segment { bytes: behind(part.bytes.clone()), ..part }).collect(),
            instructions: instructions.into_iter().map(behind).collect(),
            text: Cow::Owned(body),
            steps: vec![Transform::Ansi],
            originals,
            tokens: None,
        }
    };
    let mut forms = Vec::new();
    forms.extend(terminal::render(block.text, false).map(|found| form(found.text, 0, Vec::new())));
    let may_hide = block.may_elide() && block.text.contains('\r') && !marker::is_in(block.text);
    let hiding = if may_hide { terminal::render(block.text, true) } else { None };
    if let Some(found) = hiding.filter(|found| found.hidden > 0) {
        let handle = Handle::from_content(block.text);
        let summary = format!("{} overwritten frames of progress displays", found.hidden);
        let elision = Elision { handle, lines: found.lines, summary: &summary, folder: block.originals_dir };
        let original = Original::with_handle(handle, block.text.to_owned());
        let head = format!("{elision}\n");
        forms.push(form(format!("{head}{}", found.text), head.len(), vec![original]));
    }
    forms
}

/// Renders each part according to its kind, with some of its content elided if the model can retrieve it. Returns `None` if
/// that saves tokens in no part.
fn rendered<'a>(block: &Block<'a>, source: &Rendering<'a>) -> Option<Rendering<'a>> {
    let mut form = Rendering {
        text: Cow::Borrowed(""),
        parts: Vec::new(),
        instructions: Vec::new(),
        steps: source.steps.clone(),
        originals: source.originals.clone(),
        tokens: None,
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
        match transformed(block, part, piece, is_sent && block.may_elide()) {
            Some(found) => {
                changed = true;
                kind = found.kind;
                lines = line_map(&lines, &found);
                form.tokens = found.tokens.filter(|_| part.bytes == (0..source.text.len()));
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
        form.parts.push(Segment { bytes: start..text.len(), kind, sequence: part.sequence, lines });
    }
    text.push_str(source.text.get(from..)?);
    if form.steps.contains(&Transform::HtmlToMarkdown) {
        // The lines of a page exist only here.
        for part in &mut form.parts {
            part.lines = LineMap::From(line_ends(text.get(..part.bytes.start)?));
        }
    }
    if !changed {
        return None;
    }
    form.instructions = detect::instructions::spans(&text);
    form.text = Cow::Owned(text);
    Some(form)
}

/// One rendered part.
struct AppliedTransforms {
    text: String,
    /// The kind of the rendered text.
    kind: ContentKind,
    steps: Vec<Transform>,
    originals: Vec<Original>,
    tokens: Option<usize>,
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

/// Renders a part with some of its content elided if that may be, else losslessly.
fn transformed(block: &Block<'_>, part: &Segment, text: &str, may_elide: bool) -> Option<AppliedTransforms> {
    if part.kind == ContentKind::Json {
        return transformed_json(block, part, text, may_elide);
    }
    if may_elide && let Some(found) = selected(block, part.kind, text) {
        return Some(found);
    }
    let (short, step) = compress::render(part.kind, text)?;
    cheapest(block, part.kind, text, vec![short], step)
}

/// Does what [`transformed`] does for JSON, which is parsed once.
fn transformed_json(
    block: &Block<'_>,
    part: &Segment,
    text: &str,
    may_elide: bool,
) -> Option<AppliedTransforms> {
    if may_elide && let Some(hits) = events::lines(text) {
        return Some(hits_of_events(block, text, &hits));
    }
    let json = JsonText::parse(text, part.sequence)?;
    let found = if may_elide { json.selected(&query(block), block.originals_dir) } else { None };
    match found {
        Some(found) => Some(AppliedTransforms {
            text: found.text,
            kind: part.kind,
            steps: vec![Transform::Json, Transform::Elision],
            originals: found.originals,
            tokens: None,
        }),
        None => cheapest(block, part.kind, text, json.candidates(), Transform::Json),
    }
}

/// Returns the rendering with the fewest tokens, if they are enough fewer than the text has.
fn cheapest(
    block: &Block<'_>,
    kind: ContentKind,
    text: &str,
    candidates: Vec<String>,
    step: Transform,
) -> Option<AppliedTransforms> {
    let count = |text: &str| block.tokenizer.count(text);
    let counted = candidates.into_iter().map(|text| (count(&text), text));
    let (tokens, form) = counted.min_by_key(|(tokens, _)| *tokens)?;
    let before = count(text);
    let pays = tokens + before.div_ceil(tuning().decide.tokens_per_saved) <= before;
    pays.then(|| AppliedTransforms {
        text: form,
        kind,
        steps: vec![step],
        originals: Vec::new(),
        tokens: Some(tokens),
    })
}

/// Writes the hits of a search that printed events.
fn hits_of_events(block: &Block<'_>, text: &str, hits: &str) -> AppliedTransforms {
    let handle = Handle::from_content(text);
    let lines = (1, line_ends(text.trim_end()).saturating_add(1));
    let elision = Elision { handle, lines, summary: EVENTS, folder: block.originals_dir };
    let short = compress::render(ContentKind::Search, hits);
    let hits = short.as_ref().map_or(hits, |(text, _)| text);
    AppliedTransforms {
        text: format!("{elision}\n{}", hits.trim_end_matches('\n')),
        // The hits are what was asked for, so none is elided.
        kind: ContentKind::Json,
        steps: vec![Transform::Search],
        originals: vec![Original::with_handle(handle, text.to_owned())],
        tokens: None,
    }
}

/// Returns what decides which content of a part stays.
const fn query<'a>(block: &Block<'a>) -> Query<'a> {
    Query { question: block.question, arguments: block.arguments, file_read: false }
}

/// Renders a page or prose with some of its content elided.
fn selected(block: &Block<'_>, kind: ContentKind, text: &str) -> Option<AppliedTransforms> {
    let query = query(block);
    match kind {
        ContentKind::Html => {
            let found = html::selected(text, &query, block.originals_dir)?;
            let originals = vec![found.original];
            Some(AppliedTransforms {
                text: found.text,
                kind: ContentKind::Prose,
                steps: vec![Transform::HtmlToMarkdown],
                originals,
                tokens: None,
            })
        }
        // Omitting whole sentences is better than omitting words.
        ContentKind::Prose
            if block.models.can_prune() && prose::is_prose(text) && prose::gaps(text, &query).is_empty() =>
        {
            let found = prose::prune(text, &block.models.prune(text), block.originals_dir)?;
            let originals = vec![found.original];
            Some(AppliedTransforms {
                text: found.text,
                kind,
                steps: vec![Transform::TokenPruning],
                originals,
                tokens: None,
            })
        }
        _ => None,
    }
}
