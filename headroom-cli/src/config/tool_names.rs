use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The names of tools, each possibly with `*` at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Vec<String>")]
pub(crate) struct ToolNames(Vec<String>);

/// Error returned when parsing [`ToolNames`] fails.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the name of a tool; expected one without spaces, with `*` at its end for all that begin so"
)]
pub(crate) struct InvalidToolName(String);

impl ToolNames {
    /// Returns the names.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn parse<'a>(names: impl Iterator<Item = &'a str>) -> Result<Self, InvalidToolName> {
        let name = |name: &str| {
            let own = name.strip_suffix('*').unwrap_or(name);
            // An asterisk alone would take every tool from the model.
            let is_name = !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*');
            if is_name { Ok(name.to_owned()) } else { Err(InvalidToolName(name.to_owned())) }
        };
        names.map(name).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for ToolNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl FromStr for ToolNames {
    type Err = InvalidToolName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text.split(',').map(str::trim).filter(|name| !name.is_empty()))
    }
}

impl TryFrom<Vec<String>> for ToolNames {
    type Error = InvalidToolName;

    fn try_from(names: Vec<String>) -> Result<Self, Self::Error> {
        Self::parse(names.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_separated_by_commas() {
        let names: ToolNames = "WebSearch, mcp__github__*,a.b-c".parse().unwrap();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["WebSearch", "mcp__github__*", "a.b-c"]);
        assert_eq!(names.to_string().parse(), Ok(names));
        for text in ["*", "a b", "a*b", "**", "x,*"] {
            assert!(text.parse::<ToolNames>().is_err(), "{text}");
        }
    }
}
