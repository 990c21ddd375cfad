//! Derives facts about each item from the items before it.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
};

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::xxh3_128_with_seed;

use headroom_json::{Tape, Text};

use crate::{
    UnchangedReason,
    cache::CacheKey,
    wire::{Arguments, Call, Item, Items},
};

/// Facts about one item that follow from the items up to and including it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// The hash of everything that the decision about this item may depend on.
    pub(crate) key: CacheKey,
    /// The index of the call that this result answers.
    pub(crate) call: Option<u32>,
    /// The index of the user's last text before this item.
    pub(crate) question: Option<u32>,
    /// How many items of the same type there are, up to and including this one; `None` if nobody can count them.
    pub(crate) ordinal: Option<u32>,
    /// Position of this text within its result, from zero; `None` if it cannot be named.
    pub(crate) part: Option<u32>,
    /// How many earlier texts answer the same call.
    pub(crate) answers: u32,
}

/// Limit on the argument bytes read in total by the texts that answer one call. Real calls have one text or a few;
/// without a limit the work grows with the product of arguments and texts.
const MAX_ARGUMENT_BYTES: usize = 256 << 10;
/// How many texts of a call can be referenced.
pub(crate) const MAX_CALL_TEXTS: usize = 1 << 8;

/// Walks the items once, in order. `seed` holds the settings of the request, `secret` is known to this process only.
/// The thinking of the model counts only if `thinks`.
pub(crate) fn facts(seed: &str, secret: u64, items: &Items<'_>, thinks: bool) -> Vec<Facts> {
    let mut chain = Chain { secret, key: CacheKey::default(), answers: 0 };
    chain.add(0, &[seed]);
    let mut walk = Walk::default();
    let mut thoughts = items.thoughts().iter().filter(|_| thinks).peekable();
    items
        .iter()
        .zip(0..)
        .map(|(item, index)| {
            let call = walk.step(item, index);
            let answers = call.map_or(0, |call| walk.count_answer(call));
            chain.answers = items.answers(index as usize);
            while let Some(thought) = thoughts.next_if(|thought| thought.item <= index) {
                let removable = u64::from(thought.bytes.is_some());
                chain.add(6 | removable << 8 | (thought.read as u64) << 16, &[]);
            }
            match item {
                Item::User(text) => chain.add(1, &[text.raw]),
                Item::Call(call) => {
                    let name = call.name.map_or("", |name| name.raw);
                    chain.add(2, &[name, call.arguments.as_ref().map_or("", Arguments::raw)]);
                }
                Item::Result(result) => {
                    let name = result.name.map_or("", |name| name.raw);
                    let protected = result.protected.map_or("", UnchangedReason::as_str);
                    let flags = u64::from(result.continues) | u64::from(result.json) << 1;
                    let part = result.part.map_or(0, |part| u64::from(part) + 1);
                    let call = call.map_or(0, |call| u64::from(call) + 1);
                    chain.add(3 | flags << 8 | part << 48 | call << 16, &[name, protected, result.text.raw]);
                }
                Item::OtherResult { .. } => {
                    chain.add(7 | u64::from(call.map_or(0, |call| call + 1)) << 16, &[]);
                }
                Item::OtherCall => chain.add(8, &[]),
                Item::Unreadable => chain.add(9, &[]),
                Item::Compaction => chain.add(4, &[]),
                Item::Said(text) => chain.add(5, &[text.raw]),
            }
            Facts {
                key: chain.key,
                call,
                question: walk.question,
                ordinal: walk.ordinal(item),
                part: match item {
                    Item::Result(result) => result.part,
                    _ => Some(0),
                },
                answers,
            }
        })
        .collect()
}

/// Returns the key of something else that is decided where this key stands.
pub(crate) fn derived(key: &CacheKey, tag: u64) -> CacheKey {
    let mut link = Vec::with_capacity(24);
    link.extend_from_slice(key);
    link.extend_from_slice(&tag.to_le_bytes());
    xxh3_128_with_seed(&link, u64::MAX).to_le_bytes()
}

/// A running hash: the key after an item covers all items up to it.
///
/// The keys are XXH3 with a secret of the process. They only look up earlier decisions of this process, so they may
/// differ elsewhere, and nobody outside can provoke a collision.
struct Chain {
    secret: u64,
    /// How many answers of the model have begun.
    answers: u32,
    key: CacheKey,
}

impl Chain {
    fn add(&mut self, tag: u64, fields: &[&str]) {
        let mut link = Vec::with_capacity(96);
        link.extend_from_slice(&self.key);
        link.extend_from_slice(&self.answers.to_le_bytes());
        link.extend_from_slice(&tag.to_le_bytes());
        for field in fields {
            link.extend_from_slice(&xxh3_128_with_seed(field.as_bytes(), self.secret).to_le_bytes());
        }
        self.key = xxh3_128_with_seed(&link, self.secret).to_le_bytes();
    }
}

#[derive(Debug, Default)]
struct Walk<'a> {
    question: Option<u32>,
    // Clients choose ids and names, so these maps use a keyed hash.
    calls_by_id: HashMap<&'a str, u32>,
    /// Calls without an id and without an answer, by tool name.
    unanswered: HashMap<Option<&'a str>, VecDeque<u32>>,
    /// The call that the last result answers.
    answered: Option<u32>,
    /// How many texts answer each call.
    answers: FxHashMap<u32, u32>,
    users: u32,
    calls: u32,
    results: u32,
    /// Whether an item could not be read, so that nobody can count what follows.
    lost_count: bool,
}

impl<'a> Walk<'a> {
    /// Records an item and returns the call that it answers.
    fn step(&mut self, item: &Item<'a>, index: u32) -> Option<u32> {
        match item {
            Item::User(text) => {
                self.users += 1;
                // Text that the client adds on its own is not the user's question.
                if !text.raw.trim_start().starts_with("<system-reminder>") {
                    self.question = Some(index);
                }
                None
            }
            Item::Call(call) => {
                self.calls += 1;
                match call.id {
                    Some(id) => {
                        self.calls_by_id.insert(id, index);
                    }
                    None => {
                        let name = call.name.map(|name| name.raw);
                        self.unanswered.entry(name).or_default().push_back(index);
                    }
                }
                None
            }
            Item::Result(result) => {
                self.results += u32::from(!result.continues);
                // Looks up a long id only once per result.
                if !(result.continues && result.id.is_some()) {
                    self.answered = self.answered_by(result.id, result.name);
                }
                self.answered
            }
            Item::OtherResult { id, name } => {
                self.results += 1;
                self.answered = self.answered_by(*id, *name);
                self.answered
            }
            Item::OtherCall => {
                self.calls += 1;
                None
            }
            Item::Unreadable => {
                self.lost_count = true;
                None
            }
            Item::Compaction | Item::Said(_) => None,
        }
    }

    /// Returns the call that a result answers.
    fn answered_by(&mut self, id: Option<&'a str>, name: Option<Text<'a>>) -> Option<u32> {
        match id {
            Some(id) => self.calls_by_id.get(id).copied(),
            None => self.unanswered.get_mut(&name.map(|name| name.raw)).and_then(VecDeque::pop_front),
        }
    }

    /// Returns how many texts answered this call before, and counts this one.
    fn count_answer(&mut self, call: u32) -> u32 {
        let answers = self.answers.entry(call).or_default();
        *answers += 1;
        *answers - 1
    }

    fn ordinal(&self, item: &Item<'_>) -> Option<u32> {
        let count = match item {
            Item::User(_) => self.users,
            Item::Call(_) | Item::OtherCall => self.calls,
            Item::Result(_) | Item::OtherResult { .. } => self.results,
            Item::Compaction | Item::Said(_) | Item::Unreadable => return None,
        };
        (!self.lost_count).then_some(count)
    }
}

impl<'a> Call<'a> {
    /// Whether a text that answers this call after `answers` others may still read the arguments.
    pub(crate) fn is_readable(&self, answers: u32) -> bool {
        let bytes = self.arguments.map_or(0, |arguments| arguments.raw().len());
        bytes.saturating_mul(answers as usize) <= MAX_ARGUMENT_BYTES
    }

    /// Returns the arguments, usually JSON, with the escapes of a surrounding string decoded.
    pub(crate) fn arguments(&self) -> Option<Cow<'a, str>> {
        match self.arguments? {
            Arguments::Json(raw) => Some(Cow::Borrowed(raw)),
            Arguments::Text(text) => text.decode(),
        }
    }

    /// Returns the texts that the model wrote in the arguments: the content of a file, the two sides of an edit.
    pub(crate) fn texts(&self) -> Vec<String> {
        let Some(arguments) = self.arguments() else { return Vec::new() };
        let Ok(tape) = Tape::parse(&arguments) else {
            return vec![arguments.into_owned()];
        };
        let strings = tape.root().strings().filter_map(Text::decode);
        strings.take(MAX_CALL_TEXTS).map(Cow::into_owned).collect()
    }

    /// Returns a short description of the call: the tool, and its file, command or pattern.
    pub(crate) fn label(&self) -> String {
        const TELLING: [&str; 9] =
            ["file_path", "path", "absolute_path", "filePath", "command", "cmd", "pattern", "query", "url"];
        let name = self.name.and_then(Text::decode).unwrap_or(Cow::Borrowed("tool"));
        let detail = self.arguments().and_then(|arguments| {
            let tape = Tape::parse(&arguments).ok()?;
            let root = tape.root();
            TELLING.iter().find_map(|key| {
                let (_, value) = root.members().find(|(name, _)| name.raw == *key)?;
                let detail = value.text()?.decode()?;
                Some(if key.to_ascii_lowercase().ends_with("path") {
                    brief(detail.rsplit(['/', '\\']).next()?)
                } else {
                    brief(without_cd(&detail))
                })
            })
        });
        let name = brief(&name);
        detail.map_or_else(|| name.clone(), |detail| format!("{name} {detail}"))
    }
}

/// Removes the leading `cd` that agents put before a command.
fn without_cd(command: &str) -> &str {
    let rest = command.strip_prefix("cd ").and_then(|rest| rest.split_once("&& "));
    rest.map_or(command, |(_, command)| command)
}

/// Shortens an argument to fit into a reference.
fn brief(text: &str) -> String {
    const MOST: usize = 24;
    let mut words: String =
        text.chars().map(|c| if c.is_control() || c == ']' { ' ' } else { c }).take(MOST).collect();
    if text.chars().nth(MOST).is_some() {
        words.push('…');
    }
    words
}
