use super::Violation;
use crate::conformance::engine::Answer;

/// Checks that no printable output contains content.
///
/// # Errors
///
/// Returns a violation that names the leaked secret.
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
