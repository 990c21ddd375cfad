use std::{fmt, str::FromStr};

use headroom_core::{CacheHint, UnknownCacheHint};
use serde::{Deserialize, Serialize};

/// Settings for the provider's cache that are added where a request has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct CacheHints(Vec<CacheHint>);

impl CacheHints {
    /// Returns the hints.
    pub(crate) fn iter(&self) -> impl Iterator<Item = CacheHint> {
        self.0.iter().copied()
    }
}

impl fmt::Display for CacheHints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(CacheHint::as_str).collect();
        f.write_str(&names.join(","))
    }
}

impl FromStr for CacheHints {
    type Err = UnknownCacheHint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_are_separated_by_commas() {
        let hints: CacheHints = "breakpoint, system-split".parse().unwrap();
        assert_eq!(hints.iter().collect::<Vec<_>>(), [CacheHint::Breakpoint, CacheHint::SystemSplit]);
        assert_eq!(hints.to_string().parse(), Ok(hints));
        assert_eq!("".parse(), Ok(CacheHints::default()));
        assert!("breakpoint,on".parse::<CacheHints>().is_err());
    }
}
