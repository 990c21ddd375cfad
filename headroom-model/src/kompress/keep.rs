//! Protects words from being left out, whatever their score.

use super::words::Word;

/// Negations. The word right after one is kept too, or something else would be negated.
const DENYING: [&str; 16] = [
    "barely", "cannot", "hardly", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing",
    "nowhere", "rarely", "scarcely", "seldom", "without",
];
/// Words of obligation, possibility and condition.
const MODAL: [&str; 34] = [
    "although",
    "because",
    "but",
    "can",
    "could",
    "despite",
    "either",
    "except",
    "however",
    "if",
    "instead",
    "may",
    "maybe",
    "might",
    "must",
    "necessary",
    "needed",
    "needs",
    "optional",
    "otherwise",
    "ought",
    "perhaps",
    "possibly",
    "probably",
    "rather",
    "required",
    "shall",
    "should",
    "though",
    "unless",
    "until",
    "will",
    "would",
    "yet",
];
/// Words that count and compare.
const COUNTING: [&str; 54] = [
    "about",
    "above",
    "after",
    "all",
    "any",
    "approximately",
    "at",
    "before",
    "below",
    "both",
    "dozen",
    "each",
    "eight",
    "eleven",
    "every",
    "few",
    "fewer",
    "first",
    "five",
    "four",
    "half",
    "hundred",
    "last",
    "least",
    "less",
    "many",
    "million",
    "more",
    "most",
    "nearly",
    "nine",
    "once",
    "one",
    "only",
    "over",
    "percent",
    "same",
    "second",
    "seven",
    "several",
    "six",
    "some",
    "ten",
    "than",
    "third",
    "thousand",
    "three",
    "twelve",
    "twice",
    "two",
    "under",
    "up",
    "between",
    "zero",
];
/// Pairs of opening and closing quotes.
const QUOTES: [(char, char); 4] = [('"', '"'), ('`', '`'), ('“', '”'), ('«', '»')];

/// Marks the words that must be kept.
pub(super) fn protected(text: &str, words: &[Word]) -> Vec<bool> {
    let lines: Vec<&str> = text.split_inclusive(['\n', '\r']).collect();
    let code = fenced(&lines);
    let mut kept = Vec::with_capacity(words.len());
    let mut line = None;
    let mut open = None;
    let mut denied = false;
    for word in words {
        if line != Some(word.line) {
            // A quote that is not closed on its line is an inch mark or an apostrophe.
            (line, open, denied) = (Some(word.line), None, false);
        }
        let row = lines.get(word.line).copied().unwrap_or_default();
        let said = text.get(word.range.clone()).unwrap_or_default();
        let quoted = quote(said, &mut open);
        let whole = code.get(word.line) == Some(&true) || is_whole(row);
        kept.push(whole || quoted || denied || is_telling(said));
        denied = is_denying(said);
    }
    kept
}

/// Marks the lines of fenced code blocks, fences included.
fn fenced(lines: &[&str]) -> Vec<bool> {
    let mut inside = false;
    let mut fenced = Vec::with_capacity(lines.len());
    for line in lines {
        let is_fence = line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~");
        fenced.push(inside || is_fence);
        inside ^= is_fence;
    }
    fenced
}

/// Whether a line is kept as a whole: a heading, a table row, or code.
fn is_whole(line: &str) -> bool {
    line.starts_with('#')
        || line.matches('|').count() > 1
        || line.starts_with("    ")
        || line.starts_with('\t')
}

/// Whether a word is within quotes, or opens or closes them.
fn quote(word: &str, open: &mut Option<char>) -> bool {
    let mut quoted = open.is_some();
    for c in word.chars() {
        match *open {
            Some(close) if c == close => *open = None,
            Some(_) => {}
            None => {
                if let Some((_, close)) = QUOTES.iter().find(|(opening, _)| *opening == c) {
                    (*open, quoted) = (Some(*close), true);
                }
            }
        }
    }
    quoted
}

/// Whether a word carries a fact that other words cannot replace.
fn is_telling(word: &str) -> bool {
    const MARKS: &str = "/\\_=<>{}[]()$#@&|+*~^%§:;.!?…";
    let bare = bare(word);
    let letter = |c: char| c.is_ascii_lowercase() || matches!(c, ',' | '\'' | '’' | '-' | '—' | '–' | '"');
    word.contains(|c: char| MARKS.contains(c) || !letter(c) && !is_small_latin(c))
        || word.starts_with('-')
        || bare.is_empty()
        || is_denying(word)
        || MODAL.contains(&bare)
        || COUNTING.contains(&bare)
}

/// `é` and the like, as in English loan words.
const fn is_small_latin(c: char) -> bool {
    matches!(c, 'ß'..='ö' | 'ø'..='ÿ')
}

fn is_denying(word: &str) -> bool {
    let bare = bare(word);
    let of_two = ["n't", "n’t"].iter().any(|end| bare.ends_with(end));
    of_two || DENYING.iter().any(|known| known.eq_ignore_ascii_case(bare))
}

/// Strips the characters around a word's letters.
fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kompress::words;

    /// The words that may go.
    fn free(text: &str) -> Vec<&str> {
        let words = words::split(text);
        let kept = protected(text, &words);
        words.iter().zip(kept).filter(|(_, kept)| !kept).map(|(word, _)| &text[word.range.clone()]).collect()
    }

    #[test]
    fn what_tells_something_stays() {
        for word in [
            "14",
            "0x1f",
            "v2",
            "Leith",
            "HTTP",
            "camelCase",
            "snake_case",
            "/etc/hosts",
            "a\\b",
            "--force",
            "-v",
            "http://a.example",
            "a.rs",
            "f()",
            "x=1",
            "50%",
            "$5",
            "end.",
            "really?",
            "note:",
            "not",
            "Never",
            "can't",
            "couldn’t",
            "without",
            "must",
            "should",
            "unless",
            "only",
            "three",
            "most",
            "—",
            "-",
            "日本語",
            "файл",
            "🚢",
            "\"yes\"",
            "`run`",
        ] {
            assert_eq!(free(word), [""; 0], "{word}");
        }
    }

    #[test]
    fn plain_words_may_go() {
        for word in ["the", "really", "quiet,", "well-known", "café", "naïve", "keeper's"] {
            assert_eq!(free(word), [word]);
        }
    }

    #[test]
    fn what_is_denied_stays_with_what_denies_it() {
        assert_eq!(free("it is not safe to open"), ["it", "is", "to", "open"]);
        assert_eq!(free("it isn't safe to open"), ["it", "to", "open"]);
        assert_eq!(free("it is not\nsafe to open"), ["it", "is", "safe", "to", "open"]);
    }

    #[test]
    fn quotes_headings_tables_and_code_stay() {
        assert_eq!(free("he said \"it is quite late\" to her"), ["he", "said", "to", "her"]);
        assert_eq!(free("run `make it so` here"), ["run", "here"]);
        assert_eq!(free("a 6\" nail is here\nand there"), ["a", "and", "there"]);
        assert_eq!(free("# the old harbour\nthe old harbour"), ["the", "old", "harbour"]);
        assert_eq!(free("| the | old |\n"), [""; 0]);
        assert_eq!(free("```\nlet it be\n```\nlet it be"), ["let", "it", "be"]);
        assert_eq!(free("so\n    let it be\n"), ["so"]);
    }
}
