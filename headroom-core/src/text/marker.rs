//! Markers: the text in the place of omitted content. Written and parsed here.

use std::{fmt, str::FromStr};

/// How every marker begins. Input that contains it is never referenced and never folded.
pub(crate) const OPENING: &str = "[headroom:";

/// Whether a text contains something like a marker.
pub(crate) fn is_in(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), OPENING.as_bytes()).is_some()
}

/// Returns the first handle that a marker in a text names.
pub(crate) fn handle_in(text: &str) -> Option<Handle> {
    memchr::memmem::find_iter(text.as_bytes(), OPENING)
        .find_map(|at| text.get(at + OPENING.len()..)?.split([' ', ']']).next()?.parse().ok())
}

/// A marker for lines that occur earlier in the same request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) here: Here,
    pub(crate) there: There,
    /// The name of the text with the lines: `result 4`.
    pub(crate) origin: &'a str,
    /// A description of it, for its first mention: `Read server.py`.
    pub(crate) label: Option<&'a str>,
}

/// The lines that a reference replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Here {
    /// Lines with these numbers.
    Numbered { first: u32, last: u32 },
    /// Lines without numbers, as many as in the source.
    Plain,
}

/// Where the referenced lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum There {
    /// The whole source.
    Whole,
    /// The lines with the same numbers.
    Same,
    /// The lines with these numbers.
    Numbered { first: u32, last: u32 },
    /// These lines, by position counted from one.
    Position { first: u32, last: u32 },
}

impl fmt::Display for Reference<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { here, there, origin, label } = self;
        write!(f, "{OPENING} ")?;
        if *there == There::Whole {
            write!(f, "same as {origin}")?;
        } else {
            if let Here::Numbered { first, last } = here {
                write!(f, "lines {first}-{last}{}", if *there == There::Same { " as in " } else { " = " })?;
            }
            match there {
                There::Whole | There::Same => {}
                There::Numbered { first, last } => write!(f, "lines {first}-{last} of ")?,
                There::Position { first, last } => write!(f, "output lines {first}-{last} of ")?,
            }
            f.write_str(origin)?;
        }
        label.map_or(Ok(()), |label| write!(f, " above, {label}"))?;
        f.write_str("]")
    }
}

/// A marker for elided lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elision<'a> {
    pub(crate) handle: Handle,
    /// The first and last elided line: numbers that the text prints, or counted from one.
    pub(crate) lines: (u32, u32),
    /// A short description of the lines; may be empty.
    pub(crate) summary: &'a str,
    /// The folder of the original, if it is retrieved from a file.
    pub(crate) folder: Option<&'a str>,
}

impl fmt::Display for Elision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { handle, lines: (first, last), summary, folder } = self;
        write!(f, "{OPENING}{handle} lines {first}-{last} stored")?;
        if !summary.is_empty() {
            write!(f, ": {summary}")?;
        }
        match folder {
            Some(folder) => write!(f, "; {folder}/{handle}]"),
            None => f.write_str("; headroom_retrieve]"),
        }
    }
}

/// A marker for a further elision in a text that already has an [`Elision`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct More<'a> {
    /// As in an [`Elision`].
    pub(crate) lines: (u32, u32),
    /// As in an [`Elision`].
    pub(crate) summary: &'a str,
}

impl fmt::Display for More<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines: (first, last), summary } = self;
        write!(f, "{OPENING} also lines {first}-{last} stored")?;
        if !summary.is_empty() {
            write!(f, ": {summary}")?;
        }
        f.write_str("]")
    }
}

/// A marker for the elided rows of an array.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowElision<'a> {
    pub(crate) handle: Handle,
    /// How many rows are elided, and how many there were.
    pub(crate) aside: usize,
    pub(crate) of: usize,
    /// The noun for the elements: `rows`.
    pub(crate) what: &'a str,
    /// The key path of the array; empty if it is the only one.
    pub(crate) place: &'a str,
    /// A short description of the rows; may be empty.
    pub(crate) summary: &'a str,
    /// The folder of the original, if it is retrieved from a file.
    pub(crate) folder: Option<&'a str>,
}

impl fmt::Display for RowElision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { handle, aside, of, what, place, summary, folder } = self;
        write!(f, "{OPENING}{handle} {aside} of {of} {what}")?;
        if !place.is_empty() {
            write!(f, " in {place}")?;
        }
        f.write_str(" stored")?;
        if !summary.is_empty() {
            write!(f, ": {summary}")?;
        }
        match folder {
            Some(folder) => write!(f, "; {folder}/{handle}]"),
            None => f.write_str("; headroom_retrieve]"),
        }
    }
}

#[cfg(test)]
impl<'a> RowElision<'a> {
    /// Parses the output of `Display`.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let body = line.strip_prefix(OPENING)?.strip_suffix(']')?;
        let (handle, body) = body.split_once(' ')?;
        let handle: Handle = handle.parse().ok()?;
        let (body, retrieval) = body.rsplit_once("; ")?;
        let folder = match retrieval {
            "headroom_retrieve" => None,
            path => Some(path.strip_suffix(&format!("/{handle}"))?),
        };
        let (rows, summary) = body.split_once(" stored")?;
        let summary = summary.strip_prefix(": ").unwrap_or(summary);
        let (rows, place) = rows.split_once(" in ").unwrap_or((rows, ""));
        let mut words = rows.splitn(4, ' ');
        let aside = words.next()?.parse().ok()?;
        let of = (words.next()? == "of").then(|| words.next())??.parse().ok()?;
        Some(Self { handle, aside, of, what: words.next()?, place, summary, folder })
    }
}

#[cfg(test)]
impl<'a> Reference<'a> {
    /// Parses the output of `Display`.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let line = ["// ", "# ", "-- ", ";; ", "; ", "% "]
            .iter()
            .find_map(|start| line.strip_prefix(start))
            .unwrap_or(line);
        let body = line.strip_prefix(OPENING)?.strip_suffix(']')?.strip_prefix(' ')?;
        let range = |text: &str| {
            let (first, last) = text.split_once('-')?;
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        let (body, label) =
            body.split_once(" above, ").map_or((body, None), |(body, label)| (body, Some(label)));
        if let Some(origin) = body.strip_prefix("same as ") {
            return Some(Self { here: Here::Plain, there: There::Whole, origin, label });
        }
        let (here, rest) = match body.split_once(" as in ").or_else(|| body.split_once(" = ")) {
            Some((here, rest)) => {
                let (first, last) = range(here.strip_prefix("lines ")?)?;
                (Here::Numbered { first, last }, rest)
            }
            None => (Here::Plain, body),
        };
        let Some((there, origin)) = rest.split_once(" of ") else {
            let same = Self { here, there: There::Same, origin: rest, label };
            return (here != Here::Plain).then_some(same);
        };
        let there = if let Some(lines) = there.strip_prefix("output lines ") {
            range(lines).map(|(first, last)| There::Position { first, last })?
        } else {
            range(there.strip_prefix("lines ")?).map(|(first, last)| There::Numbered { first, last })?
        };
        Some(Self { here, there, origin, label })
    }
}

/// Length of the BLAKE3 prefix in a handle: 80 bits, 16 letters.
const HANDLE_BYTES: usize = 10;
const HANDLE_CHARS: usize = 16;
/// RFC 4648 base32 in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Identifies a stored original: the first 80 bits of its BLAKE3 hash in lower-case base32.
///
/// The same content has the same handle everywhere.
///
/// ```
/// use headroom_core::Handle;
///
/// let handle = Handle::from_content("some log");
/// assert_eq!(handle.to_string().parse(), Ok(handle));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle([u8; HANDLE_BYTES]);

impl Handle {
    /// Computes the handle of this content.
    #[must_use]
    pub fn from_content(content: &str) -> Self {
        let hash = blake3::hash(content.as_bytes());
        let mut bytes = [0; HANDLE_BYTES];
        bytes.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
        Self(bytes)
    }

    /// Returns the raw 80 bits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HANDLE_BYTES] {
        &self.0
    }

    /// Returns the 20 hexadecimal digits, for gateways that take no other letters.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Parses either spelling: the 16 letters in which a handle prints, or its 20 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// If it is neither.
    ///
    /// ```
    /// use headroom_core::Handle;
    ///
    /// let handle = Handle::from_content("some log");
    /// assert_eq!(Handle::from_any_spelling(&handle.to_hex()), Ok(handle));
    /// assert_eq!(Handle::from_any_spelling(&handle.to_string()), Ok(handle));
    /// ```
    pub fn from_any_spelling(text: &str) -> Result<Self, InvalidHandle> {
        if text.len() != 2 * HANDLE_BYTES {
            return text.parse();
        }
        let mut bytes = [0; HANDLE_BYTES];
        for (pair, byte) in text.as_bytes().chunks_exact(2).zip(&mut bytes) {
            let digit = |letter: u8| match letter {
                b'0'..=b'9' => Ok(letter - b'0'),
                b'a'..=b'f' => Ok(letter - b'a' + 10),
                _ => Err(InvalidHandle(())),
            };
            for letter in pair {
                *byte = *byte << 4 | digit(*letter)?;
            }
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(HANDLE_CHARS);
        for group in self.0.chunks_exact(5) {
            let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for shift in (0..8).rev().map(|n| n * 5) {
                let letter = ALPHABET.get((bits >> shift & 31) as usize).copied().unwrap_or(b'a');
                text.push(char::from(letter));
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({self})")
    }
}

/// Returns every possible handle in a text: any sixteen consecutive letters of the alphabet.
pub(crate) fn handles_in(text: &str) -> impl Iterator<Item = Handle> {
    let is_letter = |c: char| u8::try_from(c).is_ok_and(|byte| ALPHABET.contains(&byte));
    text.split(move |c| !is_letter(c)).filter(|word| word.len() >= HANDLE_CHARS).flat_map(|word| {
        // Every letter of the alphabet is one byte.
        (HANDLE_CHARS..=word.len()).filter_map(|end| word.get(end - HANDLE_CHARS..end)?.parse().ok())
    })
}

/// Error returned when parsing a [`Handle`] fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidHandle(());

impl fmt::Display for InvalidHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid handle; expected 16 letters a-z or digits 2-7")
    }
}

impl std::error::Error for InvalidHandle {}

impl FromStr for Handle {
    type Err = InvalidHandle;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != HANDLE_CHARS {
            return Err(InvalidHandle(()));
        }
        let mut bytes = [0; HANDLE_BYTES];
        for (group, to) in text.as_bytes().chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
            let mut bits = 0_u64;
            for letter in group {
                let value = match letter {
                    b'a'..=b'z' => letter - b'a',
                    b'2'..=b'7' => letter - b'2' + 26,
                    _ => return Err(InvalidHandle(())),
                };
                bits = bits << 5 | u64::from(value);
            }
            to.iter_mut().zip(bits.to_be_bytes().into_iter().skip(3)).for_each(|(to, from)| *to = from);
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_survive_the_round_trip() {
        for n in 0..1000 {
            let handle = Handle::from_content(&format!("content {n}"));
            assert_eq!(handle.to_string().parse(), Ok(handle));
            assert_eq!(Handle::from_any_spelling(&handle.to_string()), Ok(handle));
            assert_eq!(Handle::from_any_spelling(&handle.to_hex()), Ok(handle));
            assert!(handle.to_hex().parse::<Handle>().is_err(), "files and keys have one spelling");
        }
    }

    #[test]
    fn handles_of_other_alphabets_are_refused() {
        for text in ["", "abc", "abcdefghijklmno1", "ABCDEFGHIJKLMNOP", "abcdefghijklmnopq"] {
            assert!(text.parse::<Handle>().is_err(), "{text}");
            assert!(Handle::from_any_spelling(text).is_err(), "{text}");
        }
        for text in ["0123456789ABCDEF0123", "0123456789abcdef012g", "0123456789abcdef01234"] {
            assert!(Handle::from_any_spelling(text).is_err(), "{text}");
        }
    }
}
