//! The bounds of one exchange.

/// Rounds after the first.
pub const MAX_ROUNDS: u32 = 7;
/// Rounds whose calls are answered with content. In later ones the model is told to go on without it.
pub const MAX_CONTENT_ROUNDS: u32 = 4;
/// Calls of one round that are answered with content. The model is told to ask again for the others.
pub const MAX_CALLS: usize = 16;
/// Bytes that one exchange may add to the conversation.
pub const MAX_HIDDEN: usize = 2 << 20;
/// Bytes of one event of a stream. A longer one passes unread; in a hidden round the answer fails.
pub const MAX_EVENT: usize = 8 << 20;
/// Bytes of events held until the end of a round, or until the name of a call is known; beyond it they pass.
pub const MAX_HELD: usize = 16 << 20;
/// Bytes of an answer that is not a stream. A longer one passes unread.
pub const MAX_ANSWER: u64 = 32 << 20;
/// Bytes of an error that are read.
pub const MAX_ERROR: u64 = 64 << 10;
/// How often a busy provider is asked again for one round.
pub const MAX_RETRIES: u32 = 2;
/// The longest pause before that, in seconds.
pub const MAX_PAUSE_SECONDS: u64 = 20;
