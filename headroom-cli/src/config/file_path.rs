use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;

use super::store::{InvalidStore, path};

/// A file that a setting names.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct FilePath(PathBuf);

impl FilePath {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidFilePath {
    #[error("expected a file")]
    Empty,
    #[error(transparent)]
    Path(InvalidStore),
}

impl FromStr for FilePath {
    type Err = InvalidFilePath;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match path(text) {
            Ok(path) => Ok(Self(path)),
            Err(InvalidStore::Empty) => Err(InvalidFilePath::Empty),
            Err(error) => Err(InvalidFilePath::Path(error)),
        }
    }
}

impl TryFrom<String> for FilePath {
    type Error = InvalidFilePath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
