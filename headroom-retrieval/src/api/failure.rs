//! The error of a hidden round.

use headroom_json::{Value, compact_into, quote};

/// The error of a hidden round.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    /// The provider's error, if it is JSON.
    pub(crate) body: Option<String>,
}

impl Failure {
    /// The error of a provider that does not answer, or not to the end.
    pub(crate) fn unreachable() -> Self {
        Self { status: 502, body: None }
    }

    /// The error of a model that asks only for content that it was told it cannot have.
    pub(crate) fn unfinished() -> Self {
        const BODY: &str = r#"{"error":{"type":"api_error","code":"unfinished_answer","message":"The model did not finish its answer. Send the request again."}}"#;
        Self { status: 502, body: Some(BODY.to_owned()) }
    }

    /// Returns the provider's `error` object, or a minimal one of this type.
    pub(super) fn error(&self, kind: &str) -> String {
        let own = self.body.as_deref().and_then(Value::parse).and_then(|body| body.get("error"));
        match own.filter(|error| error.is_object()) {
            Some(error) => {
                let mut compact = String::new();
                compact_into(error, &mut compact);
                compact
            }
            None => format!(
                "{{\"type\":{},\"message\":\"The provider could not go on with this answer (status {}).\"}}",
                quote(kind),
                self.status
            ),
        }
    }
}
