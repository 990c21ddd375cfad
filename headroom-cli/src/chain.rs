//! Errors as text.

use std::{error::Error, fmt};

/// Displays an error with all its sources.
pub(crate) struct Chain<'e>(pub(crate) &'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot write standard output")]
    struct Write(#[source] std::io::Error);

    #[test]
    fn every_source_is_shown_once() {
        let error = Write(std::io::Error::other("full"));
        assert_eq!(Chain(&error).to_string(), "cannot write standard output: full");
        assert_eq!(Chain(&std::io::Error::other("not a port")).to_string(), "not a port");
    }
}
