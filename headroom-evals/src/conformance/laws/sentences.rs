//! Checks prose with elided sentences: what remains is whole sentences of the original, in its order.

use headroom_core::Transform;

use super::{
    drawn,
    page::without_markers,
    truthful::{MARKER, TruthCase, Verdict},
};

/// Checks that the text between markers is the original's, byte for byte and in its order, and that no gap starts or
/// ends within a sentence.
#[must_use]
pub fn sentences(case: &TruthCase<'_>) -> Verdict {
    if !case.has(Transform::Sentences) || case.has(Transform::HtmlToMarkdown) || case.has(Transform::Json) {
        return Verdict::Other;
    }
    let drawn = case.has(Transform::Ansi).then(|| drawn::like(case.before, case.after));
    let before = drawn.as_deref().unwrap_or(case.before);
    if !case.after.contains(MARKER) {
        return Verdict::Fails("sentences are set aside and no mark says so".to_owned());
    }
    // Repeated lines are folded whole, regardless of the sentences in them.
    let lines_are_folded = case.has(Transform::RepeatedLines);
    let is_edge = |before: &str, behind: &str| is_edge(before, behind, lines_are_folded);
    let pieces = without_markers(case.after);
    let last = pieces.len() - 1;
    let mut at = 0;
    for (number, piece) in pieces.iter().enumerate() {
        let piece = if number == 0 { piece.as_str() } else { piece.trim_start() };
        let piece = if number == last { piece } else { piece.trim_end() };
        if piece.is_empty() {
            continue;
        }
        let mut places = places_of(piece, before, at);
        let found = places.find(|start| {
            let end = start + piece.len();
            let starts =
                if number == 0 { *start == 0 } else { is_edge(&before[..*start], &before[*start..]) };
            let ends =
                if number == last { end == before.len() } else { is_edge(&before[..end], &before[end..]) };
            starts && ends
        });
        match found {
            Some(start) => at = start + piece.len(),
            None => {
                return Verdict::Fails(format!(
                    "`{piece}` is no run of whole sentences behind what comes before it"
                ));
            }
        }
    }
    Verdict::Holds
}

/// Finds `piece` in `text` from `from` on, overlapping matches included: of a sentence that occurs three times, both
/// the first two and the last two are a run of two.
fn places_of<'a>(piece: &'a str, text: &'a str, from: usize) -> impl Iterator<Item = usize> + 'a {
    let step = piece.chars().next().map_or(1, char::len_utf8);
    let next = move |from: usize| text.get(from..)?.find(piece).map(|place| from + place);
    std::iter::successors(next(from), move |place| next(place + step))
}

/// Whether a sentence or a line ends between these texts. The end of a line within a sentence counts only with
/// `any_line`.
fn is_edge(before: &str, behind: &str, any_line: bool) -> bool {
    let line_ends = before.trim_end_matches([' ', '\t', '\r']).ends_with('\n') || before.trim().is_empty();
    let line_starts =
        behind.trim_start_matches([' ', '\t', '\r']).starts_with('\n') || behind.trim().is_empty();
    if (line_ends || line_starts) && !any_line && is_broken(before, behind) {
        return false;
    }
    let spaced = before.ends_with(char::is_whitespace) || behind.starts_with(char::is_whitespace);
    let closing = |c: char| c.is_whitespace() || "\"')]”’»*_」』）".contains(c);
    let said = before.trim_end_matches(closing);
    line_ends
        || line_starts
        || spaced && said.ends_with(['.', '!', '?', '…'])
        || said.ends_with(['。', '！', '？', '｡'])
}

/// Whether a sentence continues on the next line: the first line has no end mark, and the second starts in lower case.
fn is_broken(before: &str, behind: &str) -> bool {
    let folded = |text: &str| text.trim_matches([' ', '\t', '\r']).to_owned();
    let (before, behind) = (folded(before), folded(behind));
    let before = before.strip_suffix('\n').unwrap_or(&before).trim_end_matches([' ', '\t', '\r']);
    let behind = behind.strip_prefix('\n').unwrap_or(&behind).trim_start_matches([' ', '\t']);
    let line = before.rsplit('\n').next().unwrap_or("");
    // Long lines of running text. A line that starts with a sign is an item, a heading, or code.
    line.len() >= 40
        && line.starts_with(char::is_alphabetic)
        && line.ends_with(char::is_alphanumeric)
        && behind.starts_with(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "One is here. Two is 2.5 m. \"Three!\" Four.\n\nFive stands. Six.\n- seven\n";

    fn verdict(after: &str) -> Verdict {
        sentences(&TruthCase { before: BEFORE, after, steps: &[Transform::Sentences] })
    }

    #[test]
    fn whole_sentences_hold() {
        for after in [
            "One is here. [headroom:x lines 1-1 stored] Four.\n\nFive stands. Six.\n- seven\n",
            "One is here. Two is 2.5 m.\n[headroom: also lines 1-3 stored: 4 words]\nSix.\n- seven\n",
            "[headroom:x lines 1-3 stored]\n- seven\n",
            "One is here. [headroom: x]",
        ] {
            assert_eq!(verdict(after), Verdict::Holds, "{after}");
        }
    }

    #[test]
    fn runs_of_one_repeated_sentence_may_overlap() {
        let said = "The ship is at sea. ";
        let before = format!("It was said in the night {said}{said}{said}\n\nThe end.\n");
        let after = format!("[headroom: x]\n{said}{said}\n\nThe end.\n");
        let case = TruthCase { before: &before, after: &after, steps: &[Transform::Sentences] };
        assert_eq!(sentences(&case), Verdict::Holds);
    }

    #[test]
    fn folded_lines_are_whole_lines() {
        let line = "The light of the tower was seen by all of\n";
        let before = format!("It is day. It is night.\n{line}{line}{line}the ships.\n");
        let after = format!(
            "It is day. [headroom: x]\n{line}[headroom: previous line repeated 2 more times]\nthe ships.\n"
        );
        let verdict = |steps: &[Transform]| sentences(&TruthCase { before: &before, after: &after, steps });
        assert_eq!(verdict(&[Transform::RepeatedLines, Transform::Sentences]), Verdict::Holds);
        assert!(matches!(verdict(&[Transform::Sentences]), Verdict::Fails(_)));
    }

    #[test]
    fn sentences_of_two_lines_are_not_cut() {
        let before = "The light of the tower was seen by all of\nthe ships that passed it. It was lit.\n";
        let verdict = |after: &str| sentences(&TruthCase { before, after, steps: &[Transform::Sentences] });
        assert!(matches!(
            verdict("[headroom: x]\nthe ships that passed it. It was lit.\n"),
            Verdict::Fails(_)
        ));
        assert!(matches!(
            verdict("The light of the tower was seen by all of\n[headroom: x]"),
            Verdict::Fails(_)
        ));
        assert_eq!(verdict("[headroom: x]\nIt was lit.\n"), Verdict::Holds);
    }

    #[test]
    fn cut_altered_and_reordered_sentences_fail() {
        for after in [
            "One is [headroom:x lines 1-1 stored] Four.\n\nFive stands. Six.\n- seven\n",
            "One is here. [headroom: x] 5 m. \"Three!\" Four.\n\nFive stands. Six.\n- seven\n",
            "One is here. Two is 2.6 m. [headroom: x]",
            "One is here. Four. [headroom: x]",
            "Four. [headroom: x]",
            "[headroom: x] Six. [headroom: y] Four. [headroom: z]",
            "[headroom: x] Six.\n",
            "One is here.",
        ] {
            assert!(matches!(verdict(after), Verdict::Fails(_)), "{after}");
        }
    }
}
