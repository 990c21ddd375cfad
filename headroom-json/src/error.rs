use std::fmt;

/// Why a text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// The text is not one complete JSON value.
    NotJson,
    /// It nests deeper than the limit.
    TooDeep,
    /// It is longer than offsets can say.
    TooLarge,
    /// It holds more values than the limit.
    TooManyValues,
    /// A key that is looked up occurs twice.
    DuplicateKey,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "not one complete JSON value",
            Self::TooDeep => "nested too deeply",
            Self::TooLarge => "too long",
            Self::TooManyValues => "too many values",
            Self::DuplicateKey => "a key occurs twice",
        })
    }
}

impl std::error::Error for Error {}
