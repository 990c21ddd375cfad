//! Replaces whole lines: by references, folds and markers, and by lines without their numbers.

use std::ops::Range;

use super::{
    Block, Find, MIN_SAVED_TOKENS,
    changes::{Change, Changes, apply},
    renderings::Rendering,
    segments::Segment,
};
use crate::{
    ContentKind, Handle, Original, Tier, Transform,
    compress::{self, FramedOmission, fold, line_numbers, reference::RepeatedRun},
    detect,
    relevance::Query,
    text::marker::{self, Elision, More},
    tokenizer,
};

/// Bytes of the elided lines that are counted first; they usually show whether the marker saves tokens.
const MIN_TRIED_BYTES: usize = 1024;

/// Returns the line replacements in a rendering, and the original that their markers name.
pub(super) fn line_changes(
    block: &Block<'_>,
    Rendering { text, parts, steps, .. }: &Rendering<'_>,
    find: &Find<'_>,
) -> (Vec<Change>, Option<Original>) {
    let mut changes = Changes::default();
    // If the text contains something like a marker, the model could not distinguish ours from it.
    if marker::is_in(block.text) {
        return (Vec::new(), None);
    }
    let pays = |bytes: &Range<usize>, with: &str| saves_tokens(block, text, bytes, with);
    let rows_depend = steps
        .iter()
        .any(|step| matches!(step, Transform::Search | Transform::CommonPrefix | Transform::ColumnPadding));
    if block.tier >= Tier::Dedup {
        let found = find(text, &|found| pays(&found.bytes, &found.marker)).into_iter();
        // Where rows take their file or columns from other rows, either all rows are referenced or none.
        let all = |found: &RepeatedRun| found.bytes.start == 0 && found.bytes.end >= text.trim_end().len();
        let found = found.filter(|found| !rows_depend || all(found));
        changes.merge(found.map(|found| Change {
            bytes: found.bytes,
            with: found.marker,
            step: Transform::Reference,
        }));
    }
    if parts.iter().all(|part| part.kind == ContentKind::Json) {
        return (changes.sorted, None);
    }
    // Lines of a page exist only in its Markdown.
    let source = if steps.contains(&Transform::HtmlToMarkdown) { text } else { block.text };
    let original = if block.may_elide() { set_aside(block, source, text, parts, &mut changes) } else { None };
    // A fold must directly follow the line that it repeats.
    let folds = fold::runs(text)
        .into_iter()
        .filter(|fold| changes.are_off(&(fold.kept..fold.range.end)) && pays(&fold.range, &fold.replacement));
    let folds: Vec<_> = folds.collect();
    changes.merge(folds.into_iter().map(|fold| Change {
        bytes: fold.range,
        with: fold.replacement,
        step: Transform::RepeatedLines,
    }));
    let is_file = parts.iter().any(|part| part.kind == ContentKind::FileRead);
    if is_file && !block.arguments.is_some_and(detect::is_file_command) {
        thin_numbers(text, &mut changes);
    }
    (changes.sorted, original)
}

/// Omits line numbers that nobody asked for.
fn thin_numbers(text: &str, changes: &mut Changes) {
    let Some(thinned) = line_numbers::changes(text, &|bytes| changes.are_off(bytes)) else { return };
    let mut all = Changes { sorted: changes.sorted.clone() };
    all.merge(thinned.into_iter().map(|(bytes, with)| Change { bytes, with, step: Transform::LineNumbers }));
    // A file may contain lines that look like numbered ones.
    if line_numbers::restored(&apply(text, &all.sorted)).as_deref() == Some(&*apply(text, &changes.sorted)) {
        *changes = all;
    }
}

/// Elides lines and returns the original: `source`, whose lines the markers name.
fn set_aside(
    block: &Block<'_>,
    source: &str,
    text: &str,
    parts: &[Segment],
    changes: &mut Changes,
) -> Option<Original> {
    let handle = Handle::from_content(source);
    let mut gaps = Vec::new();
    for part in parts {
        let Some(piece) = text.get(part.bytes.clone()) else { continue };
        let query = Query {
            question: block.question,
            arguments: block.arguments,
            file_read: part.kind == ContentKind::FileRead,
            models: block.models,
        };
        for FramedOmission { omission: gap, opening } in compress::framed(part.kind, piece, &query) {
            let Some(lines) = part.lines.range(piece, &gap.range, (gap.first, gap.last)) else { continue };
            let bytes = part.bytes.start + gap.range.start..part.bytes.start + gap.range.end;
            let (with, step) = if part.kind == ContentKind::Prose {
                // Prose has many small omissions; the first marker is enough to name the original.
                let marker = if gaps.is_empty() {
                    Elision { handle, lines, summary: &gap.summary, folder: block.originals_dir }.to_string()
                } else {
                    More { lines, summary: &gap.summary }.to_string()
                };
                (on_its_line(text, &bytes, marker), Transform::Sentences)
            } else {
                let elision = Elision { handle, lines, summary: &gap.summary, folder: block.originals_dir };
                (format!("{opening}{elision}"), Transform::Elision)
            };
            if changes.are_off(&bytes) && saves_tokens(block, text, &bytes, &with) {
                gaps.push(Change { bytes, with, step });
            }
        }
    }
    let original = (!gaps.is_empty()).then(|| Original { handle, content: source.to_owned() });
    changes.merge(gaps);
    original
}

/// Puts a marker on its own line if it replaces more than a part of a line.
fn on_its_line(text: &str, bytes: &Range<usize>, marker: String) -> String {
    if !text.get(bytes.clone()).is_some_and(|removed| removed.contains('\n')) {
        return marker;
    }
    let before = text.get(..bytes.start).filter(|before| !before.is_empty() && !before.ends_with('\n'));
    let behind = text.get(bytes.end..).filter(|rest| !rest.is_empty() && !rest.starts_with(['\n', '\r']));
    let end = |cut: Option<&str>| if cut.is_some() { "\n" } else { "" };
    format!("{}{marker}{}", end(before), end(behind))
}

/// Whether a marker takes fewer tokens than the text it replaces. Long text is not counted to its end.
fn saves_tokens(block: &Block<'_>, text: &str, bytes: &Range<usize>, with: &str) -> bool {
    let count = |text: &str| block.tokenizer.count(text);
    let Some(removed) = text.get(bytes.clone()) else { return false };
    // Counting words is cheap and decides most cases. Every token has at least one byte.
    if tokenizer::has_words(removed, with.len() + MIN_SAVED_TOKENS) {
        return true;
    }
    let least = count(with) + MIN_SAVED_TOKENS;
    if tokenizer::has_words(removed, least) {
        return true;
    }
    let is_long = removed.len() > MIN_TRIED_BYTES;
    let start = || (0..=MIN_TRIED_BYTES).rev().find_map(|end| removed.get(..end)).unwrap_or_default();
    // With a margin, because the start may end within a token.
    is_long && count(start()) >= least + MIN_SAVED_TOKENS || count(removed) >= least
}
