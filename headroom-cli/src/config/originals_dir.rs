use std::{fmt, path::Path, str::FromStr};

use headroom_store::PlaintextStore;
use serde::Deserialize;

use super::store::{InvalidStore, path};

/// The folder of plain-text originals, which agents read with their own tools.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct OriginalsDir(PlaintextStore);

impl OriginalsDir {
    /// The default folder, below the user's own, if a marker can name it.
    pub(super) fn below(home: &Path) -> Option<Self> {
        PlaintextStore::new(home.join("plaintext")).ok().map(Self)
    }

    pub(crate) fn open(&self) -> PlaintextStore {
        self.0.clone()
    }

    pub(crate) fn folder(&self) -> &str {
        self.0.folder()
    }
}

impl PartialEq for OriginalsDir {
    fn eq(&self, other: &Self) -> bool {
        self.folder() == other.folder()
    }
}

impl fmt::Display for OriginalsDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.folder())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidOriginalsDir {
    #[error("expected a folder")]
    Empty,
    #[error(transparent)]
    Path(InvalidStore),
    #[error(transparent)]
    Name(#[from] headroom_store::InvalidPlaintextStore),
}

impl FromStr for OriginalsDir {
    type Err = InvalidOriginalsDir;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = path(text).map_err(|error| match error {
            InvalidStore::Empty => InvalidOriginalsDir::Empty,
            error => InvalidOriginalsDir::Path(error),
        })?;
        Ok(Self(PlaintextStore::new(path)?))
    }
}

impl TryFrom<String> for OriginalsDir {
    type Error = InvalidOriginalsDir;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_one_that_a_marker_can_name() {
        let folder = |text: &str| text.parse::<OriginalsDir>().map(|folder| folder.to_string());
        assert_eq!(folder("/var/a b").as_deref(), Ok("/var/a b"));
        assert!(folder("here").unwrap().starts_with('/'), "wherever the agent is");
        assert_eq!(folder(""), Err(InvalidOriginalsDir::Empty));
        assert!(matches!(folder("~other/x"), Err(InvalidOriginalsDir::Path(_))));
        assert!(matches!(folder("/a]b"), Err(InvalidOriginalsDir::Name(_))));
    }
}
