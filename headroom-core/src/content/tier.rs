use std::{fmt, str::FromStr};

/// How far edits may go. Each tier includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Tier {
    /// Renderings that can be read and reversed from the output itself.
    Lossless,
    /// References to lines of an earlier block in the same request.
    Dedup,
    /// Parts replaced by a marker, if the request has a [`Retrieval`](crate::Retrieval) for them.
    #[default]
    Recoverable,
}

impl Tier {
    /// All tiers, mildest first.
    pub const ALL: &'static [Self] = &[Self::Lossless, Self::Dedup, Self::Recoverable];

    /// Returns the tier's name in reports and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lossless => "lossless",
            Self::Dedup => "dedup",
            Self::Recoverable => "recoverable",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Error returned when parsing a [`Tier`] fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTier(());

impl fmt::Display for UnknownTier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown tier; expected lossless, dedup or recoverable")
    }
}

impl std::error::Error for UnknownTier {}

impl FromStr for Tier {
    type Err = UnknownTier;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|tier| tier.as_str() == name).ok_or(UnknownTier(()))
    }
}
