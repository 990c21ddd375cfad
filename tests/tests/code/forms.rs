//! The ways in which tools bring a file, and how its code is got back from what the model sees.

use serde_json::{Value, json};

/// How each line of a view starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbers {
    None,
    /// `     1→`
    Arrow,
    /// `1<tab>`
    Tab,
    /// `     1<tab>`, as `cat -n` and `nl` print.
    PaddedTab,
    /// `00001| `
    Bar,
}

/// The lines of the file that a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    All,
    Head,
    Middle,
}

/// How a tool brings a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) tool: &'static str,
    /// The arguments, in which `NAME` is the name of the file.
    pub(crate) arguments: &'static str,
    /// What the tool puts around the file.
    pub(crate) around: (&'static str, &'static str),
    pub(crate) numbers: Numbers,
    pub(crate) lines: Lines,
}

const HEAD_LINES: usize = 150;

const fn form(name: &'static str, tool: &'static str, arguments: &'static str) -> Form {
    Form { name, tool, arguments, around: ("", ""), numbers: Numbers::None, lines: Lines::All }
}

const fn numbered(name: &'static str, tool: &'static str, arguments: &'static str, numbers: Numbers) -> Form {
    Form { numbers, ..form(name, tool, arguments) }
}

const fn part(name: &'static str, tool: &'static str, arguments: &'static str, lines: Lines) -> Form {
    Form { lines, ..form(name, tool, arguments) }
}

const fn wrapped(
    name: &'static str,
    tool: &'static str,
    arguments: &'static str,
    around: (&'static str, &'static str),
) -> Form {
    Form { around, ..form(name, tool, arguments) }
}

const READ: &str = r#"{"file_path":"/work/lib/NAME"}"#;

pub(crate) const FORMS: [Form; 24] = [
    form("fetch", "fetch", r#"{"url":"https://example.org/raw/main/NAME"}"#),
    form("cat", "Bash", r#"{"command":"cd /work && cat lib/NAME"}"#),
    form("sed-all", "Bash", r#"{"command":"sed -n '1,9000p' lib/NAME"}"#),
    form("git-show", "Bash", r#"{"command":"git show HEAD~2:lib/NAME"}"#),
    form("git-blob", "Bash", r#"{"command":"git cat-file -p 8d7f3c1"}"#),
    form("curl", "Bash", r#"{"command":"curl -sL https://example.org/raw/main/NAME"}"#),
    form("pipe", "Bash", r#"{"command":"gh api repos/o/r/contents/x --jq .content | base64 -d"}"#),
    form("argv", "shell", r#"{"command":["bash","-lc","cat lib/NAME"]}"#),
    form("read", "Read", READ),
    form("mcp", "mcp__depot__load", r#"{"id":7}"#),
    form("mcp-empty", "mcp__editor__selection", "{}"),
    form("mcp-path", "mcp__github__get_file_contents", r#"{"owner":"o","repo":"r","path":"lib/NAME"}"#),
    part("head", "Bash", r#"{"command":"head -n 150 lib/NAME"}"#, Lines::Head),
    part("sed-middle", "Bash", r#"{"command":"sed -n '150,420p' lib/NAME"}"#, Lines::Middle),
    part("mcp-head", "mcp__depot__load", r#"{"id":7,"count":150}"#, Lines::Head),
    numbered("read-arrow", "Read", READ, Numbers::Arrow),
    numbered("read-tab", "Read", READ, Numbers::Tab),
    numbered("read-bar", "read", r#"{"filePath":"/work/lib/NAME"}"#, Numbers::Bar),
    numbered("cat-n", "Bash", r#"{"command":"cat -n lib/NAME"}"#, Numbers::PaddedTab),
    numbered("mcp-numbered", "mcp__depot__load", r#"{"id":7}"#, Numbers::PaddedTab),
    wrapped(
        "exec",
        "exec_command",
        r#"{"cmd":"cat lib/NAME"}"#,
        ("Chunk ID: 8f2c1a\nWall time: 0.0512 seconds\nProcess exited with code 0\nOutput:\n", ""),
    ),
    wrapped(
        "exit",
        "execute_bash",
        r#"{"command":"cat lib/NAME"}"#,
        ("", "\n[The command completed with exit code 0.]\n[Current working directory: /work]"),
    ),
    wrapped(
        "envelope",
        "read_file",
        r#"{"path":"lib/NAME"}"#,
        ("<path>lib/x</path>\n<type>file</type>\n<content>\n", "\n</content>"),
    ),
    wrapped("mcp-envelope", "mcp__depot__load", r#"{"id":7}"#, ("File 7, revision 12:\n\n", "\n")),
];

impl Form {
    /// The arguments of the call that brings this file.
    pub(crate) fn call(&self, file: &str) -> (&'static str, Value) {
        let name = serde_json::to_string(file).unwrap();
        let arguments = self.arguments.replace("NAME", name.trim_matches('"'));
        (self.tool, serde_json::from_str(&arguments).unwrap_or_else(|_| json!({})))
    }

    /// Whether the call names the file.
    pub(crate) fn names(&self) -> bool {
        self.arguments.contains("NAME")
    }

    /// The lines that the view shows.
    pub(crate) fn lines<'f>(&self, file: &'f str) -> &'f str {
        let all = file.lines().count();
        let (from, to) = match self.lines {
            Lines::All => return file,
            Lines::Head => (0, HEAD_LINES),
            Lines::Middle => (all / 3, all / 3 + 270),
        };
        let length = |lines: usize| file.split_inclusive('\n').take(lines).map(str::len).sum::<usize>();
        &file[length(from)..length(to)]
    }

    /// The result with these lines.
    pub(crate) fn text(&self, lines: &str) -> String {
        let number = |(line, number): (&str, usize)| match self.numbers {
            Numbers::None => format!("{line}\n"),
            Numbers::Arrow => format!("{number:>6}→{line}\n"),
            Numbers::Tab => format!("{number}\t{line}\n"),
            Numbers::PaddedTab => format!("{number:>6}\t{line}\n"),
            Numbers::Bar => format!("{number:05}| {line}\n"),
        };
        let body = match self.numbers {
            Numbers::None => lines.to_owned(),
            _ => lines.lines().zip(1..).map(number).collect(),
        };
        format!("{}{body}{}", self.around.0, self.around.1)
    }

    /// The code in what the model sees of the result.
    pub(crate) fn code(&self, shown: &str) -> String {
        let shown = shown.strip_prefix(self.around.0).unwrap_or(shown);
        let shown = shown.strip_suffix(self.around.1).unwrap_or(shown);
        let between = match self.numbers {
            Numbers::None => return shown.to_owned(),
            Numbers::Arrow => "→",
            Numbers::Tab | Numbers::PaddedTab => "\t",
            Numbers::Bar => "| ",
        };
        let bare = |line: &str| match line.trim_start_matches(' ').split_once(between) {
            Some((number, rest)) if is_number(number) => rest.to_owned(),
            _ if line == "[headroom: every 10th line number shown]" => String::new(),
            _ => line.to_owned(),
        };
        shown.lines().map(|line| bare(line) + "\n").collect()
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
