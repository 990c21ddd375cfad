//! Tells prose from text that only reads like it.
//!
//! Help texts, logs of commits, diffs, tables, settings and code have sentences too, but a sentence of them is part of
//! a record that means something else without it. Lines are counted by what they look like, and a few that no prose
//! has are enough: where it is not sure that a text is prose, it is not.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use memchr::{memchr, memchr2, memchr3};

use super::outline::{ProseUnit, ProseUnitKind};
use crate::{
    text::{lines, starts::Starts, tally::Tally},
    tuning::tuning,
};

/// Number of lines examined, evenly spread.
const SAMPLE: usize = 2000;
/// Bytes examined of each line.
const MAX_WIDTH: usize = 400;
const HEADINGS: [&str; 6] = ["DESCRIPTION", "ENVIRONMENT", "NAME", "OPTIONS", "SEE ALSO", "SYNOPSIS"];

/// How many lines look like something else than prose.
#[derive(Debug, Default)]
struct Signs {
    lines: usize,
    options: usize,
    code: usize,
    settings: usize,
    columns: usize,
    commits: usize,
    hashes: usize,
    changes: usize,
    markup: usize,
    macros: usize,
    comments: usize,
    /// Whether the previous line starts with `#`: headings have text between them, comments go on.
    was_hash: bool,
    indented: usize,
    headings: usize,
    is_manual: bool,
}

/// Whether a text, split into these units, is prose from start to end.
pub(super) fn is_prose(text: &str, units: &[ProseUnit]) -> bool {
    !Signs::of(text).are_decisive() && is_natural(text, units)
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self::default();
        let mut fence = None;
        let count = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
        let step = count.div_ceil(SAMPLE);
        for (number, line) in lines::split(text).enumerate() {
            let trimmed = line.trim();
            // A block of code in a document is one unit of it.
            match fence {
                Some(mark) if trimmed.starts_with(mark) => fence = None,
                Some(_) => continue,
                None if trimmed.starts_with("```") => fence = Some("```"),
                None if trimmed.starts_with("~~~") => fence = Some("~~~"),
                None if trimmed.is_empty() => signs.was_hash = false,
                None if number % step == 0 => signs.add(line, trimmed),
                None => {}
            }
        }
        signs
    }

    fn add(&mut self, line: &str, trimmed: &str) {
        let end = (0..=MAX_WIDTH.min(trimmed.len())).rev().find(|end| trimmed.is_char_boundary(*end));
        let text = trimmed.get(..end.unwrap_or_default()).unwrap_or_default();
        if self.lines < tuning().genre.first_lines {
            let start = text.get(..6).unwrap_or_default();
            self.is_manual |= start.eq_ignore_ascii_case("usage:") || is_page_name(text);
        }
        self.lines += 1;
        self.indented += usize::from(line.len() - line.trim_start().len() >= tuning().genre.deep_indent);
        self.headings += usize::from(HEADINGS.contains(&line.trim_end()));
        self.options += usize::from(is_option(text));
        self.code += usize::from(is_code(text));
        self.settings += usize::from(is_setting(text));
        self.columns += usize::from(has_columns(text));
        self.commits += usize::from(is_commit(text));
        self.hashes += usize::from(has_hash(text));
        self.changes += usize::from(is_change(text));
        self.markup += usize::from(text.starts_with('<') && text.contains('>'));
        self.macros += usize::from(is_macro(text));
        let is_hash = text.starts_with('#');
        let goes_on = std::mem::replace(&mut self.was_hash, is_hash) && is_hash;
        self.comments +=
            usize::from(goes_on || ["//", "--", ";", "%", "/*"].iter().any(|mark| text.starts_with(mark)));
    }

    fn are_decisive(&self) -> bool {
        let genre = &tuning().genre;
        let reach = |count: usize, least: usize, percent: usize| {
            count >= least && count * 100 >= self.lines * percent
        };
        self.is_manual
            || self.headings > 1
            || self.commits > 1
            || self.changes > 1
            || reach(self.options, genre.min_signs, genre.options)
            || reach(self.code, genre.min_signs, genre.code)
            || reach(self.macros, genre.min_signs, genre.macros)
            || reach(self.hashes, genre.min_signs, genre.hashes)
            || reach(self.comments, genre.min_signs, genre.comments)
            || reach(self.settings, genre.min_signs, genre.settings)
            || reach(self.columns, genre.min_rows, genre.columns)
            || reach(self.markup, genre.min_signs, genre.markup)
            || reach(self.indented, genre.min_indented, genre.indented)
    }
}

/// Whether most of the text outside code and tables is words of a natural language, in lines of several.
fn is_natural(text: &str, units: &[ProseUnit]) -> bool {
    let (mut natural, mut all) = (0, 0);
    for unit in units {
        if matches!(unit.kind, ProseUnitKind::Code | ProseUnitKind::Table | ProseUnitKind::Heading) {
            continue;
        }
        all += unit.bytes.len();
        let said = text.get(unit.bytes.clone()).unwrap_or_default();
        let end = said.char_indices().nth(MAX_WIDTH).map_or(said.len(), |(end, _)| end);
        let tally = Tally::of(said.get(..end).unwrap_or_default());
        // Some scripts have no spaces.
        let has_words = tally.wide * 3 > tally.chars
            || said.split_whitespace().take(tuning().genre.min_words).count() == tuning().genre.min_words;
        let letters = tally.letters + tally.spaces + tally.breaks;
        if has_words && letters * 100 >= tally.chars * tuning().genre.min_letters {
            natural += unit.bytes.len();
        }
    }
    natural * 100 >= all * tuning().genre.min_natural && natural > 0
}

/// Whether a line is the head of a manual page: `GIT-LOG(1)`.
fn is_page_name(text: &str) -> bool {
    let Some((name, rest)) = text.split_once('(') else { return false };
    let Some((section, _)) = rest.split_once(')') else { return false };
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_.+:-".contains(&byte))
        && section.starts_with(|c: char| c.is_ascii_digit())
        && section.len() <= 4
}

/// Whether a line starts with `-o` or `--out`.
fn is_option(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('-') else { return false };
    rest.strip_prefix('-').unwrap_or(rest).starts_with(|c: char| c.is_ascii_alphabetic() || c == '?')
}

/// Whether a line is like a statement, a declaration or a comment, more surely than by a word that it starts with.
fn is_code(text: &str) -> bool {
    static STARTS: Starts<16> = Starts::new([
        "#!",
        "#define ",
        "#else",
        "#endif",
        "#if ",
        "#ifdef ",
        "#ifndef ",
        "#include ",
        "#pragma ",
        "$ ",
        "*/",
        "/*",
        "//",
        ">>> ",
        "<?",
        "@@ ",
    ]);
    text.ends_with(['{', ';'])
        || text.ends_with('}') && !ends_with_note(text)
        || matches!(text, ")" | "]" | "):" | "]," | ")," | "end" | "fi" | "done" | "esac")
        || STARTS.are_at(text)
        || holds_code(text)
        || memchr(b'=', text.as_bytes()).is_some() && text.contains(" = ") && !text.ends_with('.')
        || text.ends_with("):") && text.contains('(')
        || is_definition(text)
}

/// Whether a line holds what only code does.
fn holds_code(text: &str) -> bool {
    const PARTS: [&str; 15] = [
        " != ", " && ", " += ", " := ", " == ", " => ", " || ", "();", "() {", "){", "->", "::", "</", "[i]",
        "${",
    ];
    static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(PARTS).ok());
    let bytes = text.as_bytes();
    // Each part has one of these, and hardly any line does.
    let may_hold = memchr3(b'=', b'&', b'|', bytes).is_some()
        || memchr3(b')', b'>', b':', bytes).is_some()
        || memchr3(b'/', b']', b'{', bytes).is_some();
    may_hold && FINDER.as_ref().is_some_and(|finder| finder.is_match(text))
}

/// Whether a line ends with a word in braces, as transcripts mark a sound.
fn ends_with_note(text: &str) -> bool {
    let note = text.rsplit_once('{').map(|(_, rest)| rest.trim_end_matches('}'));
    note.is_some_and(|note| !note.is_empty() && note.chars().all(char::is_alphanumeric))
}

/// Whether a line starts a definition: a keyword, a name and a bracket.
fn is_definition(text: &str) -> bool {
    const WORDS: [&str; 9] = ["class", "def", "fn", "fun", "func", "function", "import", "sub", "public"];
    let mut words = text.splitn(3, ' ');
    let (Some(first), Some(second)) = (words.next(), words.next()) else { return false };
    WORDS.contains(&first) && second.contains(['(', '{', ':', '.'])
}

/// Whether a line is `key: value`, `key = value`, `key:` or `[section]`.
fn is_setting(text: &str) -> bool {
    if text.starts_with('[') && text.ends_with(']') && !text.contains(". ") {
        return true;
    }
    let text = text.strip_prefix("- ").unwrap_or(text);
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-./\"'".contains(c);
    let rest = text.trim_start_matches(is_key);
    let key = text.len() - rest.len();
    let rest = rest.trim_start();
    let Some(value) = rest.strip_prefix([':', '=']) else { return false };
    let starts =
        text.starts_with(|c: char| c.is_ascii_lowercase() || "_\"'".contains(c)) || rest.starts_with('=');
    key > 0 && starts && (value.is_empty() || rest.starts_with('=') || value.starts_with(' ')) && {
        value.split_whitespace().count() <= 6
    }
}

/// Whether cells stand apart within the line. Two spaces after a sentence are none.
fn has_columns(text: &str) -> bool {
    memchr(b'\t', text.as_bytes()).is_some()
        || double_spaces(text).any(|at| {
            text.get(..at)
                .is_some_and(|before| !before.ends_with(['.', '?', '!', ':', ';', '"', '”', ')', ' ']))
        })
}

/// Returns where two spaces are side by side, each space in one pair.
fn double_spaces(text: &str) -> impl Iterator<Item = usize> {
    let mut free = 0;
    text.as_bytes().windows(2).enumerate().filter_map(move |(at, pair)| {
        let is_one = pair == b"  " && at >= free;
        if is_one {
            free = at + 2;
        }
        is_one.then_some(at)
    })
}

/// Whether a line belongs to the head of a commit or a revision.
fn is_commit(text: &str) -> bool {
    static STARTS: Starts<9> = Starts::new([
        "Author:",
        "AuthorDate:",
        "Co-authored-by:",
        "Commit:",
        "CommitDate:",
        "Date:   ",
        "Signed-off-by:",
        "changeset:",
        "Merge: ",
    ]);
    let hash = text.strip_prefix("commit ").or_else(|| text.strip_prefix("From "));
    let is_revision = || {
        let number = text.strip_prefix('r').unwrap_or_default();
        let rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
        rest.len() < number.len() && rest.starts_with(" | ")
    };
    hash.is_some_and(has_hash) || STARTS.are_at(text) || is_revision()
}

/// Whether a line starts with a commit's hash, behind the lines of a graph.
fn has_hash(text: &str) -> bool {
    let text = text.trim_start_matches(['*', '|', '/', '\\', '_', ' ']);
    let hash = text.bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')).count();
    let word = text.get(..hash).unwrap_or_default();
    let is_whole = text.get(hash..).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    (7..=64).contains(&hash) && is_whole && word.contains(|c: char| c.is_ascii_digit())
}

/// Whether a line belongs to a diff, also to one by words.
fn is_change(text: &str) -> bool {
    static STARTS: Starts<5> = Starts::new(["@@ -", "diff --git ", "--- a/", "+++ b/", "Index: "]);
    let pair = |open: &str, close: &str| text.split_once(open).is_some_and(|(_, rest)| rest.contains(close));
    let may_have_pair = || memchr2(b'{', b'[', text.as_bytes()).is_some();
    STARTS.are_at(text) || may_have_pair() && (pair("{+", "+}") || pair("[-", "-]"))
}

/// Whether a line is a command of TeX or roff.
fn is_macro(text: &str) -> bool {
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('\\'), Some(next), _) => next.is_ascii_alphabetic(),
        (Some('.'), Some(a), Some(b)) => a.is_ascii_uppercase() && b.is_ascii_alphabetic(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
