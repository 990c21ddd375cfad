//! Recorded conversations, as the requests that they were.

mod claude;
mod codex;
mod request;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::node::Node;

/// A conversation: a head, and messages that a request holds more of with every turn.
#[derive(Debug, PartialEq)]
pub(super) struct Conversation {
    /// Everything but the messages, in order, with the messages' own place left empty.
    head: Vec<(String, Node)>,
    /// The member that holds the messages.
    list: &'static str,
    pub(super) messages: Vec<Node>,
    /// How many messages each request had.
    pub(super) turns: Vec<usize>,
}

impl Conversation {
    /// The members that hold messages.
    pub(super) const LISTS: [&'static str; 3] = ["messages", "input", "contents"];

    fn new(head: Vec<(String, Node)>, list: &'static str, messages: Vec<Node>, every: bool) -> Option<Self> {
        let made: Vec<bool> = messages.iter().map(is_made).collect();
        let turns = (1..messages.len()).filter(|n| {
            let made = |n: usize| made.get(n).copied().unwrap_or_default();
            made(*n) && (every || !made(n - 1))
        });
        let turns: Vec<usize> = turns.collect();
        (!turns.is_empty()).then_some(Self { head, list, messages, turns })
    }

    /// The request before the message with this index.
    pub(super) fn request(&self, messages: usize) -> serde_json::Result<Vec<u8>> {
        let list = Node::List(self.messages.iter().take(messages).cloned().collect());
        let mut members = self.head.clone();
        match members.iter_mut().find(|(name, _)| name == self.list) {
            Some((_, place)) => *place = list,
            None => members.push((self.list.to_owned(), list)),
        }
        serde_json::to_vec(&Node::Object(members))
    }
}

/// Whether the model wrote it.
fn is_made(message: &Node) -> bool {
    match (message.word("role"), message.word("type")) {
        (Some(role), _) => role == "assistant" || role == "model",
        (None, Some(kind)) => kind != "message" && !kind.ends_with("_output"),
        (None, None) => false,
    }
}

/// The conversations of one file; none where it holds none.
pub(super) fn read(path: &Path) -> io::Result<Vec<Conversation>> {
    let text = fs::read_to_string(path)?;
    if path.extension().is_some_and(|extension| extension == "jsonl") {
        let lines: Vec<Node> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let found = claude::read(&lines);
        let found = if found.is_empty() { codex::read(&lines) } else { found };
        return Ok(if found.is_empty() {
            lines.into_iter().filter_map(request::read).collect()
        } else {
            found
        });
    }
    Ok(serde_json::from_str(&text).ok().and_then(request::read).into_iter().collect())
}

/// The files that may hold conversations, in order.
pub(super) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
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

/// Definitions of the tools that were called. Sessions have their names only.
fn tools<'a>(names: impl Iterator<Item = &'a str>, definition: fn(&str) -> Node) -> Node {
    let mut known: Vec<&str> = Vec::new();
    for name in names {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    Node::List(known.into_iter().map(definition).collect())
}
