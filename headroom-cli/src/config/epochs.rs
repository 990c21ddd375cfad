use std::{fmt, str::FromStr};

use serde::Deserialize;

/// Whether old content may leave at new prompts of the user. The default is on where the program sees the provider's
/// answer, and so a refusal, and off where it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Epochs {
    On,
    Off,
}

impl Epochs {
    pub(crate) const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

impl fmt::Display for Epochs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.is_on() { "on" } else { "off" })
    }
}

/// Error returned when parsing [`Epochs`] fails.
#[derive(Clone, Debug, thiserror::Error)]
#[error("expected on or off")]
pub(crate) struct InvalidEpochs;

impl FromStr for Epochs {
    type Err = InvalidEpochs;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => Err(InvalidEpochs),
        }
    }
}
