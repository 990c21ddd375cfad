//! Finds data in base64 that nobody reads: data URLs, pictures in JSON, files printed as base64.

use std::ops::Range;

use memchr::memmem;

use crate::tuning::tuning;

/// Longest media type of a data URL.
const MAX_TYPE: usize = 80;
/// Most signs of equality after the data.
const PADDING: usize = 2;
/// How files of a type begin, in base64.
const STARTS: [(&str, &str); 18] = [
    ("/9j/", "image/jpeg"),
    ("AGFzbQ", "application/wasm"),
    ("H4sI", "gzip"),
    ("JVBERi0", "application/pdf"),
    ("PHN2Zy", "image/svg+xml"),
    ("PD94bWw", "XML"),
    ("PCFET0NUWVBF", "HTML"),
    ("Qk0", "image/bmp"),
    ("R0lGOD", "image/gif"),
    ("SUQz", "audio/mpeg"),
    ("T2dnUw", "audio/ogg"),
    ("TVqQ", "a Windows program"),
    ("UEsDB", "a zip archive"),
    ("UklGR", "a RIFF file"),
    ("d09GMg", "font/woff2"),
    ("d09GR", "font/woff"),
    ("f0VMR", "an ELF program"),
    ("iVBORw0KGgo", "image/png"),
];

/// Data in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Embedded {
    /// Its bytes in the text, without what declares it.
    pub(crate) range: Range<usize>,
    /// What it is and how much: `image/png, 18000 bytes in base64`.
    pub(crate) summary: String,
}

/// Finds the data in a text, in order.
pub(crate) fn find(text: &str) -> Vec<Embedded> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    // Shorter runs are nothing, so one byte in as many is looked at, and around it where it may be in a run.
    let least = tuning().text.data_min_width.min(tuning().text.data_min_bytes).saturating_sub(PADDING).max(1);
    let mut at = 0;
    while let Some(byte) = bytes.get(at + least - 1) {
        let probe = at + least - 1;
        if !is_base64(*byte) {
            at = probe + 1;
            continue;
        }
        let before = bytes.get(at..probe).unwrap_or_default();
        let start = at + before.iter().rposition(|byte| !is_base64(*byte)).map_or(0, |gap| gap + 1);
        let end = start + run(bytes, start);
        at = end;
        let block = if (tuning().text.data_min_width..=tuning().text.data_max_width).contains(&(end - start))
        {
            lines(bytes, start..end)
        } else {
            None
        };
        let range = block.unwrap_or(start..end);
        let Some(data) = text.get(range.clone()).filter(|data| data.len() >= tuning().text.data_min_bytes)
        else {
            continue;
        };
        let declared = text.get(..start).and_then(media_type);
        let what = declared.or_else(|| type_of(data).filter(|_| is_dense(data)));
        if what.is_none() && (data.len() < tuning().text.data_min_unknown_bytes || !is_dense(data)) {
            continue;
        }
        at = range.end;
        found.push(Embedded { summary: summary(what, data), range });
    }
    found
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Returns the length of the data that starts here, with its padding.
fn run(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    let data = rest.iter().take_while(|byte| is_base64(**byte)).count();
    let padding =
        rest.get(data..).unwrap_or_default().iter().take(PADDING).take_while(|byte| **byte == b'=').count();
    data + padding
}

/// Returns the lines of equal length from this one on, and a shorter last one.
fn lines(bytes: &[u8], first: Range<usize>) -> Option<Range<usize>> {
    let starts_line = first.start == 0 || bytes.get(first.start - 1) == Some(&b'\n');
    if !starts_line {
        return None;
    }
    let mut end = first.end;
    let mut count = 1;
    loop {
        let line_end = match bytes.get(end..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([b'\n', ..]) => 1,
            _ => break,
        };
        let start = end + line_end;
        let length = run(bytes, start);
        let ends_line = matches!(bytes.get(start + length), None | Some(b'\n' | b'\r'));
        if length == 0 || length > first.len() || !ends_line {
            break;
        }
        end = start + length;
        count += 1;
        if length < first.len() {
            break;
        }
    }
    (count >= tuning().text.data_min_lines).then_some(first.start..end)
}

/// Whether text without spaces is data rather than a long name or path: capitals, small letters and digits are mixed as
/// in random bytes.
fn is_dense(data: &str) -> bool {
    let mut counts = [0_usize; 4];
    for byte in data.bytes() {
        let class = match byte {
            b'A'..=b'Z' => 0,
            b'a'..=b'z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        if let Some(count) = counts.get_mut(class) {
            *count += 1;
        }
    }
    let [capitals, small, digits, other] = counts;
    // Of 64 signs, 26 are capitals, 26 small letters, 10 digits; text and zero bytes shift that.
    let whole = data.len();
    capitals * 8 > whole && small * 16 > whole && digits * 64 > whole && other * 8 < whole
}

/// Returns the media type that precedes the data of a data URL: `data:image/png;base64,`.
fn media_type(before: &str) -> Option<&str> {
    let before = before.strip_suffix(";base64,")?;
    let start = before.len().saturating_sub(MAX_TYPE);
    let reach = (start..before.len()).find_map(|start| before.get(start..))?;
    let at = memmem::rfind(reach.as_bytes(), b"data:")?;
    let media = reach.get(at + 5..)?;
    let media = media.split(';').next().unwrap_or_default();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '+' | '-' | '.');
    media.chars().all(is_plain).then_some(if media.is_empty() { "text/plain" } else { media })
}

/// Returns what data is by its start.
fn type_of(data: &str) -> Option<&'static str> {
    STARTS.iter().find(|(start, _)| data.starts_with(start)).map(|(_, what)| *what)
}

fn summary(what: Option<&str>, data: &str) -> String {
    let bytes = data.bytes().filter(|byte| is_base64(*byte)).count() * 3 / 4;
    match what {
        Some(what) => format!("{what}, {bytes} bytes in base64"),
        None => format!("{bytes} bytes in base64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes random bytes in base64, with this start.
    fn data(start: &str, length: usize) -> String {
        const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut state = 7_u32;
        let rest = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(SIGNS[(state >> 26) as usize])
        });
        start.chars().chain(rest).take(length).collect()
    }

    fn parts(text: &str) -> Vec<(&str, String)> {
        find(text).into_iter().map(|found| (&text[found.range], found.summary)).collect()
    }

    #[test]
    fn data_urls_and_bare_data_are_found() {
        let png = data("iVBORw0KGgo", 4000);
        for (text, what) in [
            (format!("Done.\ndata:image/webp;base64,{png}\nsize 3"), "image/webp, 3000 bytes in base64"),
            (
                format!("![x](data:image/svg+xml;charset=utf-8;base64,{png}) y"),
                "image/svg+xml, 3000 bytes in base64",
            ),
            (format!("src='data:;base64,{png}'"), "text/plain, 3000 bytes in base64"),
            (format!("payload: {png}"), "image/png, 3000 bytes in base64"),
            (png.clone(), "image/png, 3000 bytes in base64"),
        ] {
            assert_eq!(parts(&text), [(png.as_str(), what.to_owned())], "{text}");
        }
        assert_eq!(parts(&format!("{}==", data("", 4094)))[0].1, "3070 bytes in base64");
    }

    #[test]
    fn wrapped_data_is_one_part() {
        for (width, end) in [(76, "\n"), (64, "\r\n")] {
            let all = data("JVBERi0", 1990);
            let lines: Vec<&str> =
                (0..all.len()).step_by(width).map(|at| &all[at..(at + width).min(all.len())]).collect();
            let block = lines.join(end);
            let text = format!("report.pdf:{end}{block}{end}done{end}");
            assert_eq!(parts(&text), [(block.as_str(), "application/pdf, 1492 bytes in base64".to_owned())]);
        }
    }

    #[test]
    fn other_long_words_are_not_data() {
        for text in [
            "a".repeat(2000),
            "0123456789abcdef".repeat(100),
            "src/some/long/Path2/to/".repeat(60),
            format!("{}\n", "const-with-a-long-name_".repeat(60)),
            "ACGT".repeat(500),
            "1234567890".repeat(100),
            data("iVBORw0KGgo", 300),
            format!("next page: {}", data("", 2000)),
        ] {
            assert_eq!(parts(&text), [], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parts_are_in_order(pieces in proptest::collection::vec(0..6_usize, 0..12)) {
            let all = [" ", "\n", "=", "é", &data("/9j/", 600), "data:image/png;base64,"];
            let text: String = pieces.iter().map(|piece| all[*piece]).collect();
            let mut end = 0;
            for part in find(&text) {
                proptest::prop_assert!(part.range.start >= end && text.get(part.range.clone()).is_some());
                end = part.range.end;
            }
        }
    }
}
