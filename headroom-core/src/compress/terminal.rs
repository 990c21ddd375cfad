//! What a terminal would show: colours and other escape sequences removed, and overdraw within a line
//! (carriage returns, backspaces, erasing, moves to a column) resolved to the last state.
//!
//! The terminal is taken to be as wide as its longest line. A line on which the outcome depends on the terminal
//! stays raw; a text whose escape sequences leave the line is declined as a whole. A line that was overdrawn
//! loses the blanks at its end; any other line keeps every byte that is not an escape sequence.

mod escape;
mod row;

use std::iter::Peekable;

use memchr::{memchr, memchr3, memrchr};

use escape::{Erase, Piece, Pieces};
use row::Row;

/// `text` as a terminal shows it; `None` if that is no different, or not certain.
pub(crate) fn render(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut hit = next_control(bytes, 0)?;
    let mut row = Row::new(text.len());
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    loop {
        let start = memrchr(b'\n', bytes.get(copied..hit)?).map_or(copied, |at| copied + at + 1);
        let line_end = memchr(b'\n', bytes.get(hit..)?).map(|at| hit + at);
        let end = match line_end {
            Some(end) if end > start && bytes.get(end - 1) == Some(&b'\r') => end - 1,
            Some(end) => end,
            None => bytes.len(),
        };
        out.push_str(text.get(copied..start)?);
        render_line(Pieces::new(text.get(start..end)?, line_end.is_none()), &mut out, &mut row)?;
        copied = end;
        match next_control(bytes, end) {
            Some(next) => hit = next,
            None => break,
        }
    }
    out.push_str(text.get(copied..)?);
    (out != text).then_some(out)
}

/// The first byte from `at` on that makes a terminal do other than print or begin a line.
fn next_control(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let hit = at + memchr3(b'\x1b', b'\r', b'\x08', bytes.get(at..)?)?;
        if bytes.get(hit..hit + 2) != Some(b"\r\n") {
            return Some(hit);
        }
        at = hit + 2;
    }
}

/// Appends a line as it is shown, or raw where that is not certain. `None` declines the whole text.
fn render_line(pieces: Pieces<'_>, out: &mut String, row: &mut Row) -> Option<()> {
    let line = pieces.rest();
    let start = out.len();
    if append_plain(pieces.clone().peekable(), out)? {
        return Some(());
    }
    out.truncate(start);
    row.clear();
    let mut certain = true;
    for piece in pieces {
        let piece = piece?;
        certain = certain && row.apply(piece).is_some();
    }
    if certain {
        row.append_to(out);
    }
    if !certain || out.len() - start > line.len() {
        out.truncate(start);
        out.push_str(line);
    }
    Some(())
}

/// Appends a line on which the cursor only moves on. `Some(false)` if it does more.
fn append_plain(mut pieces: Peekable<Pieces<'_>>, out: &mut String) -> Option<bool> {
    let start = out.len();
    while let Some(piece) = pieces.next() {
        match piece? {
            Piece::Text(text) => out.push_str(text),
            Piece::Nothing | Piece::Erase(Erase::Right) => {}
            Piece::Return | Piece::Left(_) if out.len() == start || pieces.peek().is_none() => {}
            _ => return Some(false),
        }
    }
    Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compress::shared_texts;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthChar;

    fn shows(text: &str, expected: &str) {
        assert_eq!(render(text).as_deref(), Some(expected), "{text:?}");
        assert_eq!(screen(text), screen(expected), "{text:?}");
    }

    /// A plain terminal: rows of characters, none at the second column of a wide one.
    fn screen(text: &str) -> Vec<String> {
        let mut rows = vec![Vec::<Option<char>>::new()];
        let mut column = 0;
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let row = rows.last_mut().unwrap();
            match char {
                '\n' => {
                    rows.push(Vec::new());
                    column = 0;
                }
                '\r' => column = 0,
                '\x08' => column = column.max(1) - 1,
                '\t' => column = column / 8 * 8 + 8,
                '\x07' => {}
                '\x1b' => match chars.next() {
                    Some('[') => {
                        let mut parameter = String::new();
                        let last = loop {
                            match chars.next() {
                                Some(char @ ('0'..='?')) => parameter.push(char),
                                Some(char) => break char,
                                None => break 'm',
                            }
                        };
                        let number = parameter.parse::<usize>().unwrap_or(0);
                        match last {
                            'K' => {
                                let erased = match number {
                                    0 => column..row.len(),
                                    1 => 0..column + 1,
                                    _ => 0..row.len(),
                                };
                                erased.for_each(|at| set(row, at, Some(' ')));
                            }
                            'J' => (column..row.len()).for_each(|at| set(row, at, Some(' '))),
                            'X' => (column..column + number.max(1)).for_each(|at| set(row, at, Some(' '))),
                            'C' => column += number.max(1),
                            'D' => column -= number.max(1).min(column),
                            'G' => column = number.max(1) - 1,
                            _ => {}
                        }
                    }
                    Some(']') => while !matches!(chars.next(), Some('\x07') | None) {},
                    Some('(') => drop(chars.next()),
                    _ => {}
                },
                _ => {
                    set(row, column, Some(char));
                    column += 1;
                    if char.width() == Some(2) {
                        set(row, column, Some(' '));
                        row[column] = None;
                        column += 1;
                    }
                }
            }
        }
        let text = |row: Vec<Option<char>>| row.into_iter().flatten().collect::<String>();
        rows.into_iter().map(|row| text(row).trim_end().to_owned()).collect()
    }

    /// Writes one cell; what is left of a wide character that stood there becomes blank.
    fn set(row: &mut Vec<Option<char>>, at: usize, char: Option<char>) {
        while row.len() <= at + 1 {
            row.push(Some(' '));
        }
        if row[at].is_none() {
            row[at - 1] = Some(' ');
        }
        if row[at + 1].is_none() {
            row[at + 1] = Some(' ');
        }
        row[at] = char;
    }

    #[test]
    fn colours_and_links_go_and_their_text_stays() {
        shows("\x1b[01m\x1b[Kerror:\x1b[m\x1b[K no such file\n", "error: no such file\n");
        shows("\x1b[38;5;208mred\x1b[0m  \r\nplain\r\n", "red  \r\nplain\r\n");
        shows("see \x1b]8;;https://example.com/a\x07the docs\x1b]8;;\x07.", "see the docs.");
        assert_eq!(render("\x1b]8;id=1;https://example.com\x1b\\label\x1b]8;;\x1b\\").unwrap(), "label");
        shows("\x1b]0;title\x07$ ls\n", "$ ls\n");
        assert_eq!(render("a\x1bP1$r0m\x1b\\b\x1b_Gi=1;AAAA\x1b\\c").unwrap(), "abc");
        shows("\x1b(B\x1b[mplain\x1b[?25l\n", "plain\n");
        assert_eq!(render("\x1b[1 q\x1b[!p\x1b[>4;1m\x1b[?2004hx\x1b[4:3m").unwrap(), "x");
    }

    #[test]
    fn a_text_without_control_bytes_needs_nothing() {
        for text in ["", "a\nb\n", "a\r\nb\r\n", "tab\tand bell\x07\n", "überall 漢字\r\n", "\r\n\r\n"] {
            assert_eq!(render(text), None, "{text:?}");
        }
    }

    #[test]
    fn cargo_progress_becomes_its_last_state() {
        shows(
            "\x1b[1m\x1b[32m   Compiling\x1b[0m serde v1.0.228\n\
             \x1b[1m\x1b[36m    Building\x1b[0m [=====>        ] 3/9: serde, memchr\r\x1b[K\
             \x1b[1m\x1b[32m   Compiling\x1b[0m memchr v2.8.0\n\
             \x1b[1m\x1b[36m    Building\x1b[0m [========>     ] 6/9: regex\r\x1b[K\
             \x1b[1m\x1b[32m    Finished\x1b[0m `dev` profile in 3.14s\n",
            "   Compiling serde v1.0.228\n   Compiling memchr v2.8.0\n    Finished `dev` profile in 3.14s\n",
        );
    }

    #[test]
    fn npm_spinners_become_the_line_that_replaced_them() {
        shows(
            "⠙\x1b[1G\x1b[0K⠹\x1b[1G\x1b[0K⠸\x1b[1G\x1b[0K\x1b[1G\x1b[0K\nadded 57 packages in 3s\n\x1b[1G\x1b[0K⠋\x1b[1G\x1b[0K",
            "\nadded 57 packages in 3s\n",
        );
    }

    #[test]
    fn pip_progress_becomes_its_last_state() {
        shows(
            "  Installing build dependencies ... -\x08 \x08\\\x08 \x08done\r\n",
            "  Installing build dependencies ... done\r\n",
        );
        shows(
            "   \x1b[38;5;237m━━━━━━━━\x1b[0m \x1b[32m0.0/1.2 MB\x1b[0m \x1b[31m?\x1b[0m eta \x1b[36m-:--:--\x1b[0m\r\x1b[2K   \
             \x1b[38;2;114;156;31m━━━━━━━━\x1b[0m \x1b[32m1.2/1.2 MB\x1b[0m \x1b[31m9.6 MB/s\x1b[0m eta \x1b[36m0:00:00\x1b[0m\n\x1b[?25h",
            "   ━━━━━━━━ 1.2/1.2 MB 9.6 MB/s eta 0:00:00\n",
        );
    }

    #[test]
    fn curl_git_and_tqdm_progress_becomes_its_last_state() {
        shows(
            "remote: Counting objects:  50% (1/2)\rremote: Counting objects: 100% (2/2)\rremote: Counting objects: 100% (2/2), done.\r\n",
            "remote: Counting objects: 100% (2/2), done.\r\n",
        );
        shows("\r  0%|   | 0/3\r 33%|█  | 1/3\r100%|███| 3/3\n", "100%|███| 3/3\n");
    }

    #[test]
    fn progress_over_several_lines_is_declined() {
        let docker =
            "aaaa: Pulling fs layer\nbbbb: Pulling fs layer\n\x1b[2A\x1b[2K\raaaa: Pull complete\x1b[2B";
        for text in [
            docker,
            "\x1b[2J\x1b[Htop",
            "a\x1b[?1049hb",
            "a\nb\x1bMc",
            "a\x1b[sb\x1b[uc",
            "\x1b(0lqqk",
            "x\x1bcy",
        ] {
            assert_eq!(render(text), None, "{text:?}");
        }
    }

    #[test]
    fn longer_leftovers_stay_visible() {
        shows("Downloading 100%\rDone\n", "Doneloading 100%\n");
        shows("a\tb\rX\n", "X\tb\n");
        shows("\x1b[1ma\tb\x1b[m\rXYZ\n", "XYZ     b\n");
        shows("abc\x08\x08X\x1b[K\n", "aX\n");
        shows("abcdef\x1b[3G\x1b[1K\n", "   def\n");
        shows("abcdef\x1b[4D\x1b[2Xz\n", "abz ef\n");
    }

    #[test]
    fn lines_that_depend_on_the_terminal_stay_raw_and_others_are_rendered() {
        let text = "漢字\r\x1b[Cx\n\x1b[1mbold\x1b[m\ne\u{301}tude\rx\nabc\x1b[1Pd\nx\x1b[9999Gy\n";
        let raw = "漢字\r\x1b[Cx\nbold\ne\u{301}tude\rx\nabc\x1b[1Pd\nx\x1b[9999Gy\n";
        assert_eq!(render(text).as_deref(), Some(raw));
        shows("漢字\r漢子\n", "漢子\n");
    }

    #[test]
    fn line_ends_are_kept() {
        shows("\x1b[1ma\x1b[m\r\nb\r\r\nc\n\rd\r", "a\r\nb\r\nc\nd");
    }

    #[test]
    fn a_sequence_cut_off_by_the_end_of_the_text_is_dropped() {
        for cut in ["\x1b", "\x1b[", "\x1b[38;5", "\x1b("] {
            assert_eq!(render(&format!("abc{cut}")).as_deref(), Some("abc"), "{cut:?}");
            assert_eq!(render(&format!("abc{cut}\nx")), None, "{cut:?}");
        }
        assert_eq!(render("abc\x1b]0;no end"), None);
    }

    #[test]
    fn moves_that_ask_for_endless_work_stay_raw() {
        let text = "\x1b[4000Gx\x1b[2K".repeat(2000);
        assert_eq!(render(&text), None);
        let text = "x".repeat(4000) + "\x1b[9D" + &"\x1b[1K".repeat(20_000);
        assert_eq!(render(&text), None);
    }

    #[test]
    #[ignore = "needs HEADROOM_SHARED"]
    fn recorded_outputs_show_the_same() {
        for (path, text) in shared_texts("corpora/logs").into_iter().chain(shared_texts("corpora/search")) {
            if let Some(shown) = render(&text) {
                println!("{} -> {} {}", text.len(), shown.len(), path.display());
                assert_eq!(screen(&shown), screen(&text), "{}", path.display());
            }
        }
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => "[ -~]{0,9}",
            2 => Just("\r".to_owned()),
            2 => Just("\x08".to_owned()),
            2 => Just("\n".to_owned()),
            1 => Just("\r\n".to_owned()),
            1 => Just("\t".to_owned()),
            3 => "\x1b\\[[0-9]?[mKXCDG]",
            1 => Just("\x1b[J\x1b[31m\x1b(B".to_owned()),
            1 => Just("\x1b]8;;http://x/\x07".to_owned()),
        ]
    }

    proptest! {
        #[test]
        fn the_output_shows_what_the_input_shows(pieces in proptest::collection::vec(piece(), 0..24)) {
            let text = pieces.concat();
            let shown = render(&text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(screen(&shown), screen(&text));
            for (before, after) in text.split('\n').zip(shown.split('\n')) {
                let before = before.strip_suffix('\r').unwrap_or(before);
                let after = after.strip_suffix('\r').unwrap_or(after);
                prop_assert!(after == before || !after.contains(['\x1b', '\r', '\x08']));
                prop_assert!(after == before || before.contains(['\x1b', '\r', '\x08']));
            }
            prop_assert_eq!(render(&shown).unwrap_or(shown.clone()), shown);
        }

        #[test]
        fn wide_characters_show_the_same(pieces in proptest::collection::vec(
            prop_oneof![3 => "[a-c漢é█🔨]{0,4}", 1 => "\r|\x08|\n|\t|\x1b\\[K|\x1b\\[2C"], 0..16)) {
            let text = pieces.concat();
            let shown = render(&text).unwrap_or_else(|| text.clone());
            prop_assert_eq!(screen(&shown), screen(&text));
        }

        #[test]
        fn any_text_is_taken(text in "([\x1b\\[\\]0-9;?A-Za-z(\r\n\x08\x07\\\\]|\\PC){0,60}") {
            if let Some(shown) = render(&text) {
                prop_assert!(shown.len() < text.len());
                prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
            }
        }
    }
}
