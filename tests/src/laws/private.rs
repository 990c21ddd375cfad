use super::Violation;
use crate::engine::Answer;

/// Nothing that may be printed holds content.
///
/// # Errors
///
/// A violation that names the secret which was found.
pub fn private(answer: &Answer, secrets: &[&str]) -> Result<(), Violation> {
    match secrets.iter().find(|secret| answer.printed.contains(**secret)) {
        None => Ok(()),
        Some(secret) => Err(Violation { law: "private", what: format!("{secret} was printed") }),
    }
}
