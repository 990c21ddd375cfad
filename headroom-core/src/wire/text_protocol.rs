//! Recognises agents that call tools in plain text: a command in a code block, and its output in a user message.
//!
//! Such a message is a tool result, not words of the user. Three conditions must hold: the agent's frame surrounds the
//! whole message, the turn directly before it is the model's and has a command in that agent's form, and the request
//! has no structured way to call a tool. Otherwise it may be text that a person pasted, which is never edited.

use headroom_json::{TapeValue, Text};

use super::{Arguments, BlockPath, Call, Item, Items, ToolResult};

/// The tags around the output, and how far from the end of the message the last one may be.
const OUTPUT: [&str; 2] = ["<output>", "<output_head>"];
const OUTPUT_ENDS: [&str; 2] = ["</output>", "</output_tail>"];
const MAX_TRAILER: usize = 120;
/// The prompt after each output of an agent in a shell.
const PROMPT: &str = "\\nbash-$";
const PROMPT_DIRECTORY: &str = "\\n(Current directory: ";
/// The languages that agents name for a block to run.
const SHELL_BLOCKS: [&str; 5] = ["", "bash", "mswea_bash_command", "sh", "shell"];

/// How an agent frames the output of its commands, which also determines how the model writes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frame {
    /// `<returncode>0</returncode><output>`: the turn has one code block that names a shell.
    Tags,
    /// `OBSERVATION:` before the output or a shell prompt after it: the turn ends with a code block.
    Shell,
    /// `EXECUTION RESULT of [`: the turn ends with a call in tags.
    Function,
}

/// Separates results of such an agent from the user's words, message by message.
#[derive(Debug)]
pub(super) struct TextProtocol<'a> {
    /// Whether the request calls tools in structured fields.
    structured: bool,
    /// The model's text in the turn directly before.
    said: Option<Text<'a>>,
}

impl<'a> TextProtocol<'a> {
    /// Creates the state for a request that defines these tools.
    pub(super) fn new(tools: Option<TapeValue<'a, '_>>) -> Self {
        Self { structured: tools.is_some_and(|tools| tools.items().next().is_some()), said: None }
    }

    /// Records a text of the model.
    pub(super) const fn assistant(&mut self, text: Text<'a>) {
        self.said = Some(text);
    }

    /// Records that the model called a tool in a structured field.
    pub(super) const fn call(&mut self) {
        self.structured = true;
    }

    /// Adds a text of the user's side: the result of the command in the turn before, or the user's words.
    pub(super) fn user(&mut self, items: &mut Items<'a>, words: Text<'a>, place: BlockPath) {
        // A further text of the same turn, or of a second user turn, does not answer the model.
        let said = self.said.take().filter(|_| !self.structured);
        let command = said.and_then(|said| Frame::find(words.raw)?.command(said));
        let Some(command) = command else {
            items.push(Item::User(words));
            return;
        };
        items.push(Item::Call(Call { id: None, name: None, arguments: Some(Arguments::Text(command)) }));
        items.push(Item::Result(ToolResult {
            text: words,
            place,
            id: None,
            name: None,
            continues: false,
            part: Some(0),
            protected: None,
            json: false,
        }));
    }
}

impl Frame {
    /// Returns the frame around this whole raw JSON string.
    fn find(raw: &str) -> Option<Self> {
        let in_tags = || {
            let end = OUTPUT_ENDS.iter().filter_map(|tag| raw.rfind(tag)).max();
            OUTPUT.iter().any(|tag| raw.contains(tag))
                && end.is_some_and(|end| raw.len() - end <= MAX_TRAILER)
        };
        if raw.starts_with("<returncode>") || raw.starts_with("The last command <command>") {
            in_tags().then_some(Self::Tags)
        } else if raw.starts_with("OBSERVATION:\\n") {
            Some(Self::Shell)
        } else if raw.starts_with("EXECUTION RESULT of [") {
            Some(Self::Function)
        } else {
            (raw.trim_end().ends_with(PROMPT) && raw.contains(PROMPT_DIRECTORY)).then_some(Self::Shell)
        }
    }

    /// Returns the command in the model's text, in the form that the agent of this frame runs.
    fn command<'a>(self, said: Text<'a>) -> Option<Text<'a>> {
        match self {
            Self::Tags => {
                let mut blocks = Blocks::new(said).filter(|block| block.names_a_shell());
                let block = blocks.next()?;
                blocks.next().is_none().then_some(block.content)
            }
            Self::Shell => {
                let block = Blocks::new(said).last()?;
                (block.is_last && block.is_shell()).then_some(block.content)
            }
            Self::Function => {
                let end = trimmed(said.raw).strip_suffix("</function>")?;
                let start = end.rfind("<function=")?;
                let raw = end.get(start..)?;
                Some(Text { raw, start: said.start + start, escaped: said.escaped })
            }
        }
    }
}

/// Trims the white space at the end of a raw JSON string.
fn trimmed(mut raw: &str) -> &str {
    while let Some(rest) = ["\\n", "\\r", "\\t", " "].iter().find_map(|space| raw.strip_suffix(space)) {
        raw = rest;
    }
    raw
}

/// A code block: from a line that opens with three backticks to a line with nothing else.
#[derive(Clone, Copy, Debug)]
struct CodeBlock<'a> {
    language: &'a str,
    content: Text<'a>,
    /// Whether nothing follows it.
    is_last: bool,
}

impl CodeBlock<'_> {
    fn is_shell(&self) -> bool {
        SHELL_BLOCKS.contains(&self.language)
    }

    fn names_a_shell(&self) -> bool {
        !self.language.is_empty() && self.is_shell()
    }
}

/// Iterates over the code blocks of a raw JSON string.
#[derive(Debug)]
struct Blocks<'a> {
    said: Text<'a>,
    at: usize,
}

impl<'a> Blocks<'a> {
    const fn new(said: Text<'a>) -> Self {
        Self { said, at: 0 }
    }

    /// Finds the next fence at the start of a line, from `at` on. Returns its offset and the end of its line.
    fn fence(&self, at: usize) -> Option<(usize, usize)> {
        let raw = self.said.raw;
        let mut from = at;
        loop {
            let found = from + raw.get(from..)?.find("```")?;
            let before = raw.get(..found)?;
            let line_end = found + raw.get(found..)?.find("\\n").unwrap_or(raw.len() - found);
            if before.is_empty() || before.ends_with("\\n") {
                return Some((found, line_end));
            }
            from = found + 3;
        }
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = CodeBlock<'a>;

    fn next(&mut self) -> Option<CodeBlock<'a>> {
        let raw = self.said.raw;
        let (open, head_end) = self.fence(self.at)?;
        let start = head_end + 2;
        let (close, end) = self.fence(start)?;
        self.at = end;
        let language = raw.get(open + 3..head_end)?.trim();
        let content = raw.get(start..close)?;
        let content = content.trim_end_matches("\\n");
        Some(CodeBlock {
            language,
            content: Text { raw: content, start: self.said.start + start, escaped: self.said.escaped },
            is_last: trimmed(raw).len() <= end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(raw: &str) -> Text<'_> {
        Text { raw, start: 10, escaped: true }
    }

    #[test]
    fn frames_are_known() {
        for (raw, frame) in [
            (r"<returncode>0</returncode>\n<output>\na\nb\n</output>", Frame::Tags),
            (
                r"<returncode>1</returncode>\n<warning>\nlong\n</warning><output_head>\na\n</output_head>\n<output_tail>\nb\n</output_tail>",
                Frame::Tags,
            ),
            (
                r"The last command <command>x</command> timed out.\n <output>\na\n</output>\nPlease try another.",
                Frame::Tags,
            ),
            (r"OBSERVATION:\n1 file\n", Frame::Shell),
            (r"Found 3 matches\n\n(Open file: n/a)\n(Current directory: /x)\nbash-$", Frame::Shell),
            (r"EXECUTION RESULT of [execute_bash]:\n1 file", Frame::Function),
        ] {
            assert_eq!(Frame::find(raw), Some(frame), "{raw}");
        }
    }

    #[test]
    fn words_are_not() {
        for raw in [
            "",
            "What does <returncode>0</returncode> mean?",
            r"<returncode>0</returncode> is what I get. <output> is missing. Why? I have tried this again and again \
             and it always prints the same, whatever I change in the settings of the runner and of the shell that it \
             starts; see the <output></output> of yesterday, which I have pasted below so that you can tell me what \
             to do with it, because I am at a loss by now and the release is due tomorrow morning at nine o'clock.",
            r"Fix the prompt:\nbash-$",
            r"Please look at <output>\na\n</output>",
        ] {
            assert_eq!(Frame::find(raw), None, "{raw}");
        }
    }

    #[test]
    fn each_agent_has_its_form_of_a_command() {
        let block = r"Look:\n```bash\ncat a.py\n```";
        let found = Frame::Shell.command(said(block)).unwrap();
        assert_eq!((found.raw, found.start), ("cat a.py", 10 + 16));
        assert_eq!(Frame::Tags.command(said(block)), Some(found));
        assert_eq!(Frame::Shell.command(said(r"Look:\n```\nls -F\n```\n")).unwrap().raw, "ls -F");
        let call = r"I look.\n<function=execute_bash>\n<parameter=command>ls</parameter>\n</function>\n";
        assert!(Frame::Function.command(said(call)).unwrap().raw.starts_with("<function=execute_bash>"));
    }

    #[test]
    fn what_is_no_command_of_the_agent_makes_no_result() {
        for raw in [
            "no code",
            "one ``` only",
            r"inline ```bash ls``` and on",
            r"A program:\n```python\nprint(1)\n```",
            r"Try this:\n```bash\nls\n```\nor that:\n```bash\npwd\n```\nand tell me what you see.",
            r"<function=x> is how it is written",
        ] {
            for frame in [Frame::Tags, Frame::Shell, Frame::Function] {
                assert_eq!(frame.command(said(raw)), None, "{frame:?} {raw}");
            }
        }
        assert_eq!(Frame::Tags.command(said(r"```\nls\n```")), None, "its blocks name a shell");
        assert_eq!(Frame::Shell.command(said(r"```\nls\n```\nWhat do you see?")), None);
    }

    proptest::proptest! {
        #[test]
        fn any_turn_is_read(pieces in proptest::collection::vec(
            proptest::sample::select(vec!["```", r"\n", "bash", "a", "<function=", "</function>", "é", " ", r"\"]), 0..24)) {
            let raw = pieces.concat();
            for frame in [Frame::Tags, Frame::Shell, Frame::Function] {
                if let Some(found) = frame.command(said(&raw)) {
                    let start = found.start - 10;
                    proptest::prop_assert_eq!(&raw[start..start + found.raw.len()], found.raw);
                }
            }
        }
    }
}
