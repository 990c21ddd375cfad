//! Recognises headers: lines that name what the lines below them belong to.

use super::body::Body;
use crate::{relevance::test_result::TestResult, tuning::tuning};

/// How a header is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HeadingStyle {
    /// `==> name <==`
    Arrows,
    /// `--- name`, `=== name ===`, `## name`, `>>> host`, by its character and how often it stands there
    Marks(u8, u8),
    /// `TASK [name] ****`, by its character
    Trail(u8),
    /// `name` above `-----`
    Underlined,
    /// `##[group]name`, `::group::name`
    Group,
    /// `[2/7] name`, `Step 3/12 : name`
    Step,
    /// `$ command`, `user@host:~$ command`
    Prompt,
    /// `FAIL: name`, `● name`
    Failure,
    /// `=== RUN   name`
    TestRun,
    /// `[name]`
    Brackets,
    /// `name:`
    Colon,
    /// A line of one shape, without the time that the other lines have; by its level, from the outermost
    Bare(u8),
}

impl HeadingStyle {
    /// Whether the style says by itself that this is a header.
    pub(crate) const fn is_plain(self) -> bool {
        !matches!(self, Self::TestRun | Self::Brackets | Self::Colon | Self::Bare(_))
    }
}

/// Returns the style of a header and its name, given the lines from it on.
pub(super) fn heading<'t>(lines: &[Body<'t>]) -> Option<(HeadingStyle, &'t str)> {
    let (line, below) = lines.split_first()?;
    let text = line.bare();
    if text.is_empty() || text.len() > tuning().records.max_header_bytes {
        return None;
    }
    let first = text.bytes().next()?;
    if matches!(first, b'=' | b'-' | b'[' | b'#')
        && let Some(result) = TestResult::parse(text.as_bytes())
    {
        return (result == TestResult::Began).then_some((HeadingStyle::TestRun, text));
    }
    match first {
        b'\xe2' => failure(text),
        b'$' | b'%' | b'>' | b'+' if line.indent() == 0 && text.get(1..2) == Some(" ") => {
            (first != b'+' && named(text.get(2..)?)).then_some((HeadingStyle::Prompt, text))
        }
        b'[' => step(text).or_else(|| brackets(text).filter(|_| line.indent() == 0)),
        _ if line.indent() > 2 => None,
        b'=' | b'-' | b'#' | b'*' | b'>' | b'~' | b'+' | b'_' | b':' | b'<' => {
            group(text).or_else(|| failure(text)).or_else(|| arrows(text)).or_else(|| marks(text))
        }
        _ if line.indent() > 0 => failure(text),
        _ => words(line, below),
    }
}

/// Returns the style of a header that starts with a word.
fn words<'t>(line: &Body<'t>, below: &[Body<'t>]) -> Option<(HeadingStyle, &'t str)> {
    let text = line.text;
    let by_start = match text.bytes().next()? {
        b'E' | b'F' => failure(text),
        b'S' | b'P' => step(text),
        _ => None,
    };
    let by_end = || match text.bytes().next_back()? {
        b':' => colon(text, below.first()),
        b'*' | b'=' | b'-' | b'_' => trail(text),
        _ => None,
    };
    by_start.or_else(by_end).or_else(|| prompt(text)).or_else(|| underlined(line, below))
}

/// Whether a text says something.
fn named(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphanumeric() || byte >= 0x80)
}

fn group(text: &str) -> Option<(HeadingStyle, &str)> {
    const OPENINGS: [&str; 5] =
        ["##[group]", "##[section]", "::group::", "##teamcity[blockOpened", "--- group "];
    let name = OPENINGS.iter().find_map(|opening| text.strip_prefix(opening))?;
    Some((HeadingStyle::Group, name.trim()))
}

fn arrows(text: &str) -> Option<(HeadingStyle, &str)> {
    let name = text.strip_prefix("==>")?;
    let name = name.strip_suffix("<==").unwrap_or(name).trim();
    named(name).then_some((HeadingStyle::Arrows, name))
}

/// `--- name`, also with the same characters behind it
fn marks(text: &str) -> Option<(HeadingStyle, &str)> {
    let mark = text.bytes().next()?;
    let count = text.bytes().take_while(|byte| *byte == mark).count();
    let name = text.get(count..)?;
    // One `#` or `>` opens a comment or a quote, one `-`, `*` or `+` an item.
    let enough = count > 1 || mark == b'#';
    let name = name.strip_prefix(' ').filter(|_| enough)?.trim_end_matches(char::from(mark)).trim();
    let short = name.split_ascii_whitespace().count() <= tuning().records.max_title_words;
    // A rule of a table.
    let says = named(name) && short && !name.starts_with(['|', '=']);
    says.then(|| (HeadingStyle::Marks(mark, u8::try_from(count.min(9)).unwrap_or(9)), name))
}

/// `TASK [name] ****`
fn trail(text: &str) -> Option<(HeadingStyle, &str)> {
    let mark = text.bytes().next_back().filter(|mark| matches!(mark, b'*' | b'=' | b'-' | b'_'))?;
    let name = text.trim_end_matches(char::from(mark));
    let is_rule = text.len() - name.len() >= 3 && name.ends_with(' ');
    (is_rule && named(name)).then(|| (HeadingStyle::Trail(mark), name.trim()))
}

/// Whether a line is a rule of one character.
pub(super) fn is_rule(text: &str) -> bool {
    let Some(mark) =
        text.bytes().next().filter(|mark| matches!(mark, b'-' | b'=' | b'*' | b'~' | b'_' | b'#'))
    else {
        return false;
    };
    text.len() >= 4 && text.bytes().all(|byte| byte == mark)
}

/// A name above a rule, unless the rule is the first of two around the next name
fn underlined<'t>(line: &Body<'t>, below: &[Body<'t>]) -> Option<(HeadingStyle, &'t str)> {
    let is_rule = |at: usize| below.get(at).is_some_and(|line| is_rule(line.text));
    let is_one = !line.is_event && is_rule(0) && !is_rule(2) && named(line.text);
    is_one.then_some((HeadingStyle::Underlined, line.text))
}

/// `[2/7] name`, `Step 3/12 : name`, `Stage 2/3: name`
fn step(text: &str) -> Option<(HeadingStyle, &str)> {
    let rest = match text.strip_prefix('[') {
        Some(rest) => rest.trim_start(),
        None => ["Step ", "STEP ", "Stage ", "Phase "].iter().find_map(|word| text.strip_prefix(word))?,
    };
    let number = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let first = number(rest);
    let rest = rest.get(first..).filter(|_| first > 0)?.strip_prefix('/')?;
    let second = number(rest);
    let name = rest.get(second..).filter(|_| second > 0)?;
    let name = name.trim_start_matches([']', ':', ' ']);
    named(name).then_some((HeadingStyle::Step, text))
}

/// `user@host:~/src$ command`, `PS C:\> command`
fn prompt(text: &str) -> Option<(HeadingStyle, &str)> {
    if !text.starts_with("PS ") && memchr::memchr(b'@', text.as_bytes()).is_none() {
        return None;
    }
    let first = text.split(' ').next()?;
    let shell = first.contains('@') && first.contains(':') && first.ends_with(['$', '#', '%']);
    let power = first == "PS" && text.contains("> ");
    ((shell && text.len() > first.len()) || power).then_some((HeadingStyle::Prompt, text))
}

/// The head of what a test runner says about one failure.
fn failure(text: &str) -> Option<(HeadingStyle, &str)> {
    const STARTS: [&str; 7] =
        ["FAIL: ", "ERROR: ", "--- FAIL: ", "\u{25cf} ", "FAIL ", "FAILED ", "Failures:"];
    STARTS.iter().any(|start| text.starts_with(start)).then_some((HeadingStyle::Failure, text))
}

/// `[name]`, as in configuration files
fn brackets(text: &str) -> Option<(HeadingStyle, &str)> {
    let name = text.strip_prefix('[')?.strip_suffix(']')?;
    let says = named(name) && !name.contains(['[', ']', ',', '"', '{']);
    says.then(|| (HeadingStyle::Brackets, name.trim()))
}

/// `name:`, above a line that is not empty
fn colon<'t>(text: &'t str, after: Option<&Body<'t>>) -> Option<(HeadingStyle, &'t str)> {
    let name = text.strip_suffix(':')?;
    let short = name.len() <= tuning().records.max_key_bytes
        && name.split_ascii_whitespace().count() <= tuning().records.max_header_words;
    let says = named(name) && !name.contains(": ") && !name.contains(['(', '{', '"', '=']);
    let is_one = short && says && after.is_some_and(|after| !after.is_blank());
    is_one.then_some((HeadingStyle::Colon, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(text: &str) -> Option<(HeadingStyle, &str)> {
        heading(&super::super::body::bodies(&[text, "below"]))
    }

    #[test]
    fn headers_of_many_programs_are_known() {
        for (text, name) in [
            ("==> /var/log/a.log <==", "/var/log/a.log"),
            ("--- web-1", "web-1"),
            ("=== db-2 ===", "db-2"),
            ("## eu-west", "eu-west"),
            (">>> host-7.example.org", "host-7.example.org"),
            ("----- step one -----", "step one"),
            ("____________ test_one ____________", "test_one"),
            ("*** router 4 ***", "router 4"),
            ("TASK [copy files] *********************", "TASK [copy files]"),
            ("PLAY RECAP ****", "PLAY RECAP"),
            ("##[group]Run make", "Run make"),
            ("::group::Install", "Install"),
            ("[2/7] Linking", "[2/7] Linking"),
            ("Step 3/12 : RUN make", "Step 3/12 : RUN make"),
            ("$ cat a.txt", "$ cat a.txt"),
            ("ada@box:~/src$ ls", "ada@box:~/src$ ls"),
            ("FAIL: test_a (b.C)", "FAIL: test_a (b.C)"),
            ("\u{25cf} cart \u{203a} adds", "\u{25cf} cart \u{203a} adds"),
            ("web-1:", "web-1"),
            ("[web-1]", "web-1"),
        ] {
            assert_eq!(style(text).map(|(_, name)| name), Some(name), "{text}");
        }
    }

    #[test]
    fn other_lines_are_no_headers() {
        for text in [
            "",
            "a line",
            "- an item",
            "* an item",
            "-----",
            "======",
            "+ set -x",
            "key: value",
            "def f(x):",
            "--flag=value",
            "#include <stdio.h>",
            "2026-06-01T10:00:00Z INFO x",
            "|---|---|",
        ] {
            assert_eq!(style(text), None, "{text}");
        }
    }
}
