//! A tenant's identity in a form that may be shown.

use std::fmt;

/// Distinguishes tenants in the names of files and keys without revealing them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tenant([u8; 16]);

impl Tenant {
    pub(crate) fn from_name(tenant: &str) -> Self {
        let hash = blake3::derive_key("headroom-store tenant v1", tenant.as_bytes());
        let (half, _) = hash.split_first_chunk().unwrap_or((&[0; 16], &[]));
        Self(*half)
    }

    /// Parses the output of [`Display`](fmt::Display).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
