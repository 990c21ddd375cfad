//! Replaces whole lines: by references, folds and markers, and by lines without their numbers.

use std::{cell::OnceCell, ops::Range};

use super::{
    Block, Find,
    changes::{Change, Changes, apply},
    renderings::Rendering,
    segments::{Segment, line_ends},
};
use crate::{
    ContentKind, Handle, Original, Tier, Transform,
    compress::{
        self, FramedOmission, Omission,
        embedded::{self, Embedded},
        fold::{self, Fold},
        frame, line_numbers,
        reference::RepeatedRun,
        source::{self, Source, SourceScan},
    },
    detect,
    records::RecordScan,
    relevance::Query,
    text::{
        lines::Lines,
        marker::{self, Elision, More},
    },
    tokenizer,
    tuning::tuning,
};

/// Bytes of the elided lines that are counted first; they usually show whether the marker saves tokens.
const MIN_TRIED_BYTES: usize = 1024;

/// Puts a marker into a comment of the source code around it. `None` if it is not known how.
type Frame<'f> = dyn Fn(&str) -> Option<String> + 'f;

/// Returns the line replacements in a rendering, and the originals that their markers name.
pub(super) fn line_changes(
    block: &Block<'_>,
    rendering: &Rendering<'_>,
    scan: Option<RecordScan<'_>>,
    code: &SourceScan<'_>,
    find: &Find<'_>,
) -> (Vec<Change>, Vec<Original>) {
    let Rendering { text, parts, steps, .. } = rendering;
    let mut changes = Changes::default();
    // If the text contains something like a marker, the model could not distinguish ours from it.
    if marker::is_in(block.text) {
        return (Vec::new(), Vec::new());
    }
    let own;
    let code = if code.is_of(text) {
        code
    } else {
        own = SourceScan::new(text, block.arguments);
        &own
    };
    // In source code, every marker is a comment.
    let source = match parts.as_slice() {
        [part] if part.bytes == (0..text.len()) => source_of(block, code, part.kind, text),
        _ => None,
    };
    // So is it in settings.
    let comment = OnceCell::new();
    let opening = || {
        let of_part = |part: &Segment| frame::Frame::new(part.kind, text, &query(block, part.kind)).opening();
        let whole = parts.first().filter(|part| part.bytes == (0..text.len()));
        *comment.get_or_init(|| whole.and_then(of_part).unwrap_or_default())
    };
    let framed = |marker: &str| match source {
        Some(source) => source.comment(marker),
        None => Some(format!("{}{marker}", opening())),
    };
    if block.tier >= Tier::Dedup {
        changes.merge(references(block, rendering, &framed, find));
    }
    if parts.iter().all(|part| part.kind == ContentKind::Json) {
        return (changes.sorted, Vec::new());
    }
    let mut originals =
        if block.may_elide() { omit_data(block, text, parts, &mut changes) } else { Vec::new() };
    // Lines of a page exist only in its Markdown.
    let original = if steps.contains(&Transform::HtmlToMarkdown) { text } else { block.text };
    if block.may_elide() {
        originals.extend(set_aside(block, original, text, parts, (source, scan), &mut changes));
    }
    // A table with fewer rows, or a string that holds a marker, would be other code.
    let folds = source.is_none().then(|| folds(block, rendering, &framed, &changes));
    changes.merge(folds.unwrap_or_default());
    keep_code((code, source), text, parts, &mut changes);
    let is_file = parts.iter().any(|part| part.kind == ContentKind::FileRead);
    if is_file && !block.arguments.is_some_and(detect::runs_a_command) {
        thin_numbers(text, detect::is_reader(block.tool, block.arguments), &mut changes);
    }
    (changes.sorted, originals)
}

/// Replaces lines that stand earlier in the request.
fn references(
    block: &Block<'_>,
    Rendering { text, steps, instructions, .. }: &Rendering<'_>,
    framed: &Frame<'_>,
    find: &Find<'_>,
) -> Vec<Change> {
    let rows_depend = steps
        .iter()
        .any(|step| matches!(step, Transform::Search | Transform::CommonPrefix | Transform::ColumnPadding));
    // Where rows take their file or columns from other rows, either all rows are referenced or none.
    let all = |found: &RepeatedRun| found.bytes.start == 0 && found.bytes.end >= text.trim_end().len();
    // Where nothing is left, nothing can be broken.
    let framed =
        |found: &RepeatedRun| framed(&found.marker).or_else(|| all(found).then(|| found.marker.clone()));
    // Instructions are repeated as a whole or not at all.
    let is_whole = |bytes: &Range<usize>| {
        instructions.iter().all(|span| {
            let is_apart = span.end <= bytes.start || bytes.end <= span.start;
            is_apart || bytes.start <= span.start && span.end <= bytes.end
        })
    };
    let pays = |found: &RepeatedRun| {
        is_whole(&found.bytes)
            && framed(found).is_some_and(|with| saves_tokens(block, text, &found.bytes, &with))
    };
    let found = find(text, &pays).into_iter().filter(|found| !rows_depend || all(found));
    let change = |found: RepeatedRun| {
        Some(Change { with: framed(&found)?, bytes: found.bytes, step: Transform::Reference })
    };
    found.filter_map(change).collect()
}

/// Folds repeated lines. A fold must directly follow the line that it repeats.
fn folds(
    block: &Block<'_>,
    Rendering { text, instructions, .. }: &Rendering<'_>,
    framed: &Frame<'_>,
    changes: &Changes,
) -> Vec<Change> {
    let is_free = |bytes: &Range<usize>| {
        changes.are_off(bytes)
            && !instructions.iter().any(|span| span.start < bytes.end && bytes.start < span.end)
    };
    let change = |fold: Fold| {
        let with = framed(&fold.replacement)?;
        let pays = is_free(&(fold.kept..fold.range.end)) && saves_tokens(block, text, &fold.range, &with);
        pays.then_some(Change { bytes: fold.range, with, step: Transform::RepeatedLines })
    };
    fold::runs(text).into_iter().filter_map(change).collect()
}

/// Omits data in base64 and returns it.
fn omit_data(block: &Block<'_>, text: &str, parts: &[Segment], changes: &mut Changes) -> Vec<Original> {
    let mut originals = Vec::new();
    let mut omitted = Vec::new();
    for part in parts.iter().filter(|part| part.kind.traits().may_lose_data) {
        let Some(piece) = text.get(part.bytes.clone()) else { continue };
        for Embedded { range, summary } in embedded::find(piece) {
            let Some(content) = piece.get(range.clone()) else { continue };
            let bytes = part.bytes.start + range.start..part.bytes.start + range.end;
            let handle = Handle::from_content(content);
            let lines = (1, line_ends(content).saturating_add(1));
            let with = Elision { handle, lines, summary: &summary, folder: block.originals_dir }.to_string();
            if changes.are_off(&bytes) && saves_tokens(block, text, &bytes, &with) {
                originals.push(Original::with_handle(handle, content.to_owned()));
                omitted.push(Change { bytes, with, step: Transform::Elision });
            }
        }
    }
    changes.merge(omitted);
    originals
}

/// Drops references to one end of a pair of brackets: what nobody takes for code may be some.
fn keep_pairs(text: &str, parts: &[Segment], changes: &mut Changes) {
    let may_be_code = |part: &Segment| part.kind.traits().may_be_code || part.kind == ContentKind::FileRead;
    if parts.iter().all(may_be_code) {
        let is_reference = |change: &Change| change.step == Transform::Reference;
        changes.sorted.retain(|change| !is_reference(change) || !source::cuts_pairs(text, &change.bytes));
    }
}

/// Drops references and folds without which the text would still be code. What is elided is parsed where it is chosen.
fn keep_code(
    (code, source): (&SourceScan<'_>, Option<Source>),
    text: &str,
    parts: &[Segment],
    changes: &mut Changes,
) {
    let Some(source) = source else { return keep_pairs(text, parts, changes) };
    if changes.sorted.iter().all(|change| change.step == Transform::Elision) {
        return;
    }
    let holds = |changes: &Changes| {
        let all = changes.sorted.iter().map(|change| (change.bytes.clone(), change.with.as_str()));
        code.still_parses(source, &all.collect::<Vec<_>>())
    };
    if !holds(changes) {
        let is_elision = |change: &Change| change.step == Transform::Elision;
        changes.sorted.retain(|change| is_elision(change) || source::is_even(text, &change.bytes));
        if !holds(changes) {
            changes.sorted.retain(is_elision);
        }
    }
}

/// Omits line numbers that nobody asked for.
fn thin_numbers(text: &str, is_read: bool, changes: &mut Changes) {
    let Some(thinned) = line_numbers::changes(text, is_read, &|bytes| changes.are_off(bytes)) else { return };
    let mut all = Changes { sorted: changes.sorted.clone() };
    all.merge(thinned.into_iter().map(|(bytes, with)| Change { bytes, with, step: Transform::LineNumbers }));
    // A file may contain lines that look like numbered ones.
    if line_numbers::restored(&apply(text, &all.sorted)).as_deref() == Some(&*apply(text, &changes.sorted)) {
        *changes = all;
    }
}

/// Returns what source code a text or a part of one is.
fn source_of(block: &Block<'_>, code: &SourceScan<'_>, kind: ContentKind, text: &str) -> Option<Source> {
    code.source(kind, || block.classified(text))
}

/// Returns what decides which lines of a part stay.
fn query<'a>(block: &Block<'a>, kind: ContentKind) -> Query<'a> {
    let file_read = kind == ContentKind::FileRead;
    Query { question: block.question, arguments: block.arguments, file_read }
}

/// Elides lines and returns the original, whose lines the markers name. The source code that the whole text is, and its
/// records, are known.
fn set_aside(
    block: &Block<'_>,
    original: &str,
    text: &str,
    parts: &[Segment],
    (source, mut scan): (Option<Source>, Option<RecordScan<'_>>),
    changes: &mut Changes,
) -> Option<Original> {
    let handle = Handle::from_content(original);
    let mut gaps = Vec::new();
    // Where the last marker of this original ends, while the nearest handle before is its own.
    let mut named: Option<usize> = None;
    for part in parts {
        let Some(piece) = text.get(part.bytes.clone()) else { continue };
        let query = query(block, part.kind);
        let source = if part.bytes == (0..text.len()) {
            source
        } else {
            source_of(block, &SourceScan::new(piece, block.arguments), part.kind, piece)
        };
        let mut gaps_of_part = compress::framed(part.kind, piece, &query, source, scan.take());
        let is_file = part.kind == ContentKind::FileRead || gaps_of_part.is_empty();
        let view =
            if is_file { None } else { Lines::new(piece).filter(|lines| lines.main_view(piece).is_some()) };
        gaps_of_part.sort_by_key(|gap| gap.omission.range.start);
        for FramedOmission { omission: gap, opening } in gaps_of_part {
            let Some(printed) = printed(view.as_ref(), &gap) else { continue };
            let Some(lines) = part.lines.range(piece, &gap.range, printed) else { continue };
            let bytes = part.bytes.start + gap.range.start..part.bytes.start + gap.range.end;
            // One marker is enough to name the original, unless a marker for something else is between it and this one.
            let is_named = named.is_some_and(|end| !names_other(text, end..bytes.start, changes));
            let marker = if is_named && (opening.is_empty() || source.is_none()) {
                More { lines, summary: &gap.summary }.to_string()
            } else {
                Elision { handle, lines, summary: &gap.summary, folder: block.originals_dir }.to_string()
            };
            let (with, step) = if part.kind == ContentKind::Prose {
                (on_its_line(text, &bytes, marker), Transform::Sentences)
            } else {
                (format!("{opening}{marker}"), Transform::Elision)
            };
            if changes.are_off(&bytes) && saves_tokens(block, text, &bytes, &with) {
                named = Some(bytes.end);
                gaps.push(Change { bytes, with, step });
            }
        }
    }
    let original = (!gaps.is_empty()).then(|| Original::with_handle(handle, original.to_owned()));
    changes.merge(gaps);
    original
}

/// Whether a marker within these bytes names an original, as rows of an array or data have it.
fn names_other(text: &str, bytes: Range<usize>, changes: &Changes) -> bool {
    let names = |text: &str| marker::handle_in(text).is_some();
    let within = |change: &Change| bytes.start <= change.bytes.start && change.bytes.end <= bytes.end;
    let from = changes.sorted.partition_point(|change| change.bytes.start < bytes.start);
    let placed = changes.sorted.iter().skip(from).take_while(|change| within(change));
    placed.into_iter().any(|change| names(&change.with)) || text.get(bytes.clone()).is_none_or(names)
}

/// Returns the numbers of the first and last line of a gap: in a numbered view of a file those that it prints.
fn printed(view: Option<&Lines>, gap: &Omission) -> Option<(u32, u32)> {
    let Some(view) = view else { return Some((gap.first, gap.last)) };
    let index = |number: u32| usize::try_from(number).ok()?.checked_sub(1);
    let (first, last) = (index(gap.first)?, index(gap.last)?);
    let run = |line: usize| view.lines.get(line).map(|line| line.run);
    (run(first) == run(last)).then_some((view.number_of(first)?, view.number_of(last)?))
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
    if tokenizer::has_words(removed, with.len() + tuning().decide.min_saved_tokens) {
        return true;
    }
    let least = count(with) + tuning().decide.min_saved_tokens;
    if tokenizer::has_words(removed, least) {
        return true;
    }
    let is_long = removed.len() > MIN_TRIED_BYTES;
    let start = || (0..=MIN_TRIED_BYTES).rev().find_map(|end| removed.get(..end)).unwrap_or_default();
    // With a margin, because the start may end within a token.
    is_long && count(start()) >= least + tuning().decide.min_saved_tokens || count(removed) >= least
}
