//! Tells sentences from statements without a parser.

use crate::{compress::language::Language, text::lines};

/// So many words in a row, with nothing but single spaces between them, are a sentence: no language has so many names side by
/// side outside of comments and strings.
const SENTENCE: usize = 5;
/// Lines that are looked at.
const MAX_LINES: usize = 200;
/// Words of which some languages have many in a row: queries in C#, conditions in Python, modifiers.
const KEYWORDS: [&str; 40] = [
    "abstract",
    "and",
    "as",
    "async",
    "await",
    "by",
    "class",
    "const",
    "declare",
    "equals",
    "export",
    "extends",
    "final",
    "for",
    "from",
    "global",
    "group",
    "if",
    "implements",
    "in",
    "inline",
    "int",
    "into",
    "is",
    "join",
    "let",
    "long",
    "not",
    "on",
    "or",
    "orderby",
    "private",
    "public",
    "select",
    "static",
    "struct",
    "unsigned",
    "virtual",
    "volatile",
    "where",
];
/// Opens a string of several lines in Go and JavaScript.
const BACKTICK: char = '`';

/// Whether a text starts with a sentence that cannot be code in this language, one of those that refuse most texts: a sentence
/// before anything that may begin a comment or a string of several lines.
pub(crate) fn have_sentence(text: &str, language: Language) -> bool {
    let has_markup = matches!(language, Language::JavaScript | Language::Tsx);
    for line in lines::split(text).take(MAX_LINES).map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with(['#', '*']) || line.starts_with("//") {
            // To the end of the line. A directive may go on in the next one.
            if line.ends_with('\\') {
                return false;
            }
        } else if may_go_on(line, has_markup) {
            return false;
        } else if is_sentence(line) {
            return true;
        }
    }
    false
}

/// Whether a comment, a string or a macro that begins in this line may hold what follows.
fn may_go_on(line: &str, has_markup: bool) -> bool {
    let is_opening =
        |at: usize| line.get(at + 1..).is_some_and(|rest| rest.trim_start().starts_with(['(', '[', '{']));
    line.matches('"').count() % 2 == 1
        || line.contains(BACKTICK)
        || ["\"\"\"", "/*", "<<"].iter().any(|sign| line.contains(sign))
        || line.ends_with('\\')
        || line.match_indices('!').any(|(at, _)| is_opening(at))
        || has_markup && line.contains('<')
        || quotes(line) % 2 == 1
}

/// Counts the apostrophes of a line that are in no word: those that may be around strings.
fn quotes(line: &str) -> usize {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphabetic);
    let bytes = line.as_bytes();
    let in_word = |at: usize| at > 1 && is_letter(bytes.get(at - 1)) && is_letter(bytes.get(at - 2));
    line.match_indices('\'').filter(|(at, _)| !in_word(*at)).count()
}

/// Whether a line has many words in a row, and no sign that only code has.
fn is_sentence(line: &str) -> bool {
    let comment = ["//", "#"].iter().filter_map(|sign| line.find(sign)).min();
    let line = line.get(..comment.unwrap_or(line.len())).unwrap_or_default();
    if quotes(line) > 0 || line.contains(['=', '(', ')', '{', '}', '[', ']', ';', '<', '>', '|', '\\', '"']) {
        return false;
    }
    let mut row = 0;
    line.split(' ').any(|word| {
        let is_word = word.len() > 1 && word.chars().all(char::is_alphabetic) && !KEYWORDS.contains(&word);
        row = if is_word { row + 1 } else { 0 };
        row >= SENTENCE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_told_from_code() {
        for text in [
            "The library has no state of its own and may be shared.\n",
            "300.\n* a list of `x` things\n\nSome people would rather leave now\n",
            "Notes\n\nIt's what people's programs usually print before anything else happens\n",
        ] {
            assert!(have_sentence(text, Language::Rust), "{text}");
        }
        let sentence = "The library will never have any state";
        for code in [
            format!("# {sentence}\nimport os\n"),
            format!("\"\"\"\n{sentence}\n\"\"\"\n"),
            format!("/*\n {sentence}\n*/\nint x;\n"),
            format!("say! {{\n    {sentence}\n}}\n"),
            "var q = from order in orders where order.Late select order;\n".to_owned(),
            format!("const t = `\n{sentence}\n`;\n"),
            format!("#define TEXT \\\n {sentence}\n"),
            format!("let s = \"\n{sentence}\n\";\n"),
            format!("const E = {{\n    Late: '{sentence}',\n}};\n"),
            format!("enum Place {{\n    Here, // {sentence}\n}};\n"),
        ] {
            assert!(!have_sentence(&code, Language::CSharp), "{code}");
        }
        let markup = format!("return (\n<p>\n{sentence}\n</p>\n)\n");
        assert!(!have_sentence(&markup, Language::Tsx) && have_sentence(&markup, Language::Go));
    }
}
