//! Extracts the model's input: the first and last bytes of a text, without surrounding white space.

/// Bytes taken from each end.
const SIZE: usize = 1024;
/// Bytes at each end in which white space is skipped.
const BLOCK: usize = 4096;
/// Shorter texts are not classified.
const MIN_BYTES: usize = 8;
/// Fills positions that have no byte.
const PADDING: i32 = 256;

/// Aligns the first bytes to the left and the last to the right, with padding between.
pub(super) fn extract(text: &[u8]) -> Option<Vec<i32>> {
    let space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let first = text.get(..text.len().min(BLOCK))?;
    let first = first.get(first.iter().take_while(|byte| space(byte)).count()..)?;
    let last = text.get(text.len().saturating_sub(BLOCK)..)?;
    let last = last.get(..last.len() - last.iter().rev().take_while(|byte| space(byte)).count())?;
    if first.len() < MIN_BYTES {
        return None;
    }
    let first = first.get(..first.len().min(SIZE))?;
    let last = last.get(last.len().saturating_sub(SIZE)..)?;
    let padding = (first.len() + last.len()..2 * SIZE).map(|_| PADDING);
    let number = |byte: &u8| i32::from(*byte);
    Some(first.iter().map(number).chain(padding).chain(last.iter().map(number)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_read_without_white_space() {
        let features = extract(b" \n\x0babcdefgh\t ").unwrap();
        assert_eq!(features.len(), 2048);
        // White space goes where the text starts and ends, and stays in between.
        assert_eq!(features[..11], [97, 98, 99, 100, 101, 102, 103, 104, 9, 32, 256]);
        assert_eq!(features[2036..], [256, 32, 10, 11, 97, 98, 99, 100, 101, 102, 103, 104]);
        let long: Vec<u8> = (0..5000_u32).map(|at| b'a' + (at % 26) as u8).collect();
        let features = extract(&long).unwrap();
        assert!(!features.contains(&PADDING));
        assert_eq!(features[2047], i32::from(long[4999]));
    }

    #[test]
    fn short_texts_have_no_features() {
        for text in [&b""[..], b"abcdefg", b"\n\n\n\n\n\n\n\n\n\na"] {
            assert_eq!(extract(text), None);
        }
    }
}
