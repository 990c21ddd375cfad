//! Hashes that identify a conversation up to a point.

/// A hash of the conversation before some point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Link(pub(crate) [u8; 32]);

/// The links of a conversation: one for the place of each turn, and one for the place of the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chain {
    pub(crate) before: Vec<Link>,
    pub(crate) end: Link,
}
