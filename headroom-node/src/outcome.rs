//! What calls return.

use std::{fmt, sync::OnceLock};

use bytes::Bytes;
use headroom_bindings::{Compressed, CompressedText, saved_tokens, vocabulary};
use headroom_core::{self as core, Handle, TokenCounter, UnchangedReason, Vocabulary};
use headroom_json::{Tape, edited_strings};
use napi::{Either, bindgen_prelude::Buffer};
use napi_derive::napi;

use crate::{
    report::{BlockReport, Report, number},
    strings::{decoded, is_text, path, walk},
};

/// Bytes of a body whose tokens are counted when they are first asked for: about two milliseconds.
const MAX_COUNTED_LATER: usize = 256 << 10;

/// A string of the messages that is to be another.
#[napi(object, object_from_js = false)]
pub struct TextEdit {
    /// The keys and indexes that lead to it; the first is the message.
    pub path: Vec<Either<u32, String>>,
    /// The text that was compressed.
    pub before: String,
    /// The text to send.
    pub after: String,
}

impl fmt::Debug for TextEdit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextEdit").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The result of compressing messages.
#[napi]
pub struct MessagesOutcome {
    before: Bytes,
    list: usize,
    after: Option<Vec<u8>>,
    edits: Vec<TextEdit>,
    report: core::Report,
    originals: Vec<String>,
    store_failed: bool,
    tokens: OnceLock<usize>,
}

impl fmt::Debug for MessagesOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessagesOutcome").field("report", &self.report).finish_non_exhaustive()
    }
}

impl MessagesOutcome {
    /// Finds what changed in a body whose messages begin at `list`.
    pub(crate) fn new(before: Bytes, list: usize, compressed: Compressed) -> Self {
        let Compressed { body, mut report, handles, store_failed } = compressed;
        let edits = body.as_ref().map_or_else(|| Some(Vec::new()), |body| edits(&before, list, body));
        let edits = edits.unwrap_or_else(|| {
            // The engine promises to edit inside strings only.
            (report.reason, report.tokens_saved) = (Some(UnchangedReason::Internal), 0);
            Vec::new()
        });
        let originals = names(&handles);
        Self { before, list, after: body, edits, report, originals, store_failed, tokens: OnceLock::new() }
    }

    /// Counts the tokens now if an event loop could not do it later without standing still.
    pub(crate) fn counted(self) -> Self {
        if self.before.len() > MAX_COUNTED_LATER {
            let _ = self.tokens_before();
        }
        self
    }

    fn count(&self) -> usize {
        let vocabulary = vocabulary(self.report.tokenizer);
        let Ok(text) = std::str::from_utf8(&self.before) else { return 0 };
        let mut tokens = 0;
        walk(text, self.list, |place, levels| {
            if is_text(text, levels) {
                let raw = text.get(place.clone()).unwrap_or_default();
                tokens += vocabulary.count(&decoded(raw, place.start));
            }
        });
        tokens
    }
}

#[napi]
impl MessagesOutcome {
    /// Returns the texts that change, once.
    #[napi]
    #[must_use]
    pub fn take_edits(&mut self) -> Vec<TextEdit> {
        std::mem::take(&mut self.edits)
    }

    /// Returns a message of the new body as JSON.
    #[napi]
    #[must_use]
    pub fn message(&self, index: u32) -> Option<String> {
        let text = std::str::from_utf8(self.after.as_ref()?).ok()?;
        let tape = Tape::parse(text.get(self.list..text.len().checked_sub(1)?)?).ok()?;
        let message = tape.root().items().nth(index as usize)?;
        Some(message.raw().to_owned())
    }

    /// Returns the tokens that the edits of one message saved.
    #[napi]
    #[must_use]
    pub fn saved_tokens(&self, message: u32) -> u32 {
        number(saved_tokens(&self.report, message as usize))
    }

    /// Tokens of the texts in the given messages.
    #[napi(getter)]
    #[must_use]
    pub fn tokens_before(&self) -> u32 {
        number(*self.tokens.get_or_init(|| self.count()))
    }

    /// Tokens that the edits saved.
    #[napi(getter)]
    #[must_use]
    pub fn tokens_saved(&self) -> u32 {
        number(self.report.tokens_saved)
    }

    /// The kinds of edits that were made, each once.
    #[napi(getter)]
    #[must_use]
    pub fn transforms(&self) -> Vec<&'static str> {
        headroom_bindings::transforms(&self.report)
    }

    /// Why nothing was edited, if nothing was.
    #[napi(getter)]
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.report.reason.map(UnchangedReason::as_str)
    }

    /// Handles of the originals that the markers name. They are stored.
    #[napi(getter)]
    #[must_use]
    pub fn originals(&self) -> Vec<String> {
        self.originals.clone()
    }

    /// Whether the store failed, so that something may have been left in full.
    #[napi(getter)]
    #[must_use]
    pub fn store_failed(&self) -> bool {
        self.store_failed
    }

    /// What the engine looked at and did.
    #[napi(getter)]
    #[must_use]
    pub fn report(&self) -> Report {
        Report::from(&self.report)
    }
}

/// The result of compressing the body of a request.
#[napi]
pub struct RequestOutcome {
    body: Option<Vec<u8>>,
    report: core::Report,
    originals: Vec<String>,
    store_failed: bool,
}

impl fmt::Debug for RequestOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestOutcome").field("report", &self.report).finish_non_exhaustive()
    }
}

impl From<Compressed> for RequestOutcome {
    fn from(compressed: Compressed) -> Self {
        let Compressed { body, report, handles, store_failed } = compressed;
        Self { body, report, originals: names(&handles), store_failed }
    }
}

impl RequestOutcome {
    /// The result for a body of no known API.
    pub(crate) fn unknown(bytes: usize) -> Self {
        let mut report = core::Report::default();
        (report.bytes_before, report.bytes_after) = (bytes, bytes);
        report.reason = Some(UnchangedReason::UnknownShape);
        Self { body: None, report, originals: Vec::new(), store_failed: false }
    }
}

#[napi]
impl RequestOutcome {
    /// Returns the new body, once; none if nothing changed.
    #[napi]
    #[must_use]
    pub fn take_body(&mut self) -> Option<Buffer> {
        self.body.take().map(Buffer::from)
    }

    /// Tokens that the edits saved.
    #[napi(getter)]
    #[must_use]
    pub fn tokens_saved(&self) -> u32 {
        number(self.report.tokens_saved)
    }

    /// Why nothing was edited, if nothing was.
    #[napi(getter)]
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        self.report.reason.map(UnchangedReason::as_str)
    }

    /// Handles of the originals that the body's markers name. They are stored.
    #[napi(getter)]
    #[must_use]
    pub fn originals(&self) -> Vec<String> {
        self.originals.clone()
    }

    /// Whether the store failed, so that something may have been left in full.
    #[napi(getter)]
    #[must_use]
    pub fn store_failed(&self) -> bool {
        self.store_failed
    }

    /// What the engine looked at and did.
    #[napi(getter)]
    #[must_use]
    pub fn report(&self) -> Report {
        Report::from(&self.report)
    }
}

/// The result of compressing one piece of content.
#[napi(object, object_from_js = false)]
pub struct TextOutcome {
    /// The new text; none if nothing changed.
    pub text: Option<String>,
    /// Tokens of the given text.
    pub tokens_before: u32,
    /// Tokens that the edits saved.
    pub tokens_saved: u32,
    /// What was done, or why nothing was done.
    pub report: BlockReport,
    /// Handles of the originals that the text's markers name. They are stored.
    pub originals: Vec<String>,
    /// Whether the store failed, so that something may have been left in full.
    pub store_failed: bool,
}

impl fmt::Debug for TextOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextOutcome").field("report", &self.report).finish_non_exhaustive()
    }
}

impl TextOutcome {
    /// Creates the outcome for a text that this model reads.
    pub(crate) fn new(given: &str, model: &str, compressed: CompressedText) -> Self {
        let CompressedText { outcome, handles, store_failed } = compressed;
        let count = || {
            let is_old = Vocabulary::Cl100kBase.is_exact_for(model);
            let vocabulary = if is_old { Vocabulary::Cl100kBase } else { Vocabulary::O200kBase };
            vocabulary.count(given)
        };
        let (before, after) = (outcome.report.tokens_before, outcome.report.tokens_after);
        Self {
            text: outcome.text,
            tokens_before: number(before.unwrap_or_else(count)),
            tokens_saved: number(before.unwrap_or_default().saturating_sub(after.unwrap_or_default())),
            report: BlockReport::from(&outcome.report),
            originals: names(&handles),
            store_failed,
        }
    }
}

/// Returns the strings that differ between two bodies; `None` if they differ in anything else.
fn edits(before: &[u8], list: usize, after: &[u8]) -> Option<Vec<TextEdit>> {
    let (before, after) = (std::str::from_utf8(before).ok()?, std::str::from_utf8(after).ok()?);
    let mut places = Vec::new();
    walk(before, list, |place, _| places.push(place));
    let edited = edited_strings(before, after, places.into_iter())?;
    let (mut edits, mut edited, mut index) = (Vec::with_capacity(edited.len()), edited.into_iter(), 0);
    let mut next = edited.next();
    walk(before, list, |place, levels| {
        if next.as_ref().is_some_and(|edit| edit.index == index) {
            let raw = before.get(place.clone()).unwrap_or_default();
            let after = next.take().map(|edit| edit.text).unwrap_or_default();
            edits.push(TextEdit { path: path(before, levels), before: decoded(raw, place.start), after });
            next = edited.next();
        }
        index += 1;
    });
    Some(edits)
}

fn names(handles: &[Handle]) -> Vec<String> {
    handles.iter().map(Handle::to_string).collect()
}
