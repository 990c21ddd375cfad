//! Reads recorded conversations back into requests.

mod claude;
mod codex;
mod request;

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use crate::ordered_json::Node;

/// A conversation: a head, and messages that accumulate from request to request.
#[derive(Debug, PartialEq)]
pub struct Conversation {
    /// Everything except the messages, in order, with an empty value in their place.
    head: Vec<(String, Node)>,
    /// The member that holds the messages.
    list: &'static str,
    /// Every message, oldest first.
    pub messages: Vec<Node>,
    /// The number of messages in each request.
    pub turns: Vec<usize>,
}

impl Conversation {
    /// The member names under which APIs list messages.
    pub const LISTS: [&'static str; 3] = ["messages", "input", "contents"];

    fn new(head: Vec<(String, Node)>, list: &'static str, messages: Vec<Node>, every: bool) -> Option<Self> {
        let made: Vec<bool> = messages.iter().map(is_made).collect();
        let turns = (1..messages.len()).filter(|n| {
            let made = |n: usize| made.get(n).copied().unwrap_or_default();
            made(*n) && (every || !made(n - 1))
        });
        let turns: Vec<usize> = turns.collect();
        (!turns.is_empty()).then_some(Self { head, list, messages, turns })
    }

    /// Returns the request before the message at this index, with a change applied.
    ///
    /// # Errors
    ///
    /// See [`Conversation::request`].
    pub fn request_with(
        &self,
        messages: usize,
        change: impl FnOnce(&mut Node),
    ) -> serde_json::Result<Vec<u8>> {
        let mut request = self.node(messages);
        change(&mut request);
        serde_json::to_vec(&request)
    }

    /// Returns the request before the message at this index, with its members in their original order.
    ///
    /// # Errors
    ///
    /// Fails if the JSON cannot be written, which no value read from a file causes.
    pub fn request(&self, messages: usize) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&self.node(messages))
    }

    fn node(&self, messages: usize) -> Node {
        let list = Node::List(self.messages.iter().take(messages).cloned().collect());
        let mut members = self.head.clone();
        match members.iter_mut().find(|(name, _)| name == self.list) {
            Some((_, place)) => *place = list,
            None => members.push((self.list.to_owned(), list)),
        }
        Node::Object(members)
    }
}

/// Whether the model wrote the message.
fn is_made(message: &Node) -> bool {
    match (message.word("role"), message.word("type")) {
        (Some(role), _) => role == "assistant" || role == "model",
        (None, Some(kind)) => kind != "message" && !kind.ends_with("_output"),
        (None, None) => false,
    }
}

/// Returns the conversation in a request body, alone or as the `request` of a record.
#[must_use]
pub fn from_node(node: Node) -> Option<Conversation> {
    request::read(node)
}

/// Reads the conversations of a file; empty if it holds none.
///
/// # Errors
///
/// Fails if the file cannot be read, or is not text.
pub fn read(path: &Path) -> io::Result<Vec<Conversation>> {
    if is_log(path) {
        return Ok(from_lines(lines(path)?));
    }
    let text = fs::read_to_string(path)?;
    Ok(serde_json::from_str(&text).ok().and_then(request::read).into_iter().collect())
}

/// Whether a file holds a JSON value on each line.
#[must_use]
pub fn is_log(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "jsonl")
}

/// Reads the values of a log, without the lines that are none.
///
/// # Errors
///
/// Fails if the file cannot be read.
pub fn lines(path: &Path) -> io::Result<Vec<Node>> {
    let mut lines = BufReader::new(File::open(path)?);
    let (mut line, mut values) = (Vec::new(), Vec::new());
    while lines.read_until(b'\n', &mut line)? > 0 {
        values.extend(serde_json::from_slice(&line).ok());
        line.clear();
    }
    Ok(values)
}

/// Returns the conversations in the values of a log.
#[must_use]
pub fn from_lines(lines: Vec<Node>) -> Vec<Conversation> {
    let found = claude::read(&lines);
    let found = if found.is_empty() { codex::read(&lines) } else { found };
    if found.is_empty() { lines.into_iter().filter_map(request::read).collect() } else { found }
}

/// Lists the files that may hold conversations, in order.
///
/// # Errors
///
/// Fails if a folder cannot be read.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|end| end == "json" || end == "jsonl") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Generates definitions for the called tools. Sessions record only their names.
fn tools<'a>(names: impl Iterator<Item = &'a str>, definition: fn(&str) -> Node) -> Node {
    let mut known: Vec<&str> = Vec::new();
    for name in names {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    Node::List(known.into_iter().map(definition).collect())
}
