//! The wire formats as hidden exchanges need them: one file per API, text in and text out.

mod anthropic;
mod breakpoint;
mod chat;
mod gemini;
mod merge;
mod responses;

use std::ops::Range;

use headroom_core::Api;
use headroom_store::json::{Member, Value, compact_into, quote};

use super::{canonical, edit::Edits, record::Record};

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

/// The members of a request's body, found in one pass.
#[derive(Debug)]
pub(super) struct Root<'a> {
    members: Vec<Member<'a>>,
    /// The items of the list named in [`parse`](Root::parse).
    pub(super) items: Vec<Value<'a>>,
}

impl<'a> Root<'a> {
    /// Parses a body whose conversation is in the member `list`.
    pub(super) fn parse(body: &'a str, list: &str) -> Option<Self> {
        let (members, items) = Value::open(body)?.members_with_items(list);
        Some(Self { members, items })
    }

    /// Returns a member; `None` also for a duplicate key, since parsers disagree about its value.
    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        let mut found = self.members.iter().filter(|member| member.key.is(key));
        let first = found.next()?;
        found.next().is_none().then_some(first.value)
    }

    pub(super) fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Returns the range of a member, including its comma.
    fn span(&self, key: &str) -> Option<Range<usize>> {
        self.get(key)?;
        let at = self.members.iter().position(|member| member.key.is(key))?;
        let member = self.members.get(at)?;
        let before = at.checked_sub(1).and_then(|before| self.members.get(before));
        Some(match (before, self.members.get(at + 1)) {
            (_, Some(next)) => member.key.start()..next.key.start(),
            (Some(before), None) => before.value.end()..member.value.end(),
            (None, None) => member.key.start()..member.value.end(),
        })
    }
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

/// Identifies an assistant's turn when the client sends it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Anchors {
    /// Ids of the client's calls.
    pub(super) ids: Vec<String>,
    /// Signatures of thinking, or its encrypted form.
    pub(super) signatures: Vec<String>,
    /// All visible text.
    pub(super) text: String,
    /// Names of the client's calls, and their arguments by value.
    pub(super) calls: Vec<(String, String)>,
    /// The order of these: `t` for text, `s` for a signature, `c` for a call.
    pub(super) order: String,
}

impl Anchors {
    pub(super) fn extend(&mut self, more: Self) {
        self.ids.extend(more.ids);
        self.signatures.extend(more.signatures);
        self.text.push_str(&more.text);
        self.calls.extend(more.calls);
        more.order.chars().for_each(|kind| self.stands(kind));
    }

    fn add_text(&mut self, text: &str) {
        self.text.push_str(text);
        if !text.trim().is_empty() {
            self.stands('t');
        }
    }

    fn add_signature(&mut self, signature: String) {
        self.signatures.push(signature);
        self.stands('s');
    }

    /// Clients join adjacent texts.
    fn stands(&mut self, kind: char) {
        if kind != 't' || !self.order.ends_with('t') {
            self.order.push(kind);
        }
    }

    /// Adds a call. `arguments` is JSON, or any text.
    fn add_call(&mut self, name: Option<Value<'_>>, arguments: &str) {
        let name = name.and_then(Value::text).unwrap_or_default().into_owned();
        self.calls.push((name, canonical::arguments(arguments)));
        self.stands('c');
    }
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

/// The handling of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EventAction {
    /// Pass it unchanged.
    Pass,
    /// Drop it, because it is ours.
    Drop,
    /// Hold it until it is known whether this round is the last.
    Hold,
    /// Hold it in this form.
    HoldAs(String),
    /// Pass this part, and hold the rest.
    Split(String),
    /// Pass it with this data.
    Instead(String),
}

/// Stitches streams. It gets the data of one event after the other.
pub(super) trait StreamStitcher: Send {
    /// Whether this is the data of a whole event.
    fn reads(&self, data: &str) -> bool {
        Value::parse(data).is_some()
    }

    /// Looks ahead at an event, before [`event`](Self::event) gets it. Returns whether the owner of every call is known
    /// by now; events wait until then.
    fn is_clear(&mut self, data: &str) -> bool {
        let _ = data;
        true
    }

    /// Assigns every call of unknown owner by its apparent name.
    fn settle(&mut self) {}

    fn event(&mut self, data: &str) -> EventAction;

    /// Whether the round has ended and the next step decides about held events.
    fn ended(&self) -> bool;

    /// Handles the end of the provider's stream.
    fn close(&mut self) {}

    /// Returns the provider's answer in the round that ended.
    fn round(&mut self) -> Round;

    /// Begins another round; held events are dropped.
    fn again(&mut self);

    /// Handles a held event, now that no round follows. If the provider still needs an answer of ours, `give_up` ends
    /// the turn.
    fn last(&mut self, data: &str, give_up: bool) -> EventAction;

    /// Stops holding events for a structured answer, which has become too long.
    fn hold_no_more(&mut self);

    /// Whether the provider reported that the stream has failed.
    fn failed(&self) -> bool;

    /// Returns a complete server-sent event that reports a failure to the client.
    fn failure(&self, failure: &Failure) -> String;

    /// Returns a complete server-sent event that only keeps the connection alive.
    fn ping(&self) -> Option<&'static str>;
}

/// Stitches whole answers.
pub(super) trait BufferedStitcher: Send {
    /// Reads the answer of a round; `None` if its format is unknown.
    fn add(&mut self, body: &str) -> Option<Round>;

    /// Returns the client's answer.
    fn finish(&mut self, give_up: bool) -> Option<String>;
}

/// The error of a hidden round.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) status: u16,
    /// The provider's error, if it is JSON.
    pub(super) body: Option<String>,
}

impl Failure {
    /// The error of a model that asks only for content that it was told it cannot have.
    pub(super) fn unfinished() -> Self {
        const BODY: &str = r#"{"error":{"type":"api_error","code":"unfinished_answer","message":"The model did not finish its answer. Send the request again."}}"#;
        Self { status: 502, body: Some(BODY.to_owned()) }
    }

    /// Returns the provider's `error` object, or a minimal one of this type.
    fn error(&self, kind: &str) -> String {
        let own = self.body.as_deref().and_then(Value::parse).and_then(|body| body.get("error"));
        match own.filter(|error| error.is_object()) {
            Some(error) => {
                let mut compact = String::new();
                compact_into(error, &mut compact);
                compact
            }
            None => format!(
                "{{\"type\":{},\"message\":\"The provider could not go on with this answer (status {}).\"}}",
                quote(kind),
                self.status
            ),
        }
    }
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
