use super::Violation;
use crate::conformance::engine::Answer;

/// Nothing that may be printed holds content.
///
/// # Errors
///
/// A violation that names the secret which was found.
pub fn private(answer: &Answer, secrets: &[&str]) -> Result<(), Violation> {
    match secrets.iter().find(|secret| answer.printed.contains(**secret)) {
        None => Ok(()),
        Some(secret) => {
            let at = answer.printed.find(*secret).unwrap_or(0);
            let before: String =
                answer.printed[..at].chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
            Err(Violation { law: "private", what: format!("{secret} was printed behind `{before}`") })
        }
    }
}
