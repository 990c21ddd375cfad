//! The client's form of an answer.

use headroom_json::Value;

use super::{CALL, SIGNATURE, is_ours, member};
use crate::edit::set;

/// Removes our calls from parts, and leaves their signature to the client.
///
/// The first call of a set carries the signature of all. If that call is ours, the next one gets it, so that the client
/// can send its calls back even if ours are lost: a call without a signature is refused.
#[derive(Clone, Debug, Default)]
pub(super) struct Visible {
    /// A signature that waits for a call.
    signature: Option<String>,
    /// Whether a call of a client's tool was seen.
    calls: bool,
}

impl Visible {
    /// Returns the client's form of a part.
    pub(super) fn part(&mut self, part: Value<'_>) -> Option<String> {
        let signature = member(part, SIGNATURE);
        if is_ours(part) {
            if let (Some(signature), false) = (signature, self.calls) {
                self.signature = Some(signature.raw().to_owned());
            }
            return None;
        }
        if member(part, CALL).is_none() {
            return Some(part.raw().to_owned());
        }
        self.calls = true;
        let own = self.signature.take().filter(|_| signature.is_none());
        Some(match own {
            Some(own) => set(part, &[("thoughtSignature", Some(own))]),
            None => part.raw().to_owned(),
        })
    }
}
