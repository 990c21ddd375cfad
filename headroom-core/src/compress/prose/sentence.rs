//! Finds the ends of sentences.
//!
//! A sentence ends at `.`, `!`, `?` or `…`, closing quotes and brackets included, if white space and the start of a
//! sentence follow; in scripts without spaces, at `。`, `！` and `？`. Abbreviations, initials, section numbers, decimals
//! and addresses do not end one. In doubt two sentences count as one, which only keeps more.

/// Abbreviations that end in a full stop, in lower case.
const ABBREVIATIONS: [&str; 58] = [
    "al", "approx", "apr", "aug", "ave", "bros", "capt", "cf", "ch", "co", "col", "corp", "dec", "dept",
    "dr", "e.g", "ed", "eq", "est", "etc", "feb", "fig", "figs", "gen", "gov", "i.e", "inc", "jan", "jr",
    "jul", "jun", "lt", "ltd", "mar", "mr", "mrs", "ms", "mt", "no", "nos", "nov", "oct", "op", "pp", "prof",
    "rep", "resp", "rev", "sec", "sen", "sep", "sept", "sgt", "sr", "st", "u.s", "vol", "vs",
];

/// Reports the ends of the sentences in a line, in order, the last at the end of the line. White space belongs to no
/// sentence: each end but the last is followed by white space, or by the next sentence of a script without spaces.
pub(super) fn ends(line: &str, mut found: impl FnMut(usize)) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let end = match byte {
            b'.' | b'!' | b'?' => spaced_end(line, at),
            // The first byte of `…`, of full-width marks and of `。`.
            0xe2 | 0xe3 | 0xef => wide_end(line, at),
            _ => None,
        };
        match end {
            Some(end) => {
                found(end);
                at = end;
            }
            None => at += 1,
        }
    }
    found(line.len());
}

/// Whether a sentence ends at the end of this line.
pub(super) fn is_complete(line: &str) -> bool {
    let said = line.trim_end_matches(is_closing);
    let bare = said.trim_end_matches(['.', '!', '?', '…', ':', ';', '。', '！', '？', '｡']);
    let is_stop = said.len() == bare.len() + 1 && said.ends_with('.');
    bare.len() < said.len() && !(is_stop && is_abbreviated(bare))
}

fn is_closing(c: char) -> bool {
    matches!(c, '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '*' | '_' | '」' | '』' | '）')
}

/// Returns the end of the sentence with this mark, which white space must follow.
fn spaced_end(line: &str, mark: usize) -> Option<usize> {
    let behind = line.get(mark + 1..)?;
    let marks = behind.trim_start_matches(['.', '!', '?']);
    let rest = marks.trim_start_matches(is_closing);
    let end = line.len() - rest.len();
    let next = rest.trim_start();
    if next.len() == rest.len() || next.is_empty() {
        return None;
    }
    // After `...` a sentence may continue; one in lower case does.
    let start = next.trim_start_matches(|c: char| !c.is_alphanumeric()).chars().next()?;
    if start.is_lowercase() {
        return None;
    }
    let is_stop = line.as_bytes().get(mark) == Some(&b'.') && marks.len() == behind.len();
    (!is_stop || !is_abbreviated(line.get(..mark)?)).then_some(end)
}

/// Whether the full stop after this text is part of its last word.
fn is_abbreviated(text: &str) -> bool {
    let start = text.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let word = text.get(start..).unwrap_or(text).trim_start_matches(|c: char| !c.is_alphanumeric());
    let mut chars = word.chars();
    let initial = chars.next().is_some_and(char::is_uppercase) && chars.next().is_none();
    let is_number = text.get(..start).unwrap_or_default().trim().is_empty()
        && !word.is_empty()
        && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let known = word.len() <= 8 && ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word));
    let dotted = word.contains('.') && word.split('.').all(|part| part.chars().count() == 1);
    initial || is_number || known || dotted
}

/// Returns the end of a sentence in a script without spaces.
fn wide_end(line: &str, mark: usize) -> Option<usize> {
    let rest = line.get(mark..)?;
    let behind = rest.trim_start_matches(['。', '！', '？', '｡']);
    if behind.len() == rest.len() {
        let dots = rest.strip_prefix('…').map(|_| mark + '…'.len_utf8() - 1);
        return dots.and_then(|mark| spaced_end(line, mark));
    }
    let end = line.len() - behind.trim_start_matches(is_closing).len();
    (end < line.len()).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(line: &str) -> Vec<&str> {
        let mut from = 0;
        let mut all = Vec::new();
        ends(line, |end| {
            all.push(line[from..end].trim());
            from = end;
        });
        all
    }

    #[test]
    fn sentences_end_where_a_reader_ends_them() {
        for text in [
            "The light was lit.|It burns.|",
            "Dr. Smith paid $3.50 to J. R. Jones, i.e. the keeper.|He left at 5 p.m. with Mr. Brown.",
            "\"Who goes there?\"|He said nothing…|Then he ran!|(It was dark.)",
            "1. The U.S. Navy came.|It was late.",
            "See example.com/a.html or v1.2.3 for more.|Version 2.0 is out.",
            "He waited... and waited.|Why?!|Nobody knows.",
            "灯台は古い。|夜に光る！|「誰？」|彼は言った。",
            "Ça va?|Éric est là.|",
            "no end at all",
        ] {
            let expected: Vec<&str> = text.split('|').filter(|part| !part.is_empty()).collect();
            let joined = expected.join(if text.starts_with('灯') { "" } else { " " });
            assert_eq!(sentences(&joined), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn ends_are_in_order_and_cut_no_word(parts in proptest::collection::vec(proptest::sample::select(vec![
            "a", "B", ".", "!", "…", "。", " ", "\"", "’", "3", "é", "界", "Mr", ")", "\u{a0}",
        ]), 0..40)) {
            let line = parts.concat();
            let mut last = 0;
            ends(&line, |end| {
                assert!(line.is_char_boundary(end) && end >= last);
                let cut = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && c.is_ascii());
                assert!(!(end > last && cut(line[..end].chars().next_back()) && cut(line[end..].chars().next())));
                last = end;
            });
            assert_eq!(last, line.len());
        }
    }
}
