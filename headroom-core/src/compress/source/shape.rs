//! How source code looks at a glance, whatever its language.

use super::{Comment, words};
use crate::{
    ContentKind,
    compress::{language::Language, prose},
    text::{lines, starts::Starts},
};

/// Percentages of lines that only a program has: in what is one, and in what is nothing else.
const MOSTLY_PROGRAM: usize = 45;
const NOTHING_ELSE: usize = 60;

/// The percentage of lines that only a program has, in what may be one.
const SOME_PROGRAM: usize = 12;
/// Lines at the start and at the end that show a frame of code.
const FRAME_LINES: usize = 12;
/// Number of lines examined for programs, evenly spread.
const SAMPLE: usize = 400;
const COMMENTS: [Comment; 4] = [("// ", ""), ("# ", ""), ("-- ", ""), ("/* ", " */")];

/// Whether a text that was taken for this kind, and that nothing names, looks like code.
pub(super) fn is_like_code(kind: ContentKind, text: &str) -> bool {
    use ContentKind::{Listing, Log, Prose, Table, Text};
    let is_framed_log = kind == Log && is_framed(text) && !lists_changes(text);
    let least = if kind == Log && !is_framed_log { NOTHING_ELSE } else { MOSTLY_PROGRAM };
    let by_frame = || match kind {
        Listing | Table => is_framed(text) || is_bracketed(text),
        // Output of commands may hold JSON below headings.
        Text => is_framed(text) && !lines::split(text).any(|line| line.starts_with(['{', '['])),
        Prose => is_framed(text) && !prose::is_prose(text),
        Log => is_framed_log && is_program(text),
        _ => false,
    };
    program_share(text) >= least || is_here_document(text) || by_frame()
}

/// Whether a text starts and ends like code at a glance, or most of its lines look like statements. Words in lines of their
/// own would parse too.
pub(super) fn may_be_code(text: &str) -> bool {
    (is_between_signs(text) || !is_json_lines(text) && are_statements(text)) && !is_labelled_json(text)
}

/// Whether a text is JSON behind a label or below one, `Output: [`, which is a statement of JavaScript too.
fn is_labelled_json(text: &str) -> bool {
    const MAX_LABEL_BYTES: usize = 80;
    let Some((label, value)) = text.find(['{', '[']).and_then(|at| text.split_at_checked(at)) else {
        return false;
    };
    let is_label = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_-.:".contains(c);
    label.len() <= MAX_LABEL_BYTES
        && label.trim_end().ends_with(':')
        && label.chars().all(is_label)
        && headroom_json::is_plausible(value)
}

/// Whether the start of a text may be code in this language, and the text has the signs that no file in it lacks. It is much
/// faster to see that than to parse.
pub(super) fn may_be_in(text: &str, language: Language) -> bool {
    use Language::{C, CSharp, Cpp, Java, JavaScript, Rust, Tsx};
    let Some(line) = lines::split(text).map(str::trim).find(|line| !line.is_empty()) else { return false };
    let may_start = match line.chars().next() {
        Some('<') => matches!(language, JavaScript | Tsx),
        Some(c) => c.is_alphabetic() || "_#/\"'`@$({[;*".contains(c),
        None => false,
    };
    let has_signs = || !matches!(language, C | CSharp | Cpp | Java | Rust) || text.contains([';', '{']);
    may_start && has_signs() && !is_field(line) && !words::have_sentence(text, language)
}

/// Whether a line is a name of several words, a colon and a value, such as `Exit code: 0` above the output of a program. No
/// language whose parser refuses anything has that: labels and keys are one word.
pub(crate) fn is_field(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let mut words = name.split(' ');
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_capital = |word: &str| word.strip_prefix(|c: char| c.is_ascii_uppercase()).is_some_and(is_word);
    words.next().is_some_and(is_capital)
        && words.clone().next().is_some()
        && words.all(is_word)
        && value.starts_with([' ', '\t'])
}

/// Whether a text has fences of Markdown, and nothing that may hold them in a script.
pub(super) fn has_fences(text: &str) -> bool {
    let has = |start: &str| text.starts_with(start) || text.contains(&format!("\n{start}"));
    has("```") && !has("=") && !text.contains("<<")
}

/// Whether a text starts and ends like code, at a glance.
pub(super) fn is_between_signs(text: &str) -> bool {
    const OPENINGS: [&str; 9] = ["\"\"\"", "#", "/*", "//", "from ", "import ", "package ", "use ", "using "];
    let opens = |line: &str| {
        line.ends_with(['{', '(', '[', ';']) || OPENINGS.iter().any(|opening| line.starts_with(opening))
    };
    let closes = |line: &str| line.ends_with(['}', ')', ']', ';']) || line.starts_with("//");
    let mut lines = lines::split(text).map(str::trim).filter(|line| !line.is_empty());
    lines.next().is_some_and(opens) && lines.next_back().is_some_and(closes)
}

/// Whether most lines assign something, or end as lines of code do.
fn are_statements(text: &str) -> bool {
    const ENDS: [char; 10] = ['{', '}', '(', ')', '[', ']', ',', ';', ':', '\\'];
    let lines: Vec<&str> = lines::split(text).map(str::trim).filter(|line| !line.is_empty()).collect();
    let step = lines.len().div_ceil(SAMPLE).max(1);
    let sample = || lines.iter().step_by(step);
    let is_one = |line: &&&str| line.ends_with(ENDS) || line.contains('=');
    sample().filter(is_one).count() * 2 > sample().count()
}

/// Whether most of a text is in here-documents, whose lines may look like anything: `return <<'END';` and a line `END`.
pub(super) fn is_here_document(text: &str) -> bool {
    const MAX_LINE_BYTES: usize = 200;
    if memchr::memmem::find(text.as_bytes(), b"<<").is_none() {
        return false;
    }
    let is_part = |c: char| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit();
    // The rest of the statement, and a comment, may follow.
    let opened = |line: &'_ str| {
        let (_, rest) = line.get(..line.len().min(MAX_LINE_BYTES))?.rsplit_once("<<")?;
        let rest = rest.trim_start_matches(['<', '~', '-', ' ', '"', '\'', '\\']);
        let name = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len()))?;
        (name.len() > 1).then(|| name.to_owned())
    };
    let (mut all, mut inside) = (0_usize, 0_usize);
    let mut open: Option<(String, usize)> = None;
    for line in lines::split(text) {
        all += 1;
        match open.take() {
            Some((name, start)) if line.trim() == name => inside += all - start,
            Some(still) => open = Some(still),
            None => open = opened(line).map(|name| (name, all)),
        }
    }
    inside * 2 > all
}

/// Whether a text has documentation of Perl between its statements.
pub(super) fn has_pod(text: &str) -> bool {
    let starts = |start: &str| text.starts_with(start) || text.contains(&format!("\n{start}"));
    starts("=cut") && (starts("=head") || starts("=pod") || starts("=over")) && text.contains(';')
}

/// Whether most lines of a text are objects of JSON. What their strings hold says nothing about the text.
pub(super) fn is_json_lines(text: &str) -> bool {
    let is_object = |line: &&str| line.starts_with("{\"") && line.ends_with('}');
    let lines = || lines::split(text).map(str::trim).filter(|line| !line.is_empty());
    lines().filter(is_object).count() * 2 >= lines().count().max(1)
}

/// Whether a text starts with a comment and ends with what closes a list or a text in code.
pub(in crate::compress) fn is_framed(text: &str) -> bool {
    const OPENINGS: [&str; 6] = ["\"\"\"", "#", "--", "/*", "//", ";;"];
    const CLOSINGS: [&str; 10] = [")", ");", "1;", "END", "EOF", "]", "];", "end", "}", "};"];
    let lines = || lines::split(text).map(str::trim).filter(|line| !line.is_empty());
    let starts = lines().take(FRAME_LINES).any(|line| OPENINGS.iter().any(|open| line.starts_with(open)));
    starts && lines::split(text).rev().map(str::trim).take(FRAME_LINES).any(|line| CLOSINGS.contains(&line))
}

/// Whether many lines say what is added, changed or removed, as those of a plan do, which looks like code otherwise.
pub(in crate::compress) fn lists_changes(text: &str) -> bool {
    const SIGNS: [&str; 4] = ["~ ", "+ ", "- ", "-/+ "];
    let lines = || lines::split(text).map(str::trim_start).filter(|line| !line.is_empty());
    let changes = lines().filter(|line| SIGNS.iter().any(|sign| line.starts_with(sign))).count();
    changes * 8 >= lines().count().max(1)
}

/// Whether a text is in brackets from its first line to its last.
fn is_bracketed(text: &str) -> bool {
    let mut lines = lines::split(text).map(str::trim).filter(|line| !line.is_empty());
    let opens = lines.next().is_some_and(|line| line.ends_with(['{', '[', '(']));
    opens
        && lines.next_back().is_some_and(|line| line.trim_end_matches([';', ',']).ends_with(['}', ']', ')']))
}

/// Whether each brace and each comment that opens in a text closes in it.
pub(super) fn is_balanced(text: &str) -> bool {
    let mut depth = 0_isize;
    for byte in text.bytes() {
        depth += isize::from(byte == b'{') - isize::from(byte == b'}');
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && text.matches("/*").count() == text.matches("*/").count()
}

/// Whether many lines are what only programs have: brackets, keywords, and comments between them.
pub(in crate::compress) fn is_program(text: &str) -> bool {
    program_share(text) >= SOME_PROGRAM
}

/// Returns the percentage of such lines.
fn program_share(text: &str) -> usize {
    static STARTS: Starts<18> = Starts::new([
        "#define ",
        "#if",
        "#include ",
        "*/",
        "/*",
        "//",
        "@media ",
        "class ",
        "def ",
        "fn ",
        "func ",
        "function ",
        "import ",
        "local ",
        "public ",
        "return ",
        "using ",
        "val ",
    ]);
    let all: Vec<&str> = lines::split(text).map(str::trim).filter(|line| !line.is_empty()).collect();
    let step = all.len().div_ceil(SAMPLE).max(1);
    let is_one = |line: &&&str| line.ends_with(['{', '}', ';']) || STARTS.are_at(line);
    let sample = || all.iter().step_by(step);
    sample().filter(is_one).count() * 100 / sample().count().max(1)
}

/// Returns how comments look in a text, if it has some.
pub(super) fn comment_in(text: &str) -> Option<Comment> {
    let count =
        |open: &str| lines::split(text).filter(|line| line.trim_start().starts_with(open.trim_end())).count();
    let counted = COMMENTS.iter().map(|comment| (count(comment.0), *comment));
    let (most, comment) = counted.max_by_key(|(count, _)| *count)?;
    (most > 1).then_some(comment)
}

/// Returns the kind of a bracket, one of three, and whether it opens (1) or closes (-1).
pub(crate) const fn bracket(byte: u8) -> Option<(usize, isize)> {
    match byte {
        b'(' => Some((0, 1)),
        b')' => Some((0, -1)),
        b'[' => Some((1, 1)),
        b']' => Some((1, -1)),
        b'{' => Some((2, 1)),
        b'}' => Some((2, -1)),
        _ => None,
    }
}

/// Whether each bracket and each comment that opens in a text closes in it.
pub(super) fn is_paired(text: &str) -> bool {
    let mut depths = [0_isize; 3];
    for byte in text.bytes() {
        let Some((kind, step)) = bracket(byte) else { continue };
        let Some(depth) = depths.get_mut(kind) else { continue };
        *depth += step;
        if *depth < 0 {
            return false;
        }
    }
    depths == [0; 3] && text.matches("/*").count() == text.matches("*/").count()
}
