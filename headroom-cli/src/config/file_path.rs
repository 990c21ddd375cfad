use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;

use super::store::{InvalidStore, path};

/// A file with the token of the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct TokenFile(PathBuf);

impl TokenFile {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for TokenFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidTokenFile {
    #[error("expected a file")]
    Empty,
    #[error(transparent)]
    Path(InvalidStore),
}

impl FromStr for TokenFile {
    type Err = InvalidTokenFile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match path(text) {
            Ok(path) => Ok(Self(path)),
            Err(InvalidStore::Empty) => Err(InvalidTokenFile::Empty),
            Err(error) => Err(InvalidTokenFile::Path(error)),
        }
    }
}

impl TryFrom<String> for TokenFile {
    type Error = InvalidTokenFile;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
