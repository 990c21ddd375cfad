//! The wire formats as the hidden exchange needs them: one file per API, text in and text out.

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

/// The name of the tool that the layer answers itself.
pub(super) const RETRIEVE: &str = headroom_core::RETRIEVE_TOOL_NAME;

/// The format of an API, if its calls are answered.
pub(super) fn provider_format(api: Api) -> Option<&'static dyn ProviderFormat> {
    match api {
        Api::Anthropic => Some(&anthropic::Anthropic),
        Api::OpenAiChat => Some(&chat::Chat),
        Api::OpenAiResponses => Some(&responses::Responses),
        Api::Gemini => Some(&gemini::Gemini),
        _ => None,
    }
}

/// What a round may hold before its parts are no longer kept for repetition.
const MAX_ROUND: usize = 16 << 20;

/// What one format does its own way.
pub(super) trait ProviderFormat: Send + Sync {
    /// The member of a request that holds the conversation.
    fn list(&self) -> &'static str;

    /// What the head of a request says about the answer; `None` if answers to it cannot be stitched.
    fn head(&self, body: &Root<'_>) -> Option<Head>;

    /// The items that answer calls, as they follow the assistant's turn.
    fn results(&self, answers: &[Answer]) -> String;

    /// The cache breakpoint that the last hidden item of a request may have: one where the client uses breakpoints, and
    /// one of those that the provider allows is free.
    fn breakpoint(&self, body: &Root<'_>) -> Option<String> {
        let _ = body;
        None
    }

    /// The items of [`results`](Self::results) with a breakpoint behind them.
    fn marked(&self, results: &str, breakpoint: &str) -> Option<String> {
        let _ = (results, breakpoint);
        None
    }

    /// What takes the place of the client's copy of an assistant's turn whose calls were partly ours.
    fn mixed(&self, said: &str, answers: &[Answer]) -> Record;

    /// Stitches the streams of several rounds to one.
    fn stream(&self, head: Head) -> Box<dyn StreamStitcher>;

    /// Stitches whole answers to one.
    fn buffered(&self, head: Head) -> Box<dyn BufferedStitcher>;

    /// The assistant's turns among the items of a request.
    fn assistant_turns(&self, items: &[Value<'_>]) -> Vec<AssistantTurn>;

    /// An item of text, where a list may be written as a mere string.
    fn item(&self, text: Value<'_>) -> Option<String> {
        let _ = text;
        None
    }

    /// Whether a request may leave out what came before such an answer.
    fn continues(&self) -> bool {
        false
    }

    /// The id of an earlier answer that the request goes on from or compares with.
    fn previous<'a>(&self, body: &Root<'a>) -> Option<Value<'a>> {
        let _ = body;
        None
    }

    /// What a request says of a thread that the provider keeps.
    fn thread(&self, body: &Root<'_>) -> Option<Thread> {
        let _ = body;
        None
    }

    /// Whether the provider refuses thinking that it finds behind another conversation than it came from.
    fn thinking_is_bound(&self, body: &Root<'_>) -> bool {
        let _ = body;
        false
    }

    /// The same items without thinking that is bound to what came before.
    fn strip_thinking(&self, items: &str) -> String {
        items.to_owned()
    }

    /// The items of a record with the arguments that the client's copy of the turn has; `None` where a client of this
    /// API never changes them.
    fn with_arguments_of(&self, items: &str, copy: &str) -> Option<String> {
        let _ = (items, copy);
        None
    }

    /// Puts a record in the place of the client's copy. Where what goes with it has no place, the copy stays.
    fn splice_record(&self, body: &str, turn: &AssistantTurn, record: &Record, edits: &mut Edits);
}

/// A conversation of which the provider keeps what was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Thread {
    /// The request begins one, with all that was said; here is what asks for it.
    Begins(Range<usize>),
    /// The request goes on in one, without what was said.
    GoesOn,
}

/// The members of a request's body, found in one pass.
#[derive(Debug)]
pub(super) struct Root<'a> {
    members: Vec<Member<'a>>,
    /// The items of the list that it was parsed for.
    pub(super) items: Vec<Value<'a>>,
}

impl<'a> Root<'a> {
    /// Reads a body whose conversation is in the member `list`.
    pub(super) fn parse(body: &'a str, list: &str) -> Option<Self> {
        let (members, items) = Value::open(body)?.members_with_items(list);
        Some(Self { members, items })
    }

    /// A member; `None` too where the key stands twice, since readers disagree on what that says.
    pub(super) fn get(&self, key: &str) -> Option<Value<'a>> {
        let mut found = self.members.iter().filter(|member| member.key.is(key));
        let first = found.next()?;
        found.next().is_none().then_some(first.value)
    }

    pub(super) fn members(&self) -> &[Member<'a>] {
        &self.members
    }

    /// Where a member stands, with the comma that goes with it.
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

/// What a request's head says about the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The answer is one document, so only the last round's text may be in it.
    pub(super) structured: bool,
    /// The provider keeps no state between requests.
    pub(super) stateless: bool,
}

/// A call of our tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) id: String,
    /// A JSON object.
    pub(super) arguments: String,
}

/// A call with the text that answers it.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) call: Call,
    pub(super) text: String,
}

/// By what an assistant's turn is known again when the client sends it back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Anchors {
    /// Ids of the client's calls.
    pub(super) ids: Vec<String>,
    /// Signatures of thinking, or the encrypted form of it.
    pub(super) signatures: Vec<String>,
    /// All visible text.
    pub(super) text: String,
    /// Names of the client's calls, and their arguments by value.
    pub(super) calls: Vec<(String, String)>,
    /// In which order they stand: `t` for text, `s` for a signature, `c` for a call.
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

    /// Clients join texts that stand together.
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

/// What the provider answered in one round.
#[derive(Clone, Debug, Default)]
pub(super) struct Round {
    /// The assistant's turn as a request repeats it; `None` where that cannot be told.
    pub(super) said: Option<String>,
    /// The same without our calls; `None` if nothing is left.
    pub(super) rest: Option<String>,
    /// Our calls that wait for an answer.
    pub(super) calls: Vec<Call>,
    /// Whether calls of the client's tools wait too.
    pub(super) others: bool,
    /// What the client sees of it.
    pub(super) shown: Anchors,
    /// The name under which the provider can be told to go on from here.
    pub(super) id: Option<String>,
}

/// What becomes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EventAction {
    /// It passes as it is.
    Pass,
    /// It is ours.
    Drop,
    /// It waits until it is known whether this round is the last.
    Hold,
    /// The same, in this form.
    HoldAs(String),
    /// This much of it passes, and the rest waits.
    Split(String),
    /// It passes with this data.
    Instead(String),
}

/// Stitches streams. It sees the data of one event after the other.
pub(super) trait StreamStitcher: Send {
    /// Whether these are the data of a whole event.
    fn reads(&self, data: &str) -> bool {
        Value::parse(data).is_some()
    }

    /// Looks ahead at an event, before [`event`](Self::event) gets it. Whether it is known by now of every call whose
    /// it is; events wait until then.
    fn is_clear(&mut self, data: &str) -> bool {
        let _ = data;
        true
    }

    /// Calls of which it is not known yet whose they are belong to whom they seem to.
    fn settle(&mut self) {}

    fn event(&mut self, data: &str) -> EventAction;

    /// Whether the round has ended and something waits for what follows from it.
    fn ended(&self) -> bool;

    /// The provider's stream has ended.
    fn close(&mut self) {}

    /// What the provider said in the round that ended.
    fn round(&mut self) -> Round;

    /// Begins another round; what was held is dropped.
    fn again(&mut self);

    /// What becomes of an event that was held, now that no round follows. Where the provider still waits for an
    /// answer of ours, `give_up` ends the turn.
    fn last(&mut self, data: &str, give_up: bool) -> EventAction;

    /// Holds no more events back for the sake of a structured answer; it has become too long.
    fn hold_no_more(&mut self);

    /// Whether the provider said that the stream has failed.
    fn failed(&self) -> bool;

    /// The server-sent event, in full, that tells the client of a failure.
    fn failure(&self, failure: &Failure) -> String;

    /// The same for one that keeps the connection alive and says nothing.
    fn ping(&self) -> Option<&'static str>;
}

/// Stitches whole answers.
pub(super) trait BufferedStitcher: Send {
    /// Reads the answer of a round; `None` if it is none that is known.
    fn add(&mut self, body: &str) -> Option<Round>;

    /// The answer that the client gets.
    fn finish(&mut self, give_up: bool) -> Option<String>;
}

/// What went wrong in a round that the client does not know of.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) status: u16,
    /// What the provider said, if it is JSON.
    pub(super) body: Option<String>,
}

impl Failure {
    /// The model asks only for what it was told that it cannot have.
    pub(super) fn unfinished() -> Self {
        const BODY: &str = r#"{"error":{"type":"api_error","code":"unfinished_answer","message":"The model did not finish its answer. Send the request again."}}"#;
        Self { status: 502, body: Some(BODY.to_owned()) }
    }

    /// The provider's `error` object, or one of this type that says only what is known.
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
    /// Where it stands in the body.
    pub(super) range: Range<usize>,
    /// The item behind it.
    pub(super) next: Option<Range<usize>>,
    pub(super) anchors: Anchors,
}

/// The `type` of a block, item or event.
fn kind(value: Value<'_>) -> &str {
    value.get("type").and_then(Value::inner).unwrap_or_default()
}

/// Whether a JSON text may have this word in it, as it is or escaped.
fn may_have(text: &str, word: &str) -> bool {
    text.contains(word) || text.contains("\\u")
}

/// A list of texts as JSON.
fn array(items: &[String]) -> String {
    format!("[{}]", items.join(","))
}
