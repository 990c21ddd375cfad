//! Reads the wire formats: finds the conversation in a body, and the text that may be edited.
//!
//! Only results of the client's own tools are editable. All other parts of a format, current and future, are
//! skipped and stay unchanged.

mod anthropic;
pub(crate) mod api;
pub(crate) mod cache;
mod chat;
pub(crate) mod conversation;
mod converse;
mod detect;
pub(crate) mod drop;
mod gemini;
pub(crate) mod items;
mod responses;
mod text_protocol;
mod tools;

use std::{fmt, ops::Range};

pub(crate) use detect::detect;
pub(crate) use items::Items;
pub use tools::{RETRIEVE_TOOL_NAME, retrieve_tool};
pub(crate) use tools::{Retrieve, Toolbox};

use headroom_json::{TapeValue, Text};

use crate::{Api, UnchangedReason};

/// Shorter strings are ignored in results that are JSON values. There may be thousands of them, with nothing to save.
const MIN_LEAF_BYTES: usize = 80;
/// Limit on the items read from a request: far more than a conversation has, and few enough that the facts about them
/// stay small compared with the largest body.
pub(crate) const MAX_ITEMS: usize = 1 << 16;
/// Longer tool names are ignored. Providers accept at most 128 bytes, and the name is read with every text of a result.
const MAX_NAME_BYTES: usize = 256;

/// A request as the engine sees it: the items in order, and the settings in its head.
#[derive(Debug, Default)]
pub(crate) struct Conversation<'a> {
    pub(crate) model: Option<Text<'a>>,
    /// Whether the provider may drop tool results, so that none may be referenced.
    pub(crate) clears_tool_results: bool,
    /// Whether the provider may hold or drop a part of the conversation that the request does not show.
    pub(crate) is_partial: bool,
    /// Whether the head asks for cache entries with the longer lifetime.
    pub(crate) caches_long: bool,
    /// What the model can do with the request's tools.
    pub(crate) toolbox: Toolbox,
    pub(crate) items: Items<'a>,
}

#[derive(Debug)]
pub(crate) enum Item<'a> {
    User(Text<'a>),
    Call(Call<'a>),
    Result(ToolResult<'a>),
    /// A result without a text that may be edited: an image, nothing, or what a tool of the provider returned.
    OtherResult {
        /// The id of the call, if the format has ids.
        id: Option<&'a str>,
        /// The tool's name, if the result repeats it.
        name: Option<Text<'a>>,
    },
    /// A call of one of the provider's own tools.
    OtherCall,
    /// A message that means different things to different readers. Nobody can say how many results it has.
    Unreadable,
    /// Words of the model besides its calls.
    Said(Text<'a>),
    /// The model no longer sees anything before this.
    Compaction,
}

/// A call of one of the client's tools.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) name: Option<Text<'a>>,
    pub(crate) arguments: Option<Arguments<'a>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Arguments<'a> {
    /// A JSON value.
    Json(&'a str),
    /// A string, usually with JSON in it.
    Text(Text<'a>),
}

impl<'a> Arguments<'a> {
    fn from_value(value: TapeValue<'a, '_>) -> Self {
        value.text().map_or(Self::Json(value.raw()), Self::Text)
    }

    /// Returns the bytes in the body.
    pub(crate) fn raw(&self) -> &'a str {
        match self {
            Self::Json(raw) => raw,
            Self::Text(text) => text.raw,
        }
    }
}

/// One text of a tool result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToolResult<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) place: BlockPath,
    /// The id of the call, if the format has ids.
    pub(crate) id: Option<&'a str>,
    /// The tool's name, if the result repeats it.
    pub(crate) name: Option<Text<'a>>,
    /// Whether this continues the same result.
    pub(crate) continues: bool,
    /// Position of this text in the content of its result, from zero; `None` if a reader could not find it by counting.
    pub(crate) part: Option<u32>,
    /// Why the text may not be edited.
    pub(crate) protected: Option<UnchangedReason>,
    /// Whether the provider requires JSON here.
    pub(crate) json: bool,
}

/// Position of a text: a JSON path whose `#` are replaced by `indexes` in order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockPath {
    path: &'static str,
    indexes: [u32; 3],
}

impl BlockPath {
    fn new<const N: usize>(path: &'static str, indexes: [usize; N]) -> Self {
        let mut place = Self { path, indexes: [0; 3] };
        for (to, from) in place.indexes.iter_mut().zip(indexes) {
            *to = u32::try_from(from).unwrap_or(u32::MAX);
        }
        place
    }
}

impl fmt::Display for BlockPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut indexes = self.indexes.iter();
        for (n, part) in self.path.split('#').enumerate() {
            if n > 0 {
                write!(f, "{}", indexes.next().copied().unwrap_or_default())?;
            }
            f.write_str(part)?;
        }
        Ok(())
    }
}

/// Returns the place of the conversation from the model's first answer on, which is no part of the head.
fn answered(api: Api, root: TapeValue<'_, '_>) -> Option<Range<usize>> {
    let list = match api {
        Api::Anthropic | Api::OpenAiChat | Api::Converse => "messages",
        Api::OpenAiResponses => "input",
        Api::Gemini => "contents",
    };
    let [list] = root.fields([list]).ok()?;
    let is_before = |item: &TapeValue<'_, '_>| {
        let Ok([role, kind]) = item.fields(["role", "type"]) else { return false };
        match (role.and_then(TapeValue::text), kind.and_then(TapeValue::text)) {
            (Some(role), _) => matches!(role.raw, "user" | "system" | "developer"),
            (None, kind) => api == Api::Gemini && kind.is_none(),
        }
    };
    let list = list?;
    let first = list.items().find(|item| !is_before(item))?;
    Some(first.start()..list.end())
}

/// Reads a body of this format.
pub(crate) fn read<'a>(api: Api, body: TapeValue<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
    if !body.is_object() {
        return Err(UnchangedReason::UnknownShape);
    }
    match api {
        Api::Anthropic => anthropic::read(body),
        Api::OpenAiChat => chat::read(body),
        Api::OpenAiResponses => responses::read(body),
        Api::Gemini => gemini::read(body),
        Api::Converse => converse::read(body),
    }
}

/// Reads one message. A message with a duplicate key means different things to different readers, so it is skipped as a
/// whole, and what follows it has no number. It alone is skipped: everything before it must be written as before.
fn push_all_or_none<'a>(
    items: &mut Items<'a>,
    read: impl FnOnce(&mut Items<'a>) -> Result<(), UnchangedReason>,
) {
    let before = items.mark();
    if read(items).is_err() {
        items.rewind(before);
        items.push(Item::Unreadable);
    }
}

/// Returns the position of a part as in [`ToolResult::part`].
fn part(index: usize) -> Option<u32> {
    u32::try_from(index).ok()
}

/// Whether a string value equals `word`.
fn is(value: Option<TapeValue<'_, '_>>, word: &str) -> bool {
    text(value).is_some_and(|text| text.raw == word)
}

fn text<'a>(value: Option<TapeValue<'a, '_>>) -> Option<Text<'a>> {
    value.and_then(TapeValue::text)
}

/// Returns the name of a tool, unless it is longer than any provider accepts.
fn tool_name<'a>(value: Option<TapeValue<'a, '_>>) -> Option<Text<'a>> {
    text(value).filter(|name| name.raw.len() <= MAX_NAME_BYTES)
}

fn raw<'a>(value: Option<TapeValue<'a, '_>>) -> Option<&'a str> {
    text(value).map(|text| text.raw)
}

/// Returns the value if it is an array, as the list of messages must be.
fn list<'a, 't>(value: Option<TapeValue<'a, 't>>) -> Result<TapeValue<'a, 't>, UnchangedReason> {
    value.filter(|value| value.is_array()).ok_or(UnchangedReason::UnknownShape)
}
