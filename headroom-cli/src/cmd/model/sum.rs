//! Checksums and the formats that list them.

use std::{fmt, str::FromStr};

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use ring::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sha256([u8; 32]);

impl FromStr for Sha256 {
    type Err = &'static str;

    fn from_str(hex: &str) -> Result<Self, Self::Err> {
        decoded(hex).map(Self).ok_or("a SHA-256 has 64 hexadecimal digits")
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn decoded<const N: usize>(hex: &str) -> Option<[u8; N]> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}

/// The checksum that a file must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExpectedSum {
    Sha256(Sha256),
    /// The git hash of its content, which the hub gives for small files.
    Git([u8; 20]),
}

impl ExpectedSum {
    /// Parses an entity tag of the hub: the SHA-256 of a large file, the git hash of a small one.
    pub(super) fn of_tag(tag: &str) -> Option<Self> {
        let hex = tag.trim_start_matches("W/").trim_matches('"');
        hex.parse().map(Self::Sha256).ok().or_else(|| decoded(hex).map(Self::Git))
    }
}

/// Computes the checksums of what is written.
pub(super) struct Checksums {
    sha256: Context,
    bytes: u64,
}

impl Checksums {
    pub(super) fn new() -> Self {
        Self { sha256: Context::new(&SHA256), bytes: 0 }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    /// The number of bytes written.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn sha256(&self) -> Sha256 {
        let digest: Digest = self.sha256.clone().finish();
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(digest.as_ref()).for_each(|(byte, found)| *byte = *found);
        Sha256(bytes)
    }
}

/// The git hash of this content.
pub(super) fn git_name(content: &[u8]) -> [u8; 20] {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    context.update(format!("blob {}\0", content.len()).as_bytes());
    context.update(content);
    let mut name = [0; 20];
    name.iter_mut().zip(context.finish().as_ref()).for_each(|(byte, found)| *byte = *found);
    name
}

/// Finds the checksum of a file in the text of a `SHA256SUMS`.
pub(super) fn listed(sums: &str, file: &str) -> Option<Sha256> {
    let of_line = |line: &str| {
        let (hex, name) = line.split_once(' ')?;
        (name.trim_start_matches([' ', '*']).trim_end() == file).then(|| hex.parse().ok())?
    };
    sums.lines().find_map(of_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn sums_are_those_of_other_tools() {
        let mut sums = Checksums::new();
        assert_eq!(sums.sha256().to_string(), EMPTY);
        sums.add(b"ab");
        sums.add(b"c");
        assert_eq!(sums.bytes(), 3);
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sums.sha256().to_string(), abc);
        assert_eq!(
            ExpectedSum::of_tag("\"d670460b4b4aece5915caf5c68d12f560a9fe3e4\""),
            Some(ExpectedSum::Git(git_name(b"test content\n")))
        );
    }

    #[test]
    fn tags_and_lists_are_read() {
        assert_eq!(ExpectedSum::of_tag(EMPTY), EMPTY.parse().ok().map(ExpectedSum::Sha256));
        assert!(matches!(ExpectedSum::of_tag(&format!("\"{}\"", &EMPTY[..40])), Some(ExpectedSum::Git(_))));
        for tag in ["", "\"\"", "W/\"abc\"", &EMPTY[..63], "é".repeat(32).as_str()] {
            assert_eq!(ExpectedSum::of_tag(tag), None, "{tag}");
        }
        let list = format!("{EMPTY}  tokenizer.json\n{EMPTY} *model.onnx\nnonsense\n");
        assert_eq!(listed(&list, "model.onnx"), EMPTY.parse().ok());
        assert_eq!(listed(&list, "model"), None);
    }
}
