use std::{fmt, str::FromStr};

use serde::Deserialize;

/// The size of the control group, in per cent of the conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub(crate) struct Holdout(u8);

impl Holdout {
    pub(crate) const fn percent(self) -> u8 {
        self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number of per cent from 0 to 100")]
pub(crate) struct InvalidHoldout;

impl TryFrom<u8> for Holdout {
    type Error = InvalidHoldout;

    fn try_from(percent: u8) -> Result<Self, InvalidHoldout> {
        if percent <= 100 { Ok(Self(percent)) } else { Err(InvalidHoldout) }
    }
}

impl FromStr for Holdout {
    type Err = InvalidHoldout;

    fn from_str(text: &str) -> Result<Self, InvalidHoldout> {
        let number = text.strip_suffix('%').unwrap_or(text).trim();
        number.parse::<u8>().map_err(|_| InvalidHoldout)?.try_into()
    }
}

impl fmt::Display for Holdout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_cent_are_from_0_to_100() {
        for (text, percent) in [
            ("5", Some(5)),
            ("5%", Some(5)),
            ("0", Some(0)),
            ("100 %", Some(100)),
            ("101", None),
            ("-1", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Holdout>().ok().map(Holdout::percent), percent, "{text}");
        }
    }
}
