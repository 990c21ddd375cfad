//! The wire formats: where in a body the conversation stands, and which of its text may be edited.
//!
//! Only results of the client's own tools are editable. Everything a format has that is not listed here, today's and
//! tomorrow's, is passed over and so stays as it is.

mod anthropic;
pub(crate) mod api;
mod chat;
pub(crate) mod conversation;
mod converse;
mod detect;
mod gemini;
mod responses;
mod text_protocol;
mod tools;

use std::{fmt, ops::Deref};

pub(crate) use detect::detect;
pub use tools::RETRIEVE_TOOL_NAME;
pub(crate) use tools::{Retrieve, Toolbox};

use crate::{
    Api, UnchangedReason,
    json::tape::{Text, Value},
};

/// Strings of a result that is a JSON value are looked at from this many bytes on. There may be thousands of shorter
/// ones, and nothing could be saved on them.
const MIN_LEAF_BYTES: usize = 80;
/// Items of a request that are looked at: far more than a conversation has, and few enough that what is noted about
/// each stays small beside the largest body.
pub(crate) const MAX_ITEMS: usize = 1 << 16;
/// Providers accept names of tools of at most 128 bytes. A name is read again with every text of a result, so longer
/// ones are not used.
const MAX_NAME_BYTES: usize = 256;

/// A request as the engine sees it: the items in order, and what its head decides.
#[derive(Debug, Default)]
pub(crate) struct Conversation<'a> {
    pub(crate) model: Option<Text<'a>>,
    /// The provider may drop tool results out of our sight, so none may be referred to.
    pub(crate) clears_tool_results: bool,
    /// How the model may fetch back what was set aside.
    pub(crate) toolbox: Toolbox,
    pub(crate) items: Items<'a>,
}

/// The items of a request in order, [`MAX_ITEMS`] at most.
///
/// The first result behind them is there too, protected, so that the report says why nothing behind it is edited.
/// Whether an item is one of them depends only on those before it.
#[derive(Debug, Default)]
pub(crate) struct Items<'a>(Vec<Item<'a>>);

impl<'a> Items<'a> {
    fn push(&mut self, item: Item<'a>) {
        if self.0.len() < MAX_ITEMS {
            self.0.push(item);
        } else if let (MAX_ITEMS, Item::Result(result)) = (self.0.len(), item) {
            self.0
                .push(Item::Result(ToolResult { protected: Some(UnchangedReason::TooManyItems), ..result }));
        }
    }
}

impl<'a> Extend<Item<'a>> for Items<'a> {
    fn extend<I: IntoIterator<Item = Item<'a>>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl<'a> Deref for Items<'a> {
    type Target = [Item<'a>];

    fn deref(&self) -> &[Item<'a>] {
        &self.0
    }
}

#[derive(Debug)]
pub(crate) enum Item<'a> {
    User(Text<'a>),
    Call(Call<'a>),
    Result(ToolResult<'a>),
    /// What stands before this is no longer in the model's sight.
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
    /// A string, most often with JSON in it.
    Text(Text<'a>),
}

impl<'a> Arguments<'a> {
    fn from_value(value: Value<'a, '_>) -> Self {
        value.text().map_or(Self::Json(value.raw()), Self::Text)
    }

    /// The bytes that stand in the body.
    pub(crate) fn raw(&self) -> &'a str {
        match self {
            Self::Json(raw) => raw,
            Self::Text(text) => text.raw,
        }
    }
}

/// One text of a tool's result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ToolResult<'a> {
    pub(crate) text: Text<'a>,
    pub(crate) place: BlockPath,
    /// The id of the call, where the format has ids.
    pub(crate) id: Option<&'a str>,
    /// The tool's name, where the result repeats it.
    pub(crate) name: Option<Text<'a>>,
    /// Whether this is a further text of the same result.
    pub(crate) continues: bool,
    /// Why it may not be edited.
    pub(crate) protected: Option<UnchangedReason>,
    /// Whether the provider expects JSON here.
    pub(crate) json: bool,
}

/// Where a text stands: a JSON path whose `#` are filled from `indexes` in order.
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

/// Reads a body of this format.
pub(crate) fn read<'a>(api: Api, body: Value<'a, '_>) -> Result<Conversation<'a>, UnchangedReason> {
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

/// Reads one message. A message with a key that stands twice says different things to different readers; it is passed
/// over as a whole, and only it: what stands before must not become something else because of it.
fn push_all_or_none<'a>(
    items: &mut Items<'a>,
    read: impl FnOnce(&mut Items<'a>) -> Result<(), UnchangedReason>,
) {
    let before = items.len();
    if read(items).is_err() {
        items.0.truncate(before);
    }
}

/// Whether a string value equals `word`.
fn is(value: Option<Value<'_, '_>>, word: &str) -> bool {
    text(value).is_some_and(|text| text.raw == word)
}

fn text<'a>(value: Option<Value<'a, '_>>) -> Option<Text<'a>> {
    value.and_then(Value::text)
}

/// The name of a tool, unless it is longer than any that a provider accepts.
fn tool_name<'a>(value: Option<Value<'a, '_>>) -> Option<Text<'a>> {
    text(value).filter(|name| name.raw.len() <= MAX_NAME_BYTES)
}

fn raw<'a>(value: Option<Value<'a, '_>>) -> Option<&'a str> {
    text(value).map(|text| text.raw)
}

/// The array that a conversation stands in.
fn list<'a, 't>(value: Option<Value<'a, 't>>) -> Result<Value<'a, 't>, UnchangedReason> {
    value.filter(|value| value.is_array()).ok_or(UnchangedReason::UnknownShape)
}
