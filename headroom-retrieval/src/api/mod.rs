//! The wire formats as hidden exchanges need them: one file per API, text in and text out.

mod anchors;
mod anthropic;
mod breakpoint;
mod chat;
mod failure;
mod gemini;
mod merge;
mod record;
mod responses;
mod root;
mod stitcher;

use std::ops::Range;

use headroom_core::Api;
use headroom_json::Value;

pub(super) use self::{
    anchors::Anchors,
    failure::Failure,
    record::{Fit, Record, ShownTurn},
    root::Root,
    stitcher::{BufferedStitcher, EventAction, StreamState, StreamStitcher},
};
use crate::edit::Edits;

/// The name of the layer's own tool.
pub(super) const RETRIEVE: &str = headroom_core::RETRIEVE_TOOL_NAME;

/// Returns the format of an API, if the layer answers its calls.
pub(super) fn provider_format(api: Api) -> Option<&'static dyn ProviderFormat> {
    match api {
        Api::Anthropic => Some(&anthropic::Anthropic),
        Api::OpenAiChat => Some(&chat::Chat),
        Api::OpenAiResponses => Some(&responses::Responses),
        Api::Gemini => Some(&gemini::Gemini),
        _ => None,
    }
}

/// Bytes of a round beyond which its parts are no longer kept for the next request.
const MAX_ROUND: usize = 16 << 20;

/// The operations that differ between wire formats.
pub(super) trait ProviderFormat: Send + Sync {
    /// The member of a request that holds the conversation.
    fn list(&self) -> &'static str;

    /// Reads what a request specifies about its answer; `None` if answers to it cannot be stitched.
    fn head(&self, body: &Root<'_>) -> Option<Head>;

    /// Returns the items that answer calls, to follow the assistant's turn.
    fn results(&self, answers: &[Answer]) -> String;

    /// Returns the cache breakpoint for the last hidden item of a request, if the client uses breakpoints and has one
    /// left.
    fn breakpoint(&self, body: &Root<'_>) -> Option<String> {
        let _ = body;
        None
    }

    /// Returns the items of [`results`](Self::results) with a breakpoint after them.
    fn marked(&self, results: &str, breakpoint: &str) -> Option<String> {
        let _ = (results, breakpoint);
        None
    }

    /// Returns the record that replaces the client's copy of an assistant's turn in which only some calls were ours.
    fn mixed(&self, said: &str, answers: &[Answer]) -> Record;

    /// Creates a stitcher for streams.
    fn stream(&self, head: Head) -> Box<dyn StreamStitcher>;

    /// Creates a stitcher for whole answers.
    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher>;

    /// Finds the assistant's turns among the items of a request.
    fn assistant_turns(&self, items: &[Value<'_>]) -> Vec<AssistantTurn>;

    /// Returns text as an item, for a list that is written as a string.
    fn item(&self, text: Value<'_>) -> Option<String> {
        let _ = text;
        None
    }

    /// Whether a request may continue from an earlier answer without repeating it.
    fn continues(&self) -> bool {
        false
    }

    /// Returns the id of an earlier answer that the request continues from or compares with.
    fn previous<'a>(&self, body: &Root<'a>) -> Option<Value<'a>> {
        let _ = body;
        None
    }

    /// Returns the provider-side thread that a request asks for.
    fn thread(&self, body: &Root<'_>) -> Option<Thread> {
        let _ = body;
        None
    }

    /// Whether the provider refuses thinking that follows another conversation than its own.
    fn thinking_is_bound(&self, body: &Root<'_>) -> bool {
        let _ = body;
        false
    }

    /// Removes bound thinking from the items.
    fn strip_thinking(&self, items: &str) -> String {
        items.to_owned()
    }

    /// Returns the items of a record with the arguments in the client's copy of the turn; `None` if clients of this API
    /// never change them.
    fn with_arguments_of(&self, items: &str, copy: &str) -> Option<String> {
        let _ = (items, copy);
        None
    }

    /// Replaces the client's copy of a turn by a record. The copy stays if there is no place for the rest of the
    /// record.
    fn splice_record(&self, body: &str, turn: &AssistantTurn, record: &Record, edits: &mut Edits);
}

/// A conversation that the provider keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thread {
    /// The request begins one, in full; the range is the member that asks for it.
    Begins(Range<usize>),
    /// The request continues one, without the content so far.
    GoesOn,
}

/// Properties of the answer that the request specifies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Whether the answer is one document, so that it may contain only the last round's text.
    pub(super) structured: bool,
    /// Whether the provider keeps no state between requests.
    pub(super) stateless: bool,
}

/// A call of our tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: String,
    /// A JSON object.
    pub(super) arguments: String,
}

/// A call and the text that answers it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) call: Call,
    pub(super) text: String,
}

/// The provider's answer in one round.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    /// The assistant's turn as a request repeats it; `None` if it cannot be repeated.
    pub(super) said: Option<String>,
    /// The same without our calls; `None` if nothing is left.
    pub(super) rest: Option<String>,
    /// Our calls that need an answer.
    pub(super) calls: Vec<Call>,
    /// Whether calls of the client's tools need an answer too.
    pub(super) others: bool,
    /// The client's view of it.
    pub(super) shown: Anchors,
    /// The id by which the provider can continue from here.
    pub(super) id: Option<String>,
}

/// An assistant's turn as the client sent it back.
#[derive(Clone, Debug)]
pub(super) struct AssistantTurn {
    /// Its range in the body.
    pub(super) range: Range<usize>,
    /// The range of the item after it.
    pub(super) next: Option<Range<usize>>,
    pub(super) anchors: Anchors,
}

/// Returns the `type` of a block, item or event.
fn kind(value: Value<'_>) -> &str {
    value.get("type").and_then(Value::inner).unwrap_or_default()
}

/// Whether a JSON text may contain this word, plain or escaped.
fn may_have(text: &str, word: &str) -> bool {
    text.contains(word) || text.contains("\\u")
}

/// Joins JSON texts into an array.
fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}
