//! Agents that call their tools in plain text: a command in a code block, and what it printed in a user message.
//!
//! Such a message is the result of a tool and no words of the user. It is known by the frame that the agent puts
//! around the output, and because the model spoke before it.

use super::{Arguments, Call, Item, Items, Place, ToolResult};
use crate::scan::Text;

/// How frames begin.
const OPENINGS: [&str; 4] =
    ["<returncode>", "The last command <command>", "OBSERVATION:\\n", "EXECUTION RESULT of ["];
/// The tags around the output, and how far from the end of the message the last may stand.
const OUTPUT: [&str; 2] = ["<output>", "<output_head>"];
const OUTPUT_ENDS: [&str; 2] = ["</output>", "</output_tail>"];
const MAX_TRAILER: usize = 120;
/// The prompt that stands behind each output of an agent in a shell.
const PROMPT: &str = "\\nbash-$";
const PROMPT_DIRECTORY: &str = "\\n(Current directory: ";

/// Adds what the user's side said: the result of the command in `said`, or words.
///
/// The first output takes the command out of `said`: a command is read with each of its outputs, so that many outputs
/// behind a long one would take time and memory out of proportion to the body.
pub(super) fn push<'a>(items: &mut Items<'a>, said: &mut Option<Text<'a>>, words: Text<'a>, place: Place) {
    let Some(said) = said.as_mut().filter(|_| is_output(words.raw)) else {
        items.push(Item::User(words));
        return;
    };
    items.push(Item::Call(Call { id: None, name: None, arguments: command(*said).map(Arguments::Text) }));
    *said = Text { raw: "", ..*said };
    items.push(Item::Result(ToolResult {
        text: words,
        place,
        id: None,
        name: None,
        continues: false,
        protected: None,
        json: false,
    }));
}

/// Whether all of this raw JSON string is the frame of an output.
fn is_output(raw: &str) -> bool {
    let framed = || {
        let end = OUTPUT_ENDS.iter().filter_map(|tag| raw.rfind(tag)).max();
        OUTPUT.iter().any(|tag| raw.contains(tag)) && end.is_some_and(|end| raw.len() - end <= MAX_TRAILER)
    };
    match OPENINGS.iter().position(|opening| raw.starts_with(opening)) {
        Some(0 | 1) => framed(),
        Some(_) => true,
        None => raw.trim_end().ends_with(PROMPT) && raw.contains(PROMPT_DIRECTORY),
    }
}

/// The last code block of what the model said.
fn command(said: Text<'_>) -> Option<Text<'_>> {
    let (before, _) = said.raw.rsplit_once("```")?;
    let open = before.rfind("```")? + 3;
    let start = open + before.get(open..)?.find("\\n")? + 2;
    let raw = before.get(start..)?.trim_end_matches("\\n");
    Some(Text { raw, start: said.start + start, escaped: said.escaped })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_known() {
        for raw in [
            r"<returncode>0</returncode>\n<output>\na\nb\n</output>",
            r"<returncode>1</returncode>\n<warning>\nlong\n</warning><output_head>\na\n</output_head>\n<output_tail>\nb\n</output_tail>",
            r"The last command <command>x</command> timed out.\n <output>\na\n</output>\nPlease try another.",
            r"OBSERVATION:\n1 file\n",
            r"Found 3 matches\n\n(Open file: n/a)\n(Current directory: /x)\nbash-$",
        ] {
            assert!(is_output(raw), "{raw}");
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
            assert!(!is_output(raw), "{raw}");
        }
    }

    #[test]
    fn the_last_code_block_is_the_command() {
        let said = |raw| Text { raw, start: 10, escaped: true };
        let found = command(said(r"Look:\n```bash\nls -l\n```\nand\n```bash\ncat a.py\n```\n")).unwrap();
        assert_eq!((found.raw, found.start), ("cat a.py", 10 + 42));
        assert_eq!(command(said("no code")), None);
        assert_eq!(command(said("one ``` only")), None);
    }
}
