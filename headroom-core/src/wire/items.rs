//! The items of a request, and the turns that they belong to.

use std::ops::{Deref, Range};

use headroom_json::Text;

use super::{Item, MAX_ITEMS, ToolResult};
use crate::UnchangedReason;

/// The items of a request in order, at most [`MAX_ITEMS`].
///
/// The first result beyond the limit is included but protected, so that the report says why nothing after it is
/// edited. Whether an item is included depends only on those before it.
#[derive(Debug, Default)]
pub(crate) struct Items<'a> {
    items: Vec<Item<'a>>,
    /// For each item, how many answers of the model have begun before it or with it.
    answers: Vec<u32>,
    prompts: Vec<Prompt>,
    thoughts: Vec<Thought>,
    turn: Turn,
}

/// A prompt of the user: the first text of the user's own in a turn that answers no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// The index of the text.
    pub(crate) item: u32,
    /// How many answers of the model come before it.
    pub(crate) answers: u32,
}

/// Thinking of one answer of the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thought {
    /// The index of the next item.
    pub(crate) item: u32,
    /// The bytes in the body that vanish if it is removed; `None` if it cannot be.
    pub(crate) bytes: Option<Range<usize>>,
    /// The bytes of text that the model reads of it, as far as they are known.
    pub(crate) read: usize,
}

/// Who speaks in a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Speaker {
    Model,
    #[default]
    User,
}

/// The turn that is being read: all adjacent messages of one speaker.
#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    speaker: Speaker,
    answers: u32,
    /// How many calls of the model's last turn have no result yet.
    open_calls: u32,
    /// The first own text of the user in this turn.
    prompt: Option<u32>,
    has_results: bool,
}

/// A state of [`Items`] to return to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    items: usize,
    prompts: usize,
    thoughts: usize,
    turn: Turn,
}

impl<'a> Items<'a> {
    pub(super) fn push(&mut self, item: Item<'a>) {
        let item = match (self.items.len(), item) {
            (..MAX_ITEMS, item) => item,
            (MAX_ITEMS, Item::Result(result)) => {
                Item::Result(ToolResult { protected: Some(UnchangedReason::TooManyItems), ..result })
            }
            _ => return,
        };
        match &item {
            Item::User(text) if self.turn.speaker == Speaker::User => {
                let item = self.next();
                if self.turn.prompt.is_none() && !is_by_client(*text) {
                    self.turn.prompt = Some(item);
                }
            }
            Item::Call(_) => self.turn.open_calls += 1,
            Item::Result(result) if !result.continues => {
                self.turn.open_calls = self.turn.open_calls.saturating_sub(1);
                self.turn.has_results = true;
            }
            Item::OtherResult { .. } if self.turn.speaker == Speaker::User => {
                self.turn.open_calls = self.turn.open_calls.saturating_sub(1);
                self.turn.has_results = true;
            }
            _ => {}
        }
        self.items.push(item);
        self.answers.push(self.turn.answers);
    }

    /// Begins a message of this speaker.
    pub(super) fn begin(&mut self, speaker: Speaker) {
        if self.turn.speaker == speaker {
            return;
        }
        self.end_turn();
        self.turn.speaker = speaker;
        (self.turn.prompt, self.turn.has_results) = (None, false);
        if speaker == Speaker::Model {
            self.turn.answers += 1;
            self.turn.open_calls = 0;
        }
    }

    /// Ends the last turn.
    pub(super) fn end_turn(&mut self) {
        let Turn { answers, open_calls, prompt, has_results, .. } = self.turn;
        if let (Some(item), 0, false) = (prompt, open_calls, has_results) {
            self.prompts.push(Prompt { item, answers });
        }
        self.turn.prompt = None;
    }

    /// Adds thinking of the model; see [`Thought`].
    pub(super) fn think(&mut self, bytes: Option<Range<usize>>, read: usize) {
        let item = self.next();
        self.thoughts.push(Thought { item, bytes, read });
    }

    fn next(&self) -> u32 {
        u32::try_from(self.items.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn mark(&self) -> Mark {
        let (items, prompts, thoughts) = (self.items.len(), self.prompts.len(), self.thoughts.len());
        Mark { items, prompts, thoughts, turn: self.turn }
    }

    pub(super) fn rewind(&mut self, mark: Mark) {
        self.items.truncate(mark.items);
        self.answers.truncate(mark.items);
        self.prompts.truncate(mark.prompts);
        self.thoughts.truncate(mark.thoughts);
        self.turn = mark.turn;
    }

    /// Returns how many answers of the model have begun before this item or with it.
    pub(crate) fn answers(&self, item: usize) -> u32 {
        self.answers.get(item).copied().unwrap_or_default()
    }

    /// Returns the prompts of the user, in order.
    pub(crate) fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    /// Returns the thinking of the model, in order.
    pub(crate) fn thoughts(&self) -> &[Thought] {
        &self.thoughts
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
        &self.items
    }
}

/// How texts begin that clients send in the user's name: reminders, surroundings, output of the user's own commands, notes
/// that the conversation was interrupted or goes on after a compaction. Also requests that clients append to a conversation
/// for a summary, a title or a suggestion: they are asked once, and the conversation goes on without them.
const BY_CLIENT: [&str; 33] = [
    "# AGENTS.md",
    "<INSTRUCTIONS",
    "<bash-",
    "<command-",
    "<environment_context",
    "<ide_",
    "<local-command",
    "<permissions",
    "<session_context",
    "<skill",
    "<subagent_notification",
    "<system-reminder",
    "<system_reminder",
    "<task-notification",
    "<turn_aborted",
    "<user-prompt-submit-hook",
    "<user_instructions",
    "<user_shell_command",
    "CRITICAL: Respond with TEXT ONLY",
    "First, reason in your scratchpad",
    "Generate a title",
    "Generate the title",
    "Please write a 5-10 word title",
    "Provide a detailed prompt for continuing",
    "Provide a detailed summary",
    "Summarize the conversation",
    "Summarize this conversation",
    "This session is being continued",
    "Tool loaded.",
    "You are performing a CONTEXT CHECKPOINT",
    "Your task is to create a detailed summary",
    "[Request interrupted",
    "[SUGGESTION MODE",
];
/// How many bytes of a text show who sent it.
const START_BYTES: usize = 160;

/// Whether a client sent this text on its own.
pub(crate) fn is_by_client(text: Text<'_>) -> bool {
    // The end of the cut may be a half escape.
    let ends = (START_BYTES.saturating_sub(12)..=START_BYTES.min(text.raw.len())).rev();
    let cut = ends.filter_map(|end| text.raw.get(..end)).find_map(|raw| Text { raw, ..text }.decode());
    let start = if text.raw.len() <= START_BYTES { text.decode() } else { cut };
    let Some(start) = start else { return false };
    let start = start.trim_start();
    start.is_empty() || BY_CLIENT.iter().any(|by| start.starts_with(by))
}

#[cfg(test)]
mod tests {
    use headroom_json::Tape;

    use crate::{Api, wire};

    fn prompts(api: Api, body: &str) -> Vec<(u32, u32)> {
        let tape = Tape::parse(body).unwrap();
        let conversation = wire::read(api, tape.root()).unwrap();
        conversation.items.prompts().iter().map(|prompt| (prompt.item, prompt.answers)).collect()
    }

    fn anthropic(messages: &str) -> Vec<(u32, u32)> {
        prompts(Api::Anthropic, &format!(r#"{{"messages":[{messages}]}}"#))
    }

    const CALL: &str = r#"{"role":"assistant","content":[{"type":"thinking","thinking":"h","signature":"s"},{"type":"tool_use","id":"a","name":"Bash","input":{}}]}"#;
    const RESULT: &str = r#"{"type":"tool_result","tool_use_id":"a","content":"r"}"#;

    #[test]
    fn prompts_are_words_of_the_user_that_answer_no_call() {
        let said = r#"{"role":"assistant","content":"done"}"#;
        let user = |content: &str| format!(r#"{{"role":"user","content":{content}}}"#);
        let go = r#"{"type":"text","text":"go on"}"#;
        let result = user(&format!("[{RESULT}]"));
        for (messages, expected) in [
            (user("\"why?\""), vec![(0, 0)]),
            (user(&format!("[{go}]")), vec![(0, 0)]),
            ([&*user("\"why?\""), CALL, &result, said, &user("\"go\"")].join(","), vec![(0, 0), (4, 2)]),
            // Words beside a result, in the same message or the next.
            ([&*user("\"why?\""), CALL, &user(&format!("[{RESULT},{go}]"))].join(","), vec![(0, 0)]),
            ([&*user("\"why?\""), CALL, &result, &user("\"go\"")].join(","), vec![(0, 0)]),
            // An open call.
            ([&*user("\"why?\""), CALL, &user("\"go\"")].join(","), vec![(0, 0)]),
            // What the client says.
            (user(&format!(r#"[{{"type":"text","text":"\n\u003csystem-reminder>x"}},{go}]"#)), vec![(1, 0)]),
            (user("\"This session is being continued from a previous one\""), vec![]),
            (user("\"CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\""), vec![]),
            // Adjacent messages are one turn.
            ([user("\"a\""), user("\"b\"")].join(","), vec![(0, 0)]),
        ] {
            assert_eq!(anthropic(&messages), expected, "{messages}");
        }
    }

    #[test]
    fn every_format_has_prompts() {
        for (api, body) in [
            (
                Api::OpenAiChat,
                r#"{"messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"x","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},
                {"role":"tool","tool_call_id":"1","content":"r"},{"role":"assistant","content":"y"},{"role":"user","content":"b"}]}"#,
            ),
            (
                Api::OpenAiResponses,
                r#"{"input":[{"role":"user","content":"a"},{"type":"reasoning","encrypted_content":"e"},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"x"}]},
                {"type":"function_call","call_id":"1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"1","output":"r"},
                {"type":"message","role":"assistant","content":[{"type":"output_text","text":"y"}]},{"role":"user","content":"b"}]}"#,
            ),
            (
                Api::Gemini,
                r#"{"contents":[{"role":"user","parts":[{"text":"a"}]},{"role":"model","parts":[{"text":"x"},{"functionCall":{"name":"f","args":{}}}]},
                {"role":"user","parts":[{"functionResponse":{"name":"f","response":{"output":"r"}}}]},{"role":"model","parts":[{"text":"y"}]},{"role":"user","parts":[{"text":"b"}]}]}"#,
            ),
            (
                Api::Converse,
                r#"{"messages":[{"role":"user","content":[{"text":"a"}]},{"role":"assistant","content":[{"text":"x"},{"toolUse":{"toolUseId":"1","name":"f","input":{}}}]},
                {"role":"user","content":[{"toolResult":{"toolUseId":"1","content":[{"text":"r"}]}}]},{"role":"assistant","content":[{"text":"y"}]},{"role":"user","content":[{"text":"b"}]}]}"#,
            ),
        ] {
            assert_eq!(prompts(api, body), [(0, 0), (5, 2)], "{api}");
        }
    }

    #[test]
    fn thinking_is_cut_with_its_comma_and_only_if_something_stays() {
        let thought = r#"{"type":"thinking","thinking":"h","signature":"s"}"#;
        for (content, left) in [
            (
                format!(r#"[{thought},{thought} , {{"type":"text","text":"x"}}]"#),
                Some(r#"[{"type":"text","text":"x"}]"#),
            ),
            (
                format!(r#"[ {thought}, {{"type":"text","text":"x"}}, {thought} ]"#),
                Some(r#"[ {"type":"text","text":"x"} ]"#),
            ),
            (format!("[{thought}]"), None),
            (format!("[{thought},1]"), None),
        ] {
            let body = format!(r#"{{"messages":[{{"role":"assistant","content":{content}}}]}}"#);
            let tape = Tape::parse(&body).unwrap();
            let conversation = wire::read(Api::Anthropic, tape.root()).unwrap();
            let thoughts = conversation.items.thoughts();
            assert!(!thoughts.is_empty());
            let mut rest = body.clone();
            let mut whole = true;
            for thought in thoughts.iter().rev() {
                let Some(bytes) = &thought.bytes else {
                    whole = false;
                    continue;
                };
                rest.replace_range(bytes.clone(), "");
            }
            match left {
                Some(left) => {
                    assert_eq!(rest, format!(r#"{{"messages":[{{"role":"assistant","content":{left}}}]}}"#));
                }
                None => assert!(!whole, "{rest}"),
            }
        }
    }
}
